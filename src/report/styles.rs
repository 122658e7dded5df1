//! The styles of curves.

use crate::chart::{DASHES, OPTIMIZER_STYLES, OTHER_STYLES, PALETTE, Style};
use crate::experiment::GridSetting;
use crate::grade::Curve;
use crate::optim::Optimizers;

/// What the style of a curve depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Names {
    /// the optimizer
    optimizer: String,
    /// the whole pipeline with dialects, such as `l2|adamw@torch`
    pipeline: String,
}

/// A style for each curve; no two are equal.
pub fn curve_styles(curves: &[Curve], optimizers: &Optimizers) -> Vec<Style> {
    let names = |curve: &Curve| match curve.candidates.first() {
        Some(first) => {
            Names { optimizer: first.setting.name().into(), pipeline: first.setting.names().into() }
        }
        None => Names { optimizer: String::new(), pipeline: String::new() },
    };
    styles(&curves.iter().map(names).collect::<Vec<_>>(), |name| optimizers.place(name))
}

/// A style for each pipeline spec; no two are equal.
pub fn spec_styles<'a>(
    specs: impl Iterator<Item = &'a str>,
    optimizers: &Optimizers,
) -> Vec<Style> {
    let names = |spec: &str| {
        let setting = GridSetting::new(spec.into(), String::new());
        Names { optimizer: setting.name().into(), pipeline: setting.names().into() }
    };
    styles(&specs.map(names).collect::<Vec<_>>(), |name| optimizers.place(name))
}

/// The first curve of an optimizer has the optimizer's style. Another one with the same pipeline has
/// the same colour with the next dash pattern. One with another pipeline, such as another dialect,
/// has that dash pattern in a colour that belongs to no optimizer, the one that differs most from
/// the colours before it. So has a rule of a user's own. If all curves have the same optimizer,
/// colours do not mean optimizers, and each curve gets a colour of its own.
fn styles(names: &[Names], place: impl Fn(&str) -> Option<usize>) -> Vec<Style> {
    if names.len() > 1 && names.iter().all(|other| other.optimizer == names[0].optimizer) {
        return (0..names.len()).map(Style::nth).collect();
    }
    // the optimizers' own styles first, so that no other curve takes them
    let is_first = |i: usize| names[..i].iter().all(|other| other.optimizer != names[i].optimizer);
    let mut styles: Vec<Option<Style>> = vec![None; names.len()];
    let own = |i: usize| place(&names[i].optimizer).map(Style::nth);
    for (i, own) in (0..names.len()).filter_map(|i| Some((i, own(i).filter(|_| is_first(i))?))) {
        styles[i] = Some(unused(dashed(own).chain(plain()), &styles, own));
    }
    for i in (0..names.len()).filter(|i| is_first(*i) && own(*i).is_none()) {
        let own = Style { color: distant_color(&styles), ..Style::other(0) };
        styles[i] = Some(unused(dashed(own).chain(plain()), &styles, own));
    }
    for i in (0..names.len()).filter(|i| !is_first(*i)) {
        let earlier = |is: &dyn Fn(&Names) -> bool| styles[names[..i].iter().position(is)?];
        let same_pipeline = earlier(&|other| *other == names[i]);
        let same_optimizer = earlier(&|other| other.optimizer == names[i].optimizer);
        let own = match (same_pipeline, same_optimizer) {
            (Some(style), _) => style,
            (None, Some(style)) => Style { color: distant_color(&styles), ..style.next_dash() },
            (None, None) => Style::nth(i),
        };
        styles[i] = Some(unused(dashed(own).chain(plain()), &styles, own));
    }
    styles.into_iter().flatten().collect()
}

/// The style, and its colour with each other dash pattern.
fn dashed(style: Style) -> impl Iterator<Item = Style> {
    std::iter::successors(Some(style), |style| Some(style.next_dash())).take(DASHES.len())
}

/// The colour for lines that are no optimizer that differs most from the colours of these styles.
fn distant_color(taken: &[Option<Style>]) -> usize {
    let difference = |a: usize, b: usize| {
        let (a, b) = (PALETTE[a], PALETTE[b]);
        [(a.0, b.0), (a.1, b.1), (a.2, b.2)]
            .map(|(x, y)| i32::from(x.abs_diff(y)).pow(2))
            .iter()
            .sum()
    };
    let nearest = |color: &usize| -> i32 {
        let taken = taken.iter().flatten();
        taken.map(|style| difference(*color, style.color)).min().unwrap_or(i32::MAX)
    };
    (0..OTHER_STYLES).map(|n| Style::other(n).color).max_by_key(nearest).unwrap_or_default()
}

/// The styles that belong to no optimizer, then all others.
fn plain() -> impl Iterator<Item = Style> {
    (0..OTHER_STYLES).map(Style::other).chain((0..OPTIMIZER_STYLES).map(Style::nth))
}

/// The first style that no curve has yet.
fn unused(
    mut candidates: impl Iterator<Item = Style>,
    taken: &[Option<Style>],
    last: Style,
) -> Style {
    candidates.find(|style| !taken.contains(&Some(*style))).unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pipelines: &[(&str, &str)]) -> Vec<Style> {
        let names = |(optimizer, pipeline): &(&str, &str)| Names {
            optimizer: optimizer.to_string(),
            pipeline: pipeline.to_string(),
        };
        let optimizers = Optimizers::default();
        styles(&pipelines.iter().map(names).collect::<Vec<_>>(), |name| optimizers.place(name))
    }

    #[test]
    fn another_pipeline_with_the_same_optimizer_has_another_colour() {
        let styles = of(&[
            ("adam", "l2|adam"),
            ("adamw", "adamw@paper"),
            ("adamw", "adamw@torch"),
            ("adamw", "adamw@torch"),
        ]);
        assert_ne!(styles[1].color, styles[2].color);
        assert_ne!(styles[1].dash, styles[2].dash);
        assert_eq!(styles[3], styles[2].next_dash());
    }

    #[test]
    fn a_rule_of_a_users_own_has_the_colour_of_no_optimizer() {
        let styles = of(&[("mine", "mine"), ("sgd", "sgd"), ("adam", "adam"), ("other", "other")]);
        let colors: std::collections::BTreeSet<_> = styles.iter().map(|s| s.color).collect();
        assert_eq!(colors.len(), 4, "{styles:?}");
    }

    #[test]
    fn no_two_curves_have_the_same_style() {
        // more curves of one pipeline than there are dash patterns
        let mut pipelines = vec![("adam", "adam"); 12];
        pipelines.extend([("sgd", "sgd"), ("mine", "mine"), ("other", "other")]);
        let styles = of(&pipelines);
        for (i, style) in styles.iter().enumerate() {
            assert!(!styles[..i].contains(style), "{i}: {style:?}");
        }
    }
}
