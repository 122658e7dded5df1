//! The standard recipe with burn's `Learner`: AdamW without decay on biases and norms, clipping by
//! the global norm, a cosine schedule with warm-up, a moving average of the weights for validation,
//! metrics, checkpoints, and a resume that is equal bit for bit. The lines marked `//+` are what it
//! adds to burn's own program.
//!
//!     cargo run --release

use std::path::Path;
use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderBuilder, batcher::Batcher};
use burn::data::dataset::InMemDataset;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, activation::relu};
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::logger::InMemoryMetricLogger;
use burn::train::metric::LossMetric;
use burn::train::{
    InferenceStep, Learner, RegressionOutput, SupervisedTraining, TrainOutput, TrainStep,
};
use downhill::optim::AdamW; //+
use downhill::pipeline::{EmaWeights, clip_by_global_norm, vectors}; //+
use downhill::schedule::LrSchedule; //+

const EPOCHS: usize = 4;
const BATCHES: usize = 25;
const BATCH: usize = 32;

#[derive(Module, Debug)]
struct Network {
    hidden: Linear,
    norm: LayerNorm,
    output: Linear,
}

impl Network {
    fn new(device: &Device) -> Network {
        Network {
            hidden: LinearConfig::new(2, 32).init(device),
            norm: LayerNormConfig::new(32).init(device),
            output: LinearConfig::new(32, 1).init(device),
        }
    }

    fn regress(&self, batch: Points) -> RegressionOutput {
        let hidden = relu(self.norm.forward(self.hidden.forward(batch.x)));
        let y = self.output.forward(hidden);
        let loss = (y.clone() - batch.y.clone()).square().mean();
        RegressionOutput::new(loss, y, batch.y)
    }
}

/// The network that is trained, and the average of its weights, which is validated. Both are in
/// burn's checkpoints.
#[derive(Module, Debug)]
struct Model {
    network: Network,
    averaged: Network, //+ it starts at the initial weights
}

impl TrainStep for Model {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, batch: Points) -> TrainOutput<RegressionOutput> {
        let output = self.network.regress(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }

    /// What is done around an optimizer step. burn's default is the step alone.
    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        lr: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> Self {
        let gradients = clip_by_global_norm(gradients, &self, 1.0); //+
        let Model { network, averaged } = optimizer.step(lr, self, gradients); //+
        let mut ema = EmaWeights::resume(0.9, &averaged); //+
        ema.update(&network); //+
        Model { network, averaged: ema.model(&averaged) } //+
    }
}

impl InferenceStep for Model {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, batch: Points) -> RegressionOutput {
        self.averaged.regress(batch) //+
    }
}

/// Points of the plane, and the product of their coordinates.
#[derive(Clone, Debug)]
struct Points {
    x: Tensor<2>,
    y: Tensor<2>,
}

struct Product;

impl Batcher<[f32; 2], Points> for Product {
    fn batch(&self, points: Vec<[f32; 2]>, device: &Device) -> Points {
        let numbers: Vec<f32> = points.concat();
        let x = Tensor::<1>::from_floats(numbers.as_slice(), device).reshape([points.len(), 2]);
        Points { y: x.clone().prod_dim(1), x }
    }
}

/// Without shuffling, because burn's checkpoints do not contain the state of the shuffle.
fn points(seed: usize, batches: usize) -> Arc<dyn DataLoader<Points>> {
    let at = |i: usize| (i as f32 * 0.618).fract() * 2.0 - 1.0;
    let points = (seed..seed + batches * BATCH).map(|i| [at(i), at(7 * i + 3)]).collect();
    DataLoaderBuilder::new(Product).batch_size(BATCH).build(InMemDataset::new(points))
}

/// Trains up to this epoch, from the checkpoint of an epoch if one is given.
fn train(
    folder: &Path,
    epochs: usize,
    from: Option<usize>,
) -> Result<Network, Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    device.seed(1);
    let network = Network::new(&device);
    let averaged = network.clone().fork(&device).no_grad(); //+
    let model = Model { network, averaged };
    let rule = AdamW::new().with_weight_decay(0.01); //+
    let no_decay = rule.clone().with_weight_decay(0.0).build(); //+
    let optimizer = rule.init().with_group(vectors(&model), no_decay, None); //+
    let schedule = LrSchedule::for_run("cosine:warmup=10", 1e-2, EPOCHS, BATCHES)?; //+

    let mut training = SupervisedTraining::new(folder, points(0, BATCHES), points(7_000, 4))
        .num_epochs(epochs)
        .with_default_checkpointers()
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(EPOCHS))
        .with_metric_logger(InMemoryMetricLogger::new())
        .metric_train_numeric(LossMetric::new())
        .metric_valid_numeric(LossMetric::new())
        .with_application_logger(None);
    if let Some(epoch) = from {
        training = training.checkpoint(epoch);
    }
    Ok(training.launch(Learner::new(model, optimizer, schedule)).model.averaged)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("downhill-learner-{}", std::process::id()));
    let uninterrupted = train(&folder.join("whole"), EPOCHS, None)?;
    train(&folder.join("parts"), 2, None)?;
    let resumed = train(&folder.join("parts"), EPOCHS, Some(2))?;

    let loss: f64 = uninterrupted.regress(batch()).loss.into_scalar();
    println!("loss of the averaged weights after {EPOCHS} epochs: {loss:.5}");
    assert!(loss < 0.01, "the recipe does not train");
    let weights = |network: &Network| network.output.weight.val().into_data();
    assert_eq!(weights(&uninterrupted), weights(&resumed), "the resumed run is another");
    println!("the run that was resumed after 2 epochs has the same weights, bit for bit");
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn batch() -> Points {
    let at = |i: usize| (i as f32 * 0.377).fract() * 2.0 - 1.0;
    Product.batch((0..256).map(|i| [at(i), at(5 * i + 1)]).collect(), &Device::flex())
}
