//! `downhill plan`.

use std::fmt::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use downhill::docs::counted;
use downhill::lab::runner::{self, PlannedRun, RunPlan, Stage};
use downhill::optim::Optimizers;
use downhill::{Error, Result};

use super::cluster::ClusterArgs;
use super::run::{WhichRuns, refuse_study};
use super::terminal::{say, tell};

#[derive(Args)]
pub struct PlanArgs {
    #[command(flatten)]
    which: WhichRuns,
    /// List only the runs of this stage
    #[arg(long, value_enum, conflicts_with = "engine")]
    stage: Option<StageName>,
    #[command(flatten)]
    cluster: ClusterArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum StageName {
    /// every setting, with the seeds that select
    Settings,
    /// the best settings, with the seeds that are graded
    Seeds,
}

/// Prints the missing runs, one in each line, or writes scripts that make them.
pub fn plan(args: PlanArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let engine = args.cluster.engine()?;
    let arguments = args.which.arguments();
    let (experiment, options) = args.which.options(optimizers)?;
    refuse_study(&experiment, "plan")?;
    let plan = runner::plan(&experiment, optimizers, &options)?;
    if let Some(engine) = engine {
        let cluster = args.cluster.cluster(&experiment.name, &plan, arguments)?;
        cluster.check()?;
        runner::claim_folder(&plan.folder, &experiment)?;
        tell(&summary(&plan));
        return engine.write(&cluster);
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
        text += &format!("; then {later} of the best settings with the graded seeds");
    }
    text
}
