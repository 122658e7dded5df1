//! A fingerprint of what a pipeline does.
//!
//! The pipeline takes a few steps on fixed gradients, and the numbers that result are hashed. So a
//! fingerprint changes with a formula, wherever in the code that formula is, and does not change
//! with names, comments or documentation.
//!
//! The probe is a vector of numbers; for optimizers that act on rows or matrices (`lazy_adam`, those
//! of burn) it is a small table too. The schedule is not part of a fingerprint.

use burn::module::{Module, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use sha2::{Digest, Sha256};

use super::config::PipelineConfig;
use super::filters::GrokfastMa;
use super::gradients::Bound;
use super::groups::GroupRule;
use super::params::Params;
use super::transforms::{Accumulate, Lookahead};
use super::vector::VectorPipeline;
use crate::docs::hex;
use crate::error::Result;
use crate::optim::Method;
use crate::spec::SettingValue;

/// Digits of the hashed numbers for our own rules, whose arithmetic is f64.
const DIGITS: usize = 12;
/// The same for optimizers with settings in f32 or derivatives from differences.
const FEWER_DIGITS: usize = 6;

/// Where the probe of optimizers that take gradients starts.
const START: [f64; 8] = [1.5, -0.7, 0.0, 1e-3, -10.0, 0.04, -2.5, 3.0];
/// The size of each element's gradients. Tiny ones show eps. Large ones are close enough together
/// that a bound always clips some gradients of an element and not others. One is always 0.
const SIZES: [f64; 8] = [1.0, 8.0, 1e-2, 1e-5, 30.0, 4e-4, 0.0, 1e-7];
/// The gradients of an element, relative to its size. Each element starts at another place of this
/// cycle. Signs stay the same for some steps, and change.
const PATTERN: [f64; 11] = [1.0, -0.7, -0.4, 0.9, 1.3, 0.2, -1.6, 0.5, -0.8, 0.3, 1.9];
/// The learning rate of each step, relative to the configured one.
const LR_FACTORS: [f64; 12] = [1.0, 1.0, 0.5, 0.5, 0.8, 1.0, 0.7, 0.3, 0.3, 0.6, 0.2, 0.1];

/// The probe accumulates at most this many batches to a step.
const MOST_BATCHES: usize = 3;
/// The probe's look-ahead takes at most this many fast steps to a slow one.
const MOST_FAST_STEPS: usize = 5;

/// The probe's mean of the last gradients is of at most this many.
const MOST_WINDOW: usize = 4;

/// Where the probe of optimizers that evaluate the loss themselves starts, and where the quartic
/// part of its function has the minimum.
const WHOLE_START: [f64; 3] = [2.0, -1.5, 0.8];
const WHOLE_MINIMUM: [f64; 3] = [0.5, 1.0, -1.0];
const WHOLE_COUPLING: [f64; 3] = [0.5, -0.3, 0.2];
const WHOLE_STEPS: usize = 3;

const GROWTH_STEPS: usize = 12;

impl PipelineConfig {
    /// Eight hexadecimal digits that change with what the pipeline does: its formulas and settings.
    pub fn fingerprint(&self) -> String {
        let mut trace = Trace::of(self);
        match &self.optimizer.method {
            method @ (Method::PerTensor { .. } | Method::Joint(_)) => {
                for config in self.group_by_group(&mut trace) {
                    let probed = config.probe_gradients(&mut trace);
                    trace.end(probed);
                }
                if let Method::Joint(_) = method {
                    let probed = self.probe_growth(&mut trace);
                    trace.end(probed);
                }
                if self.transforms.sam.is_some() {
                    // the other gradients do not depend on the point
                    let probed = self.probe_function(&mut trace);
                    trace.end(probed);
                }
                if let Method::PerTensor { optimizer, rule: None } = method {
                    probe_table(optimizer.clone(), self.optimizer.lr, &mut trace);
                }
            }
            Method::WholeModel(_) => {
                let probed = self.probe_function(&mut trace);
                trace.end(probed);
            }
        }
        hex(&Sha256::digest(trace.text)[..4])
    }

    /// The pipeline without parameter groups, and with each group alone. The probe has a single
    /// parameter, so each group contains it.
    fn group_by_group(&self, trace: &mut Trace) -> Vec<PipelineConfig> {
        let mut configs = vec![PipelineConfig { groups: Vec::new(), ..self.clone() }];
        for group in &self.groups {
            trace.text += &group.params.show();
            let group = GroupRule { params: Params::Vectors, ..group.clone() };
            configs.push(PipelineConfig { groups: vec![group], ..self.clone() });
        }
        configs
    }

    /// Steps on gradients that do not depend on the point.
    fn probe_gradients(&self, trace: &mut Trace) -> Result<()> {
        let config = self.shortened(trace);
        let (batches, scale) = (config.batches_a_step(), config.gradient_scale());
        let mut point = config.on_vector(&START);
        let mut batch = 0;
        for factor in LR_FACTORS {
            for _ in 0..batches {
                let g = gradient(batch, scale);
                constant_step(&mut point, self.optimizer.lr * factor, &g)?;
                batch += 1;
            }
        }
        trace.point(&point);
        if self.transforms.nonfinite.is_some() {
            let mut g = gradient(batch, scale);
            g[0] = f64::INFINITY;
            for _ in 0..batches {
                constant_step(&mut point, self.optimizer.lr, &g)?;
            }
            trace.point(&point);
        }
        Ok(())
    }

    /// Steps along one gradient, with a learning rate at which an estimate of it grows.
    fn probe_growth(&self, trace: &mut Trace) -> Result<()> {
        let (config, g) = (self.shortened(trace), gradient(0, self.gradient_scale()));
        let mut point = config.on_vector(&START);
        for _ in 0..GROWTH_STEPS * config.batches_a_step() {
            constant_step(&mut point, 1.0, &g)?;
        }
        trace.point(&point);
        Ok(())
    }

    /// Steps on a convex function with its exact gradient.
    fn probe_function(&self, trace: &mut Trace) -> Result<()> {
        let config = self.shortened(trace);
        let mut point = config.on_vector(&WHOLE_START);
        for factor in LR_FACTORS.into_iter().take(WHOLE_STEPS) {
            point.step(self.optimizer.lr * factor, &mut quartic)?;
        }
        trace.point(&point);
        Ok(())
    }

    /// The pipeline with few enough batches and fast steps that each of its parts acts within the
    /// probe. Their true number goes into the trace.
    fn shortened(&self, trace: &mut Trace) -> PipelineConfig {
        let mut config = self.clone();
        if let Some(Accumulate { steps }) = &mut config.transforms.accumulate {
            trace.number(*steps as f64);
            *steps = (*steps).min(MOST_BATCHES);
        }
        if let Some(GrokfastMa { window, .. }) = &mut config.transforms.filters.grokfast_ma {
            trace.number(*window as f64);
            *window = (*window).min(MOST_WINDOW);
        }
        if let Some(mars) = &config.transforms.filters.mars {
            // it changes the first gradient only, which the bound then makes the same
            trace.number(f64::from(u8::from(mars.correct_first)));
        }
        if let Some(Lookahead { k, .. }) = &mut config.transforms.lookahead {
            trace.number(*k as f64);
            *k = (*k).min(MOST_FAST_STEPS);
        }
        config
    }

    /// The factor of all gradients with which the largest ones are clipped by every bound.
    fn gradient_scale(&self) -> f64 {
        let bounds = self.transforms.clips.iter().map(|bound| match bound {
            Bound::Value(max) | Bound::Norm(max) | Bound::Global(max) => max / 10.0,
        });
        let of_mars = self.transforms.filters.mars.iter().filter_map(|mars| mars.max);
        bounds.chain(of_mars.map(|max| max / 10.0)).fold(1.0, f64::max)
    }
}

/// A table of four rows and two columns.
#[derive(Module, Debug)]
struct Table {
    x: Param<Tensor<2>>,
}

/// Steps on the gradients of a table. In each step one row has no gradient.
fn probe_table(mut optimizer: ModuleOptimizer, lr: f64, trace: &mut Trace) {
    let matrix = |numbers: [f64; 8], device: &Device| {
        Tensor::<2>::from_data(TensorData::new(numbers.to_vec(), [4, 2]), (device, DType::F64))
    };
    // not `from_tensor`, since burn keeps what requires a gradient until the next backward pass
    let x = Param::initialized(ParamId::new(), matrix(START, &Device::default().autodiff()));
    let mut table = Table { x };
    for (step, factor) in LR_FACTORS.into_iter().enumerate() {
        let mut g = gradient(step, 1.0);
        g[step % 4 * 2..][..2].fill(0.0);
        let mut gradients = GradientsParams::new();
        gradients.register(table.x.id, matrix(g, &Device::default()));
        table = optimizer.step(lr * factor, table, gradients);
    }
    table.x.val().into_data().iter::<f64>().for_each(|x| trace.number(x));
}

fn constant_step(point: &mut VectorPipeline, lr: f64, g: &[f64]) -> Result<()> {
    point.step(lr, &mut |_| (0.0, g.to_vec()))
}

fn gradient(batch: usize, scale: f64) -> [f64; 8] {
    std::array::from_fn(|i| scale * SIZES[i] * PATTERN[(batch + 4 * i) % PATTERN.len()])
}

/// Σ (x - c)⁴ / 4 + (w·x)² / 2, and its gradient. Newton's method needs many steps to its minimum.
fn quartic(x: &[f64]) -> (f64, Vec<f64>) {
    let distances: Vec<f64> = x.iter().zip(WHOLE_MINIMUM).map(|(x, c)| x - c).collect();
    let coupling: f64 = x.iter().zip(WHOLE_COUPLING).map(|(x, w)| w * x).sum();
    let quartics: f64 = distances.iter().map(|d| d.powi(4) / 4.0).sum();
    let gradient =
        distances.iter().zip(WHOLE_COUPLING).map(|(d, w)| d.powi(3) + w * coupling).collect();
    (quartics + coupling * coupling / 2.0, gradient)
}

/// The numbers to hash, as rounded text.
struct Trace {
    digits: usize,
    text: String,
}

impl Trace {
    fn of(config: &PipelineConfig) -> Trace {
        let digits = match &config.optimizer.method {
            Method::PerTensor { rule: Some(_), .. } | Method::Joint(_) => DIGITS,
            _ => FEWER_DIGITS,
        };
        Trace { digits, text: String::new() }
    }

    fn number(&mut self, x: f64) {
        // 0 and -0 are equal, and printed differently
        let x = if x == 0.0 { 0.0 } else { x };
        self.text += &format!("{x:.*e} ", self.digits - 1);
    }

    /// The point, and its evaluation parameters.
    fn point(&mut self, point: &VectorPipeline) {
        point.x().iter().for_each(|x| self.number(*x));
        match point.evaluation_params() {
            Ok(params) => params.iter().for_each(|x| self.number(*x)),
            Err(_) => self.text += "error ",
        }
    }

    /// A step that failed ended a probe, and is part of the trace.
    fn end(&mut self, probed: Result<()>) {
        if probed.is_err() {
            self.text += "error ";
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_and_zero_has_no_sign() {
        let mut trace = Trace { digits: 3, text: String::new() };
        for x in [0.0, -0.0, 1.23456, -1.2349, 9.999e-7, f64::NEG_INFINITY, f64::NAN, -f64::NAN] {
            trace.number(x);
        }
        assert_eq!(trace.text, "0.00e0 0.00e0 1.23e0 -1.23e0 1.00e-6 -inf NaN NaN ");
    }

    #[test]
    fn the_gradient_of_the_probed_function_is_its_derivative() {
        let (_, g) = quartic(&WHOLE_START);
        for i in 0..3 {
            let at = |h: f64| {
                let mut x = WHOLE_START;
                x[i] += h;
                quartic(&x).0
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((slope - g[i]).abs() < 1e-8, "element {i}: {slope}, gradient {}", g[i]);
        }
    }
}
