//! A model, a loss and data of your own, as an experiment with grids, seeds and claims.
//!
//!     cargo run --release --example own_model

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::tanh};
use downhill::lab::data::{Dataset, Examples};
use downhill::lab::experiment::{Expect, Experiment};
use downhill::lab::runner::{PrintRuns, RunOptions};
use downhill::lab::{report, task::OwnBatch, task::OwnTask};

#[derive(Module, Debug)]
struct Mlp {
    hidden: Linear,
    output: Linear,
}

impl Mlp {
    fn new(device: &Device) -> Mlp {
        let [hidden, output] =
            [(2, 32), (32, 1)].map(|(i, o)| LinearConfig::new(i, o).init(device));
        Mlp { hidden, output }
    }

    fn error(&self, batch: OwnBatch) -> Tensor<2> {
        self.output.forward(tanh(self.hidden.forward(batch.x))) - batch.y
    }
}

fn main() -> std::process::ExitCode {
    report::main(|| {
        let grid = (0..900).map(|i| [i / 30, i % 30]);
        let x: Vec<[f32; 2]> = grid.map(|x| x.map(|x| x as f32 / 15.0 - 1.0)).collect();
        let y: Vec<f32> = x.iter().map(|[a, b]| (3.0 * a).sin() * b).collect();
        let data = Dataset::split("waves", Examples::with_targets(x, y)?, 0.2)?;
        let loss = |mlp: &Mlp, batch| mlp.error(batch).square().mean();
        let task = OwnTask::new("mlp 2-32-1, tanh, squared error", data, 32, Mlp::new, loss)
            .with_measure("mae", "mean absolute error", |mlp, test| mlp.error(test).abs().mean());
        let experiment = Experiment::new("waves", task, "test_loss")
            .with_epochs(30)
            .with_series("SGD", "sgd:lr=[0.1,0.3,1]")
            .with_series("Adam", "adam:lr=[1e-2,3e-2,1e-1]")
            .with_claim("Adam is ahead of SGD", Expect::ahead("Adam", "SGD"))
            .with_claim("Adam's test loss is at most 0.01", Expect::at_most("Adam", 0.01));
        report::run(experiment, &Default::default(), &RunOptions::from_args()?, &PrintRuns)
    })
}
