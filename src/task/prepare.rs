//! What preparing a task needs: the options of the command, the sizes of the scale, and the data
//! that are loaded already.

use std::sync::Arc;

use burn::tensor::Device;

use super::splits::{Splits, Subset};
use crate::data::prepare::Prepare;
use crate::data::{self, Dataset};
use crate::error::{Error, Result};
use crate::model::Shapes;

/// The options of the command and the sizes of the scale. All series of an experiment share one
/// context, so data are loaded once.
#[derive(Default)]
pub struct TaskContext {
    /// data that the user gave instead of the task's
    pub data: Option<String>,
    /// data of the scale instead of the task's
    pub scale_data: Option<String>,
    /// `flex`, `ndarray` or `wgpu`
    pub device: String,
    /// limits on training and test examples
    pub subset: Subset,
    /// data sets of the program, which the data of a task may name
    pub datasets: Vec<Dataset>,
    loaded: Vec<(DataRequest, Arc<LoadedData>)>,
}

/// What identifies loaded data.
#[derive(Clone, PartialEq)]
pub(super) struct DataRequest {
    /// name or path with preparation
    pub data: String,
    /// which examples are used
    pub subset: Subset,
    /// whether the images before their preparation are needed too, for augmentation
    pub images: bool,
    /// what is to be predicted
    pub labels: Wanted,
}

/// What a task predicts.
#[derive(Clone, PartialEq)]
pub(super) enum Wanted {
    /// a class
    Classes,
    /// a number; in a CSV file the column of this name, or else the last
    Number(Option<String>),
}

/// Data on a device, and what a header says about them.
pub(super) struct LoadedData {
    pub name: String,
    pub sha256: String,
    pub shapes: Shapes,
    /// whether the inputs are pixels from 0 to 1
    pub pixels: bool,
    pub splits: Splits,
}

impl TaskContext {
    /// A context of one device, with the task's own data.
    pub fn on(device: &str) -> TaskContext {
        TaskContext { device: device.into(), ..TaskContext::default() }
    }

    /// The data of a task: the user's, the scale's or its own. The task's preparation stays, unless
    /// the other data have one.
    pub(super) fn data_of(&self, task: &str) -> String {
        let other = self.data.as_deref().or(self.scale_data.as_deref());
        other.map_or_else(|| task.into(), |other| data::like(other, task))
    }

    /// The device with autodiff.
    pub(super) fn autodiff_device(&self) -> Result<Device> {
        Ok(crate::device::find(&self.device)?.autodiff())
    }

    /// Loads data, once for all series that ask for the same.
    pub(super) fn load(
        &mut self,
        request: DataRequest,
        device: &Device,
    ) -> Result<Arc<LoadedData>> {
        if let Some((_, known)) = self.loaded.iter().find(|(known, _)| *known == request) {
            return Ok(known.clone());
        }
        let loaded = Arc::new(LoadedData::load(&request, &self.datasets, device)?);
        self.loaded.push((request, loaded.clone()));
        Ok(loaded)
    }

    /// Fails if the user chose data or a device: a task without data runs on the CPU, in f64.
    pub(super) fn check_without_data(&self) -> Result<()> {
        match (&self.data, self.device.as_str()) {
            (Some(data), _) => {
                let expected = "no --data, because this experiment uses no data set";
                Err(Error::value("--data", data, expected))
            }
            (None, "flex") => Ok(()),
            (None, other) => {
                let expected = "flex, because this experiment always runs on the CPU, in f64";
                Err(Error::value("--device", other, expected))
            }
        }
    }
}

impl LoadedData {
    fn load(request: &DataRequest, own: &[Dataset], device: &Device) -> Result<LoadedData> {
        let DataRequest { data, subset, images, labels } = request;
        let (loaded, images) = match (own_data(data, own)?, labels) {
            (Some(own), _) => (own, None),
            (None, Wanted::Number(column)) => (data::load_targets(data, column.as_deref())?, None),
            (None, Wanted::Classes) if *images => data::load_both(data)?,
            (None, Wanted::Classes) => (data::load(data)?, None),
        };
        let has_classes = loaded.classes > 0;
        if has_classes != (*labels == Wanted::Classes) {
            let [numbers, classes] = ["numbers to predict", "classes to predict"];
            let (found, expected) =
                if has_classes { (classes, numbers) } else { (numbers, classes) };
            return Err(Error::content(format!("data {data}"), found, expected));
        }
        let splits = Splits::of(&loaded, *subset, device);
        let splits = match images {
            Some((images, prepared)) => splits.with_images(&images, prepared, *subset),
            None => splits,
        };
        if splits.train.is_empty() || splits.test.is_empty() {
            let expected = "some, after the validation examples are split off";
            return Err(Error::content(data, "no example to train or to test on", expected));
        }
        let outputs = loaded.classes.max(loaded.train.labels.width());
        Ok(LoadedData {
            name: loaded.name.clone(),
            sha256: loaded.sha256(),
            shapes: Shapes { input: loaded.train.shape.clone(), classes: outputs },
            pixels: loaded.train.are_pixels(),
            splits,
        })
    }
}

/// A data set of the program by its name, prepared.
fn own_data(name: &str, own: &[Dataset]) -> Result<Option<Dataset>> {
    let (name, preparation) = match name.split_once('|') {
        Some((name, preparation)) => (name.trim(), Some(preparation)),
        None => (name, None),
    };
    let Some(data) = own.iter().find(|data| data.name == name) else { return Ok(None) };
    match preparation {
        Some(preparation) => Prepare::read(preparation)?.of(data.clone()).map(Some),
        None => Ok(Some(data.clone())),
    }
}
