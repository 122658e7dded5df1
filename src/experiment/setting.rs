//! A setting of a grid: a pipeline spec and a schedule with every value spelled out.

use crate::schedule::SCHEDULES;
use crate::spec::{Spec, SpecLine, alias};

/// The name of the spec of a parameter group.
const GROUP: &str = "group";

/// A setting of a grid. Its values are read once, when it is made.
#[derive(Clone, Debug, PartialEq)]
pub struct GridSetting {
    /// canonical pipeline spec, without the schedule
    pub optimizer: String,
    /// canonical spec of the schedule
    pub schedule: String,
    /// the names of the specs, such as `clip_global|nag@torch`
    names: String,
    /// the name of the optimizer alone
    name: String,
    /// the names as legends show them, with the groups and the schedule that a series writes
    title: String,
    /// each setting with its value
    values: Vec<(String, String)>,
    /// the keys that were written as in another library, such as `lambda` as `weight_decay`
    aliases: Vec<(String, String)>,
}

impl GridSetting {
    /// A setting from canonical specs. A text that is not a spec has no values.
    pub fn new(optimizer: String, schedule: String) -> GridSetting {
        let pipeline = optimizer.parse().map_or(Vec::new(), |SpecLine(specs)| specs);
        let schedule_spec = schedule.parse().map_or(Vec::new(), |SpecLine(specs)| specs);
        let names = SpecLine(pipeline.clone()).names();
        let specs: Vec<Spec> = pipeline.into_iter().chain(schedule_spec).collect();
        let has_lr = |spec: &&Spec| spec.settings.iter().any(|(key, _)| key == "lr");
        let name = specs.iter().find(has_lr).map_or(String::new(), |spec| spec.name.clone());
        let values = specs.into_iter().flat_map(|spec| values_of(spec, &name)).collect();
        GridSetting {
            optimizer,
            schedule,
            title: names.clone(),
            names,
            name,
            values,
            aliases: Vec::new(),
        }
    }

    /// The same setting, shown as `written`: with the dialects, the parameter groups, the schedule
    /// and the keys that it names. A canonical spec has no dialects, and every setting.
    pub fn named_as_in(self, written: &SpecLine) -> GridSetting {
        let Ok(line) = self.optimizer.parse::<SpecLine>() else { return self };
        let names = line.names_as_in(written);
        let mut groups = written.0.iter().filter(|spec| spec.name == GROUP).map(without_sweeps);
        let part = |name: &str| match name {
            GROUP => groups.next().unwrap_or_else(|| name.into()),
            other => other.into(),
        };
        let parts: Vec<String> = names.split('|').map(part).collect();
        let is_schedule = |spec: &&Spec| SCHEDULES.iter().any(|known| known.name == spec.name);
        let schedule = written.0.iter().filter(is_schedule).map(without_sweeps);
        let title = parts.into_iter().chain(schedule).collect::<Vec<_>>().join("|");
        let own = written.0.iter().filter(|spec| spec.name == self.name);
        let keys = own.flat_map(|spec| &spec.settings).map(|(key, _)| key);
        let here = |key: &str| alias(key, self.values.iter().map(|(known, _)| known.as_str()));
        let aliases = keys.filter_map(|key| Some((here(key)?.to_string(), key.clone()))).collect();
        GridSetting { names, title, aliases, ..self }
    }

    /// Every setting with its value: those of the optimizer by their names, those of the gradient
    /// transformations as `ema.decay`, those of the schedule as `cosine.warmup`.
    pub fn values(&self) -> &[(String, String)] {
        &self.values
    }

    /// The value of a setting.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.values.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str())
    }

    /// The learning rate.
    pub fn lr(&self) -> Option<f64> {
        self.value("lr")?.parse().ok()
    }

    /// The names of the pipeline, with the dialects as they were written: `clip_global|nag@torch`.
    pub fn names(&self) -> &str {
        &self.names
    }

    /// The name of the optimizer. Only an optimizer has a learning rate.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key of a setting as the series writes it.
    fn as_written<'a>(&'a self, key: &'a str) -> &'a str {
        self.aliases.iter().find(|(here, _)| here == key).map_or(key, |(_, written)| written)
    }

    /// The names of the pipeline, with groups and schedule where the series writes them, the
    /// learning rate, the weight decay if there is one, and the other swept settings:
    /// `clip_global|nag|cosine:warmup=5 lr=1 mu=0.99`, `adamw@torch lr=0.001 lambda=0.01`.
    pub fn brief(&self, swept: &[String]) -> String {
        let is_shown = |(key, value): &&(String, String)| {
            key == "lr" || swept.contains(key) || (is_weight_decay(key) && value != "0")
        };
        let shown = self.values.iter().filter(is_shown);
        let shown = shown.map(|(key, value)| format!("{}={value}", self.as_written(key)));
        std::iter::once(self.title.clone()).chain(shown).collect::<Vec<_>>().join(" ")
    }
}

/// The spec without the settings that a grid or a range varies.
fn without_sweeps(spec: &Spec) -> String {
    let settings = spec
        .settings
        .iter()
        .filter(|(_, values)| matches!(&values[..], [one] if !one.contains('(')));
    Spec { settings: settings.cloned().collect(), ..spec.clone() }.to_string()
}

/// Whether a setting of a pipeline is the strength of weight decay: `lambda`, `l2.lambda`,
/// `decay.lambda`, or `weight_decay` of burn's optimizers. That of a group is in the title.
fn is_weight_decay(key: &str) -> bool {
    match key.rsplit_once('.') {
        Some((GROUP, _)) => false,
        Some((_, name)) => ["lambda", "weight_decay"].contains(&name),
        None => ["lambda", "weight_decay"].contains(&key),
    }
}

/// The settings of one spec; all but those of the optimizer get the name of their spec as a prefix.
fn values_of(spec: Spec, optimizer: &str) -> impl Iterator<Item = (String, String)> {
    let prefix = if spec.name == optimizer { String::new() } else { format!("{}.", spec.name) };
    spec.settings.into_iter().map(move |(key, values)| (format!("{prefix}{key}"), values.join(",")))
}

/// The names of the settings that differ within a grid. A setting that always equals the learning
/// rate, as AdamW's alpha does by default, is not counted.
pub fn swept(grid: &[&GridSetting]) -> Vec<String> {
    let Some(first) = grid.first() else { return Vec::new() };
    let differs = |key: &str| grid.iter().any(|other| other.value(key) != first.value(key));
    let follows_lr =
        |key: &str| key != "lr" && grid.iter().all(|other| other.value(key) == other.value("lr"));
    let keys = first.values.iter().map(|(key, _)| key);
    keys.filter(|key| differs(key) && !follows_lr(key)).cloned().collect()
}
