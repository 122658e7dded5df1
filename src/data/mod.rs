//! Data sets: examples with labels. They are kept on the device. The seed of the run determines the
//! order of the batches.
//!
//! [`load`] takes a name or a path. Each file format has a file here. Whatever the input files
//! contain, a reader returns data or an error, and it allocates no more than their size times a
//! constant.

pub mod archive;
pub mod arrays;
pub mod binary;
mod bundled;
pub mod cifar;
mod contents;
pub mod corpus;
pub mod csv_numbers;
mod dataset;
mod device_examples;
#[cfg(feature = "fetch")]
pub mod fetch;
mod fitted;
pub mod gcn;
pub mod idx;
pub mod imdb;
pub mod known;
mod labelled;
mod layout;
pub mod mnist;
mod order;
pub mod prepare;
mod source;
pub mod sparse;
pub mod standardise;
pub mod text;
mod text_columns;
pub mod tokens;
pub mod zca;

pub use arrays::Rows;
pub use bundled::{BUNDLED, Bundled};
pub use dataset::{Dataset, Examples, Inputs, Labels};
pub(crate) use device_examples::AT_ONCE;
pub use device_examples::{Batch, DeviceExamples};
pub use order::{Shuffled, order};
pub(crate) use source::check;
pub use source::{like, load, load_both, load_targets, load_unprepared};
pub use sparse::WORDS;
