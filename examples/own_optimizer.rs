//! # Normed: momentum divided by the root of a moving average of its own square
//!
//! An update rule of your own: the formula, its settings, and a comparison with tuned baselines on
//! the same weights and batches. Records carry a fingerprint of what a rule does, so after a change
//! of the formula its runs are repeated.
//!
//!     cargo run --release --example own_optimizer

use std::sync::atomic::AtomicBool;

use downhill::experiment::{self, Scale};
use downhill::optim::{NamedRule, OptimizerEntry, Optimizers, Rule, StepContext, Value};
use downhill::record::RunEnd;
use downhill::report::Report;
use downhill::runner::{self, RunObserver, RunOptions};
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

const EXPERIMENT: &str = r#"
name = "normed"
title = "Normed momentum against tuned baselines"
paper = "examples/own_optimizer.rs"
url = ""
about = "A rule of our own on a small network, each optimizer at the best learning rate of its grid."
metric = { name = "train_loss", label = "training loss", choose = "mean" }
task = { kind = "classify", model = "mlp:hidden=50", data = "mnist-10k", batch = 128 }
scale.quick = { epochs = 8, seeds = 3, search = 1, about = "seconds" }

[[series]]
label = "Normed"
optimizer = "normed:lr=[3e-4,1e-3,3e-3,1e-2]"

[[series]]
label = "Adam"
optimizer = "adam:lr=[3e-3,1e-2,3e-2,1e-1]"

[[series]]
label = "Momentum"
optimizer = "momentum:lr=[0.03,0.1,0.3,1]"

[[claim]]
quote = "normed momentum is ahead of Adam"
source = "our hope"
expect = { kind = "ahead", a = "Normed", b = "Adam", at = "mean" }

[[claim]]
quote = "normed momentum is ahead of momentum"
source = "our hope"
expect = { kind = "ahead", a = "Normed", b = "Momentum", at = "mean" }
"#;

struct Quiet;

impl RunObserver for Quiet {
    fn start(&self, runs: usize, _steps: usize, there: usize) {
        println!("{runs} runs to make, {there} are there");
    }
    fn step(&self) {}
    fn run_ended(&self, run: &str, end: &RunEnd, _left: usize) {
        println!("{run}: {}", end.outcome);
    }
}

fn main() -> downhill::Result<()> {
    let optimizers = Optimizers::default()
        .with(OptimizerEntry::of::<Normed, 2>("normed", include_str!("own_optimizer.rs")));
    let experiment = experiment::parse("normed.toml".as_ref(), EXPERIMENT, &optimizers)?;
    let options = RunOptions {
        scale: Scale::Quick,
        data: None,
        device: "flex".into(),
        seeds: None,
        out: None,
        jobs: 2,
        fresh: false,
    };
    let results = runner::run(
        &experiment,
        EXPERIMENT,
        &optimizers,
        &options,
        &Quiet,
        &AtomicBool::new(false),
    )?;
    let report = Report::new(Some(experiment), results.runs, &optimizers)?;
    for row in &report.table {
        println!("{:10} {:16} {}", row.series, row.chosen, row.finals[0]);
    }
    report.remarks.iter().for_each(|remark| println!("{remark}"));
    for verdict in &report.verdicts {
        println!("{}: {}; {}", verdict.verdict, verdict.quote, verdict.margin);
    }
    println!("page: {}", report.write(&results.folder)?.display());
    Ok(())
}
