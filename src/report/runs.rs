//! Sets of runs.

use std::collections::BTreeSet;

use crate::experiment::{GridSetting, Planned};
use crate::record::Run;

/// Removes runs that are there twice, because the same folder was given twice.
pub fn remove_duplicates(runs: &mut Vec<Run>) {
    let mut seen = BTreeSet::new();
    runs.retain(|run| seen.insert(run.header.key()));
}

/// The number of different seeds.
pub fn seed_count(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.header.seed).collect::<BTreeSet<_>>().len()
}

/// The plan where there is no experiment: a curve for each series and schedule, with the settings
/// that have runs.
pub fn side_by_side(runs: &[Run]) -> Vec<Planned> {
    let mut planned: Vec<Planned> = Vec::new();
    for header in runs.iter().map(|run| &run.header) {
        let (series, schedule) = (&header.series, &header.schedule);
        let label =
            if schedule == "constant" { series.clone() } else { format!("{series}, {schedule}") };
        let at = planned.iter().position(|planned| planned.label == label).unwrap_or_else(|| {
            planned.push(Planned { label, series: series.clone(), settings: Vec::new() });
            planned.len() - 1
        });
        let setting = GridSetting::new(header.optimizer.clone(), schedule.clone());
        if !planned[at].settings.contains(&setting) {
            planned[at].settings.push(setting);
        }
    }
    planned
}
