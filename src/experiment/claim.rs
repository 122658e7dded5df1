//! The checks of claims.

use serde::{Deserialize, Serialize};

use super::reduction::Reduction;
use super::target::{CostUnit, Target};
use crate::chart::short;

/// A measurement of every run, whatever the task: how long it took.
pub const SECONDS: &str = "seconds";

/// A check of a claim. `ahead`, `similar` and `reaches` with two series compute margins for each
/// seed, which are above zero if the claim holds; their verdict is HELD, NOT HELD or UNDECIDED. All
/// others are PASS or FAIL.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Expect {
    /// `a` is lower than `b`: the margin is b − a.
    Ahead {
        /// label of a series
        a: String,
        /// label of a series
        b: String,
        /// what is compared, if it is not the metric
        measure: Option<String>,
        /// the final value, or the mean over the run
        #[serde(default)]
        at: Reduction,
    },
    /// `a` and `b` differ by less than a fraction of their distance to a third: the margins are
    /// within · |c − (a + b) / 2| − (a − b), and the same with b − a.
    Similar {
        /// label of a series
        a: String,
        /// label of a series
        b: String,
        /// label of the series that the distance is measured to
        against: String,
        /// the fraction
        within: f64,
        /// the final value, or the mean over the run
        #[serde(default)]
        at: Reduction,
    },
    /// The mean over the seeds equals a number within a tolerance.
    Value {
        /// label of a series, or the name of a number that a study computes
        of: String,
        /// what is compared, if it is not the metric
        measure: Option<String>,
        /// the number
        is: f64,
        /// the tolerance
        within: f64,
    },
    /// The highest minus the lowest value of a grid is within bounds. Each value is the mean over
    /// the seeds that select.
    Spread {
        /// label of a series
        of: String,
        /// what is compared, if it is not the metric
        measure: Option<String>,
        /// lower bound
        at_least: Option<f64>,
        /// upper bound
        at_most: Option<f64>,
    },
    /// For each value of the setting `x`, the best value of the setting `y`: the slope of log y
    /// against log x is within bounds. It is 0 if the two settings can be tuned one after the
    /// other, and -1 if only their product matters.
    Slope {
        /// label of a series
        of: String,
        /// a setting of its grid
        x: String,
        /// another one
        y: String,
        /// what is compared, if it is not the metric
        measure: Option<String>,
        /// lower bound
        at_least: Option<f64>,
        /// upper bound
        at_most: Option<f64>,
    },
    /// In at least the fraction `at_least` of the settings that the grids of `a` and `b` have in
    /// common, `a` is not above `b`.
    Cells {
        /// label of a series
        a: String,
        /// label of a series
        b: String,
        /// what is compared, if it is not the metric
        measure: Option<String>,
        /// differences up to this fraction of `b` are ties, which count for `a`
        tie: f64,
        /// the fraction
        at_least: f64,
    },
    /// Of the settings that the grids of `a` and `b` have in common, fewer of `a` diverge or end
    /// above their initial value.
    Steadier {
        /// label of a series
        a: String,
        /// label of a series
        b: String,
    },
    /// `a` reaches a target before `b`, or within a cost. The cost of a run is that until the
    /// measurement is first at or below the target; it is infinite if that never happens.
    Reaches {
        /// label of a series
        a: String,
        /// label of a series
        b: Option<String>,
        /// the largest median cost over the seeds, in place of `b`
        within: Option<f64>,
        /// the target
        target: Target,
        /// what is measured, if it is not the metric
        measure: Option<String>,
        /// the unit of the cost
        #[serde(default, rename = "in")]
        unit: CostUnit,
    },
    /// The selected value of a setting is at most `factor` times a number, and at least the number
    /// divided by `factor`.
    Chosen {
        /// label of a series
        of: String,
        /// a setting of its grid or ranges
        setting: String,
        /// the number, above 0
        is: f64,
        /// 1 or above
        factor: f64,
    },
    /// The mean over the seeds is within bounds.
    Bound {
        /// label of a series, or the name of a number that a study computes
        of: String,
        /// what is compared, if it is not the metric
        measure: Option<String>,
        /// lower bound
        at_least: Option<f64>,
        /// upper bound
        at_most: Option<f64>,
    },
}

impl Expect {
    /// Whether it is about whole grids, not about best settings.
    pub(super) fn is_about_grids(&self) -> bool {
        use Expect::{Cells, Slope, Spread, Steadier};
        matches!(self, Spread { .. } | Slope { .. } | Cells { .. } | Steadier { .. })
    }

    /// Which value of a run it compares.
    pub fn reduction(&self) -> Reduction {
        match self {
            Expect::Ahead { at, .. } | Expect::Similar { at, .. } => *at,
            _ => Reduction::End,
        }
    }

    /// The margins of one seed, from the value of each series: all are above zero if the claim
    /// holds. One for `ahead`; two for `similar`, one for each side. `None` if a value is missing,
    /// and for a check without margin.
    pub fn margins(&self, of: &dyn Fn(&str) -> Option<f64>) -> Option<Vec<f64>> {
        match self {
            Expect::Ahead { a, b, .. } => Some(vec![of(b)? - of(a)?]),
            Expect::Similar { a, b, against, within, .. } => {
                let (a, b, c) = (of(a)?, of(b)?, of(against)?);
                let bound = within * (c - (a + b) / 2.0).abs();
                Some(vec![bound - (a - b), bound + (a - b)])
            }
            _ => None,
        }
    }

    /// The labels of the series that it compares.
    pub fn labels(&self) -> Vec<&str> {
        match self {
            Expect::Ahead { a, b, .. } | Expect::Cells { a, b, .. } | Expect::Steadier { a, b } => {
                vec![a, b]
            }
            Expect::Similar { a, b, against, .. } => vec![a, b, against],
            Expect::Reaches { a, b, .. } => std::iter::once(a).chain(b).map(|it| &**it).collect(),
            Expect::Value { of, .. }
            | Expect::Bound { of, .. }
            | Expect::Spread { of, .. }
            | Expect::Chosen { of, .. }
            | Expect::Slope { of, .. } => vec![of],
        }
    }

    /// What it compares, if that is not the metric.
    pub fn measure(&self) -> Option<&str> {
        match self {
            Expect::Ahead { measure, .. }
            | Expect::Value { measure, .. }
            | Expect::Bound { measure, .. }
            | Expect::Spread { measure, .. }
            | Expect::Slope { measure, .. }
            | Expect::Reaches { measure, .. }
            | Expect::Cells { measure, .. } => measure.as_deref(),
            Expect::Similar { .. } | Expect::Steadier { .. } | Expect::Chosen { .. } => None,
        }
    }

    /// The same, to change it.
    pub(super) fn measure_mut(&mut self) -> Option<&mut String> {
        match self {
            Expect::Ahead { measure, .. }
            | Expect::Value { measure, .. }
            | Expect::Bound { measure, .. }
            | Expect::Spread { measure, .. }
            | Expect::Slope { measure, .. }
            | Expect::Reaches { measure, .. }
            | Expect::Cells { measure, .. } => measure.as_mut(),
            Expect::Similar { .. } | Expect::Steadier { .. } | Expect::Chosen { .. } => None,
        }
    }

    /// Lower and upper bound, for the kinds that have them.
    pub fn bounds(&self) -> Option<(Option<f64>, Option<f64>)> {
        match self {
            Expect::Bound { at_least, at_most, .. }
            | Expect::Spread { at_least, at_most, .. }
            | Expect::Slope { at_least, at_most, .. } => Some((*at_least, *at_most)),
            _ => None,
        }
    }

    /// The measurement, target and unit of `reaches`. `metric` is that of the experiment. `None` for
    /// other checks, and if a published target does not exist.
    pub fn target<'a>(&'a self, metric: &'a str) -> Option<(&'a str, f64, CostUnit)> {
        let Expect::Reaches { target, measure, unit, .. } = self else { return None };
        let measure = measure.as_deref().unwrap_or(metric);
        Some((measure, target.value(measure).ok()?, *unit))
    }

    /// Whether a value meets the check; `None` for a check that compares series.
    pub fn holds(&self, value: f64) -> Option<bool> {
        match self {
            Expect::Value { is, within, .. } => Some((value - is).abs() <= *within),
            Expect::Cells { at_least, .. } => Some(value >= *at_least),
            Expect::Chosen { is, factor, .. } => Some(value <= is * factor && value >= is / factor),
            // written with >= and <=, so that NaN meets no bound
            _ => self.bounds().map(|(at_least, at_most)| {
                at_least.is_none_or(|least| value >= least)
                    && at_most.is_none_or(|most| value <= most)
            }),
        }
    }

    /// The check in words.
    pub fn sentence(&self, metric: &str) -> String {
        let of = |label: &str| match metric {
            "" => label.to_string(),
            metric => format!("final {metric} of {label}"),
        };
        match self {
            Expect::Ahead { a, b, at, .. } => {
                format!("{} of {a} below that of {b}", reduced(metric, *at))
            }
            Expect::Value { of: label, is, within, .. } => {
                format!("{} = {} ± {}", of(label), short(*is), short(*within))
            }
            Expect::Bound { of: label, at_least, at_most, .. } => {
                format!("{} is {}", of(label), between(*at_least, *at_most))
            }
            Expect::Spread { of: label, at_least, at_most, .. } => {
                let bounds = between(*at_least, *at_most);
                format!("{}, the highest minus the lowest of the grid, is {bounds}", of(label))
            }
            Expect::Steadier { a, b } => {
                format!(
                    "fewer settings of {a} than of {b} diverge or end with a {metric} above its initial value"
                )
            }
            Expect::Slope { of, x, y, at_least, at_most, .. } => {
                let bounds = between(*at_least, *at_most);
                format!(
                    "for {of}, the slope of the best log {y} against log {x}, by the final {metric}, is {bounds}"
                )
            }
            Expect::Cells { a, b, tie, at_least, .. } => {
                format!(
                    "final {metric} of {a} at most {tie} of it above that of {b}, in at least {at_least} of the common settings"
                )
            }
            Expect::Chosen { of, setting, is, factor } => {
                let (is, factor) = (short(*is), short(*factor));
                format!("the selected {setting} of {of} is {is}, up to a factor of {factor}")
            }
            Expect::Reaches { a, b, within, target, unit, .. } => {
                let target = match target {
                    Target::Number(number) => short(*number),
                    Target::Published(name) => format!("the last value of {name}"),
                };
                let than = match (b, within) {
                    (Some(b), _) => format!("in fewer {} than {b}", unit.name()),
                    (None, within) => {
                        format!("within {} {}", short(within.unwrap_or_default()), unit.name())
                    }
                };
                format!("{a} reaches a {metric} of {target} {than}")
            }
            Expect::Similar { a, b, against, within, at } => {
                let metric = reduced(metric, *at);
                format!(
                    "{metric} of {a} and {b} differ by less than {within} of their distance to {against}"
                )
            }
        }
    }
}

fn reduced(metric: &str, at: Reduction) -> String {
    match at {
        Reduction::End => format!("final {metric}"),
        Reduction::Mean => format!("{metric} averaged over the epochs"),
    }
}

/// `at least 1 and at most 2`
pub(super) fn between(at_least: Option<f64>, at_most: Option<f64>) -> String {
    let from = at_least.map(|least| format!("at least {}", short(least)));
    let to = at_most.map(|most| format!("at most {}", short(most)));
    from.into_iter().chain(to).collect::<Vec<_>>().join(" and ")
}
