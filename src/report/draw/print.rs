//! What figures for print share: 8 pt text, real minus signs, ticks.

use std::ops::Range;

use plotters::prelude::*;
use plotters::style::FontTransform;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{self, Area, FAMILY, FINE, drawing_error};
use crate::chart::short;
use crate::error::Result;

/// Size of all text in points.
const TEXT: f64 = 8.0;
/// The plotting crate divides the size of a text by this.
const TEXT_FACTOR: f64 = 1.24;
/// Height of a line of text in points.
pub const LINE: f64 = 10.0;
/// Axes and ticks.
pub const AXIS: RGBColor = RGBColor(60, 60, 60);

/// Points in units.
pub fn units(points: f64) -> i32 {
    (points * f64::from(FINE)).round() as i32
}

/// A picture of this size in points, as SVG.
pub fn svg(size: (f64, f64), paint: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    let (width, height) = (size.0.round() as u32, size.1.round() as u32);
    let svg = canvas::svg((width, height), paint)?;
    let pixels = format!("width=\"{width}\" height=\"{height}\"");
    let points = format!("width=\"{:.2}pt\" height=\"{height}pt\"", size.0);
    Ok(svg.replacen(&pixels, &points, 1))
}

fn style(color: &RGBColor, align: (HPos, VPos)) -> TextStyle<'static> {
    let size = TEXT * TEXT_FACTOR * f64::from(FINE);
    (FAMILY, size).into_font().color(color).pos(Pos::new(align.0, align.1))
}

/// Draws a text at a place in points.
pub fn text(
    area: &Area<'_>,
    text: &str,
    (x, y): (f64, f64),
    color: &RGBColor,
    align: (HPos, VPos),
) -> Result<()> {
    let text = Text::new(real_minus(text), (units(x), units(y)), style(color, align));
    area.draw(&text).map_err(drawing_error)
}

/// Draws a text from the bottom to the top, with its middle at a place in points.
pub fn upward_text(area: &Area<'_>, text: &str, (x, y): (f64, f64)) -> Result<()> {
    let style = style(&BLACK, (HPos::Center, VPos::Top));
    let style = style.transform(FontTransform::Rotate270);
    area.draw(&Text::new(real_minus(text), (units(x), units(y)), style)).map_err(drawing_error)
}

/// The width of a text in points.
pub fn text_width(area: &Area<'_>, text: &str) -> Result<f64> {
    let style = style(&BLACK, (HPos::Left, VPos::Top));
    let size = area.estimate_text_size(&real_minus(text), &style).map_err(drawing_error)?;
    Ok(f64::from(size.0) / f64::from(FINE))
}

/// The text with a minus sign instead of a hyphen before a negative number or exponent. Hyphens
/// within words, ranges and dates stay.
pub fn real_minus(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let is_minus = |at: usize| {
        let before = at.checked_sub(1).map(|before| chars[before]);
        let exponent = matches!(before, Some('e' | 'E'))
            && at.checked_sub(2).is_some_and(|before| chars[before].is_ascii_digit());
        let number = chars.get(at + 1).is_some_and(|c| c.is_ascii_digit() || *c == '.');
        let starts = before.is_none_or(|c| !(c.is_alphanumeric() || ")]_-".contains(c)));
        number && (starts || exponent)
    };
    let minus = |(at, c): (usize, &char)| if *c == '-' && is_minus(at) { '−' } else { *c };
    chars.iter().enumerate().map(minus).collect()
}

/// A number on an axis. A power of ten has a real exponent.
pub fn number(value: f64) -> String {
    let text = short(value);
    match text.split_once('e') {
        Some((factor, exponent)) => {
            let factor = if factor == "1" { String::new() } else { format!("{factor}·") };
            format!("{factor}10{}", superscript(exponent))
        }
        None => text,
    }
}

fn superscript(exponent: &str) -> String {
    let raised = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_digit(digit.to_digit(10).unwrap_or(0), 10)
            .and_then(|d| char::from_u32('⁰' as u32 + d.to_digit(10)?))
            .unwrap_or(digit),
    };
    exponent.chars().map(raised).collect()
}

/// Ticks at multiples of 1, 2 or 5 times a power of ten, `most` at most. `whole` allows whole
/// numbers only.
pub fn linear_ticks(range: &Range<f64>, most: usize, whole: bool) -> Vec<f64> {
    let least = (range.end - range.start) / most.max(1) as f64;
    let power = 10f64.powf(least.log10().floor());
    let count = |step: f64| (range.end / step).floor() - (range.start / step).ceil() + 1.0;
    let steps = [1.0, 2.0, 5.0, 10.0].map(|m| m * power);
    let step = steps.into_iter().find(|step| count(*step) <= most as f64);
    let step = step.unwrap_or(10.0 * power);
    let step = if whole { step.max(1.0) } else { step };
    let (first, last) = ((range.start / step).ceil(), (range.end / step).floor());
    // a division gives 0.3 where a product gives 0.30000000000000004
    let exact = |i: f64| if step < 1.0 { i / (1.0 / step).round() } else { i * step };
    let count = (last - first).max(0.0) as usize;
    (0..=count).map(|i| exact(first + i as f64)).filter(|tick| range.contains(tick)).collect()
}

/// Ticks at powers of ten, with 2 and 5 between where these are few.
pub fn log_ticks(range: &Range<f64>, most: usize) -> Vec<f64> {
    let (first, last) = (range.start.log10().floor() as i32, range.end.log10().ceil() as i32);
    let decades = range.end.log10() - range.start.log10();
    let in_decade: &[f64] = match decades {
        ..0.7 => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0],
        ..2.0 => &[1.0, 2.0, 5.0],
        _ => &[1.0],
    };
    let every = (decades / most.max(1) as f64).ceil().max(1.0) as usize;
    let powers = (first..=last).step_by(every);
    // a quotient is exact where a product with 0.001 is not
    let power = |m: f64, p: i32| if p < 0 { m / 10f64.powi(-p) } else { m * 10f64.powi(p) };
    let ticks = powers.flat_map(|p| in_decade.iter().map(move |m| power(*m, p)));
    ticks.filter(|tick| range.contains(tick)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_negative_numbers_get_a_minus_sign() {
        for (text, expected) in [
            ("-5", "−5"),
            ("lr 1e-3", "lr 1e−3"),
            ("from -0.5 to -.25", "from −0.5 to −.25"),
            ("(-1, -2)", "(−1, −2)"),
            ("2c2d-fmnist, pages 3-7, 2014-05", "2c2d-fmnist, pages 3-7, 2014-05"),
            ("mini-batch loss", "mini-batch loss"),
        ] {
            assert_eq!(real_minus(text), expected);
        }
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(linear_ticks(&(0.21..0.47), 5, false), [0.25, 0.3, 0.35, 0.4, 0.45]);
        assert_eq!(linear_ticks(&(-1.1..1.1), 5, false), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(linear_ticks(&(1.0..3.0001), 8, true), [1.0, 2.0, 3.0]);
        assert_eq!(log_ticks(&(0.05..20.0), 5), [0.1, 1.0, 10.0]);
        assert_eq!(log_ticks(&(0.15..0.9), 5), [0.2, 0.5]);
        assert_eq!(log_ticks(&(1e-12..1.1), 5).len(), 5);
    }

    #[test]
    fn powers_of_ten_have_exponents() {
        assert_eq!(number(1e-4), "10⁻⁴");
        assert_eq!(number(2.5e5), "2.5·10⁵");
        assert_eq!(number(-0.25), "-0.25");
        assert_eq!(number(1e120), "10¹²⁰");
    }
}
