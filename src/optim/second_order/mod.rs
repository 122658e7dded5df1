//! Newton's methods and L-BFGS: they move the whole model at once.
//!
//! A [`Rule`](super::Rule) gets one gradient. These methods evaluate the loss as often as they
//! need. It must be the same function each time: the full batch, without dropout. [`ModelLoss`]
//! makes such a function of a burn module and its loss:
//!
//! ```
//! use burn::nn::LinearConfig;
//! use burn::tensor::{Device, Tensor};
//! use downhill::optim::newton::{ModelLoss, NewtonCg, StopReason, flatten, unflatten};
//!
//! let device = Device::flex().autodiff();
//! let x = Tensor::<2>::from_floats([[0.0], [1.0], [2.0]], &device);
//! let y = Tensor::<2>::from_floats([[1.0], [3.0], [5.0]], &device);
//! let model = LinearConfig::new(1, 1).init(&device);
//! let mut loss = ModelLoss::new(&model, |model| {
//!     (model.forward(x.clone()) - y.clone()).square().mean()
//! });
//! let path = NewtonCg::new().with_tolerance(1e-4).minimize(&mut loss, flatten(&model));
//! assert_eq!(path.end, StopReason::Converged);
//! let model = unflatten(model, &path.points.last().unwrap().x)?;
//! let params = flatten(&model);
//! assert!((params[0] - 2.0).abs() < 1e-3 && (params[1] - 1.0).abs() < 1e-3);
//! # Ok::<(), downhill::optim::newton::NewtonError>(())
//! ```
//!
//! | | |
//! |---|---|
//! | `Newton` (feature `newton`), [`NewtonCg`], [`Lbfgs`] | the methods |
//! | [`Smooth`] | a function to minimize, and its second derivatives by differences |
//! | [`flatten`], [`unflatten`] | a model as one vector of parameters |
//! | [`WholeModel`] | any of the methods, in a training loop |

mod entries;
mod error;
mod flatten;
mod lbfgs;
mod line_search;
#[cfg(feature = "newton")]
mod linear_solve;
mod minimize;
mod model_loss;
#[cfg(feature = "newton")]
mod newton;
mod newton_cg;
mod smooth;
mod vector;
mod whole_model;

pub use error::NewtonError;
pub use flatten::{flatten, gradient_of, unflatten};
pub use lbfgs::{Lbfgs, LbfgsLineSearch};
pub use line_search::LineSearch;
pub use minimize::{Path, StopReason};
pub use model_loss::ModelLoss;
#[cfg(feature = "newton")]
pub use newton::{Newton, root};
pub use newton_cg::NewtonCg;
pub use smooth::{Iterate, Smooth};
pub use whole_model::WholeModel;

pub(crate) use entries::ENTRIES;
#[cfg(feature = "lab")]
pub(crate) use entries::is_whole_model;
