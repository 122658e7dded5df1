//! The trials of a series: every combination of a grid, or points of its ranges.
//!
//! The points are those of a shifted Halton sequence, which covers a box more evenly than random
//! points, for any number of trials. AlgoPerf samples its search spaces so too. The shift depends on
//! the name of the experiment only, so all machines draw the same trials, and series with the same
//! ranges get the same points.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::schema::{Experiment, Scale, Series};
use crate::error::{Error, Result};
use crate::optim::{OptimizerEntry, Optimizers};
use crate::pipeline::TRANSFORMS;
use crate::schedule::SCHEDULES;
use crate::spec::{Allowed, Range, Setting, SettingValue, Spec, SpecLine, alias};

/// One dimension of the sequence each.
const PRIMES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];

/// Points that are drawn for each trial, before too few different ones are an error.
const ATTEMPTS: usize = 200;

/// A setting whose value a trial chooses.
struct Dimension {
    /// place of its spec in the line, and of the setting in the spec
    at: (usize, usize),
    range: Range,
    /// whether its values are whole numbers
    whole: bool,
    prime: u64,
    /// where the sequence begins, 0 to 1
    shift: f64,
}

impl Experiment {
    /// The specs of a series at a scale, one for each of its trials, then those that were added.
    ///
    /// # Errors
    /// On a range without a number of trials, a grid of another size than that number, or ranges
    /// with fewer different points.
    pub(crate) fn trials(
        &self,
        series: &Series,
        scale: Scale,
        optimizers: &Optimizers,
    ) -> Result<Vec<SpecLine>> {
        let mut trials = self.planned_trials(series, scale, optimizers)?;
        for added in self.added_to(&series.label, scale) {
            let added: SpecLine = added.parse()?;
            if !trials.contains(&added) {
                trials.push(added);
            }
        }
        Ok(trials)
    }

    fn planned_trials(
        &self,
        series: &Series,
        scale: Scale,
        optimizers: &Optimizers,
    ) -> Result<Vec<SpecLine>> {
        let line: SpecLine = series.optimizer_at(scale).parse()?;
        let key = format!("scale.{}.trials", scale.name());
        let trials = self.scale.get(&scale).and_then(|extent| extent.trials);
        if let Some(range) = first_range(&line) {
            let trials = trials.ok_or_else(|| {
                let found = format!("none, and the range {range}");
                Error::value(&key, found, "the number of trials of each series")
            })?;
            return sample(&line, trials, &self.name, optimizers).ok_or_else(|| {
                let found = format!("{trials}, and ranges with fewer different settings");
                Error::value(&key, found, "at most as many as there are settings")
            });
        }
        let grid = line.expand();
        match trials {
            Some(trials) if grid.len() > 1 && grid.len() != trials => {
                let found = format!("{trials}, and a grid of {} settings", grid.len());
                let expected = "a grid of as many settings as there are trials, or ranges";
                Err(Error::value(&key, found, expected))
            }
            _ => Ok(grid),
        }
    }
}

/// Whether a pipeline spec has a range.
pub(crate) fn has_range(spec: &str) -> bool {
    spec.parse().is_ok_and(|line| first_range(&line).is_some())
}

/// The lowest and the highest values of all ranges together, with each value of the choices and
/// lists, so that a value that a setting does not allow is found before it is drawn. Empty for a
/// line without ranges.
pub(super) fn ends(line: &SpecLine) -> Vec<SpecLine> {
    if first_range(line).is_none() {
        return Vec::new();
    }
    let lists: Vec<((usize, usize), Vec<String>)> = places(line)
        .map(|(at, key, values)| (at, end_values(&line.0[at.0], key, values)))
        .collect();
    let longest = lists.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    let nth = |n: usize| {
        let values = lists.iter().map(|(at, values)| (*at, values[n % values.len()].clone()));
        with_values(line, values)
    };
    (0..longest).map(nth).collect()
}

fn end_values(spec: &Spec, key: &str, values: &[String]) -> Vec<String> {
    match range(spec, key, values) {
        Some(Range::Between { ends, .. }) => ends.to_vec(),
        Some(Range::Choice(values)) => values,
        None => values.to_vec(),
    }
}

/// Each setting with its place.
fn places(line: &SpecLine) -> impl Iterator<Item = ((usize, usize), &str, &[String])> {
    line.0.iter().enumerate().flat_map(|(spec, own)| {
        let settings = own.settings.iter().enumerate();
        settings.map(move |(at, (key, values))| ((spec, at), key.as_str(), values.as_slice()))
    })
}

/// The range of a setting; a list in brackets is a choice. `None` for a single value.
fn range(spec: &Spec, key: &str, values: &[String]) -> Option<Range> {
    match values {
        [value] => Range::read(&spec.name, key, value).ok()?,
        list => Some(Range::Choice(list.to_vec())),
    }
}

/// The first range of a line as it is written; a list in brackets is none.
fn first_range(line: &SpecLine) -> Option<&str> {
    places(line).find_map(|(_, _, values)| match values {
        [value] if value.contains('(') => Some(value.as_str()),
        _ => None,
    })
}

/// So many different trials; `None` if there are fewer.
fn sample(
    line: &SpecLine,
    trials: usize,
    experiment: &str,
    optimizers: &Optimizers,
) -> Option<Vec<SpecLine>> {
    let dimensions = dimensions(line, experiment, optimizers)?;
    let (mut seen, mut drawn) = (HashSet::new(), Vec::new());
    for index in 1..=(trials * ATTEMPTS) as u64 {
        let values = dimensions.iter().map(|dimension| (dimension.at, dimension.value(index)));
        let trial = with_values(line, values);
        if seen.insert(trial.to_string()) {
            drawn.push(trial);
        }
        if drawn.len() == trials {
            return Some(drawn);
        }
    }
    None
}

/// `None` if there are more ranges than the sequence has dimensions.
fn dimensions(
    line: &SpecLine,
    experiment: &str,
    optimizers: &Optimizers,
) -> Option<Vec<Dimension>> {
    let mut dimensions = Vec::new();
    for (at, key, values) in places(line) {
        let spec = &line.0[at.0];
        let Some(range) = range(spec, key, values) else { continue };
        let prime = *PRIMES.get(dimensions.len())?;
        let shift = shift(experiment, prime);
        let whole = matches!(allowed(spec, key, optimizers), Some(Allowed::Whole | Allowed::Count));
        dimensions.push(Dimension { at, range, whole, prime, shift });
    }
    Some(dimensions)
}

/// A number from 0 to 1 that depends on the experiment.
fn shift(experiment: &str, prime: u64) -> f64 {
    let hash = Sha256::digest(format!("trials of {experiment}, {prime}"));
    let bits = hash.iter().take(6).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    bits as f64 / (1u64 << 48) as f64
}

/// The digits of a number in base `prime`, mirrored at the point: 1, 2, 3 in base 2 give 1/2, 1/4,
/// 3/4.
fn radical_inverse(mut number: u64, prime: u64) -> f64 {
    let (mut inverse, mut digit) = (0.0, 1.0);
    while number > 0 {
        digit /= prime as f64;
        inverse += digit * (number % prime) as f64;
        number /= prime;
    }
    inverse
}

impl Dimension {
    /// The value of the trial of this index.
    fn value(&self, index: u64) -> String {
        let point = (radical_inverse(index, self.prime) + self.shift).fract();
        match &self.range {
            Range::Choice(values) => values[(point * values.len() as f64) as usize].clone(),
            Range::Between { log, ends } => {
                let [low, high] = [0, 1].map(|end| ends[end].parse().unwrap_or(f64::NAN));
                number(*log, self.whole, low, high, point)
            }
        }
    }
}

/// The number at a point from 0 to 1 between two ends. It is rounded to about four digits: such
/// numbers are easy to read, and do not depend on the last digits of a machine's logarithm.
fn number(log: bool, whole: bool, low: f64, high: f64, point: f64) -> String {
    let above = if whole { high + 1.0 } else { high };
    let at = match log {
        true => low * (above / low).powf(point),
        false => low + (above - low) * point,
    };
    if whole {
        return at.floor().clamp(low, high).show();
    }
    // the width of the range, in the units in which it is even
    let width = if log { at * (above / low).ln().min(1.0) } else { high - low };
    let decimals = (3 - width.log10().floor() as i32).max(0) as usize;
    let rounded = format!("{at:.decimals$}").parse().unwrap_or(at);
    f64::clamp(rounded, low, high).show()
}

/// What a setting of a spec allows; `None` for the learning rate and for unknown settings.
pub(crate) fn allowed(spec: &Spec, key: &str, optimizers: &Optimizers) -> Option<Allowed> {
    let settings = settings_of(spec, optimizers);
    let key = alias(key, settings.iter().map(|setting| setting.name)).unwrap_or(key);
    settings.iter().find(|setting| setting.name == key).map(|setting| setting.allowed)
}

fn settings_of(spec: &Spec, optimizers: &Optimizers) -> Vec<Setting> {
    let schedule = SCHEDULES.iter().find(|entry| entry.name == spec.name);
    let transform = TRANSFORMS.iter().find(|entry| entry.name == spec.name);
    let is_own = |entry: &&OptimizerEntry| entry.name == spec.name;
    match (transform, schedule) {
        (Some(transform), _) => transform.settings.to_vec(),
        (None, Some(schedule)) => (schedule.settings)(),
        (None, None) => {
            optimizers.entries().iter().find(is_own).map_or(Vec::new(), |own| (own.settings)())
        }
    }
}

/// The line with other values at some places.
fn with_values(
    line: &SpecLine,
    values: impl Iterator<Item = ((usize, usize), String)>,
) -> SpecLine {
    let mut line = line.clone();
    for ((spec, setting), value) in values {
        line.0[spec].settings[setting].1 = vec![value];
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(line: &str, trials: usize) -> Vec<String> {
        let line: SpecLine = line.parse().unwrap();
        let all = sample(&line, trials, "digits", &Optimizers::default()).unwrap();
        all.iter().map(SpecLine::to_string).collect()
    }

    /// The value of a setting in each trial.
    fn numbers(trials: &[String], key: &str) -> Vec<f64> {
        let value = |trial: &String| {
            let (_, rest) = trial.split_once(&format!("{key}=")).unwrap();
            rest.split([',', '|']).next().unwrap().parse().unwrap()
        };
        trials.iter().map(value).collect()
    }

    #[test]
    fn a_halton_sequence_mirrors_the_digits() {
        let first = |prime| [1, 2, 3, 4].map(|i| radical_inverse(i, prime));
        assert_eq!(first(2), [0.5, 0.25, 0.75, 0.125]);
        let third = 1.0 / 3.0;
        assert_eq!(first(3), [third, 2.0 * third, third / 3.0, third / 3.0 + third]);
    }

    #[test]
    fn trials_are_in_their_ranges_and_each_part_of_a_range_has_its_share() {
        let trials = drawn("adam:lr=log(1e-5,1e-1),beta1=uniform(0.8,0.99),eps=choice(1e-8,1)", 64);
        let (lr, beta1) = (numbers(&trials, "lr"), numbers(&trials, "beta1"));
        assert!(lr.iter().all(|lr| (1e-5..=1e-1).contains(lr)), "{lr:?}");
        assert!(beta1.iter().all(|beta1| (0.8..=0.99).contains(beta1)), "{beta1:?}");
        for decade in [1e-5, 1e-4, 1e-3, 1e-2] {
            let inside = lr.iter().filter(|lr| (decade..decade * 10.0).contains(*lr)).count();
            assert!((14..=18).contains(&inside), "{inside} of 64 from {decade}");
        }
        let large = numbers(&trials, "eps").iter().filter(|eps| **eps == 1.0).count();
        assert!((30..=34).contains(&large), "{large} of 64");
    }

    /// The trials of an experiment must not change between versions and machines.
    #[test]
    fn the_trials_of_an_experiment_are_always_the_same() {
        assert_eq!(
            drawn("adam:lr=log(1e-5,1e-1),beta1=uniform(0.8,0.99)", 3),
            [
                "adam:lr=0.0005569,beta1=0.8482",
                "adam:lr=5.569e-5,beta1=0.9115",
                "adam:lr=0.005569,beta1=0.8059"
            ]
        );
        let (few, many) = (drawn("sgd:lr=log(1e-3,1)", 3), drawn("sgd:lr=log(1e-3,1)", 9));
        assert_eq!(few, many[..3], "more trials keep the first ones");
        let other = sample(&"sgd:lr=log(1e-3,1)".parse().unwrap(), 3, "b", &Optimizers::default());
        assert_ne!(other.unwrap()[0].to_string(), few[0], "another experiment");
    }

    #[test]
    fn whole_numbers_stay_whole_and_a_list_beside_a_range_is_a_choice() {
        let line = "accumulate:steps=uniform(1,4)|sgd:lr=log(0.1,1)|cosine:warmup=log(1,100)";
        let trials = drawn(line, 40);
        let (steps, warmup) = (numbers(&trials, "steps"), numbers(&trials, "warmup"));
        for value in 1..=4 {
            let count = steps.iter().filter(|steps| **steps == f64::from(value)).count();
            assert!((8..=12).contains(&count), "{count} of 40 with {value}");
        }
        assert!(warmup.iter().all(|it| it.fract() == 0.0 && (1.0..=100.0).contains(it)));
        let trials = drawn("nag:lr=log(0.1,1),mu=[0.8,0.9]", 20);
        let high = numbers(&trials, "mu").iter().filter(|mu| **mu == 0.9).count();
        assert!((8..=12).contains(&high), "{high} of 20");
    }

    #[test]
    fn choices_give_each_combination_once() {
        let line: SpecLine = "adam:lr=choice(0.1,1),eps=choice(1e-8,1e-3)".parse().unwrap();
        let all = sample(&line, 4, "a", &Optimizers::default()).unwrap();
        assert_eq!(all.iter().map(SpecLine::to_string).collect::<HashSet<_>>().len(), 4);
        assert!(sample(&line, 5, "a", &Optimizers::default()).is_none());
    }

    #[test]
    fn a_narrow_range_keeps_enough_digits() {
        let beta2 = numbers(&drawn("adam:beta2=uniform(0.999,0.9999)", 50), "beta2");
        let different: HashSet<u64> = beta2.iter().map(|it| it.to_bits()).collect();
        assert_eq!(different.len(), 50);
        let lr = numbers(&drawn("sgd:lr=log(1,1.001)", 50), "lr");
        assert!(lr.iter().all(|lr| (1.0..=1.001).contains(lr)), "{lr:?}");
    }
}
