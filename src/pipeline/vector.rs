//! A pipeline on a vector of numbers in f64, for problems whose gradient is known in closed form.

use std::sync::Arc;

use burn::module::{Module, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::config::PipelineConfig;
use super::step::Stepper;
use crate::error::{Error, Result};
use crate::optim::{DynRule, Method, VectorState};

/// A vector of parameters, and the state of its optimizer.
///
/// ```
/// use downhill::pipeline::PipelineConfig;
/// use downhill::optim::Optimizers;
///
/// let config = PipelineConfig::read(&"momentum:mu=0.5".parse()?, &Optimizers::default())?;
/// let mut point = config.on_vector(&[1.0, -2.0]);
/// let mut bowl = |x: &[f64]| (x.iter().map(|x| x * x / 2.0).sum(), x.to_vec());
/// for _ in 0..100 {
///     point.step(0.1, &mut bowl)?;
/// }
/// assert!(point.x().iter().all(|x| x.abs() < 1e-3));
/// # Ok::<(), downhill::Error>(())
/// ```
pub struct VectorPipeline {
    x: Vec<f64>,
    engine: Engine,
}

/// A function of a vector: its value and its gradient.
pub type GradientFn<'a> = &'a mut dyn FnMut(&[f64]) -> (f64, Vec<f64>);

enum Engine {
    /// the rule alone, without tensors: a million steps take about a second
    Rule(Arc<dyn DynRule>, VectorState),
    /// the whole pipeline on burn's tensors
    Tensors(Box<Stepper>, ParamVector),
}

/// A model of a single parameter, for functions that give the gradient themselves.
#[derive(Module, Debug)]
pub struct ParamVector {
    /// its elements
    pub x: Param<Tensor<1>>,
}

impl ParamVector {
    /// On the default device, with autodiff.
    pub fn at(numbers: &[f64], dtype: DType) -> ParamVector {
        ParamVector { x: Param::from_tensor(tensor(numbers, &Device::default().autodiff(), dtype)) }
    }

    /// The same for gradients that a function gives. burn registers each tensor that requires a
    /// gradient, and forgets it in the next backward pass. Without one, all would stay in memory.
    pub fn without_backward(numbers: &[f64], dtype: DType) -> ParamVector {
        ParamVector::untracked(ParamId::new(), numbers, dtype)
    }

    fn untracked(id: ParamId, numbers: &[f64], dtype: DType) -> ParamVector {
        let x = tensor(numbers, &Device::default().autodiff(), dtype);
        ParamVector { x: Param::initialized(id, x) }
    }

    /// A gradient for it, in the form that autodiff returns.
    pub fn gradients(&self, numbers: &[f64], dtype: DType) -> GradientsParams {
        let mut gradients = GradientsParams::new();
        gradients.register(self.x.id, tensor(numbers, &Device::default(), dtype));
        gradients
    }

    /// Its elements.
    pub fn numbers(&self) -> Vec<f64> {
        self.x.val().into_data().iter::<f64>().collect()
    }
}

/// The numbers as a tensor.
pub(super) fn tensor(numbers: &[f64], device: &Device, dtype: DType) -> Tensor<1> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), [numbers.len()]), (device, dtype))
}

impl PipelineConfig {
    /// A pipeline on a vector that starts at these numbers.
    pub fn on_vector(&self, start: &[f64]) -> VectorPipeline {
        let engine = match &self.optimizer.method {
            Method::PerTensor { rule: Some(rule), .. } if self.spec.0.len() == 1 => {
                Engine::Rule(rule.clone(), VectorState::default())
            }
            _ => Engine::Tensors(
                Box::new(self.begin()),
                ParamVector::without_backward(start, DType::F64),
            ),
        };
        VectorPipeline { x: start.to_vec(), engine }
    }
}

impl VectorPipeline {
    /// The point at which the next gradient is taken.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// Takes one step. `objective` is evaluated as often as the method needs it, which for most
    /// methods is once.
    ///
    /// # Errors
    /// As [`Stepper::step`].
    pub fn step(&mut self, lr: f64, objective: GradientFn<'_>) -> Result<()> {
        match &mut self.engine {
            Engine::Rule(rule, state) => {
                let (_, g) = objective(&self.x);
                rule.step_vector(lr, &mut self.x, &g, state);
            }
            Engine::Tensors(pipeline, point) => {
                let mut loss = |point: &ParamVector| {
                    let (value, g) = objective(&point.numbers());
                    (value, point.gradients(&g, DType::F64))
                };
                *point = pipeline.step_with(lr, point.clone(), &mut loss)?;
                self.x = point.numbers();
            }
        }
        Ok(())
    }

    /// Projects the point onto a set, coordinate by coordinate, as projected methods do after a
    /// step.
    pub fn project(&mut self, onto: impl Fn(f64) -> f64) {
        self.x.iter_mut().for_each(|x| *x = onto(*x));
        if let Engine::Tensors(_, point) = &mut self.engine {
            // the optimizer finds its state by the id of the parameter
            *point = ParamVector::untracked(point.x.id, &self.x, DType::F64);
        }
    }

    /// The evaluation parameters, which for `nag` are not the point where gradients are taken.
    ///
    /// # Errors
    /// As [`Stepper::evaluation_model`].
    pub fn evaluation_params(&self) -> Result<Vec<f64>> {
        match &self.engine {
            Engine::Rule(rule, state) => Ok(rule.evaluation_vector(&self.x, state)),
            Engine::Tensors(pipeline, point) => Ok(pipeline.evaluation_model(point)?.numbers()),
        }
    }

    /// A part of the rule's state after the last step, such as `m`. `None` if the rule has no part
    /// of that name, or if the pipeline is more than a rule.
    pub fn state(&self, name: &str) -> Option<&[f64]> {
        let Engine::Rule(rule, state) = &self.engine else { return None };
        let place = rule.all_state_names().iter().position(|known| *known == name)?;
        state.values.get(place).map(Vec::as_slice)
    }

    /// Takes steps at this learning rate until a number is not finite. Returns the start, and the
    /// evaluation parameters after each step.
    ///
    /// # Errors
    /// As [`step`](VectorPipeline::step). A step that cannot be taken is no error and ends the
    /// path.
    pub fn path(
        mut self,
        lr: f64,
        steps: usize,
        objective: GradientFn<'_>,
    ) -> Result<Vec<Vec<f64>>> {
        let mut path = vec![self.x.clone()];
        for _ in 0..steps {
            match self.step(lr, objective) {
                Err(Error::Step(_)) => break,
                done => done?,
            }
            let x = self.evaluation_params()?;
            if x.iter().any(|x| !x.is_finite()) {
                break;
            }
            path.push(x);
        }
        Ok(path)
    }
}
