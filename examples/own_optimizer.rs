//! # Normed: momentum divided by the root of a moving average of its own square
//!
//! An update rule of your own: the formula, its settings, and a comparison with tuned baselines on
//! the same weights and batches. Records carry a fingerprint of what a rule does, so after a change
//! of the formula its runs are repeated.
//!
//!     cargo run --release --example own_optimizer

use downhill::lab::experiment::{Expect, Experiment};
use downhill::lab::{report, runner::PrintRuns, runner::RunOptions, task::Classification};
use downhill::optim::{NamedRule, OptimizerEntry, Optimizers, Rule, StepContext, Value};
use downhill::spec::Allowed;

downhill::settings! {
    /// Momentum whose velocity is divided by the root of a moving average of its square.
    pub struct Normed {
        /// share of the velocity that is kept
        mu: f64 = 0.9, Allowed::Decay;
        /// decay rate of the average of v²
        rho: f64 = 0.99, Allowed::Decay;
    }
}

impl NamedRule for Normed {
    const LR: f64 = 1e-3;
}

impl Rule<2> for Normed {
    const STATE: [&'static str; 2] = ["v", "s"];

    fn step<V: Value>(&self, ctx: StepContext, _x: &V, g: V, [v, s]: [V; 2]) -> (V, [V; 2]) {
        let v = v * self.mu + g;
        let s = s * self.rho + v.clone().square() * (1.0 - self.rho);
        (v.clone() * ctx.lr / (s.clone().sqrt() + 1e-8), [v, s])
    }
}

fn main() -> std::process::ExitCode {
    report::main(|| {
        let normed = OptimizerEntry::of::<Normed, 2>("normed", include_str!("own_optimizer.rs"));
        let task = Classification::new("mlp:hidden=50", "mnist-10k", 128);
        let experiment = Experiment::new("normed", task, "train_loss")
            .with_epochs(8)
            .with_mean_metric()
            .with_series("Normed", "normed:lr=[3e-4,1e-3,3e-3,1e-2]")
            .with_series("Adam", "adam:lr=[3e-3,1e-2,3e-2,1e-1]")
            .with_series("Momentum", "momentum:lr=[0.03,0.1,0.3,1]")
            .with_claim("ahead of Adam", Expect::ahead_on_average("Normed", "Adam"))
            .with_claim("ahead of momentum", Expect::ahead_on_average("Normed", "Momentum"));
        let optimizers = Optimizers::default().with(normed);
        report::run(experiment, &optimizers, &RunOptions::from_args()?, &PrintRuns)
    })
}
