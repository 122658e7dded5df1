//! `--extend`: settings beyond the edge of a grid, where the best setting is at that edge.

use crate::error::Result;
use crate::experiment::{Added, Experiment, Planned, Scale, allowed, has_range};
use crate::grade::Curve;
use crate::optim::Optimizers;
use crate::pipeline::PipelineConfig;
use crate::spec::{Allowed, SettingValue, SpecLine, alias};

/// How often settings are added to a series, at most.
pub(super) const MOST_EXTENSIONS: usize = 4;

/// The settings that follow those at which a grid ends: the best setting with one value beyond the
/// edge. A value that its setting does not allow is left out.
pub(super) fn beyond_edges(
    experiment: &Experiment,
    scale: Scale,
    optimizers: &Optimizers,
    planned: &[Planned],
    curves: &[Curve],
) -> Result<Vec<Added>> {
    let mut all = Vec::new();
    for ((series, planned), curve) in experiment.series.iter().zip(planned).zip(curves) {
        let trials = experiment.trials(series, scale, optimizers)?;
        let chosen = curve.chosen().map(|chosen| &chosen.setting);
        let place = planned.settings.iter().position(|setting| Some(setting) == chosen);
        let Some(best) = place.and_then(|place| trials.get(place)) else { continue };
        let sampled = has_range(series.optimizer_at(scale));
        for key in curve.at_the_edge() {
            let next = next_setting(best, curve, &key, sampled, optimizers);
            if let Some(next) = next.filter(|it| PipelineConfig::read(it, optimizers).is_ok()) {
                let (series, optimizer) = (series.label.clone(), next.to_string());
                all.push(Added { series, scale, optimizer });
            }
        }
    }
    Ok(all)
}

/// The best setting with the next value of a setting; `None` if there is none.
fn next_setting(
    best: &SpecLine,
    curve: &Curve,
    key: &str,
    sampled: bool,
    optimizers: &Optimizers,
) -> Option<SpecLine> {
    let chosen = &curve.chosen()?.setting;
    let (name, own_key) = key.rsplit_once('.').unwrap_or((chosen.name(), key));
    let mut line = best.clone();
    let spec = line.0.iter_mut().find(|spec| spec.name == name)?;
    let allowed = allowed(spec, own_key, optimizers);
    let is_own =
        |(written, _): &(String, _)| written == own_key || alias(written, [own_key]).is_some();
    let at = spec.settings.iter().position(is_own)?;
    let candidates = curve.candidates.iter();
    let values = candidates.filter_map(|it| it.setting.value(key)?.parse::<f64>().ok());
    let own: f64 = chosen.value(key)?.parse().ok()?;
    spec.settings[at].1 = vec![next_value(values.collect(), own, allowed, sampled)?.show()];
    Some(line)
}

/// The value beyond the edge `own` of those that were tried: a geometric step further. The step is
/// that between the last two values of a grid, or the mean step of sampled values. A decay rate
/// above a half moves towards 1, where the steps of 1 - value are geometric.
fn next_value(
    mut tried: Vec<f64>,
    own: f64,
    allowed: Option<Allowed>,
    sampled: bool,
) -> Option<f64> {
    tried.sort_by(f64::total_cmp);
    tried.dedup();
    let highest = *tried.last()?;
    let is_rate = matches!(allowed, Some(Allowed::Decay | Allowed::Share));
    let towards_one = is_rate && own == highest && (0.5..1.0).contains(&own);
    if towards_one {
        tried = tried.iter().rev().map(|value| 1.0 - value).collect();
    }
    let is_lowest = towards_one || own != highest;
    if !is_lowest {
        tried.reverse();
    }
    // from the edge inwards
    let (&[edge, neighbour, ..], Some(&last)) = (&tried[..], tried.last()) else { return None };
    if tried.iter().any(|value| *value <= 0.0) {
        return None;
    }
    let step = match sampled {
        true => (edge / last).powf(1.0 / (tried.len() - 1) as f64),
        false => edge / neighbour,
    };
    let next: f64 = format!("{:.1e}", edge * step).parse().ok()?;
    let next = match allowed {
        Some(Allowed::Whole | Allowed::Count) => next.round(),
        _ if towards_one => format!("{:.12}", 1.0 - next).parse().ok()?,
        _ => next,
    };
    (next != own).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_value_is_a_step_beyond_the_edge() {
        let next = |tried: &[f64], own, allowed, sampled| {
            next_value(tried.to_vec(), own, allowed, sampled)
        };
        let lr = [0.01, 0.03, 0.1, 0.3];
        assert_eq!(next(&lr, 0.3, None, false), Some(0.9));
        assert_eq!(next(&lr, 0.01, None, false), Some(0.0033));
        assert_eq!(next(&[0.1, 1.0, 0.8, 0.1], 1.0, None, true), Some(3.2));
        let rate = Some(Allowed::Decay);
        assert_eq!(next(&[0.8, 0.9, 0.95], 0.95, rate, false), Some(0.975));
        assert_eq!(next(&[0.8, 0.9, 0.95], 0.8, rate, false), Some(0.71));
        assert_eq!(next(&[0.9, 0.99], 0.99, rate, false), Some(0.999));
        assert_eq!(next(&[2.0, 4.0], 4.0, Some(Allowed::Count), false), Some(8.0));
        assert_eq!(next(&[1.0, 2.0], 1.0, Some(Allowed::Count), false), None, "0.5 rounds to 1");
        assert_eq!(next(&[0.0, 0.1], 0.0, None, false), None, "0 has no geometric step");
    }
}
