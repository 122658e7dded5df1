//! Which parameters a group contains.

use crate::spec::{Allowed, SettingValue};

/// Which parameters a group contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Params {
    /// Those with fewer than two dimensions: biases and the weights of normalization layers.
    Vectors,
    /// Those whose path, such as `hidden.0.weight`, contains one of these texts.
    Paths(Vec<String>),
}

impl Params {
    pub(super) const ALLOWED: Allowed =
        Allowed::Text("vectors, or parts of parameter paths, such as embedding or output+norm");

    /// The parameters whose path contains one of these texts.
    pub fn paths(parts: &[&str]) -> Params {
        Params::Paths(parts.iter().map(|part| part.to_string()).collect())
    }
}

impl SettingValue for Params {
    fn read(text: &str, _: Allowed) -> Option<Params> {
        if text == "vectors" {
            return Some(Params::Vectors);
        }
        let parts: Vec<String> = text.split('+').map(String::from).collect();
        (!parts.iter().any(String::is_empty)).then_some(Params::Paths(parts))
    }

    fn show(&self) -> String {
        match self {
            Params::Vectors => "vectors".into(),
            Params::Paths(parts) => parts.join("+"),
        }
    }
}
