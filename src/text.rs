//! Small helpers that format text.

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number with its noun: `1 epoch`, `2 epochs`.
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The maximum length of a value in a message, in characters.
const LONGEST_VALUE: usize = 200;

/// A value as a message shows it: of a long one, the beginning and the end.
pub fn shown(value: &str) -> String {
    const TAIL: usize = 40;
    let length = value.chars().count();
    if length <= LONGEST_VALUE {
        return value.into();
    }
    let head = value.chars().take(LONGEST_VALUE - TAIL - 3);
    head.chain("...".chars()).chain(value.chars().skip(length - TAIL)).collect()
}

/// A message in one line that does nothing to a terminal: control characters are escaped.
pub fn printable(message: &str) -> String {
    let escaped = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    message.chars().map(escaped).collect()
}

/// A word of a command line, in quotes if a shell would split or expand it.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.,:=/@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into()
    } else if word.contains(['"', '$', '`', '\\', '!']) {
        format!("'{}'", word.replace('\'', "'\\''"))
    } else {
        format!("\"{word}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_keep_beginning_and_end_and_controls_are_escaped() {
        assert_eq!(shown(&"é".repeat(200)), "é".repeat(200));
        let long = shown(&format!("`{}`", "é".repeat(5000)));
        assert_eq!(long.chars().count(), 200);
        assert!(long.starts_with("`ééé") && long.ends_with("ééé`") && long.contains("é...é"));
        assert_eq!(printable("a\u{1b}[31m\nb\u{9b}é"), "a\\u{1b}[31m\\nb\\u{9b}é");
    }
}
