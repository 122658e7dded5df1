//! burn's own optimizers, named `burn:adam` and so on, so that other optimizers can be compared
//! with them. Settings have burn's names and defaults. burn stores them in f32.

mod adafactor;
mod adagrad;
mod adam;
mod adamw;
mod adan;
mod lamb;
mod lion;
mod muon;
mod rmsprop;
mod sgd;
mod wrapper;

pub use adafactor::Adafactor;
pub use adagrad::AdaGrad;
pub use adam::Adam;
pub use adamw::AdamW;
pub use adan::Adan;
pub use lamb::Lamb;
pub use lion::Lion;
pub use muon::{AdjustLr, Muon};
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

use crate::optim::entry::OptimizerEntry;
use wrapper::entry;

/// In table order.
pub(super) const ENTRIES: [OptimizerEntry; 10] = [
    entry::<Sgd>(),
    entry::<Adam>(),
    entry::<AdamW>(),
    entry::<AdaGrad>(),
    entry::<RmsProp>(),
    entry::<Lion>(),
    entry::<Lamb>(),
    entry::<Adan>(),
    entry::<Muon>(),
    entry::<Adafactor>(),
];
