//! `surface`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use downhill::about::hex;
use downhill::descent::Recipe;
use downhill::experiment::run::Choice;
use downhill::experiment::{self, Experiment, Extent, Metric, Scale, Series, Task};
use downhill::optim::Optimizers;
use downhill::spec::{Line, split_lines};
use downhill::surface::{SURFACES, Surface};
use downhill::{Error, Result};
use sha2::{Digest, Sha256};

use super::tables::table;

#[derive(Args)]
pub struct SurfaceArgs {
    /// Its name, or an expression of x and y such as "x^2+10*y^2"; without one, the names are listed
    surface: Option<String>,
    /// Optimizers with their settings, separated by commas; | puts parts around one [default: six of them, at rates for the surface]
    #[arg(long, value_name = "LINES")]
    optimizers: Option<String>,
    /// Where the paths begin [default: the surface's own; -1.5,1 for an expression]
    #[arg(long, value_name = "X,Y", allow_hyphen_values = true)]
    start: Option<String>,
    /// What is shown: x from, x to, y from, y to [default: the surface's own; -2,2,-2,2 for an expression]
    #[arg(long, value_name = "X,X,Y,Y", allow_hyphen_values = true)]
    window: Option<String>,
    /// Standard deviation of what is added to the gradient in each step
    #[arg(long, value_name = "S", default_value = "0", allow_hyphen_values = true)]
    noise: String,
    /// Steps of each path
    #[arg(long, value_name = "N", default_value = "200", value_parser = clap::value_parser!(u32).range(1..=100_000), allow_negative_numbers = true)]
    steps: u32,
    /// Paths of each optimizer, where there is noise
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    seeds: u16,
    /// Folder of records and page [default: out/surface/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Make runs again that are there already
    #[arg(long)]
    fresh: bool,
}

pub fn surface(args: SurfaceArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let Some(name) = &args.surface else {
        let rows = SURFACES.iter().map(|known| vec![known.name.into(), known.formula.into(), known.about.into()]);
        return super::say(&format!("Surfaces (downhill surface NAME)\n{}", table(&["name", "f(x, y)", ""], rows)));
    };
    let start = args.start.as_deref().map(|text| numbers::<2>("--start", text)).transpose()?;
    let window = args.window.as_deref().map(|text| numbers::<4>("--window", text)).transpose()?;
    let [noise] = numbers("--noise", &args.noise)?;
    if noise < 0.0 {
        return Err(Error::Asked(format!("--noise is {noise:?}, expected 0 or a number above")));
    }
    Surface::read(name, window, start)?;
    if args.seeds > 1 && noise == 0.0 {
        return Err(Error::Asked(format!("--seeds is {} and --noise 0, so all paths would be the same; expected noise", args.seeds)));
    }
    let known = SURFACES.iter().find(|known| known.name == name);
    let lr = known.map_or(0.01, |known| known.lr);
    let six = || format!("sgd:lr={lr},momentum:lr={half},nag:lr={half},adagrad:lr=0.5,rmsprop:lr=0.02,adam:lr=0.1", half = lr / 2.0);
    let series = series(&args.optimizers.unwrap_or_else(six), optimizers)?;
    let about = format!("{} steps", args.steps);
    let extent = Extent { epochs: args.steps as usize, seeds: args.seeds.into(), search: None, train: None, test: None, data: None, about };
    let experiment = Experiment {
        name: "surface".into(),
        title: format!("Paths on {name}"),
        paper: String::new(),
        url: String::new(),
        about: "Every optimizer starts at the same point. The learning rates were given, not tuned, and decide who looks fast: they stand beside each name."
            .into(),
        task: Task::Surface { surface: name.clone(), window, start, noise },
        schedule: "constant".into(),
        metric: Metric { name: "value".into(), label: "f".into(), ..Metric::default() },
        scale: BTreeMap::from([(Scale::Quick, extent)]),
        series,
        claim: Vec::new(),
        differs: Vec::new(),
    };
    let toml = toml::to_string(&experiment).map_err(|error| Error::Asked(format!("cannot write down the experiment: {error}")))?;
    let experiment = experiment::parse(Path::new("surface"), &toml, optimizers)?;
    // x^2 and x*2 in plain letters are one name
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '-' }).take(40).collect();
    let plain = format!("{plain}-{}", &hex(&Sha256::digest(name.as_bytes()))[..6]);
    let choice = Choice {
        scale: Scale::Quick,
        data: None,
        device: "flex".into(),
        seeds: None,
        out: Some(args.out.unwrap_or_else(|| Path::new("out/surface").join(if known.is_some() { name.clone() } else { plain }))),
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        fresh: args.fresh,
    };
    super::make(experiment, &toml, &choice, false, optimizers)
}

/// So many numbers, separated by commas.
fn numbers<const N: usize>(key: &str, text: &str) -> Result<[f64; N]> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|part| part.trim().parse().ok().filter(|x: &f64| x.is_finite())).collect();
    let expected = if N == 1 { "a number".into() } else { format!("{N} numbers separated by commas") };
    let wrong = || Error::Asked(format!("{key} is `{text}`, expected {expected}"));
    numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(wrong)
}

/// A series for each line; a second one of the same optimizer is told apart by its settings.
fn series(lines: &str, optimizers: &Optimizers) -> Result<Vec<Series>> {
    let mut series: Vec<Series> = Vec::new();
    for text in split_lines(lines) {
        if text.is_empty() {
            return Err(Error::Asked(format!("--optimizers is `{lines}`, expected an optimizer between all commas")));
        }
        let line: Line = text.parse()?;
        if line.size() != Some(1) {
            return Err(Error::Asked(format!("--optimizers holds the grid `{text}`, expected one setting for each path")));
        }
        Recipe::read(&line, optimizers)?;
        let short = line.names();
        let taken = |label: &str| series.iter().any(|other| other.label == label);
        let label = if taken(&short) { text.replace(',', " ") } else { short };
        if taken(&label) {
            return Err(Error::Asked(format!("--optimizers holds `{text}` twice, expected each once")));
        }
        series.push(Series { label, optimizer: text, schedule: None, sweep: None, paper: None, task: None, published: None });
    }
    Ok(series)
}
