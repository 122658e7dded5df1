//! `downhill card`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use downhill::lab::card::{
    Card, CardTask, ENOUGH, Measured, RATES, SEEDS, Score, TASKS, cards, ticks,
};
use downhill::lab::files;
use downhill::optim::Optimizers;
use downhill::spec::{SettingValue, SpecLine};
use downhill::{Error, Result};

use super::progress;
use super::table::{TextTable, table};
use super::terminal::{output_width, say, tell};
use super::wrap::{USUAL_WIDTH, hanging};

#[derive(Args)]
pub struct CardArgs {
    /// Optimizers, with gradient transformations and schedule: adam, adam:lr=1e-3,
    /// "clip_global|adam|cosine" [default: all]
    #[arg(value_name = "SPEC")]
    specs: Vec<String>,
    /// Also write card.md and card.csv into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn card(args: CardArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let specs: Vec<SpecLine> = match args.specs.is_empty() {
        true => all_specs(optimizers)?,
        false => {
            args.specs.iter().map(|spec| spec.parse()).collect::<std::result::Result<_, _>>()?
        }
    };
    let bar = progress::Bars::new();
    bar.show_of(ticks(&specs, optimizers)?, "tasks");
    let cards = cards(&specs, optimizers, &|| bar.inc());
    bar.finish();
    let cards = cards?;
    // print before writing: the results are not lost if a file cannot be written
    let code = say(&match &cards[..] {
        [card] if !card.scores.is_empty() => single_card(card),
        cards => matrix(cards),
    })?;
    args.out.iter().try_for_each(|folder| write(folder, &cards))?;
    Ok(code)
}

/// The specs of all optimizers.
fn all_specs(optimizers: &Optimizers) -> Result<Vec<SpecLine>> {
    let spec = |name: &str| match name {
        // with the default history of 100 steps the card takes minutes; ten parameters need less
        "lbfgs" => "lbfgs:history=10".parse(),
        name => name.parse(),
    };
    let specs = optimizers.entries().iter().map(|entry| spec(entry.name));
    Ok(specs.collect::<std::result::Result<_, _>>()?)
}

/// How to read a card.
fn caution() -> String {
    format!(
        "A diagnosis on toy problems, not a ranking. Values are medians over {SEEDS} seeds (lowest .. highest). A task is passed if at least {ENOUGH} seeds reach the pass mark.\n\
         If the spec does not set lr, each task uses the learning rate with the best median, out of {} from {} to {}. This is optimistic, because real training does not tune the learning rate for each task.",
        RATES.len(),
        RATES[0].show(),
        RATES[RATES.len() - 1].show()
    )
}

/// The learning rates of a task. `-` if they were searched and none has a number as its result.
fn rates(card: &Card, score: &Score) -> String {
    let mut rates: Vec<String> = score.rates.iter().map(SettingValue::show).collect();
    rates.dedup();
    match score.median() {
        Measured::Number(_) => rates.join(", "),
        _ if card.fixed.is_some() => rates.join(", "),
        _ => "-".into(),
    }
}

fn measured(task: &CardTask, score: &Score) -> String {
    let (lowest, highest) = score.range();
    let [median, lowest, highest] =
        [score.median(), lowest, highest].map(|value| shown(value, task.mark));
    if lowest == highest { median } else { format!("{median} ({lowest} .. {highest})") }
}

/// A number with enough digits to show on which side of the pass mark it is.
fn shown(value: &Measured, mark: f64) -> String {
    let Measured::Number(number) = value else { return value.to_string() };
    let on_its_side =
        |text: &String| text.parse::<f64>().is_ok_and(|shown| (shown <= mark) == (*number <= mark));
    let with_digits = |digits: usize| {
        let rounded = format!("{number:.digits$e}").parse::<f64>();
        rounded.map_or(String::new(), |rounded| rounded.to_string())
    };
    std::iter::once(value.to_string())
        .chain((3..17).map(with_digits))
        .find(on_its_side)
        .unwrap_or_else(|| number.to_string())
}

/// Each task with the score of a card.
fn pairs(card: &Card) -> impl Iterator<Item = (&'static CardTask, &Score)> {
    TASKS.iter().zip(&card.scores)
}

/// The number of passed tasks, and the learning rate if the spec sets it.
fn summary(card: &Card) -> String {
    let fixed =
        card.fixed.map_or(String::new(), |lr| format!(", all at lr={} of the spec", lr.show()));
    format!("{} of {} passed{fixed}", card.passed(), TASKS.len())
}

/// Remarks on an optimizer, and the reasons why scores are missing.
fn remarks(card: &Card) -> Vec<String> {
    let reasons = card
        .reasons()
        .into_iter()
        .map(|(tasks, reason)| format!("{}: no step in {}: {reason}", card.line, tasks.join(", ")));
    let remark = card.remark.map(|remark| format!("{}: {remark}", card.line));
    remark.into_iter().chain(reasons).collect()
}

const HEADER: [&str; 5] = ["task", "measured", "lr", "pass mark", "verdict"];

/// The card of one optimizer.
fn single_card(card: &Card) -> String {
    let rows = pairs(card).map(|(task, score)| {
        vec![
            task.name.into(),
            measured(task, score),
            rates(card, score),
            task.mark_in_words.into(),
            score.verdict(task),
        ]
    });
    let mut text =
        format!("{}: {}\n{}\n{}\n", card.line, summary(card), table(&HEADER, rows), caution());
    remarks(card).iter().for_each(|remark| text += &format!("{remark}\n"));
    text + &tasks()
}

/// The cards of several optimizers, and the tasks.
fn matrix(cards: &[Card]) -> String {
    let starred = if cards.iter().any(|card| card.fixed.is_some()) {
        "* all tasks use the lr of the spec.\n"
    } else {
        ""
    };
    let mut text = format!("{}\n{}\n{starred}", matrix_table(cards), caution());
    cards.iter().flat_map(remarks).for_each(|remark| text += &format!("{remark}\n"));
    text + &tasks()
}

/// A column for each task. In a terminal that is too narrow, the names of the failed tasks.
fn matrix_table(cards: &[Card]) -> TextTable {
    let header: Vec<&str> = ["optimizer"]
        .into_iter()
        .chain(TASKS.iter().map(|task| task.name))
        .chain(["passed"])
        .collect();
    let matrix = table(&header, cards.iter().map(row)).numbers(|column| column > TASKS.len());
    if matrix.fits() {
        return matrix;
    }
    let passed = format!("passed of {}", TASKS.len());
    let rows = cards.iter().map(|card| vec![card.line.clone(), passed_cell(card), failed(card)]);
    table(&["optimizer", passed.as_str(), "failed"], rows).numbers(|column| column == 1)
}

/// The failed tasks of a card, with the reason where there is no number.
fn failed(card: &Card) -> String {
    let failed = pairs(card).filter_map(|(task, score)| {
        let verdict = score.verdict(task);
        let reason = verdict.strip_prefix("FAIL")?.trim();
        Some(if reason.is_empty() { task.name.into() } else { format!("{} ({reason})", task.name) })
    });
    let failed: Vec<String> = failed.collect();
    if failed.is_empty() { "-".into() } else { failed.join(", ") }
}

/// What each task asks and measures, and where its pass mark comes from.
fn tasks() -> String {
    let width = output_width().unwrap_or(USUAL_WIDTH);
    let mut text = "\nThe tasks\n".to_string();
    for task in &TASKS {
        text += &format!("{}\n", hanging(&format!("{}: {}", task.name, task.question), width, 2));
        let lines = [
            ("measured", task.measured),
            ("pass mark", task.mark_in_words),
            ("origin of the pass mark", task.why),
        ];
        for (title, line) in lines {
            text += &format!("{}\n", hanging(&format!("  {title}: {line}"), width, 4));
        }
    }
    text
}

/// The row of an optimizer in the matrix.
fn row(card: &Card) -> Vec<String> {
    let marks: Vec<String> = match card.scores.is_empty() {
        true => vec!["-".into(); TASKS.len()],
        false => {
            pairs(card).map(|(task, score)| score.verdict(task).replacen(' ', "\n", 1)).collect()
        }
    };
    [card.line.clone()].into_iter().chain(marks).chain([passed_cell(card)]).collect()
}

/// The number of passed tasks, with a star if the spec sets the learning rate.
fn passed_cell(card: &Card) -> String {
    let fixed = card.fixed.map_or("", |_| "*");
    if card.scores.is_empty() { "-".into() } else { format!("{fixed}{}", card.passed()) }
}

/// Writes `card.md` and `card.csv`.
fn write(folder: &Path, cards: &[Card]) -> Result<()> {
    files::place(&folder.join("card.md"), markdown(cards).as_bytes())?;
    files::place(&folder.join("card.csv"), &csv(cards)?)?;
    tell(&format!("wrote {} and card.csv", folder.join("card.md").display()));
    Ok(())
}

/// A row of a Markdown table.
fn markdown_row(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> =
        cells.into_iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn markdown_table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let header = markdown_row(header.iter().map(|cell| cell.to_string()))
        + &format!("|{}\n", "---|".repeat(header.len()));
    rows.into_iter().fold(header, |text, row| text + &markdown_row(row))
}

fn markdown(cards: &[Card]) -> String {
    let mut text = format!("# Report card\n\n{}\n", caution().replace('\n', " "));
    if cards.len() > 1 {
        let header: Vec<&str> = ["optimizer"]
            .into_iter()
            .chain(TASKS.iter().map(|task| task.name))
            .chain(["passed"])
            .collect();
        text += &format!("\n{}", markdown_table(&header, cards.iter().map(row)));
    }
    for card in cards {
        text += &format!("\n## {}\n\n", card.line);
        if !card.scores.is_empty() {
            let rows = pairs(card).map(|(task, score)| {
                vec![
                    task.name.into(),
                    measured(task, score),
                    rates(card, score),
                    task.mark_in_words.into(),
                    score.verdict(task),
                ]
            });
            text += &format!("{}\n\n{}", summary(card), markdown_table(&HEADER, rows));
        }
        remarks(card).iter().for_each(|remark| text += &format!("\n{remark}\n"));
    }
    let tasks = TASKS.iter().map(|task| {
        [task.name, task.question, task.measured, task.mark_in_words, task.why]
            .map(String::from)
            .to_vec()
    });
    let header = ["task", "question", "measured", "pass mark", "origin of the pass mark"];
    text + &format!("\n## The tasks\n\n{}", markdown_table(&header, tasks))
}

const WRITE_CSV: &str = "write card.csv";

/// One row for each optimizer and task. If a seed has no number, its cell says why: `diverged`.
fn csv(cards: &[Card]) -> Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let seeds = (0..SEEDS).map(|seed| format!("seed{seed}"));
    let header =
        ["optimizer", "task", "lr", "median", "mark", "seeds_met", "verdict"].map(String::from);
    csv.write_record(header.into_iter().chain(seeds)).map_err(Error::failed(WRITE_CSV))?;
    let exact = |value: &Measured| match value {
        Measured::Number(number) => format!("{number:?}"), // with an exponent if it is tiny
        other => other.to_string(),
    };
    for card in cards {
        for (task, score) in pairs(card) {
            let rates: Vec<String> = score.rates.iter().map(SettingValue::show).collect();
            let cells = [
                card.line.clone(),
                task.name.into(),
                rates.join(" "),
                exact(score.median()),
                task.mark.show(),
            ];
            let cells = cells
                .into_iter()
                .chain([score.met(task).to_string(), score.verdict(task)])
                .chain(score.seeds.iter().map(exact));
            csv.write_record(cells).map_err(Error::failed(WRITE_CSV))?;
        }
    }
    csv.into_inner().map_err(Error::failed(WRITE_CSV))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_shown_on_its_side_of_the_pass_mark() {
        let shown = |number| shown(&Measured::Number(number), 0.1);
        assert_eq!([0.0837, 0.1, 0.10026, 0.099999].map(shown), ["0.0837", "0.1", "0.1003", "0.1"]);
        assert_eq!(super::shown(&Measured::Number(0.0014), 1e-3), "0.0014");
        assert_eq!(super::shown(&Measured::Number(4e-12), 1e-3), "4e-12");
        assert_eq!(super::shown(&Measured::Diverged, 1e-3), "diverged");
    }
}
