//! A table as text. Where it does not fit the terminal, each row is a paragraph.

use std::fmt;

use anstyle::{AnsiColor, Style};
use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets::UTF8_FULL_CONDENSED,
};
use textwrap::core::display_width;

use super::terminal::{colored, output_width};
use super::wrap::{hanging, wrapped};

/// A column of text needs this width, if a cell is that long. Narrower columns are hard to read.
const READABLE: usize = 16;

/// The first line of a paragraph.
const BOLD: Style = Style::new().bold();

/// A table with a header.
pub struct TextTable {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// which columns contain numbers
    is_number: Vec<bool>,
}

/// A table with a header, whose columns are text.
pub fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> TextTable {
    TextTable {
        header: header.iter().map(|title| title.to_string()).collect(),
        rows: rows.into_iter().collect(),
        is_number: vec![false; header.len()],
    }
}

impl TextTable {
    /// With numbers in these columns: aligned to the right, and never broken.
    pub fn numbers(mut self, is_number: impl Fn(usize) -> bool) -> TextTable {
        self.is_number = (0..self.header.len()).map(is_number).collect();
        self
    }

    /// Whether it fits the terminal, if the output is one.
    pub fn fits(&self) -> bool {
        output_width().is_none_or(|width| self.readable_width() <= width)
    }

    /// The smallest width in which it is easy to read.
    fn readable_width(&self) -> usize {
        let columns = 0..self.header.len();
        let inner = columns.map(|column| {
            let longest = self.cells(column).skip(1).flat_map(str::lines).map(display_width).max();
            self.word_width(column).max(longest.unwrap_or(0).min(READABLE)) + 3
        });
        inner.sum::<usize>() + 1
    }

    /// The text of a column, with its title.
    fn cells(&self, column: usize) -> impl Iterator<Item = &str> {
        let rows = self.rows.iter().filter_map(move |row| row.get(column));
        [&self.header[column]].into_iter().chain(rows).map(String::as_str)
    }

    /// The width of what is not broken in a column: a word, a number, or a line of a cell that has
    /// several.
    fn word_width(&self, column: usize) -> usize {
        let whole = |cell: &str| cell.contains('\n') || self.is_number[column];
        let width = |(row, cell): (usize, &str)| match row > 0 && whole(cell) {
            true => cell.lines().map(display_width).max(),
            false => cell.split_whitespace().map(display_width).max(),
        };
        self.cells(column).enumerate().filter_map(width).max().unwrap_or(0)
    }

    /// As text for a terminal of this width, or of any width.
    fn text(&self, width: Option<usize>) -> String {
        match width {
            Some(width) if self.readable_width() > width => self.paragraphs(width),
            _ => self.grid(width),
        }
    }

    fn grid(&self, width: Option<usize>) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_header(&self.header).add_rows(&self.rows);
        if let Some(width) = width {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width.min(u16::MAX.into()) as u16);
        }
        for (i, column) in table.column_iter_mut().enumerate() {
            if width.is_some() {
                let least = (self.word_width(i) + 2).min(1000) as u16; // a space on each side
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
            }
            if self.is_number[i] {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string().lines().map(colored_cells).collect::<Vec<_>>().join("\n")
    }

    /// A paragraph for each row. The numbers are in one line if they fit, or else below each other.
    fn paragraphs(&self, width: usize) -> String {
        let paragraphs = self.rows.iter().map(|row| {
            let mut lines = Vec::new();
            let mut numbers = Vec::new();
            for (i, (title, cell)) in self.header.iter().zip(row).enumerate() {
                let cell = cell.split_whitespace().collect::<Vec<_>>().join(" ");
                if self.is_number[i] && i > 0 {
                    numbers.push((title, cell));
                } else if !cell.is_empty() {
                    let line = match i {
                        0 => format!("{BOLD}{title}: {}{BOLD:#}", colored_cell(&cell)),
                        _ => format!("  {title}: {}", colored_cell(&cell)),
                    };
                    lines.push(hanging(&line, width, if i == 0 { 2 } else { 4 }));
                }
            }
            lines.extend(number_lines(&numbers, width));
            lines.join("\n")
        });
        paragraphs.collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for TextTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(output_width()))
    }
}

/// The numbers of a row: in one line, or in a line each.
fn number_lines(numbers: &[(&String, String)], width: usize) -> Vec<String> {
    let all: Vec<String> = numbers.iter().map(|(title, cell)| format!("{title} {cell}")).collect();
    let one = format!("  {}", all.join(", "));
    if numbers.is_empty() || display_width(&one) <= width {
        return if numbers.is_empty() { Vec::new() } else { vec![one] };
    }
    let longest = numbers.iter().map(|(title, _)| display_width(title)).max().unwrap_or(0);
    let line = |(title, cell): &(&String, String)| {
        let gap = " ".repeat(longest - display_width(title));
        wrapped(&format!("  {title}{gap}  {cell}"), width)
    };
    numbers.iter().map(line).collect()
}

/// A row of a table with its verdicts in colour.
fn colored_cells(line: &str) -> String {
    let cells = line.split_inclusive(['│', '┆']).map(|cell| {
        let text = cell.trim_end_matches(['│', '┆']).trim();
        match text.is_empty() {
            true => cell.to_string(),
            false => cell.replacen(text, &colored_cell(text), 1),
        }
    });
    cells.collect()
}

/// A verdict in its colour. Other text stays as it is.
pub fn colored_cell(text: &str) -> String {
    let color = match text {
        "HELD" | "PASS" | "agrees" => AnsiColor::Green,
        "UNDECIDED" => AnsiColor::Yellow,
        "NOT HELD" | "FAIL" | "DIFFERS" | "diverged" | "FAIL diverged" | "FAIL no step" => {
            AnsiColor::Red
        }
        _ => return text.into(),
    };
    colored(text, color)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series() -> TextTable {
        let row = |cells: [&str; 4]| cells.map(String::from).to_vec();
        let rows = [
            row(["Adam", "adam with a learning rate", "0.1379 ± 0.0007", "3"]),
            row(["SGD", "sgd", "0.2 ± 0.1", "12"]),
        ];
        table(&["series", "setting", "training loss", "runs"], rows).numbers(|column| column > 1)
    }

    fn widest(text: &str) -> usize {
        text.lines().map(display_width).max().unwrap()
    }

    #[test]
    fn a_table_is_a_grid_if_it_fits() {
        let grid = series().text(None);
        assert!(
            grid.contains("│ Adam   ┆ adam with a learning rate ┆ 0.1379 ± 0.0007 ┆    3 │"),
            "{grid}"
        );
        let narrow = series().text(Some(60));
        assert!(narrow.contains("0.1379 ± 0.0007") && widest(&narrow) <= 60, "{narrow}");
        assert!(narrow.starts_with('┌'), "{narrow}");
    }

    #[test]
    fn rows_are_paragraphs_if_it_does_not_fit() {
        let text = series().text(Some(40));
        assert_eq!(
            text,
            format!(
                "{BOLD}series: Adam{BOLD:#}\n  setting: adam with a learning rate\n  training loss 0.1379 ± 0.0007, runs 3\n\
             {BOLD}series: SGD{BOLD:#}\n  setting: sgd\n  training loss 0.2 ± 0.1, runs 12"
            )
        );
        let text = series().text(Some(35));
        assert!(
            text.contains("\n  training loss  0.1379 ± 0.0007\n  runs           3\n"),
            "{text}"
        );
        assert!(widest(&text) <= 35, "{text}");
    }

    #[test]
    fn a_verdict_is_coloured_where_it_is_a_whole_cell() {
        let rows = [vec!["FAIL".to_string(), "FAIL is a word".to_string()]];
        let text = table(&["verdict", "text"], rows).text(None);
        assert_eq!(text.matches("\u{1b}[1m\u{1b}[31mFAIL\u{1b}[0m").count(), 1, "{text:?}");
        assert!(text.contains("┆ FAIL is a word │"), "{text:?}");
    }
}
