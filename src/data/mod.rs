//! Data sets: examples with labels, kept on the device, in batches whose order comes from the run's
//! seed.
//!
//! [`load`] takes a name or a path. Each file format has a file here. Whatever the input files
//! contain, a reader returns data or an error, and it allocates no more than their size times a
//! constant.

pub mod archive;
pub mod binary;
mod bundled;
pub mod cifar;
mod contents;
mod dataset;
mod device_examples;
#[cfg(feature = "fetch")]
pub mod fetch;
mod fitted;
pub mod gcn;
pub mod idx;
pub mod imdb;
pub mod known;
mod layout;
pub mod mnist;
mod order;
pub mod prepare;
mod source;
pub mod sparse;
pub mod standardise;
pub mod text;
mod text_columns;
pub mod zca;

pub use bundled::{BUNDLED, Bundled};
pub use dataset::{Dataset, Examples, Inputs};
pub use device_examples::{Batch, DeviceExamples};
pub use order::{Shuffled, order};
pub use source::{like, load, load_both, load_unprepared};
pub use sparse::WORDS;
