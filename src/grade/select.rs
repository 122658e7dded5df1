//! The best setting of each grid.

use std::collections::HashMap;

use crate::experiment::{Experiment, GridSetting, Planned, Reduction, SECONDS, swept};
use crate::record::{Header, Outcome, Run};

use super::stats::mean;

/// The runs of one setting, in the order of their seeds.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// pipeline and schedule, with every value
    pub setting: GridSetting,
    /// the runs that are graded, one per seed
    pub runs: Vec<Run>,
    /// the runs of the seeds that only select, one per seed; empty where nothing is selected
    pub selecting: Vec<Run>,
}

/// A series with the runs of its whole grid.
#[derive(Clone, Debug)]
pub struct Curve {
    /// legend
    pub label: String,
    /// the grid, by learning rate
    pub candidates: Vec<Candidate>,
    /// index of the best candidate; `None` if every setting diverged, or if one has missing runs
    pub best: Option<usize>,
    /// number of settings with missing runs; while there are some, none can be called the best
    pub missing: usize,
}

/// How the best setting of a grid is selected.
#[derive(Clone, Debug)]
pub struct Selection {
    /// the measurement; lower is better
    pub metric: String,
    /// its final value, or its mean over the epochs
    pub at: Reduction,
    /// number of seeds that select, the first ones; they are not graded. `None` if no series has
    /// several settings, or there is no experiment: then every seed is graded
    pub search: Option<u64>,
}

impl Selection {
    /// The rule of an experiment at a scale, with these settings.
    pub fn of(experiment: &Experiment, scale: &str, planned: &[Planned]) -> Selection {
        let search = experiment.extent(scale).map(|extent| extent.search() as u64);
        let search = search.filter(|_| planned.iter().any(Planned::has_choice));
        Selection {
            metric: experiment.metric.selecting().into(),
            at: experiment.metric.choose,
            search,
        }
    }

    /// Over which seeds the values that select are averaged, for a caption. Empty if there is only
    /// one seed.
    pub fn seeds_in_words(&self, seeds: usize) -> String {
        match self.search {
            None if seeds == 1 => String::new(),
            None => format!(", averaged over {seeds} seeds"),
            Some(1) => ", with the seed that selects".into(),
            Some(search) => format!(", averaged over the {search} seeds that select"),
        }
    }
}

impl Candidate {
    /// The value that selects, averaged over the seeds that select: infinite if a run diverged,
    /// `None` if one is missing.
    pub fn score(&self, selection: &Selection) -> Option<f64> {
        let (runs, needed) = match selection.search {
            Some(search) => (&self.selecting, search),
            None => (&self.runs, 1),
        };
        if (runs.len() as u64) < needed {
            return None;
        }
        let values = runs.iter().map(|run| value(run, &selection.metric, selection.at));
        values.collect::<Option<Vec<f64>>>().map(|values| mean(&values))
    }

    /// The runs by which whole grids are compared: those that select, or all if nothing is
    /// selected.
    pub(super) fn of_grid(&self) -> &[Run] {
        if self.selecting.is_empty() { &self.runs } else { &self.selecting }
    }

    /// The runs that are drawn: those that are graded, or as long as there are none, those that
    /// select.
    pub fn drawn(&self) -> &[Run] {
        if self.runs.is_empty() { &self.selecting } else { &self.runs }
    }

    /// All runs: those that select, then those that are graded.
    pub fn all_runs(&self) -> impl Iterator<Item = &Run> {
        self.selecting.iter().chain(&self.runs)
    }

    /// The graded seeds whose run diverged.
    pub fn diverged(&self) -> Vec<u64> {
        let diverged = self.runs.iter().filter(|run| run.ended() == Some(Outcome::Diverged));
        diverged.map(|run| run.header.seed).collect()
    }

    /// Why a run diverged, if one did.
    fn divergence(&self) -> Option<String> {
        let ends = self.all_runs().filter_map(|run| run.end.as_ref());
        let diverged = ends.into_iter().find(|end| end.outcome == Outcome::Diverged);
        diverged?.reason.as_ref().map(|reason| format!("diverged: {reason}"))
    }
}

/// The settings of a plan as legends show them. They are made once for all runs, because each
/// depends on its whole grid.
pub struct Briefs<'a>(HashMap<[&'a str; 3], String>);

impl<'a> Briefs<'a> {
    /// Those of these series.
    pub fn of(plans: &'a [Planned]) -> Briefs<'a> {
        let mut briefs = HashMap::new();
        for plan in plans {
            let swept = swept(&plan.settings.iter().collect::<Vec<_>>());
            for setting in &plan.settings {
                let key = [plan.series.as_str(), &setting.optimizer, &setting.schedule];
                briefs.entry(key).or_insert_with(|| setting.brief(&swept));
            }
        }
        Briefs(briefs)
    }

    /// The setting of a run; its pipeline spec if the plan does not contain it.
    pub fn of_run(&self, header: &Header) -> String {
        self.0.get(&header.setting()).unwrap_or(&header.optimizer).clone()
    }
}

impl Curve {
    /// Whether its setting is the best of several.
    pub fn has_choice(&self) -> bool {
        self.candidates.len() > 1
    }

    /// The best setting.
    pub fn chosen(&self) -> Option<&Candidate> {
        self.best.map(|best| &self.candidates[best])
    }

    /// The best setting, as legends show it.
    pub fn brief(&self) -> String {
        self.chosen().map_or(String::new(), |chosen| chosen.setting.brief(&self.swept()))
    }

    /// Why there is no best setting.
    pub fn why_none(&self) -> String {
        match (self.missing, &self.candidates[..]) {
            (0, []) => "no runs".into(),
            (0, [one]) => one.divergence().unwrap_or("diverged".into()),
            (0, _) => "diverged at every setting".into(),
            (1, [_]) => "some of its runs are missing".into(),
            (missing, all) => format!("runs of {missing} of {} settings are missing", all.len()),
        }
    }

    /// The settings that differ within the grid.
    pub fn swept(&self) -> Vec<String> {
        swept(&self.candidates.iter().map(|candidate| &candidate.setting).collect::<Vec<_>>())
    }

    /// The swept settings whose best value is the lowest or the highest of the grid: a wider grid
    /// might contain a better one.
    pub fn at_the_edge(&self) -> Vec<String> {
        let Some(chosen) = self.chosen() else { return Vec::new() };
        let number =
            |candidate: &Candidate, key: &str| candidate.setting.value(key)?.parse::<f64>().ok();
        let is_edge = |key: &String| {
            let Some(own) = number(chosen, key) else { return false };
            let values = || self.candidates.iter().filter_map(|candidate| number(candidate, key));
            values().all(|value| value >= own) || values().all(|value| value <= own)
        };
        self.swept().into_iter().filter(is_edge).collect()
    }
}

/// The runs of each planned series, in the order of the plan. Runs that are not in the plan are
/// left out.
pub fn curves(planned: &[Planned], runs: &[Run], selection: &Selection) -> Vec<Curve> {
    planned.iter().map(|planned| curve(planned, runs, selection)).collect()
}

pub(super) fn curve(planned: &Planned, runs: &[Run], selection: &Selection) -> Curve {
    let mut by_setting: HashMap<[&str; 2], Vec<&Run>> = HashMap::new();
    for run in runs.iter().filter(|run| run.header.series == planned.series) {
        let [_, optimizer, schedule] = run.header.setting();
        by_setting.entry([optimizer, schedule]).or_default().push(run);
    }
    let own = |setting: &GridSetting| {
        let runs = by_setting.get(&[setting.optimizer.as_str(), &setting.schedule]);
        candidate(setting, runs.map_or(&[], Vec::as_slice), selection.search)
    };
    let mut candidates: Vec<Candidate> = planned.settings.iter().map(own).collect();
    let lr = |candidate: &Candidate| candidate.setting.lr().unwrap_or(0.0);
    candidates.sort_by(|a, b| f64::total_cmp(&lr(a), &lr(b)));
    let scores: Vec<Option<f64>> = match &candidates[..] {
        [only] => vec![only_score(only, selection)],
        all => all.iter().map(|candidate| candidate.score(selection)).collect(),
    };
    let missing = scores.iter().filter(|score| score.is_none()).count();
    let finite = scores
        .iter()
        .enumerate()
        .filter_map(|(i, score)| Some((i, score.filter(|score| score.is_finite())?)));
    let lowest = finite.min_by(|a, b| f64::total_cmp(&a.1, &b.1)).map(|(i, _)| i);
    Curve {
        label: planned.label.clone(),
        candidates,
        best: lowest.filter(|_| missing == 0),
        missing,
    }
}

/// The value of a setting without alternatives: it is graded if a run of a graded seed finished.
fn only_score(only: &Candidate, selection: &Selection) -> Option<f64> {
    let values = only.runs.iter().filter_map(|run| value(run, &selection.metric, selection.at));
    values.min_by(f64::total_cmp)
}

fn candidate(setting: &GridSetting, runs: &[&Run], search: Option<u64>) -> Candidate {
    let mut runs: Vec<Run> = runs.iter().map(|run| (*run).clone()).collect();
    runs.sort_by_key(|run| run.header.seed);
    let graded = runs.partition_point(|run| search.is_some_and(|search| run.header.seed < search));
    let runs_graded = runs.split_off(graded);
    Candidate { setting: setting.clone(), runs: runs_graded, selecting: runs }
}

/// The value of a run that is compared: infinite if it diverged, `None` if it is incomplete.
pub(super) fn value(run: &Run, metric: &str, at: Reduction) -> Option<f64> {
    if metric == SECONDS {
        return run.end.as_ref().filter(|_| run.is_complete()).map(|end| end.seconds);
    }
    let last = run.last(metric)?;
    match at {
        _ if last.is_infinite() => Some(last),
        Reduction::End => Some(last),
        Reduction::Mean => {
            let after_epochs = run.points.iter().filter(|point| point.epoch > 0);
            let values: Option<Vec<f64>> = after_epochs.map(|point| point.value(metric)).collect();
            values.map(|values| mean(&values))
        }
    }
}
