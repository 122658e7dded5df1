//! Layers with their initial weights.

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::{Device, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::spec::{Allowed, SettingValue};

/// The distribution of the initial weights of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// uniform in ±1/√inputs, the biases too: the default of torch and burn
    Uniform,
    /// normal with variance 2 / inputs: He et al. 2015, for ReLU
    He,
    /// uniform in ±√(6 / (inputs + outputs)): Glorot & Bengio 2010
    Glorot,
    /// truncated normal with variance 2 / (inputs + outputs): Keras' glorot_normal
    GlorotNormal,
    /// normal with this standard deviation; values beyond two standard deviations are drawn again,
    /// as in TensorFlow
    TruncNormal(f64),
}

const TRUNC_NORMAL: &str = "trunc_normal:";

impl Init {
    /// The values that a spec may contain.
    pub const WORDS: Allowed = Allowed::OneOf(&[
        "uniform",
        "he",
        "glorot",
        "glorot_normal",
        "trunc_normal:SPREAD such as trunc_normal:0.05",
    ]);
}

impl SettingValue for Init {
    fn read(text: &str, _: Allowed) -> Option<Init> {
        Some(match text {
            "uniform" => Init::Uniform,
            "he" => Init::He,
            "glorot" => Init::Glorot,
            "glorot_normal" => Init::GlorotNormal,
            other => {
                Init::TruncNormal(f64::read(other.strip_prefix(TRUNC_NORMAL)?, Allowed::Positive)?)
            }
        })
    }

    fn show(&self) -> String {
        match self {
            Init::Uniform => "uniform".into(),
            Init::He => "he".into(),
            Init::Glorot => "glorot".into(),
            Init::GlorotNormal => "glorot_normal".into(),
            Init::TruncNormal(spread) => format!("{TRUNC_NORMAL}{}", spread.show()),
        }
    }
}

/// Creates layers with initial weights from the run's own generator.
pub struct LayerInit<'a> {
    /// the distribution of the weights
    pub init: Init,
    /// the initial value of all biases; `None` is 0, or with [`Init::Uniform`] the distribution of
    /// the weights
    pub bias: Option<f32>,
    /// the generator of the weights
    pub weights: &'a mut ChaCha8Rng,
    /// the device of the layers
    pub device: &'a Device,
}

impl LayerInit<'_> {
    /// A fully connected layer.
    pub fn linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        let weight = self.draw(inputs * outputs, inputs, outputs);
        let weight = TensorData::new(weight, [inputs, outputs]);
        let bias = TensorData::new(self.biases(outputs, inputs), [outputs]);
        Linear {
            weight: Param::from_data(weight, self.device),
            bias: Some(Param::from_data(bias, self.device)),
        }
    }

    /// A convolution with stride 1. With `same`, zero padding keeps the image size. Otherwise
    /// height and width shrink by size - 1.
    pub fn conv(&mut self, [inputs, outputs]: [usize; 2], size: usize, same: bool) -> Conv2d {
        let area = size * size;
        let weight = self.draw(outputs * inputs * area, inputs * area, outputs * area);
        let weight = TensorData::new(weight, [outputs, inputs, size, size]);
        let bias = TensorData::new(self.biases(outputs, inputs * area), [outputs]);
        Conv2d {
            weight: Param::from_data(weight, self.device),
            bias: Some(Param::from_data(bias, self.device)),
            stride: [1, 1],
            kernel_size: [size, size],
            dilation: [1, 1],
            groups: 1,
            padding: if same { PaddingConfig2d::Same } else { PaddingConfig2d::Valid },
        }
    }

    /// `n` weights of a layer with this many inputs and outputs per unit.
    fn draw(&mut self, n: usize, inputs: usize, outputs: usize) -> Vec<f32> {
        match self.init {
            Init::Uniform => self.uniform(n, 1.0 / (inputs as f32).sqrt()),
            Init::Glorot => self.uniform(n, (6.0 / (inputs + outputs) as f32).sqrt()),
            Init::He => {
                let std = (2.0 / inputs as f64).sqrt();
                (0..n).map(|_| (std * standard_normal(self.weights)) as f32).collect()
            }
            Init::GlorotNormal => {
                let std = (2.0 / (inputs + outputs) as f64).sqrt();
                // truncation shrinks the standard deviation by this factor, which Keras corrects
                // too
                self.truncated_normal(n, std / 0.879_625_661_034_239_8)
            }
            Init::TruncNormal(std) => self.truncated_normal(n, std),
        }
    }

    fn uniform(&mut self, n: usize, limit: f32) -> Vec<f32> {
        (0..n).map(|_| self.weights.random_range(-limit..limit)).collect()
    }

    fn truncated_normal(&mut self, n: usize, std: f64) -> Vec<f32> {
        let mut within_two = || {
            loop {
                let x = standard_normal(self.weights);
                if x.abs() < 2.0 {
                    return x;
                }
            }
        };
        (0..n).map(|_| (std * within_two()) as f32).collect()
    }

    fn biases(&mut self, n: usize, inputs: usize) -> Vec<f32> {
        match (self.bias, self.init) {
            (Some(bias), _) => vec![bias; n],
            (None, Init::Uniform) => self.draw(n, inputs, n),
            (None, _) => vec![0.0; n],
        }
    }
}

fn standard_normal(generator: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(generator)
}

/// The number of parameters of a fully connected layer, or `None` if it overflows.
pub fn linear_parameters(inputs: usize, outputs: usize) -> Option<usize> {
    inputs.checked_add(1)?.checked_mul(outputs)
}
