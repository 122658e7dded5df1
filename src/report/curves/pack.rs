//! Numbers as short text: four characters for a number with four digits. A page with a million
//! numbers stays small, and each number keeps the digits that the page shows.

use serde_json::{Value, json};

use crate::chart::LARGEST;

/// The characters of base64.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// There is no value, or it is too large to be drawn.
const MISSING: u32 = 0xff_ffff;
/// What is added to an exponent, so that it is not negative.
const BIAS: i32 = 128;

/// The numbers as base64: 24 bits each, see [`code`].
pub fn pack(values: impl Iterator<Item = f64>) -> String {
    let mut text = String::new();
    for code in values.map(code) {
        for shift in [18, 12, 6, 0] {
            text.push(char::from(ALPHABET[(code >> shift & 63) as usize]));
        }
    }
    text
}

/// From the highest bit: 0, the sign, 8 bits for the exponent of ten, 14 bits for four digits.
fn code(value: f64) -> u32 {
    if !value.is_finite() || value.abs() >= LARGEST {
        return MISSING;
    }
    let text = format!("{:.3e}", value.abs());
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: u32 = digits.replace('.', "").parse().unwrap_or(0);
    let exponent = exponent.parse::<i32>().unwrap_or(0) - 3 + BIAS;
    // smaller than 1e-125
    if exponent < 0 || digits == 0 {
        return (BIAS as u32) << 14;
    }
    u32::from(value < 0.0) << 22 | (exponent as u32) << 14 | digits
}

/// Counts, with all digits: as first number, difference and length if the differences are equal.
pub fn exact(values: &[f64]) -> Value {
    let by = values.get(1).map_or(1.0, |second| second - values[0]);
    if values.windows(2).all(|pair| pair[1] - pair[0] == by) && !values.is_empty() {
        return json!({ "from": values[0], "by": by, "n": values.len() });
    }
    json!(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The script does the same.
    fn unpack(text: &str) -> Vec<f64> {
        let bits = |c: u8| ALPHABET.iter().position(|known| *known == c).unwrap() as u32;
        let number = |four: &[u8]| {
            let code = four.iter().fold(0, |code, c| code << 6 | bits(*c));
            let sign = if code >> 22 & 1 == 1 { -1.0 } else { 1.0 };
            let exponent = (code >> 14 & 255) as i32 - BIAS;
            let size: f64 = format!("{}e{exponent}", code & 0x3fff).parse().unwrap();
            if code == MISSING { f64::NAN } else { sign * size }
        };
        text.as_bytes().chunks(4).map(number).collect()
    }

    #[test]
    fn numbers_keep_four_digits() {
        let values = [0.0, 1.0, -0.123_449, 9999.6, 2.5e-9, -7.0e42, 1e-200, 1234.0];
        let expected = [0.0, 1.0, -0.1234, 10_000.0, 2.5e-9, -7.0e42, 0.0, 1234.0];
        assert_eq!(unpack(&pack(values.into_iter())), expected);
        let none = [f64::NAN, f64::INFINITY, 1e101];
        assert!(unpack(&pack(none.into_iter())).iter().all(|value| value.is_nan()));
    }

    #[test]
    fn counts_are_exact() {
        assert_eq!(exact(&[0.0, 63.0, 126.0]), json!({ "from": 0.0, "by": 63.0, "n": 3 }));
        assert_eq!(
            exact(&[0.0, 12_345_678.0, 12_345_679.0]),
            json!([0.0, 12_345_678.0, 12_345_679.0])
        );
    }
}
