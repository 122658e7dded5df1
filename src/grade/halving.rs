//! Successive halving: short runs of every setting select those that run longer.

use super::select::{Selection, curve};
use crate::experiment::{GridSetting, Planned, Rung};
use crate::record::Run;

/// The settings that go on after a round of short runs: of each series with several settings, the
/// best ones. `None` if a run of the round is missing.
pub fn survivors(
    planned: &[Planned],
    runs: &[Run],
    selection: &Selection,
    rung: &Rung,
) -> Option<Vec<Planned>> {
    let short: Vec<Run> =
        runs.iter().filter(|run| run.header.epochs == rung.epochs).cloned().collect();
    planned.iter().map(|series| best_of(series, &short, selection, rung.kept)).collect()
}

fn best_of(series: &Planned, runs: &[Run], selection: &Selection, kept: usize) -> Option<Planned> {
    if !series.has_choice() {
        return Some(series.clone());
    }
    let curve = curve(series, runs, selection);
    if curve.missing > 0 {
        return None;
    }
    let score = |candidate: &super::Candidate| candidate.score(selection).unwrap_or(f64::INFINITY);
    let mut ranked: Vec<(f64, &GridSetting)> =
        curve.candidates.iter().map(|candidate| (score(candidate), &candidate.setting)).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    ranked.truncate(kept);
    let stays = |setting: &&GridSetting| ranked.iter().any(|(_, kept)| kept == setting);
    let settings = series.settings.iter().filter(stays).cloned().collect();
    Some(Planned { settings, ..series.clone() })
}
