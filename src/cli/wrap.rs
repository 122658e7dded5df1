//! Lines that are broken between words.

use textwrap::core::display_width;
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

/// The width of paragraphs where the width of the terminal is not known.
pub const USUAL_WIDTH: usize = 100;

/// The largest indentation of the lines that continue a line.
const MAX_INDENT: usize = 16;

/// Text with lines of at most this width, if there is one. Tables stay as they are.
pub fn fitted(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.into() };
    let lines = text.split('\n').map(|line| match line.starts_with(['┌', '│', '╞', '└']) {
        true => line.to_string(),
        false => wrapped(line, width),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line as several lines of at most this width. A word that is longer stays whole, and so does a
/// path. Lines that continue begin below the second column of the line, if it has columns.
pub fn wrapped(line: &str, width: usize) -> String {
    let first = line.len() - line.trim_start().len();
    hanging(line, width, indent(line, first))
}

/// A line as several lines of at most this width, where all but the first begin with so many
/// spaces.
pub fn hanging(line: &str, width: usize, indent: usize) -> String {
    if display_width(line) <= width {
        return line.into();
    }
    let text = line.trim_start();
    let before = &line[..line.len() - text.len()];
    let after = " ".repeat(indent);
    let options = Options::new(width)
        .initial_indent(before)
        .subsequent_indent(&after)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(text, options).join("\n")
}

/// Where the second column of a line begins, or else its first word. Two spaces separate columns.
fn indent(line: &str, first: usize) -> usize {
    let second = line[first..].find("  ").map(|gap| {
        let rest = line[first + gap..].trim_start();
        display_width(&line[..line.len() - rest.len()])
    });
    second.filter(|column| *column <= MAX_INDENT).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_continue_below_their_column() {
        assert_eq!(wrapped("a line of words", 10), "a line of\nwords");
        assert_eq!(wrapped("  two words here", 12), "  two words\n  here");
        assert_eq!(
            wrapped("HELD       \"the claim\" (us)", 20),
            "HELD       \"the\n           claim\"\n           (us)"
        );
        assert_eq!(
            wrapped("page: out/a-long-name/index.html", 12),
            "page:\nout/a-long-name/index.html"
        );
    }

    #[test]
    fn wide_letters_and_colours_are_measured_as_a_terminal_shows_them() {
        assert_eq!(wrapped("梯度 下降", 9), "梯度 下降");
        assert_eq!(wrapped("梯度 下降", 8), "梯度\n下降");
        assert_eq!(wrapped("\u{1b}[31mred\u{1b}[0m word", 8), "\u{1b}[31mred\u{1b}[0m word");
    }

    #[test]
    fn tables_and_pipes_stay_as_they_are() {
        assert_eq!(fitted("│ a ┆ b │\na b", Some(2)), "│ a ┆ b │\na\nb");
        assert_eq!(fitted("a b c", None), "a b c");
    }
}
