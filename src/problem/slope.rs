//! Descending a surface of two variables, with noise on the gradient if it is asked for.

use std::collections::BTreeMap;

use burn::tensor::{DType, Tensor};
use rand_distr::{Distribution, StandardNormal};

use crate::chart::short;
use crate::descent::Point;
use crate::schedule::Moment;
use crate::seed::{Purpose, Seed};
use crate::surface::Surface;
use crate::train::{Problem, Stop};

/// Windows beyond which any path has left.
const FAR: f64 = 1.0;

/// A surface to go down. Each epoch is one step. Measured are `x`, `y`, `value`, and `distance` to the nearest minimum.
#[derive(Clone)]
pub struct Slope {
    surface: Surface,
    noise: f64,
    seed: Seed,
}

impl Slope {
    /// The gradient gets normal noise of this standard deviation in x and in y: the loss is f + u x + v y with new u and v each step.
    pub fn new(surface: Surface, noise: f64) -> Slope {
        Slope { surface, noise, seed: Seed(0) }
    }

    /// Where every path begins, in f64.
    pub fn begin(&self) -> Point {
        Point::at(&self.surface.start, DType::F64)
    }
}

fn parts(point: &Point) -> (Tensor<1>, Tensor<1>) {
    let both = point.x.val();
    (both.clone().slice(0..1), both.slice(1..2))
}

impl Problem for Slope {
    type Model = Point;

    fn seeded(self, seed: Seed) -> Slope {
        Slope { seed, ..self }
    }

    fn steps(&self) -> usize {
        1
    }

    fn loss(&mut self, point: &Point, now: Moment) -> Tensor<1> {
        let (x, y) = parts(point);
        let value = self.surface.of(x.clone(), y.clone());
        if self.noise == 0.0 {
            return value;
        }
        let mut generator = self.seed.generator(Purpose::Noise, now.step);
        let mut drawn = || -> f64 { StandardNormal.sample(&mut generator) };
        let (u, v) = (self.noise * drawn(), self.noise * drawn());
        value + x * u + y * v
    }

    fn measure(&self, point: &Point, now: Moment) -> BTreeMap<String, f64> {
        let numbers = point.numbers();
        let (x, y) = (numbers[0], numbers[1]);
        let (value, distance) = (self.surface.at(x, y), self.surface.distance(x, y));
        let named = [("steps", now.step as f64), ("x", x), ("y", y), ("value", value), ("distance", distance)];
        named.map(|(name, value)| (name.to_string(), value)).into()
    }

    fn stop(&self, measures: &BTreeMap<String, f64>) -> Option<Stop> {
        let (x, y) = (measures["x"], measures["y"]);
        let [from_x, from_y] = self.surface.start;
        let downhill = measures["value"] < self.surface.at(from_x, from_y);
        match self.surface.outside(x, y) {
            // a saddle has no bottom: leaving it downhill is the way out
            outside if outside > 0.0 && downhill && self.surface.bottomless => Some(Stop::Done),
            outside if outside <= FAR => None,
            _ => Some(Stop::Lost(format!("it left the surface for x = {}, y = {}", short(x), short(y)))),
        }
    }
}
