//! Remarks: what a reader should know about the runs.

use std::collections::BTreeMap;
use std::path::Path;

use crate::experiment::{Experiment, Planned, Rung, Scale, Series};
use crate::grade::Curve;
use crate::record::{RecordedTask, Run};
use crate::text::counted;

/// That the runs use other data than the experiment describes.
pub fn data(
    experiment: Option<&Experiment>,
    scale: Option<Scale>,
    task: &RecordedTask,
) -> Vec<String> {
    let described =
        experiment.zip(scale).and_then(|(experiment, scale)| experiment.data_name(scale));
    match (described, task.data_name()) {
        (Some(described), Some(used)) if !is_same_data(described, used) => vec![format!(
            "These runs use the data set {used}. The text and the claims of the experiment are \
             about {described}."
        )],
        _ => Vec::new(),
    }
}

/// Whether a name or path in an experiment is the data of a record, which contains no folders.
fn is_same_data(described: &str, used: &str) -> bool {
    let name = |data: &str| {
        let data = data.split('|').next().unwrap_or_default().to_string();
        Path::new(&data).file_name().map_or(data.clone(), |name| name.to_string_lossy().into())
    };
    name(described) == name(used)
}

/// That the verdicts allow for the looks of `--until-decided`.
pub fn until_decided(experiment: Option<&Experiment>) -> Option<String> {
    experiment.filter(|experiment| experiment.until_decided).map(|_| {
        "Seeds were added until every claim was decided, or their number was reached. The adjusted \
         p-values allow for the looks after 3, 5, 8, 12, 20, 30, 45 .. seeds."
            .into()
    })
}

/// That the series have different numbers of settings.
pub fn tuning(plan: &[Planned]) -> Option<String> {
    let mut by_count: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for series in plan {
        by_count.entry(series.settings.len()).or_default().push(&series.label);
    }
    let (first, others) = by_count.iter().next_back().zip(Some(by_count.iter().rev().skip(1)))?;
    let group = |(count, labels): (&usize, &Vec<&str>)| format!("{count} of {}", labels.join(", "));
    let others: Vec<String> = others.map(group).collect();
    let (count, labels) = first;
    (!others.is_empty()).then(|| {
        format!(
            "Unequal tuning: {count} settings of {}; {}. More settings find a better one, also by \
             luck.",
            labels.join(", "),
            others.join("; ")
        )
    })
}

/// How many steps successive halving took.
pub fn halving(
    short: &[Run],
    rungs: &[Rung],
    whole: &[Run],
    search: Option<u64>,
) -> Option<String> {
    let steps = |runs: &mut dyn Iterator<Item = &Run>| -> usize {
        runs.filter_map(|run| run.end.as_ref()).map(|end| end.step).sum()
    };
    let lengths: Vec<String> = rungs.iter().map(|rung| rung.epochs.to_string()).collect();
    let is_selecting = |run: &&Run| search.is_some_and(|search| run.header.seed < search);
    let (select, all) = (steps(&mut whole.iter().filter(is_selecting)), steps(&mut whole.iter()));
    (!short.is_empty()).then(|| {
        format!(
            "Successive halving: short runs of {} epochs took {} steps, the whole runs that select \
             {select}, the graded ones {}. Short runs are not in the table.",
            lengths.join(" and "),
            steps(&mut short.iter()),
            all - select
        )
    })
}

/// Which settings were added beyond the edge of their grid.
pub fn added(experiment: &Experiment, scale: Option<Scale>) -> Vec<String> {
    let remark = |series: &Series| {
        let added: Vec<&str> = experiment.added_to(&series.label, scale?).collect();
        let many = counted(added.len(), "setting was", "settings were");
        (!added.is_empty()).then(|| {
            format!(
                "{}: {many} added beyond the edge of the grid by `run --extend`: {}.",
                series.label,
                added.join(" ")
            )
        })
    };
    experiment.series.iter().filter_map(remark).collect()
}

/// Which best settings are at the edge of their grid.
pub fn edges(curves: &[Curve]) -> Vec<String> {
    let mut remarks = Vec::new();
    for curve in curves {
        let keys = curve.at_the_edge();
        if !keys.is_empty() {
            remarks.push(format!(
                "{}: the chosen setting, {}, has {} at the edge of the grid; a wider grid may \
                 contain a better setting, and `run --extend` tries it.",
                curve.label,
                curve.brief(),
                keys.join(" and ")
            ));
        }
    }
    remarks
}

/// Which runs are missing. Series with the same remark share it.
pub fn missing(curves: &[Curve], experiment: Option<&Experiment>, scale: &str) -> Vec<String> {
    let planned = experiment.filter(|experiment| !experiment.until_decided);
    let planned_seeds =
        planned.and_then(|experiment| experiment.extent(scale)).map(|extent| extent.seeds);
    let mut remarks: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for curve in curves {
        if let Some(remark) = missing_in(curve, planned_seeds) {
            remarks.entry(remark).or_default().push(&curve.label);
        }
    }
    let names = |labels: Vec<&str>| {
        if labels.len() == curves.len() && labels.len() > 1 {
            "All series".into()
        } else {
            labels.join(", ")
        }
    };
    remarks.into_iter().map(|(remark, labels)| format!("{}: {remark}", names(labels))).collect()
}

fn missing_in(curve: &Curve, planned_seeds: Option<usize>) -> Option<String> {
    if curve.missing > 0 {
        return Some(format!(
            "{}, so no setting is chosen; the same command makes the missing runs.",
            curve.why_none()
        ));
    }
    let complete = curve.chosen()?.runs.iter().filter(|run| run.is_complete()).count();
    let planned = planned_seeds.filter(|planned| complete < *planned)?;
    let shown = match complete {
        0 if curve.has_choice() => "; the runs that chose the setting are shown, and not graded",
        _ => "",
    };
    Some(format!("complete runs of {complete} of {planned} planned seeds{shown}."))
}

/// That records were left out.
pub fn foreign(records: usize) -> Option<String> {
    (records > 0).then(|| {
        format!(
            "{records} records in the folder belong to no setting of this experiment; this report \
             does not use them."
        )
    })
}

/// That the runs were made on different kinds of processors, and how many on each.
pub fn processors(runs: &[Run]) -> Option<String> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for run in runs {
        *kinds.entry(&run.header.processor).or_default() += 1;
    }
    let each =
        |(kind, runs): (&&str, &usize)| format!("{kind} ({})", counted(*runs, "run", "runs"));
    let each: Vec<String> = kinds.iter().map(each).collect();
    (kinds.len() > 1).then(|| {
        format!(
            "The runs were made on different kinds of processors: {}. Their last digits may \
             differ; a run that is repeated on another kind may give another number.",
            each.join(", ")
        )
    })
}

/// Which heat maps were left out.
pub fn large_maps(titles: &[String]) -> Vec<String> {
    titles
        .iter()
        .map(|title| {
            format!(
                "{title}: the grid is too large for a heat map; points.csv contains its values."
            )
        })
        .collect()
}
