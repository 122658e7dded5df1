//! The call: what is compared, and how much work is done.

use std::path::PathBuf;

use super::subject::{Data, Model, Subject};
use super::tuning::{check_budget, with_learning_rates};
use crate::error::{Error, Result};
use crate::experiment::{Expect, Experiment};
use crate::optim::{OptimizerEntry, Optimizers};
use crate::report::{self, Finished};
use crate::runner::{Quiet, RunObserver, RunOptions};
use crate::task::TaskSpec;

/// The name of every comparison in records and messages. It also determines the trials.
const NAME: &str = "compare";
/// The largest number of trials.
const MOST_TRIALS: usize = 10_000;
/// The largest number of epochs, seeds, or examples of a batch.
const MOST: usize = 1_000_000;

/// Compares optimizers, given as pipeline specs: `adam`, `momentum:mu=0.9`,
/// `clip_global:max=1|adamw:lr=log(1e-4,1e-1)`. The first one is the candidate: the claims are that
/// it is ahead of each other one.
///
/// A spec without learning rate is tuned from a hundredth of the optimizer's default learning rate
/// to a hundred times it, on a logarithmic scale: Adam from 1e-5 to 0.1. `log(low,high)`,
/// `uniform(low,high)` and `choice(a,b)` are ranges, `[a,b,c]` is a grid, and a single number is not
/// tuned. The finding says so where the best value is at the edge of what was tried, or where the
/// optimizers had different numbers of trials.
pub fn compare<S: Into<String>>(optimizers: impl IntoIterator<Item = S>) -> Comparison {
    Comparison {
        specs: optimizers.into_iter().map(Into::into).collect(),
        optimizers: Optimizers::default(),
        subject: None,
        budget: 12,
        seeds: 5,
        epochs: 10,
        batch: 128,
        metric: None,
        out: None,
        options: RunOptions::default(),
    }
}

/// A comparison of optimizers that [`run`](Comparison::run) makes. [`compare`] begins it.
#[must_use = "a comparison does nothing before `run`"]
pub struct Comparison {
    specs: Vec<String>,
    optimizers: Optimizers,
    subject: Option<Subject>,
    budget: usize,
    seeds: usize,
    epochs: usize,
    batch: usize,
    metric: Option<String>,
    out: Option<PathBuf>,
    options: RunOptions,
}

impl Comparison {
    /// Adds an update rule of your own, which the specs can name.
    pub fn rule(self, rule: OptimizerEntry) -> Comparison {
        Comparison { optimizers: self.optimizers.with(rule), ..self }
    }

    /// The data and the model that is trained on them. Data: a name (`fashion-mnist`), a path, or a
    /// [`Dataset`](crate::data::Dataset) of arrays. Model: a spec (`mlp:hidden=50`), or
    /// [`own`](super::own), a burn module with a loss.
    ///
    /// Classes are predicted with cross-entropy, numbers of arrays with the squared error. A tenth of
    /// the training examples is the validation set.
    pub fn on(self, data: impl Into<Data>, model: impl Into<Model>) -> Comparison {
        Comparison { subject: Some(Subject::OnData(data.into(), model.into())), ..self }
    }

    /// Any task, in place of data and a model: a penalty, a column of a CSV file, measurements of
    /// your own. Batch size and validation set are those of the task.
    pub fn on_task(self, task: impl Into<TaskSpec>) -> Comparison {
        Comparison { subject: Some(Subject::Task(task.into())), ..self }
    }

    /// The number of trials of each optimizer; 12 by default. A trial is one run with seed 0. With 1
    /// nothing is tuned: an optimizer has its default learning rate.
    pub fn budget(self, trials: usize) -> Comparison {
        Comparison { budget: trials, ..self }
    }

    /// The number of graded runs of the best setting of each optimizer; 5 by default. Their seeds are
    /// not the one that selects. Runs with the same seed have the same initial weights and batches.
    pub fn seeds(self, seeds: usize) -> Comparison {
        Comparison { seeds, ..self }
    }

    /// The length of each run in epochs; 10 by default.
    pub fn epochs(self, epochs: usize) -> Comparison {
        Comparison { epochs, ..self }
    }

    /// The number of examples in a batch; 128 by default.
    pub fn batch(self, examples: usize) -> Comparison {
        Comparison { batch: examples, ..self }
    }

    /// The measurement that is graded, such as `test_error`; `test_loss` by default. Lower is better.
    /// Its value on the validation set selects the best setting of an optimizer; without such a
    /// measurement `validation_loss` does, and for a training loss or without a validation set the
    /// measurement itself.
    pub fn metric(self, measure: &str) -> Comparison {
        Comparison { metric: Some(measure.into()), ..self }
    }

    /// The folder for records and page. The same call continues there, and repeats no run. Without
    /// it, nothing is kept.
    pub fn out(self, folder: impl Into<PathBuf>) -> Comparison {
        Comparison { out: Some(folder.into()), ..self }
    }

    /// Other options: the device, the number of parallel runs, `--until-decided`.
    /// [`RunOptions::from_args`] reads them from the arguments of your program.
    pub fn options(self, options: RunOptions) -> Comparison {
        Comparison { options, ..self }
    }

    /// Makes the runs, and returns ranks, means with intervals, and verdicts. `println!` prints it.
    ///
    /// # Errors
    /// On an invalid spec or number, an unknown model or measurement, data that are not there, or a
    /// folder that contains something else. Nothing is written then.
    pub fn run(self) -> Result<Finished> {
        self.run_with(&Quiet)
    }

    /// As [`run`](Comparison::run), with an observer, such as
    /// [`PrintRuns`](crate::runner::PrintRuns), which prints a line for each run.
    ///
    /// # Errors
    /// As [`run`](Comparison::run).
    pub fn run_with(self, observer: &impl RunObserver) -> Result<Finished> {
        self.check()?;
        let out = self.out.clone().or(self.options.out.clone());
        let (experiment, optimizers, options) = self.into_experiment()?;
        match out {
            Some(out) => {
                let options = RunOptions { out: Some(out), ..options };
                report::run(experiment, &optimizers, &options, observer)
            }
            None => report::run_unrecorded(experiment, &optimizers, &options, observer),
        }
    }

    fn check(&self) -> Result<()> {
        for (name, number, most) in [
            ("budget", self.budget, MOST_TRIALS),
            ("seeds", self.seeds, MOST),
            ("epochs", self.epochs, MOST),
            ("batch", self.batch, MOST),
        ] {
            if !(1..=most).contains(&number) {
                let expected = format!("a whole number from 1 to {most}");
                return Err(Error::value(name, number, expected));
            }
        }
        match self.specs.len() {
            0 => Err(Error::value(NAME, "no optimizer", "at least one")),
            _ => Ok(()),
        }
    }

    fn into_experiment(self) -> Result<(Experiment, Optimizers, RunOptions)> {
        let Comparison { specs, optimizers, budget, mut options, .. } = self;
        let subject = self.subject.ok_or_else(|| {
            Error::value(NAME, "nothing to train", "data and a model: `.on(data, model)`")
        })?;
        let title = format!("{}: {}", specs.join(", "), subject.title());
        let (task, datasets) = subject.into_task(self.batch)?;
        options.datasets.extend(datasets);
        let metric = self.metric.unwrap_or_else(|| default_metric(&task.measures()));
        let select = selecting(&metric, &task.measures());
        let mut experiment = Experiment::new(NAME, task, &metric)
            .with_title(&title, "")
            .with_epochs(self.epochs)
            .with_seeds(self.seeds)
            .with_search(1)
            .with_selection_by(&select);
        if budget > 1 {
            experiment = experiment.with_trials(budget);
        }
        for spec in &specs {
            check_budget(spec, budget)?;
            let tuned = match budget {
                1 => spec.clone(),
                _ => with_learning_rates(spec, &optimizers)?,
            };
            experiment = experiment.with_series(spec, &tuned);
        }
        let first = &specs[0];
        for other in &specs[1..] {
            let claim = format!("{first} is ahead of {other}");
            experiment = experiment.with_claim(&claim, Expect::ahead(first, other));
        }
        Ok((experiment, optimizers, options))
    }
}

/// The test loss, or the first measurement of a task without one.
fn default_metric(measures: &[&str]) -> String {
    let test = measures.iter().find(|measure| **measure == "test_loss");
    test.or(measures.first()).map_or(String::new(), ToString::to_string)
}

/// The measurement that selects the best setting.
fn selecting(metric: &str, measures: &[&str]) -> String {
    let is_of_training = metric.starts_with("train_") || metric == "batch_loss";
    let on_validation = metric.replacen("test_", "validation_", 1);
    let candidates = [on_validation.as_str(), "validation_loss"];
    let known = candidates.into_iter().find(|name| measures.contains(name));
    known.filter(|_| !is_of_training).unwrap_or(metric).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_validation_set_selects_unless_the_training_loss_is_graded() {
        let all = ["train_loss", "test_loss", "test_error", "validation_loss", "validation_error"];
        for (metric, select) in [
            ("test_loss", "validation_loss"),
            ("test_error", "validation_error"),
            ("mae", "validation_loss"),
            ("train_loss", "train_loss"),
            ("batch_loss", "batch_loss"),
        ] {
            assert_eq!(selecting(metric, &all), select);
        }
        assert_eq!(selecting("test_loss", &["train_loss", "test_loss"]), "test_loss");
        assert_eq!(default_metric(&["value", "x"]), "value");
    }
}
