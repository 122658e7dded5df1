//! What the convolutional models have in common: stages of convolution and pooling, then fully connected layers.

use burn::module::Module;
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use super::convolution::convolve;
use super::layers::{Activation, Init, Kind, Maker, Pool, linear_parameters};
use super::{Mode, Shapes, dropout};

/// One convolution with the pooling behind it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// channels that come out
    pub channels: usize,
    /// height and width of the kernel
    pub kernel: usize,
    /// whether zeros around the image keep its size
    pub same: bool,
}

/// What a convolutional network is.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// convolutions
    pub stages: Vec<Stage>,
    /// behind each convolution
    pub pool: Pool,
    /// units of each fully connected layer but the last
    pub hidden: Vec<usize>,
    /// behind each layer but the last
    pub activation: Activation,
    /// share of the inputs that dropout leaves out
    pub input_dropout: f64,
    /// share of the units of fully connected layers that it leaves out
    pub dropout: f64,
    /// first weights of the convolutions
    pub convolutions: Init,
    /// first weights of the fully connected layers
    pub linear: Init,
    /// what all biases begin as; as with [`Maker`]
    pub bias: Option<f32>,
}

impl Plan {
    /// Height and width behind each stage; nothing where an image is smaller than a kernel.
    fn sizes(&self, [_, height, width]: [usize; 3]) -> Option<[usize; 2]> {
        self.stages.iter().try_fold([height, width], |[height, width], stage| {
            let side = |n: usize| match stage.same {
                true => Some(n),
                false => n.checked_sub(stage.kernel - 1).filter(|n| *n > 0),
            };
            Some([self.pool.windows(side(height)?), self.pool.windows(side(width)?)])
        })
    }

    /// Channels that go into each stage and come out.
    fn channels(&self, input: usize) -> impl Iterator<Item = (usize, Stage)> {
        let into = std::iter::once(input).chain(self.stages.iter().map(|stage| stage.channels));
        into.zip(self.stages.iter().copied())
    }

    /// Inputs and outputs of each fully connected layer; nothing where they are too many to count.
    fn linear(&self, shapes: &Shapes) -> Option<Vec<(usize, usize)>> {
        let image = shapes.image()?;
        let [height, width] = self.sizes(image)?;
        let channels = self.stages.last().map_or(image[0], |stage| stage.channels);
        let flat = channels.checked_mul(height)?.checked_mul(width)?;
        let inputs = std::iter::once(flat).chain(self.hidden.iter().copied());
        Some(inputs.zip(self.hidden.iter().copied().chain([shapes.classes])).collect())
    }

    /// What is wrong with the inputs or the settings, as the end of a sentence.
    ///
    /// # Errors
    /// If they are no images, or too small; or stochastic pooling would meet negative numbers.
    pub fn fits(&self, shapes: &Shapes) -> Result<(), String> {
        let input = &shapes.input;
        let Some(image) = shapes.image() else {
            return Err(format!("takes images of height x width or channels x height x width; found inputs of {input:?}"));
        };
        if self.sizes(image).is_none() {
            return Err(format!("takes images that are larger than its kernels at every stage; found inputs of {input:?}"));
        }
        if self.pool.kind == Kind::Stochastic && self.activation == Activation::Tanh {
            return Err("pools with probabilities proportional to activations; expected relu, sigmoid or softplus, found tanh".into());
        }
        Ok(())
    }

    /// How many numbers it trains; nothing if that overflows.
    pub fn parameters(&self, shapes: &Shapes) -> Option<usize> {
        let convolutions = self.channels(shapes.image()?[0]).map(|(into, Stage { channels, kernel, .. })| {
            let area = kernel.checked_mul(kernel)?;
            linear_parameters(into.checked_mul(area)?, channels)
        });
        let linear = self.linear(shapes)?.into_iter().map(|(into, out)| linear_parameters(into, out));
        convolutions.chain(linear).try_fold(0usize, |sum, more| sum.checked_add(more?))
    }

    /// Makes the network. Inputs that are not images, which [`fits`](Plan::fits) refuses, count as one channel of a row.
    pub fn build(&self, shapes: &Shapes, weights: &mut ChaCha8Rng, device: &Device) -> ConvNet {
        let image = shapes.image().unwrap_or([1, 1, shapes.input.iter().product()]);
        let mut maker = Maker { init: self.convolutions, bias: self.bias, weights, device };
        let convolutions =
            self.channels(image[0]).map(|(into, stage)| maker.conv([into, stage.channels], stage.kernel, stage.same)).collect();
        maker.init = self.linear;
        let linear = self.linear(shapes).unwrap_or_default().into_iter().map(|(into, out)| maker.linear(into, out)).collect();
        ConvNet { convolutions, linear, image, plan: self.clone() }
    }
}

/// A network after a [`Plan`].
#[derive(Module, Debug)]
pub struct ConvNet {
    convolutions: Vec<Conv2d>,
    linear: Vec<Linear>,
    image: [usize; 3],
    #[module(skip)]
    plan: Plan,
}

impl ConvNet {
    /// From inputs, one a row, to a score for each class.
    pub fn forward(&self, x: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        let Plan { pool, activation, .. } = self.plan;
        let [channels, height, width] = self.image;
        let examples = x.dims()[0];
        let mut x = dropout(x, self.plan.input_dropout, mode).reshape([examples, channels, height, width]);
        for convolution in &self.convolutions {
            x = convolve(convolution, x);
            // the largest number of a window is the same before and after a function that rises, and behind the pooling are fewer
            x = match pool.kind {
                Kind::Max => activation.of(pool.of(x, mode)),
                Kind::Mean | Kind::Stochastic => pool.of(activation.of(x), mode),
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
