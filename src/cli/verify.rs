//! `downhill verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use downhill::lab::verify::{Apart, Replay, Tolerance, read};
use downhill::optim::Optimizers;
use downhill::{Error, Result};

use super::table::{TextTable, table};
use super::terminal::say;

#[derive(Args)]
pub struct VerifyArgs {
    /// A file of recorded trajectories, written by tests/golden/generate.py
    file: PathBuf,
    /// Largest allowed relative error in f64
    #[arg(long, value_name = "X", default_value = "1e-10", allow_negative_numbers = true)]
    tolerance: f64,
    /// Relative error in f32 above which a step is reported as outside the tolerance. Only f64
    /// decides whether a case agrees
    #[arg(long, value_name = "X", default_value = "1e-5", allow_negative_numbers = true)]
    tolerance_f32: f64,
}

pub fn verify(args: VerifyArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    for (key, value) in [("--tolerance", args.tolerance), ("--tolerance-f32", args.tolerance_f32)] {
        if !(value >= 0.0 && value.is_finite()) {
            return Err(Error::value(key, value, "a finite number of at least 0"));
        }
    }
    let tolerance = Tolerance { double: args.tolerance, single: args.tolerance_f32 };
    let replays = read(&args.file)?.replay(&args.file, optimizers, tolerance)?;
    let mut text = format!(
        "{}\nThe errors are relative. In f64, rounding errors do not count. The tolerance is {:e} in f64 and {:e} in f32. Only f64 decides whether a case agrees.\n",
        replay_table(&replays),
        tolerance.double,
        tolerance.single
    );
    for (sparse, cases) in [(true, "sparse cases"), (false, "cases")] {
        let replays = replays.iter().filter(|replay| replay.sparse == sparse);
        let agreeing = replays.clone().filter(|replay| replay.agrees()).count();
        let count = replays.count();
        if count > 0 {
            text += &format!("{agreeing} of {count} {cases} agree\n");
        }
    }
    say(&text)?;
    Ok(if replays.iter().all(Replay::agrees) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn replay_table(replays: &[Replay]) -> TextTable {
    let first_outside =
        |apart: Apart| apart.left_at.map_or("-".into(), |step| format!("step {step}"));
    let row = |replay: &Replay| {
        vec![
            if replay.agrees() { "agrees" } else { "DIFFERS" }.into(),
            replay.case.clone(),
            replay.line.clone(),
            format!("{:.1e}", replay.double.largest),
            first_outside(replay.double),
            format!("{:.1e}", replay.single.largest),
            first_outside(replay.single),
        ]
    };
    let header = [
        "result",
        "recorded",
        "replayed as",
        "error in f64",
        "first outside",
        "error in f32",
        "first outside",
    ];
    table(&header, replays.iter().map(row)).numbers(|column| column > 2)
}
