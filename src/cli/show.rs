//! `downhill show`.

use std::collections::HashSet;

use downhill::docs::{CatalogEntry, Docs, counted};
use downhill::lab::augment::AUGMENTATIONS;
use downhill::lab::data::corpus::{self, TEXTS};
use downhill::lab::data::prepare::PREPARATIONS;
use downhill::lab::data::tokens::TOKENIZATIONS;
use downhill::lab::data::{self, BUNDLED, known};
use downhill::lab::experiment::{self, Experiment};
use downhill::lab::model::{self, MODELS, gpt, vae};
use downhill::lab::regularizer::{EarlyStopping, PENALTIES, early_stopping};
use downhill::lab::suite;
use downhill::lab::surface::SURFACES;
use downhill::optim::{Cost, OptimizerEntry, Optimizers, PAPER, cost, cost_measured};
use downhill::pipeline::TRANSFORMS;
use downhill::schedule::SCHEDULES;
use downhill::spec::{Setting, Settings, Spec, unknown};
use downhill::{Error, Result};

use super::table::{TextTable, table};

/// The page about a name; `None` if the catalog does not contain the name.
type Lookup = fn(&str, &Optimizers) -> Result<Option<String>>;

/// All catalogs except the experiments, in the order of the search.
const LOOKUPS: [Lookup; 11] = [
    |name, optimizers| Ok(optimizer(name, optimizers)),
    |name, _| Ok(model(name)),
    |name, _| Ok(early_stopping(name)),
    |name, _| Ok(schedule(name)),
    |name, _| Ok(preparation_or_augmentation(name)),
    |name, _| Ok(transformation_or_penalty(name)),
    |name, _| bundled_text(name),
    |name, _| local_data(name),
    |name, _| Ok(surface(name)),
    |name, _| downloadable_data(name),
    suite_page,
];

/// The page about an optimizer, a model, a data set, an experiment, ...
pub fn show(name: &str, optimizers: &Optimizers) -> Result<String> {
    if let Ok(spec) = name.parse::<Spec>()
        && !name.ends_with(".toml")
    {
        let page = show_name(&spec.name, optimizers)?;
        check_plain(&spec, name, optimizers)?;
        return Ok(page);
    }
    show_name(name, optimizers)
}

/// A page does not depend on settings. A dialect is only checked, since the page lists all.
fn check_plain(spec: &Spec, written: &str, optimizers: &Optimizers) -> Result<()> {
    let Spec { name, dialect, settings } = spec;
    if !settings.is_empty() {
        let found = format!("settings in `{written}`");
        return Err(Error::value("show", found, format!("a name without settings: {name}")));
    }
    match (dialect, optimizers.find(name)) {
        (Some(dialect), Ok(entry)) => entry.dialect(dialect).map(drop).map_err(Error::Spec),
        (Some(dialect), Err(_)) => {
            Err(Error::Spec(unknown(&format!("dialect of {name}"), dialect, [])))
        }
        (None, _) => Ok(()),
    }
}

fn show_name(name: &str, optimizers: &Optimizers) -> Result<String> {
    for lookup in LOOKUPS {
        if let Some(page) = lookup(name, optimizers)? {
            return Ok(page);
        }
    }
    match experiment::load(name, optimizers) {
        Ok((experiment, toml)) => Ok(experiment_page(&experiment, &toml)),
        Err(error) if name.ends_with(".toml") => Err(error),
        Err(_) => Err(Error::Spec(unknown("name", name, all_names(optimizers)))),
    }
}

fn suite_page(name: &str, optimizers: &Optimizers) -> Result<Option<String>> {
    match suite::BUILT_IN.iter().any(|(known, _)| *known == name) {
        true => suite::load(name, optimizers).map(|(suite, _)| Some(super::suite::page(&suite))),
        false => Ok(None),
    }
}

/// The file of an experiment or a suite.
pub fn toml(name: &str, optimizers: &Optimizers) -> Result<String> {
    if suite::BUILT_IN.iter().any(|(known, _)| *known == name) {
        return Ok(suite::load(name, optimizers)?.1);
    }
    Ok(experiment::load(name, optimizers)?.1)
}

/// Every name that has a page, for the suggestion.
fn all_names(optimizers: &Optimizers) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    names.extend(optimizers.entries().iter().map(|entry| entry.name));
    names.extend(TRANSFORMS.iter().map(|transform| transform.name));
    names.extend(SCHEDULES.iter().map(|entry| entry.name));
    names.extend(PENALTIES.iter().map(|entry| entry.name));
    names.extend(AUGMENTATIONS.iter().map(|entry| entry.name));
    names.extend(BUNDLED.iter().map(|bundled| bundled.name));
    names.extend(known::KNOWN.iter().map(|known| known.name));
    names.extend(SURFACES.iter().map(|surface| surface.name));
    names.extend(PREPARATIONS.iter().map(|entry| entry.name));
    names.extend(MODELS.iter().map(|entry| entry.name));
    names.extend(TEXTS.iter().map(|text| text.name));
    names.extend(TOKENIZATIONS.iter().map(|entry| entry.name));
    names.extend([gpt::NAME, vae::NAME, early_stopping::NAME]);
    names.extend(experiment::BUILT_IN.iter().map(|(name, _)| *name));
    names.extend(suite::BUILT_IN.iter().map(|(name, _)| *name));
    // a transformation and a penalty, or a schedule and a surface, may have the same name
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(*name));
    names
}

fn optimizer(name: &str, optimizers: &Optimizers) -> Option<String> {
    let entry = optimizers.find(name).ok()?;
    let settings: Vec<Setting> = [Setting::LR].into_iter().chain((entry.settings)()).collect();
    let lr = (Setting::LR.name, entry.lr.to_string());
    let defaults = [lr].into_iter().chain((entry.defaults)()).collect();
    let dialects = match entry.dialects {
        [] => String::new(),
        _ => format!(
            "\nDialects (settings that differ from the defaults)\n{}\n",
            dialect_table(entry)
        ),
    };
    Some(format!(
        "{}\n\n{}\n\nSettings\n{}\n{dialects}\n{}\nDifferences\n{}\n\nSource\n{}\n",
        entry.docs.title(),
        entry.docs.formula(),
        settings_table(&settings, defaults),
        cost_lines(entry),
        entry.docs.section("Differences"),
        entry.docs.section("Source")
    ))
}

/// The state of an optimizer, and the time of a step.
fn cost_lines(entry: &OptimizerEntry) -> String {
    let measured = cost(entry.name);
    let state = match (entry.memory.map(|memory| memory()).as_deref(), measured) {
        (None, Some(Cost { bytes, .. })) => format!("{bytes} bytes per parameter, measured"),
        (None, None) => "depends on the method".to_string(),
        (Some([]), _) => "none".to_string(),
        (Some(names), _) => {
            format!("{}, {} bytes per parameter in f32", names.join(" and "), 4 * names.len())
        }
    };
    let time = match measured {
        Some(Cost { time, .. }) => format!("{time} times Adam's ({})", cost_measured()),
        None => "not measured".to_string(),
    };
    format!("Optimizer state: {state}\nTime of a step: {time}\n")
}

/// Each dialect as a spec, with the settings that differ from the defaults.
fn dialect_table(entry: &OptimizerEntry) -> TextTable {
    let rows = entry.dialects.iter().map(|dialect| {
        let settings: Vec<String> = entry
            .differs(dialect)
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        vec![
            format!("{}@{}", entry.name, dialect.name),
            settings.join(","),
            dialect.docs.replace('`', ""),
        ]
    });
    let has_paper = entry.dialects.iter().any(|dialect| dialect.name == PAPER);
    let paper = vec![format!("{}@{PAPER}", entry.name), String::new(), "the defaults".into()];
    let paper = Some(paper).filter(|_| !has_paper);
    table(&["spec", "settings", "description"], paper.into_iter().chain(rows))
}

fn model(name: &str) -> Option<String> {
    if name == vae::NAME {
        let defaults = vae::VaeSettings::default().values();
        return Some(page(vae::DOCS, vae::VaeSettings::SETTINGS, defaults));
    }
    if name == gpt::NAME {
        let defaults = gpt::GptSettings::default().values();
        return Some(page(gpt::DOCS, gpt::GptSettings::SETTINGS, defaults));
    }
    let entry = model::find(name).ok()?;
    Some(page(entry.docs, entry.settings, (entry.defaults)()))
}

fn early_stopping(name: &str) -> Option<String> {
    let defaults = EarlyStopping::default().values();
    (name == early_stopping::NAME)
        .then(|| page(early_stopping::DOCS, EarlyStopping::SETTINGS, defaults))
}

/// A schedule and a surface may have the same name.
fn schedule(name: &str) -> Option<String> {
    let entry = SCHEDULES.iter().find(|entry| entry.name == name)?;
    let schedule = page(entry.docs, &(entry.settings)(), (entry.defaults)());
    Some(match surface(name) {
        Some(surface) => format!("As a schedule\n{schedule}\nAs a surface\n{surface}"),
        None => schedule,
    })
}

fn preparation_or_augmentation(name: &str) -> Option<String> {
    let catalogs = [PREPARATIONS, TOKENIZATIONS, AUGMENTATIONS];
    catalogs.into_iter().find_map(|catalog| catalog_page(catalog, name))
}

/// A gradient transformation and a penalty may have the same name.
fn transformation_or_penalty(name: &str) -> Option<String> {
    let transformation =
        TRANSFORMS.iter().find(|transform| transform.name == name).map(|transform| {
            format!(
                "{name}: {}\n\nSettings\n{}\n",
                transform.docs,
                settings_table(transform.settings, (transform.defaults)())
            )
        });
    match (transformation, catalog_page(PENALTIES, name)) {
        (Some(transformation), Some(penalty)) => Some(format!(
            "As a gradient transformation (in --optimizer)\n{transformation}\n\
             As a penalty (--penalty {name})\n{penalty}"
        )),
        (transformation, penalty) => transformation.or(penalty),
    }
}

/// A text that is built in.
fn bundled_text(name: &str) -> Result<Option<String>> {
    let Some(text) = TEXTS.iter().find(|text| text.name == name) else { return Ok(None) };
    let corpus = corpus::load(name)?;
    let parts = [corpus.train(), corpus.validation(), corpus.test()];
    let [train, validation, test] = parts.map(|part| part.chars().count());
    Ok(Some(format!(
        "{name}: {}\n{train} characters to train on, {validation} for validation and {test} to test \
         on\nsha256 of the text {}\n\nTo train on it: downhill train --model gpt --data {name} \
         --optimizer adamw\n",
        text.docs,
        corpus.sha256()
    )))
}

/// A data set that is built in, or that the user has imported.
fn local_data(name: &str) -> Result<Option<String>> {
    let bundled =
        BUNDLED.iter().find(|bundled| bundled.name == name).map(|bundled| bundled.docs.to_string());
    let own = || {
        let (_, folder) = known::own().into_iter().find(|(own, _)| own == name)?;
        Some(format!("your own, in {}", folder.display()))
    };
    let Some(docs) = bundled.or_else(own) else { return Ok(None) };
    let data = data::load(name)?;
    Ok(Some(format!(
        "{name}: {docs}\ninput shape {:?}, {} classes\nsha256 of all examples {}\n",
        data.train.shape,
        data.classes,
        data.sha256()
    )))
}

/// A data set that `downhill fetch` downloads.
fn downloadable_data(name: &str) -> Result<Option<String>> {
    let Some(known) = known::known(name) else { return Ok(None) };
    let folder = known::folder()?.join(name);
    let location = match folder.is_dir() {
        true => format!("in {}", folder.display()),
        false => format!("not in {}; to download it: downhill fetch {name}", folder.display()),
    };
    let mut text = format!(
        "{name}: {}\nlicence: {}\nsource: {}\n{location}\n\nFiles\n",
        known.docs, known.licence, known.source
    );
    for file in known.files {
        text += &format!("  {}, {} bytes, sha256 {}\n", file.name, file.size, file.sha256);
        for address in file.at {
            text += &format!("      {address}{}\n", file.name);
        }
    }
    Ok(Some(text))
}

fn surface(name: &str) -> Option<String> {
    let surface = SURFACES.iter().find(|surface| surface.name == name)?;
    let [left, right, low, high] = surface.window;
    let minima = match surface.minima {
        [] => "none".into(),
        points => points.iter().map(|[x, y]| format!("({x}, {y})")).collect::<Vec<_>>().join(", "),
    };
    Some(format!(
        "{name}: {}\nf(x, y) = {}\nwindow: x {left} to {right}, y {low} to {high}\nstart: ({}, {})\nglobal minima: {minima}\n\n\
         To plot the paths of optimizers on it: downhill surface {name}",
        surface.docs, surface.formula, surface.start[0], surface.start[1]
    ))
}

fn experiment_page(experiment: &Experiment, toml: &str) -> String {
    let source = [&experiment.paper, &experiment.url].map(String::as_str);
    let source: Vec<&str> = source.into_iter().filter(|part| !part.is_empty()).collect();
    let mut text = format!(
        "{}\n{}\n\n{}\n\nScales\n",
        experiment.title,
        source.join(", "),
        experiment.description.trim()
    );
    for (scale, extent) in &experiment.scale {
        let seeds = counted(extent.seeds, "seed", "seeds");
        text += &format!("  {}: {seeds}: {}\n", scale.name(), extent.description);
    }
    text += "\nClaims\n";
    for claim in &experiment.claim {
        let metric = claim.expect.measure().unwrap_or(&experiment.metric.name);
        let check = claim.expect.sentence(metric);
        text += &format!("  \"{}\" ({})\n      checked as: {check}\n", claim.quote, claim.source);
    }
    text += match experiment.differs.is_empty() {
        true => "\n",
        false => "\nDifferences from the paper's protocol\n",
    };
    for differs in &experiment.differs {
        text += &format!(
            "  paper: {}\n  here:  {}\n  why:   {}\n\n",
            differs.paper, differs.here, differs.why
        );
    }
    text + &format!(
        "The file (to start an experiment of your own: downhill show NAME --toml > FILE.toml)\n\n{toml}"
    )
}

fn catalog_page(catalog: &[CatalogEntry], name: &str) -> Option<String> {
    let entry = catalog.iter().find(|entry| entry.name == name)?;
    Some(page(entry.docs, entry.settings, (entry.defaults)()))
}

/// Title, formula, settings, and the sections that the documentation has.
fn page(docs: Docs, settings: &[Setting], defaults: Vec<(&str, String)>) -> String {
    let mut text = format!(
        "{}\n\n{}\n\nSettings\n{}\n",
        docs.title(),
        docs.formula(),
        settings_table(settings, defaults)
    );
    for heading in ["Differences", "Source"] {
        let section = docs.section(heading);
        if !section.is_empty() {
            text += &format!("\n{heading}\n{section}\n");
        }
    }
    text
}

fn settings_table(settings: &[Setting], defaults: Vec<(&str, String)>) -> String {
    if settings.is_empty() {
        return "none".into();
    }
    let rows = settings.iter().zip(defaults).map(|(setting, (_, default))| {
        vec![setting.name.into(), default, setting.docs.into(), setting.allowed.to_string()]
    });
    table(&["key", "default", "description", "allowed"], rows).to_string()
}
