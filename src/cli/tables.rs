//! Tables for the terminal: what exists, results, and the diagnosis of a step.

use clap::ValueEnum;
use downhill::docs::Docs;
use downhill::lab::augment::AUGMENTATIONS;
use downhill::lab::data::corpus::TEXTS;
use downhill::lab::data::prepare::PREPARATIONS;
use downhill::lab::data::tokens::TOKENIZATIONS;
use downhill::lab::data::{BUNDLED, known};
use downhill::lab::experiment::{self, BUILT_IN};
use downhill::lab::model::{MODELS, gpt, vae};
use downhill::lab::record::CurvePoint;
use downhill::lab::regularizer::{EarlyStopping, PENALTIES, early_stopping};
use downhill::lab::report::{Report, ResultsTable};
use downhill::lab::suite;
use downhill::lab::surface::SURFACES;
use downhill::optim::{OptimizerEntry, Optimizers};
use downhill::pipeline::{ORDER, TRANSFORMS, TransformEntry};
use downhill::schedule::SCHEDULES;
use downhill::spec::{Setting, Settings};

use super::table::{colored_cell, table};

/// The title without the name, which has a column of its own: `Adam: adaptive moment estimation`.
fn without_name(title: &str) -> String {
    title.split_once(": ").map_or(title, |(_, rest)| rest).to_string()
}

/// What `downhill list` lists.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum ListKind {
    Optimizers,
    #[value(alias = "parts")]
    Transformations,
    Experiments,
    Suites,
    Data,
    Models,
    Schedules,
    Surfaces,
    Penalties,
    Augmentations,
}

/// The names of settings or dialects, in one cell.
fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "-".into() } else { names.join(" ") }
}

fn setting_names(settings: &[Setting]) -> String {
    joined(settings.iter().map(|setting| setting.name))
}

/// A row of a table of things with settings.
fn entry_row(name: &str, docs: Docs, settings: &[Setting]) -> Vec<String> {
    vec![name.into(), without_name(&docs.title()), setting_names(settings)]
}

/// A table of `downhill list`.
struct Section {
    title: String,
    header: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

const WITH_SETTINGS: &[&str] = &["name", "description", "settings"];

type MakeSection = fn(&Optimizers) -> Section;

/// The tables of `downhill list`, in this order.
const SECTIONS: [(ListKind, MakeSection); 13] = [
    (ListKind::Optimizers, optimizer_section),
    (ListKind::Transformations, |_| transformation_section()),
    (ListKind::Experiments, experiment_section),
    (ListKind::Suites, suite_section),
    (ListKind::Data, |_| data_section()),
    (ListKind::Data, |_| preparation_section()),
    (ListKind::Data, |_| tokenization_section()),
    (ListKind::Models, |_| model_section()),
    (ListKind::Schedules, |_| schedule_section()),
    (ListKind::Surfaces, |_| surface_section()),
    (ListKind::Penalties, |_| penalty_section()),
    (ListKind::Penalties, |_| early_stopping_section()),
    (ListKind::Augmentations, |_| augmentation_section()),
];

/// The tables of one kind, or of all kinds.
pub fn list(kind: Option<ListKind>, optimizers: &Optimizers) -> String {
    let mut text = String::new();
    for (own_kind, make_section) in SECTIONS {
        if kind.is_none_or(|kind| kind == own_kind) {
            let Section { title, header, rows } = make_section(optimizers);
            text += &format!("{title}\n{}\n\n", table(header, rows));
        }
    }
    text
}

fn optimizer_section(optimizers: &Optimizers) -> Section {
    let row = |entry: &OptimizerEntry| {
        let settings = (entry.settings)();
        let settings = [Setting::LR.name].into_iter().chain(settings.iter().map(|s| s.name));
        vec![
            entry.name.into(),
            without_name(&entry.docs.title()),
            joined(settings),
            joined(entry.dialects.iter().map(|dialect| dialect.name)),
        ]
    };
    Section {
        title: "Optimizers (downhill show NAME: formula, defaults, differences)".into(),
        header: &["name", "description", "settings", "dialects"],
        rows: optimizers.entries().iter().map(row).collect(),
    }
}

fn transformation_section() -> Section {
    let row = |transform: &TransformEntry| {
        vec![transform.name.into(), transform.docs.into(), setting_names(transform.settings)]
    };
    Section {
        title: format!("Gradient transformations, in this order: {ORDER}"),
        header: WITH_SETTINGS,
        rows: TRANSFORMS.iter().map(row).collect(),
    }
}

fn experiment_section(optimizers: &Optimizers) -> Section {
    let title = |name: &str| {
        experiment::load(name, optimizers).map_or(String::new(), |(experiment, _)| experiment.title)
    };
    Section {
        title: "Experiments (downhill run NAME)".into(),
        header: &["name", "title"],
        rows: BUILT_IN.iter().map(|(name, _)| vec![name.to_string(), title(name)]).collect(),
    }
}

fn suite_section(optimizers: &Optimizers) -> Section {
    let title =
        |name: &str| suite::load(name, optimizers).map_or(String::new(), |(suite, _)| suite.title);
    Section {
        title: "Suites of problems (downhill suite NAME)".into(),
        header: &["name", "title"],
        rows: suite::BUILT_IN.iter().map(|(name, _)| vec![name.to_string(), title(name)]).collect(),
    }
}

fn data_section() -> Section {
    let bundled = BUNDLED
        .iter()
        .map(|bundled| vec![bundled.name.into(), bundled.docs.into(), "built in".into()]);
    let texts =
        TEXTS.iter().map(|text| vec![text.name.into(), text.docs.into(), "built in".into()]);
    let known = known::KNOWN
        .iter()
        .map(|known| vec![known.name.into(), known.docs.into(), location(known)]);
    let own = known::own()
        .into_iter()
        .map(|(name, folder)| vec![name, "your own".into(), format!("in {}", folder.display())]);
    Section {
        title: "Data (--data NAME, or a path: the files of MNIST, CIFAR or IMDB, a .tar.gz of them, or a .csv of labels and texts or numbers; text:PATH for gpt)".into(),
        header: &["name", "description", "location"],
        rows: bundled.chain(texts).chain(known).chain(own).collect(),
    }
}

/// The folder of a known data set, or how to download it.
fn location(known: &known::KnownDataset) -> String {
    match known::folder().map(|folder| folder.join(known.name)) {
        Ok(folder) if folder.is_dir() => format!("in {}", folder.display()),
        _ => {
            format!("download ({:.0} MB): downhill fetch {}", known.size() as f64 / 1e6, known.name)
        }
    }
}

fn preparation_section() -> Section {
    let rows = PREPARATIONS.iter().map(|entry| entry_row(entry.name, entry.docs, entry.settings));
    Section {
        title: "Data preparations, applied from left to right (--data \"cifar10|gcn|zca:eps=0.1\")"
            .into(),
        header: WITH_SETTINGS,
        rows: rows.collect(),
    }
}

fn tokenization_section() -> Section {
    let rows = TOKENIZATIONS.iter().map(|entry| entry_row(entry.name, entry.docs, entry.settings));
    Section {
        title: "Tokens of a text, for gpt (--data \"shakespeare|bpe:vocabulary=512\")".into(),
        header: WITH_SETTINGS,
        rows: rows.collect(),
    }
}

fn model_section() -> Section {
    let mut gpt = entry_row(gpt::NAME, gpt::DOCS, gpt::GptSettings::SETTINGS);
    gpt[1] += "; with a text as --data";
    let mut vae = entry_row(vae::NAME, vae::DOCS, vae::VaeSettings::SETTINGS);
    vae[1] += "; in experiments only";
    let rows = MODELS.iter().map(|entry| entry_row(entry.name, entry.docs, entry.settings));
    Section {
        title: "Models (--model NAME)".into(),
        header: WITH_SETTINGS,
        rows: rows.chain([gpt, vae]).collect(),
    }
}

fn schedule_section() -> Section {
    let rows = SCHEDULES.iter().map(|entry| entry_row(entry.name, entry.docs, &(entry.settings)()));
    Section {
        title: "Learning-rate schedules (--schedule NAME, or at the end of --optimizer: adam|NAME)"
            .into(),
        header: WITH_SETTINGS,
        rows: rows.collect(),
    }
}

fn surface_section() -> Section {
    let rows = SURFACES
        .iter()
        .map(|known| vec![known.name.into(), known.formula.into(), known.docs.into()]);
    Section {
        title: "Surfaces (downhill surface NAME, or an expression of x and y)".into(),
        header: &["name", "f(x, y)", "description"],
        rows: rows.collect(),
    }
}

fn penalty_section() -> Section {
    let rows = PENALTIES.iter().map(|entry| entry_row(entry.name, entry.docs, entry.settings));
    Section {
        title: "Penalties and constraints (--penalty NAME, several joined by |: l1:lambda=1e-4,by=prox|max_norm:max=3)".into(),
        header: WITH_SETTINGS,
        rows: rows.collect(),
    }
}

fn early_stopping_section() -> Section {
    let row = entry_row(early_stopping::NAME, early_stopping::DOCS, EarlyStopping::SETTINGS);
    Section {
        title: "Early stopping (--early-stopping NAME, with --validation FRACTION)".into(),
        header: WITH_SETTINGS,
        rows: vec![row],
    }
}

fn augmentation_section() -> Section {
    let rows = AUGMENTATIONS.iter().map(|entry| entry_row(entry.name, entry.docs, entry.settings));
    Section {
        title: "Augmentations (--augment NAME, several joined by |: hflip|crop:pad=4)".into(),
        header: WITH_SETTINGS,
        rows: rows.collect(),
    }
}

/// The width of a verdict with the space after it.
const VERDICT_WIDTH: usize = 11;

/// The table of results, the remarks and the verdicts.
pub fn results(report: &Report) -> String {
    let ResultsTable { columns, rows, notes } = &report.results;
    let mut text = String::new();
    if !columns.is_empty() {
        let header: Vec<&str> = columns.iter().map(|column| column.title.as_str()).collect();
        let results = table(&header, rows.iter().cloned());
        text += &format!("{}\n", results.numbers(|i| columns[i].is_number));
    }
    for line in notes.iter().chain(&report.remarks) {
        text += &format!("{line}\n");
    }
    for verdict in &report.verdicts {
        let source = match verdict.source.as_str() {
            "" => String::new(),
            source => format!(" ({source})"),
        };
        let name = verdict.verdict.to_string();
        text += &format!(
            "\n{}{:gap$}\"{}\"{source}\n           {}\n           {}\n",
            colored_cell(&name),
            "",
            verdict.quote,
            verdict.check,
            verdict.margin,
            gap = VERDICT_WIDTH - name.len().min(VERDICT_WIDTH)
        );
    }
    text
}

/// The diagnosis of a step, for each parameter.
pub fn layers(point: &CurvePoint) -> String {
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.2e}"));
    let percent =
        |value: Option<f64>| value.map_or("-".into(), |value| format!("{:.1} %", 100.0 * value));
    let rows = point.layers.iter().map(|layer| {
        vec![
            layer.name.clone(),
            layer.elements.to_string(),
            number(Some(layer.step)),
            number(Some(layer.largest_step)),
            number(layer.bound),
            number(layer.update_to_weight),
            number(layer.signal_to_noise),
            percent(layer.eps_share),
        ]
    });
    let header = [
        "parameter",
        "elements",
        "step (rms)",
        "largest",
        "bound",
        "step / weight",
        "signal / noise",
        "eps dominates",
    ];
    let table = table(&header, rows).numbers(|column| column > 0);
    format!("diagnosis of the last step, taken in batch {} or before\n{table}\n", point.step)
}
