//! How a model is built from its settings.

use burn::module::Module;
use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;

use crate::error::{Error, Result};
use crate::spec::{Settings, Spec};

/// The shape of the inputs and the number of classes of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Shapes {
    /// The shape of one input, such as 28 x 28.
    pub input: Vec<usize>,
    /// The number of classes.
    pub classes: usize,
}

impl Shapes {
    /// The number of features of one input, or `None` if it overflows or is zero.
    pub fn features(&self) -> Option<usize> {
        self.input.iter().try_fold(1usize, |n, d| n.checked_mul(*d)).filter(|n| *n > 0)
    }

    /// Channels, height and width of one input, or `None` if it is not an image. An input of height
    /// x width has one channel.
    pub fn image(&self) -> Option<[usize; 3]> {
        self.features()?;
        match self.input[..] {
            [height, width] => Some([1, height, width]),
            [channels, height, width] => Some([channels, height, width]),
            _ => None,
        }
    }
}

/// Settings from which a model is built.
pub trait Build: Settings {
    /// The module.
    type Model: Module;

    /// Whether the model can be built for these shapes.
    ///
    /// # Errors
    /// With the end of a sentence that begins with the spec: what the model takes, and what was
    /// found.
    fn fits(&self, shapes: &Shapes) -> std::result::Result<(), String> {
        let _ = shapes;
        Ok(())
    }

    /// The number of parameters, or `None` if it overflows.
    fn parameters(&self, shapes: &Shapes) -> Option<usize>;

    /// Builds the model. All initial weights are drawn from `weights`.
    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Self::Model;
}

/// The largest number of parameters. In f32, with gradients and Adam's state, they take 16 GiB.
const MAX_PARAMETERS: usize = 1 << 30;

/// Checks the number of parameters of a model.
pub(super) fn check_parameters(
    spec: &Spec,
    shapes: &Shapes,
    parameters: Option<usize>,
) -> Result<usize> {
    let Shapes { input, classes } = shapes;
    if *classes == 0 {
        return Err(Error::Invalid(format!("{spec} for 0 classes; expected at least 1")));
    }
    let parameters = parameters.filter(|n| *n > 0 && *n <= MAX_PARAMETERS);
    parameters.ok_or_else(|| {
        Error::Invalid(format!(
            "{spec} for inputs of {input:?} and {classes} classes has no parameters or more than \
             {MAX_PARAMETERS} parameters"
        ))
    })
}
