//! The models. A new one is a new file, and a line in the table below.

pub mod convnet;
pub mod convolution;
pub mod dropconnect;
pub mod layers;
pub mod mode;
pub mod saved;
pub mod vae;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use crate::about::About;
use crate::error::{Error, Result};
use crate::seed::{Purpose, Seed};
use crate::spec::{Setting, Settings, Spec, unknown};

pub use mode::{Mode, dropout};

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

    /// Channels, height and width of one input, if it is an image; height x width is one channel.
    pub fn image(&self) -> Option<[usize; 3]> {
        self.features()?;
        match self.input[..] {
            [height, width] => Some([1, height, width]),
            [channels, height, width] => Some([channels, height, width]),
            _ => None,
        }
    }
}

/// How a model is made from its settings.
pub trait Build: Settings {
    /// The module.
    type Model: Module;

    /// Whether it can be made for such inputs.
    ///
    /// # Errors
    /// With the end of a sentence that begins with the spec: what it takes, and what was found.
    fn fits(&self, shapes: &Shapes) -> std::result::Result<(), String> {
        let _ = shapes;
        Ok(())
    }

    /// How many numbers it will train; nothing if that overflows.
    fn parameters(&self, shapes: &Shapes) -> Option<usize>;

    /// Makes it, all its first weights drawn from `weights`.
    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Self::Model;
}

/// More parameters than this are refused: in f32, with gradients and Adam's memory, they would take 16 GiB.
const AT_MOST: usize = 1 << 30;

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
    if name == vae::NAME {
        return Err(Error::Asked(format!("{name} is an autoencoder, expected a classifier; `downhill run adam-fig4-vae` trains it")));
    }
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
/// On an unknown model or setting, a value that is not allowed, inputs that it does not take, or more than 2³⁰.
pub fn parameters(spec: &Spec, shapes: &Shapes) -> Result<usize> {
    within(spec, shapes, (find(&spec.name)?.parameters)(spec, shapes)?)
}

/// So many parameters, if they are not too many.
fn within(spec: &Spec, shapes: &Shapes, parameters: Option<usize>) -> Result<usize> {
    let Shapes { input, classes } = shapes;
    if *classes == 0 {
        return Err(Error::Asked(format!("{spec} for 0 classes; expected at least 1")));
    }
    let parameters = parameters.filter(|n| *n > 0 && *n <= AT_MOST);
    parameters.ok_or_else(|| {
        Error::Asked(format!("{spec} for inputs of {input:?} and {classes} classes has none or more than {AT_MOST} parameters"))
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

/// The name of a model: that of its file, but for the underscore that Rust wants before a digit.
const fn named(module: &'static str) -> &'static str {
    if module.as_bytes()[0] == b'_' { module.split_at(1).1 } else { module }
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
            pub fn forward(&self, x: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
                match self { $(Net::$Variant(model) => model.forward(x, mode)),* }
            }
        }

        /// All models.
        pub const MODELS: &[Entry] = &[$(Entry {
            name: named(stringify!($module)),
            about: About(include_str!(concat!(stringify!($module), ".rs"))),
            settings: <$module::$Settings as Settings>::SETTINGS,
            defaults: || $module::$Settings::default().values(),
            canonical: |spec| Ok(spec.read::<$module::$Settings>()?.spec(&spec.name)),
            parameters: |spec, shapes| {
                let settings = spec.read::<$module::$Settings>()?;
                settings.fits(shapes).map_err(|misfit| Error::Asked(format!("{spec} {misfit}")))?;
                Ok(settings.parameters(shapes))
            },
            build: |spec, shapes, weights, device| {
                Ok(Net::$Variant(spec.read::<$module::$Settings>()?.build(shapes, weights, device)))
            },
        }),*];
    };
}

models! {
    logistic: Logistic = LogisticSettings,
    mlp: Mlp = MlpSettings,
    cnn: Cnn = CnnSettings,
    lenet: Lenet = LenetSettings,
    _2c2d: DeepObs2c2d = DeepObs2c2dSettings,
    _3c3d: DeepObs3c3d = DeepObs3c3dSettings,
}
