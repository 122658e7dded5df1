//! Least squares for y = x1 + 2 x2, as in seed S2: all examples in each step, some of them, or one.
//! An epoch is one step.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use super::dyn_task::{DynTask, PreparedTask};
use super::order::ExampleOrder;
use super::prepare::TaskContext;
use super::spec::{NOT_NEGATIVE, Task, check_examples, wrong};
use crate::data::Shuffled;
use crate::error::Result;
use crate::pipeline::ParamVector;
use crate::record::{Axis, BATCH_LOSS, ChartRequest, Landscape, Measure, RecordedTask, TaskRecord};
use crate::schedule::Progress;
use crate::seed::{Purpose, Seed};
use crate::surface::Surface;
use crate::train::{Problem, Stop};

const COLUMNS: [Measure; 5] = [
    Measure::new("steps", "steps"),
    Measure::new("gradients", "gradients of single examples"),
    Measure::new("loss", "loss"),
    Measure::new("gradient", "norm of the gradient"),
    Measure::new("error", "error of theta"),
];

/// Least squares, as in the TOML.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeastSquares {
    /// number of examples
    pub examples: usize,
    /// batch size; all examples by default
    pub batch: Option<usize>,
    /// order of the examples
    #[serde(default)]
    pub order: ExampleOrder,
    /// when a run ends
    #[serde(default)]
    pub until: StopRule,
}

/// When a run ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopRule {
    /// after the last step
    #[default]
    End,
    /// when the loss on all examples is at most 1e-4
    Loss,
    /// when the norm of the gradient on all examples is below 1e-4
    Gradient,
}

impl StopRule {
    fn name(self) -> &'static str {
        match self {
            StopRule::End => "end",
            StopRule::Loss => "loss",
            StopRule::Gradient => "gradient",
        }
    }
}

impl LeastSquares {
    fn record(&self) -> LeastSquaresRecord {
        LeastSquaresRecord {
            examples: self.examples,
            batch: self.batch.map_or(self.examples, |batch| batch.min(self.examples)),
            order: self.order,
            until: self.until,
        }
    }
}

#[typetag::serde(name = "least_squares")]
impl Task for LeastSquares {
    fn check(&self) -> Result<()> {
        if !(1..=10_000_000).contains(&self.examples) {
            return Err(wrong("examples", self.examples, "1 to 10000000"));
        }
        self.batch.map_or(Ok(()), |batch| check_examples("batch", batch))
    }

    fn measures(&self) -> Vec<&'static str> {
        COLUMNS.iter().map(|measure| measure.name).chain([BATCH_LOSS]).collect()
    }

    fn range(&self, _measure: &str) -> RangeInclusive<f64> {
        NOT_NEGATIVE
    }

    fn describes(&self, run: &RecordedTask) -> bool {
        run.as_kind::<LeastSquaresRecord>().is_some_and(|run| *run == self.record())
    }

    fn prepare(&self, context: &mut TaskContext) -> Result<Box<dyn DynTask>> {
        context.check_without_data()?;
        let own = self.record();
        let problem = LeastSquaresProblem::new(own.examples, own.batch, own.order, own.until);
        Ok(PreparedTask::boxed(RecordedTask::new(own), problem, LeastSquaresProblem::initial))
    }
}

/// What a record says about least squares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeastSquaresRecord {
    /// number of examples
    pub examples: usize,
    /// batch size
    pub batch: usize,
    /// order of the examples
    pub order: ExampleOrder,
    /// when a run ends
    pub until: StopRule,
}

#[typetag::serde(name = "least_squares")]
impl TaskRecord for LeastSquaresRecord {
    fn title(&self) -> String {
        "Least squares".into()
    }

    fn size(&self) -> String {
        format!("y = x1 + 2 x2 without noise, {} examples", self.examples)
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            ("data", self.size()),
            ("batch", format!("{} examples, {}", self.batch, self.order.name())),
            ("until", self.until.name().into()),
        ]
    }

    fn columns(&self) -> Vec<Measure> {
        COLUMNS.to_vec()
    }

    fn x_label(&self) -> &'static str {
        "steps"
    }

    fn charts(&self) -> Vec<ChartRequest> {
        let chart = |name, title, x| ChartRequest {
            name,
            title,
            x,
            y: None,
            x_axis: Axis::Log,
            y_axis: Axis::Log,
        };
        vec![
            chart("figure", "Against steps", None),
            chart("gradients", "Against the number of gradients", Some(COLUMNS[1])),
        ]
    }

    /// The mean over all draws of the examples: E x1² = E x2² = 40.27, E x1 x2 = 33.06.
    fn landscape(&self) -> Result<Option<Landscape>> {
        let bowl = "20.135*(x-1)^2+33.0625*(x-1)*(y-2)+20.135*(y-2)^2";
        let mut surface = Surface::read(bowl, Some([-0.5, 2.5, -0.5, 2.5]), Some([0.0, 0.0]))?;
        (surface.name, surface.minima) = ("the loss on all examples".into(), vec![[1.0, 2.0]]);
        let formula = "mean over all draws: 20.1 a² + 33.1 a b + 20.1 b² for a = theta 1 − 1, b = theta 2 − 2".into();
        Ok(Some(Landscape { surface, formula, height: "loss", axes: ["theta 1", "theta 2"] }))
    }
}

/// The parameters that made the examples.
const TRUTH: [f64; 2] = [1.0, 2.0];
/// Both stop rules of S2 end a run there.
const SMALL: f64 = 1e-4;

/// Examples with x1 and x2 drawn from 1.1 to 10.4, and y without noise. Each epoch is one step. The
/// loss of a batch is half its mean squared error. It measures on all examples `loss`, `gradient`
/// (the norm) and `error` (the distance of the parameters from the truth), and the cost so far:
/// `steps`, and `gradients` of single examples.
#[derive(Clone)]
pub struct LeastSquaresProblem {
    n: usize,
    batch: usize,
    order: ExampleOrder,
    until: StopRule,
    seed: Seed,
    examples: Option<(Tensor<2>, Tensor<1>)>,
    shuffled: Shuffled,
}

impl LeastSquaresProblem {
    /// `n` examples, in batches of at most `batch`.
    pub fn new(
        n: usize,
        batch: usize,
        order: ExampleOrder,
        until: StopRule,
    ) -> LeastSquaresProblem {
        let (seed, shuffled) = (Seed(0), Shuffled::default());
        LeastSquaresProblem { n, batch: batch.min(n), order, until, seed, examples: None, shuffled }
    }

    /// Both parameters zero.
    pub fn initial(&self) -> ParamVector {
        ParamVector::at(&[0.0, 0.0], DType::F64)
    }

    /// The places of the examples of a step.
    fn places(&mut self, step: usize) -> Vec<i32> {
        let first = step * self.batch;
        let (epoch, start) = (first / self.n, first % self.n);
        let shuffled_as = match self.order {
            ExampleOrder::Cyclic => {
                return (0..self.batch).map(|i| ((start + i) % self.n) as i32).collect();
            }
            ExampleOrder::Repeated => 1,
            ExampleOrder::Reshuffled => epoch + 1,
        };
        let order = self.shuffled.of(self.n, self.seed, shuffled_as);
        (0..self.batch).map(|i| order[(start + i) % self.n]).collect()
    }

    /// Errors of the prediction, and the inputs they belong to.
    fn residuals(
        &self,
        point: Tensor<1>,
        places: Option<Vec<i32>>,
    ) -> Option<(Tensor<1>, Tensor<2>)> {
        let (x, y) = self.examples.clone()?;
        let (x, y) = match places {
            None => (x, y),
            Some(places) => {
                let n = places.len();
                let places = Tensor::<1, Int>::from_data(TensorData::new(places, [n]), &x.device());
                (x.select(0, places.clone()), y.select(0, places))
            }
        };
        let n = y.dims()[0];
        let weights = point.clone().reshape([1, 2]);
        let predicted = match point.is_autodiff() {
            true => {
                (Tensor::from_inner(x.clone()) * weights).sum_dim(1).reshape([n])
                    - Tensor::from_inner(y)
            }
            false => (x.clone() * weights).sum_dim(1).reshape([n]) - y,
        };
        Some((predicted, x))
    }

    /// Loss and norm of the gradient on all examples.
    fn on_all(&self, point: &ParamVector) -> (f64, f64) {
        let Some((errors, x)) = self.residuals(point.x.val(), None) else { return (0.0, 0.0) };
        let products = x * errors.clone().reshape([self.n, 1]);
        let gradient: Vec<f64> = products.mean_dim(0).into_data().iter::<f64>().collect();
        let loss = (errors.clone() * errors).mean().into_scalar::<f64>() * 0.5;
        (loss, gradient[0].hypot(gradient[1]))
    }
}

impl Problem for LeastSquaresProblem {
    type Model = ParamVector;

    fn seeded(self, seed: Seed) -> LeastSquaresProblem {
        let mut generator = seed.generator(Purpose::Examples, 0);
        let x: Vec<f64> = (0..2 * self.n).map(|_| generator.random_range(1.1..10.4)).collect();
        let y: Vec<f64> = x.chunks(2).map(|x| TRUTH[0] * x[0] + TRUTH[1] * x[1]).collect();
        let (n, to) = (self.n, (&Device::default(), DType::F64));
        let x = Tensor::from_data(TensorData::new(x, [n, 2]), to);
        let y = Tensor::from_data(TensorData::new(y, [n]), to);
        LeastSquaresProblem { seed, examples: Some((x, y)), shuffled: Shuffled::default(), ..self }
    }

    fn steps(&self) -> usize {
        1
    }

    fn loss(&mut self, point: &ParamVector, now: Progress) -> Tensor<1> {
        let places = (self.batch < self.n).then(|| self.places(now.step - 1));
        let point = point.x.val();
        match self.residuals(point.clone(), places) {
            Some((errors, _)) => (errors.clone() * errors).mean() * 0.5,
            None => point.sum() * 0.0, // without a seed there are no examples
        }
    }

    fn measure(&self, point: &ParamVector, now: Progress) -> BTreeMap<String, f64> {
        let numbers = point.numbers();
        let (loss, gradient) = self.on_all(point);
        BTreeMap::from([
            ("steps".into(), now.step as f64),
            ("gradients".into(), (now.step * self.batch) as f64),
            ("loss".into(), loss),
            ("gradient".into(), gradient),
            ("error".into(), (numbers[0] - TRUTH[0]).hypot(numbers[1] - TRUTH[1])),
            ("x".into(), numbers[0]),
            ("y".into(), numbers[1]),
        ])
    }

    fn stop(&self, measures: &BTreeMap<String, f64>) -> Option<Stop> {
        let done = match self.until {
            StopRule::End => false,
            StopRule::Loss => measures["loss"] <= SMALL,
            StopRule::Gradient => measures["gradient"] < SMALL,
        };
        done.then_some(Stop::Done)
    }
}
