//! The options of a run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::experiment::Scale;
use crate::spec::unknown;

/// The longest time between two checkpoints within an epoch, by default.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);

/// The options of a run. The default is the quick scale on the CPU, with the experiment's own data
/// and seeds.
///
/// ```
/// use downhill::lab::runner::RunOptions;
///
/// let options = RunOptions { seeds: Some(5), ..RunOptions::default() };
/// assert_eq!(options.device, "flex");
/// ```
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// the amount of work
    pub scale: Scale,
    /// name or folder of other data
    pub data: Option<String>,
    /// `flex`, `ndarray` or `wgpu`
    pub device: String,
    /// another number of seeds
    pub seeds: Option<usize>,
    /// folder of the results; one in `out/` by default
    pub out: Option<PathBuf>,
    /// runs at the same time; by default as many as there are cores, 1 on wgpu
    pub jobs: Option<usize>,
    /// repeats runs that are there already
    pub fresh: bool,
    /// whether a claim that is NOT HELD or a check that FAILs is an error of the program
    pub check: bool,
    /// the longest time between two checkpoints within an epoch; `Duration::MAX` is no checkpoints,
    /// except when the run is stopped
    pub checkpoint_every: Duration,
    /// counts runs of hosts with other vector instructions, whose last digits may differ
    pub mix_processors: bool,
    /// the command that makes the runs again, for the page; by default the command that started
    /// this program
    pub command: Option<String>,
    /// data sets of this program, which the data of a task may name
    pub datasets: Vec<Dataset>,
    /// ends the runs after their current step once it is `true`
    pub stop: Arc<AtomicBool>,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            scale: Scale::Quick,
            data: None,
            device: "flex".into(),
            seeds: None,
            out: None,
            jobs: None,
            fresh: false,
            check: false,
            checkpoint_every: CHECKPOINT_EVERY,
            mix_processors: false,
            command: None,
            datasets: Vec::new(),
            stop: Arc::default(),
        }
    }
}

/// The options that a program accepts.
const NAMES: [&str; 8] =
    ["--scale", "--data", "--device", "--seeds", "--out", "--jobs", "--fresh", "--check"];

/// What `--help` of a program prints.
const HELP: &str = "\
Options:
  --scale NAME      amount of work: quick, paper or sweep [default: quick]
  --data NAME|PATH  other data
  --device NAME     flex, ndarray or wgpu [default: flex]
  --seeds N         number of graded seeds [default: from the scale]
  --out DIR         output folder of records and page [default: out/EXPERIMENT/SCALE-DATA-DEVICE]
  --jobs N          number of parallel runs [default: number of cores]
  --fresh           repeat runs that already have a record
  --check           exit with code 1 if a verdict is NOT HELD or FAIL
  --help            print this";

impl RunOptions {
    /// The options from the arguments of this program, named as those of `downhill run`:
    /// `--scale quick --data PATH --device flex --seeds 5 --out DIR --jobs 2 --fresh --check`.
    /// `--help` prints them and ends the program.
    ///
    /// # Errors
    /// On an unknown option, or a value that is missing or not allowed.
    pub fn from_args() -> Result<RunOptions> {
        if std::env::args().skip(1).any(|argument| argument == "--help" || argument == "-h") {
            println!("{HELP}");
            std::process::exit(0);
        }
        RunOptions::parse(std::env::args().skip(1))
    }

    /// The options from these arguments.
    ///
    /// # Errors
    /// As [`from_args`](RunOptions::from_args).
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<RunOptions> {
        let mut options = RunOptions::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (name, mut value) = match argument.split_once('=') {
                Some((name, value)) => (name.to_string(), Some(value.to_string())),
                None => (argument, None),
            };
            if let Some(flag) = options.flag(&name) {
                *flag = true;
                continue;
            }
            if !NAMES.contains(&name.as_str()) {
                return Err(unknown("option", &name, NAMES).into());
            }
            let missing = || Error::value(&name, "no value", "one");
            let value = value.take().or_else(|| arguments.next()).ok_or_else(missing)?;
            options.set(&name, value)?;
        }
        Ok(options)
    }

    fn flag(&mut self, name: &str) -> Option<&mut bool> {
        match name {
            "--fresh" => Some(&mut self.fresh),
            "--check" => Some(&mut self.check),
            _ => None,
        }
    }

    fn set(&mut self, name: &str, value: String) -> Result<()> {
        match name {
            "--scale" => self.scale = scale(&value)?,
            "--data" => self.data = Some(value),
            "--device" => self.device = value,
            "--seeds" => self.seeds = Some(count(name, &value)?),
            "--out" => self.out = Some(value.into()),
            _ => self.jobs = Some(count(name, &value)?),
        }
        Ok(())
    }

    /// How many runs are made at the same time: at most four for each core, because more are not
    /// faster.
    pub(super) fn workers(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let asked = self.jobs.unwrap_or(if self.device == "wgpu" { 1 } else { cores });
        asked.min(4 * cores)
    }
}

fn scale(value: &str) -> Result<Scale> {
    let scales = [Scale::Quick, Scale::Paper, Scale::Sweep];
    let found = scales.into_iter().find(|scale| scale.name() == value);
    Ok(found.ok_or_else(|| unknown("scale", value, scales.map(Scale::name)))?)
}

fn count(name: &str, value: &str) -> Result<usize> {
    let count = value.parse().ok().filter(|n| *n > 0);
    count.ok_or_else(|| Error::value(name, format!("`{value}`"), "a whole number above 0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<RunOptions> {
        RunOptions::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn a_program_has_the_options_of_the_command() {
        let options = parse("--scale paper --data a.csv --seeds=5 --jobs 2 --fresh").unwrap();
        assert_eq!((options.scale, options.seeds), (Scale::Paper, Some(5)));
        assert_eq!((options.data.as_deref(), options.jobs), (Some("a.csv"), Some(2)));
        assert!(options.fresh && !parse("").unwrap().fresh);
        assert!(parse("--check").unwrap().check && !options.check);
        NAMES.iter().for_each(|name| assert!(HELP.contains(&format!("\n  {name} ")), "{name}"));
    }

    #[test]
    fn no_more_workers_than_four_for_each_core() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(parse("--jobs 60000").unwrap().workers(), 4 * cores);
        assert_eq!(parse("--jobs 1").unwrap().workers(), 1);
    }

    #[test]
    fn an_argument_that_is_not_an_option_is_refused() {
        let error = |line: &str| parse(line).unwrap_err().to_string();
        assert!(error("--seed 5").contains("unknown option `--seed`"), "{}", error("--seed 5"));
        assert_eq!(error("--seeds 0"), "--seeds: found `0`, expected a whole number above 0");
        assert_eq!(error("--data"), "--data: found no value, expected one");
        assert!(error("--scale quik").contains("did you mean `quick`?"));
    }
}
