//! Reads and writes safetensors with metadata, whatever the model.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::store::{BurnToPyTorchAdapter, ModuleSnapshot, PyTorchToBurnAdapter, SafetensorsStore};
use burn::tensor::Tensor;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::files::{self, place_durably};
use crate::spec::Spec;

const SPEC: &str = "downhill.model";
const DATA: &str = "downhill.data";
const SHA256: &str = "downhill.data.sha256";

/// The largest header, with its length. A parameter takes about 100 bytes.
const MAX_HEADER: u64 = 1 << 20;

/// The expected file in error messages.
const SAVED: &str = "a model saved by `downhill train`";

/// The metadata of a model.
pub(super) struct Entries<'a> {
    pub spec: &'a Spec,
    pub data: &'a str,
    pub sha256: &'a str,
    /// those of its kind
    pub own: &'a [(&'static str, String)],
}

/// Writes a model, and waits until it is on the disk.
pub(super) fn write(model: &impl Module, entries: &Entries, path: &Path) -> Result<()> {
    let mut store = SafetensorsStore::from_bytes(None)
        .with_to_adapter(BurnToPyTorchAdapter)
        .skip_enum_variants(true)
        .metadata(SPEC, entries.spec.to_string())
        .metadata(DATA, entries.data)
        .metadata(SHA256, entries.sha256);
    for (key, value) in entries.own {
        store = store.metadata(*key, value);
    }
    let doing = format!("save the model as {}", path.display());
    model.save_into(&mut store).map_err(Error::failed(&doing))?;
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

/// The header of a file that [`write`] wrote.
pub(super) struct SavedFile<'a> {
    path: &'a Path,
    header: Value,
}

impl SavedFile<'_> {
    /// Reads the header, which is read before the rest: it says how large the file may be.
    pub fn open(path: &Path) -> Result<SavedFile<'_>> {
        if path.is_dir() {
            return Err(model_folder(path)?);
        }
        let file = files::open(path)?;
        let mut bytes = Vec::new();
        file.take(MAX_HEADER).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
        let (header, _) =
            parts(&bytes).ok_or_else(|| Error::content(path, "no safetensors header", SAVED))?;
        Ok(SavedFile { path, header })
    }

    /// The error for something else than a saved model.
    pub fn wrong(&self, found: impl ToString) -> Error {
        Error::content(self.path, found.to_string(), SAVED)
    }

    /// A text of the metadata.
    pub fn entry(&self, key: &str) -> Result<&str> {
        let entry = self.header.get(METADATA).and_then(|metadata| metadata.get(key));
        entry
            .and_then(Value::as_str)
            .ok_or_else(|| self.wrong(format!("a safetensors file without `{key}`")))
    }

    /// The model, with all settings.
    pub fn spec(&self) -> Result<Spec> {
        Ok(self.entry(SPEC)?.parse()?)
    }

    /// The training data.
    pub fn data(&self) -> Result<String> {
        self.entry(DATA).map(String::from)
    }

    /// The fingerprint of the training data.
    pub fn sha256(&self) -> Result<String> {
        self.entry(SHA256).map(String::from)
    }

    /// Puts the tensors of the file into a model of `parameters` numbers.
    pub fn fill<M: Module>(
        &self,
        spec: &Spec,
        parameters: usize,
        model: impl FnOnce() -> Result<M>,
    ) -> Result<M> {
        let path = self.path;
        let bytes = files::read(path, MAX_HEADER + 4 * parameters as u64)?;
        if parameters > bytes.len() / 4 {
            let needed = format!("at least four for each of the {parameters} parameters of {spec}");
            return Err(Error::content(path, format!("{} bytes", bytes.len()), needed));
        }
        self.check_types()?;
        let mut model = model()?;
        let mut store = SafetensorsStore::from_bytes(Some(bytes))
            .with_from_adapter(PyTorchToBurnAdapter)
            .skip_enum_variants(true);
        // burn's own message is a page long
        model.load_from(&mut store).map_err(|_| {
            self.wrong(format!("tensors whose names or shapes are not those of {spec}"))
        })?;
        let mut finite = Finite(true);
        model.visit(&mut finite);
        match finite.0 {
            true => Ok(model),
            false => Err(Error::content(path, "weights that are not finite", "finite weights")),
        }
    }

    /// Checks that all tensors are f32: burn panics on others.
    fn check_types(&self) -> Result<()> {
        let tensors = self.header.as_object().into_iter().flatten();
        for (name, tensor) in tensors.filter(|(name, _)| *name != METADATA) {
            let found = tensor.get("dtype").and_then(Value::as_str).unwrap_or("nothing");
            if found != "F32" {
                let found = format!("tensor {name} of type {found}");
                return Err(Error::content(self.path, found, "F32"));
            }
        }
        Ok(())
    }
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
