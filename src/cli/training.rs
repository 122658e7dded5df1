//! `downhill train` and `downhill eval`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use downhill::lab::data::{self, Dataset};
use downhill::lab::device;
use downhill::lab::model::saved;
use downhill::lab::record::{Outcome, Run, RunEnd};
use downhill::lab::report::Report;
use downhill::lab::runner::{SingleTraining, TrainedModel};
use downhill::lab::task::{Classification, Evaluation, MAX_CONFUSION, evaluate};
use downhill::optim::Optimizers;
use downhill::{Error, Result};

use super::progress::Bars;
use super::tables;
use super::terminal::{on_ctrl_c, say};

#[derive(Args)]
pub struct TrainArgs {
    /// Model, such as logistic or mlp:hidden=500-300
    #[arg(long, value_name = "SPEC")]
    model: String,
    /// Optimizer, such as adam:lr=1e-3,beta2=0.99, with gradient transformations and schedule:
    /// "clip_global:max=1|adam|ema|cosine"
    #[arg(long, value_name = "SPEC")]
    optimizer: String,
    /// Learning-rate schedule, if --optimizer has none [default: constant]
    #[arg(long, value_name = "SPEC")]
    schedule: Option<String>,
    /// Penalties and constraints on the weights: none, l2:lambda=1e-4, or
    /// "l1:lambda=1e-4,by=prox|max_norm:max=3"
    #[arg(long, value_name = "SPEC", default_value = "none")]
    penalty: String,
    /// Name of a data set (`downhill list data`), or a path: the files of MNIST, CIFAR or IMDB, a
    /// .tar.gz of them, or a .csv of labels and texts or numbers
    #[arg(long, value_name = "NAME|PATH", default_value = "mnist-10k")]
    data: String,
    /// Augmentations of the images of each batch: none, or "hflip|crop:pad=4|color:brightness=0.2"
    #[arg(long, value_name = "SPEC", default_value = "none")]
    augment: String,
    /// Fraction of the training set used for validation
    #[arg(long, value_name = "FRACTION", default_value = "0", allow_negative_numbers = true)]
    validation: f64,
    /// Early stopping by the validation loss: none, or early_stopping:patience=5
    #[arg(long, value_name = "SPEC", default_value = "none")]
    early_stopping: String,
    /// flex (CPU), ndarray (CPU) or wgpu (GPU)
    #[arg(long, default_value = "flex", value_name = "flex|ndarray|wgpu")]
    device: String,
    /// Number of epochs
    #[arg(long, value_name = "N", default_value = "10", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true)]
    epochs: u32,
    /// Batch size
    #[arg(long, value_name = "N", default_value = "128", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true)]
    batch: u32,
    /// Seed of the initial weights and of the order of the examples
    #[arg(long, value_name = "N", default_value = "0", allow_negative_numbers = true)]
    seed: u64,
    /// Repeat the training even if the same training has finished before
    #[arg(long)]
    fresh: bool,
    /// Diagnose the last step of each epoch for every parameter: step size and its bound,
    /// signal-to-noise ratio, and the share of elements whose denominator is mostly eps. The record
    /// contains all epochs; the last one is printed
    #[arg(long)]
    diagnose: bool,
    /// Output folder of the record and the model
    #[arg(long, value_name = "DIR", default_value = "out/train")]
    out: PathBuf,
}

/// The file extension of the model of an interrupted training.
const INTERRUPTED: &str = "interrupted.safetensors";

#[derive(Args)]
pub struct EvalArgs {
    /// The .safetensors file that `downhill train` wrote
    model: PathBuf,
    /// Data set to evaluate on, a name or path as for `train` [default: that of the training]. It
    /// is prepared like the training data. Only its test set is used
    #[arg(long, value_name = "NAME|PATH")]
    data: Option<String>,
    /// flex (CPU), ndarray (CPU) or wgpu (GPU)
    #[arg(long, default_value = "flex", value_name = "flex|ndarray|wgpu")]
    device: String,
}

pub fn train(args: TrainArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let single = args.single();
    let stop = on_ctrl_c()?;
    let bar = Bars::new();
    let trained = single.train(&args.out, optimizers, |steps| bar.show(steps), || bar.inc(), &stop);
    bar.finish();
    let (run, net, record) = trained.map_err(keys_as_options)?;
    let outcome = run.ended();
    let saved = save(&run, net.as_ref(), &record)?;
    let summary = format!(
        "optimizer: {}\nschedule: {}\nrecord: {}{}{saved}",
        run.header.optimizer,
        run.header.schedule,
        record.display(),
        early_stop(&run)
    );
    if outcome == Some(Outcome::Interrupted) {
        say(&format!("{summary}\n{}; the same command starts the training again", run.outcome()))?;
        return Ok(ExitCode::from(130));
    }
    let layers = if args.diagnose { diagnostics(&run) } else { String::new() };
    let report = Report::new(None, vec![run], optimizers)?;
    say(&format!("{}\n{layers}{summary}", tables::results(&report)))?;
    Ok(ExitCode::from(u8::from(outcome == Some(Outcome::Diverged))))
}

impl TrainArgs {
    fn single(&self) -> SingleTraining<'_> {
        SingleTraining {
            task: Classification {
                model: self.model.clone(),
                data: self.data.clone(),
                batch: self.batch as usize,
                penalty: self.penalty.clone(),
                augment: self.augment.clone(),
                validation: self.validation,
                early_stopping: self.early_stopping.clone(),
                measured: None,
            },
            optimizer: &self.optimizer,
            schedule: self.schedule.as_deref(),
            device: &self.device,
            epochs: self.epochs as usize,
            seed: self.seed,
            fresh: self.fresh,
            diagnose: self.diagnose,
        }
    }
}

/// Saves the model beside its record, under the same name. Returns the lines about it.
fn save(run: &Run, net: Option<&TrainedModel>, record: &Path) -> Result<String> {
    let path = record.with_extension("safetensors");
    let outcome = run.ended();
    if outcome == Some(Outcome::Interrupted) {
        let Some(net) = net else { return Ok(String::new()) };
        let path = record.with_extension(INTERRUPTED);
        saved::save(&net.model, &net.card, &path)?;
        return Ok(format!("\nmodel so far: {}", path.display()));
    }
    // remove the model of an earlier interrupted run, if there is one
    let _ = std::fs::remove_file(record.with_extension(INTERRUPTED));
    let end = run.end.as_ref();
    let mut text = String::new();
    if outcome == Some(Outcome::Diverged) {
        let reason = end.and_then(|end| end.reason.clone()).unwrap_or_default();
        text += &format!("\n{}: {reason}", run.outcome());
        if end.is_none_or(|end| end.kept.is_none()) {
            return Ok(text + "; the model is not saved");
        }
    }
    match net {
        None => text += &trained_before(&path),
        Some(net) => {
            saved::save(&net.model, &net.card, &path)?;
            text += &format!("\nmodel: {}", path.display());
        }
    }
    Ok(text)
}

/// The diagnosis of the last step of the run. The last epoch may have no step, if gradients are
/// accumulated over more batches than an epoch has.
fn diagnostics(run: &Run) -> String {
    match run.points.iter().rev().find(|point| !point.layers.is_empty()) {
        Some(point) => tables::layers(point),
        None => "no step to diagnose: no epoch ended with an optimizer step\n".into(),
    }
}

/// Replaces the TOML key in an error by the option: `task.early_stopping` by `--early-stopping`.
fn keys_as_options(error: Error) -> Error {
    let Error::Invalid(text) = &error else { return error };
    match text.strip_prefix("task.").and_then(|text| text.split_once(':')) {
        Some((key, rest)) => Error::Invalid(format!("--{}:{rest}", key.replace('_', "-"))),
        None => error,
    }
}

/// The line about a model that was trained before.
fn trained_before(path: &Path) -> String {
    let shown = path.display();
    match path.is_file() {
        true => format!("\nmodel: {shown}\ntrained before; --fresh trains again"),
        false => {
            format!("\ntrained before, but the model {shown} is missing; --fresh trains again")
        }
    }
}

/// The lines about an early stop and about the model that was kept.
fn early_stop(run: &Run) -> String {
    let Some(RunEnd { outcome, reason, kept, .. }) = &run.end else { return String::new() };
    let last = run.points.last().map_or(0, |point| point.epoch);
    let mut text = String::new();
    if let (Some(reason), Outcome::Finished) = (reason, outcome) {
        text += &format!("\nstopped after epoch {last} of {}: {reason}", run.header.epochs);
    }
    if let Some(kept) = kept {
        text +=
            &format!("\nkept: the model after epoch {kept}, which has the lowest validation loss");
    }
    text
}

pub fn eval(args: EvalArgs) -> Result<ExitCode> {
    let device = device::find(&args.device)?;
    let (net, card) = saved::load(&args.model, &device)?;
    let asked = args.data.map_or_else(|| card.data.clone(), |data| data::like(&data, &card.data));
    let data = data::load(&asked)?;
    card.fits(&asked, &data)?;
    let result = evaluate(&net, &data.test.to_device(&device));
    say(&format!(
        "{} on the {} test examples of {}\nloss     {:.4}\naccuracy {:.4}\n\n{}",
        card.spec,
        data.test.len(),
        data.name,
        result.loss,
        result.accuracy(),
        confusion(&data, &result)
    ))
}

/// A row for each actual class, a column for each predicted one.
fn confusion(data: &Dataset, result: &Evaluation) -> String {
    if result.confusion.is_empty() {
        return format!("no confusion matrix: more than {MAX_CONFUSION} classes");
    }
    let classes = (0..data.classes).map(|class| data.class(class));
    let header: Vec<String> = ["actual \\ predicted".into()].into_iter().chain(classes).collect();
    let row = |(class, counts): (usize, &Vec<usize>)| {
        std::iter::once(data.class(class)).chain(counts.iter().map(usize::to_string)).collect()
    };
    let rows = result.confusion.iter().enumerate().map(row);
    tables::table(&header.iter().map(String::as_str).collect::<Vec<_>>(), rows).to_string()
}
