//! `downhill surface`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use downhill::docs::hex;
use downhill::experiment::{Experiment, Extent, Metric, Scale, Series};
use downhill::optim::Optimizers;
use downhill::pipeline::PipelineConfig;
use downhill::runner::RunOptions;
use downhill::spec::{SpecLine, split_lines};
use downhill::surface::{SURFACES, Surface};
use downhill::task::{SurfaceTask, TaskSpec};
use downhill::{Error, Result};
use sha2::{Digest, Sha256};

use super::run::run_and_report;
use super::tables::table;
use super::terminal::say;

#[derive(Args)]
pub struct SurfaceArgs {
    /// The name of a surface, or an expression of x and y such as "x^2+10*y^2". Without it, the
    /// surfaces are listed
    surface: Option<String>,
    /// Optimizers with settings, separated by commas; each may have gradient transformations,
    /// joined by | [default: six optimizers, with learning rates for the surface]
    #[arg(long, value_name = "SPECS")]
    optimizers: Option<String>,
    /// Start of the paths [default: the start of the surface; -1.5,1 for an expression]
    #[arg(long, value_name = "X,Y", allow_hyphen_values = true)]
    start: Option<String>,
    /// Plotted region: lowest x, highest x, lowest y, highest y [default: the region of the
    /// surface; -2,2,-2,2 for an expression]
    #[arg(long, value_name = "X,X,Y,Y", allow_hyphen_values = true)]
    window: Option<String>,
    /// Standard deviation of the normal noise that is added to the gradient in each step
    #[arg(long, value_name = "S", default_value = "0", allow_hyphen_values = true)]
    noise: String,
    /// Number of steps
    #[arg(long, value_name = "N", default_value = "200", value_parser = clap::value_parser!(u32).range(1..=100_000), allow_negative_numbers = true)]
    steps: u32,
    /// Number of seeds: paths per optimizer. More than 1 needs --noise
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..), allow_negative_numbers = true)]
    seeds: u16,
    /// Output folder of records and page [default: out/surface/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Repeat runs that have a record already
    #[arg(long)]
    fresh: bool,
}

pub fn surface(args: SurfaceArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let Some(name) = &args.surface else { return say(&names()) };
    let task = args.task(name)?;
    let surface = Surface::read(name, task.window, task.start)?;
    if args.seeds > 1 && task.noise == 0.0 {
        return Err(Error::Invalid(format!(
            "--seeds is {} and --noise 0, so all paths would be the same; expected noise",
            args.seeds
        )));
    }
    let known = SURFACES.iter().find(|known| known.name == name);
    let lr = known.map_or(0.01, |known| known.lr);
    let optimizer_specs = args.optimizers.clone().unwrap_or_else(|| default_optimizers(lr));
    let command = args.command(name, &optimizer_specs, &surface, task.noise);
    let series = series(&optimizer_specs, optimizers)?;
    let experiment = experiment(name, task, series, args.extent(), command);
    experiment.check(Path::new("surface"), optimizers)?;
    // the file for the folder of the results
    let toml = toml::to_string(&experiment)
        .map_err(|error| Error::Invalid(format!("cannot write the experiment: {error}")))?;
    let options = RunOptions {
        scale: Scale::Quick,
        data: None,
        device: "flex".into(),
        seeds: None,
        out: Some(args.out.unwrap_or_else(|| default_folder(name, known.is_some()))),
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        fresh: args.fresh,
    };
    run_and_report(experiment, &toml, &options, false, optimizers)
}

impl SurfaceArgs {
    fn task(&self, name: &str) -> Result<SurfaceTask> {
        let start = self.start.as_deref().map(|text| numbers::<2>("--start", text)).transpose()?;
        let window =
            self.window.as_deref().map(|text| numbers::<4>("--window", text)).transpose()?;
        let [noise] = numbers("--noise", &self.noise)?;
        if noise < 0.0 {
            let message = format!("--noise is {noise:?}, expected 0 or a number above");
            return Err(Error::Invalid(message));
        }
        Ok(SurfaceTask { surface: name.into(), window, start, noise })
    }

    fn extent(&self) -> Extent {
        Extent {
            epochs: self.steps as usize,
            seeds: self.seeds.into(),
            search: None,
            train: None,
            test: None,
            data: None,
            description: format!("{} steps", self.steps),
        }
    }

    /// The command that makes the same page, with every default spelled out.
    fn command(&self, name: &str, optimizers: &str, surface: &Surface, noise: f64) -> String {
        let ([a, b, c, d], [x, y]) = (surface.window, surface.start);
        format!(
            "downhill surface \"{name}\" --optimizers \"{optimizers}\" --window={a},{b},{c},{d} \
             --start={x},{y} --noise {noise} --steps {} --seeds {}",
            self.steps, self.seeds
        )
    }
}

/// The known surfaces as a table.
fn names() -> String {
    let rows = SURFACES
        .iter()
        .map(|known| vec![known.name.into(), known.formula.into(), known.docs.into()]);
    let table = table(&["name", "f(x, y)", ""], rows);
    format!("Surfaces (downhill surface NAME)\n{table}")
}

/// Six optimizers with learning rates that suit the surface.
fn default_optimizers(lr: f64) -> String {
    let half = lr / 2.0;
    format!(
        "sgd:lr={lr},momentum:lr={half},nag:lr={half},adagrad:lr=0.5,rmsprop:lr=0.02,adam:lr=0.1"
    )
}

/// `out/surface/NAME`; an expression is made a file name with a hash, since `x^2` and `x*2` would
/// get the same name.
fn default_folder(name: &str, is_known: bool) -> PathBuf {
    let folder = Path::new("out/surface");
    if is_known {
        return folder.join(name);
    }
    let plain = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '-' };
    let plain: String = name.chars().map(plain).take(40).collect();
    folder.join(format!("{plain}-{}", &hex(&Sha256::digest(name.as_bytes()))[..6]))
}

fn experiment(
    name: &str,
    task: SurfaceTask,
    series: Vec<Series>,
    extent: Extent,
    command: String,
) -> Experiment {
    Experiment {
        name: "surface".into(),
        title: format!("Paths on {name}"),
        paper: String::new(),
        url: String::new(),
        description: "Every optimizer starts at the same point. The learning rates were given, \
                      not tuned, and decide which optimizer looks fast. They are shown beside \
                      each name."
            .into(),
        command: Some(command),
        task: TaskSpec::new(task),
        schedule: "constant".into(),
        metric: Metric { name: "value".into(), label: "f".into(), ..Metric::default() },
        scale: BTreeMap::from([(Scale::Quick, extent)]),
        series,
        claim: Vec::new(),
        differs: Vec::new(),
    }
}

/// Parses `N` numbers separated by commas.
fn numbers<const N: usize>(key: &str, text: &str) -> Result<[f64; N]> {
    let numbers: Option<Vec<f64>> = text
        .split(',')
        .map(|part| part.trim().parse().ok().filter(|x: &f64| x.is_finite()))
        .collect();
    let expected =
        if N == 1 { "a number".into() } else { format!("{N} numbers separated by commas") };
    let wrong = || Error::Invalid(format!("{key} is `{text}`, expected {expected}"));
    numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(wrong)
}

/// A series for each spec. If two have the same names, the label of the second one contains its
/// settings.
fn series(lines: &str, optimizers: &Optimizers) -> Result<Vec<Series>> {
    let mut series: Vec<Series> = Vec::new();
    for text in split_lines(lines) {
        if text.is_empty() {
            return Err(Error::Invalid(format!(
                "--optimizers is `{lines}`, expected an optimizer between all commas"
            )));
        }
        let line: SpecLine = text.parse()?;
        if line.size() != Some(1) {
            return Err(Error::Invalid(format!(
                "--optimizers contains the grid `{text}`, expected one setting for each path"
            )));
        }
        PipelineConfig::read(&line, optimizers)?;
        let short = line.names();
        let taken = |label: &str| series.iter().any(|other| other.label == label);
        let label = if taken(&short) { text.replace(',', " ") } else { short };
        if taken(&label) {
            return Err(Error::Invalid(format!(
                "--optimizers contains `{text}` twice, expected each once"
            )));
        }
        series.push(Series::new(label, text));
    }
    Ok(series)
}
