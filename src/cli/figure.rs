//! `downhill figure`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use downhill::lab::files;
use downhill::lab::report::{self, Report, Width};
use downhill::optim::Optimizers;
use downhill::{Error, Result};

use super::terminal::say;

#[derive(Args)]
pub struct FigureArgs {
    /// Folder with records (*.jsonl), in subfolders too
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Which figure: the name of its file on the page, such as figure-log or heat-1 [default: the
    /// first one]
    #[arg(long, value_name = "NAME")]
    chart: Option<String>,
    /// Width with its unit: in, cm, mm or pt (TeX's points)
    #[arg(long, default_value = "3.25in", value_name = "WIDTH", allow_hyphen_values = true)]
    width: String,
    /// Write the figure as PDF, with vectors only
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    /// Write the figure as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the figure with its numbers as code of pgfplots
    #[arg(long, value_name = "FILE")]
    pgf: Option<PathBuf>,
    /// Write the results with 95 % intervals as a table of booktabs
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Write the references of the paper and of downhill as BibTeX
    #[arg(long, value_name = "FILE")]
    bibtex: Option<PathBuf>,
}

/// Writes what is asked for. Everything is made before the first file is written.
pub fn figure(args: FigureArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let width: Width = args.width.parse()?;
    let files = [&args.pdf, &args.svg, &args.pgf, &args.table, &args.bibtex];
    if files.iter().all(|file| file.is_none()) {
        let expected = "--pdf, --svg, --pgf, --table or --bibtex";
        return Err(Error::mismatch("figure", "no file to write", expected));
    }
    for file in files.into_iter().flatten() {
        check_folder(file)?;
    }
    let (experiment, runs) = report::read(std::slice::from_ref(&args.folder), optimizers)?;
    let report = Report::mixing_processors(experiment, runs, optimizers)?;
    let mut made: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    if args.pdf.is_some() || args.svg.is_some() || args.pgf.is_some() || args.chart.is_some() {
        let figure = report.figure(args.chart.as_deref())?;
        if let Some(file) = args.pdf {
            made.push((file, figure.pdf(width)?));
        }
        if let Some(file) = args.svg {
            made.push((file, figure.svg(width)?.into_bytes()));
        }
        if let Some(file) = args.pgf {
            made.push((file, figure.pgf(width)?.into_bytes()));
        }
    }
    if let Some(file) = args.table {
        made.push((file, report.latex_table()?.into_bytes()));
    }
    if let Some(file) = args.bibtex {
        made.push((file, report.bibtex().into_bytes()));
    }
    let mut lines = Vec::new();
    for (file, content) in made {
        files::place(&file, &content)?;
        lines.push(file.display().to_string());
    }
    say(&lines.join("\n"))
}

/// Refuses a file in a folder that does not exist, which is probably a typing error.
pub fn check_folder(file: &Path) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if file.is_dir() {
        return Err(Error::Content {
            path: file.into(),
            found: "a folder".into(),
            expected: "a file to write".into(),
        });
    }
    match folder.filter(|folder| !folder.is_dir()) {
        None => Ok(()),
        Some(folder) => Err(Error::Content {
            path: folder.into(),
            found: "no such folder".into(),
            expected: format!("a folder for {}", file.display()),
        }),
    }
}
