//! `fetch`: a data set comes to this machine.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use downhill::data::fetch::{self, Watch, Way};
use downhill::data::known::{self, KNOWN};
use downhill::spec::unknown;
use downhill::{Error, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{say, tell};

#[derive(Args)]
pub struct FetchArgs {
    /// mnist, fashion-mnist, cifar10, cifar100 or imdb; with --from also a name of your own
    name: String,
    /// Files that are here already: the files of MNIST, CIFAR or IMDB, a .tar.gz of them, or a .csv of labels and texts
    #[arg(long, value_name = "PATH")]
    from: Option<PathBuf>,
    /// Folder of all data sets [default: $DOWNHILL_DATA, or downhill in the user's folder for caches]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// A bar of bytes where a person watches; a line for each file elsewhere.
struct Bytes {
    bar: ProgressBar,
    watched: bool,
}

impl Watch for Bytes {
    fn begins(&self, file: &str, size: u64, at: u64) {
        self.bar.set_length(size);
        self.bar.set_position(at);
        self.bar.reset_eta();
        self.bar.set_message(file.to_string());
        if self.watched {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        } else {
            let from = if at > 0 { format!(" from byte {at}") } else { String::new() };
            tell(&format!("{file}, {size} bytes{from}"));
        }
    }

    fn at(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    fn says(&self, text: &str) {
        self.bar.suspend(|| tell(text));
    }
}

pub fn fetch(args: FetchArgs) -> Result<ExitCode> {
    let cache = args.to.clone().map_or_else(known::folder, Ok)?;
    let placed = match (&args.from, known::known(&args.name)) {
        (Some(from), _) => fetch::take(&args.name, from, &cache)?,
        (None, None) => {
            return Err(Error::Spec(unknown("data set", &args.name, KNOWN.iter().map(|known| known.name))));
        }
        (None, Some(known)) => {
            // what has come is on the disk at any moment, so that nothing is to be done
            let handler = || {
                tell("interrupted: the same command goes on from here");
                std::process::exit(130);
            };
            ctrlc::set_handler(handler).map_err(|error| Error::Asked(format!("cannot listen to Ctrl-C: {error}")))?;
            let style =
                ProgressStyle::with_template("{bar:30} {percent:>3} %  {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left  {msg}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("█▉▊▋▌▍▎▏ ");
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden()).with_style(style);
            let watch = Bytes { bar, watched: std::io::stderr().is_terminal() };
            let placed = fetch::fetch(known, &cache, &Way::default(), &watch);
            watch.bar.finish_and_clear();
            placed?
        }
    };
    placed.remark.iter().for_each(|remark| tell(&format!("remark: {remark}")));
    let (data, folder) = (&placed.data, placed.folder.display());
    let there = if placed.before { "is there already, in" } else { "is now in" };
    // a table of texts may have been read otherwise than was meant: its classes show that
    let names = if data.names.is_empty() { String::new() } else { format!(" ({})", shortened(&data.names)) };
    let name = if args.to.is_some() { folder.to_string() } else { args.name.clone() };
    say(&format!(
        "{} {there} {folder}: {} to train on and {} to test on, inputs of {:?} in {} classes{names}\nto use it: --data {name}",
        args.name,
        data.train.len(),
        data.test.len(),
        data.train.shape,
        data.classes
    ))
}

/// The first names of many.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let short =
        |name: &String| if name.chars().count() > 30 { format!("{}...", name.chars().take(27).collect::<String>()) } else { name.clone() };
    let shown: Vec<String> = names.iter().take(SHOWN).map(short).collect();
    let more = if names.len() > SHOWN { format!(", and {} more", names.len() - SHOWN) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
