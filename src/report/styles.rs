//! The styles of curves.

use crate::chart::Style;
use crate::grade::Curve;
use crate::optim::Optimizers;

/// A style for each curve: that of its optimizer, with the next dash pattern for another curve of
/// the same optimizer. If all curves have the same optimizer, colours do not mean optimizers, and
/// each curve gets a colour of its own.
pub fn curve_styles(curves: &[Curve], optimizers: &Optimizers) -> Vec<Style> {
    let names: Vec<String> = curves
        .iter()
        .map(|curve| curve.candidates.first().map_or("", |first| first.setting.name()).to_string())
        .collect();
    let one_optimizer = names.len() > 1 && names.iter().all(|name| *name == names[0]);
    let style = |(i, name): (usize, &String)| {
        if one_optimizer {
            return Style::nth(i);
        }
        let first = Style::nth(optimizers.place(name).unwrap_or(i));
        let earlier = names[..i].iter().filter(|other| *other == name).count();
        (0..earlier).fold(first, |style, _| style.next_dash())
    };
    names.iter().enumerate().map(style).collect()
}
