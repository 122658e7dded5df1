//! # Normed: momentum divided by the root of a moving average of its own square
//!
//!     cargo run --release --example own_rule

use downhill::lab::{compare, report};
use downhill::optim::{NamedRule, OptimizerEntry, Rule, StepContext, Value};
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
    let normed = OptimizerEntry::of::<Normed, 2>("normed", include_str!("own_rule.rs"));
    let comparison = compare(["normed", "adam", "momentum"]).rule(normed);
    let comparison = comparison.on("mnist-10k", "mlp:hidden=50").budget(6).seeds(5).epochs(2);
    report::main(|| comparison.out("out/own-rule").run())
}
