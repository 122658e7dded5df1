//! What a record says about its task: the trait that every kind of task implements in its own file
//! in `src/task/`.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use super::curve::BATCH_LOSS;
use crate::error::Result;
use crate::surface::Surface;

/// A measurement: its name in the points of a record, and the title of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// in the points of a record
    pub name: &'static str,
    /// in tables and charts
    pub title: &'static str,
}

impl Measure {
    /// A measurement with its title.
    pub const fn new(name: &'static str, title: &'static str) -> Measure {
        Measure { name, title }
    }
}

/// What a record says about its task, and how a report shows it.
///
/// The fields are the resolved settings of a task: every spec with every setting, the sizes and the
/// hash of the data. Two runs are of the same task if these fields are equal.
#[typetag::serde(tag = "kind")]
pub trait TaskRecord: Any + fmt::Debug + Send + Sync {
    /// Model, data and sizes, if the task is a model on data. The methods below show them.
    fn on_data(&self) -> Option<OnData<'_>> {
        None
    }

    /// The task in a few words, such as `logistic on mnist-10k`.
    fn title(&self) -> String {
        match self.on_data() {
            Some(on) => format!("{} on {}", on.model, on.data),
            None => self.typetag_name().into(),
        }
    }

    /// Name and size of the data, or what replaces them.
    fn size(&self) -> String {
        match self.on_data() {
            Some(on) => on.size(0),
            None => "no data".into(),
        }
    }

    /// All fields as pairs of a name and a text.
    fn lines(&self) -> Vec<(&'static str, String)>;

    /// The measurements with a column in the table of final values. The first is the metric where
    /// no experiment names one.
    fn columns(&self) -> Vec<Measure>;

    /// Measurements without a column.
    fn other_measures(&self) -> Vec<Measure> {
        Vec::new()
    }

    /// The label of the x axis.
    fn x_label(&self) -> &'static str {
        "epochs"
    }

    /// Name of the data with its preparation, `cifar10|gcn|zca`; `None` for a task without data.
    fn data(&self) -> Option<&str> {
        self.on_data().map(|on| on.data)
    }

    /// Whether every seed gives the same run.
    fn is_deterministic(&self) -> bool {
        false
    }

    /// The charts of a report. Empty means the standard charts: the metric against epochs, linear
    /// and logarithmic.
    fn charts(&self) -> Vec<ChartRequest> {
        Vec::new()
    }

    /// The surface on which the runs are drawn as paths.
    ///
    /// # Errors
    /// If the formula in the record cannot be read.
    fn landscape(&self) -> Result<Option<Landscape>> {
        Ok(None)
    }

    /// The fields that all series of one experiment have in common, even if a series has a task of
    /// its own.
    fn common(&self) -> Value {
        match self.on_data() {
            Some(OnData { data, sha256, train, test, .. }) => {
                json!({ "data": data, "sha256": sha256, "train": train, "test": test })
            }
            None => Value::Null,
        }
    }

    /// The options of `downhill train` that repeat this task; `None` if that command cannot.
    fn training_command(&self) -> Option<TrainingCommand> {
        None
    }
}

/// What the record of a model on data says, whatever the kind of its task.
pub struct OnData<'a> {
    /// spec or description of the model
    pub model: &'a str,
    /// name of the data with their preparation
    pub data: &'a str,
    /// hash of all examples
    pub sha256: &'a str,
    /// size of the training set
    pub train: usize,
    /// size of the test set
    pub test: usize,
}

impl OnData<'_> {
    /// Name and size of the data, of which so many examples are for validation.
    pub fn size(&self, validation: usize) -> String {
        let OnData { data, train, test, .. } = self;
        let size = format!("{data}: {train} training and {test} test examples");
        match validation {
            0 => size,
            n => format!("{size}, {n} validation examples"),
        }
    }
}

/// For serde: a size that is not written.
pub(crate) fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// Implements [`TaskRecord::on_data`] with the fields of the same names.
macro_rules! on_data {
    () => {
        fn on_data(&self) -> Option<$crate::record::OnData<'_>> {
            Some($crate::record::OnData {
                model: &self.model,
                data: &self.data,
                sha256: &self.sha256,
                train: self.train,
                test: self.test,
            })
        }
    };
}
pub(crate) use on_data;

/// The options of `downhill train` that belong to a task, such as `("model", "logistic")`.
pub type TrainingCommand = Vec<(&'static str, String)>;

/// A chart that a kind of task asks for.
#[derive(Clone, Debug)]
pub struct ChartRequest {
    /// stem of the file
    pub name: &'static str,
    /// above the chart
    pub title: &'static str,
    /// the measurement on the x axis and its label; steps or epochs by default
    pub x: Option<Measure>,
    /// the measurement on the y axis and its label; the metric by default
    pub y: Option<Measure>,
    /// scale of the x axis
    pub x_axis: Axis,
    /// scale of the y axis
    pub y_axis: Axis,
}

/// The scale of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// linear
    Linear,
    /// logarithmic
    Log,
    /// logarithmic if all values are above zero and span more than two decades
    LogIfWide,
}

/// A surface, and which measurements are the coordinates on it.
#[derive(Clone, Debug)]
pub struct Landscape {
    /// the function and its window
    pub surface: Surface,
    /// its formula in words
    pub formula: String,
    /// the measurement that is the height
    pub height: &'static str,
    /// names of the two coordinates
    pub axes: [&'static str; 2],
}

/// A [`TaskRecord`] of any kind, as it stands in a header.
#[derive(Clone, Debug)]
pub struct RecordedTask(Arc<dyn TaskRecord>);

impl RecordedTask {
    /// The fields of one kind.
    pub fn new(task: impl TaskRecord) -> RecordedTask {
        RecordedTask(Arc::new(task))
    }

    /// The fields, if they are of this kind.
    pub fn as_kind<T: TaskRecord>(&self) -> Option<&T> {
        (&*self.0 as &dyn Any).downcast_ref()
    }

    /// Name of the data without its preparation.
    pub fn data_name(&self) -> Option<&str> {
        self.data()?.split('|').next()
    }

    /// The title of a measurement; its name if the task does not know it.
    pub fn measure_title(&self, name: &str) -> String {
        if name == BATCH_LOSS {
            return "mini-batch loss".into();
        }
        let known = self.columns().into_iter().chain(self.other_measures());
        known.into_iter().find(|known| known.name == name).map_or(name, |known| known.title).into()
    }
}

impl Deref for RecordedTask {
    type Target = dyn TaskRecord;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

/// Equal fields, whatever the kind.
impl PartialEq for RecordedTask {
    fn eq(&self, other: &Self) -> bool {
        let json = |task: &RecordedTask| serde_json::to_value(task).ok();
        json(self) == json(other)
    }
}

impl Serialize for RecordedTask {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RecordedTask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Box::<dyn TaskRecord>::deserialize(deserializer).map(|task| RecordedTask(task.into()))
    }
}
