//! `downhill train` and `downhill eval`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use downhill::lab::data::corpus::DEFAULT_TEXT;
use downhill::lab::data::csv_numbers::{ClassColumn, class_column};
use downhill::lab::data::{self, Dataset};
use downhill::lab::device;
use downhill::lab::model::{gpt, saved};
use downhill::lab::record::{Outcome, Run, RunEnd};
use downhill::lab::report::Report;
use downhill::lab::runner::{SingleTraining, Trained};
use downhill::lab::task::{
    Classification, Evaluation, Language, MAX_CONFUSION, SavedTask, evaluate,
};
use downhill::optim::Optimizers;
use downhill::spec::Spec;
use downhill::{Error, Result};

use super::language::{self, SampleArgs};
use super::progress::Bars;
use super::table::table;
use super::tables;
use super::terminal::{Signals, say, tell};

#[derive(Args)]
pub struct TrainArgs {
    /// Model, such as logistic, mlp:hidden=500-300, or gpt:layers=4 for texts
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
    /// .tar.gz of them, or a .csv of labels and texts or numbers; for gpt a text, text:PATH, and its
    /// tokens: "text:PATH|bpe:vocabulary=512" [default: mnist-10k, for gpt shakespeare]
    #[arg(long, value_name = "NAME|PATH")]
    data: Option<String>,
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
    /// Batch size [default: 128, for gpt 32 windows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true)]
    batch: Option<u32>,
    /// Windows of an epoch, for gpt [default: all that the training part of the text has]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), allow_negative_numbers = true)]
    windows: Option<u32>,
    /// Seed of the initial weights and of the order of the examples
    #[arg(long, value_name = "N", default_value = "0", allow_negative_numbers = true)]
    seed: u64,
    /// Longest time between two checkpoints within an epoch
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = super::run::seconds)]
    checkpoint_every: Duration,
    /// Repeat the training even if the same training has finished before. The old record and model
    /// stay until the new ones replace them
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
    #[command(flatten)]
    sample: SampleArgs,
}

pub fn train(args: TrainArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let is_gpt = args.model.parse::<Spec>().is_ok_and(|spec| spec.name == gpt::NAME);
    if is_gpt {
        return train_task(&args, args.language()?, optimizers);
    }
    let task = args.classification()?;
    tell_label(&task.data);
    train_task(&args, task, optimizers)
}

fn train_task(args: &TrainArgs, task: impl SavedTask, optimizers: &Optimizers) -> Result<ExitCode> {
    let single = args.single(task);
    let bar = Bars::new();
    let signals = Signals::handle(bar.clearing())?;
    let trained = single.train(&args.out, optimizers, &bar, &signals.stop);
    bar.finish();
    let trained = trained.map_err(keys_as_options)?;
    let run = &trained.run;
    let outcome = run.ended();
    let summary = format!(
        "optimizer: {}\nschedule: {}\nrecord: {}{}{}",
        run.header.optimizer,
        run.header.schedule,
        trained.record.display(),
        early_stop(run),
        model_lines(&trained)
    );
    if outcome == Some(Outcome::Interrupted) {
        say(&format!("{summary}\n{}; the same command continues there", run.outcome()))?;
        return Ok(signals.exit_code());
    }
    let layers = if args.diagnose { diagnostics(run) } else { String::new() };
    let report = Report::new(None, vec![trained.run], optimizers)?;
    say(&format!("{}\n{layers}{summary}", tables::results(&report)))?;
    Ok(ExitCode::from(u8::from(outcome == Some(Outcome::Diverged))))
}

/// Says which column of a CSV file is the class. If all columns are numbers, the user may want to
/// predict one.
fn tell_label(data: &str) {
    let path = Path::new(data.split('|').next().unwrap_or_default());
    let is_csv = path.extension().is_some_and(|extension| extension == "csv") && path.is_file();
    // if the file cannot be read, the training says why
    let Some(Ok(column)) = is_csv.then(|| class_column(path)) else { return };
    let ClassColumn { name, classes, all_numbers } = column;
    let hint = match all_numbers {
        true => "; to predict a number, use `task = { kind = \"regress\" }` in an experiment",
        false => "",
    };
    tell(&format!("label: {name} ({classes} classes){hint}"));
}

/// The lines about the model of a training.
fn model_lines(trained: &Trained) -> String {
    let Trained { run, model, before, .. } = trained;
    let mut text = String::new();
    if run.ended() == Some(Outcome::Diverged) {
        let reason = run.end.as_ref().and_then(|end| end.reason.clone()).unwrap_or_default();
        text += &format!("\n{}: {reason}", run.outcome());
    }
    let interrupted = run.ended() == Some(Outcome::Interrupted);
    match model {
        None => text += "; the model is not saved",
        Some(path) if interrupted => text += &format!("\nmodel so far: {}", path.display()),
        Some(path) => text += &format!("\nmodel: {}", path.display()),
    }
    if *before {
        text += "\ntrained before; --fresh trains again";
    }
    text
}

impl TrainArgs {
    fn classification(&self) -> Result<Classification> {
        if let Some(windows) = self.windows {
            let expected = "nothing: only texts have windows (--model gpt)";
            return Err(Error::value("--windows", windows, expected));
        }
        Ok(Classification {
            model: self.model.clone(),
            data: self.data.clone().unwrap_or_else(|| "mnist-10k".into()),
            batch: self.batch.unwrap_or(128) as usize,
            penalty: self.penalty.clone(),
            augment: self.augment.clone(),
            validation: self.validation,
            early_stopping: self.early_stopping.clone(),
            measured: None,
        })
    }

    fn language(&self) -> Result<Language> {
        let no = |option: &str, found: &str, expected: &str| match found {
            "none" | "0" => Ok(()),
            found => Err(Error::value(option, found, expected)),
        };
        no("--penalty", &self.penalty, "none for gpt; adamw has weight decay")?;
        no("--augment", &self.augment, "none for gpt, because a text is not an image")?;
        let expected = "0 for gpt: a twentieth of the text is always for validation";
        no("--validation", &self.validation.to_string(), expected)?;
        Ok(Language {
            model: self.model.clone(),
            data: self.data.clone().unwrap_or_else(|| DEFAULT_TEXT.into()),
            batch: self.batch.unwrap_or(32) as usize,
            windows: self.windows.map(|windows| windows as usize),
            early_stopping: self.early_stopping.clone(),
        })
    }

    fn single<T: SavedTask>(&self, task: T) -> SingleTraining<'_, T> {
        SingleTraining {
            task,
            optimizer: &self.optimizer,
            schedule: self.schedule.as_deref(),
            device: &self.device,
            epochs: self.epochs as usize,
            seed: self.seed,
            fresh: self.fresh,
            diagnose: self.diagnose,
            checkpoint_every: self.checkpoint_every,
        }
    }
}

/// The diagnosis of the last step of the run. The last epoch may have no step, if gradients are
/// accumulated over more batches than an epoch has.
fn diagnostics(run: &Run) -> String {
    match run.points.iter().rev().find(|point| !point.layers.is_empty()) {
        Some(point) => tables::layers(point),
        None => "no step to diagnose: no epoch ended with an optimizer step\n".into(),
    }
}

/// Replaces the TOML keys in an error by the options: `task.early_stopping` by `--early-stopping`.
fn keys_as_options(error: Error) -> Error {
    let option = |key: String| match key.strip_prefix("task.") {
        Some(name) => format!("--{}", name.replace('_', "-")),
        None => key,
    };
    match error {
        Error::Value { key, found, expected } => Error::Value { key: option(key), found, expected },
        Error::Without { key, found, needed } => {
            Error::Without { key: option(key), found, needed: option(needed) }
        }
        other => other,
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
    if saved::model_name(&args.model)? == gpt::NAME {
        return language::eval(&args.model, args.data.as_deref(), &args.sample, &device);
    }
    args.sample.check_absent()?;
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
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table(&header, rows).numbers(|column| column > 0).to_string()
}
