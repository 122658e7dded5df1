//! Shared code of identities.rs and edges.rs: a model with parameters of ranks 1 to 4, and steps
//! with given gradients.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use downhill::optim::Optimizers;
use downhill::pipeline::{PipelineConfig, Stepper};

/// A model with one parameter of each rank from 1 to 4.
#[derive(Module, Debug)]
pub struct Places {
    pub one: Param<Tensor<1>>,
    pub two: Param<Tensor<2>>,
    pub three: Param<Tensor<3>>,
    pub four: Param<Tensor<4>>,
}

/// The shapes of the four parameters.
pub type Shapes = ([usize; 1], [usize; 2], [usize; 3], [usize; 4]);

/// The values of the four parameters.
pub type Four = [Vec<f64>; 4];

/// The number of elements of each of the four parameters.
pub fn lengths((a, b, c, d): &Shapes) -> [usize; 4] {
    [a.iter().product(), b.iter().product(), c.iter().product(), d.iter().product()]
}

pub fn tensor<const D: usize>(
    numbers: &[f64],
    shape: [usize; D],
    dtype: DType,
    device: &Device,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), shape), (device, dtype))
}

fn read<const D: usize>(x: &Param<Tensor<D>>) -> Vec<f64> {
    x.val().to_data().iter::<f64>().collect()
}

impl Places {
    pub fn at(numbers: &Four, shapes: &Shapes, dtype: DType) -> Places {
        let device = Device::flex().autodiff();
        Places {
            one: Param::from_tensor(tensor(&numbers[0], shapes.0, dtype, &device)),
            two: Param::from_tensor(tensor(&numbers[1], shapes.1, dtype, &device)),
            three: Param::from_tensor(tensor(&numbers[2], shapes.2, dtype, &device)),
            four: Param::from_tensor(tensor(&numbers[3], shapes.3, dtype, &device)),
        }
    }

    pub fn numbers(&self) -> Four {
        [read(&self.one), read(&self.two), read(&self.three), read(&self.four)]
    }

    /// The given gradients. A parameter with `None` gets no gradient.
    pub fn gradients(&self, g: [Option<&[f64]>; 4]) -> GradientsParams {
        let mut gradients = GradientsParams::new();
        fn register<const D: usize>(
            gradients: &mut GradientsParams,
            x: &Param<Tensor<D>>,
            g: Option<&[f64]>,
        ) {
            if let Some(g) = g {
                let like = x.val();
                gradients.register(x.id, tensor(g, like.dims(), like.dtype(), &Device::flex()));
            }
        }
        register(&mut gradients, &self.one, g[0]);
        register(&mut gradients, &self.two, g[1]);
        register(&mut gradients, &self.three, g[2]);
        register(&mut gradients, &self.four, g[3]);
        gradients
    }

    /// Gradients for all four parameters.
    pub fn all_gradients(&self, g: &Four) -> GradientsParams {
        self.gradients(g.each_ref().map(|g| Some(&g[..])))
    }
}

/// Starts the pipeline that the spec describes.
pub fn begin(line: &str) -> Stepper {
    config(line).begin()
}

pub fn config(line: &str) -> PipelineConfig {
    let read = line
        .parse()
        .map_err(downhill::Error::from)
        .and_then(|line| PipelineConfig::read(&line, &Optimizers::default()));
    read.unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// The names of all optimizers with an elementwise rule.
pub fn rules() -> Vec<&'static str> {
    let optimizers = Optimizers::default();
    let made = |name: &str| optimizers.make(&name.parse().unwrap()).unwrap();
    let is_rule = |name: &&str| {
        matches!(made(name).method, downhill::optim::Method::PerTensor { rule: Some(_), .. })
    };
    optimizers.entries().iter().map(|entry| entry.name).filter(is_rule).collect()
}

/// Every elementwise optimizer in each of its dialects: `adam`, `adam@torch`, ...
pub fn dialects() -> Vec<String> {
    let optimizers = Optimizers::default();
    let of = |name: &'static str| {
        let others = optimizers
            .find(name)
            .unwrap()
            .dialects
            .iter()
            .map(move |dialect| format!("{name}@{}", dialect.name));
        [name.to_string()].into_iter().chain(others)
    };
    rules().into_iter().flat_map(of).collect()
}
