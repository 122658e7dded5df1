//! Grading: from the runs of an experiment to its best settings and the verdict on each claim.

use std::fmt;

use serde::Serialize;

use super::{At, Expect, Experiment};
use crate::record::Run;
use crate::spec::Spec;

/// The runs of one setting, in the order of their seeds.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// spec with every setting
    pub optimizer: String,
    /// one a seed
    pub runs: Vec<Run>,
}

/// A series with the runs of its whole grid.
#[derive(Clone, Debug)]
pub struct Curve {
    /// legend
    pub label: String,
    /// the grid, in the order of the file
    pub candidates: Vec<Candidate>,
    /// place of the best in it; nothing if every setting diverged or is incomplete
    pub best: Option<usize>,
}

/// How the best setting of a grid is found.
#[derive(Clone, Debug)]
pub struct Choose {
    /// the measurement
    pub metric: String,
    /// at the end, or averaged
    pub at: At,
    /// by how many seeds, the first
    pub search: usize,
}

impl Choose {
    /// As an experiment says for this scale.
    pub fn of(experiment: &Experiment, scale: &str) -> Choose {
        let extent = experiment.scale.iter().find(|(known, _)| known.name() == scale).map(|(_, extent)| extent);
        Choose {
            metric: experiment.metric.name.clone(),
            at: experiment.metric.choose,
            search: extent.map_or(usize::MAX, |extent| extent.search()),
        }
    }
}

impl Candidate {
    /// The number that chooses, averaged over the seeds that choose: infinite if a run diverged, nothing if one is incomplete.
    pub fn score(&self, choose: &Choose) -> Option<f64> {
        let runs = self.runs.iter().filter(|run| run.header.seed < choose.search as u64);
        let values: Option<Vec<f64>> = runs.map(|run| value(run, &choose.metric, choose.at)).collect();
        values.filter(|values| !values.is_empty()).map(|values| mean(&values))
    }
}

impl Candidate {
    fn settings(&self) -> Vec<(String, String)> {
        let spec: Option<Spec> = self.optimizer.parse().ok();
        let settings = spec.map_or(Vec::new(), |spec| spec.settings);
        settings.into_iter().map(|(key, values)| (key, values.join(","))).collect()
    }

    /// The value of a setting.
    pub fn setting(&self, key: &str) -> Option<String> {
        self.settings().into_iter().find(|(other, _)| other == key).map(|(_, value)| value)
    }

    /// Its name with the learning rate and what else was swept: `nag lr=1 mu=0.99`.
    pub fn brief(&self, swept: &[String]) -> String {
        let name = self.optimizer.split(':').next().unwrap_or_default().to_string();
        let shown = self.settings().into_iter().filter(|(key, _)| key == "lr" || swept.contains(key));
        std::iter::once(name).chain(shown.map(|(key, value)| format!("{key}={value}"))).collect::<Vec<_>>().join(" ")
    }
}

impl Curve {
    /// The best setting, as in legends.
    pub fn brief(&self) -> String {
        self.chosen().map_or(String::new(), |chosen| chosen.brief(&self.swept()))
    }

    /// The best setting.
    pub fn chosen(&self) -> Option<&Candidate> {
        self.best.map(|best| &self.candidates[best])
    }

    /// The settings that differ within the grid.
    pub fn swept(&self) -> Vec<String> {
        let Some(first) = self.candidates.first() else { return Vec::new() };
        let keys = first.settings().into_iter().map(|(key, _)| key);
        keys.filter(|key| self.candidates.iter().any(|other| other.setting(key) != first.setting(key))).collect()
    }

    /// The settings, of three values or more, at whose lowest or highest value the best lies: a wider grid might hold a better one.
    pub fn at_the_edge(&self) -> Vec<String> {
        let Some(chosen) = self.chosen() else { return Vec::new() };
        let edge = |key: &String| {
            let mut values: Vec<f64> = self.candidates.iter().filter_map(|candidate| candidate.setting(key)?.parse().ok()).collect();
            values.sort_by(f64::total_cmp);
            values.dedup();
            let own = chosen.setting(key).and_then(|value| value.parse().ok());
            values.len() > 2 && (own == values.first().copied() || own == values.last().copied())
        };
        self.swept().into_iter().filter(edge).collect()
    }
}

/// Puts runs into the order of the experiment: by series, setting and seed. Runs of other series are left out.
pub fn curves(experiment: &Experiment, runs: &[Run], choose: &Choose) -> Vec<Curve> {
    experiment.series.iter().map(|series| curve(&series.label, runs, choose)).collect()
}

/// All runs of one legend.
pub fn curve(label: &str, runs: &[Run], choose: &Choose) -> Curve {
    let mut candidates: Vec<Candidate> = Vec::new();
    for run in runs.iter().filter(|run| run.header.series == label) {
        match candidates.iter_mut().find(|candidate| candidate.optimizer == run.header.optimizer) {
            Some(candidate) => candidate.runs.push(run.clone()),
            None => candidates.push(Candidate { optimizer: run.header.optimizer.clone(), runs: vec![run.clone()] }),
        }
    }
    let lr = |candidate: &Candidate| candidate.runs[0].header.lr().parse().unwrap_or(0.0);
    candidates.sort_by(|a, b| f64::total_cmp(&lr(a), &lr(b)));
    candidates.iter_mut().for_each(|candidate| candidate.runs.sort_by_key(|run| run.header.seed));
    let scores = candidates.iter().enumerate().filter_map(|(i, candidate)| Some((i, candidate.score(choose)?)));
    let best = scores.filter(|(_, value)| value.is_finite()).min_by(|a, b| f64::total_cmp(&a.1, &b.1)).map(|(i, _)| i);
    Curve { label: label.into(), candidates, best }
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Held {
    /// The whole interval of the margin lies above zero.
    #[serde(rename = "HELD")]
    Yes,
    /// It lies below.
    #[serde(rename = "NOT HELD")]
    No,
    /// It holds zero, or there are too few runs to say.
    #[serde(rename = "UNDECIDED")]
    Undecided,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Held::Yes => "HELD",
            Held::No => "NOT HELD",
            Held::Undecided => "UNDECIDED",
        })
    }
}

/// A claim with its verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// the paper's words
    pub quote: String,
    /// where they stand
    pub source: String,
    /// the check in words
    pub check: String,
    /// the verdict
    pub held: Held,
    /// the margin in words: mean and interval, or why there is none
    pub margin: String,
}

/// Judges every claim.
pub fn verdicts(experiment: &Experiment, curves: &[Curve]) -> Vec<Verdict> {
    let metric = &experiment.metric.name;
    experiment
        .claim
        .iter()
        .map(|claim| {
            let (held, margin) = judge(&claim.expect, curves, metric);
            let check = claim.expect.sentence(metric);
            Verdict { quote: claim.quote.clone(), source: claim.source.clone(), check, held, margin }
        })
        .collect()
}

fn judge(expect: &Expect, curves: &[Curve], metric: &str) -> (Held, String) {
    let values = |label: &str, at: At| -> Option<Vec<f64>> {
        let chosen = curves.iter().find(|curve| curve.label == label)?.chosen()?;
        chosen.runs.iter().map(|run| value(run, metric, at)).collect()
    };
    let missing: Vec<_> = expect.labels().into_iter().filter(|label| values(label, At::End).is_none()).collect();
    if !missing.is_empty() {
        let (verb, be) = if missing.len() == 1 { ("has", "") } else { ("have", "s") };
        return (Held::Undecided, format!("{} {verb} no setting{be} whose runs all finished", missing.join(" and ")));
    }
    let margins: Option<Vec<f64>> = match expect {
        Expect::Ahead { a, b, at } => values(a, *at).zip(values(b, *at)).map(|(a, b)| a.iter().zip(&b).map(|(a, b)| b - a).collect()),
        Expect::Similar { a, b, against, within, at } => {
            let all = values(a, *at).zip(values(b, *at)).zip(values(against, *at));
            all.map(|((a, b), c)| {
                let pairs = a.iter().zip(&b).zip(&c);
                pairs.map(|((a, b), c)| within * (c - (a + b) / 2.0).abs() - (a - b).abs()).collect()
            })
        }
    };
    let margins = margins.unwrap_or_default();
    let center = mean(&margins);
    let Some(half) = half_width(&margins) else {
        return (Held::Undecided, format!("margin {center:+.4} from {} seed; an interval needs at least 2", margins.len()));
    };
    let held = match (center - half > 0.0, center + half < 0.0) {
        (true, _) => Held::Yes,
        (_, true) => Held::No,
        _ => Held::Undecided,
    };
    (held, format!("margin {center:+.4}, 95 % interval {:+.4} to {:+.4} over {} seeds", center - half, center + half, margins.len()))
}

fn value(run: &Run, metric: &str, at: At) -> Option<f64> {
    let last = run.last(metric)?;
    match at {
        _ if last.is_infinite() => Some(last),
        At::End => Some(last),
        At::Mean => {
            let values: Option<Vec<f64>> =
                run.points.iter().filter(|point| point.epoch > 0).map(|p| p.measures.get(metric).copied()).collect();
            values.map(|values| mean(&values))
        }
    }
}

/// The mean.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample standard deviation; nothing for fewer than two values.
pub fn deviation(values: &[f64]) -> Option<f64> {
    let center = mean(values);
    (values.len() > 1).then(|| (values.iter().map(|x| (x - center).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt())
}

/// Half of the 95 % interval of the mean, by Student's t.
fn half_width(values: &[f64]) -> Option<f64> {
    /// 97.5 % quantiles for 1 to 30 degrees of freedom
    const T: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101,
        2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];
    let n = values.len();
    deviation(values).map(|sd| T.get(n.wrapping_sub(2)).copied().unwrap_or(1.96) * sd / (n as f64).sqrt())
}
