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

/// A row a series.
fn of_many(curves: &[&Curve], key: &str, choose: &Choose, label: &str) -> Heat {
    let rows = curves.iter().map(|curve| (curve.label.clone(), curve.candidates.iter().collect())).collect();
    of_rows(format!("Every setting: {label}"), key, rows, choose)
}

/// A row for each combination of the settings that are not across.
fn of_one(curve: &Curve, choose: &Choose, label: &str) -> Heat {
    let mut keys = curve.swept();
    let across = keys.iter().position(|key| key == "lr").unwrap_or(keys.len() - 1);
    let x = keys.remove(across);
    let mut rows: Vec<(Vec<String>, Vec<&Candidate>)> = Vec::new();
    for candidate in &curve.candidates {
        let own: Vec<String> = keys.iter().map(|key| candidate.setting(key).unwrap_or_default()).collect();
        match rows.iter_mut().find(|(row, _)| *row == own) {
            Some((_, candidates)) => candidates.push(candidate),
            None => rows.push((own, vec![candidate])),
        }
    }
    rows.sort_by(|(a, _), (b, _)| {
        let number = |text: &String| text.parse::<f64>().unwrap_or(0.0);
        a.iter().zip(b).map(|(a, b)| number(a).total_cmp(&number(b))).find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    });
    let named = |row: Vec<String>| keys.iter().zip(row).map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(", ");
    let rows = rows.into_iter().map(|(row, candidates)| (named(row), candidates)).collect();
    of_rows(format!("{}: {label}", curve.label), &x, rows, choose)
}

fn of_rows(title: String, x: &str, rows: Vec<(String, Vec<&Candidate>)>, choose: &Choose) -> Heat {
    let columns = values(rows.iter().flat_map(|(_, candidates)| candidates.iter().copied()), x);
    let cell = |candidates: &[&Candidate], value: &String| {
        let found = candidates.iter().find(|candidate| candidate.setting(x).as_ref() == Some(value));
        found.and_then(|found| found.score(choose))
    };
    let cells = rows.iter().map(|(_, candidates)| columns.iter().map(|value| cell(candidates, value)).collect()).collect();
    Heat { title, x: x.into(), columns, rows: rows.into_iter().map(|(name, _)| name).collect(), cells }
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
