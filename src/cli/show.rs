//! What `show` prints.

use downhill::about::About;
use downhill::data::{self, BUNDLED};
use downhill::experiment;
use downhill::model::{self, MODELS};
use downhill::optim::Optimizers;
use downhill::regularizer::PENALTIES;
use downhill::schedule::SCHEDULES;
use downhill::spec::{Setting, unknown};
use downhill::{Error, Result};

use super::tables::table;

/// The page of an optimizer, a model or an experiment.
pub fn show(name: &str, optimizers: &Optimizers) -> Result<String> {
    if let Ok(entry) = optimizers.find(name) {
        let settings: Vec<Setting> = [Setting::LR].into_iter().chain(entry.settings.iter().copied()).collect();
        let defaults = [(Setting::LR.name, entry.lr.to_string())].into_iter().chain((entry.defaults)()).collect();
        let table_of_settings = settings_table(&settings, defaults);
        let mut text = format!("{}\n\n{}\n\nSettings\n{}\n", entry.about.title(), entry.about.formula(), table_of_settings);
        if !entry.dialects.is_empty() {
            let rows = entry.dialects.iter().map(|d| vec![format!("{name}@{}", d.name), d.settings.into(), d.about.into()]);
            text += &format!("\nDialects\n{}\n", table(&["spec", "settings", ""], rows));
        }
        let memory = entry.memory;
        text += &match memory {
            [] => "\nMemory: none\n".to_string(),
            some => format!("\nMemory: {}, {} bytes a parameter in f32\n", some.join(" and "), 4 * some.len()),
        };
        return Ok(format!("{text}\nDifferences\n{}\n\nSource\n{}\n", entry.about.section("Differences"), entry.about.section("Source")));
    }
    let page = |about: About, settings: &[Setting], defaults: Vec<(&str, String)>| {
        let table = settings_table(settings, defaults);
        format!("{}\n\n{}\n\nSettings\n{table}\n\nSource\n{}\n", about.title(), about.formula(), about.section("Source"))
    };
    if let Ok(entry) = model::find(name) {
        return Ok(page(entry.about, entry.settings, (entry.defaults)()));
    }
    if let Some(entry) = PENALTIES.iter().find(|entry| entry.name == name) {
        return Ok(page(entry.about, entry.settings, (entry.defaults)()));
    }
    if let Some((name, about, settings, defaults)) = SCHEDULES.iter().find(|(known, ..)| *known == name) {
        let table = settings_table(settings, defaults());
        return Ok(format!("{name}: {about}\n\nSettings\n{table}\n"));
    }
    if let Some(bundled) = BUNDLED.iter().find(|bundled| bundled.name == name) {
        let data = data::load(name)?;
        return Ok(format!(
            "{name}: {}\ninputs of {:?}, {} classes\nsha256 of all examples {}\n",
            bundled.about,
            data.train.shape,
            data.classes,
            data.sha256()
        ));
    }
    match experiment::load(name, optimizers) {
        Ok((experiment, toml)) => {
            let mut text = format!("{}\n{}, {}\n\n{}\n", experiment.title, experiment.paper, experiment.url, experiment.about.trim());
            text += "\nScales\n";
            for (scale, extent) in &experiment.scale {
                text += &format!("  {}: {} passes, {} seeds: {}\n", scale.name(), extent.epochs, extent.seeds, extent.about);
            }
            text += "\nClaims\n";
            for claim in &experiment.claim {
                text += &format!(
                    "  \"{}\" ({})\n      checked as: {}\n",
                    claim.quote,
                    claim.source,
                    claim.expect.sentence(&experiment.metric.name)
                );
            }
            text += "\nWhere this is not the paper's protocol\n";
            for d in &experiment.differs {
                text += &format!("  paper: {}\n  here:  {}\n  why:   {}\n\n", d.paper, d.here, d.why);
            }
            Ok(format!("{text}The file itself (alone with --toml, to begin your own from):\n\n{toml}"))
        }
        Err(_) if !name.ends_with(".toml") => {
            let names = optimizers.entries().iter().map(|entry| entry.name);
            let names = names.chain(SCHEDULES.iter().map(|(name, ..)| *name)).chain(PENALTIES.iter().map(|penalty| penalty.name));
            let names = names
                .chain(BUNDLED.iter().map(|bundled| bundled.name))
                .chain(MODELS.iter().map(|model| model.name))
                .chain(experiment::BUILT_IN.iter().map(|(name, _)| *name));
            Err(Error::Spec(unknown("name", name, names)))
        }
        Err(error) => Err(error),
    }
}

fn settings_table(settings: &[Setting], defaults: Vec<(&str, String)>) -> String {
    if settings.is_empty() {
        return "none".into();
    }
    let row = |(setting, (_, default)): (&Setting, (&str, String))| {
        vec![setting.name.to_string(), default, setting.about.to_string(), setting.allowed.to_string()]
    };
    table(&["key", "default", "", "allowed"], settings.iter().zip(defaults).map(row)).to_string()
}
