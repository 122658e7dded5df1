//! The metric over the learning rates of the grids.

use std::collections::BTreeMap;

use crate::chart::{BandPoint, Chart, EXPLODED, PlotLine, Style};
use crate::experiment::Reduction;
use crate::grade::{Curve, Selection};

use super::curve_set::CurveSet;

/// A learning rate with the best score among its settings.
struct Best {
    lr: f64,
    score: f64,
}

/// The chart; `None` if no grid has several learning rates.
pub fn chart(set: &CurveSet<'_>) -> Option<Chart> {
    let mut lines: Vec<PlotLine> = set
        .curves
        .iter()
        .zip(&set.styles)
        .map(|(curve, style)| line(curve, *style, set.selection))
        .filter(|line| line.points.len() + line.diverged.len() > 1)
        .collect();
    if lines.is_empty() {
        return None;
    }
    let mut tried: Vec<f64> = lines
        .iter()
        .flat_map(|line| line.points.iter().map(|point| point.x).chain(line.diverged.clone()))
        .collect();
    tried.sort_by(f64::total_cmp);
    tried.dedup();
    mark_exploded(&mut lines);
    let title = match set.selection.at {
        Reduction::End => "Every learning rate of the grid: value at the end",
        Reduction::Mean => "Every learning rate of the grid: mean over the epochs",
    };
    Some(Chart {
        log_x: true,
        log_y: true,
        lines,
        x_ticks: tried,
        caption: caption(set),
        ..Chart::new(title, "learning rate", &set.selected_by)
    })
}

fn caption(set: &CurveSet<'_>) -> String {
    let seeds = set.selection.seeds_in_words(set.seeds);
    format!(
        "For each learning rate, the setting with the lowest value{seeds}. A cross at the upper \
         edge: at this learning rate every setting has a diverged run, or the value is more than \
         10,000 times the lowest one."
    )
}

/// The best setting of each learning rate, by the runs that choose.
fn line(curve: &Curve, style: Style, selection: &Selection) -> PlotLine {
    let mut line = PlotLine { marks: true, ..PlotLine::new(&curve.label, style, []) };
    for Best { lr, score } in best_scores(curve, selection) {
        if score.is_finite() {
            line.points.push(BandPoint::new(lr, score));
        } else {
            line.diverged.push(lr);
        }
    }
    line
}

/// From the lowest learning rate up.
fn best_scores(curve: &Curve, selection: &Selection) -> Vec<Best> {
    // the bits of positive floats have the same order as the floats
    let mut best: BTreeMap<u64, Best> = BTreeMap::new();
    for candidate in &curve.candidates {
        let lr = candidate.setting.lr();
        if let (Some(lr), Some(score)) = (lr, candidate.score(selection)) {
            let known = best.entry(lr.to_bits()).or_insert(Best { lr, score });
            known.score = known.score.min(score);
        }
    }
    best.into_values().collect()
}

/// Draws exploded scores as crosses, like those that diverged. A chart that covers them would not
/// resolve the others.
fn mark_exploded(lines: &mut [PlotLine]) {
    let positive = lines.iter().flat_map(|line| &line.points).map(|p| p.y).filter(|y| *y > 0.0);
    let limit = positive.fold(f64::INFINITY, f64::min) * EXPLODED;
    for line in lines {
        let exploded = line.points.iter().filter(|point| point.y > limit).map(|point| point.x);
        line.diverged.extend(exploded);
        line.points.retain(|point| point.y <= limit);
    }
}
