//! A model on disk: safetensors in PyTorch's layout and names, with the model's spec, its shapes and its data among the metadata.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::store::{BurnToPyTorchAdapter, ModuleSnapshot, PyTorchToBurnAdapter, SafetensorsStore};
use burn::tensor::{Device, Tensor};
use serde_json::{Value, json};

use super::{Net, Shapes, build, parameters};
use crate::data::{Dataset, Inputs};
use crate::error::{Error, Result};
use crate::files::place;
use crate::seed::Seed;
use crate::spec::Spec;

const SPEC: &str = "downhill.model";
const INPUT: &str = "downhill.input";
const CLASSES: &str = "downhill.classes";
const DATA: &str = "downhill.data";
const SHA256: &str = "downhill.data.sha256";

/// What a file tells of its model.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// the model, with every setting
    pub spec: Spec,
    /// of inputs and classes
    pub shapes: Shapes,
    /// what it was trained on, as on the command line, with every setting of what was done to the data
    pub data: String,
    /// fingerprint of those examples
    pub sha256: String,
}

impl Told {
    /// Whether the model can be evaluated on these data, called so on the command line, and the result means something.
    ///
    /// # Errors
    /// If not.
    pub fn fits(&self, asked: &str, data: &Dataset) -> Result<()> {
        let wrong = |found: String, expected: String| Err(Error::content(asked, found, expected));
        let inputs = |shapes: &Shapes| format!("inputs of {:?} in {} classes", shapes.input, shapes.classes);
        let given = Shapes { input: data.test.shape.clone(), classes: data.classes };
        if given != self.shapes {
            return wrong(inputs(&given), format!("what the model was trained on, {}", inputs(&self.shapes)));
        }
        let prepared = |name: &str| name.split_once('|').map_or("as they are".to_string(), |(_, line)| format!("prepared by {line}"));
        if prepared(&data.name) != prepared(&self.data) {
            return wrong(format!("data {}", prepared(&data.name)), format!("data {}, as in training", prepared(&self.data)));
        }
        // which word a column counts is found out from the texts themselves
        if matches!(data.test.inputs, Inputs::Sparse(_)) && data.sha256() != self.sha256 {
            return wrong("texts with words of their own".into(), format!("those that the model was trained on, {}", self.data));
        }
        Ok(())
    }
}

/// Writes a model, whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn save(net: &Net, told: &Told, path: &Path) -> Result<()> {
    let Told { spec, shapes, data, sha256 } = told;
    let input = shapes.input.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    let mut store = SafetensorsStore::from_bytes(None)
        .with_to_adapter(BurnToPyTorchAdapter)
        .skip_enum_variants(true)
        .metadata(SPEC, spec.to_string())
        .metadata(INPUT, input)
        .metadata(CLASSES, shapes.classes.to_string())
        .metadata(DATA, data)
        .metadata(SHA256, sha256);
    let wrong = |error: String| Error::Asked(format!("cannot save the model as {}: {error}", path.display()));
    net.save_into(&mut store).map_err(|error| wrong(error.to_string()))?;
    let bytes = store.get_bytes().map_err(|error| wrong(error.to_string()))?;
    place(path, &in_order(&bytes).ok_or_else(|| wrong("burn wrote no safetensors header".into()))?)
}

/// The same file with its header's entries in order, so that the same model is the same bytes.
fn in_order(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, data) = parts(bytes)?;
    let sorted = |value: Value| -> Option<BTreeMap<String, Value>> { Some(value.as_object()?.clone().into_iter().collect()) };
    let mut header = sorted(header)?;
    let metadata = json!(sorted(header.remove(METADATA)?)?);
    header.insert(METADATA.into(), metadata);
    let mut text = serde_json::to_vec(&header).ok()?;
    text.resize(text.len().next_multiple_of(8), b' '); // the format asks for aligned data
    Some([&(text.len() as u64).to_le_bytes(), text.as_slice(), data].concat())
}

/// Reads a model that [`save`] wrote.
///
/// # Errors
/// If the file is not such a model, or its tensors do not fit it.
pub fn load(path: &Path, device: &Device) -> Result<(Net, Told)> {
    let expected = "a model saved by `downhill train`";
    let wrong = |found: String| Error::content(path, found, expected);
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let (header, _) = parts(&bytes).ok_or_else(|| wrong("no safetensors header".into()))?;
    let metadata = header.get(METADATA).cloned().unwrap_or_default();
    let entry = |key: &str| metadata.get(key).and_then(Value::as_str).ok_or_else(|| wrong(format!("a safetensors file without `{key}`")));
    let spec: Spec = entry(SPEC)?.parse()?;
    let input: Option<Vec<usize>> = entry(INPUT)?.split('x').map(|n| n.parse().ok()).collect();
    let classes: Option<usize> = entry(CLASSES)?.parse().ok();
    let (Some(input), Some(classes)) = (input, classes) else { return Err(wrong("unreadable shapes in the metadata".into())) };
    let shapes = Shapes { input, classes };
    let (data, sha256) = (entry(DATA)?.to_string(), entry(SHA256)?.to_string());
    let parameters = parameters(&spec, &shapes)?;
    if parameters > bytes.len() / 4 {
        let needed = format!("at least four for each of the {parameters} parameters of {spec}");
        return Err(Error::content(path, format!("{} bytes", bytes.len()), needed));
    }
    let mut net = build(&spec, &shapes, Seed(0), device)?;
    let mut store = SafetensorsStore::from_bytes(Some(bytes)).with_from_adapter(PyTorchToBurnAdapter).skip_enum_variants(true);
    // burn panics on tensors of another type, and tells others in a page of text
    let tensors = header.as_object().into_iter().flatten().filter(|(name, _)| *name != METADATA);
    let mut types = tensors.map(|(name, tensor)| (name, tensor.get("dtype").and_then(Value::as_str).unwrap_or("nothing")));
    if let Some((name, found)) = types.find(|(_, dtype)| *dtype != "F32") {
        return Err(Error::content(path, format!("tensor {name} of type {found}"), "F32"));
    }
    net.load_from(&mut store).map_err(|_| wrong(format!("tensors whose names or shapes are not those of {spec}")))?;
    let mut finite = Finite(true);
    net.visit(&mut finite);
    if !finite.0 {
        return Err(Error::content(path, "weights that are no finite numbers", "finite weights"));
    }
    Ok((net, Told { spec, shapes, data, sha256 }))
}

const METADATA: &str = "__metadata__";

/// Header and data of a safetensors file: 8 bytes with the header's length, the header as JSON, the data.
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
