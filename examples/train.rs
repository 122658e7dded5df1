//! A training loop of burn's, with one of our optimizers: the two marked lines are all that
//! changes.
//!
//!     cargo run --release --example train

// use burn::optim::AdamConfig;                       // with burn's own
use downhill::optim::Adam; //                          // 1: with ours

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, activation::relu};
use downhill::lab::data::{self, order};
use downhill::lab::seed::Seed;

#[derive(Module, Debug)]
struct Network {
    hidden: Linear,
    output: Linear,
}

impl Network {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.output.forward(relu(self.hidden.forward(x)))
    }
}

fn main() -> downhill::Result<()> {
    let device = Device::flex().autodiff();
    device.seed(1);
    let digits = data::load("mnist-10k")?;
    let (train, test) = (digits.train.to_device(&device), digits.test.to_device(&device).all());

    let mut network = Network {
        hidden: LinearConfig::new(784, 100).init(&device),
        output: LinearConfig::new(100, 10).init(&device),
    };
    // let mut optimizer = AdamConfig::new().with_epsilon(1e-8).init();
    let mut optimizer = Adam::new().with_eps(1e-8).init(); //                          2
    let loss = CrossEntropyLossConfig::new().init(&device);

    for epoch in 1..=5 {
        for places in order(train.len(), Seed(1), epoch).chunks(128) {
            let batch = train.select(places);
            let gradients = loss.forward(network.forward(batch.x), batch.y).backward();
            let gradients = GradientsParams::from_grads(gradients, &network);
            network = optimizer.step(1e-3, network, gradients);
        }
        let right =
            network.forward(test.x.clone()).argmax(1).flatten::<1>(0, 1).equal(test.y.clone());
        println!(
            "epoch {epoch}: test accuracy {:.1} %",
            100.0 * right.float().mean().into_scalar::<f64>()
        );
    }
    Ok(())
}
