//! `verify`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use comfy_table::CellAlignment;
use downhill::optim::Optimizers;
use downhill::verify::{Apart, Replay, Tolerance, read};
use downhill::{Error, Result};

use super::say;
use super::tables::table;

#[derive(Args)]
pub struct VerifyArgs {
    /// A file of trajectories, as tests/golden/generate.py writes it
    file: PathBuf,
    /// Largest relative error in f64
    #[arg(long, value_name = "X", default_value = "1e-10", allow_negative_numbers = true)]
    tolerance: f64,
    /// Relative error in f32 from which a step is shown as one that leaves; f64 decides
    #[arg(long, value_name = "X", default_value = "1e-5", allow_negative_numbers = true)]
    tolerance_f32: f64,
}

pub fn verify(args: VerifyArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    for (key, value) in [("--tolerance", args.tolerance), ("--tolerance-f32", args.tolerance_f32)] {
        if !(value >= 0.0 && value.is_finite()) {
            return Err(Error::Asked(format!("{key} is {value}, expected 0 or a finite number above")));
        }
    }
    let tolerance = Tolerance { double: args.tolerance, single: args.tolerance_f32 };
    let replays = read(&args.file)?.replay(&args.file, optimizers, tolerance)?;
    let left = |apart: Apart| apart.left_at.map_or("-".into(), |step| format!("step {step}"));
    let row = |replay: &Replay| {
        vec![
            if replay.agrees() { "agrees" } else { "DIFFERS" }.into(),
            replay.case.clone(),
            replay.line.clone(),
            format!("{:.1e}", replay.double.largest),
            left(replay.double),
            format!("{:.1e}", replay.single.largest),
            left(replay.single),
        ]
    };
    let header = ["", "recorded", "replayed as", "f64, beyond rounding", "leaves", "f32", "leaves"];
    let mut all = table(&header, replays.iter().map(row));
    for column in all.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let count = |sparse: bool| {
        let of: Vec<&Replay> = replays.iter().filter(|replay| replay.sparse == sparse).collect();
        (of.iter().filter(|replay| replay.agrees()).count(), of.len())
    };
    let (sparse, dense) = (count(true), count(false));
    let mut text = format!(
        "{all}\nrelative errors, those in f64 beyond rounding; tolerance {:e} in f64 and {:e} in f32; f64 decides\n",
        tolerance.double, tolerance.single
    );
    if sparse.1 > 0 {
        text += &format!("{} of {} sparse cases agree\n", sparse.0, sparse.1);
    }
    if dense.1 > 0 {
        text += &format!("{} of {} cases agree", dense.0, dense.1);
    }
    say(&text)?;
    Ok(if replays.iter().all(Replay::agrees) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
