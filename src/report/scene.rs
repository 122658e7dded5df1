//! The paths of a report's runs over a surface.

use std::collections::BTreeMap;

use crate::chart::Style;
use crate::error::Result;
use crate::grade::Curve;
use crate::record::{Landscape, Outcome, RecordedTask};

use super::charts::CurveSet;
use super::contours::contours;
use super::draw::{Divergence, Scene, ScenePath};

/// The scene of a task with two parameters; `None` for other tasks. Each series is shown by its
/// first seed.
pub fn scene(task: &RecordedTask, set: &CurveSet<'_>) -> Result<Option<Scene>> {
    let Some(Landscape { surface, height, axes, formula }) = task.landscape()? else {
        return Ok(None);
    };
    let paths: Vec<ScenePath> = set
        .curves
        .iter()
        .zip(&set.styles)
        .filter_map(|(curve, style)| path(curve, *style, height))
        .collect();
    if paths.is_empty() {
        return Ok(None);
    }
    let (bands, holes) = contours(&surface)?;
    Ok(Some(Scene { surface, height: formula, axes, bands, holes, paths }))
}

/// The path of a series; `None` if it has no points.
fn path(curve: &Curve, style: Style, height: &str) -> Option<ScenePath> {
    // a series that diverged at every setting is shown by its first one
    let candidate = curve
        .chosen()
        .or_else(|| curve.candidates.iter().find(|it| it.all_runs().next().is_some()))?;
    let run = candidate.runs.first().or(candidate.selecting.first())?;
    let point = |measures: &BTreeMap<String, f64>| {
        Some([*measures.get("x")?, *measures.get("y")?, *measures.get(height)?])
    };
    let points: Vec<[f64; 3]> = run.points.iter().filter_map(|it| point(&it.measures)).collect();
    let diverged = run.end.as_ref().filter(|end| end.outcome == Outcome::Diverged);
    (!points.is_empty()).then(|| ScenePath {
        label: curve.label.clone(),
        setting: candidate.setting.brief(&curve.swept()),
        style,
        points,
        diverged: diverged.map(|end| Divergence {
            step: end.step,
            reason: end.reason.clone().unwrap_or_default(),
        }),
    })
}
