//! The lab, feature `lab` (default): data, models, training, experiments, records, reports. It makes
//! the figures of papers and compares optimizers.
//!
//! | | |
//! |---|---|
//! | [`compare`](mod@compare) | a comparison of optimizers in one call |
//! | [`data`], [`augment`], [`model`], [`regularizer`] | what is trained, and on what |
//! | [`experiment`], [`task`], [`runner`] | a comparison: read from TOML, checked, run |
//! | [`record`], [`grade`], [`report`] | its records, verdicts and pages |
//! | [`suite`] | the same optimizers on several problems |
//! | [`train`] | the training loop, for a [`Problem`](train::Problem) of your own |
//! | [`surface`], [`study`], [`card`], [`verify`] | pictures, theory, diagnosis, proof |

#[path = "augment/mod.rs"]
pub mod augment;
#[path = "card/mod.rs"]
pub mod card;
#[path = "chart.rs"]
pub mod chart;
#[path = "compare/mod.rs"]
pub mod compare;
#[path = "data/mod.rs"]
pub mod data;
#[path = "device.rs"]
pub mod device;
#[path = "experiment/mod.rs"]
pub mod experiment;
#[path = "files.rs"]
pub mod files;
#[path = "grade/mod.rs"]
pub mod grade;
#[path = "memory.rs"]
pub mod memory;
#[path = "model/mod.rs"]
pub mod model;
#[path = "record/mod.rs"]
pub mod record;
#[path = "regularizer/mod.rs"]
pub mod regularizer;
#[path = "report/mod.rs"]
pub mod report;
#[path = "runner/mod.rs"]
pub mod runner;
#[path = "seed.rs"]
pub mod seed;
#[path = "study/mod.rs"]
pub mod study;
#[path = "suite/mod.rs"]
pub mod suite;
#[path = "surface/mod.rs"]
pub mod surface;
#[path = "task/mod.rs"]
pub mod task;
#[path = "train/mod.rs"]
pub mod train;
#[path = "verify/mod.rs"]
pub mod verify;

pub use compare::compare;
pub use typetag;
