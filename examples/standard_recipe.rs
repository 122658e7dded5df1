//! The standard recipe in burn's own training loop: AdamW without decay on biases and norms,
//! clipping by the global norm, a cosine schedule with warm-up, a moving average of the weights,
//! checkpoints, and a resume that is equal bit for bit. The lines marked `//+` are what it adds to
//! burn's loop.
//!
//!     cargo run --release --example standard_recipe --no-default-features --features flex

use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, activation::relu};
use downhill::Pipeline; //+

const EPOCHS: usize = 4;
const BATCHES: usize = 25;
const SPEC: &str = "clip_global:max=1|adamw:lr=1e-2,weight_decay=0.01\
                    |group:params=vectors,weight_decay=0|ema:decay=0.9|cosine:warmup=10"; //+

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

    fn loss(&self, x: Tensor<2>) -> Tensor<1> {
        let y = x.clone().prod_dim(1);
        (self.output.forward(relu(self.norm.forward(self.hidden.forward(x)))) - y).square().mean()
    }
}

/// The same points in the same order for each run: a grid, shifted a little in each batch.
fn batch(n: usize, device: &Device) -> Tensor<2> {
    let at = |i: usize| (i as f32 * 0.618 + n as f32 * 0.414).fract() * 2.0 - 1.0;
    let points: Vec<f32> = (0..128).flat_map(|i| [at(i), at(7 * i + 3)]).collect();
    Tensor::<1>::from_floats(points.as_slice(), device).reshape([128, 2])
}

/// Trains the epochs that are left after the checkpoint in this folder, if there is one.
fn train(
    epochs: std::ops::Range<usize>,
    folder: &std::path::Path,
    device: &Device,
) -> Result<Network, Box<dyn std::error::Error>> {
    let mut network = Network::new(device);
    let mut optimizer = SPEC.parse::<Pipeline>()?.with_run(EPOCHS, BATCHES)?; //+
    if epochs.start > 0 {
        network = network.try_load_file(folder.join("model"))?;
        optimizer.load(&std::fs::read(folder.join("optimizer"))?, &network)?; //+
    }
    for epoch in epochs {
        for n in 0..BATCHES {
            let loss = network.loss(batch(epoch * BATCHES + n, device));
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            network = optimizer.step(network, gradients)?; //+
        }
        network.clone().save_file(folder.join("model"))?;
        std::fs::write(folder.join("optimizer"), optimizer.save(&network)?)?; //+
        let averaged = optimizer.evaluation_model(&network)?; //+
        let loss: f64 = averaged.loss(batch(1000, device)).into_scalar();
        println!("epoch {}: test loss {loss:.5}, next lr {:.2e}", epoch + 1, optimizer.lr()?);
    }
    Ok(optimizer.evaluation_model(&network)?) //+
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    let folder = std::env::temp_dir().join(format!("standard_recipe-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    device.seed(1);
    let uninterrupted = train(0..EPOCHS, &folder, &device)?;

    println!("again, stopped after two epochs and resumed");
    device.seed(1);
    train(0..2, &folder, &device)?;
    let resumed = train(2..EPOCHS, &folder, &device)?;
    let numbers = |network: &Network| network.output.weight.val().into_data();
    assert_eq!(numbers(&uninterrupted), numbers(&resumed), "the resumed run is another");
    println!("the resumed run has the same weights, bit for bit");
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
