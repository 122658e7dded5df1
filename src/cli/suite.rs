//! `downhill suite`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use downhill::docs::{counted, shell_word};
use downhill::lab::runner::RunOptions;
use downhill::lab::suite::{self, Beside, Entrant, Suite, SuitePage, Table};
use downhill::optim::Optimizers;
use downhill::{Error, Result};

use super::progress;
use super::run::{interrupted, out_option};
use super::table::table;
use super::terminal::{Signals, say, tell};

/// Which suite, and what is added.
#[derive(Args)]
pub struct SuiteArgs {
    /// Name of a suite, or a FILE.toml
    #[arg(default_value = "laptop", value_name = "NAME|FILE")]
    suite: String,
    /// Run only this optimizer, and show it beside the results that come with the program, or those
    /// of --beside. The spec has a range: "mine=adam:beta1=0.8,lr=log(1e-5,1e-1)". May be repeated
    #[arg(long, value_name = "LABEL=SPEC")]
    add: Vec<String>,
    /// The suite.json of an earlier run, to show the added optimizers beside its results
    #[arg(long, value_name = "FILE", requires = "add")]
    beside: Option<PathBuf>,
    /// Run only this problem. May be repeated
    #[arg(long, value_name = "NAME", conflicts_with = "add")]
    problem: Vec<String>,
    /// Output folder [default: out/suite-NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// flex (CPU), ndarray (CPU) or wgpu (GPU)
    #[arg(long, default_value = "flex", value_name = "flex|ndarray|wgpu")]
    device: String,
    /// Number of parallel runs; the results are the same for any number [default: number of cores,
    /// 1 on wgpu]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    jobs: Option<u16>,
    /// Repeat runs that already have a record
    #[arg(long)]
    fresh: bool,
    /// Count runs made on processors with other vector instructions, whose last digits may differ
    #[arg(long)]
    mix_processors: bool,
}

/// Runs a suite and writes its page.
pub fn suite(args: SuiteArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let (whole, _) = suite::load(&args.suite, optimizers)?;
    let whole = whole.only(&args.problem)?;
    let (suite, beside) = match args.add.is_empty() {
        true => (whole, None),
        false => (args.added(&whole)?, Some(args.results_beside(&whole)?)),
    };
    let folder = args.out.clone().unwrap_or_else(|| suite::default_folder(&suite));
    let progress = progress::Bars::new();
    let signals = Signals::handle(progress.clearing())?;
    let options = RunOptions {
        device: args.device.clone(),
        out: Some(folder.clone()),
        jobs: args.jobs.map(usize::from),
        fresh: args.fresh,
        mix_processors: args.mix_processors,
        stop: signals.stop.clone(),
        command: Some(args.command()),
        ..RunOptions::default()
    };
    let made = suite::run(&suite, beside.as_ref(), optimizers, &options, &progress);
    progress.finish();
    let made = made?;
    let Some(results) = made.results else {
        tell(&interrupted(made.from_checkpoint));
        return Ok(signals.exit_code());
    };
    let page = suite::write(&suite, &results, optimizers, &folder, &args.command())?;
    say(&text(&page))
}

impl SuiteArgs {
    /// The suite with only the optimizers of `--add`.
    fn added(&self, suite: &Suite) -> Result<Suite> {
        let entrants = self.add.iter().map(|text| entrant(text)).collect::<Result<_>>()?;
        Ok(Suite { entrants, file: "--add".into(), ..suite.clone() })
    }

    /// The results beside which they are shown.
    fn results_beside(&self, suite: &Suite) -> Result<Beside> {
        match &self.beside {
            Some(path) => Beside::read(path),
            None => Beside::committed(&suite.name)?.ok_or_else(|| {
                let found = format!("no results of {} in the program", suite.name);
                let expected = "--beside FILE, the suite.json of an earlier run";
                Error::value("--add", found, expected)
            }),
        }
    }

    /// The command that makes the same results.
    fn command(&self) -> String {
        let mut command = format!("downhill suite {}", shell_word(&self.suite));
        let problems = self.problem.iter().map(|name| ("--problem", name.clone()));
        let added = self.add.iter().map(|text| ("--add", text.clone()));
        let beside = self.beside.iter().map(|path| ("--beside", path.display().to_string()));
        for (option, value) in problems.chain(added).chain(beside) {
            command += &format!(" {option} {}", shell_word(&value));
        }
        if self.device != "flex" {
            command += &format!(" --device {}", self.device);
        }
        command + &out_option(self.out.as_deref())
    }
}

/// An optimizer of `--add`.
fn entrant(text: &str) -> Result<Entrant> {
    let parts = text.split_once('=').filter(|(label, _)| !label.trim().is_empty());
    match parts.filter(|(label, _)| !label.contains([':', '|'])) {
        Some((label, spec)) => Ok(Entrant { label: label.trim().into(), spec: spec.into() }),
        None => {
            let expected = "LABEL=SPEC, such as mine=adam:beta1=0.8,lr=log(1e-5,1e-1)";
            Err(Error::value("--add", format!("`{text}`"), expected))
        }
    }
}

/// What the terminal shows: the scores, the values, the finding, and where the page is.
fn text(page: &SuitePage) -> String {
    let shown = |Table { head, rows }: &Table| {
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        table(&head, rows.iter().cloned()).numbers(|column| column > 0).to_string()
    };
    let [scores, values] = [&page.scores, &page.values].map(shown);
    let finding = &page.finding;
    format!("{values}\n{scores}\n{finding}\npage: {}", page.page.display())
}

/// The page of `downhill show`.
pub fn page(suite: &Suite) -> String {
    let problems = suite.problems.iter().map(|problem| {
        let row = [&problem.name, &problem.title, &problem.metric.label].map(String::clone);
        row.into_iter().chain([problem.epochs.to_string(), problem.target.to_string()]).collect()
    });
    let optimizers = suite.entrants.iter().map(|it| vec![it.label.clone(), it.spec.clone()]);
    format!(
        "{}\n\n{}\n\nOptimizers, each with {} settings, the best one graded with {}\n{}\n\nProblems\n{}\n",
        suite.title,
        suite.description.trim(),
        suite.trials,
        counted(suite.seeds, "seed", "seeds"),
        table(&["name", "spec"], optimizers),
        table(&["name", "title", "metric", "epochs", "target"], problems)
    )
}
