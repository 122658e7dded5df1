//! The command that makes the runs of a folder again.

use std::path::Path;

use crate::text::shell_word;

/// The file in a folder of results that contains the command.
pub const COMMAND_FILE: &str = "command.txt";

/// The command that started this program, with its arguments.
pub(super) fn of_this_program() -> String {
    // an argument may be a path that is not UTF-8
    let mut arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let program = arguments.next().unwrap_or_default();
    // cargo sets it for the programs that it runs
    let by_cargo = std::env::var_os("CARGO_MANIFEST_DIR").is_some();
    command_line(&program, by_cargo, arguments)
}

/// `cargo run` with the name of the program where cargo started it, otherwise its path.
fn command_line(program: &str, by_cargo: bool, arguments: impl Iterator<Item = String>) -> String {
    let cargo = if by_cargo { cargo_run(Path::new(program)) } else { None };
    let mut command = cargo.clone().unwrap_or_else(|| shell_word(program));
    for (i, argument) in arguments.enumerate() {
        if i == 0 && cargo.is_some() {
            command += " --";
        }
        command += &format!(" {}", shell_word(&argument));
    }
    command
}

/// `cargo run --release --example NAME` for `target/release/examples/NAME`; `None` for a path that
/// `cargo run` does not use.
fn cargo_run(program: &Path) -> Option<String> {
    let name = program.file_stem()?.to_str()?;
    let mut folders = program.ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str());
    let (folder, kind) = match folders.next()? {
        "examples" => (folders.next()?, "example"),
        folder => (folder, "bin"),
    };
    let release = match folder {
        "release" => " --release",
        "debug" => "",
        _ => return None,
    };
    Some(format!("cargo run{release} --{kind} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(program: &str, by_cargo: bool, arguments: &[&str]) -> String {
        command_line(program, by_cargo, arguments.iter().map(ToString::to_string))
    }

    #[test]
    fn a_program_that_cargo_started_is_started_by_cargo_again() {
        let example = line("/x/target/release/examples/own", true, &["--data", "/my data/a.csv"]);
        assert_eq!(example, "cargo run --release --example own -- --data \"/my data/a.csv\"");
        assert_eq!(line("target/debug/mine", true, &[]), "cargo run --bin mine");
    }

    #[test]
    fn another_program_is_named_as_it_was_started() {
        assert_eq!(line("./mine", false, &["--seeds", "3"]), "./mine --seeds 3");
        assert_eq!(line("target/release/mine", false, &["a$b"]), "target/release/mine 'a$b'");
        let test = "/x/target/release/deps/own_task-0123";
        assert_eq!(line(test, true, &[]), test, "cargo run does not start a test");
    }
}
