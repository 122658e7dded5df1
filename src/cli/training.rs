//! `train` and `eval`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use downhill::data;
use downhill::device;
use downhill::experiment::Classification;
use downhill::experiment::run::Single;
use downhill::model::saved;
use downhill::optim::Optimizers;
use downhill::problem::classify::evaluate;
use downhill::record::{End, Outcome, Run};
use downhill::report::Report;
use downhill::{Error, Result};

use super::progress::Bars;
use super::{on_ctrl_c, say, tables};

#[derive(Args)]
pub struct TrainArgs {
    /// Spec of the model, such as logistic or mlp:hidden=500-300
    #[arg(long, value_name = "SPEC")]
    model: String,
    /// The optimizer, such as adam:lr=1e-3,beta2=0.99, and what stands around it: "clip_global:max=1|adam|ema|cosine"
    #[arg(long, value_name = "LINE")]
    optimizer: String,
    /// Spec of the learning-rate schedule, where the optimizer's line has none [default: constant]
    #[arg(long, value_name = "SPEC")]
    schedule: Option<String>,
    /// Penalties and constraints on the weights: l2:lambda=1e-4, or "l1:lambda=1e-4,by=prox|max_norm:max=3"
    #[arg(long, value_name = "SPEC", default_value = "none")]
    penalty: String,
    /// A set by name (`downhill list data`), or a path: the files of MNIST, CIFAR or IMDB, a .tar.gz of them, or a .csv of labels and texts
    #[arg(long, value_name = "NAME|PATH", default_value = "mnist-10k")]
    data: String,
    /// What is done to the images of each batch: none, or "hflip|crop:pad=4|color:brightness=0.2"
    #[arg(long, value_name = "SPECS", default_value = "none")]
    augment: String,
    /// Share of the training part that validates
    #[arg(long, value_name = "SHARE", default_value = "0", allow_negative_numbers = true)]
    validation: f64,
    /// When to stop by the loss of the validation part: none, or early_stopping:patience=5
    #[arg(long, value_name = "SPEC", default_value = "none")]
    early_stopping: String,
    /// flex, ndarray or wgpu
    #[arg(long, default_value = "flex", value_name = "flex|ndarray|wgpu")]
    device: String,
    /// Passes over the data
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Examples in a batch
    #[arg(long, value_name = "N", default_value = "128", value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Of first weights and order of the examples
    #[arg(long, value_name = "N", default_value = "0", allow_negative_numbers = true)]
    seed: u64,
    /// Train again what was trained to the end before
    #[arg(long)]
    fresh: bool,
    /// Tell what the last step of each epoch did to every parameter: step size and its bound, signal to noise, share of eps
    #[arg(long)]
    diagnose: bool,
    /// Folder of the record and of the model
    #[arg(long, value_name = "DIR", default_value = "out/train")]
    out: PathBuf,
}

/// What the model of an interrupted training ends in, beside its record.
const SO_FAR: &str = "interrupted.safetensors";

#[derive(Args)]
pub struct EvalArgs {
    /// The .safetensors file that `downhill train` wrote
    model: PathBuf,
    /// Other data than it was trained on, as for train; prepared as those were. The test part is used
    #[arg(long, value_name = "NAME|PATH")]
    data: Option<String>,
    /// flex, ndarray or wgpu
    #[arg(long, default_value = "flex", value_name = "flex|ndarray|wgpu")]
    device: String,
}

pub fn train(args: TrainArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let single = Single {
        task: Classification {
            model: args.model,
            data: args.data,
            batch: args.batch as usize,
            penalty: args.penalty,
            augment: args.augment,
            validation: args.validation,
            early_stopping: args.early_stopping,
            measured: None,
        },
        optimizer: &args.optimizer,
        schedule: args.schedule.as_deref(),
        device: &args.device,
        epochs: args.epochs as usize,
        seed: args.seed,
        fresh: args.fresh,
        diagnose: args.diagnose,
    };
    let stop = on_ctrl_c()?;
    let bar = Bars::new();
    let trained = single.train(&args.out, optimizers, |steps| bar.show(steps), || bar.inc(), &stop);
    bar.finish();
    let (run, net, record) = trained.map_err(as_options)?;
    let mut ending = format!("optimizer: {}\nschedule: {}\nrecord: {}", run.header.optimizer, run.header.schedule, record.display());
    ending += &stopped_early(&run);
    let outcome = run.ended();
    let path = record.with_extension("safetensors"); // beside its record, under the same name
    if outcome != Some(Outcome::Interrupted) {
        let _ = std::fs::remove_file(record.with_extension(SO_FAR)); // of an earlier try; there need not be one
    }
    match (net, outcome) {
        (net, Some(Outcome::Diverged)) => {
            let reason = run.end.as_ref().and_then(|end| end.reason.clone()).unwrap_or_default();
            ending += &format!("\n{}: {reason}", run.outcome());
            match (net, run.end.as_ref().is_some_and(|end| end.kept.is_some())) {
                (Some(net), true) => {
                    saved::save(&net.model, &net.told, &path)?;
                    ending += &format!("\nmodel: {}", path.display());
                }
                (None, true) => ending += &made_before(&path),
                (_, false) => ending += "; the model is not saved",
            }
        }
        (None, _) => ending += &made_before(&path),
        (Some(net), Some(Outcome::Interrupted)) => {
            let path = record.with_extension(SO_FAR);
            saved::save(&net.model, &net.told, &path)?;
            say(&format!("{ending}\nmodel so far: {}\n{}; the same command begins again", path.display(), run.outcome()))?;
            return Ok(ExitCode::from(130));
        }
        (Some(net), _) => {
            saved::save(&net.model, &net.told, &path)?;
            ending += &format!("\nmodel: {}", path.display());
        }
    }
    // the last epoch may have taken no step, where gradients are accumulated over more batches than it has
    let diagnosed = run.points.iter().rev().find(|point| !point.layers.is_empty()).filter(|_| args.diagnose);
    let layers = match diagnosed {
        Some(point) => tables::layers(point),
        None if args.diagnose => "no step to diagnose: the last batches of no epoch took one\n".into(),
        None => String::new(),
    };
    let report = Report::new(None, vec![run], optimizers)?;
    say(&format!("{}\n{layers}{ending}", tables::results(&report)))?;
    Ok(ExitCode::from(u8::from(outcome == Some(Outcome::Diverged))))
}

/// Keys of an experiment's task are options here: `task.early_stopping` is `--early-stopping`.
fn as_options(error: Error) -> Error {
    let Error::Asked(text) = &error else { return error };
    match text.strip_prefix("task.").and_then(|text| text.split_once(':')) {
        Some((key, rest)) => Error::Asked(format!("--{}:{rest}", key.replace('_', "-"))),
        None => error,
    }
}

/// What is said of a model that was trained before.
fn made_before(path: &Path) -> String {
    match path.is_file() {
        true => format!("\nmodel: {}\ntrained before, and not again; --fresh does", path.display()),
        false => format!("\ntrained before, but the model {} is not there any more; --fresh trains again", path.display()),
    }
}

/// Whether early stopping had a say, and which model was handed out.
fn stopped_early(run: &Run) -> String {
    let Some(End { outcome, reason, kept, .. }) = &run.end else { return String::new() };
    let last = run.points.last().map_or(0, |point| point.epoch);
    let early = reason.as_ref().filter(|_| *outcome == Outcome::Finished);
    let mut text = early.map_or(String::new(), |reason| format!("\nstopped after pass {last} of {}: {reason}", run.header.epochs));
    if let Some(kept) = kept {
        text += &format!("\nkept: the model after pass {kept}, the best by the validation loss");
    }
    text
}

pub fn eval(args: EvalArgs) -> Result<ExitCode> {
    let device = device::find(&args.device)?;
    let (net, told) = saved::load(&args.model, &device)?;
    let asked = args.data.map_or_else(|| told.data.clone(), |data| data::like(&data, &told.data));
    let data = data::load(&asked)?;
    told.fits(&asked, &data)?;
    let shapes = &told.shapes;
    let result = evaluate(&net, &data.test.resident(&device));
    let header: Vec<String> =
        ["actual \\ predicted".into()].into_iter().chain((0..shapes.classes).map(|class| data.class(class))).collect();
    let rows = result
        .confusion
        .iter()
        .enumerate()
        .map(|(class, row)| std::iter::once(data.class(class)).chain(row.iter().map(usize::to_string)).collect::<Vec<_>>());
    let confusion = tables::table(&header.iter().map(String::as_str).collect::<Vec<_>>(), rows);
    say(&format!(
        "{} on the {} test examples of {}\nloss     {:.4}\naccuracy {:.4}\n\n{confusion}",
        told.spec,
        data.test.len(),
        data.name,
        result.loss,
        result.accuracy()
    ))
}
