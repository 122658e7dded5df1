//! A burn module and a loss of your own, trained by three optimizers on the bundled digits.
//!
//!     cargo run --release --example own_model

use burn::module::Module;
use burn::nn::{Linear, LinearConfig, loss::CrossEntropyLossConfig};
use burn::tensor::{Device, Tensor, activation::relu};
use downhill::lab::compare::{compare, own};
use downhill::lab::{report, task::OwnBatch};

#[derive(Module, Debug)]
struct Mlp {
    hidden: Linear,
    output: Linear,
}

impl Mlp {
    fn new(device: &Device) -> Mlp {
        let [hidden, output] =
            [(784, 50), (50, 10)].map(|(i, o)| LinearConfig::new(i, o).init(device));
        Mlp { hidden, output }
    }

    fn loss(&self, batch: OwnBatch) -> Tensor<1> {
        let scores = self.output.forward(relu(self.hidden.forward(batch.x)));
        CrossEntropyLossConfig::new().init(&scores.device()).forward(scores, batch.classes)
    }
}

fn main() -> std::process::ExitCode {
    let mlp = own("mlp 784-50-10, relu, cross-entropy", Mlp::new, Mlp::loss);
    let comparison = compare(["adam", "sgd", "momentum"]).on("mnist-10k", mlp);
    report::main(|| comparison.budget(6).seeds(5).epochs(2).out("out/own-model").run())
}
