//! What the TOML of a suite says.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::docs::hex;
use crate::error::{Error, Result};
use crate::experiment::Metric;
use crate::task::TaskSpec;

/// A suite, as its TOML says it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// as on the command line
    pub name: String,
    /// title of the page
    pub title: String,
    /// what is compared and why, in a few sentences
    #[serde(rename = "about", default)]
    pub description: String,
    /// spec of the learning-rate schedule of every optimizer that has none of its own
    #[serde(default = "constant")]
    pub schedule: String,
    /// number of settings of each optimizer on each problem
    pub trials: usize,
    /// number of seeds of each setting; they select the best one and are not graded
    #[serde(default = "one")]
    pub search: usize,
    /// number of graded seeds of the best setting
    pub seeds: usize,
    /// what is compared
    #[serde(rename = "optimizer", default)]
    pub entrants: Vec<Entrant>,
    /// what is trained
    #[serde(rename = "problem", default)]
    pub problems: Vec<Problem>,
    /// the file, for errors
    #[serde(skip)]
    pub file: String,
}

/// An optimizer of a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entrant {
    /// its name in tables and legends
    pub label: String,
    /// pipeline spec with ranges, which are sampled: `adam:lr=log(1e-5,1e-1)`
    pub spec: String,
}

/// A problem of a suite.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// the folder of its results
    pub name: String,
    /// title of its page
    pub title: String,
    /// what is trained
    pub task: TaskSpec,
    /// what is graded, and what selects the best setting
    pub metric: Metric,
    /// number of epochs
    pub epochs: usize,
    /// maximum number of training examples; all by default
    pub train: Option<usize>,
    /// maximum number of test examples; all by default
    pub test: Option<usize>,
    /// the value of the metric that a run should reach
    pub target: f64,
    /// a value that no run can go below; ratios of values are those of the parts above it
    #[serde(default)]
    pub floor: f64,
}

fn constant() -> String {
    "constant".into()
}

fn one() -> usize {
    1
}

impl Suite {
    /// A hash of all that decides the results of an optimizer: everything but the other optimizers
    /// and the descriptions.
    ///
    /// # Errors
    /// If a task cannot be written.
    pub fn protocol(&self) -> Result<String> {
        let plain = |problem: &Problem| Problem { title: String::new(), ..problem.clone() };
        let own = Suite {
            title: String::new(),
            description: String::new(),
            entrants: Vec::new(),
            problems: self.problems.iter().map(plain).collect(),
            ..self.clone()
        };
        let json = serde_json::to_vec(&own).map_err(Error::failed("write the suite"))?;
        Ok(hex(&Sha256::digest(json)[..8]))
    }

    /// With an optimizer more.
    #[must_use]
    pub fn with(mut self, label: &str, spec: &str) -> Suite {
        self.entrants.push(Entrant { label: label.into(), spec: spec.into() });
        self
    }

    /// With only these problems, by their names.
    ///
    /// # Errors
    /// If there is no problem of this name.
    pub fn only(mut self, names: &[String]) -> Result<Suite> {
        for name in names {
            if !self.problems.iter().any(|problem| problem.name == *name) {
                let known = self.problems.iter().map(|problem| problem.name.as_str());
                return Err(crate::spec::unknown("problem", name, known).into());
            }
        }
        self.problems.retain(|problem| names.is_empty() || names.contains(&problem.name));
        Ok(self)
    }
}
