//! From records to a page: the figure, a table, the verdicts. HTML, SVG, PNG, CSV and Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use minijinja::{Environment, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;
use serde_json::json;

use crate::error::{Error, Result};
use crate::experiment::At;
use crate::experiment::Experiment;
use crate::experiment::grade::{self, Candidate, Choose, Curve, Verdict, deviation, mean};
use crate::files::{below, place};
use crate::optim::Optimizers;
use crate::record::{self, Run, Task};

pub mod plot;

use plot::{Chart, Line};

/// What a report says, before it is written.
pub struct Report {
    /// one a series
    pub table: Vec<Row>,
    /// one a claim
    pub verdicts: Vec<Verdict>,
    /// what a reader should know: a rate at the edge of its grid, runs that are missing
    pub remarks: Vec<String>,
    charts: Vec<(&'static str, Chart)>,
    runs: Vec<Run>,
    experiment: Option<Experiment>,
}

/// A series in the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// its legend
    pub series: String,
    /// the setting chosen, or how it ended where none could be
    pub chosen: String,
    /// mean and standard deviation over the seeds of each final measurement
    pub finals: Vec<String>,
    /// seconds of a run, mean
    pub seconds: String,
    /// how many runs there are, and how many diverged
    pub runs: String,
}

/// The measurements in the table, those that there are.
const SHOWN: [(&str, &str); 4] =
    [("train_loss", "train loss"), ("objective", "train loss + penalty"), ("test_loss", "test loss"), ("test_accuracy", "test accuracy")];

/// The titles of those columns.
pub const COLUMNS: [&str; 4] = [SHOWN[0].1, SHOWN[1].1, SHOWN[2].1, SHOWN[3].1];

impl Report {
    /// Sorts and grades the runs of one experiment; without one, the runs of each legend are drawn side by side.
    ///
    /// # Errors
    /// If there are no runs, or runs of different experiments, scales or data.
    pub fn new(experiment: Option<Experiment>, runs: Vec<Run>, optimizers: &Optimizers) -> Result<Report> {
        let first = runs.first().ok_or_else(|| Error::Asked("there are no runs to report".into()))?;
        let of = |run: &Run| {
            let Task::Classify { data, sha256, .. } = &run.header.task;
            (run.header.experiment.clone(), run.header.scale.clone(), data.clone(), sha256.clone())
        };
        if let Some(other) = runs.iter().find(|run| of(run) != of(first)) {
            let name = |run: &Run| {
                let (experiment, scale, data, _) = of(run);
                [experiment, scale, data].join(" ").trim().to_string()
            };
            return Err(Error::Asked(format!(
                "these are runs of {} and of {}; expected the runs of one experiment, scale and data set in one report",
                name(first),
                name(other)
            )));
        }
        let choose = match &experiment {
            Some(experiment) => Choose::of(experiment, &first.header.scale),
            None => Choose { metric: "train_loss".into(), at: At::End, search: usize::MAX },
        };
        let curves = match &experiment {
            Some(experiment) => grade::curves(experiment, &runs, &choose),
            None => {
                let mut labels: Vec<&str> = Vec::new();
                runs.iter().for_each(|run| {
                    if !labels.contains(&run.header.series.as_str()) {
                        labels.push(&run.header.series)
                    }
                });
                labels.into_iter().map(|label| grade::curve(label, &runs, &choose)).collect()
            }
        };
        let verdicts = experiment.as_ref().map_or(Vec::new(), |experiment| grade::verdicts(experiment, &curves));
        let y = experiment.as_ref().map_or(choose.metric.replace('_', " "), |experiment| experiment.metric.label.clone());
        Ok(Report {
            table: curves.iter().map(row).collect(),
            remarks: curves.iter().flat_map(|curve| remarks(curve, &choose)).collect(),
            charts: charts(&curves, &choose, &y, optimizers),
            verdicts,
            runs,
            experiment,
        })
    }

    /// Writes `index.html`, `report.md`, `points.csv`, and each chart as SVG and PNG. Returns the page's path.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let mut pictures = Vec::new();
        for (name, chart) in &self.charts {
            let svg = plot::svg(chart)?;
            place(&folder.join(format!("{name}.svg")), svg.as_bytes())?;
            place(&folder.join(format!("{name}.png")), &plot::png(&svg)?)?;
            pictures.push(json!({ "name": name, "svg": svg, "title": chart.title }));
        }
        place(&folder.join("points.csv"), &self.csv()?)?;
        let first = &self.runs[0].header;
        let Task::Classify { model, data, .. } = &first.task;
        let diverged = self.runs.iter().filter(|run| run.outcome().starts_with("diverged"));
        let page = json!({
            "title": self.experiment.as_ref().map_or(format!("{model} on {data}"), |experiment| experiment.title.clone()),
            "experiment": self.experiment,
            "pictures": pictures,
            "table": self.table,
            "columns": COLUMNS,
            "remarks": self.remarks,
            "verdicts": self.verdicts,
            "header": first,
            "task": first.task,
            "search": self.experiment.as_ref().map(|experiment| Choose::of(experiment, &first.scale).search),
            "seeds": self.runs.iter().map(|run| run.header.seed).collect::<BTreeSet<_>>().len(),
            "diverged": diverged.map(|run| json!({ "header": run.header, "outcome": run.outcome(), "end": run.end })).collect::<Vec<_>>(),
        });
        let mut templates = Environment::new();
        let wrong = |file: &str, error: minijinja::Error| Error::Asked(format!("cannot make {file}: {error}"));
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        templates.set_syntax(syntax.map_err(|error| wrong("the page", error))?);
        let made = |file: &str, text: &'static str| -> Result<PathBuf> {
            // the file's ending decides whether text is escaped
            let rendered = templates.render_named_str(file, text, Serde(&page)).map_err(|error| wrong(file, error))?;
            let path = folder.join(file);
            place(&path, rendered.as_bytes())?;
            Ok(path)
        };
        made("report.md", include_str!("page.md"))?;
        made("index.html", include_str!("page.html"))
    }

    /// Every point of every run.
    fn csv(&self) -> Result<Vec<u8>> {
        let names: BTreeSet<&String> = self.runs.iter().flat_map(|run| &run.points).flat_map(|p| p.measures.keys()).collect();
        let mut csv = csv::Writer::from_writer(Vec::new());
        let fixed = ["series", "optimizer", "schedule", "seed", "outcome", "step", "epoch", "batch_loss", "grad_norm"].map(String::from);
        let mut rows =
            vec![fixed.into_iter().chain(names.iter().map(|name| name.to_string())).chain(["seconds".into()]).collect::<Vec<_>>()];
        let number = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
        for run in &self.runs {
            let Run { header, points, .. } = run;
            for p in points {
                let mut row =
                    vec![header.series.clone(), header.optimizer.clone(), header.schedule.clone(), header.seed.to_string(), run.outcome()];
                row.extend([p.step.to_string(), p.epoch.to_string(), number(p.batch_loss), number(p.grad_norm)]);
                row.extend(names.iter().map(|name| number(p.measures.get(*name).copied())));
                row.push(number(Some(p.seconds)));
                rows.push(row);
            }
        }
        let wrong = |error: String| Error::Asked(format!("cannot make points.csv: {error}"));
        rows.iter().try_for_each(|row| csv.write_record(row)).map_err(|error| wrong(error.to_string()))?;
        csv.into_inner().map_err(|error| wrong(error.to_string()))
    }
}

fn row(curve: &Curve) -> Row {
    let all: Vec<&Run> = curve.candidates.iter().flat_map(|candidate| &candidate.runs).collect();
    let count = |outcome: &str| all.iter().filter(|run| run.outcome().starts_with(outcome)).count();
    let counted = ["diverged", "interrupted", "killed"].into_iter().map(|outcome| (count(outcome), outcome)).filter(|(n, _)| *n > 0);
    let runs = std::iter::once(format!("{}", all.len()))
        .chain(counted.map(|(n, outcome)| format!("{n} {outcome}")))
        .collect::<Vec<_>>()
        .join(", ");
    let Some(chosen) = curve.chosen() else {
        let why = if all.is_empty() { "no runs".into() } else { "no setting whose runs all finished".to_string() };
        return Row { series: curve.label.clone(), chosen: why, finals: vec!["-".into(); SHOWN.len()], seconds: "-".into(), runs };
    };
    let final_of = |name: &str| {
        let values: Option<Vec<f64>> = chosen.runs.iter().map(|run| run.last(name)).collect();
        values.map_or("-".into(), |values| match deviation(&values) {
            Some(sd) => format!("{} ± {}", short(mean(&values)), short(sd)),
            None => short(mean(&values)),
        })
    };
    Row {
        series: curve.label.clone(),
        chosen: curve.brief(),
        finals: SHOWN.iter().map(|(name, _)| final_of(name)).collect(),
        seconds: format!("{:.1}", mean(&chosen.runs.iter().filter_map(|run| Some(run.end.as_ref()?.seconds)).collect::<Vec<_>>())),
        runs,
    }
}

/// Four decimals, or the power of ten of a number that exploded.
fn short(x: f64) -> String {
    if x.abs() < 1e5 { format!("{x:.4}") } else { format!("{x:.1e}") }
}

fn remarks(curve: &Curve, choose: &Choose) -> Vec<String> {
    let mut remarks = Vec::new();
    for key in curve.at_the_edge() {
        remarks.push(format!(
            "{}: the best setting, {}, has {key} at the edge of its grid; a wider one may hold a better.",
            curve.label,
            curve.brief()
        ));
    }
    let open = curve.candidates.iter().filter(|candidate| candidate.score(choose).is_none()).count();
    if open > 0 {
        remarks.push(format!(
            "{}: {open} of {} settings have runs that are not complete; run again to complete them.",
            curve.label,
            curve.candidates.len()
        ));
    }
    remarks
}

fn charts(curves: &[Curve], choose: &Choose, y: &str, optimizers: &Optimizers) -> Vec<(&'static str, Chart)> {
    let color = |curve: &Curve, at: usize| {
        let spec = curve.candidates.first().map_or("", |candidate| candidate.optimizer.split([':', '@']).next().unwrap_or_default());
        let own = optimizers.entries().iter().position(|entry| entry.name == spec).unwrap_or(at);
        let taken = curves[..at]
            .iter()
            .filter(|other| other.candidates.first().is_some_and(|c| c.optimizer.split([':', '@']).next() == Some(spec)));
        own + taken.count() // a second curve of the same optimizer
    };
    let lines: Vec<_> =
        curves.iter().enumerate().filter_map(|(i, curve)| Some((i, curve, band(curve.chosen()?, &choose.metric)))).collect();
    let figure = |title: &str, log_y: bool, y_max: Option<f64>| Chart {
        title: title.into(),
        x: "passes over the training data".into(),
        y: y.into(),
        log_x: false,
        log_y,
        y_max,
        lines: lines
            .iter()
            .map(|(i, curve, points)| Line {
                label: format!("{}\n{}", curve.label, curve.brief()),
                color: color(curve, *i),
                points: points.clone(),
                marks: false,
                diverged: Vec::new(),
            })
            .collect(),
    };
    let mut charts = Vec::new();
    if !lines.is_empty() {
        // the value before training would squeeze the rest into the lowest tenth of the linear figure
        let after_first = lines.iter().flat_map(|(.., points)| points.iter().find(|p| p.0 >= 1.0)).map(|p| p.3).reduce(f64::max);
        charts.push(("figure", figure("Each optimizer at its best learning rate", false, after_first)));
        charts.push(("figure-log", figure("The same, logarithmic, with the value before training", true, None)));
    }
    if curves.iter().any(|curve| curve.candidates.len() > 1) {
        charts.push((
            "learning-rates",
            Chart {
                title: match choose.at {
                    At::End => "Every learning rate of the grid, at the end".into(),
                    At::Mean => "Every learning rate of the grid, averaged over the passes".into(),
                },
                x: "learning rate".into(),
                y: y.into(),
                log_x: true,
                log_y: true,
                y_max: None,
                lines: curves.iter().enumerate().map(|(i, curve)| grid(curve, color(curve, i), choose)).collect(),
            },
        ));
    }
    charts
}

/// The mean over the seeds at each epoch, with the lowest and highest run.
fn band(candidate: &Candidate, metric: &str) -> Vec<(f64, f64, f64, f64)> {
    let mut by_epoch: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for point in candidate.runs.iter().flat_map(|run| &run.points) {
        if let Some(value) = point.measures.get(metric) {
            by_epoch.entry(point.epoch).or_default().push(*value);
        }
    }
    by_epoch.into_iter().map(|(epoch, values)| with_ends(epoch as f64, &values)).collect()
}

/// The best setting of each learning rate, by the runs that choose.
fn grid(curve: &Curve, color: usize, choose: &Choose) -> Line {
    let mut best: BTreeMap<u64, (f64, f64)> = BTreeMap::new(); // by the bits of the rate, which order as it does
    for candidate in &curve.candidates {
        if let (Some(Ok(lr)), Some(score)) = (candidate.setting("lr").map(|lr| lr.parse::<f64>()), candidate.score(choose)) {
            let known = best.entry(lr.to_bits()).or_insert((lr, score));
            known.1 = known.1.min(score);
        }
    }
    let (finite, diverged): (Vec<_>, Vec<_>) = best.into_values().partition(|(_, score)| score.is_finite());
    Line {
        label: curve.label.clone(),
        color,
        points: finite.into_iter().map(|(lr, score)| (lr, score, score, score)).collect(),
        marks: true,
        diverged: diverged.into_iter().map(|(lr, _)| lr).collect(),
    }
}

fn with_ends(x: f64, values: &[f64]) -> (f64, f64, f64, f64) {
    let ends = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
    (x, mean(values), ends.0, ends.1)
}

/// Reads every record below these folders, and the experiment they belong to.
///
/// # Errors
/// If there are none, or one is damaged.
pub fn read(folders: &[PathBuf], optimizers: &Optimizers) -> Result<(Option<Experiment>, Vec<Run>)> {
    let mut runs = Vec::new();
    for folder in folders {
        let files = below(folder, "jsonl")?;
        if files.is_empty() {
            return Err(Error::content(folder, "no records", "*.jsonl files somewhere below"));
        }
        for file in files {
            runs.push(record::read(&file)?);
        }
    }
    runs.sort_by(|a, b| {
        (&a.header.series, &a.header.optimizer, a.header.seed).cmp(&(&b.header.series, &b.header.optimizer, b.header.seed))
    });
    let name = runs.first().map(|run| run.header.experiment.clone()).unwrap_or_default();
    let beside = folders.iter().map(|folder| folder.join("experiment.toml")).find(|path| path.is_file());
    let experiment = match beside {
        Some(path) => Some(crate::experiment::load(&path.to_string_lossy(), optimizers)?.0),
        None => crate::experiment::load(&name, optimizers).ok().map(|(experiment, _)| experiment),
    };
    Ok((experiment, runs))
}
