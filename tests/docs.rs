//! README.md and docs/: length, links, and transcripts of the command.
//!
//! A transcript is a fenced block `console`. `$ downhill ARGUMENTS` is run in an empty folder that
//! contains copies of the recorded steps of tests/golden; the lines below are its
//! output. A command that fails shows stderr, and its exit code as `? 2`. `...` on a line of its own
//! stands for any lines, `[..]` for any text in a line. `UPDATE=1 cargo test --release --test docs`
//! writes the output again and keeps the elisions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use downhill::lab::experiment::BUILT_IN;

/// README.md and the pages in docs/.
fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir("docs").unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.push("README.md".into());
    pages.sort();
    pages
}

#[test]
fn the_readme_is_short() {
    let readme = fs::read_to_string("README.md").unwrap();
    assert!(readme.lines().count() <= 150, "README.md has {} lines", readme.lines().count());
    for line in readme.lines() {
        assert!(
            line.chars().count() <= 120,
            "README.md has a line of more than 120 columns: {line}"
        );
    }
}

/// So each page is at most two clicks from README.md.
#[test]
fn the_index_lists_every_page() {
    let readme = fs::read_to_string("README.md").unwrap();
    assert!(readme.contains("(docs/index.md)"), "README.md has no link to docs/index.md");
    let index = fs::read_to_string("docs/index.md").unwrap();
    for page in pages() {
        let name = page.file_name().unwrap().to_str().unwrap().to_string();
        let listed = ["index.md", "README.md"].contains(&name.as_str());
        assert!(
            listed || index.contains(&format!("({name})")),
            "docs/index.md has no link to {name}"
        );
    }
}

/// The fenced blocks of Rust: what follows ```` ```rust ````, and the code.
fn rust_blocks(text: &str) -> Vec<(String, Vec<String>)> {
    let (mut blocks, mut lines) = (Vec::new(), text.lines());
    while let Some(line) = lines.next() {
        // a block in a list is indented
        if let Some(attributes) = line.trim_start().strip_prefix("```rust") {
            let code = lines.by_ref().take_while(|line| line.trim() != "```");
            blocks.push((attributes.to_string(), code.map(String::from).collect()));
        }
    }
    blocks
}

/// Whether lines occur in a file, one after the other, whatever their common indentation.
fn is_excerpt(lines: &[String], file: &str) -> bool {
    // a mark of the examples: lines that are not burn's own loop
    let all: Vec<&str> = file.lines().map(|line| line.trim_end_matches(" //+")).collect();
    all.windows(lines.len().max(1)).any(|window| {
        let Some(indent) = window[0].strip_suffix(lines[0].as_str()) else { return false };
        window.iter().zip(lines).all(|(own, line)| {
            (own.is_empty() && line.is_empty()) || own.strip_prefix(indent) == Some(line)
        })
    })
}

#[test]
fn code_that_is_not_compiled_is_an_excerpt_of_an_example() {
    let examples: Vec<String> = fs::read_dir("examples")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .chain(["examples/learner/src/main.rs".into()])
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let mut excerpts = 0;
    for page in pages() {
        for (attributes, code) in rust_blocks(&fs::read_to_string(&page).unwrap()) {
            // GitHub shows lines that rustdoc hides
            let hidden = code.iter().find(|line| line.trim_start().starts_with("# "));
            assert!(hidden.is_none(), "{}: hidden line {hidden:?}", page.display());
            if attributes.contains("ignore") {
                let found = examples.iter().any(|example| is_excerpt(&code, example));
                assert!(found, "{}: no example contains {code:#?}", page.display());
                excerpts += 1;
            }
        }
    }
    assert!(excerpts >= 2, "only {excerpts} excerpts");
}

#[test]
fn an_excerpt_with_another_line_is_noticed() {
    let lines = |text: &str| text.lines().map(String::from).collect::<Vec<_>>();
    let file = "fn f() {\n    first();\n\n        second();\n}";
    assert!(is_excerpt(&lines("first();\n\n    second();"), file));
    for wrong in ["first();\nsecond();", "first();\n\nsecond();", "third();"] {
        assert!(!is_excerpt(&lines(wrong), file), "{wrong}");
    }
}

#[test]
fn the_rust_code_of_every_page_is_compiled() {
    let lib = fs::read_to_string("src/lib.rs").unwrap();
    for page in pages() {
        let blocks = rust_blocks(&fs::read_to_string(&page).unwrap());
        let has_code = blocks.iter().any(|(attributes, _)| !attributes.contains("ignore"));
        let listed = lib.contains(&format!("\"../{}\"", page.display()));
        assert!(
            !has_code || listed,
            "{} is not in the module `pages` of src/lib.rs",
            page.display()
        );
    }
}

/// The text without fenced blocks.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The anchors of the headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        heading
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_relative_link_resolves() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = prose(&fs::read_to_string(&page).unwrap());
        for link in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')) {
            let link = link.0;
            if link.starts_with("http") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            let there = target.exists()
                && (anchor.is_empty()
                    || anchors(&prose(&fs::read_to_string(&target).unwrap()))
                        .contains(&anchor.to_string()));
            if !there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

fn downhill(folder: &Path, arguments: &[String]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_downhill"))
        .args(arguments)
        .current_dir(folder)
        .env("DOWNHILL_DATA", folder.join("data"))
        .output()
        .unwrap()
}

/// Splits a command at spaces outside of quotes.
fn arguments(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match quote {
            None if c == ' ' => words.push(std::mem::take(&mut word)),
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// What a reader sees: stdout, or stderr and the exit code if the command fails.
fn shown(output: &Output) -> Vec<String> {
    let failed = !output.status.success();
    let bytes = if failed { &output.stderr } else { &output.stdout };
    let text = String::from_utf8_lossy(bytes).replace("downhill.exe", "downhill");
    let mut lines: Vec<String> =
        text.trim_end().lines().map(|line| line.trim_end().to_string()).collect();
    if failed {
        lines.push(format!("? {}", output.status.code().unwrap_or(-1)));
    }
    lines
}

/// Whether a line agrees with a pattern, in which `[..]` is any text.
fn line_agrees(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.trim_end().split("[..]");
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Whether the lines agree with patterns, in which a line `...` is any lines.
fn agrees(patterns: &[String], lines: &[String]) -> bool {
    match patterns.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=lines.len()).any(|skipped| agrees(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, others)| line_agrees(first, line) && agrees(rest, others)),
    }
}

/// The new output, shortened in the same way as the old one.
fn elided(old: &[String], new: &[String]) -> Vec<String> {
    let with_patterns = |line: &String| {
        let pattern =
            old.iter().find(|pattern| pattern.contains("[..]") && line_agrees(pattern, line));
        pattern.unwrap_or(line).clone()
    };
    let head = old.iter().position(|line| line == "...");
    let tail = old.iter().rev().position(|line| line == "...");
    match (head, tail) {
        (Some(head), Some(tail)) if head + tail < new.len() => {
            let (first, last) = (&new[..head], &new[new.len() - tail..]);
            let dots = ["...".to_string()];
            first
                .iter()
                .map(with_patterns)
                .chain(dots)
                .chain(last.iter().map(with_patterns))
                .collect()
        }
        _ => new.iter().map(with_patterns).collect(),
    }
}

/// The page with the output of its transcripts replaced by the real output where the two disagree.
fn replayed(text: &str, folder: &Path) -> (String, usize) {
    let (mut page, mut commands): (Vec<String>, usize) = (Vec::new(), 0);
    let mut lines = text.lines().map(String::from).peekable();
    while let Some(line) = lines.next() {
        page.push(line.clone());
        if line != "```console" {
            continue;
        }
        while let Some(command) = lines.next_if(|line| line != "```") {
            let call = command.strip_prefix("$ downhill ");
            let call = call.unwrap_or_else(|| panic!("a transcript has no command: {command}"));
            let mut old = Vec::new();
            while let Some(line) = lines.next_if(|line| line != "```" && !line.starts_with("$ ")) {
                old.push(line);
            }
            let new = shown(&downhill(folder, &arguments(call)));
            page.push(command);
            page.extend(if agrees(&old, &new) { old } else { elided(&old, &new) });
            commands += 1;
        }
    }
    (page.join("\n") + "\n", commands)
}

#[test]
fn every_transcript_is_what_the_command_prints() {
    let mut commands = 0;
    for page in pages() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("tests/golden")).unwrap();
        for golden in ["trajectories", "modern", "learning_rate_free"] {
            let golden = format!("tests/golden/{golden}.json");
            fs::copy(&golden, folder.path().join(&golden)).unwrap();
        }
        let text = fs::read_to_string(&page).unwrap();
        let (real, here) = replayed(&text, folder.path());
        commands += here;
        if std::env::var("UPDATE").is_ok() {
            fs::write(&page, real).unwrap();
        } else if text != real {
            let wrong = text.lines().zip(real.lines()).find(|(old, new)| old != new);
            panic!(
                "{} differs from what the command prints, first in {wrong:?}; \
                 UPDATE=1 cargo test --release --test docs writes it again",
                page.display()
            );
        }
    }
    assert!(commands >= 10, "only {commands} commands in transcripts");
}

#[test]
fn a_transcript_with_another_output_is_noticed() {
    let lines = |text: &str| text.lines().map(String::from).collect::<Vec<_>>();
    let real = lines("first\nmean 3 in 0.2 s\nlast");
    assert!(agrees(&lines("first\nmean 3 in [..] s\nlast"), &real));
    assert!(agrees(&lines("...\nlast"), &real) && agrees(&lines("first\n..."), &real));
    for wrong in ["first\nlast", "first\nmean 4 in [..] s\nlast", "...\nmean 3 in 0.2 s", "first"] {
        assert!(!agrees(&lines(wrong), &real), "{wrong}");
    }
    assert_eq!(elided(&lines("x\n...\ny"), &real), lines("first\n...\nlast"));
}

/// The cells of the table rows that begin with the name of an experiment.
fn rows(text: &str) -> BTreeMap<String, Vec<String>> {
    let cells = |line: &str| {
        let cells = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_string());
        cells.collect::<Vec<String>>()
    };
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|row| (row[0].trim_matches('`').to_string(), row)).collect()
}

/// Verdicts of a run, counted, such as "2 HELD, 1 UNDECIDED".
fn counts(stdout: &str) -> String {
    let verdicts = ["HELD", "NOT HELD", "UNDECIDED", "PASS", "FAIL"];
    let count = |verdict: &&str| {
        let start = format!("{verdict} ");
        let lines = stdout.lines().filter(|line| {
            line.strip_prefix(&start).is_some_and(|rest| rest.trim_start().starts_with('"'))
        });
        lines.count()
    };
    let counted = verdicts.iter().map(|verdict| (count(verdict), verdict));
    let counted: Vec<String> = counted
        .filter(|(count, _)| *count > 0)
        .map(|(count, verdict)| format!("{count} {verdict}"))
        .collect();
    counted.join(", ")
}

/// The verdicts in results/NAME-paper, counted, by NAME.
fn committed() -> BTreeMap<String, String> {
    let folders = fs::read_dir("results").unwrap().map(|entry| entry.unwrap().path());
    let of = |folder: PathBuf| {
        let name = folder.file_name()?.to_str()?.strip_suffix("-paper")?.to_string();
        let report = fs::read_to_string(folder.join("report.md")).unwrap();
        let lines: Vec<String> = report
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split_once(" | \""))
            .map(|(verdict, rest)| format!("{verdict} \"{rest}"))
            .collect();
        Some((name, counts(&lines.join("\n"))))
    };
    folders.filter_map(of).collect()
}

#[test]
fn the_page_of_experiments_states_the_same_verdicts() {
    let page = fs::read_to_string("docs/experiments.md").unwrap();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = words(&page);
    for (name, row) in rows(&fs::read_to_string("README.md").unwrap()) {
        if BUILT_IN.iter().any(|(built_in, _)| *built_in == name)
            && !row[2].starts_with("paper scale: ")
        {
            let stated = format!("**`{name}`** ({})", row[2]);
            assert!(page.contains(&stated), "docs/experiments.md does not state {stated}");
        }
    }
    let committed = committed();
    assert!(committed.len() >= 2, "only {} folders in results/", committed.len());
    for (name, counts) in committed {
        let stated = format!("[paper scale](../results/{name}-paper/report.md) ({counts})");
        assert!(page.contains(&stated), "docs/experiments.md does not state {stated}");
    }
}

#[test]
fn the_readme_states_the_verdicts_of_every_experiment() {
    let readme = fs::read_to_string("README.md").unwrap();
    let rows = rows(&readme);
    for (name, _) in BUILT_IN {
        let row = rows.get(*name).unwrap_or_else(|| panic!("README.md has no row for {name}"));
        assert_eq!(row.len(), 3, "{name}: {row:?}");
    }
    // those at the scale of the paper are in results/
    let committed = committed();
    for (name, row) in &rows {
        if let Some(stated) = row.get(2).and_then(|cell| cell.strip_prefix("paper scale: ")) {
            assert_eq!(stated, committed[name], "{name}");
        }
    }
    // those that take a second or two
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "wilson-synthetic",
        "nesterov-acceleration",
        "newton-digits",
        "step-sizes",
        "s0-averages",
        "s2-noise",
        "s3-contour",
        "s3-saddle",
        "long-valley",
    ] {
        let output = downhill(folder.path(), &["run".into(), name.into()]);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(rows[name][2], counts(&String::from_utf8_lossy(&output.stdout)), "{name}");
    }
}
