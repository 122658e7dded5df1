//! An experiment that a program describes, without a TOML file.

use std::collections::BTreeMap;

use super::claim::Expect;
use super::reduction::Reduction;
use super::schema::{Claim, Experiment, Extent, Metric, Scale, Series};
use crate::task::TaskSpec;

impl Experiment {
    /// An experiment of one task, graded by this measurement: 10 epochs and 3 seeds at the quick
    /// scale, without series and claims yet.
    ///
    /// ```
    /// use downhill::lab::experiment::{Expect, Experiment};
    /// use downhill::lab::task::Classification;
    ///
    /// let task = Classification::new("logistic", "mnist-10k", 128);
    /// let experiment = Experiment::new("digits", task, "train_loss")
    ///     .with_epochs(5)
    ///     .with_series("SGD", "sgd:lr=[0.1,0.3]")
    ///     .with_series("Adam", "adam:lr=[1e-3,3e-3]")
    ///     .with_claim("Adam is ahead of SGD", Expect::ahead("Adam", "SGD"));
    /// experiment.check("digits".as_ref(), &Default::default())?;
    /// # Ok::<(), downhill::Error>(())
    /// ```
    pub fn new(name: &str, task: impl Into<TaskSpec>, metric: &str) -> Experiment {
        Experiment {
            name: name.into(),
            title: name.into(),
            paper: String::new(),
            url: String::new(),
            description: String::new(),
            command: None,
            lead: None,
            schedule: "constant".into(),
            metric: Metric {
                name: metric.into(),
                label: metric.replace('_', " "),
                ..Metric::default()
            },
            task: task.into(),
            scale: BTreeMap::from([(Scale::Quick, Extent::of(10, 3))]),
            series: Vec::new(),
            claim: Vec::new(),
            differs: Vec::new(),
            until_decided: false,
            added: Vec::new(),
            source: String::new(),
            file: String::new(),
        }
    }

    /// With a title and a description for the page.
    #[must_use]
    pub fn with_title(self, title: &str, description: &str) -> Experiment {
        Experiment { title: title.into(), description: description.into(), ..self }
    }

    /// With so many epochs.
    #[must_use]
    pub fn with_epochs(self, epochs: usize) -> Experiment {
        self.with_extent(|extent| extent.epochs = epochs)
    }

    /// With so many graded runs of the best setting of each series.
    #[must_use]
    pub fn with_seeds(self, seeds: usize) -> Experiment {
        self.with_extent(|extent| extent.seeds = seeds)
    }

    /// With so many runs of each setting, which select the best; as many as graded runs by default.
    /// They have seeds of their own.
    #[must_use]
    pub fn with_search(self, seeds: usize) -> Experiment {
        self.with_extent(|extent| extent.search = Some(seeds))
    }

    /// With so many settings of each series that has several: the size of its grid, or the points
    /// that are sampled from its ranges.
    #[must_use]
    pub fn with_trials(self, trials: usize) -> Experiment {
        self.with_extent(|extent| extent.trials = Some(trials))
    }

    /// With another measurement selecting the best settings, such as `validation_loss` of a task with a
    /// validation set.
    #[must_use]
    pub fn with_selection_by(mut self, measure: &str) -> Experiment {
        self.metric.select = Some(measure.into());
        self
    }

    /// With successive halving by this factor.
    #[must_use]
    pub fn with_halving(self, factor: usize) -> Experiment {
        self.with_extent(|extent| extent.halving = Some(factor))
    }

    /// With the mean of the metric over the epochs selecting the best settings, not its last value.
    #[must_use]
    pub fn with_mean_metric(mut self) -> Experiment {
        self.metric.choose = Reduction::Mean;
        self
    }

    /// With another series: its label and its pipeline spec; values in brackets are the grid, and
    /// `log(1e-5,1e-1)`, `uniform(0.8,0.99)` and `choice(1e-8,1e-3)` are ranges, which need
    /// [`with_trials`](Experiment::with_trials).
    #[must_use]
    pub fn with_series(mut self, label: &str, optimizer: &str) -> Experiment {
        self.series.push(Series::new(label.into(), optimizer.into()));
        self
    }

    /// With another claim.
    #[must_use]
    pub fn with_claim(mut self, claim: &str, expect: Expect) -> Experiment {
        let (quote, source) = (claim.into(), String::new());
        self.claim.push(Claim { quote, source, expect, scale: None });
        self
    }

    fn with_extent(mut self, change: impl FnOnce(&mut Extent)) -> Experiment {
        change(self.scale.entry(Scale::Quick).or_insert_with(|| Extent::of(10, 3)));
        self
    }
}

impl Extent {
    /// So many epochs and seeds, with all of the task's data.
    pub fn of(epochs: usize, seeds: usize) -> Extent {
        Extent {
            epochs,
            seeds,
            search: None,
            trials: None,
            halving: None,
            train: None,
            test: None,
            data: None,
            description: String::new(),
        }
    }
}

impl Expect {
    /// The final value of `a` is below that of `b`.
    pub fn ahead(a: &str, b: &str) -> Expect {
        Expect::Ahead { a: a.into(), b: b.into(), measure: None, at: Reduction::End }
    }

    /// The mean over the epochs of `a` is below that of `b`.
    pub fn ahead_on_average(a: &str, b: &str) -> Expect {
        Expect::Ahead { a: a.into(), b: b.into(), measure: None, at: Reduction::Mean }
    }

    /// The final value of a series, averaged over the seeds, is at most this.
    pub fn at_most(of: &str, most: f64) -> Expect {
        Expect::Bound { of: of.into(), measure: None, at_least: None, at_most: Some(most) }
    }
}
