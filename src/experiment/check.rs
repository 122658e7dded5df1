//! Checking an experiment as far as that is possible without running it.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use super::claim::{Expect, SECONDS, between};
use super::location::Location;
use super::published;
use super::schema::{Claim, Experiment, Extent, LEADS, Metric, Scale, Series};
use super::target::Target;
use super::trials;
use crate::data;
use crate::error::{Error, Result};
use crate::optim::Optimizers;
use crate::pipeline::PipelineConfig;
use crate::spec::{SpecLine, unknown};

/// Settings of one grid.
const MAX_GRID: usize = 10_000;
/// Epochs or seeds.
const MAX_COUNT: usize = 1_000_000;

impl Experiment {
    /// Checks everything that can be checked without running. `path` is only for errors.
    ///
    /// # Errors
    /// Names the key, the value found and what was expected.
    pub fn check(&self, path: &Path, optimizers: &Optimizers) -> Result<()> {
        let at = Location(path);
        check_name(&self.name, &at)?;
        check_url(&self.url, &at)?;
        self.task.check().map_err(|error| error.within(path.display()))?;
        for (scale, extent) in &self.scale {
            self.check_extent(*scale, extent, &at)?;
        }
        self.check_presence(&at)?;
        self.check_lead(&at)?;
        for series in &self.series {
            self.check_series(series, &at, optimizers)?;
        }
        self.check_metric(&at)?;
        for claim in &self.claim {
            let part = format!("claim \"{}\"", claim.quote);
            self.check_claim(claim, optimizers).map_err(at.within(&part))?;
        }
        Ok(())
    }

    fn is_study(&self) -> bool {
        self.task.study().is_some()
    }

    fn check_extent(&self, scale: Scale, extent: &Extent, at: &Location<'_>) -> Result<()> {
        let key = format!("scale.{}", scale.name());
        let counts = [extent.epochs, extent.seeds, extent.search()];
        if counts.iter().any(|n| !(1..=MAX_COUNT).contains(n)) {
            let found = format!("epochs, seeds and search {counts:?}");
            return Err(at.wrong(&key, found, &format!("each from 1 to {MAX_COUNT}")));
        }
        if let Some(trials) = extent.trials.filter(|n| !(1..=MAX_GRID).contains(n)) {
            let expected = format!("a whole number from 1 to {MAX_GRID}");
            return Err(at.wrong(&format!("{key}.trials"), trials.to_string(), &expected));
        }
        check_halving(&key, extent).map_err(at.within_file())?;
        if let (Some(data), None) = (&extent.data, self.task.data()) {
            let expected = "none, since the task has no data to choose";
            return Err(at.wrong(&format!("{key}.data"), format!("`{data}`"), expected));
        }
        if let Some(data) = &extent.data {
            data::check(data).map_err(at.within(&format!("{key}.data")))?;
        }
        Ok(())
    }

    /// A study has no series; everything else has some.
    fn check_presence(&self, at: &Location<'_>) -> Result<()> {
        if (self.series.is_empty() && !self.is_study()) || self.scale.is_empty() {
            return Err(at.wrong("series and scale", "nothing", "at least one of each"));
        }
        if self.is_study() && !self.series.is_empty() {
            return Err(at.wrong(
                "series",
                format!("{} series", self.series.len()),
                "none in a study",
            ));
        }
        Ok(())
    }

    /// A study is led by its first chart.
    fn check_lead(&self, at: &Location<'_>) -> Result<()> {
        let Some(lead) = &self.lead else { return Ok(()) };
        let found = format!("`{lead}`");
        if self.is_study() {
            return Err(at.wrong("lead", found, "none in a study, whose first chart is shown"));
        }
        if LEADS.contains(&lead.as_str()) {
            return Ok(());
        }
        Err(at.wrong("lead", found, &format!("one of {}", LEADS.join(", "))))
    }

    fn check_series(
        &self,
        series: &Series,
        at: &Location<'_>,
        optimizers: &Optimizers,
    ) -> Result<()> {
        let key = format!("series `{}`", series.label);
        if self.series.iter().filter(|other| other.label == series.label).count() > 1 {
            return Err(at.wrong(
                &key,
                "the same label twice",
                "a label of its own for each series",
            ));
        }
        if series.label.trim().is_empty() || series.label.chars().any(char::is_control) {
            return Err(at.wrong("series.label", format!("{:?}", series.label), "printable text"));
        }
        self.check_own_task(series, &key, at)?;
        for (spec, grid) in series.optimizers() {
            check_grid(series, spec, grid, optimizers).map_err(at.within(&key))?;
        }
        for scale in self.scale.keys() {
            let trials = self.trials(series, *scale, optimizers).map_err(at.within(&key))?;
            if trials::has_range(series.optimizer_at(*scale)) {
                check_settings(series, "optimizer", trials, optimizers).map_err(at.within(&key))?;
            }
        }
        if let Some(name) = &series.published
            && published::curve(name, &self.metric.name).is_empty()
        {
            let expected = "a problem and an optimizer in datasets/deepobs-*/best_curves.csv that has the metric, such as fmnist_2c2d/AdamOptimizer";
            return Err(at.wrong(&format!("{key}, published"), format!("`{name}`"), expected));
        }
        self.schedule_of(series).map_err(at.within(&format!("schedule of {key}")))?;
        Ok(())
    }

    fn check_own_task(&self, series: &Series, key: &str, at: &Location<'_>) -> Result<()> {
        let Some(task) = &series.task else { return Ok(()) };
        task.check().map_err(at.within(key))?;
        if !task.is_same_kind(&self.task) {
            let expected = "the experiment's kind, since both are in one figure";
            return Err(at.wrong(key, "a task of another kind", expected));
        }
        if let (Some(own), Some(common)) = (task.common_data(), self.task.common_data())
            && own != common
        {
            let expected = format!("the experiment's `{common}`, since both are in one figure");
            return Err(at.wrong(&format!("{key}, task.data"), format!("`{own}`"), &expected));
        }
        Ok(())
    }

    fn check_metric(&self, at: &Location<'_>) -> Result<()> {
        let known = self.measures(|_| true);
        let Metric { name, select, .. } = &self.metric;
        for (key, measure) in [("metric.name", Some(name)), ("metric.select", select.as_ref())] {
            let missing = measure.filter(|measure| !known.contains(&measure.as_str()));
            if let Some(measure) = missing.filter(|_| !self.is_study()) {
                let error = Error::from(unknown("measurement", measure, known));
                return Err(error.at(format!("{}, {key}", at.0.display())));
            }
        }
        let tasks = self.series.iter().flat_map(|series| self.task_of(series).measures());
        let drawn: BTreeSet<&str> = tasks.collect();
        let is_unknown =
            |also: &&String| !drawn.contains(also.as_str()) && *also != "test_accuracy";
        match self.metric.also.iter().find(is_unknown) {
            None => Ok(()),
            Some(other) => {
                let expected =
                    format!("some of {}", drawn.into_iter().collect::<Vec<_>>().join(", "));
                Err(at.wrong("metric.also", format!("`{other}`"), &expected))
            }
        }
    }

    /// Whether a claim can be graded, as far as that is known without runs.
    fn check_claim(&self, claim: &Claim, optimizers: &Optimizers) -> Result<()> {
        let expect = &claim.expect;
        self.check_scale(claim)?;
        let known = self.measures(|series| expect.labels().contains(&series.label.as_str()));
        if let Some(measure) = expect.measure()
            && !known.contains(&measure)
            && measure != SECONDS
        {
            let expected = format!("one of {}, {SECONDS}", known.join(", "));
            return Err(Error::value("expect.measure", format!("`{measure}`"), &expected));
        }
        check_numbers(expect)?;
        self.check_target(expect)?;
        if self.is_study() {
            return match expect {
                Expect::Value { .. } | Expect::Bound { .. } if claim.scale.is_none() => Ok(()),
                _ => Err(Error::value(
                    "expect",
                    expect.sentence(""),
                    "kind value or bound, at every scale, since a study has no runs",
                )),
            };
        }
        self.check_labels(expect)?;
        self.check_whole_grid(claim)?;
        self.check_swept(expect, optimizers)
    }

    fn check_scale(&self, claim: &Claim) -> Result<()> {
        match claim.scale {
            Some(scale) if !self.scale.contains_key(&scale) => {
                let known: Vec<&str> = self.scale.keys().map(|scale| scale.name()).collect();
                let expected = format!("a scale of this experiment: {}", known.join(", "));
                Err(Error::value("scale", scale.name(), &expected))
            }
            _ => Ok(()),
        }
    }

    /// With halving, most settings have short runs only.
    fn check_whole_grid(&self, claim: &Claim) -> Result<()> {
        let decides = |scale: &Scale| claim.scale.is_none_or(|decides| decides == *scale);
        let mut scales = self.scale.iter().filter(|(scale, _)| decides(scale));
        match scales.find(|(_, extent)| extent.halving.is_some()) {
            Some((scale, _)) if claim.expect.is_about_grids() => Err(Error::value(
                "expect",
                format!("a check of whole grids, with scale.{}.halving", scale.name()),
                "no halving, since it does not run every setting to its end",
            )),
            _ => Ok(()),
        }
    }

    fn check_labels(&self, expect: &Expect) -> Result<()> {
        let labels = expect.labels();
        let twice = |i: &usize| labels[..*i].contains(&labels[*i]);
        if let Some(i) = (0..labels.len()).find(twice) {
            let found = format!("`{}` twice", labels[i]);
            return Err(Error::value("expect", found, "different series"));
        }
        match labels.into_iter().find(|label| self.series_named(label).is_none()) {
            None => Ok(()),
            Some(label) => {
                let known = self.series.iter().map(|series| series.label.as_str());
                Err(Error::from(unknown("series", label, known)).at("expect"))
            }
        }
    }

    /// The settings of a slope, and a chosen one, differ within the grid.
    fn check_swept(&self, expect: &Expect, optimizers: &Optimizers) -> Result<()> {
        let (of, keys) = match expect {
            Expect::Slope { of, x, y, .. } => (of, vec![x, y]),
            Expect::Chosen { of, setting, .. } => (of, vec![setting]),
            _ => return Ok(()),
        };
        let Some(series) = self.series_named(of) else { return Ok(()) };
        let swept = self.swept(series, optimizers)?;
        match keys.into_iter().find(|key| !swept.contains(*key)) {
            None => Ok(()),
            Some(other) => {
                let swept = swept.into_iter().collect::<Vec<_>>().join(", ");
                Err(Error::value(
                    "expect",
                    format!("`{other}`"),
                    format!("a setting of the grid of {of}: {swept}"),
                ))
            }
        }
    }
}

/// There are enough trials and epochs for a round of short runs.
fn check_halving(scale: &str, extent: &Extent) -> Result<()> {
    let Some(factor) = extent.halving else { return Ok(()) };
    let key = format!("{scale}.halving");
    let Some(trials) = extent.trials else {
        return Err(Error::value(&key, format!("{factor} without trials"), "both"));
    };
    if factor < 2 || factor > trials.min(extent.epochs) {
        let found = format!("{factor}, with {trials} trials and {} epochs", extent.epochs);
        let expected = "from 2 to the number of trials and of epochs";
        return Err(Error::value(&key, found, expected));
    }
    Ok(())
}

fn check_name(name: &str, at: &Location<'_>) -> Result<()> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if plain && !name.trim_matches('.').is_empty() {
        return Ok(());
    }
    let expected = "letters, digits, `-` and `_`, since a folder gets that name";
    Err(at.wrong("name", format!("`{name}`"), expected))
}

/// The address becomes a link on the page, so it must not be a script.
fn check_url(url: &str, at: &Location<'_>) -> Result<()> {
    let lower = url.to_ascii_lowercase();
    let is_web = ["http://", "https://"].iter().any(|scheme| lower.starts_with(scheme));
    let is_plain = !url.chars().any(|c| c.is_control() || c.is_whitespace());
    if url.is_empty() || (is_web && is_plain) {
        return Ok(());
    }
    let expected = "nothing, or an address that begins with http:// or https://";
    Err(at.wrong("url", format!("{url:?}"), expected))
}

/// The numbers of a check are finite and in order.
fn check_numbers(expect: &Expect) -> Result<()> {
    match expect {
        Expect::Similar { within, .. } if !(within.is_finite() && *within > 0.0) => {
            Err(Error::value("expect.within", within, "a finite number above 0"))
        }
        Expect::Value { is, within, .. }
            if !(is.is_finite() && within.is_finite() && *within >= 0.0) =>
        {
            Err(Error::value(
                "expect",
                format!("{is} within {within}"),
                "finite numbers, the tolerance 0 or above",
            ))
        }
        Expect::Chosen { is, factor, .. }
            if !(is.is_finite() && *is > 0.0 && factor.is_finite() && *factor >= 1.0) =>
        {
            Err(Error::value(
                "expect",
                format!("{is} up to a factor of {factor}"),
                "finite numbers, the first above 0, the factor 1 or above",
            ))
        }
        Expect::Cells { tie, at_least, .. }
            if !(tie.is_finite() && *tie >= 0.0 && (0.0..=1.0).contains(at_least)) =>
        {
            Err(Error::value(
                "expect",
                format!("tie {tie}, at_least {at_least}"),
                "a tie of 0 or above, and a fraction from 0 to 1",
            ))
        }
        Expect::Reaches { within: Some(within), .. } if !(within.is_finite() && *within > 0.0) => {
            Err(Error::value("expect.within", within, "a finite number above 0"))
        }
        Expect::Reaches { target: Target::Number(target), .. } if !target.is_finite() => {
            Err(Error::value("expect.target", target, "a finite number"))
        }
        _ => check_bounds(expect),
    }
}

fn check_bounds(expect: &Expect) -> Result<()> {
    let Some((at_least, at_most)) = expect.bounds() else { return Ok(()) };
    let bounds: Vec<f64> = at_least.into_iter().chain(at_most).collect();
    if bounds.is_empty() || !bounds.is_sorted() || bounds.iter().any(|bound| !bound.is_finite()) {
        let expected = "at_least or at_most, or both in this order, finite numbers";
        return Err(Error::value("expect", between(at_least, at_most), expected));
    }
    Ok(())
}

/// Every setting of a grid is valid, and occurs once; of a range, the ends are valid. `key` is the
/// key of the grid.
fn check_grid(series: &Series, key: &str, grid: &str, optimizers: &Optimizers) -> Result<()> {
    let grid: SpecLine = grid.parse()?;
    if grid.size().is_none_or(|size| size > MAX_GRID) {
        let expected = format!("at most {MAX_GRID} settings");
        return Err(Error::value(key, "a larger grid", expected));
    }
    let ends = trials::ends(&grid);
    if ends.is_empty() {
        return check_settings(series, key, grid.expand(), optimizers);
    }
    ends.iter().try_for_each(|end| PipelineConfig::read(end, optimizers).map(drop))
}

/// Every setting is valid, and occurs once.
fn check_settings(
    series: &Series,
    key: &str,
    settings: Vec<SpecLine>,
    optimizers: &Optimizers,
) -> Result<()> {
    let mut seen = HashSet::new();
    for candidate in settings {
        let config = PipelineConfig::read(&candidate, optimizers)?;
        if let (Some(own), Some(other)) = (&config.schedule, &series.schedule) {
            let found = format!("{other} beside {} in {key}", own.spec());
            return Err(Error::value("schedule", found, "only one schedule"));
        }
        let schedule =
            config.schedule.map_or(String::new(), |schedule| format!("|{}", schedule.spec()));
        let canonical = format!("{}{schedule}", config.spec);
        if !seen.insert(canonical.clone()) {
            let found = format!("{canonical} twice");
            return Err(Error::value(key, found, "each setting of a grid once"));
        }
    }
    Ok(())
}
