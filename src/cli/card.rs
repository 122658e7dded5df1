//! `card`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use comfy_table::CellAlignment;
use downhill::card::{Card, ENOUGH, Measured, RATES, SEEDS, Score, TASKS, Task, cards, ticks};
use downhill::optim::Optimizers;
use downhill::spec::{Given, Line};
use downhill::{Error, Result, files};

use super::tables::table;
use super::{progress, say, tell};

#[derive(Args)]
pub struct CardArgs {
    /// Optimizers, with what stands around them: adam, adam:lr=1e-3, "clip_global|adam|cosine" [default: all]
    #[arg(value_name = "OPTIMIZER")]
    lines: Vec<String>,
    /// Also write card.md and card.csv into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn card(args: CardArgs, optimizers: &Optimizers) -> Result<ExitCode> {
    let all = || optimizers.entries().iter().map(|entry| in_all(entry.name).to_string()).collect();
    let lines: Vec<String> = if args.lines.is_empty() { all() } else { args.lines };
    let lines = lines.iter().map(|line| line.parse().map_err(Error::from)).collect::<Result<Vec<Line>>>()?;
    let bar = progress::Bars::new();
    bar.show_of(ticks(&lines, optimizers)?, "tasks");
    let cards = cards(&lines, optimizers, &|| bar.inc());
    bar.finish();
    let cards = cards?;
    // what took a minute is shown also where it cannot be written
    let shown = say(&match &cards[..] {
        [card] if !card.scores.is_empty() => one(card),
        cards => matrix(cards),
    })?;
    args.out.iter().try_for_each(|folder| write(folder, &cards))?;
    Ok(shown)
}

/// How an optimizer is asked for when all are.
fn in_all(name: &str) -> &str {
    match name {
        // its default remembers 100 steps, which takes minutes and is more than problems of ten numbers can use
        "lbfgs" => "lbfgs:history=10",
        other => other,
    }
}

/// What every card is to be read with.
fn caution() -> String {
    format!(
        "A diagnosis on toy problems, not a ranking. Median of {SEEDS} seeds (lowest .. highest); {ENOUGH} of them have to meet the mark. Where the line gives no lr,\n\
         each task has the best of {} from {} to {}, by that median: a rate tuned for each task flatters.",
        RATES.len(),
        RATES[0].show(),
        RATES[RATES.len() - 1].show()
    )
}

/// The rates a task was taken at; none where no number came of any.
fn rates(card: &Card, score: &Score) -> String {
    let mut rates: Vec<String> = score.rates.iter().map(Given::show).collect();
    rates.dedup();
    match score.median() {
        Measured::Number(_) => rates.join(", "),
        _ if card.fixed.is_some() => rates.join(", "),
        _ => "-".into(),
    }
}

fn measured(task: &Task, score: &Score) -> String {
    let (lowest, highest) = score.range();
    let [median, lowest, highest] = [score.median(), lowest, highest].map(|value| shown(value, task.mark));
    if lowest == highest { median } else { format!("{median} ({lowest} .. {highest})") }
}

/// A number with as many digits as tell on which side of the mark it lies.
fn shown(value: &Measured, mark: f64) -> String {
    let Measured::Number(number) = value else { return value.to_string() };
    let tells = |text: &String| text.parse::<f64>().is_ok_and(|shown| (shown <= mark) == (*number <= mark));
    let longer = (3..17).map(|digits| format!("{number:.digits$e}").parse().map_or(String::new(), |number: f64| number.to_string()));
    std::iter::once(value.to_string()).chain(longer).find(tells).unwrap_or_else(|| number.to_string())
}

fn pairs(card: &Card) -> impl Iterator<Item = (&'static Task, &Score)> {
    TASKS.iter().zip(&card.scores)
}

/// How many passed, and at which rate if the line says so.
fn summary(card: &Card) -> String {
    let fixed = card.fixed.map_or(String::new(), |lr| format!(", all at lr={} as the line says", lr.show()));
    format!("{} of {} passed{fixed}", card.passed(), TASKS.len())
}

/// Why something is missing, and what is to be known.
fn remarks(card: &Card) -> Vec<String> {
    let reasons = card.reasons().into_iter().map(|(tasks, reason)| format!("{}: no step in {}: {reason}", card.line, tasks.join(", ")));
    let remark = card.remark.map(|remark| format!("{}: {remark}", card.line));
    remark.into_iter().chain(reasons).collect()
}

const HEAD: [&str; 5] = ["task", "measured", "lr", "pass mark", ""];

/// The card of one optimizer.
fn one(card: &Card) -> String {
    let rows = pairs(card).map(|(task, score)| {
        vec![
            format!("{}\n  {}", task.name, wrapped(task.question, 50, "  ")),
            format!("{}\n{}", measured(task, score), wrapped(task.measured, 34, "")),
            rates(card, score),
            task.mark_in_words.into(),
            score.verdict(task),
        ]
    });
    let mut text = format!("{}: {}\n{}\n{}\n", card.line, summary(card), table(&HEAD, rows), caution());
    remarks(card).iter().for_each(|remark| text += &format!("{remark}\n"));
    text + "Where the marks come from: downhill card A B, for two optimizers or more\n"
}

/// The cards of several, and the tasks.
fn matrix(cards: &[Card]) -> String {
    let head: Vec<&str> = [""].into_iter().chain(TASKS.iter().map(|task| task.name)).chain(["passed"]).collect();
    let mut matrix = table(&head, cards.iter().map(row));
    if let Some(passed) = matrix.column_mut(TASKS.len() + 1) {
        passed.set_cell_alignment(CellAlignment::Right);
    }
    let starred = if cards.iter().any(|card| card.fixed.is_some()) { "* all at the lr that its line gives.\n" } else { "" };
    let mut text = format!("{matrix}\n{}\n{starred}", caution());
    cards.iter().flat_map(remarks).for_each(|remark| text += &format!("{remark}\n"));
    text += "\nThe tasks\n";
    let tasks = TASKS.iter().map(|task| {
        let measured = format!("{}: {}", task.measured, task.mark_in_words);
        vec![task.name.into(), wrapped(task.question, 44, ""), wrapped(&measured, 36, ""), wrapped(task.why, 56, "")]
    });
    text + &format!("{}\n", table(&["task", "question", "measured, and pass mark", "where the mark comes from"], tasks))
}

/// A line of the matrix.
fn row(card: &Card) -> Vec<String> {
    let marks: Vec<String> = match card.scores.is_empty() {
        true => vec!["-".into(); TASKS.len()],
        false => pairs(card).map(|(task, score)| score.verdict(task).replacen(' ', "\n", 1)).collect(),
    };
    let fixed = card.fixed.map_or("", |_| "*");
    let passed = if card.scores.is_empty() { "-".into() } else { format!("{fixed}{}", card.passed()) };
    [card.line.clone()].into_iter().chain(marks).chain([passed]).collect()
}

/// Text in lines of about so many letters.
fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let (mut lines, mut length) = (String::new(), 0);
    for word in text.split_whitespace() {
        if length > 0 && length + 1 + word.len() > width {
            lines += &format!("\n{indent}");
            length = 0;
        } else if length > 0 {
            lines += " ";
            length += 1;
        }
        lines += word;
        length += word.len();
    }
    lines
}

/// `card.md` and `card.csv`.
fn write(folder: &Path, cards: &[Card]) -> Result<()> {
    files::place(&folder.join("card.md"), markdown(cards).as_bytes())?;
    files::place(&folder.join("card.csv"), &csv(cards)?)?;
    tell(&format!("wrote {} and card.csv", folder.join("card.md").display()));
    Ok(())
}

/// A row of a Markdown table.
fn markdown_row(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn markdown_table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let head = markdown_row(head.iter().map(|cell| cell.to_string())) + &format!("|{}\n", "---|".repeat(head.len()));
    rows.into_iter().fold(head, |text, row| text + &markdown_row(row))
}

fn markdown(cards: &[Card]) -> String {
    let mut text = format!("# Report card\n\n{}\n", caution().replace('\n', " "));
    if cards.len() > 1 {
        let head: Vec<&str> = ["optimizer"].into_iter().chain(TASKS.iter().map(|task| task.name)).chain(["passed"]).collect();
        text += &format!("\n{}", markdown_table(&head, cards.iter().map(row)));
    }
    for card in cards {
        text += &format!("\n## {}\n\n", card.line);
        if !card.scores.is_empty() {
            let rows = pairs(card).map(|(task, score)| {
                vec![task.name.into(), measured(task, score), rates(card, score), task.mark_in_words.into(), score.verdict(task)]
            });
            text += &format!("{}\n\n{}", summary(card), markdown_table(&HEAD, rows));
        }
        remarks(card).iter().for_each(|remark| text += &format!("\n{remark}\n"));
    }
    let tasks = TASKS.iter().map(|task| [task.name, task.question, task.measured, task.mark_in_words, task.why].map(String::from).to_vec());
    let head = ["task", "question", "measured", "pass mark", "where the mark comes from"];
    text + &format!("\n## The tasks\n\n{}", markdown_table(&head, tasks))
}

/// One row for each optimizer and task; a seed without a number has the word for it.
fn csv(cards: &[Card]) -> Result<Vec<u8>> {
    let failed = |error: String| Error::Asked(format!("cannot write the table: {error}"));
    let mut csv = csv::Writer::from_writer(Vec::new());
    let seeds = (0..SEEDS).map(|seed| format!("seed{seed}"));
    let head = ["optimizer", "task", "lr", "median", "mark", "seeds_met", "verdict"].map(String::from);
    csv.write_record(head.into_iter().chain(seeds)).map_err(|error| failed(error.to_string()))?;
    let exact = |value: &Measured| match value {
        Measured::Number(number) => format!("{number:?}"), // with an exponent where it is tiny
        other => other.to_string(),
    };
    for card in cards {
        for (task, score) in pairs(card) {
            let rates: Vec<String> = score.rates.iter().map(Given::show).collect();
            let cells = [card.line.clone(), task.name.into(), rates.join(" "), exact(score.median()), task.mark.show()];
            let cells = cells.into_iter().chain([score.met(task).to_string(), score.verdict(task)]).chain(score.seeds.iter().map(exact));
            csv.write_record(cells).map_err(|error| failed(error.to_string()))?;
        }
    }
    csv.into_inner().map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_shown_on_its_side_of_the_mark() {
        let shown = |number| shown(&Measured::Number(number), 0.1);
        assert_eq!([0.0837, 0.1, 0.10026, 0.099999].map(shown), ["0.0837", "0.1", "0.1003", "0.1"]);
        assert_eq!(super::shown(&Measured::Number(0.0014), 1e-3), "0.0014");
        assert_eq!(super::shown(&Measured::Number(4e-12), 1e-3), "4e-12");
        assert_eq!(super::shown(&Measured::Diverged, 1e-3), "diverged");
    }
}
