//! A problem of a suite as an experiment.

use std::collections::BTreeMap;

use super::schema::{Problem, Suite};
use crate::experiment::{Experiment, Extent, Scale, Series};

impl Problem {
    /// The experiment that tunes and grades the optimizers of the suite on this problem.
    pub fn experiment(&self, suite: &Suite) -> Experiment {
        let extent = Extent {
            search: Some(suite.search),
            trials: Some(suite.trials),
            train: self.train,
            test: self.test,
            ..Extent::of(self.epochs, suite.seeds)
        };
        let series = suite.entrants.iter().map(|it| Series::new(it.label.clone(), it.spec.clone()));
        let name = format!("{}-{}", suite.name, self.name);
        Experiment {
            title: self.title.clone(),
            schedule: suite.schedule.clone(),
            metric: self.metric.clone(),
            description: format!("A problem of the suite {}.", suite.name),
            scale: BTreeMap::from([(Scale::Quick, extent)]),
            series: series.collect(),
            file: suite.file.clone(),
            ..Experiment::new(&name, self.task.clone(), &self.metric.name)
        }
    }
}
