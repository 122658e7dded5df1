//! The table of results, as the page and the terminal show it.

use serde::Serialize;

use super::rows::Row;
use crate::experiment::Reduction;
use crate::record::{Measure, PENALIZED_TITLE};

/// The table of results.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ResultsTable {
    /// the columns that are shown
    pub columns: Vec<Column>,
    /// a row for each series, with a cell for each column
    pub rows: Vec<Vec<String>>,
    /// what the columns mean, and what the columns that are not shown would say
    pub notes: Vec<String>,
}

/// A column of the table of results.
#[derive(Clone, Debug, Serialize)]
pub struct Column {
    /// at the top
    pub title: String,
    /// whether its cells are numbers, which are aligned to the right
    pub is_number: bool,
}

/// How the settings of the table were chosen.
pub struct Choice<'a> {
    /// title of the metric
    pub metric: &'a str,
    /// its final value, or its mean over the epochs
    pub at: Reduction,
    /// number of seeds that only choose; `None` if every graded seed chooses
    pub seeds: Option<u64>,
}

impl Choice<'_> {
    /// The title of the column: `chosen by final test loss`.
    fn title(&self) -> String {
        let reduced = match self.at {
            Reduction::End => "final",
            Reduction::Mean => "mean",
        };
        format!("chosen by {reduced} {}", self.metric)
    }

    /// The rule, where the page has so many graded seeds.
    fn rule(&self, seeds: u64) -> String {
        let metric = match self.at {
            Reduction::End => format!("final {}", self.metric),
            Reduction::Mean => format!("{}, averaged over the epochs", self.metric),
        };
        let by = match self.seeds {
            None if seeds == 1 => String::new(),
            None => ", averaged over the seeds".into(),
            Some(1) => " with seed 0, which is not graded".into(),
            Some(2) => ", averaged over the seeds 0 and 1, which are not graded".into(),
            Some(n) => format!(", averaged over the seeds 0 to {}, which are not graded", n - 1),
        };
        format!("The chosen setting of a series is the one with the lowest {metric}{by}.")
    }
}

/// A column with its cells.
struct Cells {
    column: Column,
    cells: Vec<String>,
    /// the numbers behind the cells, unrounded; empty for a text
    exact: Vec<Vec<f64>>,
}

impl Cells {
    fn new(title: &str, is_number: bool, rows: &[Row], cell: impl Fn(&Row) -> &str) -> Cells {
        let column = Column { title: title.into(), is_number };
        let cells = rows.iter().map(|row| cell(row).to_string()).collect();
        Cells { column, cells, exact: Vec::new() }
    }

    /// The final values of the measurement at this place.
    fn of_measure(title: &str, place: usize, rows: &[Row]) -> Cells {
        let exact = rows.iter().map(|row| row.exact[place].clone()).collect();
        Cells { exact, ..Cells::new(title, true, rows, |row| &row.finals[place]) }
    }

    /// The value of all rows, if they agree in every digit. A single row agrees with no other.
    fn common(&self) -> Option<&str> {
        let (first, others) = self.cells.split_first()?;
        let same_numbers = self.exact.windows(2).all(|pair| pair[0] == pair[1]);
        let agree = !others.is_empty() && others.iter().all(|other| other == first) && same_numbers;
        agree.then_some(first.as_str())
    }

    fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell == "-")
    }
}

/// The table of these rows. A column whose cells are all equal, or equal to those of another
/// column in every digit, becomes a note. `measures` are those of the final values, `metric` is the
/// title of the experiment's, `seeds` the number of seeds of the page.
pub fn results_table(
    rows: &[Row],
    measures: &[Measure],
    metric: &str,
    choice: Option<&Choice<'_>>,
    seeds: usize,
) -> ResultsTable {
    if rows.is_empty() {
        return ResultsTable::default();
    }
    let series = Cells::new("series", false, rows, |row| &row.series);
    let title = if choice.is_some() { "chosen setting" } else { "setting" };
    let setting = Cells::new(title, false, rows, |row| &row.chosen);
    let task = Cells::new("difference in task", false, rows, |row| &row.task);
    let score = choice.map(|choice| Cells::new(&choice.title(), true, rows, |row| &row.score));
    let finals = measures
        .iter()
        .enumerate()
        .map(|(place, measure)| Cells::of_measure(measure.title, place, rows))
        .filter(|final_| !final_.is_empty());
    let (finals, mut notes) = without_copies(finals.collect(), metric);
    // the score equals a final value if all seeds chose by that value
    let score = score.filter(|score| finals.iter().all(|final_| final_.cells != score.cells));
    let seconds = Cells::new("seconds per run", true, rows, |row| &row.seconds);
    let runs = Cells::new("runs", false, rows, |row| &row.runs);

    let task = Some(task).filter(|task| !task.is_empty());
    let optional = std::iter::once(setting).chain(task).chain(score).chain(finals);
    // what the series are compared by is always shown
    let stays = [Some(metric.to_string()), choice.map(Choice::title)];
    let stays = |cells: &Cells| stays.iter().flatten().any(|title| *title == cells.column.title);
    let (equal, different): (Vec<Cells>, Vec<Cells>) =
        optional.chain([runs]).partition(|cells| !stays(cells) && cells.common().is_some());
    let shows_runs = different.iter().any(|cells| cells.column.title == "runs");
    notes.splice(0..0, explanations(choice, seeds, shows_runs));
    if !equal.is_empty() {
        let texts = equal.iter().map(|cells| {
            let title = match cells.column.title.as_str() {
                "runs" if choice.is_some() => "runs of the whole grid",
                other => other,
            };
            format!("{title} ({})", cells.common().unwrap_or_default())
        });
        notes.push(format!("Equal for all series: {}.", texts.collect::<Vec<_>>().join(", ")));
    }
    let mut shown: Vec<Cells> = std::iter::once(series).chain(different).collect();
    let last = if shows_runs { shown.len() - 1 } else { shown.len() };
    shown.insert(last, seconds);
    ResultsTable {
        rows: (0..rows.len())
            .map(|row| shown.iter().map(|cells| cells.cells[row].clone()).collect())
            .collect(),
        columns: shown.into_iter().map(|cells| cells.column).collect(),
        notes,
    }
}

/// The columns without those that equal another one in every run, and a note on each that was left
/// out. The metric stays. Without a penalty, the loss with it needs no note.
fn without_copies(columns: Vec<Cells>, metric: &str) -> (Vec<Cells>, Vec<String>) {
    let (mut kept, mut notes): (Vec<Cells>, Vec<String>) = (Vec::new(), Vec::new());
    for cells in columns {
        let Some(earlier) = kept.iter_mut().find(|earlier| earlier.exact == cells.exact) else {
            kept.push(cells);
            continue;
        };
        let is_metric = cells.column.title == metric;
        let left_out = if is_metric { std::mem::replace(earlier, cells) } else { cells };
        if left_out.column.title != PENALIZED_TITLE {
            notes.push(format!(
                "The column \"{}\" is left out: it has the values of \"{}\".",
                left_out.column.title, earlier.column.title
            ));
        }
    }
    (kept, notes)
}

/// What the columns mean.
fn explanations(choice: Option<&Choice<'_>>, seeds: usize, shows_runs: bool) -> Vec<String> {
    let spread = (seeds > 1).then(|| {
        "The values are those at the end of training: mean ± standard deviation over the seeds."
            .to_string()
    });
    let chosen = choice.map(|choice| choice.rule(seeds as u64));
    let runs = (choice.is_some() && shows_runs)
        .then(|| "The last column counts the runs of the whole grid.".to_string());
    spread.into_iter().chain(chosen).chain(runs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(series: &str, chosen: &str, score: &str, finals: [&str; 2], runs: &str) -> Row {
        Row {
            series: series.into(),
            chosen: chosen.into(),
            task: "-".into(),
            score: score.into(),
            finals: finals.map(String::from).to_vec(),
            exact: finals.map(|value| vec![value.parse().unwrap()]).to_vec(),
            seconds: "1".into(),
            runs: runs.into(),
        }
    }

    fn titles(table: &ResultsTable) -> Vec<&str> {
        table.columns.iter().map(|column| column.title.as_str()).collect()
    }

    fn measures<const N: usize>(titles: [&'static str; N]) -> Vec<Measure> {
        titles.map(|title| Measure::new(title, title)).to_vec()
    }

    #[test]
    fn columns_that_only_look_equal_stay() {
        let mut rows =
            [row("A", "adam", "2", ["3", "3"], "4"), row("B", "sgd", "5", ["6", "6"], "4")];
        let measures = measures(["training loss", "test loss"]);
        rows[1].exact[1][0] = 6.0001;
        let titles_of = |rows: &[Row], metric: &str| {
            let table = results_table(rows, &measures, metric, None, 1);
            titles(&table)[2..].join("|")
        };
        assert_eq!(titles_of(&rows, ""), "training loss|test loss|seconds per run");
        rows[1].exact[1][0] = 6.0;
        assert_eq!(titles_of(&rows, ""), "training loss|seconds per run");
        assert_eq!(titles_of(&rows, "test loss"), "test loss|seconds per run");
    }

    #[test]
    fn without_a_penalty_the_loss_with_it_is_left_out() {
        let rows = [row("A", "adam", "2", ["3", "3"], "4"), row("B", "sgd", "5", ["6", "6"], "5")];
        let measures = measures(["training loss", PENALIZED_TITLE]);
        let table = results_table(&rows, &measures, "training loss", None, 1);
        assert!(table.notes.is_empty(), "{:?}", table.notes);
        assert_eq!(titles(&table)[2..4], ["training loss", "seconds per run"]);
    }

    #[test]
    fn columns_without_information_become_notes() {
        let measures = measures(["training loss", "training error rate"]);
        let rows = [
            row("A", "adam lr=1", "2", ["3", "3"], "4"),
            row("B", "adam lr=1", "5", ["6", "6"], "4"),
        ];
        let table = results_table(&rows, &measures, "", None, 1);
        assert_eq!(titles(&table), ["series", "training loss", "seconds per run"]);
        assert_eq!(table.rows, [["A", "3", "1"], ["B", "6", "1"]]);
        assert_eq!(
            table.notes,
            [
                "The column \"training error rate\" is left out: it has the values of \"training loss\".",
                "Equal for all series: setting (adam lr=1), runs (4)."
            ]
        );
        // a single row has nothing to be equal to
        let table = results_table(&rows[..1], &measures, "", None, 1);
        assert_eq!(
            titles(&table),
            ["series", "setting", "training loss", "seconds per run", "runs"]
        );
    }

    #[test]
    fn a_task_of_its_own_gets_a_column() {
        let mut rows = [
            row("A", "adam lr=1", "2", ["3", "4"], "4"),
            row("B", "adam lr=1", "5", ["6", "7"], "4"),
        ];
        rows[1].task = "l1:lambda=1e-4".into();
        let table = results_table(&rows, &measures(["training loss", "test loss"]), "", None, 1);
        assert_eq!(titles(&table)[..2], ["series", "difference in task"]);
        assert_eq!([&table.rows[0][1], &table.rows[1][1]], ["-", "l1:lambda=1e-4"]);
    }

    #[test]
    fn the_metric_that_chose_the_setting_is_named() {
        let measures = measures(["training loss", "test loss"]);
        let rows = [
            row("A", "adam lr=1", "0.2", ["3", "4"], "4"),
            row("B", "sgd lr=1", "0.3", ["6", "7"], "5"),
        ];
        let choice = Choice { metric: "training loss", at: Reduction::Mean, seeds: Some(1) };
        let table = results_table(&rows, &measures, "", Some(&choice), 3);
        let expected = "series|chosen setting|chosen by mean training loss|training loss|test loss|seconds per run|runs";
        assert_eq!(titles(&table).join("|"), expected);
        assert_eq!(table.rows[1].join("|"), "B|sgd lr=1|0.3|6|7|1|5");
        assert_eq!(
            table.notes[1],
            "The chosen setting of a series is the one with the lowest training loss, averaged over the epochs with seed 0, which is not graded."
        );
        // a score that is a final value is not repeated
        let rows = [
            row("A", "adam lr=1", "4", ["3", "4"], "4"),
            row("B", "sgd lr=1", "7", ["6", "7"], "5"),
        ];
        let choice = Choice { metric: "test loss", at: Reduction::End, seeds: Some(1) };
        let table = results_table(&rows, &measures, "", Some(&choice), 1);
        assert_eq!(titles(&table)[1..4], ["chosen setting", "training loss", "test loss"]);
        assert!(table.notes[0].contains("the lowest final test loss with seed 0,"), "{:?}", table.notes);
    }

    #[test]
    fn only_equal_numbers_are_equal_for_all_series_and_the_metric_is_shown() {
        let measures = measures(["training loss", "test loss"]);
        let mut rows = [
            row("A", "adam lr=1", "4", ["3", "4"], "4"),
            row("B", "sgd lr=1", "4", ["3", "4"], "5"),
        ];
        let table = |rows: &[Row], metric: &str| {
            let table = results_table(rows, &measures, metric, None, 1);
            (titles(&table)[2..].join("|"), table.notes.join(" "))
        };
        let (titles, note) = table(&rows, "test loss");
        assert_eq!(titles, "test loss|seconds per run|runs");
        assert_eq!(note, "Equal for all series: training loss (3).");
        // the same cells, rounded from other numbers
        rows[1].exact[0][0] += 1e-5;
        let (titles, note) = table(&rows, "test loss");
        assert_eq!(titles, "training loss|test loss|seconds per run|runs");
        assert_eq!(note, "");
    }
}
