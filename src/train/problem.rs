//! What the training loop minimizes.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::schedule::Progress;
use crate::seed::Seed;

/// What is minimized: a model, a loss with gradients, and measurements along the way.
///
/// Training a classifier on batches is one problem (`task::ClassifyProblem`); a surface without data
/// is another. A module with a loss on batches of data needs no problem of its own: `task::OwnTask`
/// is shorter.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use burn::module::{Module, Param};
/// use burn::tensor::{Device, Tensor};
/// use downhill::optim::Optimizers;
/// use downhill::pipeline::PipelineConfig;
/// use downhill::lab::record::CurvePoint;
/// use downhill::schedule::{Progress, Schedule};
/// use downhill::lab::train::{Plan, Problem, Stop, TrainObserver, train};
///
/// #[derive(Module, Debug)]
/// struct Point {
///     x: Param<Tensor<1>>,
/// }
///
/// /// The squared distance from the origin.
/// struct Bowl;
///
/// impl Problem for Bowl {
///     type Model = Point;
///
///     fn steps(&self) -> usize {
///         10 // an epoch has 10 steps
///     }
///
///     fn loss(&mut self, point: &Point, _now: Progress) -> Tensor<1> {
///         point.x.val().square().sum()
///     }
///
///     fn measure(&self, point: &Point, _now: Progress) -> BTreeMap<String, f64> {
///         let value = point.x.val().square().sum().into_scalar::<f64>();
///         BTreeMap::from([("value".into(), value)])
///     }
///
///     fn stop(&self, measures: &BTreeMap<String, f64>) -> Option<Stop> {
///         (measures["value"] < 1e-6).then_some(Stop::Done)
///     }
/// }
///
/// struct Print;
///
/// impl TrainObserver for Print {
///     fn point(&mut self, point: &CurvePoint) -> downhill::Result<()> {
///         println!("epoch {}: {}", point.epoch, point.measures["value"]);
///         Ok(())
///     }
///
///     fn step(&mut self) -> bool {
///         true // goes on
///     }
/// }
///
/// let plan = Plan {
///     pipeline: PipelineConfig::read(&"adam:lr=0.1".parse()?, &Optimizers::default())?,
///     schedule: Schedule::read(&"cosine".parse()?)?,
///     epochs: 10,
///     diagnose: false,
///     early_stopping: None,
/// };
/// let start = Tensor::<1>::from_data([1.0, -2.0], &Device::default().autodiff());
/// let start = Point { x: Param::from_tensor(start) };
/// let (end, run) = train(&mut Bowl, start, &plan, &mut Print)?;
/// assert!(end.x.val().square().sum().into_scalar::<f64>() < 0.01, "{run:?}");
/// # Ok::<(), downhill::Error>(())
/// ```
pub trait Problem {
    /// What is trained.
    type Model: Module;

    /// The problem with the random draws of this seed: the order of the examples, noise.
    #[must_use]
    fn seeded(self, seed: Seed) -> Self
    where
        Self: Sized,
    {
        let _ = seed;
        self
    }

    /// Steps of one epoch.
    fn steps(&self) -> usize;

    /// The loss at this point of the run, with penalties. It must be the same function if it is
    /// called twice for the same `now`.
    fn loss(&mut self, model: &Self::Model, now: Progress) -> Tensor<1>;

    /// Changes the model after an optimizer step with learning rate `lr`: proximal steps,
    /// constraints. The loop also calls it with a learning rate of 0 for the initial model and for
    /// each evaluation model; then it applies constraints only.
    #[must_use]
    fn after_step(&self, model: Self::Model, lr: f64) -> Self::Model {
        let _ = lr;
        model
    }

    /// Named measurements of a model without autodiff. A value that is not finite ends the run as
    /// diverged.
    fn measure(&self, model: &Self::Model, now: Progress) -> BTreeMap<String, f64>;

    /// Whether the run ends before its last epoch.
    fn stop(&self, measures: &BTreeMap<String, f64>) -> Option<Stop> {
        let _ = measures;
        None
    }
}

/// Why a run ends before its last epoch.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// it has reached its goal
    Done,
    /// it has diverged, for this reason
    Lost(String),
}
