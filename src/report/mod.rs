//! From records to a page: the figure, a table, the verdicts. HTML, SVG, PNG, CSV and Markdown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use minijinja::{Environment, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;
use serde_json::json;

use crate::chart::{Banded, Chart, EXPLODED, Heat, Line, Style, Table, short, with_spread};
use crate::error::{Error, Result};
use crate::experiment::grade::{self, Candidate, Choose, Curve, Planned, Verdict, deviation, mean};
use crate::experiment::published::{self, Level};
use crate::experiment::{At, Experiment, Extent, Scale, Series};
use crate::files::{below, place};
use crate::optim::Optimizers;
use crate::record::{self, Header, Outcome, Run};
use crate::study::Found;

mod heat;
pub mod plot;
mod scene;

use scene::Scene;

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
    /// tables that a study made
    pub tables: Vec<Table>,
    charts: Vec<(String, Chart)>,
    heats: Vec<Heat>,
    scene: Option<Scene>,
    runs: Vec<Run>,
    experiment: Option<Experiment>,
    scale: Option<Scale>,
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

/// What runs of different seeds have in common.
fn setting(header: &Header) -> [&str; 3] {
    [&header.series, &header.optimizer, &header.schedule]
}

/// The fields that must be equal for two runs to stand in one report, and are not, with both values: `task batch 128 and 64`. The seed may
/// differ, and between settings also series, optimizer and schedule; in an experiment also what a series may have of its own.
fn differences(a: &Header, b: &Header, own_tasks: bool) -> Vec<String> {
    let same = setting(a) == setting(b);
    fn walk(key: &str, a: &serde_json::Value, b: &serde_json::Value, found: &mut Vec<String>) {
        match (a.as_object(), b.as_object()) {
            (Some(a), Some(b)) => {
                // what is off is not written, so either may have a key that the other lacks
                let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                let none = json!("none");
                let each = names.into_iter().map(|name| (name, a.get(name).unwrap_or(&none), b.get(name).unwrap_or(&none)));
                each.for_each(|(name, a, b)| walk(&format!("{key}{name} "), a, b, found));
            }
            _ if a != b => found.push(format!("{key}{a} and {b}")),
            _ => {}
        }
    }
    let mut found = Vec::new();
    // runs of one setting are of one formula
    let plain: &[&str] = if same { &["seed "] } else { &["series ", "optimizer ", "formula ", "schedule ", "seed "] };
    // what one series validates by, another trains on
    let whole = |header: &Header| {
        let mut header = header.clone();
        if let (record::Task::Classify { train, validation, .. }, true) = (&mut header.task, own_tasks) {
            *train += *validation;
        }
        json!(header)
    };
    walk("", &whole(a), &whole(b), &mut found);
    // that each series has its task was seen before; the data are the experiment's
    let planned = |line: &str| {
        own_tasks
            && !same
            && line.starts_with("task ")
            && !["data ", "sha256 ", "train ", "test "].iter().any(|key| line[5..].starts_with(key))
    };
    found.retain(|line| !planned(line) && !plain.iter().any(|key| line.starts_with(key)));
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
        let scale = experiment.as_ref().zip(runs.first()).and_then(|(experiment, run)| experiment.scale_named(&run.header.scale));
        let planned: Vec<Planned> = match &experiment {
            Some(experiment) => experiment.planned(scale.unwrap_or(Scale::Quick), optimizers)?,
            None => side_by_side(&runs),
        };
        let all = runs.len();
        let belongs = |run: &Run| experiment.as_ref().is_none_or(|experiment| experiment.is_protocol_of(&run.header));
        runs.retain(|run| belongs(run) && planned.iter().any(|planned| planned.has(run)));
        let foreign = all - runs.len();
        let first = runs.first().ok_or_else(|| Error::Asked("there are no runs to report".into()))?.header.clone();
        for Run { header, .. } in &runs {
            let of_setting = |run: &&Run| setting(&run.header) == setting(header);
            for other in [Some(&first), runs.iter().find(of_setting).map(|run| &run.header)].into_iter().flatten() {
                let differ = differences(other, header, experiment.is_some());
                if !differ.is_empty() {
                    return Err(Error::Asked(format!(
                        "{} and {} differ in more than optimizer and seed, so one report would mix them: {}; expected runs of one protocol, \
                         code and machine, the others moved away",
                        other.file_name(),
                        header.file_name(),
                        differ.join(", ")
                    )));
                }
            }
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
        let choice = curves.iter().any(|curve| curve.candidates.len() > 1);
        let y = experiment.as_ref().map_or(choose.metric.replace('_', " "), |experiment| experiment.metric.label.clone());
        let mut remarks: Vec<String> = Vec::new();
        if let (Some(about), Some(given)) = (experiment.as_ref().zip(scale).and_then(|(it, scale)| it.data(scale)), first.task.data())
            && about != given
        {
            remarks.push(format!("These runs are on {given}; the experiment is about {about}, and so are its text and claims."));
        }
        remarks.extend(curves.iter().flat_map(edges));
        remarks.extend(missing(&curves, experiment.as_ref().and_then(|experiment| experiment.extent(&first.scale))));
        if foreign > 0 {
            remarks.push(format!("{foreign} records below the folder belong to no setting of this experiment and were left out."));
        }
        let (heats, left_out) = heat::heats(&curves, &choose, &y);
        remarks.extend(left_out.iter().map(|title| format!("{title}: too many settings for a map; they are in points.csv.")));
        let measures = first.task.measures();
        Ok(Report {
            columns: measures.iter().map(|(name, title)| if *name == "distance" { first.task.distance() } else { title }).collect(),
            table: curves.iter().map(|curve| row(curve, measures)).collect(),
            verdicts: experiment.as_ref().map_or(Vec::new(), |experiment| grade::verdicts(experiment, &first.scale, &curves)),
            remarks,
            tables: Vec::new(),
            charts: charts(&curves, &choose, [first.task.x_label(), &y], &first.task, experiment.as_ref(), optimizers),
            heats,
            scene: Scene::of(&first.task, &curves, &|at| style(&curves, at, optimizers))?,
            runs,
            experiment,
            scale,
            search: choose.search.filter(|_| choice),
        })
    }

    /// What a study found, graded.
    pub fn of_study(experiment: Experiment, found: Found, scale: Scale) -> Report {
        Report {
            columns: Vec::new(),
            table: Vec::new(),
            verdicts: grade::study_verdicts(&experiment, &found),
            remarks: Vec::new(),
            tables: found.tables,
            charts: found.charts.into_iter().map(|(name, chart)| (name.to_string(), chart)).collect(),
            heats: Vec::new(),
            scene: None,
            runs: Vec::new(),
            experiment: Some(experiment),
            scale: Some(scale),
            search: None,
        }
    }

    /// Writes `index.html`, `report.md`, `points.csv`, and each chart as SVG and PNG. Returns the page's path.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let mut pictures = Vec::new();
        for (name, chart) in &self.charts {
            if let Some(svg) = plot::svg(chart)? {
                picture(folder, name, &svg)?;
                pictures.push(json!({ "name": name, "svg": svg, "title": chart.title }));
            }
        }
        for (at, heat) in self.heats.iter().enumerate() {
            let (name, svg) = (format!("heat-{}", at + 1), plot::heat(heat)?);
            picture(folder, &name, &svg)?;
            pictures.push(json!({ "name": name, "svg": svg, "title": heat.title }));
        }
        let player = match &self.scene {
            Some(scene) => {
                for (name, title, svg) in scene.pictures()? {
                    picture(folder, name, &svg)?;
                    // the page has the contour already, moving
                    if name != "contour" {
                        pictures.push(json!({ "name": name, "svg": svg, "title": title }));
                    }
                }
                place(&folder.join("animation.gif"), &scene.animation()?)?;
                Some(scene.player())
            }
            None => None,
        };
        place(&folder.join("points.csv"), &self.csv()?)?;
        let header = self.runs.first().map(|run| &run.header);
        let diverged = self.runs.iter().filter(|run| run.ended() == Some(Outcome::Diverged));
        let series = self.experiment.iter().flat_map(|experiment| &experiment.series);
        let line = |series: &Series| series.line(self.scale.unwrap_or(Scale::Quick)).to_string();
        let page = json!({
            "title": self.experiment.as_ref().map_or_else(
                || header.map_or(String::new(), |header| header.task.title()),
                |experiment| experiment.title.clone()
            ),
            "player": player,
            "tables": self.tables,
            "version": env!("CARGO_PKG_VERSION"),
            "experiment": self.experiment,
            "series": series.map(|it| json!({ "label": it.label, "line": line(it), "schedule": it.schedule })).collect::<Vec<_>>(),
            "pictures": pictures,
            "table": self.table,
            "columns": self.columns,
            "remarks": self.remarks,
            "verdicts": self.verdicts,
            "header": header,
            "task": together(self.runs.iter().map(|run| run.header.task.lines())),
            "data": together(self.runs.iter().map(|run| vec![("", run.header.task.size())])).first().map(|(_, sizes)| sizes.clone()),
            "counted": header.map(|header| header.task.x_label()),
            "command": self.command(),
            "own_data": self.own_data(),
            "search": self.search,
            "seeds": seeds(&self.runs),
            "diverged": diverged.map(|run| json!({ "header": run.header, "outcome": run.outcome(), "end": run.end })).collect::<Vec<_>>(),
        });
        let mut templates = Environment::new();
        let wrong = |file: &str, error: minijinja::Error| Error::Asked(format!("cannot make {file}: {error}"));
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        templates.set_syntax(syntax.map_err(|error| wrong("the page", error))?);
        // of a Markdown table
        templates.add_filter("cell", |text: String| text.replace('|', "\\|"));
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
        let Some(experiment) = &self.experiment else { return self.training() };
        if let (crate::experiment::Task::Surface { surface, .. }, "surface") = (&experiment.task, experiment.name.as_str()) {
            let lines: Vec<&str> = experiment.series.iter().map(|series| series.optimizer.as_str()).collect();
            let header = &self.runs.first()?.header;
            let record::Task::Surface { window: [a, b, c, d], start: [x, y], noise, .. } = &header.task else { return None };
            let place = format!("--window={a},{b},{c},{d} --start={x},{y} --noise {noise}");
            let (steps, seeds) = (header.epochs, seeds(&self.runs));
            return Some(format!(
                "downhill surface \"{surface}\" --optimizers \"{}\" {place} --steps {steps} --seeds {seeds}",
                lines.join(",")
            ));
        }
        let known = crate::experiment::BUILT_IN.iter().any(|(name, _)| *name == experiment.name);
        let name = if known { experiment.name.clone() } else { "FILE.toml".into() };
        let mut command = format!("downhill run {name}");
        if let Some(scale) = self.scale {
            command += &format!(" --scale {}", scale.name());
        }
        if let Some(first) = self.runs.first().map(|run| &run.header) {
            if let record::Task::Classify { data, .. } | record::Task::Autoencode { data, .. } = &first.task {
                command += &format!(" --data {} --device {}", quoted(data), first.device);
            }
            command += &format!(" --seeds {}", seeds(&self.runs));
        }
        Some(command)
    }

    /// What makes a single training again; the share of a validation part is not in the record.
    fn training(&self) -> Option<String> {
        let [Run { header, .. }] = self.runs.as_slice() else { return None };
        let record::Task::Classify { model, data, batch, penalty, augment, validation: 0, .. } = &header.task else { return None };
        let mut command = format!(
            "downhill train --model {} --data {} --optimizer {} --schedule {}",
            quoted(model),
            quoted(data),
            quoted(&header.optimizer),
            quoted(&header.schedule)
        );
        for (option, line) in [("penalty", penalty), ("augment", augment)] {
            if line != "none" {
                command += &format!(" --{option} {}", quoted(line));
            }
        }
        Some(format!("{command} --batch {batch} --epochs {} --seed {} --device {}", header.epochs, header.seed, header.device))
    }

    /// Data in the command that come neither with the program nor from an official address.
    fn own_data(&self) -> Option<&str> {
        let name = self.runs.first()?.header.task.data()?;
        let named = crate::data::BUNDLED.iter().any(|bundled| bundled.name == name) || crate::data::known::known(name).is_some();
        (!named).then_some(name)
    }

    /// Every point of every run.
    fn csv(&self) -> Result<Vec<u8>> {
        let wrong = |error: String| Error::Asked(format!("cannot make points.csv: {error}"));
        if self.runs.is_empty() {
            return self.charts_csv().map_err(|error| wrong(error.to_string()));
        }
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
        rows.iter().try_for_each(|row| csv.write_record(row)).map_err(|error| wrong(error.to_string()))?;
        csv.into_inner().map_err(|error| wrong(error.to_string()))
    }

    /// Every point of every line, for a study.
    fn charts_csv(&self) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error>> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(["chart", "line", "x", "y"])?;
        for (name, chart) in &self.charts {
            for line in &chart.lines {
                for point in &line.points {
                    let label = line.label.replace('\n', ", ");
                    csv.write_record([name, &label, &point.0.to_string(), &point.1.to_string()])?;
                }
            }
        }
        Ok(csv.into_inner()?)
    }
}

/// Both files of a picture.
fn picture(folder: &Path, name: &str, svg: &str) -> Result<()> {
    place(&folder.join(format!("{name}.svg")), svg.as_bytes())?;
    place(&folder.join(format!("{name}.png")), &plot::png(svg)?)
}

/// The lines of several tasks: where they differ, all that a line says.
fn together(tasks: impl Iterator<Item = Vec<(&'static str, String)>>) -> Vec<(&'static str, String)> {
    let mut lines: Vec<(&str, Vec<String>)> = Vec::new();
    for (key, text) in tasks.flatten() {
        match lines.iter_mut().find(|(own, _)| *own == key) {
            Some((_, texts)) if texts.contains(&text) => {}
            Some((_, texts)) => texts.push(text),
            None => lines.push((key, vec![text])),
        }
    }
    lines.into_iter().map(|(key, texts)| (key, texts.join("; "))).collect()
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
            Some(sd) => with_spread(mean(&values), sd),
            None => short(mean(&values)),
        }
    };
    let seconds: Vec<f64> = chosen.runs.iter().filter_map(|run| Some(run.end.as_ref()?.seconds)).collect();
    Row {
        series: curve.label.clone(),
        chosen: curve.brief(),
        finals: measures.iter().map(|(name, _)| final_of(name)).collect(),
        seconds: match mean(&seconds) {
            long @ 10.0.. => format!("{long:.0}"),
            short @ 0.1.. => format!("{short:.2}"),
            shortest => format!("{shortest:.3}"),
        },
        runs,
    }
}

fn edges(curve: &Curve) -> Vec<String> {
    let edges = curve.at_the_edge().into_iter();
    edges
        .map(|key| {
            format!(
                "{}: the best setting, {}, has {key} at the edge of its grid; a wider one may hold a better.",
                curve.label,
                curve.brief()
            )
        })
        .collect()
}

/// Which runs are not there, series in the same case together.
fn missing(curves: &[Curve], extent: Option<&Extent>) -> Vec<String> {
    let mut cases: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for curve in curves {
        let there = curve.chosen().map(|chosen| chosen.runs.iter().filter(|run| run.is_complete()).count());
        let case = match (there, extent) {
            _ if curve.missing > 0 => format!("{}, so no best can be named; run again to complete them.", curve.why_none()),
            (Some(there), Some(extent)) if there < extent.seeds => format!("{there} of the scale's {} seeds.", extent.seeds),
            _ => continue,
        };
        cases.entry(case).or_default().push(&curve.label);
    }
    let whose = |labels: Vec<&str>| if labels.len() == curves.len() && labels.len() > 1 { "all series".into() } else { labels.join(", ") };
    cases.into_iter().map(|(case, labels)| format!("{}: {case}", whose(labels))).collect()
}

/// The look of a curve: that of its optimizer, with other dashes for a second curve of the same.
fn style(curves: &[Curve], at: usize, optimizers: &Optimizers) -> Style {
    let name = |curve: &Curve| curve.candidates.first().map_or(String::new(), Candidate::name);
    if curves.len() > 1 && curves.iter().all(|curve| name(curve) == name(&curves[at])) {
        return Style::other(at); // no optimizer to be told from another
    }
    let own = Style::nth(optimizers.place(&name(&curves[at])).unwrap_or(at));
    curves[..at].iter().filter(|other| name(other) == name(&curves[at])).fold(own, |style, _| style.next_dash())
}

fn charts(
    curves: &[Curve],
    choose: &Choose,
    [x, y]: [&str; 2],
    task: &record::Task,
    experiment: Option<&Experiment>,
    optimizers: &Optimizers,
) -> Vec<(String, Chart)> {
    let against = |by: Option<&str>, measure: &str| {
        let line = |(i, curve): (usize, &Curve)| {
            // the reason of a divergence is too long for a legend
            let none = || curve.why_none().split(':').next().unwrap_or_default().to_string();
            let under = if curve.chosen().is_some() { curve.brief() } else { none() };
            // of a single setting, what there was before it diverged is worth seeing
            let shown = curve.chosen().or_else(|| curve.candidates.first().filter(|_| curve.candidates.len() == 1));
            let (points, diverged) = shown.map_or((Vec::new(), Vec::new()), |shown| band(shown, by, measure));
            Line { points, diverged, ..Line::new(&format!("{}\n{under}", curve.label), style(curves, i, optimizers), Vec::new()) }
        };
        curves.iter().enumerate().map(line).collect::<Vec<Line>>()
    };
    let lines = || against(None, &choose.metric);
    let mut charts = match task {
        record::Task::Surface { .. } => vec![
            {
                let lines = against(None, "value");
                let heights = || lines.iter().flat_map(|line| &line.points).map(|point| point.1);
                let (low, high) = (heights().fold(f64::INFINITY, f64::min), heights().fold(0.0, f64::max));
                let log_y = low > 0.0 && high > 1e2 * low;
                ("value", Chart { log_y, lines, ..Chart::new("Height against steps", x, "f") })
            },
            ("distance", Chart { log_y: true, lines: against(None, "distance"), ..Chart::new(task.distance(), x, "distance") }),
        ],
        record::Task::LeastSquares { .. } => vec![
            ("figure", Chart { log_x: true, log_y: true, lines: lines(), ..Chart::new("Against steps", x, y) }),
            (
                "gradients",
                Chart {
                    log_x: true,
                    log_y: true,
                    lines: against(Some("gradients"), &choose.metric),
                    ..Chart::new("Against what it costs", "gradients of single examples", y)
                },
            ),
        ],
        _ => {
            let published: Vec<Line> =
                experiment.map_or(Vec::new(), |experiment| published(experiment, &choose.metric, curves, optimizers));
            let ours = lines();
            let end = ours.iter().flat_map(|line| line.points.iter().map(|point| point.0)).fold(0.0, f64::max);
            // the value before training would squeeze the rest into the lowest tenth of the linear figure; but a line needs two points
            let late = |lines: Vec<Line>| {
                let keep = |mut line: Line| {
                    line.points.retain(|p| p.0 >= 1.0 || end < 2.0);
                    line
                };
                lines.into_iter().map(keep).collect::<Vec<Line>>()
            };
            // as dots, for our line runs through them, and as far as it goes
            let every = if end > 20.0 { 5.0 } else { 1.0 };
            let shown = |point: &&Banded| point.0 % every == 0.0 && point.0 <= end;
            let thinned = |line: &Line| Line { points: line.points.iter().filter(shown).copied().collect(), ..line.clone() };
            let all = || ours.iter().cloned().chain(published.iter().map(thinned)).collect::<Vec<Line>>();
            // what falls begins high, what rises ends high; what lies higher on the way, or on the way to divergence, is not worth the room
            let ends = |line: &Line| {
                let first = line.points.iter().find(|p| p.0 >= 1.0).map(|p| p.3);
                let last = line.points.last().filter(|p| p.0 >= 1.0 && line.diverged.is_empty()).map(|p| p.3);
                first.into_iter().chain(last).reduce(f64::max)
            };
            let highest = ours.iter().filter_map(ends).reduce(f64::max);
            let title = if curves.iter().any(|curve| curve.candidates.len() > 1) {
                "Each optimizer at its best setting"
            } else {
                "Each optimizer at the rate that was given"
            };
            // the mean over the batches of a pass begins with the first
            let before = if choose.metric == record::BATCH_LOSS { "" } else { ", with the value before training" };
            let logarithmic = &format!("The same, logarithmic{before}");
            let mut charts = vec![
                ("figure", Chart { y_max: highest.filter(|_| end >= 2.0), lines: late(all()), ..Chart::new(title, x, y) }),
                ("figure-log", Chart { log_y: true, lines: all(), ..Chart::new(logarithmic, x, y) }),
            ];
            if !published.is_empty() {
                let lines = ours.iter().zip(curves).filter_map(|(line, curve)| {
                    let theirs = published.iter().find(|theirs| theirs.label.starts_with(&format!("{}, ", curve.label)))?;
                    Some(apart(line, theirs))
                });
                let title = "Ours at the rates in the legend, less the published mean; band: their sd";
                charts.push(("published", Chart { lines: lines.collect(), ..Chart::new(title, x, &format!("difference in {y}")) }));
            }
            charts
        }
    };
    let grids = curves.iter().enumerate().map(|(i, curve)| grid(curve, style(curves, i, optimizers), choose));
    let mut grids: Vec<Line> = grids.filter(|line| line.points.len() + line.diverged.len() > 1).collect();
    if !grids.is_empty() {
        let title = match choose.at {
            At::End => "Every learning rate of the grid, at the end",
            At::Mean => "Every learning rate of the grid, averaged over the passes",
        };
        beyond(&mut grids);
        charts.push(("learning-rates", Chart { log_x: true, log_y: true, lines: grids, ..Chart::new(title, "learning rate", y) }));
    }
    let mut charts: Vec<(String, Chart)> = charts.into_iter().map(|(name, chart)| (name.to_string(), chart)).collect();
    let tested = || task.measures().iter().map(|(measure, _)| *measure).filter(|measure| measure.starts_with("test_")).collect();
    let also: Vec<&str> = experiment.map_or_else(tested, |experiment| experiment.metric.also.iter().map(String::as_str).collect());
    charts.extend(also.into_iter().filter(|also| *also != choose.metric).map(|also| {
        let title = task.title_of(also);
        let chart = Chart { lines: against(None, also), ..Chart::new(&format!("The same runs: {title}"), x, title) };
        (also.replace('_', "-"), chart)
    }));
    charts
}

/// The published curves that an experiment names: mean, and one standard deviation around it.
fn published(experiment: &Experiment, metric: &str, curves: &[Curve], optimizers: &Optimizers) -> Vec<Line> {
    let of = |(label, published): (&str, &String)| {
        let banded = |Level { epoch, mean, sd }: Level| (epoch, mean, mean - sd, mean + sd);
        let points: Vec<Banded> = published::curve(published, metric).into_iter().map(banded).collect();
        let at = curves.iter().position(|curve| curve.label == label).unwrap_or(0);
        let name = format!("{label}, published\nmean of 10 runs");
        Line { points, marks: true, joined: false, ..Line::new(&name, style(curves, at, optimizers), Vec::new()) }
    };
    experiment.series.iter().filter_map(|series| Some((series.label.as_str(), series.published.as_ref()?))).map(of).collect()
}

/// How far a line is from a published one, with the published band around zero.
fn apart(ours: &Line, theirs: &Line) -> Line {
    let at = |ours: &Banded| {
        let (_, mean, low, high) = theirs.points.iter().find(|theirs| theirs.0 == ours.0)?;
        Some((ours.0, ours.1 - mean, low - mean, high - mean))
    };
    Line { points: ours.points.iter().filter_map(at).collect(), ..ours.clone() }
}

/// A word of a command, in quotes where a shell would divide it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.,:=/@+".contains(c);
    if word.chars().all(plain) { word.into() } else { format!("\"{word}\"") }
}

/// The mean over the seeds at each epoch, with the lowest and highest run; and where the first diverged, at which the line ends. `by` is the
/// measurement along the x axis, the epoch by default. A run that ended early stays at the
/// model that it handed out.
fn band(candidate: &Candidate, by: Option<&str>, metric: &str) -> (Vec<Banded>, Vec<f64>) {
    let mut by_epoch: BTreeMap<usize, (f64, Vec<f64>)> = BTreeMap::new();
    let longest = candidate.runs.iter().max_by_key(|run| run.points.len()).map_or(&[][..], |run| &run.points);
    let value = |point: &record::Point| point.value(metric);
    for run in &candidate.runs {
        let arrived = run.kept().filter(|_| run.ended() == Some(Outcome::Finished));
        for point in longest {
            let own = run.points.get(point.epoch).or(arrived).and_then(value);
            let x = by.map_or(Some(point.epoch as f64), |by| point.measures.get(by).copied());
            if let (Some(value), Some(x)) = (own, x) {
                by_epoch.entry(point.epoch).or_insert((x, Vec::new())).1.push(value);
            }
        }
    }
    // early stopping handed out a model before the last pass: from where it stopped, the line is that model's
    if let (None, true) = (by, candidate.runs.iter().any(|run| run.end.as_ref().is_some_and(|end| end.kept.is_some()))) {
        for epoch in longest.len()..=candidate.runs.iter().map(|run| run.header.epochs).max().unwrap_or(0) {
            let kept = candidate.runs.iter().filter_map(|run| run.kept().and_then(value));
            by_epoch.insert(epoch, (epoch as f64, kept.collect()));
        }
    }
    let diverged = candidate.runs.iter().filter(|run| run.ended() == Some(Outcome::Diverged));
    let first = diverged.map(|run| run.points.last().map_or(0, |point| point.epoch)).min();
    by_epoch.retain(|epoch, _| first.is_none_or(|first| *epoch <= first));
    let last = first.and_then(|epoch| by_epoch.get(&epoch)).map(|(x, _)| *x);
    let points = by_epoch.into_values().map(|(x, values)| with_ends(x, &values)).collect();
    (points, last.into_iter().collect())
}

/// Numbers that exploded without ceasing to be numbers would squeeze all others into a line: they become crosses too.
fn beyond(lines: &mut [Line]) {
    let all = lines.iter().flat_map(|line| &line.points).map(|point| point.1).filter(|y| *y > 0.0);
    let limit = all.fold(f64::INFINITY, f64::min) * EXPLODED;
    for line in lines {
        line.diverged.extend(line.points.iter().filter(|point| point.1 > limit).map(|point| point.0));
        line.points.retain(|point| point.1 <= limit);
    }
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
        joined: true,
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
            let study = crate::experiment::load(&folder.join("experiment.toml").to_string_lossy(), optimizers);
            if let Ok((Experiment { task: crate::experiment::Task::Study { .. }, name, .. }, _)) = study {
                let expected = format!("records; a study has none, `downhill run {name}` computes it anew");
                return Err(Error::content(folder, "the page of a study", expected));
            }
            return Err(Error::content(folder, "no records", "*.jsonl files somewhere below"));
        }
        for file in files {
            runs.push(record::read(&file)?);
        }
    }
    let order = |run: &Run| (run.header.series.clone(), run.header.optimizer.clone(), run.header.seed);
    runs.sort_by_key(order);
    let names: BTreeSet<&str> = runs.iter().map(|run| run.header.experiment.as_str()).collect();
    if names.len() > 1 {
        let found = format!("records of {}", names.into_iter().collect::<Vec<_>>().join(" and "));
        return Err(Error::content(&folders[0], found, "those of one experiment"));
    }
    let name = runs.first().map(|run| run.header.experiment.clone()).unwrap_or_default();
    let beside = folders.iter().map(|folder| folder.join("experiment.toml")).find(|path| path.is_file());
    let experiment = match beside {
        Some(path) => Some(crate::experiment::load(&path.to_string_lossy(), optimizers)?.0),
        None => crate::experiment::load(&name, optimizers).ok().map(|(experiment, _)| experiment),
    };
    Ok((experiment, runs))
}
