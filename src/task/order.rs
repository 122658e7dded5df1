//! The order in which a task takes its examples.

use serde::{Deserialize, Serialize};

/// The order of the examples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExampleOrder {
    /// shuffled again for each epoch
    #[default]
    Reshuffled,
    /// shuffled once; the same order in each epoch
    Repeated,
    /// in the order of creation, again and again
    Cyclic,
}

impl ExampleOrder {
    /// As in the TOML.
    pub fn name(self) -> &'static str {
        match self {
            ExampleOrder::Reshuffled => "reshuffled",
            ExampleOrder::Repeated => "repeated",
            ExampleOrder::Cyclic => "cyclic",
        }
    }
}
