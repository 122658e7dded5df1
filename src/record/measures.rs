//! The measurements of a point.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Values by name, in the order of the names. A report may hold a million points with the same
/// names, so the points of a record share them, and nothing is reserved for more values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures(Box<[(Arc<str>, f64)]>);

impl Measures {
    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.find(name).map(|at| self.0[at].1)
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(name)).ok()
    }

    /// All values with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    /// Gives a value another name.
    pub(super) fn rename(&mut self, old: &str, new: &str) {
        if let Some(at) = self.find(old) {
            self.0[at].0 = new.into();
            self.0.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
    }

    /// Uses the names in `known` instead of copies of them, and adds those that are missing there.
    pub(super) fn share_names(&mut self, known: &mut BTreeSet<Arc<str>>) {
        for (name, _) in &mut self.0 {
            match known.get(&**name) {
                Some(shared) => *name = shared.clone(),
                None => drop(known.insert(name.clone())),
            }
        }
    }
}

impl Index<&str> for Measures {
    type Output = f64;

    /// Panics if there is no value of this name.
    fn index(&self, name: &str) -> &f64 {
        &self.0[self.find(name).expect("a measurement of this name")].1
    }
}

impl From<BTreeMap<String, f64>> for Measures {
    fn from(values: BTreeMap<String, f64>) -> Measures {
        Measures(values.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

impl Serialize for Measures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Measures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Measures::from)
    }
}
