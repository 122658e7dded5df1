//! The common part of the convolutional models: stages of convolution and pooling, then fully
//! connected layers.

use burn::module::Module;
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::build::{Misfit, Shapes};
use super::convolution::convolve;
use super::layers::{Activation, Init, LayerInit, Pool, PoolKind, linear_parameters};
use super::mode::{Mode, dropout};

/// A convolution and the pooling after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvStage {
    /// output channels
    pub channels: usize,
    /// height and width of the kernel
    pub kernel: usize,
    /// whether zeros around the image keep its size
    pub same: bool,
}

/// The description of a convolutional network.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvNetPlan {
    /// the convolutions
    pub stages: Vec<ConvStage>,
    /// the pooling after each convolution
    pub pool: Pool,
    /// units of each fully connected layer but the last
    pub hidden: Vec<usize>,
    /// the function after each layer but the last
    pub activation: Activation,
    /// dropout rate of the inputs
    pub input_dropout: f64,
    /// dropout rate of the fully connected layers
    pub dropout: f64,
    /// initial weights of the convolutions
    pub convolutions: Init,
    /// initial weights of the fully connected layers
    pub linear: Init,
    /// initial biases, as in [`LayerInit`]
    pub bias: Option<f32>,
}

impl ConvNetPlan {
    /// Height and width after all stages, or `None` if an image is smaller than a kernel.
    fn sizes(&self, [_, height, width]: [usize; 3]) -> Option<[usize; 2]> {
        self.stages.iter().try_fold([height, width], |[height, width], stage| {
            let side = |n: usize| match stage.same {
                true => Some(n),
                false => n.checked_sub(stage.kernel - 1).filter(|n| *n > 0),
            };
            Some([self.pool.windows(side(height)?), self.pool.windows(side(width)?)])
        })
    }

    /// The input channels of each stage, and the stage.
    fn channels(&self, input: usize) -> impl Iterator<Item = (usize, ConvStage)> {
        let inputs = std::iter::once(input).chain(self.stages.iter().map(|stage| stage.channels));
        inputs.zip(self.stages.iter().copied())
    }

    /// Inputs and outputs of each fully connected layer, or `None` if they overflow.
    fn linear(&self, shapes: &Shapes) -> Option<Vec<(usize, usize)>> {
        let image = shapes.image()?;
        let [height, width] = self.sizes(image)?;
        let channels = self.stages.last().map_or(image[0], |stage| stage.channels);
        let flat = channels.checked_mul(height)?.checked_mul(width)?;
        let inputs = std::iter::once(flat).chain(self.hidden.iter().copied());
        Some(inputs.zip(self.hidden.iter().copied().chain([shapes.classes])).collect())
    }

    /// Checks that the network can be built for these shapes.
    ///
    /// # Errors
    /// If the inputs are not images or too small, or if stochastic pooling could get negative
    /// numbers.
    pub fn fits(&self, shapes: &Shapes) -> Result<(), Misfit> {
        let wrong = |expected: &str| {
            Err(Misfit {
                found: format!("inputs of {:?}", shapes.input),
                expected: expected.into(),
            })
        };
        let Some(image) = shapes.image() else {
            return wrong("images of height x width or channels x height x width");
        };
        if self.sizes(image).is_none() {
            return wrong("images that are larger than the kernels at every stage");
        }
        if self.pool.kind == PoolKind::Stochastic && self.activation == Activation::Tanh {
            return Err(Misfit {
                found:
                    "activation=tanh with pool=stochastic, which needs activations of at least 0"
                        .into(),
                expected: "relu, sigmoid or softplus".into(),
            });
        }
        Ok(())
    }

    /// The number of parameters, or `None` if it overflows.
    pub fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        let convolutions = self.channels(shapes.image()?[0]).map(
            |(inputs, ConvStage { channels, kernel, .. })| {
                let area = kernel.checked_mul(kernel)?;
                linear_parameters(inputs.checked_mul(area)?, channels)
            },
        );
        let linear =
            self.linear(shapes)?.into_iter().map(|(inputs, out)| linear_parameters(inputs, out));
        convolutions.chain(linear).try_fold(0usize, |sum, more| sum.checked_add(more?))
    }

    /// The sizes of the outputs of all layers together, or `None` if they overflow.
    pub fn units(&self, shapes: &Shapes) -> Option<usize> {
        let [_, height, width] = shapes.image()?;
        let (mut sides, mut sum) = ([height, width], 0usize);
        for stage in &self.stages {
            let area = sides[0].checked_mul(sides[1])?; // the convolution without padding is smaller
            sum = sum.checked_add(area.checked_mul(stage.channels)?)?;
            sides = sides.map(|side| self.pool.windows(side));
        }
        self.linear(shapes)?.iter().try_fold(sum, |sum, (_, outputs)| sum.checked_add(*outputs))
    }

    /// Builds the network. Inputs that are not images, which [`fits`](ConvNetPlan::fits) rejects,
    /// count as a single row of one channel.
    pub fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> ConvNet {
        let image = shapes.image().unwrap_or([1, 1, shapes.input.iter().product()]);
        let mut init = LayerInit { init: self.convolutions, bias: self.bias, weights, device };
        let convolutions = self
            .channels(image[0])
            .map(|(inputs, stage)| init.conv([inputs, stage.channels], stage.kernel, stage.same))
            .collect();
        init.init = self.linear;
        let linear = self
            .linear(shapes)
            .unwrap_or_default()
            .into_iter()
            .map(|(inputs, outputs)| init.linear(inputs, outputs))
            .collect();
        ConvNet { convolutions, linear, image, plan: self.clone() }
    }
}

/// A network that was built from a [`ConvNetPlan`].
#[derive(Module, Debug)]
pub struct ConvNet {
    convolutions: Vec<Conv2d>,
    linear: Vec<Linear>,
    image: [usize; 3],
    #[module(skip)]
    plan: ConvNetPlan,
}

impl ConvNet {
    /// The scores of each class for inputs, one input per row.
    pub fn forward(&self, x: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        let ConvNetPlan { pool, activation, .. } = self.plan;
        let [channels, height, width] = self.image;
        let examples = x.dims()[0];
        let mut x =
            dropout(x, self.plan.input_dropout, mode).reshape([examples, channels, height, width]);
        for convolution in &self.convolutions {
            x = convolve(convolution, x);
            // the activation is monotonic, so it may follow max-pooling, which leaves fewer numbers
            // to compute
            x = match pool.kind {
                PoolKind::Max => activation.of(pool.of(x, mode)),
                PoolKind::Mean | PoolKind::Stochastic => pool.of(activation.of(x), mode),
            };
        }
        let mut x: Tensor<2> = x.flatten(1, 3);
        for (i, layer) in self.linear.iter().enumerate() {
            x = layer.forward(x);
            if i + 1 < self.linear.len() {
                x = dropout(activation.of(x), self.plan.dropout, mode);
            }
        }
        x
    }
}
