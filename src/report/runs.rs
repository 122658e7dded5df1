//! Sets of runs.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::experiment::{GridSetting, Planned};
use crate::record::{COMMIT, Header, Run};
use crate::schedule::SCHEDULES;
use crate::spec::{Spec, SpecLine};

/// Removes runs that are there twice: because the same folder was given twice, or if processors are
/// mixed, because two kinds of processors made the same run. A complete run stays, and then that of
/// the first kind in alphabetical order.
pub fn remove_duplicates(runs: &mut Vec<Run>, mix_processors: bool) {
    let key = |run: &Run| match mix_processors {
        true => Header { processor: String::new(), ..run.header.clone() }.key(),
        false => run.header.key(),
    };
    let rank = |run: &Run| (!run.is_complete(), run.header.processor.clone());
    let mut first = BTreeMap::new();
    for run in runs.iter() {
        let found = first.entry(key(run)).or_insert_with(|| rank(run));
        *found = rank(run).min(found.clone());
    }
    // the first of several equal runs
    runs.retain(|run| {
        let key = key(run);
        let stays = first.get(&key) == Some(&rank(run));
        if stays {
            first.remove(&key);
        }
        stays
    });
}

/// The number of different graded seeds: all but the first `search`, which select. As long as there
/// are no graded runs, those that select are shown and counted.
pub fn graded_seeds(runs: &[Run], search: Option<u64>) -> usize {
    let seeds: BTreeSet<u64> = runs.iter().map(|run| run.header.seed).collect();
    match seeds.range(search.unwrap_or(0)..).count() {
        0 => seeds.len(),
        graded => graded,
    }
}

/// The commits of the builds that made these runs, or of this one: `commit 0123456789ab`. `None` if
/// nothing is known.
pub fn commits(runs: &[Run]) -> Option<String> {
    let own = |run: &Run| run.end.as_ref().map(|end| end.commit.clone());
    let mut all: BTreeSet<Option<String>> = runs.iter().filter_map(own).collect();
    if runs.is_empty() {
        all.insert(COMMIT.map(String::from));
    }
    let text = |commit: &Option<String>| commit.clone().unwrap_or("unknown".into());
    let texts: Vec<String> = all.iter().map(text).collect();
    match all.last()? {
        None => None,
        Some(commit) if all.len() == 1 => Some(format!("commit {commit}")),
        Some(_) => Some(format!("commits {}", texts.join(" and "))),
    }
}

/// A schedule for people: of a canonical spec, only the settings that differ from the defaults.
/// `cosine:floor=0,steps=500` becomes `cosine:steps=500`.
pub fn short_schedule(canonical: &str) -> String {
    let Ok(mut spec) = canonical.parse::<Spec>() else { return canonical.into() };
    let defaults = SCHEDULES
        .iter()
        .find(|entry| entry.name == spec.name)
        .map_or(Vec::new(), |entry| (entry.defaults)());
    let is_default = |(key, values): &(String, Vec<String>)| {
        defaults
            .iter()
            .any(|(name, value)| name == key && std::slice::from_ref(value) == values.as_slice())
    };
    spec.settings.retain(|setting| !is_default(setting));
    spec.to_string()
}

/// The plan where there is no experiment: a curve for each series and schedule, with the settings
/// that have runs. The series of a training is the names of its pipeline.
pub fn side_by_side(runs: &[Run]) -> Vec<Planned> {
    let mut planned: Vec<Planned> = Vec::new();
    let (mut places, mut seen) = (HashMap::new(), HashSet::new());
    for header in runs.iter().map(|run| &run.header) {
        let (series, schedule) = (&header.series, &header.schedule);
        let label = match short_schedule(schedule).as_str() {
            "constant" => series.clone(),
            schedule => format!("{series}, {schedule}"),
        };
        let at = *places.entry(label.clone()).or_insert_with(|| {
            planned.push(Planned { label, series: series.clone(), settings: Vec::new() });
            planned.len() - 1
        });
        if !seen.insert((at, &header.optimizer, schedule)) {
            continue;
        }
        let setting = GridSetting::new(header.optimizer.clone(), schedule.clone());
        let setting = match series.parse::<SpecLine>() {
            Ok(names) => setting.named_as_in(&names),
            Err(_) => setting,
        };
        planned[at].settings.push(setting);
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_schedule_has_only_what_differs_from_the_defaults() {
        for (canonical, short) in [
            ("constant", "constant"),
            ("cosine:floor=0,steps=none", "cosine"),
            ("cosine:floor=0.1,steps=none,warmup=50", "cosine:floor=0.1,warmup=50"),
            ("inverse_sqrt:per=step", "inverse_sqrt"),
            ("inverse_sqrt:per=epoch,warmup=10", "inverse_sqrt:per=epoch,warmup=10"),
        ] {
            assert_eq!(short_schedule(canonical), short);
        }
    }
}
