//! Ranges of values, which an experiment samples: `log(1e-5,1e-1)`, `uniform(0.8,0.99)`,
//! `choice(1e-8,1e-3)`.

use super::error::SpecError;

/// The values from which the trials of a setting are drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// `log(low,high)` or `uniform(low,high)`: numbers between two ends
    Between {
        /// whether the logarithm is uniform, not the value
        log: bool,
        /// the ends as they are written
        ends: [String; 2],
    },
    /// `choice(a,b,..)`: one of these
    Choice(Vec<String>),
}

const EXPECTED_RANGE: &str =
    "a value, or a range: log(low,high), uniform(low,high) or choice(a,b,..)";
const EXPECTED_LOG: &str = "log(low,high) with 0 < low < high";
const EXPECTED_UNIFORM: &str = "uniform(low,high) with low < high, both finite";
const EXPECTED_CHOICE: &str = "choice(a,b,..) of at least two different values";

impl Range {
    /// The range that the value of a setting is. `None` for a single value, which has no
    /// parenthesis.
    ///
    /// # Errors
    /// On a range that is empty or reversed, that contains a number which is not finite, or on a
    /// logarithmic one that contains 0. `owner` and `key` are for the error.
    pub fn read(owner: &str, key: &str, text: &str) -> Result<Option<Range>, SpecError> {
        if !text.contains(['(', ')']) {
            return Ok(None);
        }
        Range::parse(text).map(Some).map_err(|expected| SpecError::Value {
            owner: owner.into(),
            key: key.into(),
            found: text.into(),
            expected: expected.into(),
        })
    }

    /// The error is what was expected.
    fn parse(text: &str) -> Result<Range, &'static str> {
        let (kind, list) = text.split_once('(').ok_or(EXPECTED_RANGE)?;
        let list = list.strip_suffix(')').ok_or(EXPECTED_RANGE)?;
        let values: Vec<String> = list.split(',').map(|value| value.trim().into()).collect();
        match kind.trim() {
            "log" => between(true, values).ok_or(EXPECTED_LOG),
            "uniform" => between(false, values).ok_or(EXPECTED_UNIFORM),
            "choice" => choice(values).ok_or(EXPECTED_CHOICE),
            _ => Err(EXPECTED_RANGE),
        }
    }
}

fn between(log: bool, values: Vec<String>) -> Option<Range> {
    let ends: [String; 2] = values.try_into().ok()?;
    let number = |text: &String| text.parse::<f64>().ok().filter(|x| x.is_finite());
    let (low, high) = (number(&ends[0])?, number(&ends[1])?);
    (low < high && (!log || low > 0.0)).then_some(Range::Between { log, ends })
}

fn choice(values: Vec<String>) -> Option<Range> {
    let differ = |(i, value): (usize, &String)| !value.is_empty() && !values[..i].contains(value);
    (values.len() > 1 && values.iter().enumerate().all(differ)).then_some(Range::Choice(values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;

    #[test]
    fn a_range_is_a_value_of_a_spec_and_is_printed_as_it_was_written() {
        let text = "adam:lr=log(1e-5,1e-1),beta1=uniform(0.8,0.99),eps=choice(1e-8,1e-3),beta2=0.9";
        let spec: Spec = text.parse().unwrap();
        assert_eq!(spec.to_string(), text);
        let lr = Range::read("adam", "lr", &spec.settings[0].1[0]).unwrap().unwrap();
        assert_eq!(lr, Range::Between { log: true, ends: ["1e-5".into(), "1e-1".into()] });
        assert_eq!(Range::read("adam", "beta2", "0.9"), Ok(None));
        let several = spec.single().unwrap_err().to_string();
        assert!(
            several.ends_with("lr is a range, and only one value is allowed here"),
            "{several}"
        );
    }

    #[test]
    fn an_impossible_range_is_refused_with_key_value_and_what_was_expected() {
        for (range, expected) in [
            ("log(1e-1,1e-5)", EXPECTED_LOG),
            ("log(0,1)", EXPECTED_LOG),
            ("log(-1,1)", EXPECTED_LOG),
            ("log(1e-5)", EXPECTED_LOG),
            ("log(1e-5,1e-1,1)", EXPECTED_LOG),
            ("log(nan,1)", EXPECTED_LOG),
            ("uniform(1,1)", EXPECTED_UNIFORM),
            ("uniform(1,0)", EXPECTED_UNIFORM),
            ("uniform(0,inf)", EXPECTED_UNIFORM),
            ("uniform(0,NaN)", EXPECTED_UNIFORM),
            ("uniform()", EXPECTED_UNIFORM),
            ("choice()", EXPECTED_CHOICE),
            ("choice(1)", EXPECTED_CHOICE),
            ("choice(1,1)", EXPECTED_CHOICE),
            ("lag(1,2)", EXPECTED_RANGE),
            ("(1,2)", EXPECTED_RANGE),
            ("log(1,2)x", EXPECTED_RANGE),
        ] {
            let error = format!("adam:lr={range}").parse::<Spec>().unwrap_err().to_string();
            assert_eq!(error, format!("adam: lr is `{range}`, expected {expected}"));
        }
        for unbalanced in ["adam:lr=log(1,2", "adam:lr=log(1,2))", "adam:lr=[log(1,2)]"] {
            let error = unbalanced.parse::<Spec>().unwrap_err().to_string();
            assert!(error.contains("to be closed"), "{error}");
        }
    }
}
