//! The command line: the commands and their arguments.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use downhill::Result;
use downhill::optim::Optimizers;

mod augment;
mod card;
mod cluster;
mod epochs;
mod export;
mod fetch;
mod figure;
mod language;
mod pages;
mod plan;
mod progress;
mod run;
mod show;
mod suite;
mod surface;
mod table;
mod tables;
mod terminal;
mod threads;
mod training;
mod verify;
mod wrap;

pub use terminal::{printable, tell_error};
use terminal::{say, say_unchanged};

/// Optimizers for deep learning, and experiments that compare them.
#[derive(Parser)]
#[command(
    version,
    after_help = "Start with:\n  downhill run adam-fig1-mnist   reproduces a figure of the Adam paper\n  downhill list                  lists optimizers, experiments, data, models, ...\n  downhill show adam             prints formula, settings and dialects\n\nExit codes: 0 success; 1 a check failed (verify, run --check) or the training diverged; 2 invalid input or another error; 130, 143 or 129 interrupted by Ctrl-C, SIGTERM or SIGHUP."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List optimizers, gradient transformations, experiments, suites, data, models, schedules, surfaces,
    /// penalties and augmentations
    List {
        /// List only this kind
        #[arg(value_name = "KIND")]
        what: Option<tables::ListKind>,
    },
    /// Describe an optimizer, gradient transformation, schedule, model, penalty, augmentation, data
    /// set, surface, experiment or suite
    #[command(
        after_help = "Examples:\n  downhill show adam\n  downhill show adam-fig1-mnist\n  downhill show mlp"
    )]
    Show {
        /// A name (see `downhill list`), or the FILE.toml of an experiment
        name: String,
        /// Print only the TOML file of the experiment or suite, as a start for your own
        #[arg(long)]
        toml: bool,
    },
    /// Download a data set (mnist, fashion-mnist, cifar10, cifar100, imdb), or add files of your
    /// own
    #[command(
        after_help = "An interrupted download is resumed. A downloaded file is used only if its checksum is correct. With --from, the number of examples of a known data set is checked, but not the checksum, because archives of the same files differ. With DOWNHILL_MIRROR=URL, files are downloaded from URL/NAME/FILE instead of the official addresses.\n\nExamples:\n  downhill fetch cifar10\n  downhill fetch cifar10 --from ~/Downloads/cifar-10-binary.tar.gz\n  downhill fetch my-reviews --from reviews.csv"
    )]
    Fetch(fetch::FetchArgs),
    /// Run an experiment: train, check the claims, write a page with figures
    #[command(
        after_help = "Each claim gets a verdict. A comparison of series is HELD, NOT HELD or UNDECIDED, by p-values over the seeds, adjusted for the number of claims; --until-decided adds seeds. A check of a number is PASS or FAIL. NOT HELD is a finding, not an error.\n\nEach run writes its record (JSON lines) and checkpoints while it trains. After Ctrl-C, SIGTERM, a kill or a loss of power, the same command continues where it stopped, with the same results. The first Ctrl-C finishes the current steps, writes checkpoints and the page. A second Ctrl-C exits immediately. Experiments without training runs exit at the first Ctrl-C. Several processes, on one or several hosts, can run the same experiment in the same folder.\n\nExamples:\n  downhill run adam-fig1-mnist\n  downhill run adam-fig1-mnist --data ~/data/fashion-mnist --seeds 5\n  downhill show adam-fig1-mnist --toml > my-experiment.toml   # edit it\n  downhill run my-experiment.toml"
    )]
    Run(run::RunArgs),
    /// List the missing runs of an experiment, or write scripts that make them on a cluster
    #[command(
        after_help = "Prints a line for each missing run: its key, its number of steps, and what it is, separated by tabs. `downhill run EXPERIMENT --only KEY` makes one of them. Several processes can do so in one folder at the same time.\nFirst all settings are listed. The remaining seeds of the best settings follow once those runs are complete.\n\nWith --slurm or --hyperqueue, scripts are written into the output folder instead: they make both stages and the page on a cluster. Standard output is the command that submits them.\n\nExamples:\n  downhill plan adam-fig1-mnist --scale paper\n  downhill plan adam-fig1-mnist --scale paper --slurm --time 02:00:00\n  downhill plan adam-fig1-mnist --scale paper --hyperqueue"
    )]
    Plan(plan::PlanArgs),
    /// Compare optimizers on a suite of problems, each tuned with the same number of trials
    #[command(
        after_help = "On each problem, every optimizer gets the same number of settings. The best one is graded with other seeds. The page has mean ranks with intervals, a performance profile, the range of good learning rates, and the quality for a smaller tuning budget. With --add, only your optimizer runs; it is shown beside recorded results of the same version.\n\nThe suite laptop needs two data sets: downhill fetch fashion-mnist; downhill fetch cifar10\n\nExamples:\n  downhill suite laptop\n  downhill suite laptop --add \"mine=adam:beta1=0.8,lr=log(1e-5,1e-1)\"\n  downhill show laptop --toml > my-suite.toml   # edit it\n  downhill suite my-suite.toml"
    )]
    Suite(suite::SuiteArgs),
    /// Plot the paths of optimizers on a surface: contours, relief, animation
    #[command(
        after_help = "Examples:\n  downhill surface                            # lists the surfaces\n  downhill surface beale\n  downhill surface saddle --optimizers \"sgd:lr=0.01,newton\" --steps 400\n  downhill surface \"x^2+10*y^2+sin(3*x)\" --start=-1.5,1 --noise 0.5"
    )]
    Surface(surface::SurfaceArgs),
    /// Write the page of an experiment again, from its records; or a page over all results
    #[command(
        after_help = "With --watch, the page is written whenever a record changes, also those of another process, until Ctrl-C. It loads itself again while it is watched.\n\nExamples:\n  downhill report out/adam-fig1-mnist/quick-mnist-10k-flex\n  downhill report out/adam-fig1-mnist/quick-mnist-10k-flex --watch\n  downhill report --index out     # writes out/index.html"
    )]
    Report(pages::ReportArgs),
    /// Write a figure, a table and references for a paper
    #[command(
        after_help = "Text is 8 pt, and there is no title. The folder of each FILE has to exist.\n\nExamples:\n  downhill figure out/adam-fig1-mnist/quick-mnist-10k-flex --pdf figure.pdf\n  downhill figure out/adam-fig1-mnist/quick-mnist-10k-flex --chart heat-1 --width 6.75in --pgf heat.tex\n  downhill figure out/adam-fig1-mnist/quick-mnist-10k-flex --table results.tex --bibtex references.bib"
    )]
    Figure(figure::FigureArgs),
    /// Write records for TensorBoard, or as one tidy CSV
    #[command(
        after_help = "Examples:\n  downhill export out --csv all.csv\n  downhill export out --tensorboard logs     # then: tensorboard --logdir logs"
    )]
    Export(export::ExportArgs),
    /// Verify the optimizers against recorded steps of torch, Keras and Optax
    #[command(
        after_help = "Each recorded case is replayed with the dialect of its framework. The exit code is 1 if a case is outside the tolerance.\nTo record the versions that you have installed: python tests/golden/generate.py OUT.json\n\nExample:\n  downhill verify tests/golden/trajectories.json"
    )]
    Verify(verify::VerifyArgs),
    /// Train one model, and save its record and its weights
    #[command(
        after_help = "A spec is a name with settings: adam, adam:lr=1e-3,beta2=0.99, adam@keras, mlp:hidden=500-300, inverse_sqrt:per=epoch.\nGradient transformations, optimizer and schedule are joined by |: \"clip_global:max=1|l2:lambda=1e-4|adam|ema:decay=0.99|cosine:warmup=100\".\n`downhill list` prints the names, `downhill show NAME` the settings.\n\nEach epoch is a line of standard error, the result is on standard output.\n\nExample:\n  downhill train --model mlp --optimizer adam:lr=1e-3 --epochs 5 --out out/mlp\n  downhill eval out/mlp/MODEL.safetensors   # the path that train prints"
    )]
    Train(training::TrainArgs),
    /// Test optimizers on short diagnostic tasks with pass marks: saddle, plateau, noise, rotation,
    /// ...
    #[command(
        after_help = "A card is a diagnosis on toy problems, not a ranking. Each task uses the best learning rate of a fixed grid, unless the spec sets lr.\n\nExamples:\n  downhill card adam\n  downhill card adam:lr=1e-3 sgd \"clip_global|momentum|cosine\"\n  downhill card --out out/card     # all optimizers"
    )]
    Card(card::CardArgs),
    /// Write a picture and a page of augmented images
    #[command(
        after_help = "Examples:\n  downhill augment \"hflip|crop:pad=4\"\n  downhill augment \"rotate:degrees=20|scale:by=0.2\" --out out/turned"
    )]
    Augment(augment::AugmentArgs),
    /// Evaluate a trained model on the test set: loss, accuracy, confusion matrix; of a gpt bits per
    /// character and a sample
    #[command(
        after_help = "Examples:\n  downhill eval out/mlp/MODEL.safetensors   # the path that train prints\n  downhill eval out/gpt/MODEL.safetensors --prompt \"ROMEO:\" --length 300 --temperature 0.5"
    )]
    Eval(training::EvalArgs),
}

/// Runs a command.
pub fn run(cli: Cli) -> Result<ExitCode> {
    let optimizers = Optimizers::default();
    if !matches!(cli.command, Command::List { .. } | Command::Show { .. }) {
        threads::start()?;
    }
    match cli.command {
        Command::List { what } => say(&tables::list(what, &optimizers)),
        Command::Show { name, toml: true } => say_unchanged(&show::toml(&name, &optimizers)?),
        Command::Show { name, toml: false } => say(&show::show(&name, &optimizers)?),
        Command::Fetch(args) => fetch::fetch(args),
        Command::Run(args) => run::run(args, &optimizers),
        Command::Plan(args) => plan::plan(args, &optimizers),
        Command::Report(args) => pages::report(args, &optimizers),
        Command::Figure(args) => figure::figure(args, &optimizers),
        Command::Export(args) => export::export(args),
        Command::Train(args) => training::train(args, &optimizers),
        Command::Card(args) => card::card(args, &optimizers),
        Command::Augment(args) => augment::augment(args),
        Command::Eval(args) => training::eval(args),
        Command::Suite(args) => suite::suite(args, &optimizers),
        Command::Surface(args) => surface::surface(args, &optimizers),
        Command::Verify(args) => verify::verify(args, &optimizers),
    }
}
