//! `downhill surface`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use downhill::docs::hex;
use downhill::lab::experiment::{Experiment, Extent, Metric, Scale, Series};
use downhill::lab::runner::RunOptions;
use downhill::lab::surface::{SURFACES, Surface};
use downhill::lab::task::SurfaceTask;
use downhill::optim::Optimizers;
use downhill::pipeline::PipelineConfig;
use downhill::spec::{SpecLine, split_lines};
use downhill::{Error, Result};
use sha2::{Digest, Sha256};

use super::run::run_and_report;
use super::tables::table;
use super::terminal::say;

#[derive(Args)]
pub struct SurfaceArgs {
    /// The name of a surface, or an expression of x and y such as "x^2+10*y^2". If omitted, the
    /// command lists the surfaces
    surface: Option<String>,
    /// Optimizers with settings, separated by commas; each may have gradient transformations,
    /// joined by | [default: six optimizers, with learning rates for the surface]
    #[arg(long, value_name = "SPECS")]
    optimizers: Option<String>,
    /// Initial point of the paths [default: that of the surface; -1.5,1 for an expression]
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
    /// Repeat runs that already have a record
    #[arg(long)]
    fresh: bool,
}

pub fn surface(args: SurfaceArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let Some(name) = &args.surface else { return say(&names()) };
    let task = args.task(name)?;
    let surface = Surface::read(name, task.window, task.start)?;
    if args.seeds > 1 && task.noise == 0.0 {
        let found = format!("{} without noise (all paths would be equal)", args.seeds);
        return Err(Error::value("--seeds", found, "1, or --noise above 0"));
    }
    let known = SURFACES.iter().find(|known| known.name == name);
    let lr = known.map_or(0.01, |known| known.lr);
    let optimizer_specs = args.optimizers.clone().unwrap_or_else(|| default_optimizers(lr));
    let command = args.command(name, &optimizer_specs, &surface, task.noise);
    let series = series(&optimizer_specs, optimizers)?;
    let experiment = experiment(name, task, series, args.extent(), command);
    experiment.check(Path::new("surface"), optimizers)?;
    let options = RunOptions {
        out: Some(args.out.unwrap_or_else(|| default_folder(name, known.is_some()))),
        fresh: args.fresh,
        ..RunOptions::default()
    };
    run_and_report(experiment, options, optimizers)
}

impl SurfaceArgs {
    fn task(&self, name: &str) -> Result<SurfaceTask> {
        let start = self.start.as_deref().map(|text| numbers::<2>("--start", text)).transpose()?;
        let window =
            self.window.as_deref().map(|text| numbers::<4>("--window", text)).transpose()?;
        let [noise] = numbers("--noise", &self.noise)?;
        if noise < 0.0 {
            return Err(Error::value("--noise", format!("{noise:?}"), "a number of at least 0"));
        }
        Ok(SurfaceTask { surface: name.into(), window, start, noise })
    }

    fn extent(&self) -> Extent {
        Extent {
            epochs: self.steps as usize,
            seeds: self.seeds.into(),
            search: None,
            trials: None,
            halving: None,
            train: None,
            test: None,
            data: None,
            description: format!("{} steps", self.steps),
        }
    }

    /// The command that writes the same page, with all defaults written out.
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
    let table = table(&["name", "f(x, y)", "description"], rows);
    format!("Surfaces (downhill surface NAME)\n{table}")
}

/// Six optimizers with learning rates that suit the surface.
fn default_optimizers(lr: f64) -> String {
    let half = lr / 2.0;
    format!(
        "sgd:lr={lr},momentum:lr={half},nag:lr={half},adagrad:lr=0.5,rmsprop:lr=0.02,adam:lr=0.1"
    )
}

/// `out/surface/NAME`. The folder of an expression ends with a hash, because `x^2` and `x*2` would
/// otherwise have the same folder.
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
    let description = "Every optimizer starts at the same point. The learning rates were given, \
                       not tuned. They decide which optimizer looks fast, so they are shown next \
                       to each name.";
    Experiment {
        command: Some(command),
        metric: Metric { name: "value".into(), label: "f".into(), ..Metric::default() },
        scale: BTreeMap::from([(Scale::Quick, extent)]),
        series,
        ..Experiment::new("surface", task, "value")
            .with_title(&format!("Paths on {name}"), description)
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
    let wrong = || Error::value(key, format!("`{text}`"), expected);
    numbers.and_then(|numbers| numbers.try_into().ok()).ok_or_else(wrong)
}

/// A series for each spec. If two specs name the same optimizer, the label of the second one
/// contains its settings.
fn series(lines: &str, optimizers: &Optimizers) -> Result<Vec<Series>> {
    let mut series: Vec<Series> = Vec::new();
    let wrong = |found, expected: &str| Err(Error::value("--optimizers", found, expected));
    for text in split_lines(lines) {
        if text.is_empty() {
            return wrong(format!("`{lines}`"), "an optimizer before and after each comma");
        }
        let line: SpecLine = text.parse()?;
        if line.size() != Some(1) {
            return wrong(format!("the grid `{text}`"), "a single value of each setting");
        }
        PipelineConfig::read(&line, optimizers)?;
        let short = line.names();
        let taken = |label: &str| series.iter().any(|other| other.label == label);
        let label = if taken(&short) { text.replace(',', " ") } else { short };
        if taken(&label) {
            return wrong(format!("`{text}` twice"), "each optimizer once");
        }
        series.push(Series::new(label, text));
    }
    Ok(series)
}
