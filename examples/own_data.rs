//! Arrays of your own: a function of two numbers, which a small network learns.
//!
//!     cargo run --release --example own_data

use downhill::lab::data::{Dataset, Examples};
use downhill::lab::{compare, report};

/// sin(3 a) b on 900 points; a fifth of them is the test set.
fn waves() -> downhill::Result<Dataset> {
    let grid = (0..900).map(|i| [i / 30, i % 30]);
    let x: Vec<[f32; 2]> = grid.map(|x| x.map(|x| x as f32 / 15.0 - 1.0)).collect();
    let y: Vec<f32> = x.iter().map(|[a, b]| (3.0 * a).sin() * b).collect();
    Dataset::split("waves", Examples::with_targets(x, y)?, 0.2)
}

fn main() -> std::process::ExitCode {
    report::main(|| {
        compare(["adam", "sgd", "momentum"])
            .on(waves()?, "mlp:hidden=32")
            .budget(6)
            .seeds(5)
            .epochs(30)
            .batch(32)
            .out("out/own-data")
            .run()
    })
}
