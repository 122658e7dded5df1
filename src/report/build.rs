//! The contents of a report.

use std::collections::HashSet;

use crate::chart::{Chart, HeatMap, Table};
use crate::error::{Error, Result};
use crate::experiment::{Experiment, Extent, Planned, Reduction, Rung, Scale};
use crate::grade::{self, Curve, GradedClaim, Selection};
use crate::optim::Optimizers;
use crate::record::{Header, RecordedTask, Run};
use crate::study::StudyResult;

use super::charts::{self, CurveSet};
use super::compare::{self, MayDiffer};
use super::curves::{Curves, curves};
use super::draw::Scene;
use super::heat_maps::heat_maps;
use super::ranking::Ranking;
use super::remarks;
use super::results::{Choice, ResultsTable, results_table};
use super::rows::{Row, row};
use super::runs::{graded_seeds, remove_duplicates, side_by_side};
use super::scene;
use super::styles::curve_styles;
use super::targets;
use super::task_settings::own_settings;

/// The contents of a report, before they are written.
pub struct Report {
    /// titles of the measurements in the table
    pub columns: Vec<&'static str>,
    /// one row for each series
    pub table: Vec<Row>,
    /// the same as the page and the terminal show it
    pub results: ResultsTable,
    /// the series by the final value of the metric
    pub ranking: Ranking,
    /// one verdict for each claim
    pub verdicts: Vec<GradedClaim>,
    /// what a reader should know, for example that runs are missing
    pub remarks: Vec<String>,
    /// tables of a study, and the costs of targets
    pub tables: Vec<Table>,
    /// seconds after which the page loads itself again, while records are watched
    pub refresh: Option<u16>,
    /// line charts by the stem of their files
    pub(super) charts: Vec<(String, Chart)>,
    pub(super) heat_maps: Vec<HeatMap>,
    /// the curves of all runs, for the script of the page
    pub(super) curves: Option<Curves>,
    /// what line and band are
    pub(super) caption: String,
    pub(super) scene: Option<Scene>,
    /// the settings of each series
    pub(super) plan: Vec<Planned>,
    pub(super) runs: Vec<Run>,
    pub(super) experiment: Option<Experiment>,
    pub(super) scale: Option<Scale>,
    /// number of seeds that chose the settings and are not graded, where there was a choice
    pub(super) search: Option<u64>,
}

impl Report {
    /// Groups and grades the runs of an experiment. Without an experiment, the runs of each
    /// optimizer are drawn side by side.
    ///
    /// # Errors
    /// If there are no runs, or runs that cannot be compared.
    pub fn new(
        experiment: Option<Experiment>,
        runs: Vec<Run>,
        optimizers: &Optimizers,
    ) -> Result<Report> {
        Report::build(experiment, runs, optimizers, false)
    }

    /// As [`new`](Report::new), but the runs may be of different kinds of processors, between which
    /// last digits differ. The report says so.
    ///
    /// # Errors
    /// If there are no runs, or runs that differ in more than the processor.
    pub fn mixing_processors(
        experiment: Option<Experiment>,
        runs: Vec<Run>,
        optimizers: &Optimizers,
    ) -> Result<Report> {
        Report::build(experiment, runs, optimizers, true)
    }

    fn build(
        experiment: Option<Experiment>,
        runs: Vec<Run>,
        optimizers: &Optimizers,
        mix_processors: bool,
    ) -> Result<Report> {
        let PlannedRuns { runs, plan, scale, foreign, about_tuning } =
            planned_runs(experiment.as_ref(), runs, optimizers, mix_processors)?;
        let first = runs[0].header.clone();
        let selection = selection(experiment.as_ref(), &runs, &plan);
        let graded = grade::curves(&plan, &runs, &selection);
        let metric = experiment.as_ref().map_or(&selection.metric, |own| &own.metric.name).as_str();
        let tasks: Vec<String> =
            graded.iter().map(|curve| own_settings(experiment.as_ref(), &curve.label)).collect();
        let set = CurveSet {
            curves: &graded,
            tasks: &tasks,
            styles: curve_styles(&graded, optimizers),
            selection: &selection,
            x_label: first.task.x_label(),
            metric,
            y_label: y_label(experiment.as_ref(), metric, &first.task),
            selected_by: selected_by(experiment.as_ref(), &selection, &first.task),
            seeds: graded_seeds(&runs, selection.search),
            experiment: experiment.as_ref(),
        };
        let maps = heat_maps(&set);
        let mut remarks = remarks::data(experiment.as_ref(), scale, &first.task);
        remarks.extend(remarks::until_decided(experiment.as_ref()));
        if let Some(experiment) = &experiment {
            remarks.extend(about_tuning);
            remarks.extend(remarks::added(experiment, scale));
        }
        remarks.extend(remarks::edges(&graded));
        remarks.extend(remarks::missing(&graded, experiment.as_ref(), &first.scale));
        remarks.extend(remarks::foreign(foreign));
        remarks.extend(remarks::processors(&runs));
        remarks.extend(remarks::large_maps(&maps.too_large));

        let measures = first.task.columns();
        let columns: Vec<&str> = measures.iter().map(|measure| measure.title).collect();
        let table: Vec<Row> = graded
            .iter()
            .zip(&tasks)
            .map(|(curve, task)| row(curve, task.clone(), &measures, &selection))
            .collect();
        let title = first.task.measure_title(metric);
        let ranking = Ranking::of(&graded, metric, title.clone());
        let metric = title;
        let chosen_by = first.task.measure_title(&selection.metric);
        let has_choice = graded.iter().any(Curve::has_choice);
        let choice = has_choice.then(|| Choice {
            metric: &chosen_by,
            at: selection.at,
            seeds: selection.search,
        });
        let results = results_table(&table, &measures, &metric, choice.as_ref(), set.seeds);
        let charts = charts::charts(&set, &first.task);
        let scene = scene::scene(&first.task, &set)?;
        Ok(Report {
            columns,
            table,
            results,
            ranking,
            verdicts: experiment.as_ref().map_or(Vec::new(), |experiment| {
                grade::verdicts(experiment, &first.scale, &graded)
            }),
            remarks,
            tables: targets::tables(experiment.as_ref(), &graded, &first.task),
            refresh: None,
            curves: curves(&set, &first.task),
            caption: charts.first().map_or(String::new(), |(_, chart)| chart.caption.clone()),
            charts,
            heat_maps: maps.maps,
            scene,
            search: selection.search,
            plan,
            runs,
            experiment,
            scale,
        })
    }

    /// Whether a claim is NOT HELD or a check FAILs.
    pub fn is_refuted(&self) -> bool {
        self.verdicts.iter().any(|claim| claim.verdict.is_no())
    }

    /// The results of a study, graded.
    pub fn of_study(experiment: Experiment, result: StudyResult, scale: Scale) -> Report {
        Report {
            columns: Vec::new(),
            table: Vec::new(),
            results: ResultsTable::default(),
            ranking: Ranking::default(),
            verdicts: grade::study_verdicts(&experiment, &result),
            remarks: Vec::new(),
            tables: result.tables,
            refresh: None,
            charts: result
                .charts
                .into_iter()
                .map(|(name, chart)| (name.to_string(), chart))
                .collect(),
            heat_maps: Vec::new(),
            curves: None,
            caption: String::new(),
            scene: None,
            plan: Vec::new(),
            runs: Vec::new(),
            experiment: Some(experiment),
            scale: Some(scale),
            search: None,
        }
    }
}

/// Runs with the plan that they belong to.
struct PlannedRuns {
    /// at least one
    runs: Vec<Run>,
    plan: Vec<Planned>,
    scale: Option<Scale>,
    /// number of runs that belong to no setting of the plan and were removed
    foreign: usize,
    /// remarks on the numbers of settings and the steps of short runs
    about_tuning: Vec<String>,
}

/// The runs that the experiment plans, if they can be compared. Without an experiment, these are
/// all runs.
fn planned_runs(
    experiment: Option<&Experiment>,
    mut runs: Vec<Run>,
    optimizers: &Optimizers,
    mix_processors: bool,
) -> Result<PlannedRuns> {
    remove_duplicates(&mut runs, mix_processors);
    let scale = experiment
        .zip(runs.first())
        .and_then(|(experiment, run)| experiment.scale_named(&run.header.scale));
    let plan = match experiment {
        Some(experiment) => experiment.planned(scale.unwrap_or(Scale::Quick), optimizers)?,
        None => side_by_side(&runs),
    };
    let all = runs.len();
    let rungs = experiment.zip(scale).and_then(|(own, scale)| own.scale.get(&scale));
    let rungs = rungs.map_or(Vec::new(), Extent::rungs);
    let mut about_tuning: Vec<String> = remarks::tuning(&plan).into_iter().collect();
    let short = take_short(experiment, &plan, &rungs, &mut runs);
    let (plan, search) = match (experiment, short.first()) {
        (Some(experiment), Some(first)) => {
            let selection = Selection::of(experiment, &first.header.scale, &plan);
            (narrowed(plan, &short, &selection, &rungs), selection.search)
        }
        _ => (plan, None),
    };
    let settings: HashSet<[&str; 3]> = plan.iter().flat_map(Planned::keys).collect();
    runs.retain(|run| {
        experiment.is_none_or(|experiment| experiment.is_protocol_of(&run.header))
            && settings.contains(&run.header.setting())
    });
    about_tuning.extend(remarks::halving(&short, &rungs, &runs, search));
    if runs.is_empty() {
        let found = match all {
            0 => "no runs".into(),
            _ if !short.is_empty() => "only short runs of successive halving".into(),
            other => format!("{other} runs that do not follow this experiment"),
        };
        return Err(Error::mismatch("report", found, "at least one run of the experiment"));
    }
    compare::check(&runs, MayDiffer { tasks: experiment.is_some(), processors: mix_processors })?;
    let foreign = all - runs.len() - short.len();
    Ok(PlannedRuns { foreign, runs, plan, scale, about_tuning })
}

/// Takes the short runs of successive halving out of `runs`.
fn take_short(
    experiment: Option<&Experiment>,
    plan: &[Planned],
    rungs: &[Rung],
    runs: &mut Vec<Run>,
) -> Vec<Run> {
    let Some(experiment) = experiment else { return Vec::new() };
    let settings: HashSet<[&str; 3]> = plan.iter().flat_map(Planned::keys).collect();
    let is_short = |run: &mut Run| {
        let whole = experiment.extent(&run.header.scale).map(|extent| extent.epochs);
        let as_whole = whole.map(|epochs| Header { epochs, ..run.header.clone() });
        rungs.iter().any(|rung| rung.epochs == run.header.epochs)
            && settings.contains(&run.header.setting())
            && as_whole.is_some_and(|header| experiment.is_protocol_of(&header))
    };
    runs.extract_if(.., is_short).collect()
}

/// The settings whose runs have all epochs, as far as the short runs say so.
fn narrowed(
    mut plan: Vec<Planned>,
    short: &[Run],
    selection: &Selection,
    rungs: &[Rung],
) -> Vec<Planned> {
    for rung in rungs {
        match grade::survivors(&plan, short, selection, rung) {
            Some(stay) => plan = stay,
            None => break,
        }
    }
    plan
}

/// How the best setting of each grid is chosen.
fn selection(experiment: Option<&Experiment>, runs: &[Run], plan: &[Planned]) -> Selection {
    let header = &runs[0].header;
    match experiment {
        Some(experiment) => Selection::of(experiment, &header.scale, plan),
        None => Selection {
            metric: header.task.columns()[0].name.into(),
            at: Reduction::End,
            search: None,
        },
    }
}

/// The label of the y axis.
fn y_label(experiment: Option<&Experiment>, metric: &str, task: &RecordedTask) -> String {
    match experiment {
        Some(experiment) => experiment.metric.label.clone(),
        None => task.measure_title(metric),
    }
}

/// What the measurement is that selects the settings.
fn selected_by(
    experiment: Option<&Experiment>,
    selection: &Selection,
    task: &RecordedTask,
) -> String {
    match experiment {
        Some(experiment) if experiment.metric.select.is_none() => experiment.metric.label.clone(),
        _ => task.measure_title(&selection.metric),
    }
}
