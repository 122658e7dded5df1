//! The lines that `train` prints about its epochs: a table that grows.

use downhill::lab::record::{CurvePoint, Measure};
use textwrap::core::display_width;

/// The smallest width of a column, for a number.
const LEAST: usize = 7;

/// The title and the cell of each column for a point of the curve.
fn cells<'a>(measures: &'a [Measure], point: &CurvePoint) -> Vec<(&'a str, String)> {
    let before = [("epoch", point.epoch.to_string()), ("step", point.step.to_string())];
    let measured = measures.iter().map(|measure| {
        let value = point.value(measure.name);
        (measure.title, value.map_or("-".into(), |value| format!("{value:.4}")))
    });
    let after = [("seconds", format!("{:.1}", point.seconds))];
    before.into_iter().chain(measured).chain(after).collect()
}

/// The line of a point, for a terminal of this width or for a pipe.
pub fn line(measures: &[Measure], point: &CurvePoint, width: Option<usize>) -> String {
    let cells = cells(measures, point);
    let titles: Vec<&str> = cells.iter().map(|(title, _)| *title).collect();
    let cells = cells.iter().map(|(_, cell)| cell.as_str());
    aligned(cells, &widths(&titles, width))
}

/// The lines with the titles. In a terminal that is too narrow for whole titles, they are broken
/// between words.
pub fn header(measures: &[Measure], point: &CurvePoint, width: Option<usize>) -> String {
    let cells = cells(measures, point);
    let titles: Vec<&str> = cells.iter().map(|(title, _)| *title).collect();
    let widths = widths(&titles, width);
    let broken: Vec<_> =
        titles.iter().zip(&widths).map(|(title, width)| textwrap::wrap(title, *width)).collect();
    let rows = broken.iter().map(Vec::len).max().unwrap_or(0);
    let row = |row: usize| {
        let parts = broken.iter().map(|lines| lines.get(row).map_or("", |line| line.as_ref()));
        aligned(parts, &widths)
    };
    (0..rows).map(row).collect::<Vec<_>>().join("\n")
}

/// The width of each column: its title, or the longest word of it where the line would be too long.
fn widths(titles: &[&str], width: Option<usize>) -> Vec<usize> {
    let whole: Vec<usize> = titles.iter().map(|title| display_width(title).max(LEAST)).collect();
    let all = whole.iter().map(|column| column + 2).sum::<usize>();
    if width.is_none_or(|width| all <= width + 2) {
        return whole;
    }
    let longest = |title: &&str| title.split(' ').map(display_width).max().unwrap_or(0);
    titles.iter().map(|title| longest(title).max(LEAST)).collect()
}

/// Cells in columns, aligned to the right.
fn aligned<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let cells: Vec<String> =
        cells.zip(widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
    cells.join("  ").trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn titles_are_broken_where_the_terminal_is_narrow() {
        let measures =
            [Measure::new("train_loss", "training loss"), Measure::new("test_loss", "test loss")];
        let point = CurvePoint {
            step: 120,
            epoch: 2,
            batch_loss: None,
            grad_norm: None,
            layers: Vec::new(),
            measures: BTreeMap::from([("train_loss".to_string(), 0.25)]).into(),
            seconds: 1.26,
        };
        let both = |width| {
            format!("{}\n{}", header(&measures, &point, width), line(&measures, &point, width))
        };
        assert_eq!(
            both(None),
            "  epoch     step  training loss  test loss  seconds\n      2      120         0.2500          -      1.3"
        );
        assert_eq!(both(Some(51)), both(None));
        assert_eq!(
            both(Some(50)),
            "  epoch     step  training     test  seconds\n                      loss     loss\n      2      120    0.2500        -      1.3"
        );
    }
}
