//! The width of a figure.

use std::str::FromStr;

use crate::error::Error;

/// Points in an inch: PostScript's, and TeX's.
const POINTS: f64 = 72.0;
const TEX_POINTS: f64 = 72.27;
/// Below the least width a figure has no space for its labels in 8 pt.
const LEAST: f64 = 1.5;
const MOST: f64 = 20.0;

/// The width of a figure: `3.25in`, `8.5cm`, `85mm` or `240pt`, where pt are TeX's points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Width {
    inches: f64,
}

impl Width {
    /// In points of 1/72 inch.
    pub fn points(self) -> f64 {
        self.inches * POINTS
    }

    /// In inches.
    pub fn inches(self) -> f64 {
        self.inches
    }
}

impl FromStr for Width {
    type Err = Error;

    fn from_str(text: &str) -> Result<Width, Error> {
        const UNITS: [(&str, f64); 4] =
            [("in", 1.0), ("cm", 2.54), ("mm", 25.4), ("pt", TEX_POINTS)];
        let wrong = |expected: &str| Error::value("--width", format!("`{text}`"), expected);
        let parsed = UNITS.iter().find_map(|(unit, per_inch)| {
            let number: f64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
            Some(number / per_inch)
        });
        let inches = parsed
            .filter(|inches| inches.is_finite())
            .ok_or_else(|| wrong("a number with its unit: 3.25in, 8.5cm, 85mm or 240pt"))?;
        match (LEAST..=MOST).contains(&inches) {
            true => Ok(Width { inches }),
            false => Err(wrong("a width between 1.5in and 20in")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_needs_a_unit_and_a_range() {
        let points = |text: &str| text.parse::<Width>().map(Width::points).ok();
        assert_eq!(points("3.25in"), Some(234.0));
        for (text, expected) in [("8.255cm", 234.0), ("82.55mm", 234.0), ("234.8775 pt", 234.0)] {
            let found = points(text).unwrap();
            assert!((found - expected).abs() < 1e-9, "{text}: {found}");
        }
        for wrong in ["3.25", "in", "1in", "21in", "-3in", "NaNin", "infin", "3em", ""] {
            assert_eq!(points(wrong), None, "{wrong}");
        }
    }
}
