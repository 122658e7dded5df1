//! What a record says about a task of a program.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::record::{Measure, TaskRecord, VALIDATION_LOSS, is_zero, on_data};

/// A measurement of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnMeasure {
    /// in the points of a record
    pub name: String,
    /// in tables and charts
    pub title: String,
}

impl OwnMeasure {
    /// With texts that live as long as the program.
    pub(super) fn measure(&self) -> Measure {
        Measure::new(lasting(&self.name), lasting(&self.title))
    }
}

/// The same text for the rest of the program. Each text is kept once, and a program has few of
/// them: the names in its records.
fn lasting(text: &str) -> &'static str {
    static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(known) = texts.get(text) {
        return known;
    }
    let lasting: &'static str = Box::leak(text.to_string().into_boxed_str());
    texts.insert(lasting);
    lasting
}

/// What a record says about a task of a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnRecord {
    /// what the program says about model and loss
    pub model: String,
    /// number of trained values
    pub parameters: usize,
    /// hash of the initial weights of seed 0 and of loss and gradients of one batch, rounded
    pub fingerprint: String,
    /// name of the data
    pub data: String,
    /// hash of all examples
    pub sha256: String,
    /// the shape of one input
    pub inputs: Vec<usize>,
    /// what is predicted, such as `3 classes` or `1 number`
    pub predicted: String,
    /// size of the training set
    pub train: usize,
    /// size of the test set
    pub test: usize,
    /// size of the validation set
    #[serde(default, skip_serializing_if = "is_zero")]
    pub validation: usize,
    /// batch size
    pub batch: usize,
    /// the program's own measurements
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<OwnMeasure>,
}

#[typetag::serde(name = "own")]
impl TaskRecord for OwnRecord {
    on_data!();

    fn size(&self) -> String {
        self.on_data().map_or(String::new(), |on| on.size(self.validation))
    }

    fn lines(&self) -> Vec<(&'static str, String)> {
        vec![
            ("task", format!("defined by the user's program, fingerprint {}", self.fingerprint)),
            ("model", format!("{}, {} parameters", self.model, self.parameters)),
            ("data", format!("{}; sha256 of all examples {}", self.size(), self.sha256)),
            ("inputs", format!("shape {:?}, {} to predict", self.inputs, self.predicted)),
            ("batch", format!("{} examples", self.batch)),
        ]
    }

    fn columns(&self) -> Vec<Measure> {
        let always =
            [Measure::new("train_loss", "training loss"), Measure::new("test_loss", "test loss")];
        always.into_iter().chain(self.measures.iter().map(OwnMeasure::measure)).collect()
    }

    fn other_measures(&self) -> Vec<Measure> {
        vec![Measure::new(VALIDATION_LOSS, "validation loss")]
    }
}
