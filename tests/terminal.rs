//! What a terminal shows: width, colours, the progress bar. `script` of util-linux makes the pseudo
//! terminal.
#![cfg(all(feature = "cli", target_os = "linux"))]

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const DOWNHILL: &str = env!("CARGO_BIN_EXE_downhill");
const TRAJECTORIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/trajectories.json");

/// The variables that decide about colours.
const OF_COLOURS: [&str; 6] = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM", "COLORTERM", "CI"];

fn command(program: &str, folder: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    for name in OF_COLOURS {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color").envs(variables.iter().copied()).current_dir(folder);
    command
}

/// A command in a terminal with this number of columns.
fn in_terminal(folder: &Path, columns: usize, arguments: &str) -> Command {
    let mut script = command("script", folder, &[]);
    let line = format!("stty cols {columns} rows 40; exec {DOWNHILL} {arguments}");
    script.args(["-qefc", &line, "/dev/null"]).stdin(Stdio::null());
    script
}

fn has_script() -> bool {
    let has = Command::new("script").arg("--version").output().is_ok();
    if !has {
        eprintln!("skipped: script is not installed");
    }
    has
}

/// What a terminal receives.
fn received(mut command: Command) -> String {
    String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned()
}

fn piped(folder: &Path, variables: &[(&str, &str)], arguments: &str) -> Output {
    command(DOWNHILL, folder, variables).args(arguments.split(' ')).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The lines on a screen with this number of columns after this text. It knows carriage returns, and
/// the escape sequences that move the cursor or erase. Those of colours have no effect.
fn screen(received: &str, columns: usize) -> Vec<String> {
    let (mut lines, mut row, mut column) = (vec![Vec::new()], 0_usize, 0);
    let mut letters = received.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' => {
                assert_eq!(letters.next(), Some('['), "an escape sequence of another kind");
                let mut number = String::new();
                while letters.peek().is_some_and(|c| !c.is_ascii_alphabetic()) {
                    number.extend(letters.next());
                }
                let count: usize = number.trim_start_matches('?').parse().unwrap_or(1);
                match letters.next() {
                    Some('A') => row = row.saturating_sub(count),
                    Some('B') => row += count,
                    Some('D') => column = column.min(columns - 1).saturating_sub(count),
                    Some('G') => column = count - 1,
                    Some('K') if number == "2" => lines[row].clear(),
                    Some('K') => lines[row].truncate(column),
                    Some('J') => {
                        lines[row].truncate(column);
                        lines.truncate(row + 1);
                    }
                    Some('m' | 'h' | 'l') => {}
                    other => panic!("escape sequence {number}{other:?}"),
                }
            }
            letter => {
                if column + width(letter) > columns {
                    (row, column) = (row + 1, 0);
                    lines.resize(lines.len().max(row + 1), Vec::new());
                }
                let line: &mut Vec<char> = &mut lines[row];
                line.resize(line.len().max(column + width(letter)), ' ');
                line[column] = letter;
                // the second half of a wide letter
                line[column + 1..column + width(letter)].fill('\0');
                column += width(letter);
            }
        }
        lines.resize(lines.len().max(row + 1), Vec::new());
    }
    let line = |line: &Vec<char>| line.iter().filter(|c| **c != '\0').collect::<String>();
    lines.iter().map(|letters| line(letters).trim_end().to_string()).collect()
}

/// The columns of a letter: Chinese ones are wide.
fn width(letter: char) -> usize {
    if letter >= '\u{2e80}' { 2 } else { 1 }
}

#[test]
fn the_screen_of_the_tests_moves_and_erases_like_a_terminal() {
    assert_eq!(screen("abc\rx\r\nsecond", 80), ["xbc", "second"]);
    assert_eq!(screen("abcde\u{1b}[1Ax", 3), ["abx", "de"]);
    assert_eq!(screen("a梯度", 4), ["a梯", "度"]);
    assert_eq!(screen("abc\u{1b}[2Dx", 3), ["xbc"], "the cursor waits on the last column");
    assert_eq!(screen("bar\r\nmessage\r\u{1b}[2K\u{1b}[1A\r\u{1b}[2Kend", 80), ["end", ""]);
    assert_eq!(screen("\u{1b}[1m\u{1b}[31mred\u{1b}[0m", 80), ["red"]);
}

/// The words of some text, without the borders of tables, the dots and commas after words, and the
/// colons of titles.
fn words(text: &str) -> HashSet<String> {
    let border = |c: char| "│┆┌┬┐╞╪╡└┴┘─═".contains(c);
    let words = text.split(|c: char| c.is_whitespace() || border(c));
    words.map(|word| word.trim_matches([',', ':', '.', '[', ']']).to_string()).collect()
}

#[test]
fn nothing_is_wider_than_the_terminal_and_no_word_is_broken() {
    if !has_script() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let verify = format!("verify {TRAJECTORIES}");
    let commands = [
        "list",
        "show adam",
        "show adam-fig1-mnist",
        "show mnist-10k",
        "surface",
        "card sgd",
        &verify,
        "show adm",
        "run adam-fig1-mnist --device gpu",
        "fetch cifar",
        "train --model mlp:hiden=3 --optimizer adam",
        "run --help",
        "plan --help",
        "--help",
    ];
    for arguments in commands {
        let whole = piped(place.path(), &[], arguments);
        let known = words(&text(&[whole.stdout, whole.stderr].concat()));
        for columns in [60, 80, 120] {
            let lines = screen(&received(in_terminal(place.path(), columns, arguments)), 1000);
            for line in lines {
                let broken = words(&line).into_iter().find(|word| !known.contains(word));
                assert_eq!(broken, None, "{arguments}, {columns} columns: {line}");
                let is_word = words(&line).iter().any(|word| word.chars().count() > columns / 2);
                let fits = line.chars().count() <= columns || is_word;
                assert!(fits, "{arguments}, {columns} columns: {line}");
            }
        }
    }
}

#[test]
fn a_card_of_several_optimizers_names_the_failed_tasks_where_the_matrix_does_not_fit() {
    if !has_script() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    for (columns, title) in [(120, "ill_conditioned"), (80, "passed of 8")] {
        let lines = screen(&received(in_terminal(place.path(), columns, "card sgd nag")), 1000);
        let header = lines.iter().find(|line| line.contains("optimizer")).unwrap();
        assert!(header.contains(title), "{header}");
        assert!(header.chars().count() <= columns, "{header}");
    }
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let place = tempfile::tempdir().unwrap();
    let verify = format!("verify {TRAJECTORIES}");
    let green = "\u{1b}[1m\u{1b}[32magrees\u{1b}[0m";
    for (variables, colored) in [
        (&[][..], false),
        (&[("CLICOLOR_FORCE", "1")], true),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
    ] {
        let output = text(&piped(place.path(), variables, &verify).stdout);
        assert_eq!(output.contains(green), colored, "{variables:?}");
        assert_eq!(output.contains('\u{1b}'), colored, "{variables:?}");
    }
    if !has_script() {
        return;
    }
    for (variable, colored) in [
        (("COLORTERM", ""), true),
        (("NO_COLOR", "1"), false),
        (("CLICOLOR", "0"), false),
        (("TERM", "dumb"), false),
    ] {
        let mut command = in_terminal(place.path(), 80, "run missing");
        let output = received({
            command.envs([variable]);
            command
        });
        let red = output.contains("\u{1b}[1m\u{1b}[31mdownhill\u{1b}[0m: ");
        assert_eq!(red, colored, "{variable:?}: {output:?}");
        assert_eq!(output.contains('\u{1b}'), colored, "{variable:?}: {output:?}");
    }
}

/// An experiment of this number of epochs, with a long name of a series.
fn experiment(folder: &Path, epochs: usize) {
    let toml = format!(
        r#"
name = "small"
title = "A small experiment"
paper = "none"
url = ""
about = "For the tests."
schedule = "constant"
metric = {{ name = "train_loss", label = "training loss" }}
task = {{ kind = "classify", model = "logistic", data = "mnist-10k", batch = 500 }}
scale.quick = {{ epochs = {epochs}, seeds = 2, search = 2, about = "" }}
series = [
  {{ label = "Adam with a name that is longer than the sixty columns of the terminal, 梯度下降", optimizer = "adam" }},
  {{ label = "SGD", optimizer = "sgd:lr=0.1" }},
]
claim = [
  {{ quote = "Adam is ahead", source = "us", expect = {{ kind = "ahead", a = "Adam with a name that is longer than the sixty columns of the terminal, 梯度下降", b = "SGD" }} }},
]
"#
    );
    fs::write(folder.join("small.toml"), toml).unwrap();
}

#[test]
fn the_bar_is_cut_to_the_terminal_and_cleared_at_the_end() {
    if !has_script() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    experiment(place.path(), 20);
    let raw = received(in_terminal(place.path(), 60, "run small.toml --jobs 1 --out a"));
    assert!(raw.contains('█') && raw.contains("steps/s"), "it shows a bar: {raw:?}");
    // the screen as soon as the message is there
    let message = raw.find("Adam with").unwrap();
    let end = message + raw[message..].find(['\r', '\n', '\u{1b}']).unwrap();
    let lines = screen(&raw[..end], 60);
    let last = lines.last().unwrap();
    assert!(last.starts_with("Adam with a name that is longer"), "{lines:#?}");
    assert!(!last.contains("finished"), "it is cut: {lines:#?}");
    assert!(last.chars().map(width).sum::<usize>() <= 60, "{lines:#?}");
    assert!(lines[lines.len() - 2].contains(" %"), "{lines:#?}");
    let lines = screen(&raw, 60);
    let last = lines.iter().rev().find(|line| !line.is_empty()).unwrap();
    assert_eq!(last, "page: a/index.html");
    for line in &lines {
        assert!(!line.contains('█') && !line.contains("steps/s"), "{lines:#?}");
    }
}

#[test]
fn the_bar_is_cleared_after_an_error_and_after_ctrl_c() {
    if !has_script() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    experiment(place.path(), 400);
    for (times, out) in [(1, "once"), (2, "twice")] {
        let arguments = format!("run small.toml --jobs 1 --out {out}");
        let mut child = in_terminal(place.path(), 80, &arguments);
        let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut all = Vec::new();
        let mut sent = 0;
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = output.read(&mut buffer) {
            all.extend(&buffer[..length]);
            if sent < times && text(&all).contains("steps/s") {
                input.write_all(&[3]).unwrap();
                sent += 1;
                std::thread::sleep(std::time::Duration::from_millis(if times > 1 { 1 } else { 0 }));
            }
        }
        assert_eq!(child.wait().unwrap().code(), Some(130));
        // the terminal itself writes `^C` behind the bar
        assert!(text(&all).contains("^C"), "{times}: {:?}", text(&all));
        let lines = screen(&text(&all), 80);
        let of_bar = |line: &String| line.contains("steps/s") || line.contains("^C");
        assert!(!lines.iter().any(of_bar), "{times}: {lines:#?}");
    }
    // the record is a folder, so the run cannot be written
    let runs = place.path().join("once/runs");
    for file in fs::read_dir(&runs).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "part") {
            fs::remove_file(&file).unwrap();
            fs::create_dir(&file).unwrap();
        }
    }
    let failed = received(in_terminal(place.path(), 80, "run small.toml --jobs 1 --out once"));
    let lines = screen(&failed, 80);
    assert!(lines.iter().any(|line| line.starts_with("downhill:")), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("steps/s")), "{lines:#?}");
}

#[test]
fn a_training_prints_a_line_for_each_epoch_to_standard_error() {
    let place = tempfile::tempdir().unwrap();
    let train = "train --model logistic --optimizer sgd:lr=0.1 --epochs 3 --batch 500 --out a";
    let first = piped(place.path(), &[], train);
    let told = text(&first.stderr);
    let lines: Vec<Vec<&str>> =
        told.lines().map(|line| line.split_whitespace().collect()).collect();
    let header = "epoch step training loss test loss test accuracy seconds";
    assert_eq!(lines[0].join(" "), header, "{told}");
    assert_eq!(lines.len(), 5, "a header, the model before training, and each epoch: {told}");
    for (epoch, line) in lines[1..].iter().enumerate() {
        let step = (16 * epoch).to_string();
        assert_eq!((line[0], line[1], line.len()), (&*epoch.to_string(), &*step, 6), "{told}");
    }
    let losses: Vec<f64> = lines[1..].iter().map(|line| line[2].parse().unwrap()).collect();
    assert!(losses.is_sorted_by(|a, b| a > b), "{told}");
    let record = fs::read_dir(place.path().join("a")).unwrap().map(|file| file.unwrap().path());
    let record = record.into_iter().find(|path| path.extension().is_some_and(|e| e == "jsonl"));
    let record = fs::read_to_string(record.unwrap()).unwrap();
    let last: serde_json::Value =
        serde_json::from_str(record.lines().rev().nth(1).unwrap()).unwrap();
    let loss = last["train_loss"].as_f64().unwrap();
    assert!((loss - losses[3]).abs() <= 5e-5, "{loss} and {told}");

    let output = text(&first.stdout);
    assert!(!output.contains("epoch"), "standard output is the result only: {output}");
    let again = piped(place.path(), &[], train);
    assert_eq!(text(&again.stderr), "", "nothing is trained");
}

#[test]
fn a_training_with_penalty_and_validation_prints_them_too() {
    let place = tempfile::tempdir().unwrap();
    let train = "train --model logistic --optimizer sgd --epochs 1 --penalty l2 --validation 0.1";
    let told = text(&piped(place.path(), &[], train).stderr);
    let header: Vec<&str> = told.lines().next().unwrap().split("  ").map(str::trim).collect();
    for title in ["training loss", "training loss + penalty", "test accuracy", "validation loss"] {
        assert!(header.contains(&title), "{title}: {told}");
    }
}

#[test]
fn an_interrupted_run_says_how_many_runs_continue() {
    let place = tempfile::tempdir().unwrap();
    experiment(place.path(), 100);
    let run = "run small.toml --jobs 2 --out a";
    let mut child = command(DOWNHILL, place.path(), &[]);
    child.args(run.split(' ')).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let have_started = || {
        let Ok(files) = fs::read_dir(place.path().join("a/runs")) else { return false };
        let large = files.filter(|f| f.as_ref().is_ok_and(|f| f.metadata().unwrap().len() > 2000));
        large.count() >= 2
    };
    while !have_started() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before the signal");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{told}");
    let sentence = "interrupted; 2 runs continue from checkpoints when the same command is started \
                    again";
    assert!(told.ends_with(&format!("{sentence}\n")), "{told}");

    let again = piped(place.path(), &[], run);
    let told = text(&again.stderr);
    assert!(told.contains("4 runs to make, 2 of them from a checkpoint\n"), "{told}");
}

/// The command of a report makes the folder of the report.
#[test]
fn the_command_of_a_folder_names_the_folder() {
    let place = tempfile::tempdir().unwrap();
    experiment(place.path(), 1);
    for (arguments, folder) in [
        ("run small.toml --out my/results", "my/results"),
        ("run long-valley --out valley", "valley"),
        ("surface saddle --steps 5 --optimizers sgd --out paths", "paths"),
    ] {
        let first = piped(place.path(), &[], arguments);
        assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
        let written = fs::read_to_string(place.path().join(folder).join("command.txt"));
        let page = fs::read_to_string(place.path().join(folder).join("report.md")).unwrap();
        let command = written.unwrap();
        assert!(command.trim_end().ends_with(&format!(" --out {folder}")), "{command}");
        assert!(page.contains(command.trim_end()), "{page}");
        let repeat = command.trim_end().strip_prefix("downhill ").unwrap().replace('"', "");
        let again = piped(place.path(), &[], &repeat);
        assert!(text(&again.stderr).contains("0 runs to make"), "{}", text(&again.stderr));
    }
}

#[test]
fn a_page_names_the_common_schedule_only_if_a_series_uses_it() {
    let place = tempfile::tempdir().unwrap();
    experiment(place.path(), 1);
    let path = place.path().join("small.toml");
    let toml = fs::read_to_string(&path).unwrap();
    let toml = toml.replace("optimizer = \"adam\"", "optimizer = \"adam|cosine\"");
    let common = "where a series has no other";
    for (out, own) in [("one", ""), ("all", "schedule = \"inverse_sqrt\", ")] {
        let series = format!("{own}optimizer = \"sgd:lr=0.1\"");
        fs::write(&path, toml.replace("optimizer = \"sgd:lr=0.1\"", &series)).unwrap();
        let run = piped(place.path(), &[], &format!("run small.toml --seeds 1 --out {out}"));
        assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
        for file in ["report.md", "index.html"] {
            let page = fs::read_to_string(place.path().join(out).join(file)).unwrap();
            assert_eq!(page.contains(common), own.is_empty(), "{out}/{file}");
        }
    }
}
