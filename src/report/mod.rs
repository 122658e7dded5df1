//! From records to a page: the figure, a table, the verdicts. HTML, SVG, PNG, CSV and Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use minijinja::{Environment, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;
use serde_json::json;

use crate::chart::{Banded, Chart, Line, Style};
use crate::error::{Error, Result};
use crate::experiment::At;
use crate::experiment::Experiment;
use crate::experiment::grade::{self, Candidate, Choose, Curve, Planned, Verdict, deviation, mean};
use crate::files::{below, place};
use crate::optim::Optimizers;
use crate::record::{self, Header, Outcome, Run};

pub mod plot;

/// What a report says, before it is written.
pub struct Report {
    /// titles of the measurements in the table
    pub columns: Vec<&'static str>,
    /// one a series
    pub table: Vec<Row>,
    /// one a claim
    pub verdicts: Vec<Verdict>,
    /// what a reader should know: a rate at the edge of its grid, runs that are missing or diverged
    pub remarks: Vec<String>,
    charts: Vec<(&'static str, Chart)>,
    runs: Vec<Run>,
    experiment: Option<Experiment>,
    search: Option<u64>,
}

/// A series in the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// its legend
    pub series: String,
    /// the setting chosen, or why none could be
    pub chosen: String,
    /// mean and standard deviation over the seeds of each final measurement
    pub finals: Vec<String>,
    /// seconds of a run, mean
    pub seconds: String,
    /// how many runs there are, and how many diverged
    pub runs: String,
}

/// The fields that must be equal for two runs to stand in one report, and are not, with both values: `task batch 128 and 64`. Series,
/// optimizer, schedule and seed may differ.
fn differences(a: &Header, b: &Header) -> Vec<String> {
    fn walk(key: &str, a: &serde_json::Value, b: &serde_json::Value, found: &mut Vec<String>) {
        match (a.as_object(), b.as_object()) {
            (Some(a), Some(b)) => a.iter().for_each(|(name, a)| walk(&format!("{key}{name} "), a, &b[name], found)),
            _ if a != b => found.push(format!("{key}{a} and {b}")),
            _ => {}
        }
    }
    let mut found = Vec::new();
    let plain = ["series ", "optimizer ", "formula ", "schedule ", "seed "];
    walk("", &json!(a), &json!(b), &mut found);
    found.retain(|line| !plain.iter().any(|key| line.starts_with(key)));
    found
}

impl Report {
    /// Sorts and grades the runs of one experiment; without one, the runs of each optimizer are drawn side by side.
    ///
    /// # Errors
    /// If there are no runs, or runs of different protocols.
    pub fn new(experiment: Option<Experiment>, mut runs: Vec<Run>, optimizers: &Optimizers) -> Result<Report> {
        let mut seen = BTreeSet::new();
        runs.retain(|run| seen.insert(run.header.key())); // the same folder given twice
        let planned: Vec<Planned> = match &experiment {
            Some(experiment) => experiment.planned(optimizers)?,
            None => side_by_side(&runs),
        };
        let all = runs.len();
        let belongs = |run: &Run| experiment.as_ref().is_none_or(|experiment| experiment.is_protocol_of(&run.header));
        runs.retain(|run| belongs(run) && planned.iter().any(|planned| planned.has(run)));
        let foreign = all - runs.len();
        let first = runs.first().ok_or_else(|| Error::Asked("there are no runs to report".into()))?.header.clone();
        if let Some(differ) = runs.iter().map(|run| differences(&first, &run.header)).find(|differ| !differ.is_empty()) {
            return Err(Error::Asked(format!(
                "these runs differ in more than optimizer and seed, so one report would mix them: {}; expected runs of one protocol",
                differ.join(", ")
            )));
        }

        let choose = match &experiment {
            Some(experiment) => {
                let mut choose = Choose::of(experiment, &first.scale);
                choose.search = choose.search.map(|search| search.min(seeds(&runs) as u64)); // with --seeds there may be fewer
                choose
            }
            None => Choose { metric: first.task.measures()[0].0.into(), at: At::End, search: None },
        };
        let curves = grade::curves(&planned, &runs, &choose);
        let y = experiment.as_ref().map_or(choose.metric.replace('_', " "), |experiment| experiment.metric.label.clone());
        let mut remarks: Vec<String> = curves.iter().flat_map(remarks).collect();
        let extent = experiment.as_ref().and_then(|experiment| experiment.extent(&first.scale));
        for curve in &curves {
            let there = curve.chosen().map(|chosen| chosen.runs.iter().filter(|run| run.is_complete()).count());
            if let (Some(there), Some(extent)) = (there, extent)
                && there < extent.seeds
            {
                remarks.push(format!("{}: {there} of the scale's {} seeds.", curve.label, extent.seeds));
            }
        }
        if foreign > 0 {
            remarks.push(format!("{foreign} records below the folder belong to no setting of this experiment and were left out."));
        }
        let measures = first.task.measures();
        Ok(Report {
            columns: measures.iter().map(|(_, title)| *title).collect(),
            table: curves.iter().map(|curve| row(curve, measures)).collect(),
            verdicts: experiment.as_ref().map_or(Vec::new(), |experiment| grade::verdicts(experiment, &curves)),
            remarks,
            charts: charts(&curves, &choose, [first.task.x_label(), &y], optimizers),
            runs,
            experiment,
            search: choose.search,
        })
    }

    /// Writes `index.html`, `report.md`, `points.csv`, and each chart as SVG and PNG. Returns the page's path.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let mut pictures = Vec::new();
        for (name, chart) in &self.charts {
            if let Some(svg) = plot::svg(chart)? {
                place(&folder.join(format!("{name}.svg")), svg.as_bytes())?;
                place(&folder.join(format!("{name}.png")), &plot::png(&svg)?)?;
                pictures.push(json!({ "name": name, "svg": svg, "title": chart.title }));
            }
        }
        place(&folder.join("points.csv"), &self.csv()?)?;
        let first = &self.runs[0].header;
        let diverged = self.runs.iter().filter(|run| run.ended() == Some(Outcome::Diverged));
        let page = json!({
            "title": self.experiment.as_ref().map_or(first.task.title(), |experiment| experiment.title.clone()),
            "experiment": self.experiment,
            "pictures": pictures,
            "table": self.table,
            "columns": self.columns,
            "remarks": self.remarks,
            "verdicts": self.verdicts,
            "header": first,
            "task": first.task.lines(),
            "data": first.task.size(),
            "command": self.command(),
            "search": self.search,
            "seeds": seeds(&self.runs),
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

    /// What makes these runs again.
    fn command(&self) -> Option<String> {
        let (experiment, first) = (self.experiment.as_ref()?, &self.runs[0].header);
        let record::Task::Classify { data, .. } = &first.task;
        let bundled = crate::data::BUNDLED.iter().any(|bundled| bundled.name == data);
        let data = if bundled { data.clone() } else { format!("FOLDER/{data}") };
        let known = crate::experiment::BUILT_IN.iter().any(|(name, _)| *name == experiment.name);
        let name = if known { experiment.name.clone() } else { "FILE.toml".into() };
        Some(format!("downhill run {name} --scale {} --data {data} --device {} --seeds {}", first.scale, first.device, seeds(&self.runs)))
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

/// How many seeds there are among runs.
fn seeds(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.header.seed).collect::<BTreeSet<_>>().len()
}

/// Without an experiment, the plan is what there is: each legend and schedule with its settings.
fn side_by_side(runs: &[Run]) -> Vec<Planned> {
    let mut planned: Vec<Planned> = Vec::new();
    for Header { series, schedule, optimizer, .. } in runs.iter().map(|run| &run.header) {
        let label = if schedule == "constant" { series.clone() } else { format!("{series}, {schedule}") };
        let at = planned.iter().position(|planned| planned.label == label).unwrap_or_else(|| {
            planned.push(Planned { label, series: series.clone(), settings: Vec::new() });
            planned.len() - 1
        });
        let setting = (optimizer.clone(), schedule.clone());
        if !planned[at].settings.contains(&setting) {
            planned[at].settings.push(setting);
        }
    }
    planned
}

fn row(curve: &Curve, measures: &[(&str, &str)]) -> Row {
    let all: Vec<&Run> = curve.candidates.iter().flat_map(|candidate| &candidate.runs).collect();
    let count = |ended| all.iter().filter(|run| run.ended() == ended).count();
    let ends = [(Some(Outcome::Diverged), "diverged"), (Some(Outcome::Interrupted), "interrupted"), (None, "killed")];
    let counted = ends.into_iter().map(|(ended, name)| (count(ended), name)).filter(|(n, _)| *n > 0);
    let runs = std::iter::once(format!("{}", all.len()))
        .chain(counted.map(|(n, outcome)| format!("{n} {outcome}")))
        .collect::<Vec<_>>()
        .join(", ");
    let Some(chosen) = curve.chosen() else {
        return Row {
            series: curve.label.clone(),
            chosen: curve.why_none(),
            finals: vec!["-".into(); measures.len()],
            seconds: "-".into(),
            runs,
        };
    };
    let final_of = |name: &str| {
        let values: Vec<f64> = chosen.runs.iter().filter_map(|run| run.last(name)).collect();
        let diverged = values.iter().filter(|value| value.is_infinite()).count();
        match deviation(&values) {
            _ if values.is_empty() => "-".into(),
            _ if diverged > 0 => format!("{diverged} of {} diverged", values.len()),
            Some(sd) => format!("{} ± {}", short(mean(&values)), short(sd)),
            None => short(mean(&values)),
        }
    };
    let seconds: Vec<f64> = chosen.runs.iter().filter_map(|run| Some(run.end.as_ref()?.seconds)).collect();
    Row {
        series: curve.label.clone(),
        chosen: curve.brief(),
        finals: measures.iter().map(|(name, _)| final_of(name)).collect(),
        seconds: format!("{:.1}", mean(&seconds)),
        runs,
    }
}

/// Four decimals, or the power of ten of a number that exploded.
fn short(x: f64) -> String {
    if x.abs() < 1e5 { format!("{x:.4}") } else { format!("{x:.1e}") }
}

fn remarks(curve: &Curve) -> Vec<String> {
    let edges = curve.at_the_edge().into_iter();
    let mut remarks: Vec<String> = edges
        .map(|key| {
            format!(
                "{}: the best setting, {}, has {key} at the edge of its grid; a wider one may hold a better.",
                curve.label,
                curve.brief()
            )
        })
        .collect();
    if curve.missing > 0 {
        remarks.push(format!("{}: {}, so no best can be named; run again to complete them.", curve.label, curve.why_none()));
    }
    remarks
}

fn charts(curves: &[Curve], choose: &Choose, [x, y]: [&str; 2], optimizers: &Optimizers) -> Vec<(&'static str, Chart)> {
    let name = |curve: &Curve| curve.candidates.first().map_or(String::new(), |candidate| candidate.name().to_string());
    let style = |at: usize| {
        let own = Style::nth(optimizers.place(&name(&curves[at])).unwrap_or(at));
        // a second curve of the same optimizer
        curves[..at].iter().filter(|other| name(other) == name(&curves[at])).fold(own, |style, _| style.next_dash())
    };
    let lines = || {
        curves.iter().enumerate().map(|(i, curve)| {
            let under = if curve.chosen().is_some() { curve.brief() } else { curve.why_none() };
            let (points, diverged) = curve.chosen().map_or((Vec::new(), Vec::new()), |chosen| band(chosen, &choose.metric));
            Line { label: format!("{}\n{under}", curve.label), style: style(i), points, marks: false, diverged }
        })
    };
    let figure = |title: &str, log_y: bool, y_max: Option<f64>| Chart {
        title: title.into(),
        x: x.into(),
        y: y.into(),
        log_x: false,
        log_y,
        y_max,
        lines: lines()
            .map(|mut line| {
                line.points.retain(|p| log_y || p.0 >= 1.0);
                line
            })
            .collect(),
    };
    // the value before training would squeeze the rest into the lowest tenth of the linear figure
    let after_first = lines().filter_map(|line| line.points.iter().find(|p| p.0 >= 1.0).map(|p| p.3)).reduce(f64::max);
    let mut charts = vec![
        ("figure", figure("Each optimizer at its best setting", false, after_first)),
        ("figure-log", figure("The same, logarithmic, with the value before training", true, None)),
    ];
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
                lines: curves.iter().enumerate().map(|(i, curve)| grid(curve, style(i), choose)).collect(),
            },
        ));
    }
    charts
}

/// The mean over the seeds at each epoch, with the lowest and highest run; and the epoch at which the first diverged, where the line ends.
fn band(candidate: &Candidate, metric: &str) -> (Vec<Banded>, Vec<f64>) {
    let mut by_epoch: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for point in candidate.runs.iter().flat_map(|run| &run.points) {
        if let Some(value) = point.measures.get(metric) {
            by_epoch.entry(point.epoch).or_default().push(*value);
        }
    }
    let diverged = candidate.runs.iter().filter(|run| run.ended() == Some(Outcome::Diverged));
    let first = diverged.map(|run| run.points.last().map_or(0, |point| point.epoch)).min();
    by_epoch.retain(|epoch, _| first.is_none_or(|first| *epoch <= first));
    let points = by_epoch.into_iter().map(|(epoch, values)| with_ends(epoch as f64, &values)).collect();
    (points, first.map(|epoch| epoch as f64).into_iter().collect())
}

/// The best setting of each learning rate, by the runs that choose.
fn grid(curve: &Curve, style: Style, choose: &Choose) -> Line {
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
        style,
        points: finite.into_iter().map(|(lr, score)| (lr, score, score, score)).collect(),
        marks: true,
        diverged: diverged.into_iter().map(|(lr, _)| lr).collect(),
    }
}

fn with_ends(x: f64, values: &[f64]) -> Banded {
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
    let order = |run: &Run| (run.header.series.clone(), run.header.optimizer.clone(), run.header.seed);
    runs.sort_by_key(order);
    let name = runs.first().map(|run| run.header.experiment.clone()).unwrap_or_default();
    let beside = folders.iter().map(|folder| folder.join("experiment.toml")).find(|path| path.is_file());
    let experiment = match beside {
        Some(path) => Some(crate::experiment::load(&path.to_string_lossy(), optimizers)?.0),
        None => crate::experiment::load(&name, optimizers).ok().map(|(experiment, _)| experiment),
    };
    Ok((experiment, runs))
}
