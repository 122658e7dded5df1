//! Grids of settings as heat maps.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::chart::{ColorRange, HeatMap, short};
use crate::grade::{Candidate, Curve, Selection};

use super::charts::CurveSet;

/// A map with more columns or rows cannot be read.
const LARGEST: usize = 16;

/// The heat maps of a report.
pub struct HeatMaps {
    /// those that can be read
    pub maps: Vec<HeatMap>,
    /// titles of those that are too large
    pub too_large: Vec<String>,
}

/// A row of a heat map.
struct HeatRow<'a> {
    label: String,
    candidates: Vec<&'a Candidate>,
}

/// A map for each series that varies two settings or more, and one map for all series that vary
/// the same single setting. All have one colour scale.
pub fn heat_maps(set: &CurveSet<'_>) -> HeatMaps {
    let CurveSet { curves, selection, selected_by: metric, .. } = set;
    let mut maps: Vec<HeatMap> = curves
        .iter()
        .filter(|curve| curve.swept().len() >= 2)
        .map(|curve| map_of_series(curve, selection, metric))
        .collect();
    let mut by_setting: BTreeMap<String, Vec<&Curve>> = BTreeMap::new();
    for curve in *curves {
        if let Ok([key]) = <[String; 1]>::try_from(curve.swept()) {
            by_setting.entry(key).or_default().push(curve);
        }
    }
    for (key, curves) in by_setting.into_iter().filter(|(_, curves)| curves.len() > 1) {
        maps.push(map_of_all(&curves, &key, selection, metric));
    }
    share_colors(&mut maps, &format!("{metric}{}", selection.seeds_in_words(set.seeds)));
    let (maps, too_large): (Vec<HeatMap>, Vec<HeatMap>) =
        maps.into_iter().partition(|map| map.columns.len() <= LARGEST && map.rows.len() <= LARGEST);
    HeatMaps { maps, too_large: too_large.into_iter().map(|map| map.title).collect() }
}

/// Gives all maps the same colours for the same numbers, and says so.
fn share_colors(maps: &mut [HeatMap], metric: &str) {
    let all: Vec<f64> =
        maps.iter().flat_map(|map| &map.cells).flatten().flatten().copied().collect();
    let colors = ColorRange::of(all.iter().copied());
    let outlined =
        |rows: bool| if rows { "the best setting of each row" } else { "the best setting" };
    let shared = if maps.len() > 1 { " All maps of this page have the same colours." } else { "" };
    let cap = match colors.capped {
        true => format!(
            " A value above 10,000 times the lowest one has the darkest colour, that of {}.",
            short(colors.high)
        ),
        false => String::new(),
    };
    for map in maps {
        map.colors = colors;
        let outlined = outlined(map.best.len() > 1);
        map.caption = format!(
            "The {metric}, of every setting of the grid; outlined: {outlined}.{shared}{cap}"
        );
    }
}

/// A row for each series.
fn map_of_all(curves: &[&Curve], key: &str, selection: &Selection, metric: &str) -> HeatMap {
    let rows: Vec<HeatRow<'_>> = curves
        .iter()
        .map(|curve| HeatRow {
            label: curve.label.clone(),
            candidates: curve.candidates.iter().collect(),
        })
        .collect();
    let mut map = map(format!("Every setting: {metric}"), key, &rows, selection);
    map.best = map.cells.iter().enumerate().filter_map(|(row, cells)| best(row, cells)).collect();
    map
}

/// The learning rate from left to right, and a row for each combination of the other settings.
fn map_of_series(curve: &Curve, selection: &Selection, metric: &str) -> HeatMap {
    let mut keys = curve.swept();
    let across = keys.iter().position(|key| key == "lr").unwrap_or(keys.len() - 1);
    let x = keys.remove(across);

    let mut groups: Vec<(Vec<&str>, Vec<&Candidate>)> = Vec::new();
    let mut places: HashMap<Vec<&str>, usize> = HashMap::new();
    for candidate in &curve.candidates {
        let own = keys.iter().map(|key| candidate.setting.value(key).unwrap_or_default());
        let own: Vec<&str> = own.collect();
        let place = *places.entry(own.clone()).or_insert(groups.len());
        if place == groups.len() {
            groups.push((own, Vec::new()));
        }
        groups[place].1.push(candidate);
    }
    groups.sort_by(|(a, _), (b, _)| compare_values(a, b));
    let rows: Vec<HeatRow<'_>> = groups
        .into_iter()
        .map(|(values, candidates)| HeatRow { label: row_label(&keys, &values), candidates })
        .collect();
    map(format!("{}: {metric}", curve.label), &x, &rows, selection)
}

/// `lambda 0.01, mu 0.9`
fn row_label(keys: &[String], values: &[&str]) -> String {
    let settings: Vec<String> =
        keys.iter().zip(values).map(|(key, value)| format!("{key} {value}")).collect();
    settings.join(", ")
}

fn map(title: String, x: &str, rows: &[HeatRow<'_>], selection: &Selection) -> HeatMap {
    let columns = values_of(rows, x);
    let cell = |row: &HeatRow<'_>, value: &str| {
        let candidate = row.candidates.iter().find(|it| it.setting.value(x) == Some(value));
        candidate.and_then(|candidate| candidate.score(selection))
    };
    let cells =
        rows.iter().map(|row| columns.iter().map(|value| cell(row, value)).collect()).collect();
    let labels = rows.iter().map(|row| row.label.clone()).collect();
    let cells: Vec<Vec<Option<f64>>> = cells;
    let value = |at: &(usize, usize)| cells[at.0][at.1].unwrap_or(f64::INFINITY);
    let best = cells.iter().enumerate().filter_map(|(row, cells)| best(row, cells));
    let best = best.min_by(|a, b| value(a).total_cmp(&value(b))).into_iter().collect();
    let colors = ColorRange::of(std::iter::empty());
    HeatMap {
        title,
        x: x.into(),
        columns,
        rows: labels,
        cells,
        best,
        colors,
        caption: String::new(),
    }
}

/// Row and column of the lowest finite number of a row.
fn best(row: usize, cells: &[Option<f64>]) -> Option<(usize, usize)> {
    let finite = |value: &Option<f64>| value.filter(|value| value.is_finite());
    let numbers = cells.iter().enumerate().filter_map(|(i, cell)| Some((i, finite(cell)?)));
    numbers.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(column, _)| (row, column))
}

/// The values of a setting, from the lowest up.
fn values_of(rows: &[HeatRow<'_>], key: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let candidates = rows.iter().flat_map(|row| &row.candidates);
    let values = candidates.filter_map(|candidate| candidate.setting.value(key));
    let mut values: Vec<String> =
        values.filter(|value| seen.insert(*value)).map(String::from).collect();
    values.sort_by(|a, b| number(a).total_cmp(&number(b)));
    values
}

/// Orders rows by their first value that differs.
fn compare_values(a: &[&str], b: &[&str]) -> Ordering {
    a.iter()
        .zip(b)
        .map(|(a, b)| number(a).total_cmp(&number(b)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn number(value: &str) -> f64 {
    value.parse().unwrap_or(0.0)
}
