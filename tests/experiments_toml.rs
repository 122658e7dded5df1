//! docs/experiments-toml.md lists every key, every kind of task and every kind of check, and its
//! examples are valid.
#![cfg(feature = "lab")]

use std::collections::BTreeSet;

use downhill::lab::experiment::{Experiment, Scale, parse};
use downhill::optim::Optimizers;

fn page() -> String {
    std::fs::read_to_string("docs/experiments-toml.md").unwrap()
}

/// A section of the page: from its heading to the next one.
fn section(heading: &str) -> String {
    let page = page();
    let start = page.find(&format!("{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let text = &page[start + heading.len()..];
    text[..text.find("\n#").unwrap_or(text.len())].to_string()
}

/// The first cells of the table of a section.
fn documented(heading: &str) -> BTreeSet<String> {
    let keys = section(heading);
    let keys = keys.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    keys.map(|(key, _)| key.to_string()).collect()
}

/// The kinds that have a section: `ahead` for `### expect `ahead``.
fn documented_kinds(of: &str) -> BTreeSet<String> {
    let page = page();
    let kinds = page
        .lines()
        .filter_map(|line| line.strip_prefix(&format!("### {of} `"))?.strip_suffix('`'));
    kinds.map(String::from).collect()
}

/// The examples of a section.
fn examples(heading: &str) -> Vec<String> {
    let text = section(heading);
    let blocks = text.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.map(String::from).collect()
}

/// The names that the schema accepts where it finds the unknown name `zzz`: serde lists them.
fn accepted(toml: &str) -> BTreeSet<String> {
    let error = toml::from_str::<Experiment>(toml).unwrap_err().message().to_string();
    assert!(error.contains("zzz"), "{error}");
    let (_, names) = error.split_once("expected").unwrap_or_else(|| panic!("{error}"));
    names.split('`').skip(1).step_by(2).map(String::from).collect()
}

const HEAD: &str = "name = \"a\"\ntitle = \"a\"\nscale.quick.seeds = 1\n";
const TASK: &str = "task = { kind = \"quadratic\", batch = 100 }\n";

#[test]
fn every_key_is_on_the_page_and_no_other() {
    let rest = format!("{HEAD}{TASK}");
    for (heading, toml) in [
        ("## Keys of the file", format!("{rest}zzz = 1\n")),
        ("## metric", format!("{rest}metric = {{ zzz = 1 }}\n")),
        ("## scale", format!("name = \"a\"\ntitle = \"a\"\n{TASK}scale.quick.zzz = 1\n")),
        ("## series", format!("{rest}[[series]]\nzzz = 1\n")),
        ("## claim", format!("{rest}[[claim]]\nzzz = 1\n")),
        ("## differs", format!("{rest}[[differs]]\nzzz = 1\n")),
    ] {
        assert_eq!(documented(heading), accepted(&toml), "{heading}");
    }
}

#[test]
fn every_kind_of_check_and_its_keys_are_on_the_page() {
    let toml =
        |expect: &str| format!("{HEAD}{TASK}[[claim]]\nquote = \"\"\nexpect = {{ {expect} }}\n");
    let kinds = accepted(&toml("kind = \"zzz\""));
    assert_eq!(documented_kinds("expect"), kinds);
    for kind in &kinds {
        let keys = accepted(&toml(&format!("kind = \"{kind}\", zzz = 1")));
        assert_eq!(documented(&format!("### expect `{kind}`")), keys, "{kind}");
    }
}

#[test]
fn every_kind_of_task_and_its_keys_are_on_the_page() {
    let toml = |task: &str| format!("{HEAD}task = {{ {task} }}\n");
    let kinds = accepted(&toml("kind = \"zzz\""));
    assert_eq!(documented_kinds("task"), kinds);
    for kind in &kinds {
        let keys = accepted(&toml(&format!("kind = \"{kind}\", zzz = 1")));
        assert_eq!(documented(&format!("### task `{kind}`")), keys, "{kind}");
    }
}

#[test]
fn the_examples_of_the_page_are_valid() {
    let optimizers = Optimizers::default();
    let valid = |toml: &str| {
        parse("page.toml".as_ref(), toml, &optimizers)
            .unwrap_or_else(|error| panic!("{error}\n{toml}"))
    };
    let whole = examples("# The file of an experiment");
    assert_eq!(valid(&whole[0]).series.len(), 2);
    let tuned = valid(&format!("name = \"a\"\ntitle = \"a\"\n{}", examples("## Tuning")[0]));
    for series in tuned.planned(Scale::Quick, &optimizers).unwrap() {
        assert_eq!(series.settings.len(), 12, "{}", series.label);
    }

    let base = "name = \"a\"\ntitle = \"a\"\nscale.quick.seeds = 1\n";
    let metric = |name: &str| format!("metric = {{ name = \"{name}\", label = \"\" }}\n");
    let series = r#"
        [[series]]
        label = "Adam"
        optimizer = "adam:lr=[0.01,0.1]"
        [[series]]
        label = "SGD"
        optimizer = "sgd:lr=[0.01,0.1]"
        [[series]]
        label = "Momentum"
        optimizer = "momentum:lr=[0.01,0.1],mu=[0.5,0.9]"
        "#;
    let task =
        "task = { kind = \"classify\", model = \"logistic\", data = \"mnist-10k\", batch = 128 }\n";
    for kind in documented_kinds("expect") {
        let examples = examples(&format!("### expect `{kind}`"));
        assert!(!examples.is_empty(), "{kind} has no example");
        for example in examples {
            assert!(example.contains(&format!("kind = \"{kind}\"")), "{example}");
            let claim = format!("[[claim]]\nquote = \"\"\n{example}");
            valid(&format!("{base}{}{task}{series}{claim}", metric("train_loss")));
        }
    }
    for kind in documented_kinds("task") {
        let examples = examples(&format!("### task `{kind}`"));
        assert!(!examples.is_empty(), "{kind} has no example");
        for example in examples {
            assert!(example.contains(&format!("kind = \"{kind}\"")), "{example}");
            match kind.as_str() {
                "study" => valid(&format!("{base}{example}")),
                "surface" | "least_squares" => {
                    valid(&format!("{base}{}{example}{series}", metric("steps")))
                }
                _ => valid(&format!("{base}{}{example}{series}", metric("train_loss"))),
            };
        }
    }
    // the examples of the tables, each a line of TOML
    for heading in
        ["## Keys of the file", "## metric", "## scale", "## series", "## claim", "## differs"]
    {
        for line in section(heading).lines().filter(|line| line.starts_with("| `")) {
            let line = line.replace("\\|", "\u{1}");
            let cell =
                line.trim_end_matches(" |").rsplit(" | ").next().unwrap().replace('\u{1}', "|");
            let Some(example) = cell.strip_prefix('`') else {
                assert!(cell.starts_with("see ["), "{line}");
                continue;
            };
            let example: toml::Table = toml::from_str(example.trim_end_matches('`')).unwrap();
            let key = line.split('`').nth(1).unwrap();
            assert!(example.len() == 1 && example.contains_key(key), "{line}");
        }
    }
}
