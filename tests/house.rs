//! Checks of the source files, the mutant list and the generated documentation.
#![cfg(feature = "lab")]

use std::fs;
use std::path::Path;

use downhill::lab::runner::BURN;
use downhill::optim::{OptimizerEntry, Optimizers, cost, cost_measured};

#[path = "../examples/mutants/list.rs"]
mod mutants;
#[path = "../examples/mutants/switched.rs"]
mod switched;

#[test]
fn every_mutant_text_occurs_exactly_once_in_its_file() {
    let mut wrong = Vec::new();
    for mutation in mutants::MUTATIONS {
        let text = fs::read_to_string(mutation.path()).unwrap();
        if text.matches(mutation.text).count() != 1 {
            wrong.push(format!("{}, {}: {:?}", mutation.path(), mutation.what, mutation.text));
        }
        assert_ne!(mutation.text, mutation.replacement);
    }
    for switched in switched::SWITCHED {
        let text = fs::read_to_string(switched.file).unwrap();
        let place = switched.place();
        if text.matches(&place).count() != 1 {
            wrong.push(format!("{}, {}: {place:?}", switched.file, switched.what));
        }
        assert_ne!(switched.parts()[1], switched.replacement);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push((path.to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    files
}

#[test]
fn only_the_drawing_code_uses_plotters() {
    for (path, text) in sources(Path::new("src")) {
        let draws = path.starts_with("src/report/draw/");
        assert!(draws || !text.contains("plotters::"), "{path} uses plotters");
    }
}

#[test]
fn only_one_report_file_rasterizes_svg() {
    for (path, text) in sources(Path::new("src/report")) {
        let rasterizes = path == "src/report/draw/pixels.rs";
        assert!(rasterizes || !text.contains("resvg::"), "{path} uses resvg");
    }
}

#[test]
fn the_recorded_burn_version_equals_the_locked_version() {
    let lock = fs::read_to_string("Cargo.lock").unwrap();
    assert!(lock.contains(&format!("name = \"burn\"\nversion = \"{BURN}\"")));
}

#[test]
fn every_optimizer_documents_title_formula_differences_and_source() {
    for entry in Optimizers::default().entries() {
        let docs = entry.docs;
        for (part, text) in [
            ("title", docs.title()),
            ("formula", docs.formula()),
            ("Differences", docs.section("Differences")),
            ("Source", docs.section("Source")),
        ] {
            assert!(!text.is_empty(), "{} has no {part}", entry.name);
        }
    }
}

/// Checks that a generated file is up to date. `UPDATE=1 cargo test --release --test house`
/// rewrites it.
fn is_up_to_date(path: &str, expected: String) {
    if std::env::var("UPDATE").is_ok() {
        fs::write(path, expected).unwrap();
    } else {
        let there = fs::read_to_string(path).unwrap_or_default();
        assert!(
            there == expected,
            "{path} is out of date; run UPDATE=1 cargo test --release --test house"
        );
    }
}

/// Optimizer state in bytes per parameter, in f32.
fn bytes(entry: &OptimizerEntry) -> String {
    let measured = || cost(entry.name).map_or("-".into(), |cost| cost.bytes.to_string());
    entry.memory.map_or_else(measured, |memory| (4 * memory().len()).to_string())
}

/// The time of a step, relative to Adam's.
fn time(entry: &OptimizerEntry) -> String {
    cost(entry.name).map_or("-".into(), |cost| format!("{:.2}", cost.time))
}

/// Methods that evaluate the loss themselves have no cost of a step alone.
#[test]
fn the_cost_of_every_optimizer_is_measured_and_agrees_with_its_state() {
    let missing: Vec<&str> = Optimizers::default()
        .entries()
        .iter()
        .filter(|entry| cost(entry.name).is_none())
        .map(|entry| entry.name)
        .collect();
    assert_eq!(missing, ["newton", "newton_cg", "lbfgs"], "run UPDATE=1 cargo bench --bench cost");
    for entry in Optimizers::default().entries() {
        let (Some(memory), Some(measured)) = (entry.memory, cost(entry.name)) else { continue };
        let stated = 4.0 * memory().len() as f64;
        assert!((measured.bytes - stated).abs() < 0.01, "{}: {measured:?}", entry.name);
    }
    assert!((cost("adam").unwrap().time - 1.0).abs() < 0.2, "Adam relative to Adam");
    assert!(cost_measured().starts_with("cargo bench --bench cost, "));
}

fn rest(title: &str) -> &str {
    title.split_once(": ").map_or(title, |(_, rest)| rest)
}

#[test]
fn the_readme_list_of_optimizers_is_up_to_date() {
    let mut lines = vec![String::new()];
    for entry in Optimizers::default().entries() {
        let name = format!("`{}`", entry.name);
        if lines.last().unwrap().len() + name.len() >= 100 {
            lines.push(String::new());
        }
        let line = lines.last_mut().unwrap();
        *line = format!("{line} {name}").trim_start().to_string();
    }
    let list = lines.join("\n") + "\n";
    let readme = fs::read_to_string("README.md").unwrap();
    let (before, after) = readme.split_once("<!-- optimizers -->\n").unwrap();
    let (_, after) = after.split_once("<!-- end -->").unwrap();
    is_up_to_date("README.md", format!("{before}<!-- optimizers -->\n{list}<!-- end -->{after}"));
}

/// The chapter on optimizers contains the output of `downhill show` for every optimizer.
#[test]
fn the_chapter_on_optimizers_is_up_to_date() {
    let optimizers = Optimizers::default();
    let mut chapter = String::from(
        "# The optimizers\n\nMade from the files in `src/optim` by `UPDATE=1 cargo test --release --test house`; `downhill show NAME` prints the same.\n\n\
         A dialect is a named set of settings: `adam@keras` in a spec, `Adam::keras()` in a program. `@paper` is the version of the paper; an optimizer without a row `@paper` has it as its defaults.\n\
         *Bytes* is the size of the optimizer state per parameter in f32, with the default settings. *Time* is that of a step relative to Adam's. Every learning rate is `lr`.\n\n",
    );
    chapter += &format!("The times were measured by {}.\n\n", cost_measured());
    chapter += "| name | | bytes | time | state | default lr | dialects |\n|---|---|--:|--:|---|--:|---|\n";
    let name =
        |entry: &OptimizerEntry| format!("[`{0}`](#{1})", entry.name, entry.name.replace(':', ""));
    for entry in optimizers.entries() {
        let title = entry.docs.title();
        let memory = entry.memory.map_or(String::new(), |memory| memory().join(", "));
        let dialects: Vec<&str> = entry.dialects.iter().map(|dialect| dialect.name).collect();
        let row = [
            name(entry),
            rest(&title).into(),
            bytes(entry),
            time(entry),
            memory,
            entry.lr.to_string(),
            dialects.join(", "),
        ];
        chapter += &format!("| {} |\n", row.join(" | "));
    }
    for entry in optimizers.entries() {
        let docs = entry.docs;
        chapter += &format!(
            "\n## {}\n\n**{}**\n\n```text\n{}\n```\n",
            entry.name,
            docs.title(),
            docs.formula()
        );
        let settings = (entry.settings)();
        if !settings.is_empty() {
            chapter += "\n| setting | default | | allowed |\n|---|---|---|---|\n";
        }
        for (setting, (_, default)) in settings.iter().zip((entry.defaults)()) {
            let docs = setting.docs.replace('|', "\\|");
            chapter +=
                &format!("| `{}` | `{default}` | {docs} | {} |\n", setting.name, setting.allowed);
        }
        if !entry.dialects.is_empty() {
            chapter += "\n| dialect | differs from the defaults in | is |\n|---|---|---|\n";
        }
        for dialect in entry.dialects {
            let differs: Vec<String> = entry
                .differs(dialect)
                .iter()
                .map(|(key, value)| format!("`{key}={value}`"))
                .collect();
            let differs = if differs.is_empty() { "nothing".into() } else { differs.join(" ") };
            chapter +=
                &format!("| `{}@{}` | {differs} | {} |\n", entry.name, dialect.name, dialect.docs);
        }
        chapter +=
            &format!("\n{}\n\nSource: {}\n", docs.section("Differences"), docs.section("Source"));
    }
    is_up_to_date("docs/optimizers.md", chapter);
}
