//! `downhill export`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use downhill::lab::report;
use downhill::{Error, Result};

use super::figure::check_folder;
use super::terminal::say;

#[derive(Args)]
pub struct ExportArgs {
    /// Folder with records (*.jsonl) of one or several experiments, in subfolders too
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Write the curves as event files of TensorBoard: LOGDIR/EXPERIMENT/RUN
    #[arg(long, value_name = "LOGDIR")]
    tensorboard: Option<PathBuf>,
    /// Write all measurements as one tidy CSV: a row for each value
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

pub fn export(args: ExportArgs) -> Result<ExitCode> {
    if args.csv.is_none() && args.tensorboard.is_none() {
        let expected = "--csv or --tensorboard";
        return Err(Error::mismatch("export", "nothing to write", expected));
    }
    if let Some(file) = &args.csv {
        check_folder(file)?;
    }
    let records = report::records(&args.folder)?;
    let mut lines = Vec::new();
    if let Some(folder) = &args.tensorboard {
        let runs = report::write_tensorboard(&records, folder)?;
        lines.push(format!(
            "{} ({})",
            folder.display(),
            downhill::docs::counted(runs, "run", "runs")
        ));
    }
    if let Some(file) = &args.csv {
        report::write_csv(&records, file)?;
        lines.push(file.display().to_string());
    }
    say(&lines.join("\n"))
}
