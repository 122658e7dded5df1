//! `downhill fetch`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use downhill::lab::data::fetch::{self, FetchObserver, FetchOptions, Installed};
use downhill::lab::data::known::{self, KNOWN, KnownDataset};
use downhill::spec::unknown;
use downhill::{Error, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::{exit_on_signal, say, tell};

#[derive(Args)]
pub struct FetchArgs {
    /// mnist, fashion-mnist, cifar10, cifar100 or imdb. With --from, any name
    name: String,
    /// Use local files instead of a download: the files of MNIST, CIFAR or IMDB, a .tar.gz of them,
    /// or a .csv of labels and texts or numbers
    #[arg(long, value_name = "PATH")]
    from: Option<PathBuf>,
    /// Folder for data sets [default: $DOWNHILL_DATA, or `downhill` in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// A progress bar in a terminal. Elsewhere, a line of text for each file.
struct DownloadProgress {
    bar: ProgressBar,
    in_terminal: bool,
}

impl FetchObserver for DownloadProgress {
    fn started(&self, file: &str, size: u64, offset: u64) {
        self.bar.set_length(size);
        self.bar.set_position(offset);
        self.bar.reset_eta();
        self.bar.set_message(file.to_string());
        if self.in_terminal {
            // another target would not know the lines that are on the screen
            if self.bar.is_hidden() {
                self.bar.set_draw_target(ProgressDrawTarget::stderr());
            }
        } else {
            let from = if offset > 0 { format!(" from byte {offset}") } else { String::new() };
            tell(&format!("{file}, {size} bytes{from}"));
        }
    }

    fn received(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    fn message(&self, text: &str) {
        self.bar.suspend(|| tell(text));
    }
}

pub fn fetch(args: FetchArgs) -> Result<ExitCode> {
    let cache = args.to.clone().map_or_else(known::folder, Ok)?;
    let placed = match (&args.from, known::known(&args.name)) {
        (Some(from), _) => fetch::import(&args.name, from, &cache)?,
        (None, Some(known)) => download(known, &cache)?,
        (None, None) => {
            let names = KNOWN.iter().map(|known| known.name);
            return Err(Error::Spec(unknown("data set", &args.name, names)));
        }
    };
    placed.remark.iter().for_each(|remark| tell(&format!("remark: {remark}")));
    let (data, folder) = (&placed.data, placed.folder.display());
    // the names show whether the intended columns of a CSV file were read
    let classes = match data.names.is_empty() {
        true => format!("{} classes", data.classes),
        false => format!("{} classes ({})", data.classes, first_names(&data.names)),
    };
    let option = if args.to.is_some() { folder.to_string() } else { args.name.clone() };
    say(&format!(
        "{} {} {folder}: {} training examples and {} test examples, inputs of shape {:?} in {classes}\nto use it: --data {option}",
        args.name,
        if placed.before { "is already in" } else { "is now in" },
        data.train.len(),
        data.test.len(),
        data.train.shape,
    ))
}

/// Downloads a known data set, with a progress bar.
fn download(known: &'static KnownDataset, cache: &Path) -> Result<Installed> {
    let style = ProgressStyle::with_template(
        "{wide_bar} {percent:>3} %  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left\n{wide_msg}",
    );
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▉▊▋▌▍▎▏ ");
    let bar =
        ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden()).with_style(style);
    let shown = bar.clone();
    // the next call resumes from what is on the disk
    exit_on_signal(move || {
        shown.finish_and_clear();
        tell("interrupted: the same command resumes the download");
    })?;
    let progress = DownloadProgress { bar, in_terminal: std::io::stderr().is_terminal() };
    let placed = fetch::fetch(known, cache, &FetchOptions::default(), &progress);
    progress.bar.finish_and_clear();
    placed
}

/// The first names, shortened.
fn first_names(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut text =
        names.iter().take(SHOWN).map(|name| shortened(name)).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += &format!(", and {} more", names.len() - SHOWN);
    }
    text
}

fn shortened(name: &str) -> String {
    match name.chars().count() {
        0..=30 => name.to_string(),
        _ => format!("{}...", name.chars().take(27).collect::<String>()),
    }
}
