//! A descent on plain numbers in f64: for problems of a few numbers whose gradient is known by hand.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::{Descent, Recipe};
use crate::error::{Error, Result};
use crate::optim::{Insight, Method, PlainState};

/// A point that is moved, and what its optimizer remembers.
///
/// ```
/// use downhill::descent::Recipe;
/// use downhill::optim::Optimizers;
///
/// let recipe = Recipe::read(&"momentum:mu=0.5".parse()?, &Optimizers::default())?;
/// let mut point = recipe.on_numbers(&[1.0, -2.0]);
/// let mut bowl = |x: &[f64]| (x.iter().map(|x| x * x / 2.0).sum(), x.to_vec());
/// for _ in 0..100 {
///     point.step(0.1, &mut bowl)?;
/// }
/// assert!(point.x().iter().all(|x| x.abs() < 1e-3));
/// # Ok::<(), downhill::Error>(())
/// ```
pub struct Numbers {
    x: Vec<f64>,
    way: Way,
}

/// Value and gradient at a point.
pub type Slope<'a> = &'a mut dyn FnMut(&[f64]) -> (f64, Vec<f64>);

enum Way {
    /// the rule itself: a million steps take no time
    Rule(Arc<dyn Insight>, PlainState),
    /// through burn's tensors, with everything around the rule
    Tensors(Box<Descent>, Point),
}

/// One parameter, of which nothing but the gradient is known.
#[derive(Module, Debug)]
pub struct Point {
    /// its numbers
    pub x: Param<Tensor<1>>,
}

impl Point {
    /// On the processor, with autodiff.
    pub fn at(numbers: &[f64], dtype: DType) -> Point {
        Point { x: Param::from_tensor(tensor(numbers, &Device::default().autodiff(), dtype)) }
    }

    /// Its gradient, as autodiff would have left it.
    pub fn gradients(&self, numbers: &[f64], dtype: DType) -> GradientsParams {
        let mut gradients = GradientsParams::new();
        gradients.register(self.x.id, tensor(numbers, &Device::default(), dtype));
        gradients
    }

    /// Its numbers.
    pub fn numbers(&self) -> Vec<f64> {
        self.x.val().into_data().iter::<f64>().collect()
    }
}

fn tensor(numbers: &[f64], device: &Device, dtype: DType) -> Tensor<1> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), [numbers.len()]), (device, dtype))
}

impl Recipe {
    /// A descent that begins at these numbers.
    pub fn on_numbers(&self, start: &[f64]) -> Numbers {
        let way = match &self.built.method {
            Method::PerTensor { rule: Some(rule), .. } if self.spec.0.len() == 1 => Way::Rule(rule.clone(), PlainState::default()),
            _ => Way::Tensors(Box::new(self.begin()), Point::at(start, DType::F64)),
        };
        Numbers { x: start.to_vec(), way }
    }
}

impl Numbers {
    /// Where the gradient is taken next.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// Moves on by one step. `slope` is evaluated as often as the method needs, for most once.
    ///
    /// # Errors
    /// As [`Descent::step`].
    pub fn step(&mut self, lr: f64, slope: Slope<'_>) -> Result<()> {
        match &mut self.way {
            Way::Rule(rule, state) => {
                let (_, g) = slope(&self.x);
                rule.step_plain(lr, &mut self.x, &g, state);
            }
            Way::Tensors(descent, point) => {
                let mut loss = |point: &Point| {
                    let (value, g) = slope(&point.numbers());
                    (value, point.gradients(&g, DType::F64))
                };
                *point = descent.step_with(lr, point.clone(), &mut loss)?;
                self.x = point.numbers();
            }
        }
        Ok(())
    }

    /// Puts the point back into a set, coordinate by coordinate, as projected methods do after a step.
    pub fn project(&mut self, onto: impl Fn(f64) -> f64) {
        self.x.iter_mut().for_each(|x| *x = onto(*x));
        if let Way::Tensors(_, point) = &mut self.way {
            let id = point.x.id;
            *point = Point { x: Param::initialized(id, tensor(&self.x, &Device::default().autodiff(), DType::F64).require_grad()) };
        }
    }

    /// The point that the method hands out, which for `nag` is not the one where gradients are taken.
    ///
    /// # Errors
    /// As [`Descent::hand_out`].
    pub fn handed_out(&self) -> Result<Vec<f64>> {
        match &self.way {
            Way::Rule(rule, state) => Ok(rule.hand_out_plain(&self.x, state)),
            Way::Tensors(descent, point) => Ok(descent.hand_out(point)?.numbers()),
        }
    }

    /// The memory of the rule after the last step, by name: one list of numbers each. Nothing for what is no rule of ours.
    pub fn remembers(&self, name: &str) -> Option<&[f64]> {
        match &self.way {
            Way::Rule(rule, state) => {
                let place = rule.all_memory().iter().position(|known| *known == name)?;
                state.memory.get(place).map(Vec::as_slice)
            }
            Way::Tensors(..) => None,
        }
    }
}

impl Numbers {
    /// Takes steps at the learning rate of the recipe until something is not finite. Returns the point handed out after each, the start first.
    ///
    /// # Errors
    /// As [`step`](Numbers::step), but for a step that cannot be taken, which ends the path.
    pub fn path(mut self, lr: f64, steps: usize, slope: Slope<'_>) -> Result<Vec<Vec<f64>>> {
        let mut path = vec![self.x.clone()];
        for _ in 0..steps {
            match self.step(lr, slope) {
                Err(Error::Step(_)) => break,
                done => done?,
            }
            let x = self.handed_out()?;
            if x.iter().any(|x| !x.is_finite()) {
                break;
            }
            path.push(x);
        }
        Ok(path)
    }
}
