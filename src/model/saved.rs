//! A model on disk: safetensors in PyTorch's layout and names, with the model's spec and shapes among the metadata.

use std::path::Path;

use burn::store::{BurnToPyTorchAdapter, ModuleSnapshot, PyTorchToBurnAdapter, SafetensorsStore};
use burn::tensor::Device;
use serde_json::Value;

use super::{Net, Shapes, build, parameters};
use crate::error::{Error, Result};
use crate::files::place;
use crate::seed::Seed;
use crate::spec::Spec;

const SPEC: &str = "downhill.model";
const INPUT: &str = "downhill.input";
const CLASSES: &str = "downhill.classes";

/// Writes a model, whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn save(net: &Net, spec: &Spec, shapes: &Shapes, path: &Path) -> Result<()> {
    let input = shapes.input.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    let mut store = SafetensorsStore::from_bytes(None)
        .with_to_adapter(BurnToPyTorchAdapter)
        .skip_enum_variants(true)
        .metadata(SPEC, spec.to_string())
        .metadata(INPUT, input)
        .metadata(CLASSES, shapes.classes.to_string());
    let wrong = |error: String| Error::Asked(format!("cannot save the model as {}: {error}", path.display()));
    net.save_into(&mut store).map_err(|error| wrong(error.to_string()))?;
    place(path, &store.get_bytes().map_err(|error| wrong(error.to_string()))?)
}

/// Reads a model that [`save`] wrote.
///
/// # Errors
/// If the file is not such a model, or its tensors do not fit it.
pub fn load(path: &Path, device: &Device) -> Result<(Net, Spec, Shapes)> {
    let expected = "a model saved by `downhill train`";
    let wrong = |found: String| Error::content(path, found, expected);
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let metadata = metadata(&bytes).ok_or_else(|| wrong("no safetensors header".into()))?;
    let entry = |key: &str| metadata.get(key).and_then(Value::as_str).ok_or_else(|| wrong(format!("a safetensors file without `{key}`")));
    let spec: Spec = entry(SPEC)?.parse()?;
    let input: Option<Vec<usize>> = entry(INPUT)?.split('x').map(|n| n.parse().ok()).collect();
    let classes: Option<usize> = entry(CLASSES)?.parse().ok();
    let (Some(input), Some(classes)) = (input, classes) else { return Err(wrong("unreadable shapes in the metadata".into())) };
    let shapes = Shapes { input, classes };
    let parameters = parameters(&spec, &shapes)?;
    if parameters > bytes.len() / 4 {
        let needed = format!("at least four for each of the {parameters} parameters of {spec}");
        return Err(Error::content(path, format!("{} bytes", bytes.len()), needed));
    }
    let mut net = build(&spec, &shapes, Seed(0), device)?;
    let mut store = SafetensorsStore::from_bytes(Some(bytes)).with_from_adapter(PyTorchToBurnAdapter).skip_enum_variants(true);
    net.load_from(&mut store).map_err(|error| wrong(error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")))?;
    Ok((net, spec, shapes))
}

/// The metadata in the header of a safetensors file: 8 bytes with the header's length, then the header as JSON.
fn metadata(bytes: &[u8]) -> Option<Value> {
    let length = usize::try_from(u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?)).ok()?;
    let header: Value = serde_json::from_slice(bytes.get(8..length.checked_add(8)?)?).ok()?;
    header.get("__metadata__").cloned()
}
