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

/// Why a model cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// the inputs or settings that were found
    pub found: String,
    /// those that the model accepts
    pub expected: String,
}

/// Settings from which a model is built.
pub trait Build: Settings {
    /// The module.
    type Model: Module;

    /// Checks that the model can be built for these shapes.
    ///
    /// # Errors
    /// If it cannot.
    fn fits(&self, shapes: &Shapes) -> std::result::Result<(), Misfit> {
        let _ = shapes;
        Ok(())
    }

    /// The number of parameters, or `None` if it overflows.
    fn parameters(&self, shapes: &Shapes) -> Option<usize>;

    /// The numbers that the layers make of one example: the sum of the sizes of their outputs.
    fn units(&self, shapes: &Shapes) -> usize {
        shapes.classes
    }

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
        return Err(Error::mismatch(spec, "0 classes", "at least 1"));
    }
    if input.contains(&0) {
        return Err(Error::mismatch(
            spec,
            format!("empty inputs of {input:?}"),
            "at least 1 number",
        ));
    }
    let count = match parameters {
        Some(n) if (1..=MAX_PARAMETERS).contains(&n) => return Ok(n),
        Some(n) => n.to_string(),
        None => "too many".into(),
    };
    let found = format!("{count} parameters for inputs of {input:?} and {classes} classes");
    Err(Error::mismatch(spec, found, format!("1 to {MAX_PARAMETERS} parameters")))
}
