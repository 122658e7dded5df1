//! The table of results for LaTeX's package booktabs.

use super::latex;
use crate::chart::{short, with_spread};
use crate::error::{Error, Result};
use crate::grade::{half_width, mean};
use crate::report::build::Report;
use crate::report::rows::Row;

impl Report {
    /// The results as a `tabular` for the package booktabs: means of the final values over the
    /// seeds, with 95 % intervals.
    ///
    /// # Errors
    /// If there are no runs.
    pub fn latex_table(&self) -> Result<String> {
        if self.table.is_empty() {
            return Err(Error::mismatch("--table", "a report without runs", "runs"));
        }
        let measured = |place: &usize| self.table.iter().any(|row| !row.exact[*place].is_empty());
        let places: Vec<usize> = (0..self.columns.len()).filter(measured).collect();
        let titles = places.iter().map(|place| latex::text(self.columns[*place]));
        let head: Vec<String> =
            ["series", "setting"].map(String::from).into_iter().chain(titles).collect();
        let mut lines = vec![
            format!(
                "% by downhill {}; preamble: \\usepackage{{booktabs}}",
                env!("CARGO_PKG_VERSION")
            ),
            "% Mean over the seeds ± half of its 95 % interval (Student's t).".into(),
            format!("\\begin{{tabular}}{{ll{}}}", "r".repeat(places.len() + 1)),
            "\\toprule".into(),
            format!("{} & seeds \\\\", head.join(" & ")),
            "\\midrule".into(),
        ];
        lines.extend(self.table.iter().map(|row| line(row, &places)));
        lines.extend(["\\bottomrule", "\\end{tabular}"].map(String::from));
        Ok(lines.join("\n") + "\n")
    }
}

fn line(row: &Row, places: &[usize]) -> String {
    let seeds = places.iter().map(|place| row.exact[*place].len()).max().unwrap_or(0);
    let mut cells = vec![latex::text(&row.series), latex::text(&row.chosen)];
    cells.extend(places.iter().map(|place| latex::text(&cell(&row.exact[*place]))));
    cells.push(seeds.to_string());
    format!("{} \\\\", cells.join(" & "))
}

/// Mean and half of the interval of the final values.
fn cell(values: &[f64]) -> String {
    let diverged = values.iter().filter(|value| value.is_infinite()).count();
    match half_width(values) {
        _ if values.is_empty() => "–".into(),
        _ if diverged > 0 => format!("{diverged} of {} diverged", values.len()),
        Some(half) => with_spread(mean(values), half),
        None => short(mean(values)),
    }
}
