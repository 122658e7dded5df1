//! A surface of two variables, with noise on the gradient if it is asked for. An epoch is one step.

use std::collections::BTreeMap;

use burn::tensor::{DType, Tensor};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::dyn_task::{DynTask, PreparedTask};
use super::prepare::TaskContext;
use super::spec::{Task, wrong};
use crate::chart::short;
use crate::error::Result;
use crate::pipeline::ParamVector;
use crate::record::{Axis, BATCH_LOSS, ChartRequest, Landscape, Measure, RecordedTask, TaskRecord};
use crate::schedule::Progress;
use crate::seed::{Purpose, Seed};
use crate::surface::{SURFACES, Surface};
use crate::train::{Problem, Stop};

/// A surface, as in the TOML.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurfaceTask {
    /// its name, or an expression of x and y
    pub surface: String,
    /// x from, x to, y from, y to; the surface's own by default
    pub window: Option<[f64; 4]>,
    /// where the paths begin; the surface's own by default
    pub start: Option<[f64; 2]>,
    /// standard deviation of the noise on the gradient
    #[serde(default)]
    pub noise: f64,
}

impl SurfaceTask {
    fn read(&self) -> Result<Surface> {
        Surface::read(&self.surface, self.window, self.start)
    }
}

#[typetag::serde(name = "surface")]
impl Task for SurfaceTask {
    fn check(&self) -> Result<()> {
        if !(self.noise.is_finite() && self.noise >= 0.0) {
            return Err(wrong("noise", self.noise, "0 or a finite number above"));
        }
        self.read().map(|_| ())
    }

    fn measures(&self) -> Vec<&'static str> {
        vec!["steps", "value", "distance", "x", "y", BATCH_LOSS]
    }

    fn describes(&self, run: &RecordedTask) -> bool {
        let (Some(run), Ok(surface)) = (run.as_kind::<SurfaceRecord>(), self.read()) else {
            return false;
        };
        surface.formula == run.formula
            && (surface.window, surface.start, self.noise) == (run.window, run.start, run.noise)
    }

    fn prepare(&self, context: &mut TaskContext) -> Result<Box<dyn DynTask>> {
        context.check_without_data()?;
        let surface = self.read()?;
        let record = RecordedTask::new(SurfaceRecord {
            surface: surface.name.clone(),
            formula: surface.formula.clone(),
            window: surface.window,
            start: surface.start,
            noise: self.noise,
        });
        let problem = SurfaceProblem::new(surface, self.noise);
        Ok(PreparedTask::boxed(record, problem, SurfaceProblem::initial))
    }
}

/// What a record says about a surface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SurfaceRecord {
    /// its name, or the formula
    pub surface: String,
    /// of x and y
    pub formula: String,
    /// x from, x to, y from, y to
    pub window: [f64; 4],
    /// where the path begins
    pub start: [f64; 2],
    /// standard deviation of the noise on the gradient
    pub noise: f64,
}

impl SurfaceRecord {
    /// Whether `distance` is measured from a minimum.
    fn has_minimum(&self) -> bool {
        let known = SURFACES.iter().find(|known| known.name == self.surface);
        known.is_some_and(|known| !known.minima.is_empty())
    }

    /// The title of the chart of the distance.
    fn distance_chart(&self) -> &'static str {
        match self.has_minimum() {
            true => "Distance to the nearest minimum",
            false => "Distance from the start",
        }
    }

    /// What `distance` is measured from.
    fn distance_title(&self) -> &'static str {
        match self.has_minimum() {
            true => "distance to the nearest minimum",
            false => "distance from the start",
        }
    }
}

#[typetag::serde(name = "surface")]
impl TaskRecord for SurfaceRecord {
    fn title(&self) -> String {
        format!("Paths on {}", self.surface)
    }

    fn size(&self) -> String {
        let ([x, y], noise) = (self.start, self.noise);
        let noise =
            if noise > 0.0 { format!(", noise {noise} on the gradient") } else { String::new() };
        format!("f(x, y) = {}, from ({x}, {y}){noise}", self.formula)
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        let [left, right, low, high] = self.window;
        vec![
            ("surface", self.size()),
            ("window", format!("x {left} to {right}, y {low} to {high}")),
        ]
    }

    fn columns(&self) -> Vec<Measure> {
        vec![
            Measure::new("steps", "steps"),
            Measure::new("value", "f"),
            Measure::new("distance", self.distance_title()),
            Measure::new("x", "x"),
            Measure::new("y", "y"),
        ]
    }

    fn x_label(&self) -> &'static str {
        "steps"
    }

    fn is_deterministic(&self) -> bool {
        self.noise == 0.0
    }

    fn charts(&self) -> Vec<ChartRequest> {
        let chart = |name, title, y, y_axis| ChartRequest {
            name,
            title,
            x: None,
            y: Some(y),
            x_axis: Axis::Linear,
            y_axis,
        };
        let distance = Measure::new("distance", "distance");
        vec![
            chart("value", "Value of f", Measure::new("value", "f"), Axis::LogIfWide),
            chart("distance", self.distance_chart(), distance, Axis::Log),
        ]
    }

    fn landscape(&self) -> Result<Option<Landscape>> {
        let (window, start) = (Some(self.window), Some(self.start));
        let named = Surface::read(&self.surface, window, start).ok();
        let surface = match named.filter(|named| named.formula == self.formula) {
            Some(named) => named,
            None => Surface::read(&self.formula, window, start)?,
        };
        let formula = surface.formula.clone();
        Ok(Some(Landscape { surface, formula, height: "value", axes: ["x", "y"] }))
    }
}

/// A path that is further from the window than its width has left the surface.
const FAR: f64 = 1.0;

/// Descent on a surface. Each epoch is one step. It measures `steps`, `x`, `y`, `value`, and
/// `distance` to the nearest minimum.
#[derive(Clone)]
pub struct SurfaceProblem {
    surface: Surface,
    noise: f64,
    seed: Seed,
}

impl SurfaceProblem {
    /// The gradient gets normal noise of this standard deviation in x and in y: the loss is f + u x
    /// + v y, with new u and v in each step.
    pub fn new(surface: Surface, noise: f64) -> SurfaceProblem {
        SurfaceProblem { surface, noise, seed: Seed(0) }
    }

    /// The start of every path, in f64.
    pub fn initial(&self) -> ParamVector {
        ParamVector::at(&self.surface.start, DType::F64)
    }
}

impl Problem for SurfaceProblem {
    type Model = ParamVector;

    fn seeded(self, seed: Seed) -> SurfaceProblem {
        SurfaceProblem { seed, ..self }
    }

    fn steps(&self) -> usize {
        1
    }

    fn loss(&mut self, point: &ParamVector, now: Progress) -> Tensor<1> {
        let both = point.x.val();
        let (x, y) = (both.clone().slice(0..1), both.slice(1..2));
        let value = self.surface.of(x.clone(), y.clone());
        if self.noise == 0.0 {
            return value;
        }
        let mut generator = self.seed.generator(Purpose::Noise, now.step);
        let mut drawn = || -> f64 { StandardNormal.sample(&mut generator) };
        let (u, v) = (self.noise * drawn(), self.noise * drawn());
        value + x * u + y * v
    }

    fn measure(&self, point: &ParamVector, now: Progress) -> BTreeMap<String, f64> {
        let numbers = point.numbers();
        let (x, y) = (numbers[0], numbers[1]);
        BTreeMap::from([
            ("steps".into(), now.step as f64),
            ("x".into(), x),
            ("y".into(), y),
            ("value".into(), self.surface.at(x, y)),
            ("distance".into(), self.surface.distance(x, y)),
        ])
    }

    fn stop(&self, measures: &BTreeMap<String, f64>) -> Option<Stop> {
        let (x, y) = (measures["x"], measures["y"]);
        let [from_x, from_y] = self.surface.start;
        let downhill = measures["value"] < self.surface.at(from_x, from_y);
        match self.surface.outside(x, y) {
            // a saddle has no minimum: a path that leaves it downhill has escaped
            outside if outside > 0.0 && downhill && self.surface.bottomless => Some(Stop::Done),
            outside if outside <= FAR => None,
            _ => Some(Stop::Lost(format!(
                "it left the surface at x = {}, y = {}",
                short(x),
                short(y)
            ))),
        }
    }
}
