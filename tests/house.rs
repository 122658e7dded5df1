//! The rules of the house that a machine can hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use downhill::experiment::run::BURN;
use downhill::optim::Optimizers;

/// The way of the data, as ARCHITECTURE.md draws it: a module uses only modules before it.
const WAY: [&str; 18] = [
    "spec",
    "error",
    "about",
    "seed",
    "files",
    "device",
    "data",
    "model",
    "regularizer",
    "optim",
    "schedule",
    "descent",
    "verify",
    "record",
    "train",
    "classify",
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

/// The table of optimizers in the README, made from the files. `UPDATE=1 cargo test --release --test house` writes it.
#[test]
fn the_readme_has_the_table_of_optimizers_as_the_files_say() {
    let mut table = String::from("| name | | formula | memory | settings with defaults |\n|---|---|---|--:|---|\n");
    for entry in Optimizers::default().entries() {
        let title = entry.about.title();
        // of alternatives only the default
        let alternative = |line: &&str| ["eps_place=", "correction="].iter().any(|key| line.contains(key)) && !line.contains("(default)");
        let shown = |line: &str| {
            let line = line.split("eps_place=").next().unwrap().split("correction=").next().unwrap();
            format!("`{}`", line.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        let formula = entry.about.formula();
        let formula: Vec<String> =
            formula.lines().take_while(|line| !line.is_empty()).filter(|line| !alternative(line)).map(shown).collect();
        let settings: Vec<String> = (entry.defaults)().into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        table += &format!(
            "| `{}` | {} | {} | {} B | `lr={}` {} |\n",
            entry.name,
            title.split_once(": ").unwrap().1,
            formula.join("<br>"),
            4 * entry.memory.len(),
            entry.lr,
            settings.iter().map(|setting| format!("`{setting}`")).collect::<Vec<_>>().join(" "),
        );
    }
    let readme = fs::read_to_string("README.md").unwrap();
    let (before, rest) = readme.split_once("<!-- optimizers -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    let expected = format!("{before}<!-- optimizers -->\n{table}<!-- end -->{after}");
    if std::env::var("UPDATE").is_ok() {
        fs::write("README.md", &expected).unwrap();
    } else {
        assert!(readme == expected, "the table is not the files'; run UPDATE=1 cargo test --release --test house");
    }
}
