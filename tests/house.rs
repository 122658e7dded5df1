//! The rules of the house that a machine can hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use downhill::experiment::run::BURN;
use downhill::optim::{Entry, Optimizers};

#[path = "../examples/mutants/list.rs"]
mod mutants;

#[test]
fn the_text_of_every_mutant_stands_exactly_once_in_its_file() {
    for mutation in mutants::MUTATIONS {
        let text = fs::read_to_string(format!("src/optim/{}.rs", mutation.file)).unwrap();
        assert_eq!(text.matches(mutation.text).count(), 1, "{}.rs, {}: {:?}", mutation.file, mutation.what, mutation.text);
        assert_ne!(mutation.text, mutation.replaced);
    }
}

/// The way of the data, as ARCHITECTURE.md draws it: a module uses only modules before it.
const WAY: [&str; 23] = [
    "spec",
    "error",
    "about",
    "chart",
    "surface",
    "seed",
    "files",
    "device",
    "data",
    "augment",
    "model",
    "regularizer",
    "optim",
    "schedule",
    "descent",
    "study",
    "card",
    "verify",
    "record",
    "train",
    "problem",
    "experiment",
    "report",
];

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
fn a_module_uses_only_modules_before_it_on_the_way_of_the_data() {
    let place: BTreeMap<&str, usize> = WAY.iter().enumerate().map(|(i, name)| (*name, i)).collect();
    for (path, text) in sources(Path::new("src")) {
        let own = path.trim_start_matches("src/").split(['/', '.']).next().unwrap();
        let Some(own_place) = place.get(own) else { continue };
        for used in text.split("crate::").skip(1).filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()) {
            if let Some(used_place) = place.get(used) {
                assert!(used_place <= own_place, "{path} uses crate::{used}, which comes after {own}");
            }
        }
    }
    let modules = fs::read_to_string("src/lib.rs").unwrap();
    let declared = modules.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    assert!(declared.clone().count() == WAY.len() && declared.clone().all(|name| place.contains_key(name)), "every module has its place");
}

#[test]
fn the_plotting_crate_is_known_to_one_file() {
    let knowing: Vec<String> =
        sources(Path::new("src")).into_iter().filter(|(_, text)| text.contains("plotters::")).map(|(path, _)| path).collect();
    assert_eq!(knowing, ["src/report/plot.rs"]);
}

#[test]
fn records_name_the_version_of_burn_that_is_built_in() {
    let lock = fs::read_to_string("Cargo.lock").unwrap();
    assert!(lock.contains(&format!("name = \"burn\"\nversion = \"{BURN}\"")));
}

#[test]
fn every_optimizer_says_what_it_is_how_it_differs_and_where_it_comes_from() {
    for entry in Optimizers::default().entries() {
        let about = entry.about;
        for (part, text) in [
            ("title", about.title()),
            ("formula", about.formula()),
            ("Differences", about.section("Differences")),
            ("Source", about.section("Source")),
        ] {
            assert!(!text.is_empty(), "{} has no {part}", entry.name);
        }
    }
}

/// Text that is made from the files. `UPDATE=1 cargo test --release --test house` writes it.
fn is_as_the_files_say(path: &str, expected: String) {
    if std::env::var("UPDATE").is_ok() {
        fs::write(path, expected).unwrap();
    } else {
        let there = fs::read_to_string(path).unwrap_or_default();
        assert!(there == expected, "{path} is not as the files say; run UPDATE=1 cargo test --release --test house");
    }
}

/// Bytes a parameter in f32.
fn cost(entry: &Entry) -> String {
    entry.memory.map_or("-".into(), |memory| (4 * memory().len()).to_string())
}

fn rest(title: &str) -> &str {
    title.split_once(": ").map_or(title, |(_, rest)| rest)
}

#[test]
fn the_readme_has_the_table_of_optimizers_as_the_files_say() {
    let mut table = String::from("| name | | bytes | dialects |\n|---|---|--:|---|\n");
    for entry in Optimizers::default().entries() {
        let title = entry.about.title();
        let dialects: Vec<String> = entry.dialects.iter().map(|dialect| format!("`{}`", dialect.name)).collect();
        table += &format!("| `{}` | {} | {} | {} |\n", entry.name, rest(&title), cost(entry), dialects.join(" "));
    }
    let readme = fs::read_to_string("README.md").unwrap();
    let (before, after) = readme.split_once("<!-- optimizers -->\n").unwrap();
    let (_, after) = after.split_once("<!-- end -->").unwrap();
    is_as_the_files_say("README.md", format!("{before}<!-- optimizers -->\n{table}<!-- end -->{after}"));
}

/// The chapter on optimizers: what `downhill show` prints of each, on one page.
#[test]
fn the_chapter_on_optimizers_is_as_the_files_say() {
    let optimizers = Optimizers::default();
    let mut chapter = String::from(
        "# The optimizers\n\nMade from the files in `src/optim` by `UPDATE=1 cargo test --release --test house`; `downhill show NAME` prints the same.\n\n\
         A dialect is a named set of settings: `adam@keras` in a spec, `Adam::keras()` in a program. No dialect, or `@paper`, is the defaults.\n\
         *Bytes* is what is remembered for each parameter in f32, with the default settings. Every learning rate is `lr`.\n\n\
         | name | | bytes | memory | default lr | dialects |\n|---|---|--:|---|--:|---|\n",
    );
    let name = |entry: &Entry| format!("[`{0}`](#{1})", entry.name, entry.name.replace(':', ""));
    for entry in optimizers.entries() {
        let title = entry.about.title();
        let memory = entry.memory.map_or(String::new(), |memory| memory().join(", "));
        let dialects: Vec<&str> = entry.dialects.iter().map(|dialect| dialect.name).collect();
        let row = [name(entry), rest(&title).into(), cost(entry), memory, entry.lr.to_string(), dialects.join(", ")];
        chapter += &format!("| {} |\n", row.join(" | "));
    }
    for entry in optimizers.entries() {
        let about = entry.about;
        chapter += &format!("\n## {}\n\n**{}**\n\n```text\n{}\n```\n", entry.name, about.title(), about.formula());
        let settings = (entry.settings)();
        if !settings.is_empty() {
            chapter += "\n| setting | default | | allowed |\n|---|---|---|---|\n";
        }
        for (setting, (_, default)) in settings.iter().zip((entry.defaults)()) {
            let about = setting.about.replace('|', "\\|");
            chapter += &format!("| `{}` | `{default}` | {about} | {} |\n", setting.name, setting.allowed);
        }
        if !entry.dialects.is_empty() {
            chapter += "\n| dialect | differs from the defaults in | is |\n|---|---|---|\n";
        }
        for dialect in entry.dialects {
            let differs: Vec<String> = entry.differs(dialect).iter().map(|(key, value)| format!("`{key}={value}`")).collect();
            let differs = if differs.is_empty() { "nothing".into() } else { differs.join(" ") };
            chapter += &format!("| `{}@{}` | {differs} | {} |\n", entry.name, dialect.name, dialect.about);
        }
        chapter += &format!("\n{}\n\nSource: {}\n", about.section("Differences"), about.section("Source"));
    }
    is_as_the_files_say("docs/optimizers.md", chapter);
}
