//! A setting of a grid: a pipeline spec and a schedule with every value spelled out.

use crate::spec::{Spec, SpecLine};

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
    /// each setting with its value
    values: Vec<(String, String)>,
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
        GridSetting { optimizer, schedule, names, name, values }
    }

    /// The same setting. Its names have the dialects that `written` names, since a canonical spec
    /// has none.
    pub fn named_as_in(self, written: &SpecLine) -> GridSetting {
        let names = match self.optimizer.parse::<SpecLine>() {
            Ok(line) => line.names_as_in(written),
            Err(_) => self.names.clone(),
        };
        GridSetting { names, ..self }
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

    /// The names of the pipeline, the learning rate, the weight decay if there is one, and the other
    /// swept settings: `clip_global|nag lr=1 mu=0.99`, `adamw@torch lr=0.001 lambda=0.01`.
    pub fn brief(&self, swept: &[String]) -> String {
        let is_shown = |(key, value): &&(String, String)| {
            key == "lr" || swept.contains(key) || (is_weight_decay(key) && value != "0")
        };
        let shown = self.values.iter().filter(is_shown);
        let shown = shown.map(|(key, value)| format!("{key}={value}"));
        std::iter::once(self.names.clone()).chain(shown).collect::<Vec<_>>().join(" ")
    }
}

/// Whether a setting of a pipeline is the strength of weight decay: `lambda`, `l2.lambda`,
/// `decay.lambda`, or `weight_decay` of burn's optimizers.
fn is_weight_decay(key: &str) -> bool {
    let name = key.rsplit('.').next().unwrap_or(key);
    ["lambda", "weight_decay"].contains(&name)
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
