//! The page of a suite: `index.html`, `report.md`, `suite.csv`, and the charts as SVG and PNG.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::charts::{budget, profile, styles};
use super::results::{EntrantResult, ProblemResult, SuiteResults};
use super::schema::{Problem, Suite};
use super::score::{Standing, good_range, ranks, standings};
use crate::chart::{short, with_spread};
use crate::error::Result;
use crate::files::{make_folder, place, place_written};
use crate::grade::{mean, standard_deviation};
use crate::optim::Optimizers;
use crate::report::{Picture, SCRIPT, render};
use crate::text::counted;

/// A table of the page.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    /// titles of the columns
    pub head: Vec<String>,
    /// the cells; all but the first of a row are numbers
    pub rows: Vec<Vec<String>>,
}

/// What was written.
pub struct SuitePage {
    /// the page
    pub page: PathBuf,
    /// the finding in a sentence
    pub finding: String,
    /// the scores
    pub scores: Table,
    /// the final values on each problem
    pub values: Table,
}

/// Writes the page of results into a folder. `command` makes them again.
///
/// # Errors
/// If the folder cannot be written.
pub fn write(
    suite: &Suite,
    results: &SuiteResults,
    optimizers: &Optimizers,
    folder: &Path,
    command: &str,
) -> Result<SuitePage> {
    make_folder(folder)?;
    let standings = standings(suite, results);
    let styles = styles(results, optimizers);
    let mut pictures = Vec::new();
    for (name, chart) in [
        ("profile", profile(suite, results, &standings, &styles)),
        ("budget", budget(suite, results, &standings, &styles)),
    ] {
        if let Some(picture) = Picture::of_chart(name, &chart)? {
            picture.write(folder)?;
            pictures.push(picture);
        }
    }
    let finding = finding(suite, &standings);
    let scores = scores(&standings);
    let values = values(suite, results, &standings);
    let page = json!({
        "title": suite.title,
        "about": suite.description,
        "suite": suite,
        "version": results.downhill,
        "burn": results.burn,
        "processor": results.processor,
        "command": command,
        "finding": finding,
        "scores": scores,
        "bars": bars(&standings),
        "values": values,
        "ranges": ranges(suite, results, &standings),
        "chosen": chosen(suite, results, &standings),
        "pages": pages(suite, folder),
        "pictures": pictures,
        "style": include_str!("../report/page.css"),
        "script": SCRIPT,
    });
    write_csv(results, &folder.join("suite.csv"))?;
    let markdown = render("report.md", include_str!("page.md"), &page)?;
    let html = render("index.html", include_str!("page.html"), &page)?;
    place(&folder.join("report.md"), markdown.as_bytes())?;
    let page = folder.join("index.html");
    place(&page, html.as_bytes())?;
    Ok(SuitePage { page, finding, scores, values })
}

/// Who is best, and who cannot be told apart from it.
fn finding(suite: &Suite, standings: &[Standing]) -> String {
    let [first, others @ ..] = standings else { return String::new() };
    let ties: Vec<&str> = others
        .iter()
        .filter(|other| other.interval[0] <= first.interval[1])
        .map(|other| other.label.as_str())
        .collect();
    let problems = counted(suite.problems.len(), "problem", "problems");
    let trials = suite.trials;
    let [low, high] = first.interval;
    let best = format!(
        "{} has the best mean rank, {:.1} of {} (95 % interval {low:.1} to {high:.1}), on {problems} \
         with {trials} trials for each optimizer",
        first.label,
        first.rank,
        standings.len()
    );
    match &ties[..] {
        [] => format!("{best}. Its interval does not overlap that of any other."),
        [one] => format!("{best}. Its interval overlaps that of {one}: a tie."),
        [some @ .., last] => {
            format!("{best}. Its interval overlaps those of {} and {last}: a tie.", some.join(", "))
        }
    }
}

/// The scores, as the terminal and the page show them.
fn scores(standings: &[Standing]) -> Table {
    let head = [
        "optimizer",
        "mean rank",
        "95 % interval",
        "targets reached",
        "good learning rates (powers of ten)",
    ];
    let row = |it: &Standing| {
        vec![
            it.label.clone(),
            format!("{:.2}", it.rank),
            format!("{:.1} to {:.1}", it.interval[0], it.interval[1]),
            format!("{} of {}", it.reached, it.runs),
            it.tolerance.map_or("-".into(), |tolerance| format!("{tolerance:.1}")),
        ]
    };
    Table { head: head.map(String::from).to_vec(), rows: standings.iter().map(row).collect() }
}

/// The mean ranks with their intervals as pictures, in the order of the scores.
fn bars(standings: &[Standing]) -> Vec<String> {
    const WIDTH: f64 = 240.0;
    let worst = (standings.len() as f64).max(2.0);
    let x = |rank: f64| 10.0 + (rank - 1.0) / (worst - 1.0) * (WIDTH - 20.0);
    let bar = |it: &Standing| {
        let [low, high] = it.interval.map(x);
        format!(
            "<svg class=\"forest\" role=\"img\" viewBox=\"0 0 {WIDTH} 22\" width=\"{WIDTH}\" \
             height=\"22\" style=\"min-width: 150px\"><title>mean rank {:.2}, 95 % interval from {:.1} to {:.1}, between 1 on \
             the left and {worst} on the right</title><path class=\"bar\" d=\"M{low:.1} \
             11H{high:.1}M{low:.1} 6V16M{high:.1} 6V16\"/><circle cx=\"{:.1}\" cy=\"11\" r=\"4\"/>\
             </svg>",
            it.rank,
            it.interval[0],
            it.interval[1],
            x(it.rank)
        )
    };
    standings.iter().map(bar).collect()
}

/// A table with a row for each optimizer and a column for each problem.
fn matrix(
    suite: &Suite,
    results: &SuiteResults,
    standings: &[Standing],
    title: impl Fn(&Problem) -> String,
    cell: impl Fn(&EntrantResult, usize) -> String,
) -> Table {
    let head = suite.problems.iter().map(title);
    let row = |standing: &Standing| {
        let entrant = &results.entrants[standing.entrant];
        let cells = (0..suite.problems.len()).map(|problem| cell(entrant, problem));
        std::iter::once(entrant.label.clone()).chain(cells).collect()
    };
    Table {
        head: std::iter::once("optimizer".into()).chain(head).collect(),
        rows: standings.iter().map(row).collect(),
    }
}

/// Mean and standard deviation of the final values, with the rank.
fn values(suite: &Suite, results: &SuiteResults, standings: &[Standing]) -> Table {
    let means = |problem: usize| -> Vec<f64> {
        let all = results.entrants.iter();
        all.map(|entrant| mean(&entrant.problems[problem].values(suite.seeds))).collect()
    };
    let ranks: Vec<Vec<f64>> = (0..suite.problems.len()).map(|i| ranks(&means(i))).collect();
    let cell = |entrant: &EntrantResult, problem: usize| {
        let place = results.entrants.iter().position(|other| other.label == entrant.label);
        let rank = place.map_or(String::new(), |place| format!(" ({})", ranks[problem][place]));
        value(&entrant.problems[problem], suite.seeds) + &rank
    };
    let title = |problem: &Problem| format!("{}: {}", problem.name, problem.metric.label);
    matrix(suite, results, standings, title, cell)
}

fn value(result: &ProblemResult, seeds: usize) -> String {
    let values = result.values(seeds);
    let diverged = values.iter().filter(|value| value.is_infinite()).count();
    match standard_deviation(&values) {
        _ if result.best.is_none() => "diverged at every setting".into(),
        _ if diverged > 0 => format!("{diverged} of {seeds} diverged"),
        Some(deviation) => with_spread(mean(&values), deviation),
        None => short(mean(&values)),
    }
}

/// The range of good learning rates on each problem.
fn ranges(suite: &Suite, results: &SuiteResults, standings: &[Standing]) -> Table {
    let cell = |entrant: &EntrantResult, problem: usize| {
        let range = good_range(&entrant.problems[problem], suite.problems[problem].floor);
        range.map_or("-".into(), |range| format!("{range:.1}"))
    };
    matrix(suite, results, standings, |problem| problem.name.clone(), cell)
}

/// The best setting on each problem.
fn chosen(suite: &Suite, results: &SuiteResults, standings: &[Standing]) -> Table {
    let cell = |entrant: &EntrantResult, problem: usize| {
        let trials = entrant.problems[problem].trials.iter();
        let finished = trials.filter_map(|trial| Some((trial, trial.value?)));
        let best = finished.min_by(|a, b| a.1.total_cmp(&b.1));
        let short =
            |setting: &str| setting.split_once(' ').map_or("", |(_, rest)| rest).to_string();
        best.map_or("-".into(), |(trial, _)| short(&trial.setting))
    };
    matrix(suite, results, standings, |problem| problem.name.clone(), cell)
}

/// The problems, each with the address of its page if it is there.
fn pages(suite: &Suite, folder: &Path) -> Vec<serde_json::Value> {
    let page = |problem: &Problem| {
        let page = format!("{}/index.html", problem.name);
        json!({
            "name": problem.name,
            "title": problem.title,
            "metric": problem.metric.label,
            "target": problem.target,
            "page": folder.join(&page).is_file().then_some(page),
        })
    };
    suite.problems.iter().map(page).collect()
}

/// Writes every trial and every graded run as a row.
fn write_csv(results: &SuiteResults, path: &Path) -> Result<()> {
    let number = |value: Option<f64>| value.map_or("diverged".into(), |value| value.to_string());
    place_written(path, |file| {
        let mut csv = csv::Writer::from_writer(file);
        let head = ["problem", "optimizer", "role", "setting", "seed", "value", "steps_to_target"];
        csv.write_record(head).map_err(std::io::Error::from)?;
        for entrant in &results.entrants {
            for result in &entrant.problems {
                let [problem, label] = [&result.problem, &entrant.label].map(String::as_str);
                for trial in &result.trials {
                    let value = number(trial.value);
                    let row = [problem, label, "trial", &trial.setting, "", &value, ""];
                    csv.write_record(row).map_err(std::io::Error::from)?;
                }
                let best = result.best.as_deref().unwrap_or("");
                for run in &result.graded {
                    let (seed, value) = (run.seed.to_string(), number(run.value));
                    let steps = run.steps.map_or("never".into(), |steps| steps.to_string());
                    let row = [problem, label, "graded", best, &seed, &value, &steps];
                    csv.write_record(row).map_err(std::io::Error::from)?;
                }
            }
        }
        csv.flush()
    })
}
