//! A model on disk: safetensors with PyTorch's layout and names. The metadata contain the spec, the
//! shapes and the data of the model. This file is about classifiers, `language.rs` about language
//! models; `file.rs` reads and writes the files of both.

mod file;
pub mod language;

use std::path::Path;

use burn::tensor::Device;

use self::file::{Entries, SavedFile};
use super::build::Shapes;
use super::table::{Net, build, parameters};
use crate::data::{Dataset, Inputs};
use crate::error::{Error, Result};
use crate::seed::Seed;
use crate::spec::Spec;

const INPUT: &str = "downhill.input";
const CLASSES: &str = "downhill.classes";

/// The name of the model in a file that `downhill train` wrote, such as `mlp`.
///
/// # Errors
/// If the file is not such a model.
pub fn model_name(path: &Path) -> Result<String> {
    Ok(SavedFile::open(path)?.spec()?.name)
}

/// The description of a saved model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelCard {
    /// the model, with all settings
    pub spec: Spec,
    /// the shape of its inputs and the number of classes
    pub shapes: Shapes,
    /// the training data, as on the command line, with all settings of their preparations
    pub data: String,
    /// the fingerprint of the data
    pub sha256: String,
}

impl ModelCard {
    /// Checks that an evaluation of the model on these data is possible and meaningful. `name` is
    /// the name of the data on the command line.
    ///
    /// # Errors
    /// If it cannot.
    pub fn fits(&self, name: &str, data: &Dataset) -> Result<()> {
        let wrong = |found: String, expected: String| Err(Error::content(name, found, expected));
        let inputs =
            |shapes: &Shapes| format!("inputs of {:?} in {} classes", shapes.input, shapes.classes);
        let found = Shapes { input: data.test.shape.clone(), classes: data.classes };
        if found != self.shapes {
            return wrong(
                inputs(&found),
                format!("those that the model was trained on, {}", inputs(&self.shapes)),
            );
        }
        let prepared = |name: &str| {
            name.split_once('|').map_or("without preparation".to_string(), |(_, line)| {
                format!("prepared by {line}")
            })
        };
        if prepared(&data.name) != prepared(&self.data) {
            return wrong(
                format!("data {}", prepared(&data.name)),
                format!("data {}, as in training", prepared(&self.data)),
            );
        }
        // the vocabulary depends on the texts
        if matches!(data.test.inputs, Inputs::Sparse(_)) && data.sha256() != self.sha256 {
            return wrong(
                "texts with a different vocabulary".into(),
                format!("those that the model was trained on, {}", self.data),
            );
        }
        Ok(())
    }
}

/// Writes a model, and waits until it is on the disk. It is written by one process at a time.
///
/// # Errors
/// If the file cannot be written.
pub fn save(net: &Net, card: &ModelCard, path: &Path) -> Result<()> {
    let ModelCard { spec, shapes, data, sha256 } = card;
    let input = shapes.input.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    let own = [(INPUT, input), (CLASSES, shapes.classes.to_string())];
    file::write(net, &Entries { spec, data, sha256, own: &own }, path)
}

/// Reads a model that [`save`] wrote.
///
/// # Errors
/// If the file is not such a model, or its tensors do not match the spec.
pub fn load(path: &Path, device: &Device) -> Result<(Net, ModelCard)> {
    let file = SavedFile::open(path)?;
    let spec = file.spec()?;
    let input: Option<Vec<usize>> = file.entry(INPUT)?.split('x').map(|n| n.parse().ok()).collect();
    let classes: Option<usize> = file.entry(CLASSES)?.parse().ok();
    let (Some(input), Some(classes)) = (input, classes) else {
        return Err(file.wrong("unreadable shapes in the metadata"));
    };
    let shapes = Shapes { input, classes };
    let (data, sha256) = (file.data()?, file.sha256()?);
    let parameters = parameters(&spec, &shapes)?;
    let net = file.fill(&spec, parameters, || build(&spec, &shapes, Seed(0), device))?;
    Ok((net, ModelCard { spec, shapes, data, sha256 }))
}
