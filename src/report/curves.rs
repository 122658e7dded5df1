//! The curves that a reader can operate: their data, and the script that draws them.

mod pack;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use self::pack::{exact, pack};
use crate::chart::{BandPoint, Chart, PlotLine, Style};
use crate::grade::{Candidate, Curve};
use crate::record::{Axis, BATCH_LOSS, CurvePoint, RecordedTask, Run};

use super::charts::{CurveSet, drawn_setting, mean_line, published_curves};

/// The most numbers on a page; each takes four bytes.
const BUDGET: usize = 700_000;
/// Measurements that count work. They are an x axis.
const WORK: [&str; 2] = ["gradients", "gradient_evaluations"];

/// The script, without its frame.
pub const SCRIPT: &str = concat!(
    include_str!("curves/numbers.js"),
    include_str!("curves/paint.js"),
    include_str!("curves/figure.js")
);

/// What the script draws.
#[derive(Serialize)]
pub struct Curves {
    /// what an x axis can be, the default first
    x: Vec<AxisChoice>,
    /// the measurements, the metric first
    y: Vec<AxisChoice>,
    log_x: bool,
    log_y: bool,
    /// whether the first point is the value before training, which the first view leaves out
    has_start: bool,
    /// the ticks of the x axis; empty: round numbers
    ticks: Vec<f64>,
    series: Vec<Series>,
    /// what is left out; empty if nothing
    pub note: String,
}

/// An axis that can be chosen.
#[derive(Clone, Serialize)]
struct AxisChoice {
    name: String,
    label: String,
}

/// A line with its band and its seeds.
#[derive(Serialize)]
struct Series {
    label: String,
    /// setting, and number of seeds
    details: String,
    light: String,
    dark: String,
    dash: &'static [u32],
    mark: usize,
    /// whether the points are joined
    joined: bool,
    /// whether each point has a mark
    points: bool,
    /// the numbers of each x axis
    x: BTreeMap<String, Value>,
    /// the numbers of each measurement
    y: BTreeMap<String, Numbers>,
    /// the place of the last point, if a run diverged there
    diverged: Option<usize>,
    /// where on the x axis there is a cross for something that diverged
    crosses: Vec<f64>,
}

impl Series {
    /// A series without numbers.
    fn new(label: String, style: Style) -> Series {
        Series {
            label,
            details: String::new(),
            light: style.hex(),
            dark: style.dark_hex(),
            dash: style.dashes(),
            mark: style.mark(),
            joined: true,
            points: false,
            x: BTreeMap::new(),
            y: BTreeMap::new(),
            diverged: None,
            crosses: Vec::new(),
        }
    }
}

/// A measurement of a series: mean, band, and the seeds if they fit on the page.
#[derive(Serialize)]
struct Numbers {
    mean: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    band: Option<[String; 2]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    seeds: Vec<String>,
}

/// The runs of a curve, with the points that are shown.
struct Drawn<'a> {
    curve: &'a Curve,
    runs: &'a [Run],
    /// the points of the longest run
    points: &'a [CurvePoint],
    /// the places of the points that are shown
    shown: Vec<usize>,
}

/// The curves; `None` if no run has points.
pub fn curves(set: &CurveSet<'_>, task: &RecordedTask) -> Option<Curves> {
    let mut drawn: Vec<Drawn<'_>> = set.curves.iter().map(drawn).collect();
    if drawn.iter().all(|it| it.points.is_empty()) {
        return None;
    }
    let every = thin(&mut drawn);
    let (x, all) = (x_axes(set, task, &drawn), y_axes(set, task, &drawn));
    let mut series: Vec<Series> =
        drawn.iter().enumerate().map(|(n, it)| empty_series(set, n, it, &x)).collect();
    let fit = fill(&mut series, &drawn, &all);
    series.extend(published(set));
    let request = task.charts().into_iter().next();
    let is_log = |axis: Option<Axis>| axis.is_some_and(|axis| axis != Axis::Linear);
    Some(Curves {
        log_x: is_log(request.as_ref().map(|request| request.x_axis)),
        log_y: is_log(request.as_ref().map(|request| request.y_axis)),
        has_start: request.is_none(),
        ticks: Vec::new(),
        note: note(every, &all[fit.lines..], &all[fit.seeds.min(fit.lines)..fit.lines]),
        y: all.into_iter().take(fit.lines).collect(),
        x,
        series,
    })
}

fn drawn(curve: &Curve) -> Drawn<'_> {
    let runs = drawn_setting(curve).map_or(&[][..], Candidate::drawn);
    let longest = runs.iter().max_by_key(|run| run.points.len());
    let points = longest.map_or(&[][..], |run| run.points.as_slice());
    let planned = runs.iter().map(|run| run.header.epochs).max().unwrap_or(0);
    // after early stopping, the line goes on at the value of the model that was returned
    let stopped = runs.iter().any(|run| run.end.as_ref().is_some_and(|end| end.kept.is_some()));
    let length = if stopped { planned + 1 } else { points.len() };
    Drawn { curve, runs, points, shown: (0..length).collect() }
}

/// Leaves out points, equally many everywhere, until one measurement fits. Returns the distance of
/// those that are left.
fn thin(drawn: &mut [Drawn<'_>]) -> usize {
    let points: usize = drawn.iter().map(|it| it.shown.len()).sum();
    // the mean, two edges of the band, and the seconds
    let every = (4 * points).div_ceil(BUDGET).max(1);
    for it in drawn {
        let last = it.shown.len().saturating_sub(1);
        it.shown.retain(|place| place % every == 0 || *place == last);
    }
    every
}

/// What the x axis can be: what the records contain.
fn x_axes(set: &CurveSet<'_>, task: &RecordedTask, drawn: &[Drawn<'_>]) -> Vec<AxisChoice> {
    let axis = |name: &str, label: &str| AxisChoice { name: name.into(), label: label.into() };
    let mut axes = vec![axis("epoch", set.x_label)];
    if set.x_label == "epochs" {
        axes.push(axis("step", "steps"));
    }
    let has = |name: &&&str| {
        drawn.iter().flat_map(|it| it.points.last()).any(|point| point.value(name).is_some())
    };
    axes.extend(WORK.iter().filter(has).map(|name| axis(name, &task.measure_title(name))));
    axes.push(axis("seconds", "seconds"));
    axes
}

/// The measurements: the metric, those that the experiment names, then all others.
fn y_axes(set: &CurveSet<'_>, task: &RecordedTask, drawn: &[Drawn<'_>]) -> Vec<AxisChoice> {
    let metric = set.metric;
    let requested = task.charts().into_iter().next().and_then(|request| request.y);
    let also = set.experiment.iter().flat_map(|it| &it.metric.also).map(String::as_str);
    let known = task.columns().into_iter().chain(task.other_measures()).map(|it| it.name);
    let names = requested.map(|y| y.name).into_iter().chain([metric]).chain(also).chain(known);
    let mut axes: Vec<AxisChoice> = Vec::new();
    for name in names.chain([BATCH_LOSS]) {
        let is_new = !axes.iter().any(|axis| axis.name == name);
        let is_x = WORK.contains(&name) || name == "steps";
        let has = |it: &Drawn<'_>| it.points.iter().any(|point| point.value(name).is_some());
        if is_new && !is_x && drawn.iter().any(has) {
            let title = task.measure_title(name);
            let label = if name == metric { set.y_label.clone() } else { title };
            axes.push(AxisChoice { name: name.into(), label });
        }
    }
    axes
}

/// The n-th series without its measurements.
fn empty_series(set: &CurveSet<'_>, n: usize, it: &Drawn<'_>, axes: &[AxisChoice]) -> Series {
    let [label, details] = set.label_parts(it.curve, &set.tasks[n]);
    let x = axes.iter().map(|axis| (axis.name.clone(), x_numbers(it, &axis.name)));
    Series { details, x: x.collect(), ..Series::new(label, set.styles[n]) }
}

/// The numbers of a series on an x axis. Seconds are the mean over the runs that came so far.
fn x_numbers(it: &Drawn<'_>, name: &str) -> Value {
    if name == "seconds" {
        let seconds = it.shown.iter().map(|place| {
            let own = it.runs.iter().filter_map(|run| run.points.get(*place));
            let own: Vec<f64> = own.map(|point| point.seconds).collect();
            crate::grade::mean(&own)
        });
        return Value::String(pack(seconds));
    }
    let number = |place: &usize| match name {
        "epoch" => Some(*place as f64),
        "step" => it.points.get(*place).map(|point| point.step as f64),
        other => it.points.get(*place)?.value(other),
    };
    exact(&it.shown.iter().map_while(number).collect::<Vec<f64>>())
}

/// How many measurements fit on the page: with their lines, and with their seeds.
struct Fit {
    lines: usize,
    seeds: usize,
}

/// Adds the measurements to the series as long as there is space: their lines, then their seeds.
fn fill(series: &mut [Series], drawn: &[Drawn<'_>], axes: &[AxisChoice]) -> Fit {
    let count = |lines: &dyn Fn(&Drawn<'_>) -> usize| -> usize {
        drawn.iter().map(|it| lines(it) * it.shown.len()).sum()
    };
    let of_lines = count(&|it| if it.runs.len() > 1 { 3 } else { 1 });
    let of_seeds = count(&|it| if it.runs.len() > 1 { it.runs.len() } else { 0 });
    let space = BUDGET.saturating_sub(count(&|_| 1));
    // the seeds of the metric come before the lines of other measurements
    let reserved = if of_lines + of_seeds <= space { of_seeds } else { 0 };
    let lines = ((space - reserved) / of_lines.max(1)).clamp(1, axes.len().max(1));
    let seeds = match of_seeds {
        0 => lines,
        count => (space.saturating_sub(lines * of_lines) / count).min(lines),
    };
    for (n, axis) in axes.iter().take(lines).enumerate() {
        for (own, it) in series.iter_mut().zip(drawn) {
            let (numbers, diverged) = numbers(it, &axis.name, n < seeds);
            own.y.insert(axis.name.clone(), numbers);
            own.diverged = own.diverged.or(diverged);
        }
    }
    Fit { lines, seeds }
}

/// A measurement of a series, and the place where it ends because a run diverged.
fn numbers(it: &Drawn<'_>, measure: &str, with_seeds: bool) -> (Numbers, Option<usize>) {
    let line = drawn_setting(it.curve).map(|candidate| mean_line(candidate, None, measure));
    let (points, diverged) = line.map_or((Vec::new(), None), |line| (line.points, line.diverged));
    let of_epoch: BTreeMap<usize, BandPoint> =
        points.into_iter().map(|point| (point.x as usize, point)).collect();
    let along = |value: fn(&BandPoint) -> f64| {
        pack(it.shown.iter().map(|place| of_epoch.get(place).map_or(f64::NAN, value)))
    };
    let several = it.runs.len() > 1;
    let of_run = |run: &Run| {
        let value = |place: &usize| run.points.get(*place).and_then(|point| point.value(measure));
        pack(it.shown.iter().map(|place| value(place).unwrap_or(f64::NAN)))
    };
    let numbers = Numbers {
        mean: along(|point| point.y),
        band: several.then(|| [along(|point| point.low), along(|point| point.high)]),
        seeds: it.runs.iter().filter(|_| several && with_seeds).map(of_run).collect(),
    };
    (numbers, diverged.map(|end| it.shown.partition_point(|place| (*place as f64) < end)))
}

/// The published curves, as dots beside the metric.
fn published(set: &CurveSet<'_>) -> Vec<Series> {
    let curves = published_curves(set).into_iter();
    curves.map(|curve| of_line(&curve.line, ["epoch", set.metric])).collect()
}

/// The lines of any chart.
pub fn of_chart(chart: &Chart) -> Curves {
    let axis =
        |name: &str, label: &str| vec![AxisChoice { name: name.into(), label: label.into() }];
    Curves {
        x: axis("x", &chart.x),
        y: axis("y", &chart.y),
        log_x: chart.log_x,
        log_y: chart.log_y,
        has_start: false,
        ticks: chart.x_ticks.clone(),
        series: chart.lines.iter().map(|line| of_line(line, ["x", "y"])).collect(),
        note: String::new(),
    }
}

/// A line of a chart, on these axes.
fn of_line(line: &PlotLine, [x, y]: [&str; 2]) -> Series {
    let (label, details) = line.label.split_once('\n').unwrap_or((&line.label, ""));
    let points: Vec<&BandPoint> = line.points.iter().filter(|point| point.x.is_finite()).collect();
    let along = |value: fn(&BandPoint) -> f64| pack(points.iter().map(|point| value(point)));
    let has_band = points.iter().any(|point| point.low < point.high);
    let numbers = Numbers {
        mean: along(|point| point.y),
        band: has_band.then(|| [along(|point| point.low), along(|point| point.high)]),
        seeds: Vec::new(),
    };
    let xs: Vec<f64> = points.iter().map(|point| point.x).collect();
    Series {
        details: details.replace('\n', " "),
        joined: line.joined,
        points: line.marks,
        x: BTreeMap::from([(x.to_string(), exact(&xs))]),
        y: BTreeMap::from([(y.to_string(), numbers)]),
        crosses: line.diverged.clone(),
        ..Series::new(label.into(), line.style)
    }
}

/// What the page leaves out: points, measurements, and the seeds of measurements.
fn note(every: usize, without: &[AxisChoice], without_seeds: &[AxisChoice]) -> String {
    let names = |axes: &[AxisChoice]| {
        axes.iter().map(|axis| axis.label.as_str()).collect::<Vec<_>>().join(", ")
    };
    let mut parts = Vec::new();
    if every > 1 {
        parts.push(format!("only one of {every} points is shown"));
    }
    if !without.is_empty() {
        parts.push(format!("without {}", names(without)));
    }
    if !without_seeds.is_empty() {
        parts.push(format!("without the single seeds of {}", names(without_seeds)));
    }
    match parts.is_empty() {
        true => String::new(),
        false => format!("To keep the page small: {}; points.csv has all.", parts.join("; ")),
    }
}
