//! # VAE: a variational autoencoder with one hidden layer on each side
//!
//! ```text
//! h      = softplus(x W1 + b1)
//! m, s^2 = h W2 + b2, exp(h W3 + b3)      mean and variance of the latent variables
//! z      = m + s e                        e drawn from a standard normal
//! l      = softplus(z W4 + b4) W5 + b5    the log-odds of each pixel
//! loss   = sum(log(1 + exp(l)) - x l) + sum(m^2 + s^2 - log s^2 - 1) / 2
//! ```
//!
//! The loss, in nats per example, is an upper bound of -log p(x), estimated with one sample of e.
//! Pixels from 0 to 1 are probabilities.
//!
//! The VAE is not a classifier, so `downhill train --model` does not accept it. Experiments of the
//! kind `autoencode` train it.
//!
//! ## Differences
//! The Adam paper does not describe the initial weights. The default is that of torch's linear
//! layers; `init` selects another distribution.
//!
//! ## Source
//! Figure 4 of the Adam paper (section 6.4): 500 softplus units, 50 latent variables, after Kingma
//! & Welling, Auto-encoding variational Bayes, 2013, equation 10.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::build::{Build, Shapes, check_parameters};
use super::layers::{Activation, Init, LayerInit, linear_parameters};
use crate::docs::Docs;
use crate::error::Result;
use crate::seed::{Purpose, Seed};
use crate::spec::{Allowed, Settings, Spec, unknown};

crate::settings! {
    /// Settings of the variational autoencoder.
    pub struct VaeSettings {
        /// units of the hidden layer of encoder and decoder
        hidden: usize = 500, Allowed::Count;
        /// latent variables
        latent: usize = 50, Allowed::Count;
        /// activation function of the hidden layers
        activation: Activation = Activation::Softplus, Activation::WORDS;
        /// distribution of the initial weights
        init: Init = Init::Uniform, Init::WORDS;
    }
}

/// The name in specs.
pub const NAME: &str = "vae";
/// Title, formula and source.
pub const DOCS: Docs = Docs(include_str!("vae.rs"));

/// Encoder and decoder.
#[derive(Module, Debug)]
pub struct Vae {
    encoder: Linear,
    mean: Linear,
    log_variance: Linear,
    decoder: Linear,
    output: Linear,
    #[module(skip)]
    settings: VaeSettings,
}

/// The settings that a spec `vae:...` describes.
///
/// # Errors
/// On another name, an unknown setting, or a value that is not allowed.
pub fn read(spec: &Spec) -> Result<VaeSettings> {
    match spec.name.as_str() {
        NAME => Ok(spec.read()?),
        other => Err(unknown("autoencoder", other, [NAME]).into()),
    }
}

impl VaeSettings {
    /// The number of parameters.
    ///
    /// # Errors
    /// If there are more than 2³⁰.
    pub fn count(&self, shapes: &Shapes) -> Result<usize> {
        check_parameters(&self.spec(NAME), shapes, self.parameters(shapes))
    }

    /// Builds the model with the initial weights of this seed.
    ///
    /// # Errors
    /// If it has more than 2³⁰ parameters.
    pub fn made(&self, shapes: &Shapes, seed: Seed, device: &Device) -> Result<Vae> {
        self.count(shapes)?;
        Ok(self.build(shapes, &mut seed.generator(Purpose::Weights, 0), device))
    }
}

impl Build for VaeSettings {
    type Model = Vae;

    fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        let pixels = shapes.features()?;
        let layers = [
            (pixels, self.hidden),
            (self.hidden, self.latent),
            (self.hidden, self.latent),
            (self.latent, self.hidden),
            (self.hidden, pixels),
        ];
        layers
            .into_iter()
            .map(|(inputs, outputs)| linear_parameters(inputs, outputs))
            .try_fold(0usize, |sum, more| sum.checked_add(more?))
    }

    fn units(&self, shapes: &Shapes) -> usize {
        let pixels = shapes.features().unwrap_or(usize::MAX);
        let units = [self.hidden, self.latent, self.latent, self.hidden, pixels];
        units.into_iter().fold(0, usize::saturating_add)
    }

    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Vae {
        let pixels = shapes.input.iter().product();
        let mut layers = LayerInit { init: self.init, bias: None, weights, device };
        Vae {
            encoder: layers.linear(pixels, self.hidden),
            mean: layers.linear(self.hidden, self.latent),
            log_variance: layers.linear(self.hidden, self.latent),
            decoder: layers.linear(self.latent, self.hidden),
            output: layers.linear(self.hidden, pixels),
            settings: self.clone(),
        }
    }
}

impl Vae {
    /// The negative evidence lower bound of each example, with this noise.
    pub fn loss(&self, x: Tensor<2>, noise: Tensor<2>) -> Tensor<1> {
        let activation = self.settings.activation;
        let h = activation.of(self.encoder.forward(x.clone()));
        let (mean, log_variance) = (self.mean.forward(h.clone()), self.log_variance.forward(h));
        let z = mean.clone() + (log_variance.clone() * 0.5).exp() * noise;
        let odds = self.output.forward(activation.of(self.decoder.forward(z)));
        let pixels = (Activation::Softplus.of(odds.clone()) - x * odds).sum_dim(1);
        let variance = log_variance.clone().exp();
        let divergence = (mean.clone() * mean + variance - log_variance - 1.0).sum_dim(1) * 0.5;
        (pixels + divergence).squeeze_dim(1)
    }

    /// Standard normal noise for this many examples.
    pub fn noise(&self, examples: usize, generator: &mut ChaCha8Rng, device: &Device) -> Tensor<2> {
        let latent = self.settings.latent;
        let drawn: Vec<f32> =
            (0..examples * latent).map(|_| StandardNormal.sample(generator)).collect();
        Tensor::from_data(TensorData::new(drawn, [examples, latent]), device)
    }
}
