//! The commands: what can be asked, and what each does.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Parser, Subcommand, ValueEnum};
use downhill::experiment::{self, Experiment, Scale, Task, run::Choice};
use downhill::optim::Optimizers;
use downhill::report::{self, Report};
use downhill::study::{self, Ask};
use downhill::{Error, Result};

mod augment;
mod card;
mod fetch;
mod progress;
mod show;
mod surface;
mod tables;
mod training;
mod verify;

/// Optimizers for deep learning, and the experiments that show what they do.
#[derive(Parser)]
#[command(
    version,
    after_help = "Begin with:\n  downhill run adam-fig1-mnist     a figure of the Adam paper, with a verdict on each claim\n  downhill list                    everything there is\n  downhill show adam               the formula, the settings, how torch, Keras, Optax and burn differ\n\nExit code: 0 done, 1 a check failed (verify, run --check) or the training diverged, 2 bad input, 130 interrupted by Ctrl-C."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List what there is: optimizers, what stands around them, experiments, data, models, schedules, surfaces, penalties, augmentations
    List {
        /// Only these
        what: Option<Kind>,
    },
    /// Explain an optimizer, what stands around one, a schedule, a model, a penalty, an augmentation, data or an experiment
    #[command(after_help = "Examples:\n  downhill show adam\n  downhill show adam-fig1-mnist\n  downhill show mlp")]
    Show {
        /// Its name, or an experiment's FILE.toml
        name: String,
        /// Only the file of an experiment, to begin your own from
        #[arg(long)]
        toml: bool,
    },
    /// Bring a data set to this machine: mnist, fashion-mnist, cifar10, cifar100, imdb, or files of your own
    #[command(
        after_help = "What was cut off is resumed; what comes over the network is not used before its checksum is right. With --from the number of examples of a known set is checked, not a checksum: the same files are packed in many ways. DOWNHILL_MIRROR=URL is asked for URL/NAME/FILE instead of the official addresses.\n\nExamples:\n  downhill fetch cifar10\n  downhill fetch cifar10 --from ~/Downloads/cifar-10-binary.tar.gz\n  downhill fetch my-reviews --from reviews.csv"
    )]
    Fetch(fetch::FetchArgs),
    /// Run an experiment: make the runs that are missing, grade the claims, write the page
    #[command(
        after_help = "Every run is a file of JSON lines, written as it goes. Stopped by Ctrl-C or worse, the same command makes only what is missing. Ctrl-C lets the step end and writes the page; a second one ends at once, as the first does in the few experiments that have no runs.\n\nExamples:\n  downhill run adam-fig1-mnist\n  downhill run adam-fig1-mnist --data ~/data/fashion-mnist --seeds 5\n  downhill run my-experiment.toml     (begin from: downhill show adam-fig1-mnist --toml > my-experiment.toml)"
    )]
    Run(RunArgs),
    /// Watch optimizers go down a surface: contour, relief, animation
    #[command(
        after_help = "Examples:\n  downhill surface                            the names\n  downhill surface beale\n  downhill surface saddle --optimizers \"sgd:lr=0.01,momentum:lr=0.01,adam:lr=0.01,beta2=0.99,newton\" --steps 400\n  downhill surface \"x^2+10*y^2+sin(3*x)\" --start=-1.5,1 --noise 0.5"
    )]
    Surface(surface::SurfaceArgs),
    /// Make the page again from the records below folders
    #[command(after_help = "Example:\n  downhill report out/adam-fig1-mnist/quick-mnist-10k-flex")]
    Report {
        /// Folders with *.jsonl somewhere below
        #[arg(required = true, value_name = "DIR")]
        folders: Vec<PathBuf>,
        /// Where the page goes; the first folder by default
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Prove the optimizers: replay recorded steps of torch, Keras and Optax in their dialects
    #[command(
        after_help = "Exit code 1 if a case leaves the tolerance. Your own versions are recorded by: python tests/golden/generate.py OUT.json\n\nExample:\n  downhill verify tests/golden/trajectories.json"
    )]
    Verify(verify::VerifyArgs),
    /// Train one model: its record, and beside it the model
    #[command(
        after_help = "A spec is a name with settings: adam, adam:lr=1e-3,beta2=0.99, adam@keras, mlp:hidden=500-300, inverse_sqrt:per=epoch.\nAround an optimizer, from left to right: \"clip_global:max=1|l2:lambda=1e-4|adam|ema:decay=0.99|cosine:warmup=100\".\n`downhill list` has the names, `downhill show NAME` the settings.\n\nExample:\n  downhill train --model mlp:hidden=200 --optimizer adam:lr=1e-3 --epochs 5 --out out/mlp\n  downhill eval out/mlp/MODEL.safetensors     (the path that train prints)"
    )]
    Train(training::TrainArgs),
    /// Put optimizers through short diagnostic tasks: saddle, plateau, noise, rotation, ... with a stated pass mark each
    #[command(
        after_help = "A card is a diagnosis on toy problems, not a ranking. Each task has the best rate of a fixed grid, unless the line gives lr.\n\nExamples:\n  downhill card adam\n  downhill card adam:lr=1e-3 sgd \"clip_global|momentum|cosine\"\n  downhill card --out out/card     (all optimizers)"
    )]
    Card(card::CardArgs),
    /// Look at what an augmentation makes of images: a picture and a page
    #[command(
        after_help = "Examples:\n  downhill augment \"hflip|crop:pad=4\"\n  downhill augment \"rotate:degrees=20|scale:by=0.2\" --data ~/data/fashion-mnist --out out/turned"
    )]
    Augment(augment::AugmentArgs),
    /// Evaluate a trained model: loss, accuracy, confusion table
    #[command(after_help = "Example:\n  downhill eval out/mlp/MODEL.safetensors --data mnist-10k     (the path that train prints)")]
    Eval(training::EvalArgs),
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Kind {
    Optimizers,
    Parts,
    Experiments,
    Data,
    Models,
    Schedules,
    Surfaces,
    Penalties,
    Augmentations,
}

#[derive(Args)]
struct RunArgs {
    /// Name of an experiment (see `downhill list experiments`), or a FILE.toml
    experiment: String,
    /// How much work
    #[arg(long, value_enum, default_value = "quick")]
    scale: ScaleName,
    /// Other data: a set by name (`downhill list data`), or a path: the files of MNIST, CIFAR or IMDB, a .tar.gz of them, or a .csv of labels and texts
    #[arg(long, value_name = "NAME|PATH")]
    data: Option<String>,
    /// flex (this processor), ndarray or wgpu (a GPU); the last two have to be built in: cargo run --release --features wgpu -- run ...
    #[arg(long, default_value = "flex", value_name = "flex|ndarray|wgpu")]
    device: String,
    /// Seeds per setting, instead of the scale's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    seeds: Option<u16>,
    /// Folder of records and page [default: out/EXPERIMENT/SCALE-DATA-DEVICE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Runs at the same time; the records are the same for any number [default: one a core, 1 on wgpu]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Make runs again that are there already
    #[arg(long)]
    fresh: bool,
    /// Exit with 1 if a claim is NOT HELD or a check FAILs
    #[arg(long)]
    check: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScaleName {
    Quick,
    Paper,
    Sweep,
}

/// Does what was asked.
pub fn run(cli: Cli) -> Result<ExitCode> {
    let optimizers = Optimizers::default();
    match cli.command {
        Command::List { what } => say(&tables::list(what, &optimizers)),
        Command::Show { name, toml: true } => say(&experiment::load(&name, &optimizers)?.1),
        Command::Show { name, toml: false } => say(&show::show(&name, &optimizers)?),
        Command::Fetch(args) => fetch::fetch(args),
        Command::Run(args) => run_experiment(args, &optimizers),
        Command::Report { folders, out } => {
            let (experiment, runs) = report::read(&folders, &optimizers)?;
            let report = Report::new(experiment, runs, &optimizers)?;
            let page = report.write(out.as_ref().unwrap_or(&folders[0]))?;
            say(&format!("{}\npage: {}", tables::results(&report), page.display()))
        }
        Command::Train(args) => training::train(args, &optimizers),
        Command::Card(args) => card::card(args, &optimizers),
        Command::Augment(args) => augment::augment(args),
        Command::Eval(args) => training::eval(args),
        Command::Surface(args) => surface::surface(args, &optimizers),
        Command::Verify(args) => verify::verify(args, &optimizers),
    }
}

fn run_experiment(args: RunArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let (experiment, toml) = experiment::load(&args.experiment, optimizers)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let choice = Choice {
        scale: match args.scale {
            ScaleName::Quick => Scale::Quick,
            ScaleName::Paper => Scale::Paper,
            ScaleName::Sweep => Scale::Sweep,
        },
        data: args.data,
        jobs: args.jobs.map_or(if args.device == "wgpu" { 1 } else { cores }, usize::from),
        device: args.device,
        seeds: args.seeds.map(usize::from),
        out: args.out,
        fresh: args.fresh,
    };
    make(experiment, &toml, &choice, args.check, optimizers)
}

/// Makes the runs of an experiment, prints what came of them, and writes the page.
fn make(experiment: Experiment, toml: &str, choice: &Choice, check: bool, optimizers: &Optimizers) -> Result<ExitCode> {
    if let Task::Study { study } = &experiment.task {
        return run_study(&study.clone(), experiment, toml, choice, check, optimizers);
    }
    let stop = on_ctrl_c()?;
    let progress = progress::Bars::new();
    let results = experiment::run::run(&experiment, toml, optimizers, choice, &progress, &stop);
    progress.finish();
    let results = results?;
    if results.runs.is_empty() {
        tell("interrupted before a run was begun");
        return Ok(ExitCode::from(130));
    }
    let report = Report::new(Some(experiment), results.runs, optimizers)?;
    let page = report.write(&results.folder)?;
    say(&format!("{}\npage: {}", tables::results(&report), page.display()))?;
    if results.interrupted {
        tell("interrupted: the same command makes the runs that are missing");
        return Ok(ExitCode::from(130));
    }
    Ok(checked(&report, check))
}

/// 1 if a claim did not hold and that was asked.
fn checked(report: &Report, check: bool) -> ExitCode {
    ExitCode::from(u8::from(check && report.verdicts.iter().any(|verdict| verdict.held.is_no())))
}

/// A study has no runs: its numbers are computed, graded and drawn at once.
fn run_study(study: &str, experiment: Experiment, toml: &str, choice: &Choice, check: bool, optimizers: &Optimizers) -> Result<ExitCode> {
    let extent = experiment.extent_of(choice.scale)?;
    if let Some(data) = &choice.data {
        return Err(Error::Asked(format!("--data is {data}, and this experiment has no data to choose")));
    }
    if choice.device != "flex" {
        return Err(Error::Asked(format!("--device is {}, and this experiment is computed on the processor, in f64", choice.device)));
    }
    let found = study::find(study)?(&Ask { seeds: choice.seeds.unwrap_or(extent.seeds), optimizers })?;
    let folder = choice.out.clone().unwrap_or_else(|| experiment::run::folder_of(&experiment, choice.scale));
    experiment::run::claim_folder(&folder, &experiment, toml)?;
    let report = Report::of_study(experiment, found, choice.scale);
    let page = report.write(&folder)?;
    say(&format!("{}\npage: {}", tables::results(&report), page.display()))?;
    Ok(checked(&report, check))
}

/// A flag that Ctrl-C raises; a second Ctrl-C ends the program at once.
fn on_ctrl_c() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = stop.clone();
    let handler = move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    ctrlc::set_handler(handler).map_err(|error| Error::Asked(format!("cannot listen to Ctrl-C: {error}")))?;
    Ok(stop)
}

/// Tells the person who watches; nobody listening is no error.
pub fn tell(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints; a reader who has gone away (`| head`) is no error.
fn say(text: &str) -> Result<ExitCode> {
    use std::io::Write;
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::Io { doing: "write to", path: "standard output".into(), source: error })
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
