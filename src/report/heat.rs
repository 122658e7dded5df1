//! Grids of two settings or more as heat maps.

use std::collections::BTreeMap;

use crate::chart::Heat;
use crate::experiment::grade::{Candidate, Choose, Curve};

/// More columns or rows than this cannot be read.
const AT_MOST: usize = 16;

/// A map for each series whose grid has two settings or more, the learning rate from left to right; and one for all series that have one setting
/// of the same name, a row a series. With the titles of those that are too large to be read, which are left out.
pub fn heats(curves: &[Curve], choose: &Choose, label: &str) -> (Vec<Heat>, Vec<String>) {
    let mut heats: Vec<Heat> = curves.iter().filter(|curve| curve.swept().len() >= 2).map(|curve| of_one(curve, choose, label)).collect();
    let mut single: BTreeMap<String, Vec<&Curve>> = BTreeMap::new();
    for curve in curves {
        if let Ok([key]) = <[String; 1]>::try_from(curve.swept()) {
            single.entry(key).or_default().push(curve);
        }
    }
    heats.extend(single.iter().filter(|(_, rows)| rows.len() > 1).map(|(key, rows)| of_many(rows, key, choose, label)));
    let fits = |heat: &Heat| heat.columns.len() <= AT_MOST && heat.rows.len() <= AT_MOST;
    let left_out = heats.iter().filter(|heat| !fits(heat)).map(|heat| heat.title.clone()).collect();
    heats.retain(fits);
    (heats, left_out)
}

fn of_many(rows: &[&Curve], key: &str, choose: &Choose, label: &str) -> Heat {
    let columns = values(rows.iter().flat_map(|curve| &curve.candidates), key);
    let cell = |curve: &Curve, value: &String| {
        let found = curve.candidates.iter().find(|candidate| candidate.setting(key).as_ref() == Some(value));
        found.and_then(|found| found.score(choose))
    };
    let cells = rows.iter().map(|curve| columns.iter().map(|value| cell(curve, value)).collect()).collect();
    let rows = rows.iter().map(|curve| curve.label.clone()).collect();
    Heat { title: format!("Every setting: {label}"), x: key.into(), y: String::new(), columns, rows, cells }
}

fn of_one(curve: &Curve, choose: &Choose, label: &str) -> Heat {
    let mut keys = curve.swept();
    let across = keys.iter().position(|key| key == "lr").unwrap_or(keys.len() - 1);
    let x = keys.remove(across);
    let columns = values(&curve.candidates, &x);
    let row = |candidate: &Candidate| -> Vec<String> { keys.iter().map(|key| candidate.setting(key).unwrap_or_default()).collect() };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for candidate in &curve.candidates {
        if !rows.contains(&row(candidate)) {
            rows.push(row(candidate));
        }
    }
    rows.sort_by(|a, b| {
        let number = |text: &String| text.parse::<f64>().unwrap_or(0.0);
        a.iter().zip(b).map(|(a, b)| number(a).total_cmp(&number(b))).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    let cell = |of: &Vec<String>, value: &String| {
        let same = |candidate: &&Candidate| row(candidate) == *of && candidate.setting(&x).as_ref() == Some(value);
        curve.candidates.iter().find(same).and_then(|found| found.score(choose))
    };
    let cells = rows.iter().map(|row| columns.iter().map(|value| cell(row, value)).collect()).collect();
    let named = |row: &Vec<String>| keys.iter().zip(row).map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(", ");
    let rows = rows.iter().map(named).collect();
    Heat { title: format!("{}: {label}", curve.label), x, y: String::new(), columns, rows, cells }
}

/// The values of a setting, from the lowest up.
fn values<'a>(candidates: impl IntoIterator<Item = &'a Candidate>, key: &str) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for value in candidates.into_iter().filter_map(|candidate| candidate.setting(key)) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values.sort_by(|a, b| f64::total_cmp(&a.parse().unwrap_or(0.0), &b.parse().unwrap_or(0.0)));
    values
}
