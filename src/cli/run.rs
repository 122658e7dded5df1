//! `downhill run`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use downhill::docs::shell_word;
use downhill::lab::data;
use downhill::lab::experiment::{self, Experiment, Scale};
use downhill::lab::grade::MAX_SEEDS;
use downhill::lab::record::Run;
use downhill::lab::report::Report;
use downhill::lab::runner::{self, RunOptions};
use downhill::lab::study::{self, Study, StudyInput};
use downhill::optim::Optimizers;
use downhill::{Error, Result};

use super::terminal::{Signals, say, tell};
use super::{progress, tables};

/// Which runs of which experiment.
#[derive(Args)]
pub struct WhichRuns {
    /// Name of an experiment (see `downhill list experiments`), or a FILE.toml
    pub experiment: String,
    /// Amount of work: quick (minutes), paper (the protocol of the paper) or sweep (a wide grid of
    /// settings)
    #[arg(long, value_enum, default_value = "quick")]
    scale: ScaleName,
    /// Other data: the name of a data set (`downhill list data`), or a path: the files of MNIST,
    /// CIFAR or IMDB, a .tar.gz of them, or a .csv of labels and texts or numbers
    #[arg(long, value_name = "NAME|PATH")]
    data: Option<String>,
    /// flex (CPU), ndarray (CPU) or wgpu (GPU). ndarray and wgpu are optional features: cargo run
    /// --release --features wgpu -- run ...
    #[arg(long, default_value = "flex", value_name = "flex|ndarray|wgpu")]
    device: String,
    /// Number of graded seeds [default: from the scale]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    seeds: Option<u16>,
    /// Output folder of records and page [default: out/EXPERIMENT/SCALE-DATA-DEVICE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Count runs made on processors with other vector instructions, whose last digits may differ
    #[arg(long)]
    mix_processors: bool,
    /// Largest number of seeds, if they are added until every claim is decided
    #[arg(skip)]
    until_decided: Option<u16>,
}

#[derive(Args)]
pub struct RunArgs {
    #[command(flatten)]
    which: WhichRuns,
    /// Number of parallel runs; the results are the same for any number [default: number of cores,
    /// 1 on wgpu]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    jobs: Option<u16>,
    /// Longest time between two checkpoints within an epoch
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    checkpoint_every: Duration,
    /// Make only the run of this key (see `downhill plan`), and no page
    #[arg(long, value_name = "KEY")]
    only: Option<String>,
    /// Repeat runs that already have a record. The old records stay until the new ones replace them
    #[arg(long)]
    fresh: bool,
    /// Add seeds until every claim is decided: 3, 5, 8, 12, 20, 30 .. seeds. The verdicts allow for
    /// these looks, so that at most 5 % of experiments have a wrong one
    #[arg(long, conflicts_with_all = ["seeds", "only"])]
    until_decided: bool,
    /// Largest number of seeds with --until-decided
    #[arg(long, value_name = "N", default_value = "30", requires = "until_decided", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    max_seeds: u16,
    /// Where the best setting is at the edge of a grid, add settings beyond it, up to 4 times, and
    /// record them in the output folder
    #[arg(long, conflicts_with = "only")]
    extend: bool,
    /// Exit with code 1 if a verdict is NOT HELD or FAIL
    #[arg(long, conflicts_with = "only")]
    check: bool,
}

/// A time in seconds.
pub fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds above 0, such as 60".into())
}

#[derive(Clone, Copy, ValueEnum)]
enum ScaleName {
    Quick,
    Paper,
    Sweep,
}

impl From<ScaleName> for Scale {
    fn from(name: ScaleName) -> Scale {
        match name {
            ScaleName::Quick => Scale::Quick,
            ScaleName::Paper => Scale::Paper,
            ScaleName::Sweep => Scale::Sweep,
        }
    }
}

/// Runs an experiment by its name or file.
pub fn run(mut args: RunArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    args.which.until_decided = args.until_decided.then_some(args.max_seeds);
    let (experiment, mut options) = args.which.options(optimizers)?;
    options.jobs = args.jobs.map(usize::from);
    options.checkpoint_every = args.checkpoint_every;
    options.fresh = args.fresh;
    options.extend = args.extend;
    options.check = args.check;
    match args.only {
        Some(key) => run_one(experiment, options, &key, optimizers),
        None => run_and_report(experiment, options, optimizers),
    }
}

impl WhichRuns {
    /// The experiment, and the options that these arguments set.
    pub fn options(self, optimizers: &Optimizers) -> Result<(Experiment, RunOptions)> {
        let (experiment, _) = experiment::load(&self.experiment, optimizers)?;
        let options = RunOptions {
            scale: self.scale.into(),
            command: Some(self.command(&experiment)?),
            data: self.data,
            device: self.device,
            seeds: self.seeds.map(usize::from),
            until_decided: self.until_decided.is_some(),
            max_seeds: self.until_decided.map_or(MAX_SEEDS, usize::from),
            out: self.out,
            mix_processors: self.mix_processors,
            ..RunOptions::default()
        };
        Ok((experiment, options))
    }

    /// The arguments that say which runs, except for the output folder.
    pub fn arguments(&self) -> Vec<String> {
        let scale: Scale = self.scale.into();
        let mut arguments = vec![self.experiment.clone(), "--scale".into(), scale.name().into()];
        let seeds = self.seeds.map(|seeds| seeds.to_string());
        let device = Some(self.device.clone());
        for (name, value) in
            [("--data", self.data.clone()), ("--device", device), ("--seeds", seeds)]
        {
            arguments.extend(value.into_iter().flat_map(|value| [name.to_string(), value]));
        }
        if self.mix_processors {
            arguments.push("--mix-processors".into());
        }
        arguments
    }

    /// The command that makes the same runs, with every default spelled out. File and data are as
    /// they were given.
    fn command(&self, experiment: &Experiment) -> Result<String> {
        let scale: Scale = self.scale.into();
        let extent = experiment.extent_of(scale)?;
        let mut command =
            format!("downhill run {} --scale {}", shell_word(&self.experiment), scale.name());
        if let Some(own) = experiment.task.data() {
            let other = self.data.as_deref().or(extent.data.as_deref());
            let data = other.map_or_else(|| own.into(), |other| data::like(other, own));
            command += &format!(" --data {} --device {}", shell_word(&data), self.device);
        }
        if let Some(most) = self.until_decided {
            command += &format!(" --until-decided --max-seeds {most}");
        } else if experiment.task.study().is_none() || self.seeds.is_some() {
            let seeds = self.seeds.map_or(extent.seeds, usize::from);
            command += &format!(" --seeds {seeds}");
        }
        if self.mix_processors {
            command += " --mix-processors";
        }
        Ok(command + &out_option(self.out.as_deref()))
    }
}

/// The output folder in a command, if it is not the default.
pub fn out_option(out: Option<&Path>) -> String {
    out.map_or(String::new(), |out| format!(" --out {}", shell_word(&out.to_string_lossy())))
}

/// Trains the runs of an experiment, prints the results, and writes the page.
pub fn run_and_report(
    experiment: Experiment,
    mut options: RunOptions,
    optimizers: &Optimizers,
) -> Result<ExitCode> {
    if let Some(study) = experiment.task.study() {
        let study = study::find(study)?;
        return run_study(study, experiment, &options, optimizers);
    }
    let progress = progress::Bars::new();
    let signals = Signals::handle(progress.clearing())?;
    options.stop = signals.stop.clone();
    let results = runner::run(experiment, optimizers, &options, &progress);
    progress.finish();
    let results = results?;
    let from_checkpoint = results.from_checkpoint;
    if results.runs.is_empty() {
        tell("interrupted before the first run");
        return Ok(signals.exit_code());
    }
    let make = if options.mix_processors { Report::mixing_processors } else { Report::new };
    let report = make(Some(results.experiment), results.runs, optimizers)?;
    let page = report.write(&results.folder)?;
    say(&format!("{}\npage: {}", tables::results(&report), page.display()))?;
    if results.interrupted {
        tell(&interrupted(from_checkpoint));
        return Ok(signals.exit_code());
    }
    Ok(exit_code(&report, options.check))
}

/// What an interrupted command says last.
pub fn interrupted(from_checkpoint: usize) -> String {
    let continues = match from_checkpoint {
        0 => return "interrupted; the same command makes the missing runs".into(),
        1 => "1 run continues from a checkpoint".to_string(),
        runs => format!("{runs} runs continue from checkpoints"),
    };
    format!("interrupted; {continues} when the same command is started again")
}

/// Makes one run. A page is written by `report`, once all runs are made.
fn run_one(
    experiment: Experiment,
    mut options: RunOptions,
    key: &str,
    optimizers: &Optimizers,
) -> Result<ExitCode> {
    refuse_study(&experiment, "--only")?;
    let progress = progress::Bars::new();
    let signals = Signals::handle(progress.clearing())?;
    options.stop = signals.stop.clone();
    let results = runner::run_one(experiment, optimizers, &options, &progress, key);
    progress.finish();
    let results = results?;
    if results.interrupted {
        tell(&interrupted(results.from_checkpoint));
        return Ok(signals.exit_code());
    }
    let outcomes: Vec<String> = results.runs.iter().map(Run::outcome).collect();
    say(&format!("{key}: {}", outcomes.join(", ")))
}

/// An error for a study, which has no runs.
pub fn refuse_study(experiment: &Experiment, option: &str) -> Result<()> {
    match experiment.task.study() {
        None => Ok(()),
        Some(_) => Err(Error::value(
            option,
            format!("the study {}, which has no runs", experiment.name),
            "an experiment with runs; `downhill run` computes a study at once",
        )),
    }
}

/// 1 if a verdict is NOT HELD or FAIL and `--check` is given.
fn exit_code(report: &Report, check: bool) -> ExitCode {
    ExitCode::from(u8::from(check && report.is_refuted()))
}

/// Computes, grades and draws a study, which has no runs.
fn run_study(
    study: Study,
    mut experiment: Experiment,
    options: &RunOptions,
    optimizers: &Optimizers,
) -> Result<ExitCode> {
    let extent = experiment.extent_of(options.scale)?;
    if options.until_decided {
        return refuse_study(&experiment, "--until-decided").map(|()| ExitCode::SUCCESS);
    }
    if let Some(data) = &options.data {
        let expected = "no --data, because this experiment uses no data set";
        return Err(Error::value("--data", data, expected));
    }
    if options.device != "flex" {
        let expected = "flex, because this experiment always runs on the CPU, in f64";
        return Err(Error::value("--device", &options.device, expected));
    }
    let input = StudyInput { seeds: options.seeds.unwrap_or(extent.seeds), optimizers };
    let result = study(&input)?;
    let folder = options.out.clone();
    let folder = folder.unwrap_or_else(|| runner::default_folder(&experiment, options.scale));
    runner::claim_folder(&folder, &experiment)?;
    experiment.command = experiment.command.or_else(|| options.command.clone());
    let report = Report::of_study(experiment, result, options.scale);
    let page = report.write(&folder)?;
    say(&format!("{}\npage: {}", tables::results(&report), page.display()))?;
    Ok(exit_code(&report, options.check))
}
