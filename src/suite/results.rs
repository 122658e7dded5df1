//! The results of a suite in one file: what the scores are computed from.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::built_in::committed;
use super::schema::{Entrant, Problem, Suite};
use crate::error::{Error, Result};
use crate::experiment::CostUnit;
use crate::files::{MAX_TEXT, read_text};
use crate::grade::{Candidate, Curve, Goal, Selection};
use crate::optim::Optimizers;
use crate::pipeline::PipelineConfig;
use crate::record::{Header, Run};
use crate::runner::BURN;
use crate::spec::SpecLine;

/// The results of a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteResults {
    /// version of this crate
    pub downhill: String,
    /// version of burn
    pub burn: String,
    /// name of the suite
    pub suite: String,
    /// [`Suite::protocol`]
    pub protocol: String,
    /// architecture and vector instructions: the last digits depend on them
    pub processor: String,
    /// the optimizers
    pub entrants: Vec<EntrantResult>,
}

/// The results of an optimizer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntrantResult {
    /// its label
    pub label: String,
    /// its pipeline spec, with ranges
    pub spec: String,
    /// one for each problem, in the order of the suite
    pub problems: Vec<ProblemResult>,
}

/// The results of an optimizer on a problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemResult {
    /// name of the problem
    pub problem: String,
    /// the settings that were tried
    pub trials: Vec<Trial>,
    /// canonical spec of the best setting; `None` if every setting diverged
    pub best: Option<String>,
    /// fingerprint of what its pipeline does
    pub fingerprint: Option<String>,
    /// the graded seeds of the best setting
    pub graded: Vec<GradedSeed>,
}

/// A setting that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// the setting in short
    pub setting: String,
    /// its learning rate
    pub lr: Option<f64>,
    /// the value that selects, averaged over the seeds that select; `None` if it diverged
    pub value: Option<f64>,
}

/// A graded run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradedSeed {
    /// its seed
    pub seed: u64,
    /// the final value of the metric; `None` if it diverged
    pub value: Option<f64>,
    /// steps until the metric first reached the target; `None` if it never did
    pub steps: Option<f64>,
}

impl ProblemResult {
    /// The final values; infinite where a run diverged. As many as the suite has seeds.
    pub fn values(&self, seeds: usize) -> Vec<f64> {
        let values = self.graded.iter().map(|it| it.value.unwrap_or(f64::INFINITY));
        let mut values: Vec<f64> = values.collect();
        values.resize(seeds, f64::INFINITY); // no setting finished
        values
    }

    /// The result of a curve of the problem's experiment.
    pub(super) fn of(problem: &Problem, curve: &Curve, selection: &Selection) -> ProblemResult {
        let swept = curve.swept();
        let trial = |candidate: &Candidate| Trial {
            setting: candidate.setting.brief(&swept),
            lr: candidate.setting.lr(),
            value: candidate.score(selection).filter(|value| value.is_finite()),
        };
        let goal = Goal { measure: &problem.metric.name, target: problem.target };
        let graded = |run: &Run| GradedSeed {
            seed: run.header.seed,
            value: run.last(&problem.metric.name).filter(|value| value.is_finite()),
            steps: goal.cost(run, CostUnit::Steps).filter(|steps| steps.is_finite()),
        };
        let chosen = curve.chosen();
        let runs = chosen.map_or(&[][..], |chosen| &chosen.runs);
        ProblemResult {
            problem: problem.name.clone(),
            trials: curve.candidates.iter().map(trial).collect(),
            best: chosen.map(|chosen| chosen.setting.optimizer.clone()),
            fingerprint: runs.first().map(|run| run.header.fingerprint.clone()),
            graded: runs.iter().map(graded).collect(),
        }
    }
}

impl SuiteResults {
    /// Results without optimizers, with the versions of a run.
    pub(super) fn empty(suite: &Suite, header: &Header) -> Result<SuiteResults> {
        Ok(SuiteResults {
            downhill: header.downhill.clone(),
            burn: header.burn.clone(),
            suite: suite.name.clone(),
            protocol: suite.protocol()?,
            processor: header.processor.clone(),
            entrants: Vec::new(),
        })
    }

    /// Adds the result of an optimizer on a problem.
    pub(super) fn add(&mut self, entrant: &Entrant, result: ProblemResult) {
        let own = self.entrants.iter_mut().find(|known| known.label == entrant.label);
        match own {
            Some(own) => own.problems.push(result),
            None => self.entrants.push(EntrantResult {
                label: entrant.label.clone(),
                spec: entrant.spec.clone(),
                problems: vec![result],
            }),
        }
    }

    /// Reads results that are written as JSON. `path` is only for errors.
    ///
    /// # Errors
    /// If the text is no result of a suite.
    pub fn parse(path: &Path, text: &str) -> Result<SuiteResults> {
        serde_json::from_str(text).map_err(|error| {
            let expected = "the suite.json of `downhill suite`";
            Error::content(path, format!("{error}"), expected)
        })
    }

    /// As JSON.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn json(&self) -> Result<String> {
        let json = serde_json::to_string_pretty(self).map_err(Error::failed("write suite.json"))?;
        Ok(json + "\n")
    }

    /// Whether these results can be shown beside others of this suite.
    fn check_current(&self, path: &Path, suite: &Suite, optimizers: &Optimizers) -> Result<()> {
        let again = format!("; run `downhill suite {}` without --add", suite.name);
        let differs = |what: &str, found: &str, expected: &str| {
            Err(Error::content(path, format!("{what} {found}"), format!("{expected}{again}")))
        };
        if self.suite != suite.name {
            return differs("results of the suite", &self.suite, &suite.name);
        }
        if self.downhill != env!("CARGO_PKG_VERSION") {
            return differs("results of downhill", &self.downhill, env!("CARGO_PKG_VERSION"));
        }
        if self.burn != BURN {
            return differs("results with burn", &self.burn, BURN);
        }
        let protocol = suite.protocol()?;
        if self.protocol != protocol {
            let expected = format!("{protocol}, that of the same problems, trials and seeds");
            return differs("results of the protocol", &self.protocol, &expected);
        }
        for entrant in &self.entrants {
            for result in &entrant.problems {
                if let (Some(best), Some(found)) = (&result.best, &result.fingerprint) {
                    let line: SpecLine = best.parse()?;
                    let now = PipelineConfig::read(&line, optimizers)?.fingerprint();
                    if now != *found {
                        let what = format!("{} with the fingerprint", entrant.label);
                        let expected = format!("{now}, that of its formula now");
                        return differs(&what, found, &expected);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Results of other optimizers, and the file that contains them.
pub struct Beside {
    /// for errors
    path: PathBuf,
    results: SuiteResults,
}

impl Beside {
    /// The results in a file.
    ///
    /// # Errors
    /// If it cannot be read, or is no `suite.json`.
    pub fn read(path: &Path) -> Result<Beside> {
        let results = SuiteResults::parse(path, &read_text(path, MAX_TEXT)?)?;
        Ok(Beside { path: path.into(), results })
    }

    /// The results of a suite that come with the program; `None` if there are none.
    ///
    /// # Errors
    /// Only if the program was built from a damaged file.
    pub fn committed(suite: &str) -> Result<Option<Beside>> {
        let Some(text) = committed(suite) else { return Ok(None) };
        let path = PathBuf::from(format!("suites/{suite}/suite.json"));
        Ok(Some(Beside { results: SuiteResults::parse(&path, text)?, path }))
    }

    /// Whether the optimizers of a suite can be shown beside these results.
    ///
    /// # Errors
    /// If they are of another suite or version, an optimizer of them has another formula now, or a
    /// label is in both.
    pub fn check(&self, suite: &Suite, optimizers: &Optimizers) -> Result<()> {
        self.results.check_current(&self.path, suite, optimizers)?;
        let is_theirs =
            |own: &&Entrant| self.results.entrants.iter().any(|it| it.label == own.label);
        match suite.entrants.iter().find(is_theirs) {
            Some(own) => {
                let expected = format!("another label, because {} has it", self.path.display());
                Err(Error::value("label", format!("`{}`", own.label), expected))
            }
            None => Ok(()),
        }
    }

    /// All results together.
    pub(super) fn with(&self, own: SuiteResults) -> SuiteResults {
        let entrants = self.results.entrants.iter().cloned().chain(own.entrants).collect();
        let mut processor = self.results.processor.clone();
        if processor != own.processor {
            processor += &format!(" and {}", own.processor);
        }
        SuiteResults { entrants, processor, ..own }
    }
}
