//! What `show` prints.

use downhill::about::{About, counted};
use downhill::augment::AUGMENTATIONS;
use downhill::data::prepare::PREPARATIONS;
use downhill::data::{self, BUNDLED, known};
use downhill::descent::PARTS;
use downhill::experiment;
use downhill::model::{self, MODELS, vae};
use downhill::optim::{Entry, Optimizers, PAPER};
use downhill::regularizer::{EarlyStopping, PENALTIES, early_stopping};
use downhill::schedule::SCHEDULES;
use downhill::spec::{Setting, Settings, Spec, unknown};
use downhill::surface::SURFACES;
use downhill::{Error, Result};

use super::tables::table;

/// The page of an optimizer, a model or an experiment.
pub fn show(name: &str, optimizers: &Optimizers) -> Result<String> {
    // `adam@keras:lr=1` is explained by the page of `adam`
    let spec = name.parse::<Spec>();
    let name = spec.as_ref().map_or(name, |spec| if name.ends_with(".toml") { name } else { &spec.name });
    if let Ok(entry) = optimizers.find(name) {
        let settings: Vec<Setting> = [Setting::LR].into_iter().chain((entry.settings)()).collect();
        let defaults = [(Setting::LR.name, entry.lr.to_string())].into_iter().chain((entry.defaults)()).collect();
        let table_of_settings = settings_table(&settings, defaults);
        let mut text = format!("{}\n\n{}\n\nSettings\n{}\n", entry.about.title(), entry.about.formula(), table_of_settings);
        if !entry.dialects.is_empty() {
            text += &format!("\nDialects (settings that differ from the defaults)\n{}\n", dialects(entry));
        }
        text += &match entry.memory.map(|memory| memory()).as_deref() {
            None => "\nMemory: as the method needs\n".to_string(),
            Some([]) => "\nMemory: none\n".to_string(),
            Some(some) => format!("\nMemory: {}, {} bytes a parameter in f32\n", some.join(" and "), 4 * some.len()),
        };
        return Ok(format!("{text}\nDifferences\n{}\n\nSource\n{}\n", entry.about.section("Differences"), entry.about.section("Source")));
    }
    let page = |about: About, settings: &[Setting], defaults: Vec<(&str, String)>| {
        let table = settings_table(settings, defaults);
        let section = |heading: &str| match about.section(heading) {
            none if none.is_empty() => none,
            text => format!("\n{heading}\n{text}\n"),
        };
        format!("{}\n\n{}\n\nSettings\n{table}\n{}{}", about.title(), about.formula(), section("Differences"), section("Source"))
    };
    if let Ok(entry) = model::find(name) {
        return Ok(page(entry.about, entry.settings, (entry.defaults)()));
    }
    if name == vae::NAME {
        return Ok(page(vae::ABOUT, vae::VaeSettings::SETTINGS, vae::VaeSettings::default().values()));
    }
    if name == early_stopping::NAME {
        return Ok(page(early_stopping::ABOUT, EarlyStopping::SETTINGS, EarlyStopping::default().values()));
    }
    if let Some(entry) = SCHEDULES.iter().find(|entry| entry.name == name) {
        let schedule = page(entry.about, &(entry.settings)(), (entry.defaults)());
        return Ok(match surface(name) {
            Some(surface) => format!("As a schedule\n{schedule}\nAs a surface\n{surface}"),
            None => schedule,
        });
    }
    if let Some(entry) = PREPARATIONS.iter().find(|entry| entry.name == name) {
        return Ok(page(entry.about, entry.settings, (entry.defaults)()));
    }
    if let Some(entry) = AUGMENTATIONS.iter().find(|entry| entry.name == name) {
        return Ok(page(entry.about, entry.settings, (entry.defaults)()));
    }
    // a penalty of the loss and a part around the optimizer may have one name
    let part = PARTS
        .iter()
        .find(|(known, ..)| *known == name)
        .map(|(name, about, settings, defaults)| format!("{name}: {about}\n\nSettings\n{}\n", settings_table(settings, defaults())));
    let penalty = PENALTIES.iter().find(|entry| entry.name == name);
    match (part, penalty.map(|entry| page(entry.about, entry.settings, (entry.defaults)()))) {
        (Some(part), Some(penalty)) => return Ok(format!("Around an optimizer\n{part}\nAs a penalty of the loss (--penalty)\n{penalty}")),
        (Some(one), None) | (None, Some(one)) => return Ok(one),
        (None, None) => {}
    }
    let bundled = BUNDLED.iter().find(|bundled| bundled.name == name).map(|bundled| bundled.about.to_string());
    let own = || known::own().into_iter().find(|(own, _)| own == name).map(|(_, folder)| format!("your own, in {}", folder.display()));
    if let Some(about) = bundled.or_else(own) {
        let data = data::load(name)?;
        return Ok(format!(
            "{name}: {about}\ninputs of {:?}, {} classes\nsha256 of all examples {}\n",
            data.train.shape,
            data.classes,
            data.sha256()
        ));
    }
    if let Some(text) = surface(name) {
        return Ok(text);
    }
    if let Some(known) = known::known(name) {
        let mut text = format!("{name}: {}\nlicence: {}\nsource: {}\n", known.about, known.licence, known.source);
        let folder = known::folder()?.join(name);
        text += &match folder.is_dir() {
            true => format!("in {}\n", folder.display()),
            false => format!("not in {}; `downhill fetch {name}` brings it\n", folder.display()),
        };
        text += "\nFiles\n";
        for file in known.files {
            text += &format!("  {}, {} bytes, sha256 {}\n", file.name, file.size, file.sha256);
            file.at.iter().for_each(|address| text += &format!("      {address}{}\n", file.name));
        }
        return Ok(text);
    }
    match experiment::load(name, optimizers) {
        Ok((experiment, toml)) => {
            let mut text = format!("{}\n{}, {}\n\n{}\n", experiment.title, experiment.paper, experiment.url, experiment.about.trim());
            text += "\nScales\n";
            for (scale, extent) in &experiment.scale {
                text += &format!("  {}: {}: {}\n", scale.name(), counted(extent.seeds, "seed", "seeds"), extent.about);
            }
            text += "\nClaims\n";
            for claim in &experiment.claim {
                text += &format!(
                    "  \"{}\" ({})\n      checked as: {}\n",
                    claim.quote,
                    claim.source,
                    claim.expect.sentence(claim.expect.measure().unwrap_or(&experiment.metric.name))
                );
            }
            text += "\nWhere this is not the paper's protocol\n";
            for d in &experiment.differs {
                text += &format!("  paper: {}\n  here:  {}\n  why:   {}\n\n", d.paper, d.here, d.why);
            }
            Ok(format!("{text}The file itself (alone with --toml, to begin your own from):\n\n{toml}"))
        }
        Err(_) if !name.ends_with(".toml") => {
            let names = optimizers.entries().iter().map(|entry| entry.name).chain(PARTS.iter().map(|(name, ..)| *name));
            let penalties = PENALTIES.iter().map(|penalty| penalty.name).filter(|name| PARTS.iter().all(|(part, ..)| part != name));
            let names = names
                .chain(SCHEDULES.iter().map(|schedule| schedule.name))
                .chain(penalties)
                .chain(AUGMENTATIONS.iter().map(|augmentation| augmentation.name))
                .chain(BUNDLED.iter().map(|bundled| bundled.name))
                .chain(known::KNOWN.iter().map(|known| known.name))
                .chain(SURFACES.iter().map(|surface| surface.name))
                .chain(PREPARATIONS.iter().map(|preparation| preparation.name))
                .chain(MODELS.iter().map(|model| model.name))
                .chain([vae::NAME, early_stopping::NAME])
                .chain(experiment::BUILT_IN.iter().map(|(name, _)| *name));
            Err(Error::Spec(unknown("name", name, names)))
        }
        Err(error) => Err(error),
    }
}

/// Each dialect as a spec, with what differs from the defaults.
fn dialects(entry: &Entry) -> comfy_table::Table {
    let rows = entry.dialects.iter().map(|dialect| {
        let settings: Vec<String> = entry.differs(dialect).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        vec![format!("{}@{}", entry.name, dialect.name), settings.join(","), dialect.about.replace('`', "")]
    });
    let paper = vec![format!("{}@{PAPER}", entry.name), String::new(), "the defaults".into()];
    table(&["spec", "settings", ""], std::iter::once(paper).chain(rows))
}

/// What is to be known of the surface of this name.
fn surface(name: &str) -> Option<String> {
    let surface = SURFACES.iter().find(|surface| surface.name == name)?;
    let [left, right, low, high] = surface.window;
    let lowest = match surface.minima {
        [] => "none".into(),
        some => some.iter().map(|[x, y]| format!("({x}, {y})")).collect::<Vec<_>>().join(", "),
    };
    Some(format!(
        "{name}: {}\nf(x, y) = {}\nwindow: x {left} to {right}, y {low} to {high}\nstart: ({}, {})\nlowest points: {lowest}\n\n\
         `downhill surface {name}` draws paths on it",
        surface.about, surface.formula, surface.start[0], surface.start[1]
    ))
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
