//! `downhill report`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;
use downhill::docs::{counted, printable};
use downhill::lab::report::{self, Report, Watch, write_index};
use downhill::optim::Optimizers;
use downhill::{Error, Result};

use super::tables;
use super::terminal::{Signals, say, tell};

#[derive(Args)]
pub struct ReportArgs {
    /// Folders with records (*.jsonl), in subfolders too
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Output folder of the page [default: the first folder]
    #[arg(long, value_name = "DIR", conflicts_with = "index")]
    out: Option<PathBuf>,
    /// Accept runs made on processors with other vector instructions, whose last digits may
    /// differ
    #[arg(long, conflicts_with = "index")]
    mix_processors: bool,
    /// Write one page over all results in the subfolders of DIR
    #[arg(long, conflicts_with = "watch")]
    index: bool,
    /// Write the page again whenever a record changes, until Ctrl-C
    #[arg(long)]
    watch: bool,
}

/// How often records are looked at, and how often the page loads itself again.
const EVERY: Duration = Duration::from_secs(2);
const REFRESH: u16 = 5;

pub fn report(args: ReportArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    if args.index {
        return index(&args.folders, optimizers);
    }
    if args.watch {
        return watch(&args, optimizers);
    }
    let report = args.read(optimizers)?;
    let page = report.write(args.out())?;
    say(&format!("{}\npage: {}", tables::results(&report), page.display()))
}

impl ReportArgs {
    fn read(&self, optimizers: &Optimizers) -> Result<Report> {
        let (experiment, runs) = report::read(&self.folders, optimizers)?;
        let make = if self.mix_processors { Report::mixing_processors } else { Report::new };
        make(experiment, runs, optimizers)
    }

    fn out(&self) -> &PathBuf {
        self.out.as_ref().unwrap_or(&self.folders[0])
    }
}

fn index(folders: &[PathBuf], optimizers: &Optimizers) -> Result<ExitCode> {
    let [folder] = folders else {
        let found = counted(folders.len(), "folder", "folders");
        return Err(Error::value("--index", found, "one folder"));
    };
    let index = write_index(folder, optimizers)?;
    for (folder, reason) in &index.damaged {
        tell(&printable(&format!("left out {folder}: {reason}")));
    }
    let experiments = counted(index.experiments, "result", "results");
    say(&format!("{experiments}\npage: {}", index.page.display()))
}

/// Writes the page after each change. The last page does not load itself again.
fn watch(args: &ReportArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let mut watch = Watch::new(&args.folders)?;
    let signals = Signals::handle(|| ())?;
    let mut told = String::new();
    while !signals.stop.load(Ordering::Relaxed) {
        if watch.changed()? {
            // while another process writes, there may be nothing to show yet
            let written = args.read(optimizers).and_then(|mut report| {
                report.refresh = Some(REFRESH);
                report.write(args.out())
            });
            let line = match written {
                Ok(page) => format!("page: {}", page.display()),
                Err(error) => format!("no page yet: {}", printable(&error.to_string())),
            };
            if line != told {
                tell(&line);
                told = line;
            }
        }
        wait(&signals);
    }
    args.read(optimizers)?.write(args.out())?;
    Ok(signals.exit_code())
}

/// Waits for the next look, or for a signal.
fn wait(signals: &Signals) {
    const STEP: Duration = Duration::from_millis(100);
    for _ in 0..EVERY.as_millis() / STEP.as_millis() {
        if signals.stop.load(Ordering::Relaxed) {
            return;
        }
        std::thread::sleep(STEP);
    }
}
