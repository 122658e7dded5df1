//! A run of an optimizer at one learning rate on a function of a few parameters.

use rand::RngExt;

use super::score::Measured;
use crate::error::{Error, Result};
use crate::pipeline::PipelineConfig;
use crate::schedule::{Progress, Scheduler};
use crate::seed::{Purpose, Seed};

/// A run has diverged if it is farther than this from the origin. Every task starts within 10.
const FAR: f64 = 1e9;

/// An optimizer at one learning rate, and a seed.
pub(super) struct TaskRun<'a> {
    pub config: &'a PipelineConfig,
    pub seed: Seed,
}

/// The result of a run, or the measurement of a run that ended early.
pub(super) type RunResult<T> = std::result::Result<T, Measured>;

/// Value and gradient at a point, in a step counted from 0. Within a step it is always the same
/// function, even if the method evaluates it several times.
pub(super) type StepGradientFn<'a> = &'a dyn Fn(usize, &[f64]) -> (f64, Vec<f64>);

impl TaskRun<'_> {
    /// A random start. The absolute value of each coordinate is between 0.5 and 1.5.
    pub fn start(&self, n: usize) -> Vec<f64> {
        let mut generator = self.seed.generator(Purpose::Examples, 0);
        let mut coordinate = || {
            generator.random_range(0.5..1.5) * if generator.random::<bool>() { 1.0 } else { -1.0 }
        };
        (0..n).map(|_| coordinate()).collect()
    }

    /// Takes `steps` steps. After each step `observe` gets the evaluation parameters and returns
    /// whether to stop. The schedule sees a run of a single epoch. Returns what ended the run
    /// early, or `None`.
    pub fn descend(
        &self,
        start: &[f64],
        steps: usize,
        objective: StepGradientFn<'_>,
        observe: &mut dyn FnMut(&[f64]) -> bool,
    ) -> Result<Option<Measured>> {
        let scheduler = self.config.schedule.clone().map(Scheduler::new);
        let mut point = self.config.on_vector(start);
        for t in 0..steps {
            let now = Progress { step: t + 1, epoch: 1, batch: t + 1, steps };
            let lr = scheduler.as_ref().map_or(self.config.optimizer.lr, |scheduler| {
                scheduler.lr(self.config.optimizer.lr, now)
            });
            match point.step(lr, &mut |x| objective(t, x)) {
                Err(Error::Step(why)) => return Ok(Some(Measured::NoStep(why.to_string()))),
                done => done?,
            }
            let x = point.evaluation_params()?;
            if is_far(point.x()) || is_far(&x) {
                return Ok(Some(Measured::Diverged));
            }
            if observe(&x) {
                break;
            }
        }
        Ok(None)
    }

    /// The first of ten steps in a row after which `arrived` is true. A point that only passes the
    /// target has not arrived.
    pub fn reach(
        &self,
        start: &[f64],
        steps: usize,
        objective: StepGradientFn<'_>,
        arrived: impl Fn(&[f64]) -> bool,
    ) -> Result<Measured> {
        const IN_A_ROW: usize = 10;
        let (mut t, mut row) = (0, 0);
        let mut observe = |x: &[f64]| {
            t += 1;
            row = if arrived(x) { row + 1 } else { 0 };
            row == IN_A_ROW
        };
        if let Some(end) = self.descend(start, steps + IN_A_ROW - 1, objective, &mut observe)? {
            return Ok(end);
        }
        Ok(match row {
            IN_A_ROW => Measured::Number((t + 1 - IN_A_ROW) as f64),
            _ => Measured::NotReached,
        })
    }
}

/// Whether a number is not finite or too large.
fn is_far(x: &[f64]) -> bool {
    !x.iter().all(|x| x.abs() < FAR)
}
