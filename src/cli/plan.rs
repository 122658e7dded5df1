//! `downhill plan`.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use downhill::docs::{counted, shell_word};
use downhill::lab::runner::cluster::{Cluster, utf8};
use downhill::lab::runner::{self, PlannedRun, RunPlan, Stage};
use downhill::optim::Optimizers;
use downhill::{Error, Result};

use super::run::{WhichRuns, refuse_study};
use super::terminal::{say, tell};

#[derive(Args)]
#[command(group(clap::ArgGroup::new("engine").args(["slurm", "hyperqueue"])))]
pub struct PlanArgs {
    #[command(flatten)]
    which: WhichRuns,
    /// List only the runs of this stage
    #[arg(long, value_enum, conflicts_with = "engine")]
    stage: Option<StageName>,
    /// Write job scripts for Slurm into the output folder, and print the command that submits them
    #[arg(long)]
    slurm: bool,
    /// Write a script for HyperQueue into the output folder, and print the command that submits the
    /// runs
    #[arg(long)]
    hyperqueue: bool,
    /// Cores of each run
    #[arg(long, value_name = "N", default_value = "1", requires = "engine", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    cpus: u16,
    /// Largest number of tasks at the same time [default: no limit]
    #[arg(long, value_name = "N", requires = "slurm", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    tasks_at_once: Option<u16>,
    /// Time limit of a task. At the limit the task continues from its checkpoint, in the queue again
    #[arg(long, value_name = "HH:MM:SS", requires = "slurm")]
    time: Option<String>,
    /// A further option of `sbatch`, such as --sbatch=--partition=long; may be given several times
    #[arg(long, value_name = "OPTION", requires = "slurm", allow_hyphen_values = true)]
    sbatch: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum StageName {
    /// every setting, with the seeds that select
    Settings,
    /// the best settings, with the remaining seeds
    Seeds,
}

/// Prints the missing runs, one in each line, or writes scripts that make them.
pub fn plan(args: PlanArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let arguments = args.which.arguments();
    let (experiment, options) = args.which.options(optimizers)?;
    refuse_study(&experiment, "plan")?;
    let plan = runner::plan(&experiment, optimizers, &options)?;
    if args.slurm || args.hyperqueue {
        let mut report = Vec::new();
        if options.mix_processors {
            report.push("--mix-processors".to_string());
        }
        let cluster = Cluster {
            name: experiment.name.clone(),
            cpus: args.cpus.into(),
            at_once: args.tasks_at_once.map(usize::from),
            time: args.time,
            sbatch: args.sbatch,
            ..cluster(&plan, arguments, report)?
        };
        let (program, script) = match args.slurm {
            true => ("bash", cluster.write_slurm()?),
            false => ("python3", cluster.write_hyperqueue()?),
        };
        tell(&summary(&plan));
        return say(&format!("{program} {}", shell_word(utf8(&script)?)));
    }
    let runs = match args.stage {
        None => &plan.runs[..],
        Some(stage) => of_stage(&plan, stage)?,
    };
    tell(&summary(&plan));
    if runs.is_empty() { Ok(ExitCode::SUCCESS) } else { say(&lines(runs)) }
}

/// The missing runs of a stage.
fn of_stage(plan: &RunPlan, stage: StageName) -> Result<&[PlannedRun]> {
    match (stage, plan.stage) {
        (StageName::Settings, Stage::Settings) | (StageName::Seeds, Stage::Seeds) => Ok(&plan.runs),
        (StageName::Settings, Stage::Seeds) => Ok(&[]), // complete
        (StageName::Seeds, Stage::Settings) => {
            let missing = counted(plan.runs.len(), "run", "runs");
            let found = format!("seeds, while {missing} of stage settings are missing");
            Err(Error::value("--stage", found, "settings: the best settings are not known yet"))
        }
    }
}

/// Key, steps and name of each run, separated by tabs.
fn lines(runs: &[PlannedRun]) -> String {
    let mut lines = String::new();
    for run in runs {
        let holder = run.holder.as_ref().map(|holder| format!(" ({holder} makes it now)"));
        let holder = holder.unwrap_or_default();
        let _ = writeln!(lines, "{}\t{}\t{}{holder}", run.key, run.steps, run.name);
    }
    lines
}

/// The missing runs for a cluster, with one core each and no limits. Both lists of arguments get the
/// folder.
fn cluster(plan: &RunPlan, arguments: Vec<String>, report: Vec<String>) -> Result<Cluster> {
    let here = |path: PathBuf| path.canonicalize().unwrap_or(path);
    let start = std::env::current_dir().map_err(Error::failed("find the current folder"))?;
    let program = std::env::current_exe().map_err(Error::failed("find this program"))?;
    let folder = start.join(&plan.folder);
    let out = utf8(&folder)?.to_string();
    let keys = || plan.runs.iter().map(|run| run.key.clone()).collect();
    let (settings, seeds) = match plan.stage {
        Stage::Settings => (keys(), plan.later),
        Stage::Seeds => (Vec::new(), plan.runs.len()),
    };
    Ok(Cluster {
        name: String::new(),
        program: utf8(&here(program))?.into(),
        start: here(start),
        arguments: [arguments, vec!["--out".into(), out.clone()]].concat(),
        report: [vec![out], report].concat(),
        folder,
        settings,
        seeds,
        at_once: None,
        time: None,
        cpus: 1,
        sbatch: Vec::new(),
    })
}

/// What the lines are, for standard error.
fn summary(plan: &RunPlan) -> String {
    let runs = counted(plan.runs.len(), "run", "runs");
    let steps: usize = plan.runs.iter().map(|run| run.steps).sum();
    let mut text = format!(
        "{runs} missing, {} complete in stage `{}` ({steps} steps)",
        plan.complete,
        plan.stage.name()
    );
    if plan.later > 0 {
        let later = counted(plan.later, "run", "runs");
        text += &format!("; then {later} with the remaining seeds of the best settings");
    }
    text
}
