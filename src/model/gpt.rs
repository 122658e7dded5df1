//! # GPT: a decoder that predicts the next token of a text
//!
//! ```text
//! x     = E[token] + P[position]
//! x     = x + attention(norm(x))                       in each layer,
//! x     = x + gelu(norm(x) W1 + b1) W2 + b2            one after the other
//! score = norm(x) U                                    for each token of the vocabulary
//!
//! attention(x) = concat over heads(softmax(q k' / sqrt(width / heads)) v) Wo + bo
//! q, k, v      = x Wq + bq, x Wk + bk, x Wv + bv       a position sees itself and those before it
//! norm(x)      = (x - mean) / sqrt(variance + 1e-5) g + b
//! ```
//!
//! Dropout is after E + P, on the softmax, and before each sum. It draws from the run's own
//! generator.
//!
//! The GPT is not a classifier: `downhill train --model gpt` trains it on a text, and experiments of
//! the kind `language` do.
//!
//! ## Differences
//! - **GPT-2** is the same with 12 layers or more, but its U is the transpose of E, and its
//!   gelu is an approximation with tanh. Here U is a matrix of its own.
//! - Initial weights are those of GPT-2: normal with standard deviation 0.02, divided by
//!   sqrt(2 layers) for Wo and W2; biases are 0.
//!
//! ## Source
//! A. Radford et al.: Language models are unsupervised multitask learners (GPT-2, 2019), section
//! 2.3; A. Vaswani et al.: Attention is all you need (2017), equation 1.

mod block;
mod sample;

use burn::module::Module;
use burn::nn::{Embedding, LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Bool, Device, Int, Tensor};
use rand_chacha::ChaCha8Rng;

use self::block::{Block, Drawn, Sizes};
pub use self::sample::Sampling;
use super::build::{Build, Misfit, Shapes, check_parameters};
use super::mode::{Mode, dropout};
use crate::docs::Docs;
use crate::error::{Error, Result};
use crate::seed::{Purpose, Seed};
use crate::spec::{Allowed, Settings, Spec, unknown};

crate::settings! {
    /// Settings of the decoder.
    pub struct GptSettings {
        /// layers, each with attention and a hidden layer
        layers: usize = 2, Allowed::Count;
        /// numbers for each position
        width: usize = 64, Allowed::Count;
        /// heads of the attention; they divide the width
        heads: usize = 4, Allowed::Count;
        /// largest number of tokens that a prediction sees
        context: usize = 64, Allowed::Count;
        /// dropout rate
        dropout: f64 = 0.0, Allowed::Decay;
    }
}

/// The name in specs.
pub const NAME: &str = "gpt";
/// Title, formula and source.
pub const DOCS: Docs = Docs(include_str!("gpt.rs"));

/// The largest context. The attention is a matrix of context x context in each head.
const MAX_CONTEXT: usize = 8192;
/// The hidden layer has this many times the width.
const HIDDEN: usize = 4;

/// The decoder.
#[derive(Module, Debug)]
pub struct Gpt {
    tokens: Embedding,
    positions: Embedding,
    blocks: Vec<Block>,
    norm: LayerNorm,
    output: Linear,
    #[module(skip)]
    settings: GptSettings,
}

/// The settings that a spec `gpt:...` describes.
///
/// # Errors
/// On another name, an unknown setting, or a value that is not allowed.
pub fn read(spec: &Spec) -> Result<GptSettings> {
    match spec.name.as_str() {
        NAME => {
            let settings: GptSettings = spec.read()?;
            settings
                .fits(&settings.shapes(1))
                .map_err(|misfit| Error::mismatch(spec, misfit.found, misfit.expected))?;
            Ok(settings)
        }
        other => Err(unknown("language model", other, [NAME]).into()),
    }
}

impl GptSettings {
    /// Inputs and outputs for a vocabulary.
    fn shapes(&self, vocabulary: usize) -> Shapes {
        Shapes { input: vec![self.context], classes: vocabulary }
    }

    /// The number of parameters.
    ///
    /// # Errors
    /// If there are more than 2³⁰.
    pub fn count(&self, vocabulary: usize) -> Result<usize> {
        let shapes = self.shapes(vocabulary);
        check_parameters(&self.spec(NAME), &shapes, self.parameters(&shapes))
    }

    /// The numbers that the layers make of a window of the whole context.
    pub fn units_of(&self, vocabulary: usize) -> usize {
        self.units(&self.shapes(vocabulary))
    }

    /// Builds the model with the initial weights of this seed.
    ///
    /// # Errors
    /// If it has more than 2³⁰ parameters.
    pub fn made(&self, vocabulary: usize, seed: Seed, device: &Device) -> Result<Gpt> {
        self.count(vocabulary)?;
        let mut weights = seed.generator(Purpose::Weights, 0);
        Ok(self.build(&self.shapes(vocabulary), &mut weights, device))
    }
}

impl Build for GptSettings {
    type Model = Gpt;

    fn fits(&self, _shapes: &Shapes) -> std::result::Result<(), Misfit> {
        let misfit = |found: String, expected: String| Err(Misfit { found, expected });
        if !self.width.is_multiple_of(self.heads) {
            return misfit(
                format!("{} heads", self.heads),
                format!("a number of heads that divides the width, {}", self.width),
            );
        }
        match self.context {
            2..=MAX_CONTEXT => Ok(()),
            n => misfit(format!("a context of {n}"), format!("2 to {MAX_CONTEXT} tokens")),
        }
    }

    fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        let width = self.width;
        let linear = |inputs: usize, outputs: usize| {
            inputs.checked_mul(outputs).and_then(|weights| weights.checked_add(outputs))
        };
        let hidden = width.checked_mul(HIDDEN)?;
        let layer = [
            4usize.checked_mul(width)?, // two norms
            linear(width, width.checked_mul(3)?)?,
            linear(width, width)?,
            linear(width, hidden)?,
            linear(hidden, width)?,
        ];
        let layer = layer.into_iter().try_fold(0usize, usize::checked_add)?;
        let tokens = shapes.classes.checked_mul(width)?;
        let parts = [
            tokens.checked_mul(2)?, // embedding and output
            self.context.checked_mul(width)?,
            layer.checked_mul(self.layers)?,
            2usize.checked_mul(width)?,
        ];
        parts.into_iter().try_fold(0usize, usize::checked_add)
    }

    fn units(&self, shapes: &Shapes) -> usize {
        let per_layer = [
            self.width.saturating_mul(7),          // norms, q, k, v, heads, two sums
            self.width.saturating_mul(2 * HIDDEN), // hidden layer before and after gelu
            self.heads.saturating_mul(self.context).saturating_mul(2), // scores and softmax
        ];
        let per_layer = per_layer.into_iter().fold(0, usize::saturating_add);
        let others = self.width.saturating_mul(2).saturating_add(shapes.classes);
        let per_token = per_layer.saturating_mul(self.layers).saturating_add(others);
        per_token.saturating_mul(self.context)
    }

    fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> Gpt {
        let mut drawn = Drawn { weights, device };
        let (width, heads, dropout) = (self.width, self.heads, self.dropout);
        let sizes = Sizes { width, hidden: HIDDEN * width, heads, dropout };
        let residual = SPREAD / (2.0 * self.layers as f64).sqrt();
        Gpt {
            tokens: Embedding { weight: drawn.matrix([shapes.classes, self.width], SPREAD) },
            positions: Embedding { weight: drawn.matrix([self.context, self.width], SPREAD) },
            blocks: (0..self.layers).map(|_| drawn.block(&sizes, [SPREAD, residual])).collect(),
            norm: LayerNormConfig::new(self.width).init(device),
            output: Linear {
                weight: drawn.matrix([self.width, shapes.classes], SPREAD),
                bias: None,
            },
            settings: self.clone(),
        }
    }
}

/// The standard deviation of the initial weights.
const SPREAD: f64 = 0.02;

impl Gpt {
    /// The settings.
    pub fn settings(&self) -> &GptSettings {
        &self.settings
    }

    /// The scores of every token as the next one, after each position of some windows: windows x
    /// positions x vocabulary. A window has at most the context of the model.
    pub fn forward(&self, tokens: Tensor<2, Int>, mode: &mut Mode) -> Tensor<3> {
        let [_, length] = tokens.dims();
        let positions = self.positions.weight.val();
        let positions = match length == self.settings.context {
            true => positions,
            false => positions.narrow(0, 0, length),
        };
        let future = Tensor::<2, Bool>::tril_mask([length, length], 0, &tokens.device());
        let x = self.tokens.forward(tokens) + positions.unsqueeze();
        let mut x = dropout(x, self.settings.dropout, mode);
        for block in &self.blocks {
            x = block.forward(x, &future, mode);
        }
        self.output.forward(self.norm.forward(x))
    }
}
