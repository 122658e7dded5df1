//! The models. A new one is a new file, and a line in the table below.

pub mod saved;

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::about::About;
use crate::error::{Error, Result};
use crate::seed::{Purpose, Seed};
use crate::spec::{Setting, Settings, Spec, unknown};

/// What a model is made for.
#[derive(Clone, Debug, PartialEq)]
pub struct Shapes {
    /// Of one input, such as 28 x 28.
    pub input: Vec<usize>,
    /// How many classes to tell apart.
    pub classes: usize,
}

impl Shapes {
    /// Numbers of one input; nothing if that overflows or is zero.
    pub fn features(&self) -> Option<usize> {
        self.input.iter().try_fold(1usize, |n, d| n.checked_mul(*d)).filter(|n| *n > 0)
    }
}

/// How a model is made from its settings.
pub trait Build: Settings {
    /// The module.
    type Model: Module;

    /// How many numbers it will train; nothing if that overflows.
    fn parameters(&self, shapes: &Shapes) -> Option<usize>;

    /// Makes it, all its first weights drawn from `weights`.
    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Self::Model;
}

/// More parameters than this are refused: in f32, with gradients and Adam's memory, they would take 16 GiB.
const AT_MOST: usize = 1 << 30;

/// The parameters of a linear layer.
pub fn linear_parameters(inputs: usize, outputs: usize) -> Option<usize> {
    inputs.checked_add(1)?.checked_mul(outputs)
}

/// A linear layer with weights and biases uniform in ±1/√inputs, the default of torch and burn, drawn from the run's own generator.
pub fn linear(inputs: usize, outputs: usize, weights: &mut ChaCha8Rng, device: &Device) -> Linear {
    let k = 1.0 / (inputs as f32).sqrt();
    let mut draw = |n: usize| -> Vec<f32> { (0..n).map(|_| weights.random_range(-k..k)).collect() };
    let weight = TensorData::new(draw(inputs * outputs), [inputs, outputs]);
    let bias = TensorData::new(draw(outputs), [outputs]);
    Linear { weight: Param::from_data(weight, device), bias: Some(Param::from_data(bias, device)) }
}

/// A model in the table.
pub struct Entry {
    /// The name in specs.
    pub name: &'static str,
    /// Title, formula and source.
    pub about: About,
    /// Its settings.
    pub settings: &'static [Setting],
    /// Their defaults.
    pub defaults: fn() -> Vec<(&'static str, String)>,
    canonical: fn(&Spec) -> Result<Spec>,
    parameters: fn(&Spec, &Shapes) -> Result<Option<usize>>,
    build: fn(&Spec, &Shapes, &mut ChaCha8Rng, &Device) -> Result<Net>,
}

/// The row of that name.
///
/// # Errors
/// If there is none; the nearest name is suggested.
pub fn find(name: &str) -> Result<&'static Entry> {
    let entry = MODELS.iter().find(|entry| entry.name == name);
    Ok(entry.ok_or_else(|| unknown("model", name, MODELS.iter().map(|entry| entry.name)))?)
}

/// The spec with every setting spelled out.
///
/// # Errors
/// On an unknown model or setting, or a value that is not allowed.
pub fn canonical(spec: &Spec) -> Result<Spec> {
    (find(&spec.name)?.canonical)(spec)
}

/// How many numbers the model will train.
///
/// # Errors
/// On an unknown model or setting, a value that is not allowed, or more than 2³⁰.
pub fn parameters(spec: &Spec, shapes: &Shapes) -> Result<usize> {
    let parameters = (find(&spec.name)?.parameters)(spec, shapes)?.filter(|n| *n <= AT_MOST);
    let classes = shapes.classes;
    if classes == 0 {
        return Err(Error::Asked(format!("{spec} for 0 classes; expected at least 1")));
    }
    parameters.ok_or_else(|| {
        Error::Asked(format!("{spec} for inputs of {:?} and {classes} classes has none or more than {AT_MOST} parameters", shapes.input))
    })
}

/// Makes the model that a spec describes, with the first weights of this seed.
///
/// # Errors
/// On an unknown model or setting, a value that is not allowed, or a model of more than 2³⁰ parameters.
pub fn build(spec: &Spec, shapes: &Shapes, seed: Seed, device: &Device) -> Result<Net> {
    parameters(spec, shapes)?;
    (find(&spec.name)?.build)(spec, shapes, &mut seed.generator(Purpose::Weights, 0), device)
}

macro_rules! models {
    ($($module:ident: $Variant:ident = $Settings:ident),* $(,)?) => {
        $(pub mod $module;)*

        /// Any model of the table.
        #[derive(Module, Debug)]
        #[allow(missing_docs)]
        pub enum Net {
            $($Variant($module::$Variant)),*
        }

        impl Net {
            /// From inputs, one a row, to a score for each class.
            pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
                match self { $(Net::$Variant(model) => model.forward(x)),* }
            }
        }

        /// All models.
        pub const MODELS: &[Entry] = &[$(Entry {
            name: stringify!($module),
            about: About(include_str!(concat!(stringify!($module), ".rs"))),
            settings: <$module::$Settings as Settings>::SETTINGS,
            defaults: || $module::$Settings::default().values(),
            canonical: |spec| Ok(spec.read::<$module::$Settings>()?.spec(&spec.name)),
            parameters: |spec, shapes| Ok(spec.read::<$module::$Settings>()?.parameters(shapes)),
            build: |spec, shapes, weights, device| {
                Ok(Net::$Variant(spec.read::<$module::$Settings>()?.build(shapes, weights, device)))
            },
        }),*];
    };
}

models! {
    logistic: Logistic = LogisticSettings,
    mlp: Mlp = MlpSettings,
}
