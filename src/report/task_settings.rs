//! What the task of a series has in place of the experiment's: its penalty, its dropout, ...

use serde_json::Value;

use crate::experiment::Experiment;
use crate::spec::Spec;
use crate::task::TaskSpec;

/// The settings of a series' own task that differ from the experiment's task, such as
/// `l1:lambda=1e-4`; empty if there are none.
pub fn own_settings(experiment: Option<&Experiment>, series: &str) -> String {
    let series =
        experiment.and_then(|experiment| Some((experiment, experiment.series_named(series)?)));
    let Some((common, own)) =
        series.and_then(|(experiment, series)| Some((&experiment.task, series.task.as_ref()?)))
    else {
        return String::new();
    };
    differences(&fields(common), &fields(own)).join(", ")
}

fn fields(task: &TaskSpec) -> Value {
    serde_json::to_value(task).unwrap_or_default()
}

fn differences(common: &Value, own: &Value) -> Vec<String> {
    let own = own.as_object().into_iter().flatten();
    let different = own.filter(|(key, value)| common.get(key) != Some(value));
    let text = |(key, value): (&String, &Value)| {
        let spec = |value: Option<&Value>| value?.as_str()?.parse::<Spec>().ok();
        match (key.as_str(), spec(common.get(key)), spec(Some(value))) {
            // all series have this model, so its name is no difference
            ("model", Some(common), Some(own)) if common.name == own.name => {
                Some(settings_beside(&own, &common))
            }
            _ => text(&key.replace('_', " "), value),
        }
    };
    different.filter_map(text).filter(|text| !text.is_empty()).collect()
}

/// The settings that differ from those of another spec of the same name: `dropout=0.5`.
fn settings_beside(own: &Spec, common: &Spec) -> String {
    let different = own.settings.iter().filter(|setting| !common.settings.contains(setting));
    let removed = common
        .settings
        .iter()
        .filter(|(key, _)| own.settings.iter().all(|(other, _)| other != key))
        .map(|(key, _)| format!("no {key}"));
    let different = different.map(|(key, values)| format!("{key}={}", values.join(",")));
    different.chain(removed).collect::<Vec<_>>().join(", ")
}

/// A spec with settings says itself what it is; any other value gets its key.
fn text(key: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(none) if none == "none" => Some(format!("no {key}")),
        Value::String(spec) if spec.contains([':', '|']) => Some(spec.clone()),
        Value::String(word) => Some(format!("{key} {word}")),
        other => Some(format!("{key} {other}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_shown() {
        let common = json!({ "model": "mlp", "batch": 50, "penalty": "l2:lambda=1e-4" });
        let own = json!({ "model": "mlp", "batch": 20, "penalty": "none", "order": null });
        assert_eq!(differences(&common, &own), ["batch 20", "no penalty"]);
        let own = json!({ "model": "logistic", "batch": 50, "penalty": "l1:lambda=1e-4" });
        assert_eq!(differences(&common, &own), ["model logistic", "l1:lambda=1e-4"]);
        let own = json!({ "model": "mlp:dropout=0.5", "batch": 50, "penalty": "l2:lambda=1e-4" });
        assert_eq!(differences(&common, &own), ["dropout=0.5"]);
        assert_eq!(differences(&own, &common), ["no dropout"]);
        assert!(differences(&common, &common).is_empty());
    }
}
