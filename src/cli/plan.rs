//! `downhill plan`.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use downhill::Result;
use downhill::docs::counted;
use downhill::lab::runner::{self, RunPlan};
use downhill::optim::Optimizers;

use super::run::{WhichRuns, refuse_study};
use super::terminal::{say, tell};

#[derive(Args)]
pub struct PlanArgs {
    #[command(flatten)]
    which: WhichRuns,
}

/// Prints the missing runs, one in each line.
pub fn plan(args: PlanArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let (experiment, options) = args.which.options(optimizers)?;
    refuse_study(&experiment, "plan")?;
    let plan = runner::plan(&experiment, optimizers, &options)?;
    let mut lines = String::new();
    for run in &plan.runs {
        let holder = run.holder.as_ref().map(|holder| format!(" ({holder} makes it now)"));
        let holder = holder.unwrap_or_default();
        let _ = writeln!(lines, "{}\t{}\t{}{holder}", run.key, run.steps, run.name);
    }
    tell(&summary(&plan));
    if lines.is_empty() { Ok(ExitCode::SUCCESS) } else { say(&lines) }
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
