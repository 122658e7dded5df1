//! The series by the final value of the metric.

use crate::grade::{Candidate, Curve, half_width, mean};

/// The series of a report, the best first.
#[derive(Clone, Debug, Default)]
pub struct Ranking {
    /// title of the metric
    pub metric: String,
    /// the series; those without runs come last
    pub series: Vec<Ranked>,
}

/// A series in a ranking.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// label of the series
    pub series: String,
    /// 1 for the lowest mean; equal means have equal ranks. `None` without runs
    pub rank: Option<usize>,
    /// mean of the final values of the graded seeds; infinite if a run diverged
    pub mean: f64,
    /// 95 % confidence interval of the mean, by Student's t; `None` with fewer than two seeds, or if
    /// a run diverged
    pub interval: Option<[f64; 2]>,
    /// number of settings that were tried
    pub tried: usize,
}

impl Ranking {
    /// The ranking by a measurement with this title.
    pub(super) fn of(curves: &[Curve], measure: &str, title: String) -> Ranking {
        let values = |curve: &Curve| -> Vec<f64> {
            let runs = curve.chosen().map_or(&[][..], Candidate::drawn);
            runs.iter().filter_map(|run| run.last(measure)).collect()
        };
        let ranked = |curve: &Curve| {
            let values = values(curve);
            let mean = if values.is_empty() { f64::NAN } else { mean(&values) };
            let half = half_width(&values).filter(|half| half.is_finite());
            Ranked {
                series: curve.label.clone(),
                rank: None,
                mean,
                interval: half.map(|half| [mean - half, mean + half]),
                tried: curve.candidates.len(),
            }
        };
        let mut series: Vec<Ranked> = curves.iter().map(ranked).collect();
        series
            .sort_by(|a, b| a.mean.is_nan().cmp(&b.mean.is_nan()).then(a.mean.total_cmp(&b.mean)));
        let means: Vec<f64> = series.iter().map(|own| own.mean).collect();
        for own in series.iter_mut().filter(|own| !own.mean.is_nan()) {
            own.rank = Some(1 + means.iter().filter(|other| **other < own.mean).count());
        }
        Ranking { metric: title, series }
    }
}
