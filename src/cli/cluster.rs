//! `downhill plan --slurm` and `downhill plan --hyperqueue`.

use std::path::Path;
use std::process::ExitCode;

use clap::{ArgGroup, Args};
use downhill::docs::shell_word;
use downhill::lab::runner::cluster::{Cluster, HYPERQUEUE, utf8};
use downhill::lab::runner::{RunPlan, Stage};
use downhill::{Error, Result};

use super::terminal::{say_unchanged, tell};

/// Which engine makes the runs, and how.
#[derive(Args)]
#[command(group(ArgGroup::new("engine").args(["slurm", "hyperqueue"])))]
pub struct ClusterArgs {
    /// Write job scripts for Slurm into the output folder, and print the command that submits them
    #[arg(long)]
    slurm: bool,
    /// Write a script for HyperQueue into the output folder, and print the command that submits the
    /// runs
    #[arg(long)]
    hyperqueue: bool,
    /// With --slurm or --hyperqueue: cores of each run [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    cpus: Option<u16>,
    /// With --slurm: largest number of tasks at the same time [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    tasks_at_once: Option<u16>,
    /// With --slurm: time limit of a task. Before it, the task writes a checkpoint, and continues
    /// from the queue [default: that of the partition]
    #[arg(long, value_name = "HH:MM:SS", allow_hyphen_values = true)]
    time: Option<String>,
    /// With --slurm: a further option of `sbatch`, such as --sbatch=--partition=long; may be given
    /// several times
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    sbatch: Vec<String>,
}

/// What makes the runs.
#[derive(Clone, Copy)]
pub enum Engine {
    Slurm,
    HyperQueue,
}

impl ClusterArgs {
    /// The engine, if one is asked for.
    ///
    /// # Errors
    /// On an option that does nothing with this engine, or without one.
    pub fn engine(&self) -> Result<Option<Engine>> {
        let cpus = self.cpus.map(|cpus| ("--cpus", cpus.to_string()));
        let at_once = self.tasks_at_once.map(|tasks| ("--tasks-at-once", tasks.to_string()));
        let time = self.time.clone().map(|time| ("--time", time));
        let sbatch = self.sbatch.first().map(|option| ("--sbatch", option.clone()));
        let of_slurm = at_once.or(time).or(sbatch);
        let (engine, useless, expected) = match (self.slurm, self.hyperqueue) {
            (true, _) => return Ok(Some(Engine::Slurm)),
            (false, true) => (Some(Engine::HyperQueue), of_slurm, "this option only with --slurm"),
            (false, false) => match cpus {
                Some(_) => (None, cpus, "this option only with --slurm or --hyperqueue"),
                None => (None, of_slurm, "this option only with --slurm"),
            },
        };
        match useless {
            Some((option, found)) => Err(Error::value(option, found, expected)),
            None => Ok(engine),
        }
    }

    /// The missing runs, and how the cluster makes them. `arguments` say which runs, without the
    /// folder.
    pub fn cluster(self, name: &str, plan: &RunPlan, arguments: Vec<String>) -> Result<Cluster> {
        let start = std::env::current_dir().map_err(Error::failed("find the current folder"))?;
        let program = std::env::current_exe().map_err(Error::failed("find this program"))?;
        let folder = start.join(&plan.folder);
        let out = utf8(&folder)?.to_string();
        let (settings, seeds) = match plan.stage {
            Stage::Settings => (plan.runs.iter().map(|run| run.key.clone()).collect(), plan.later),
            Stage::Seeds => (Vec::new(), plan.runs.len()),
        };
        let mixed = arguments.iter().filter(|argument| *argument == "--mix-processors").cloned();
        Ok(Cluster {
            name: name.into(),
            program: utf8(&program)?.into(),
            start,
            report: [out.clone()].into_iter().chain(mixed).collect(),
            arguments: [arguments, vec!["--out".into(), out]].concat(),
            folder,
            settings,
            seeds,
            at_once: self.tasks_at_once.map(usize::from),
            time: self.time,
            cpus: self.cpus.unwrap_or(1).into(),
            sbatch: self.sbatch,
        })
    }
}

impl Engine {
    /// Writes the scripts. Prints the command that submits, and to standard error what else is
    /// needed.
    pub fn write(self, cluster: &Cluster) -> Result<ExitCode> {
        match self {
            Engine::Slurm => {
                let submit = cluster.write_slurm()?;
                let folder = submit.parent().unwrap_or(Path::new("."));
                tell(&format!(
                    "job scripts for Slurm are in {}; this command submits all jobs:",
                    folder.display()
                ));
                say_unchanged(&format!("bash {}", shell_word(utf8(&submit)?)))
            }
            Engine::HyperQueue => {
                let script = cluster.write_hyperqueue()?;
                let runs = format!("python3 {}", shell_word(utf8(&script)?));
                tell(&format!(
                    "a script for HyperQueue is written. It needs Python with `pip install \
                     {HYPERQUEUE}`, and these two, which stay up:\n  {runs} server &    # on one \
                     host\n  {runs} worker &    # on each host\nthis command submits the runs, \
                     waits for them, and writes the page:"
                ));
                say_unchanged(&runs)
            }
        }
    }
}
