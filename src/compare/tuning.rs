//! The learning rates that a comparison tries.

use crate::error::{Error, Result};
use crate::optim::Optimizers;
use crate::spec::{Setting, SettingValue, Spec, SpecLine, alias};

/// The default range goes from the default learning rate divided by this to the default times this.
const FACTOR: f64 = 100.0;

/// The pipeline spec with a range of learning rates, if it names none. An unknown optimizer stays
/// as it is; the check of the experiment says what is wrong.
///
/// # Errors
/// If it is no spec, or on an unknown dialect.
pub(super) fn with_learning_rates(spec: &str, optimizers: &Optimizers) -> Result<String> {
    let mut line: SpecLine = spec.parse()?;
    let entry = |spec: &Spec| optimizers.entries().iter().find(|entry| entry.name == spec.name);
    let own = line.0.iter_mut().find_map(|spec| entry(spec).map(|entry| (spec, entry)));
    let Some((own, entry)) = own else { return Ok(spec.into()) };
    let is_lr = |key: &str| key == Setting::LR.name || alias(key, [Setting::LR.name]).is_some();
    if own.settings.iter().any(|(key, _)| is_lr(key)) {
        return Ok(spec.into());
    }
    let dialect = own.dialect.as_deref().map(|name| entry.dialect(name)).transpose()?.flatten();
    let lr = dialect.map_or(entry.lr, |dialect| dialect.lr);
    let [low, high] = [lr / FACTOR, lr * FACTOR].map(rounded);
    own.settings.insert(0, (Setting::LR.name.into(), vec![format!("log({low},{high})")]));
    Ok(line.to_string())
}

/// Without the last digits of a division.
fn rounded(lr: f64) -> String {
    format!("{lr:.6e}").parse().unwrap_or(lr).show()
}

/// A grid must have as many settings as there are trials.
///
/// # Errors
/// If it has another number, or if there is a range and only one trial.
pub(super) fn check_budget(spec: &str, budget: usize) -> Result<()> {
    let line: SpecLine = spec.parse()?;
    let is_range = |values: &[String]| matches!(values, [one] if one.contains('('));
    let mut settings = line.0.iter().flat_map(|spec| &spec.settings);
    let range = settings.find(|(_, values)| is_range(values));
    let size = line.size().unwrap_or(usize::MAX);
    match range {
        Some((key, values)) if budget == 1 => {
            let found = format!("1, with the range {key}={} of `{spec}`", values[0]);
            Err(Error::value("budget", found, "at least 2 trials"))
        }
        None if size > 1 && size != budget => {
            let found = format!("{budget}, with the grid of {size} settings of `{spec}`");
            let expected = "as many trials as a grid has settings, or a range, log(1e-4,1)";
            Err(Error::value("budget", found, expected))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuned(spec: &str) -> String {
        with_learning_rates(spec, &Optimizers::default()).unwrap()
    }

    #[test]
    fn a_spec_without_learning_rate_gets_two_decades_on_both_sides_of_the_default() {
        assert_eq!(tuned("adam"), "adam:lr=log(1e-5,0.1)");
        assert_eq!(tuned("sgd"), "sgd:lr=log(0.0001,1)");
        assert_eq!(tuned("adadelta"), "adadelta:lr=log(0.01,100)");
        assert_eq!(tuned("burn:adam"), "burn:adam:lr=log(1e-5,0.1)");
        let line = "clip_global:max=1|adam:beta1=[0.8,0.9]|cosine:warmup=5";
        let expected = "clip_global:max=1|adam:lr=log(1e-5,0.1),beta1=[0.8,0.9]|cosine:warmup=5";
        assert_eq!(tuned(line), expected);
    }

    #[test]
    fn a_learning_rate_that_the_spec_names_stays() {
        for spec in ["adam:lr=0.1", "adam:learning_rate=0.1", "adam:lr=log(1e-3,1)", "adm"] {
            assert_eq!(tuned(spec), spec);
        }
    }
}
