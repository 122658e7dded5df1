//! All classifiers by name.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::build::{Build, Shapes, check_parameters};
use super::mode::Mode;
use super::{_2c2d, _3c3d, cnn, gpt, lenet, logistic, mlp, vae};
use crate::docs::Docs;
use crate::error::{Error, Result};
use crate::seed::{Purpose, Seed};
use crate::spec::{Setting, Settings, Spec, unknown};

/// A model in the table.
pub struct ModelEntry {
    /// The name in specs.
    pub name: &'static str,
    /// Title, formula and source.
    pub docs: Docs,
    /// Its settings.
    pub settings: &'static [Setting],
    /// The default values of the settings.
    pub defaults: fn() -> Vec<(&'static str, String)>,
    canonical: fn(&Spec) -> Result<Spec>,
    parameters: fn(&Spec, &Shapes) -> Result<Option<usize>>,
    units: fn(&Spec, &Shapes) -> Result<usize>,
    build: fn(&Spec, &Shapes, &mut ChaCha8Rng, &Device) -> Result<Net>,
}

/// The entry of this name.
///
/// # Errors
/// If there is none. The error suggests the nearest name.
pub fn find(name: &str) -> Result<&'static ModelEntry> {
    if name == vae::NAME {
        let expected = "a classifier (`downhill run adam-fig4-vae` trains this autoencoder)";
        return Err(Error::value("model", name, expected));
    }
    if name == gpt::NAME {
        let expected = "a classifier (`kind = \"language\"` trains this model, on a text)";
        return Err(Error::value("model", name, expected));
    }
    let entry = MODELS.iter().find(|entry| entry.name == name);
    Ok(entry.ok_or_else(|| unknown("model", name, MODELS.iter().map(|entry| entry.name)))?)
}

/// The spec with all settings.
///
/// # Errors
/// On an unknown model or setting, or a value that is not allowed.
pub fn canonical(spec: &Spec) -> Result<Spec> {
    (find(&spec.name)?.canonical)(spec)
}

/// The number of parameters of a model.
///
/// # Errors
/// On an unknown model or setting, a value that is not allowed, inputs that the model does not
/// take, or more than 2³⁰ parameters.
pub fn parameters(spec: &Spec, shapes: &Shapes) -> Result<usize> {
    check_parameters(spec, shapes, (find(&spec.name)?.parameters)(spec, shapes)?)
}

/// The numbers that the layers of a model make of one example.
///
/// # Errors
/// On an unknown model or setting, or a value that is not allowed.
pub fn units(spec: &Spec, shapes: &Shapes) -> Result<usize> {
    (find(&spec.name)?.units)(spec, shapes)
}

/// Builds a model with the initial weights of this seed.
///
/// # Errors
/// As [`parameters`].
pub fn build(spec: &Spec, shapes: &Shapes, seed: Seed, device: &Device) -> Result<Net> {
    parameters(spec, shapes)?;
    (find(&spec.name)?.build)(spec, shapes, &mut seed.generator(Purpose::Weights, 0), device)
}

/// The name of a model: the name of its module, without the underscore that Rust needs before a
/// digit.
const fn named(module: &'static str) -> &'static str {
    if module.as_bytes()[0] == b'_' { module.split_at(1).1 } else { module }
}

macro_rules! models {
    ($($module:ident: $Variant:ident = $Settings:ident),* $(,)?) => {
        /// Any model of the table.
        #[derive(Module, Debug)]
        #[allow(missing_docs)]
        pub enum Net {
            $($Variant($module::$Variant)),*
        }

        impl Net {
            /// The scores of each class for inputs, one input per row.
            pub fn forward(&self, x: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
                match self { $(Net::$Variant(model) => model.forward(x, mode)),* }
            }
        }

        /// All models.
        pub const MODELS: &[ModelEntry] = &[$(ModelEntry {
            name: named(stringify!($module)),
            docs: Docs(include_str!(concat!(stringify!($module), ".rs"))),
            settings: <$module::$Settings as Settings>::SETTINGS,
            defaults: || $module::$Settings::default().values(),
            canonical: |spec| Ok(spec.read::<$module::$Settings>()?.spec(&spec.name)),
            parameters: |spec, shapes| {
                let settings = spec.read::<$module::$Settings>()?;
                settings
                    .fits(shapes)
                    .map_err(|misfit| Error::mismatch(spec, misfit.found, misfit.expected))?;
                Ok(settings.parameters(shapes))
            },
            units: |spec, shapes| Ok(spec.read::<$module::$Settings>()?.units(shapes)),
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
