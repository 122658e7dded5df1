//! A model on disk: safetensors with PyTorch's layout and names. The metadata contain the spec, the
//! shapes and the data of the model.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::store::{BurnToPyTorchAdapter, ModuleSnapshot, PyTorchToBurnAdapter, SafetensorsStore};
use burn::tensor::{Device, Tensor};
use serde_json::{Value, json};

use super::build::Shapes;
use super::table::{Net, build, parameters};
use crate::data::{Dataset, Inputs};
use crate::error::{Error, Result};
use crate::files::{self, place_durably};
use crate::seed::Seed;
use crate::spec::Spec;

const SPEC: &str = "downhill.model";
const INPUT: &str = "downhill.input";
const CLASSES: &str = "downhill.classes";
const DATA: &str = "downhill.data";
const SHA256: &str = "downhill.data.sha256";

/// The largest header, with its length. A parameter takes about 100 bytes.
const MAX_HEADER: u64 = 1 << 20;

/// The expected file in error messages.
const SAVED: &str = "a model saved by `downhill train`";

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
    let mut store = SafetensorsStore::from_bytes(None)
        .with_to_adapter(BurnToPyTorchAdapter)
        .skip_enum_variants(true)
        .metadata(SPEC, spec.to_string())
        .metadata(INPUT, input)
        .metadata(CLASSES, shapes.classes.to_string())
        .metadata(DATA, data)
        .metadata(SHA256, sha256);
    let doing = format!("save the model as {}", path.display());
    net.save_into(&mut store).map_err(Error::failed(&doing))?;
    let bytes = store.get_bytes().map_err(Error::failed(&doing))?;
    let bytes = in_order(&bytes)
        .ok_or("burn wrote no safetensors header")
        .map_err(Error::failed(&doing))?;
    place_durably(path, &[&bytes])
}

/// The file with a sorted header, so that equal models have equal bytes.
fn in_order(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, data) = parts(bytes)?;
    let sorted = |value: Value| -> Option<BTreeMap<String, Value>> {
        Some(value.as_object()?.clone().into_iter().collect())
    };
    let mut header = sorted(header)?;
    let metadata = json!(sorted(header.remove(METADATA)?)?);
    header.insert(METADATA.into(), metadata);
    let mut text = serde_json::to_vec(&header).ok()?;
    text.resize(text.len().next_multiple_of(8), b' '); // the data have to be aligned
    Some([&(text.len() as u64).to_le_bytes(), text.as_slice(), data].concat())
}

/// Reads a model that [`save`] wrote.
///
/// # Errors
/// If the file is not such a model, or its tensors do not match the spec.
pub fn load(path: &Path, device: &Device) -> Result<(Net, ModelCard)> {
    let wrong = |found: String| Error::content(path, found, SAVED);
    if path.is_dir() {
        return Err(model_folder(path)?);
    }
    let header = read_header(path)?;
    let card = read_card(path, &header)?;
    let parameters = parameters(&card.spec, &card.shapes)?;
    let bytes = files::read(path, MAX_HEADER + 4 * parameters as u64)?;
    if parameters > bytes.len() / 4 {
        let needed =
            format!("at least four for each of the {parameters} parameters of {}", card.spec);
        return Err(Error::content(path, format!("{} bytes", bytes.len()), needed));
    }
    check_types(path, &header)?;
    let mut net = build(&card.spec, &card.shapes, Seed(0), device)?;
    let mut store = SafetensorsStore::from_bytes(Some(bytes))
        .with_from_adapter(PyTorchToBurnAdapter)
        .skip_enum_variants(true);
    // burn's own message is a page long
    net.load_from(&mut store).map_err(|_| {
        wrong(format!("tensors whose names or shapes are not those of {}", card.spec))
    })?;
    let mut finite = Finite(true);
    net.visit(&mut finite);
    if !finite.0 {
        return Err(Error::content(path, "weights that are not finite", "finite weights"));
    }
    Ok((net, card))
}

/// The header, which is read before the rest: it says how large the file may be.
fn read_header(path: &Path) -> Result<Value> {
    let file = files::open(path)?;
    let mut bytes = Vec::new();
    file.take(MAX_HEADER).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    let (header, _) =
        parts(&bytes).ok_or_else(|| Error::content(path, "no safetensors header", SAVED))?;
    Ok(header)
}

/// The description of the model in the metadata.
fn read_card(path: &Path, header: &Value) -> Result<ModelCard> {
    let wrong = |found: String| Error::content(path, found, SAVED);
    let metadata = header.get(METADATA).cloned().unwrap_or_default();
    let entry = |key: &str| {
        metadata
            .get(key)
            .and_then(Value::as_str)
            .ok_or_else(|| wrong(format!("a safetensors file without `{key}`")))
    };
    let spec: Spec = entry(SPEC)?.parse()?;
    let input: Option<Vec<usize>> = entry(INPUT)?.split('x').map(|n| n.parse().ok()).collect();
    let classes: Option<usize> = entry(CLASSES)?.parse().ok();
    let (Some(input), Some(classes)) = (input, classes) else {
        return Err(wrong("unreadable shapes in the metadata".into()));
    };
    Ok(ModelCard {
        spec,
        shapes: Shapes { input, classes },
        data: entry(DATA)?.into(),
        sha256: entry(SHA256)?.into(),
    })
}

/// Checks that all tensors are f32: burn panics on others.
fn check_types(path: &Path, header: &Value) -> Result<()> {
    let tensors = header.as_object().into_iter().flatten().filter(|(name, _)| *name != METADATA);
    for (name, tensor) in tensors {
        let found = tensor.get("dtype").and_then(Value::as_str).unwrap_or("nothing");
        if found != "F32" {
            return Err(Error::content(path, format!("tensor {name} of type {found}"), "F32"));
        }
    }
    Ok(())
}

const METADATA: &str = "__metadata__";

/// Header and data of a safetensors file: 8 bytes with the length of the header, the header as
/// JSON, the data.
fn parts(bytes: &[u8]) -> Option<(Value, &[u8])> {
    let length = usize::try_from(u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?)).ok()?;
    let end = length.checked_add(8)?;
    Some((serde_json::from_slice(bytes.get(8..end)?).ok()?, &bytes[end..]))
}

/// Whether all weights are finite.
struct Finite(bool);

impl ModuleVisitor for Finite {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0 &= param.val().into_data().iter::<f64>().all(f64::is_finite);
    }
}

/// The error for a folder in place of a model, with the models in it.
fn model_folder(folder: &Path) -> Result<Error> {
    let models = files::below(folder, "safetensors")?;
    let models: Vec<String> = models.iter().map(|path| path.display().to_string()).collect();
    let expected = match models.is_empty() {
        true => "the .safetensors file that `downhill train` wrote".into(),
        false => format!("a file, such as {}", models.join(" or ")),
    };
    Ok(Error::content(folder, "a folder", expected))
}
