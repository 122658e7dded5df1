//! Tables for the terminal.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets::UTF8_FULL_CONDENSED};
use downhill::augment::AUGMENTATIONS;
use downhill::data::prepare::PREPARATIONS;
use downhill::data::{BUNDLED, known};
use downhill::experiment::{self, BUILT_IN};
use downhill::model::{MODELS, vae};
use downhill::optim::Optimizers;
use downhill::regularizer::{EarlyStopping, PENALTIES, early_stopping};
use downhill::report::Report;
use downhill::schedule::SCHEDULES;
use downhill::spec::Settings;
use downhill::surface::SURFACES;

use super::Kind;
use downhill::descent::PARTS;
use downhill::record::Point;

/// A table with a header line.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(header).add_rows(&rows);
    // in a terminal as wide as it is, as far as words and numbers stay whole; what is piped stays whole
    if let Some((terminal_size::Width(width), _)) = terminal_size::terminal_size_of(std::io::stdout()) {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        for (at, column) in table.column_iter_mut().enumerate() {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(String::as_str).chain(header.get(at).copied());
            let least = cells.map(unbroken).max().unwrap_or(0) + 2; // a space on each side
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least.min(1000) as u16)));
        }
    }
    table
}

/// The letters of a cell's longest word; of a cell that is in lines already, those of the longest line.
fn unbroken(cell: &str) -> usize {
    let parts: Vec<&str> = if cell.contains('\n') { cell.lines().collect() } else { cell.split_whitespace().collect() };
    parts.into_iter().map(|part| part.chars().count()).max().unwrap_or(0)
}

/// `Adam: adaptive moment estimation` without what stands in the name's column.
fn rest(title: &str) -> String {
    title.split_once(": ").map_or(title, |(_, rest)| rest).to_string()
}

/// Where a known data set is.
fn place(known: &known::Known) -> String {
    match known::folder().map(|folder| folder.join(known.name)) {
        Ok(folder) if folder.is_dir() => format!("in {}", folder.display()),
        _ => format!("to be had by `downhill fetch {}` ({:.0} MB)", known.name, known.size() as f64 / 1e6),
    }
}

/// Everything of a kind, or of all kinds.
pub fn list(what: Option<Kind>, optimizers: &Optimizers) -> String {
    let mut text = String::new();
    let mut part = |kind: Kind, title: &str, header: &[&str], rows: Vec<Vec<String>>| {
        if what.is_none_or(|only| only == kind) {
            text += &format!("{title}\n{}\n\n", table(header, rows));
        }
    };
    let names = |names: &[&str]| if names.is_empty() { "-".into() } else { names.join(" ") };
    let rows = optimizers.entries().iter().map(|entry| {
        let settings: Vec<&str> = ["lr"].into_iter().chain((entry.settings)().iter().map(|setting| setting.name)).collect();
        let dialects: Vec<&str> = entry.dialects.iter().map(|dialect| dialect.name).collect();
        vec![entry.name.into(), rest(&entry.about.title()), names(&settings), names(&dialects)]
    });
    part(
        Kind::Optimizers,
        "Optimizers (downhill show NAME: formula, defaults, differences)",
        &["name", "", "settings", "dialects"],
        rows.collect(),
    );
    let rows = PARTS.iter().map(|(name, about, settings, _)| {
        let settings: Vec<&str> = settings.iter().map(|setting| setting.name).collect();
        vec![name.to_string(), about.to_string(), names(&settings)]
    });
    let title = "Around an optimizer, in this order: clip_global:max=1|l2:lambda=1e-4|adam|ema|cosine:warmup=100";
    part(Kind::Parts, title, &["name", "", "settings"], rows.collect());
    let rows = BUILT_IN.iter().map(|(name, _)| {
        let title = experiment::load(name, optimizers).map_or(String::new(), |(experiment, _)| experiment.title);
        vec![name.to_string(), title]
    });
    part(Kind::Experiments, "Experiments (downhill run NAME)", &["name", ""], rows.collect());
    let bundled = BUNDLED.iter().map(|bundled| vec![bundled.name.into(), bundled.about.into(), "in the program".into()]);
    let known = known::KNOWN.iter().map(|known| vec![known.name.into(), known.about.into(), place(known)]);
    let own = known::own().into_iter().map(|(name, folder)| vec![name, "your own".into(), format!("in {}", folder.display())]);
    let title = "Data (--data NAME, or a path: the files of MNIST, CIFAR or IMDB, a .tar.gz of them, or a .csv of labels and texts)";
    part(Kind::Data, title, &["name", "", "is"], bundled.chain(known).chain(own).collect());
    let rows = PREPARATIONS.iter().map(|preparation| {
        let settings: Vec<&str> = preparation.settings.iter().map(|setting| setting.name).collect();
        vec![preparation.name.into(), rest(&preparation.about.title()), names(&settings)]
    });
    part(
        Kind::Data,
        "What is done to data, from left to right (--data \"cifar10|gcn|zca:eps=0.1\")",
        &["name", "", "settings"],
        rows.collect(),
    );
    let rows = MODELS.iter().map(|model| {
        let settings: Vec<&str> = model.settings.iter().map(|setting| setting.name).collect();
        vec![model.name.into(), rest(&model.about.title()), names(&settings)]
    });
    let settings: Vec<&str> = vae::VaeSettings::SETTINGS.iter().map(|setting| setting.name).collect();
    let autoencoder = vec![vae::NAME.into(), format!("{}; in experiments only", rest(&vae::ABOUT.title())), names(&settings)];
    let rows = rows.chain([autoencoder]);
    part(Kind::Models, "Models (--model NAME)", &["name", "", "settings"], rows.collect());
    let rows = SCHEDULES.iter().map(|schedule| {
        let settings: Vec<&str> = (schedule.settings)().iter().map(|setting| setting.name).collect();
        vec![schedule.name.into(), rest(&schedule.about.title()), names(&settings)]
    });
    part(Kind::Schedules, "Schedules (--schedule NAME, or at the end of the optimizer's line)", &["name", "", "settings"], rows.collect());
    let rows = SURFACES.iter().map(|known| vec![known.name.into(), known.formula.into(), known.about.into()]);
    part(Kind::Surfaces, "Surfaces (downhill surface NAME, or an expression of x and y)", &["name", "f(x, y)", ""], rows.collect());
    let rows = PENALTIES.iter().map(|penalty| {
        let settings: Vec<&str> = penalty.settings.iter().map(|setting| setting.name).collect();
        vec![penalty.name.into(), rest(&penalty.about.title()), names(&settings)]
    });
    let title = "Penalties and constraints (--penalty NAME, several with |: l1:lambda=1e-4,by=prox|max_norm:max=3)";
    part(Kind::Penalties, title, &["name", "", "settings"], rows.collect());
    let settings: Vec<&str> = EarlyStopping::SETTINGS.iter().map(|setting| setting.name).collect();
    let row = vec![early_stopping::NAME.into(), rest(&early_stopping::ABOUT.title()), names(&settings)];
    let title = "When to stop (--early-stopping, with --validation SHARE)";
    part(Kind::Penalties, title, &["name", "", "settings"], vec![row]);
    let rows = AUGMENTATIONS.iter().map(|augmentation| {
        let settings: Vec<&str> = augmentation.settings.iter().map(|setting| setting.name).collect();
        vec![augmentation.name.into(), rest(&augmentation.about.title()), names(&settings)]
    });
    let title = "Augmentations (downhill augment LINE, several with |: hflip|crop:pad=4)";
    part(Kind::Augmentations, title, &["name", "", "settings"], rows.collect());
    text
}

/// The table of results, and the verdicts.
pub fn results(report: &Report) -> String {
    let header: Vec<&str> = ["series", "chosen"].into_iter().chain(report.columns.iter().copied()).chain(["s/run", "runs"]).collect();
    let rows = report.table.iter().map(|row| {
        let mut cells = vec![row.series.clone(), row.chosen.clone()];
        cells.extend(row.finals.iter().cloned());
        cells.extend([row.seconds.clone(), row.runs.clone()]);
        cells
    });
    let mut results = table(&header, rows);
    for column in results.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = if report.columns.is_empty() { String::new() } else { format!("{results}\n") };
    for remark in &report.remarks {
        text += &format!("{remark}\n");
    }
    for verdict in &report.verdicts {
        text += &format!(
            "\n{:9}  \"{}\" ({})\n           {}\n           {}\n",
            verdict.held, verdict.quote, verdict.source, verdict.check, verdict.margin
        );
    }
    text
}

/// What a step did to each parameter.
pub fn layers(point: &Point) -> String {
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.2e}"));
    let share = |value: Option<f64>| value.map_or("-".into(), |value| format!("{:.1} %", 100.0 * value));
    let rows = point.layers.iter().map(|layer| {
        vec![
            layer.name.clone(),
            layer.elements.to_string(),
            number(Some(layer.step)),
            number(Some(layer.largest_step)),
            number(layer.bound),
            number(layer.update_to_weight),
            number(layer.signal_to_noise),
            share(layer.eps_share),
        ]
    });
    let header = ["parameter", "numbers", "step (rms)", "largest", "bound", "step / weight", "signal / noise", "eps dominates"];
    let mut table = table(&header, rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("the last step taken, up to batch {}\n{table}\n", point.step)
}
