//! Converts record format 1 to format 2.
//!
//! Format 1 had `formula`, a hash of the optimizer's source file. Format 2 has `fingerprint`, a
//! hash of the steps that the pipeline takes. The fingerprint is computed from the pipeline spec in
//! the record. This is correct only if the optimizer took the same steps when the record was
//! written. Therefore the formula has to be one of those below. They belong to the last source
//! files of format 1, whose steps agree with the recorded cases in `tests/golden`.

use downhill::lab::record::{FORMAT, Header};
use downhill::optim::Optimizers;
use downhill::pipeline::PipelineConfig;
use serde_json::{Map, Value, json};

/// The last source files of format 1: optimizer and hash.
const FORMULAS: [(&str, &str); 17] = [
    ("sgd", "366c9201"),
    ("momentum", "1c0d8074"),
    ("nag", "769346f0"),
    ("adagrad", "db624c43"),
    ("rmsprop", "41493e6a"),
    ("adadelta", "ec5a0f4c"),
    ("adam", "5879bce2"),
    ("amsgrad", "8dad5218"),
    ("adamw", "172e3981"),
    ("nadam", "4f4b90cd"),
    ("radam", "1f3758b3"),
    ("adamax", "af7dc819"),
    ("adabelief", "1068515b"),
    ("lion", "1ef25ab3"),
    ("rprop", "6ae9e1db"),
    ("delta_bar_delta", "2876429f"),
    ("lazy_adam", "5e640837"),
];

/// A record of format 2.
pub struct Converted {
    pub file_name: String,
    pub text: String,
}

/// Converts the text of a record. Points and end are copied byte by byte.
///
/// # Errors
/// If the text is not a record of format 1, its pipeline spec is unknown, or its formula is older
/// than format 1's last.
pub fn convert(text: &str, optimizers: &Optimizers) -> Result<Converted, String> {
    let (first, rest) = text.split_once('\n').ok_or("no line")?;
    let old: Map<String, Value> = serde_json::from_str(first).map_err(|error| error.to_string())?;
    let text_of = |key: &str| old.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
    if old.get("format") != Some(&json!(1)) {
        return Err(format!(
            "found format {}, expected 1",
            old.get("format").unwrap_or(&Value::Null)
        ));
    }
    let spec = text_of("optimizer").parse().map_err(|error| format!("optimizer: {error}"))?;
    let config = PipelineConfig::read(&spec, optimizers).map_err(|error| error.to_string())?;
    let (name, formula) = (config.optimizer.spec.name.clone(), text_of("formula"));
    if !FORMULAS.contains(&(name.as_str(), formula.as_str())) {
        return Err(format!(
            "formula {formula} is not the last one of {name}, so the run has to be repeated"
        ));
    }
    let mut new = Map::new();
    for (key, value) in old {
        match key.as_str() {
            "format" => new.insert(key, json!(FORMAT)),
            "formula" => new.insert("fingerprint".into(), json!(config.fingerprint())),
            _ => new.insert(key, value),
        };
    }
    let line = serde_json::to_string(&new).map_err(|error| error.to_string())?;
    new.shift_remove("record"); // the tag of the line is not part of the header
    let header: Header =
        serde_json::from_value(Value::Object(new)).map_err(|error| error.to_string())?;
    Ok(Converted { file_name: header.file_name(), text: format!("{line}\n{rest}") })
}
