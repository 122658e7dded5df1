//! Replays recorded trajectories of other frameworks with downhill's optimizers.
//!
//! A file is JSON, as `tests/golden/generate.py`, `generate_modern.py` and
//! `generate_learning_rate_free.py` write it:
//!
//! ```text
//! lr       "lr for steps 1-20, lr/10 for steps 21-40"; the steps are in order, from 1
//! theta0   the parameter before the first step, a list of numbers
//! grads    for each step the gradient, the same for every optimizer
//! cases    a list of { framework: torch | keras | optax | schedulefree | pytorch_optimizer | timm
//!          | prodigyopt | dadaptation | heavyball, call, optimizer,
//!          settings: the framework's own arguments and lr,
//!          theta: for each step the parameter after it;
//!          optional: dialect, if it is not the name of the framework,
//!          evaluation: for each step the parameter to evaluate }
//! sparse   optional; { theta0: rows, steps: [{ rows, grad }], settings,
//!          torch_SparseAdam, torch_Adam_dense: for each step all rows }
//! ```

mod agreement;
mod arguments;
mod cases;
mod file;
mod mapping;
mod replay;
mod sparse;

pub use agreement::{Apart, Tolerance};
pub use file::{Case, Trajectories, read};
pub use replay::Replay;
