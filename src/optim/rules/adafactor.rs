//! # Adafactor: second moments from the means of rows and columns
//!
//! ```text
//! b     = 1 - t^-decay_rate
//! r     = b r + (1 - b) (mean of each row of g^2 + eps)
//! c     = b c + (1 - b) (mean of each column of g^2 + eps)
//! v     = r c / mean(r)                             for matrices
//! v     = b v + (1 - b) (g^2 + eps)                 for vectors
//! u     = g / sqrt(v)
//! alpha = max(least_rms, RMS(x)) min(lr, 1 / sqrt(t))
//! x     = x - alpha u / max(1, RMS(u) / clip) - lr lambda x
//!
//! eps_use=least: eps is not added; mean(r) is at least eps, and v at least eps^2
//! relative_step=no: lr for min(lr, 1 / sqrt(t)).  scale_parameter=no: 1 for max(least_rms, RMS(x))
//! ```
//!
//! A matrix of n rows and k columns has n + k numbers of state instead of Adam's 2 n k. RMS is the
//! root of the mean square over a parameter. A tensor with more than two dimensions is a batch of
//! matrices, from its last two. There is no first moment.
//!
//! ## Differences
//! The paper, Keras and plain `adafactor` add eps to g^2, and so does Optax. torch bounds v instead;
//! its eps is that of the type, here that of f32. lr is at most 1/sqrt(t) in torch and Keras, and
//! whatever Keras' relative_step says. Optax has no such bound (`relative_step=no`), factors the two
//! largest dimensions if both have at least 128 elements, rounds b to f32, and does not multiply its
//! weight decay by lr. Keras decays the parameter before it takes RMS(x), and computes means in f32.
//! `l2`, `decay` and groups cannot be around `adafactor`. burn's is `burn:adafactor`.
//!
//! ## Source
//! Shazeer & Stern, "Adafactor: adaptive learning rates with sublinear memory cost", ICML 2018, arXiv
//! 1804.04235, algorithms 4 to 6.

use burn::optim::{ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

use crate::optim::entry::OptimizerEntry;
use crate::optim::{Value, dialects, reshaped};
use crate::spec::{Allowed, Settings, YES_OR_NO};

/// How [`Adafactor`] keeps the denominator from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpsUse {
    /// eps is added to the squares
    Added,
    /// eps² is the least second moment
    Least,
}
crate::words!(EpsUse { Added = "added", Least = "least" });

crate::settings! {
    /// Adafactor: it keeps means of rows and columns instead of a second moment for each element.
    pub struct Adafactor {
        /// exponent of the decay rate of the second moment, 1 - t^-decay_rate
        decay_rate: f64 = 0.8, Allowed::Positive;
        /// keeps the denominator from zero
        eps: f64 = 1e-30, Allowed::NotNegative;
        /// whether eps is added to the squares, or bounds the second moment
        eps_use: EpsUse = EpsUse::Added, EpsUse::WORDS;
        /// the least root mean square of a parameter that scales its steps
        least_rms: f64 = 1e-3, Allowed::NotNegative;
        /// the largest root mean square of u
        clip: f64 = 1.0, Allowed::Positive;
        /// lr is at most 1/√t
        relative_step: bool = true, YES_OR_NO;
        /// steps relative to the size of the parameter
        scale_parameter: bool = true, YES_OR_NO;
        /// the least number of rows and of columns of a matrix that is factored
        min_size: usize = 1, Allowed::Count;
        /// decoupled weight decay, multiplied by lr
        lambda: f64 = 0.0, Allowed::NotNegative;
    }
}

dialects! { Adafactor, lr 0.01;
    /// `torch.optim.Adafactor`
    torch: lr 0.01 { eps: 1.1920928955078125e-7, eps_use: EpsUse::Least }
    /// `keras.optimizers.Adafactor`
    keras: lr 1e-3 {}
    /// `optax.adafactor`, which has no default learning rate
    optax: lr 0.01 { relative_step: false, min_size: 128 }
}

pub(crate) const ENTRY: OptimizerEntry =
    OptimizerEntry::of_tensors::<Adafactor>("adafactor", include_str!("adafactor.rs"), None);

/// The state of one parameter in [`Adafactor`].
#[derive(Clone)]
pub struct AdafactorState<const D: usize> {
    t: u64,
    second: Second,
}

/// The second moments of a batch of matrices, or of a vector as a matrix of one row.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // there are few, one for each parameter
enum Second {
    /// the means of rows, [batch, rows, 1], and of columns, [batch, 1, columns]
    Factored { rows: Tensor<3>, columns: Tensor<3> },
    /// of each element
    Whole(Tensor<3>),
}

/// The shape [batch, rows, columns] of a parameter.
fn matrices(dims: &[usize]) -> [usize; 3] {
    match dims {
        [batch @ .., rows, columns] => [batch.iter().product(), *rows, *columns],
        _ => [1, 1, dims.iter().product()],
    }
}

/// The root of the mean square, for each element of a batch of matrices to be multiplied with.
fn rms(x: Tensor<3>) -> Tensor<3> {
    reshaped(x.square().mean().sqrt(), [1, 1, 1])
}

impl Adafactor {
    /// burn's optimizer of a whole module.
    ///
    /// # Panics
    /// If a setting is out of its range.
    pub fn init(&self) -> ModuleOptimizer {
        if let Err(error) = self.check("adafactor") {
            panic!("{error}");
        }
        self.clone().into()
    }

    fn initial_state<const D: usize>(&self, x: &Tensor<D>) -> AdafactorState<D> {
        let [batch, rows, columns] = matrices(&x.dims());
        let zeros = |shape: [usize; 3]| Tensor::zeros(shape, (&x.device(), x.dtype()));
        let second = match D > 1 && rows.min(columns) >= self.min_size {
            true => Second::Factored {
                rows: zeros([batch, rows, 1]),
                columns: zeros([batch, 1, columns]),
            },
            false => Second::Whole(zeros([batch, rows, columns])),
        };
        AdafactorState { t: 0, second }
    }

    /// The second moments of this step, and the new state. `b` is their decay rate.
    fn second_moment(&self, b: f64, g: Tensor<3>, state: Second) -> (Tensor<3>, Second) {
        let added = if self.eps_use == EpsUse::Added { self.eps } else { 0.0 };
        let squares = g.square() + added;
        let (v, state) = match state {
            Second::Factored { rows, columns } => {
                let rows = rows * b + squares.clone().mean_dim(2) * (1.0 - b);
                let columns = columns * b + squares.mean_dim(1) * (1.0 - b);
                let mean = rows.clone().mean_dim(1);
                let mean = match self.eps_use {
                    EpsUse::Added => mean,
                    EpsUse::Least => mean.clamp_min(self.eps),
                };
                let v = rows.clone().div_or_zero(mean) * columns.clone();
                (v, Second::Factored { rows, columns })
            }
            Second::Whole(v) => {
                let v = v * b + squares * (1.0 - b);
                (v.clone(), Second::Whole(v))
            }
        };
        match self.eps_use {
            EpsUse::Added => (v, state),
            EpsUse::Least => (v.clamp_min(self.eps * self.eps), state),
        }
    }

    /// The update, which is subtracted from `x`.
    fn update(&self, lr: f64, t: u64, x: Tensor<3>, g: Tensor<3>, v: Tensor<3>) -> Tensor<3> {
        let u = g.div_or_zero(v.sqrt());
        let largest = rms(u.clone()) * (1.0 / self.clip);
        let u = u / largest.clamp_min(1.0);
        let step = if self.relative_step { lr.min(1.0 / (t as f64).sqrt()) } else { lr };
        let u = match self.scale_parameter {
            true => u * rms(x.clone()).clamp_min(self.least_rms),
            false => u,
        };
        u * step + x * (lr * self.lambda)
    }
}

impl Optimizer for Adafactor {
    type State<const D: usize> = AdafactorState<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        x: Tensor<D>,
        g: Tensor<D>,
        state: Option<AdafactorState<D>>,
    ) -> (Tensor<D>, Option<AdafactorState<D>>) {
        let AdafactorState { t, second } = state.unwrap_or_else(|| self.initial_state(&x));
        let (t, shape) = (t + 1, x.shape());
        if shape.num_elements() == 0 {
            return (x, Some(AdafactorState { t, second }));
        }
        let of = matrices(&x.dims());
        let (x, g) = (reshaped(x, of), reshaped(g, of));
        let b = 1.0 - (t as f64).powf(-self.decay_rate);
        let (v, second) = self.second_moment(b, g.clone(), second);
        let update = self.update(lr, t, x.clone(), g, v);
        (reshaped(x - update, shape), Some(AdafactorState { t, second }))
    }

    fn to_device<const D: usize>(state: AdafactorState<D>, device: &Device) -> AdafactorState<D> {
        let second = match state.second {
            Second::Factored { rows, columns } => Second::Factored {
                rows: rows.to_device(device),
                columns: columns.to_device(device),
            },
            Second::Whole(v) => Second::Whole(v.to_device(device)),
        };
        AdafactorState { second, ..state }
    }
}

impl<const D: usize> RecordState for AdafactorState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, "t", self.t.into());
        match &self.second {
            Second::Factored { rows, columns } => {
                out.push_tensor(prefix, "r", rows.to_data());
                out.push_tensor(prefix, "c", columns.to_data());
            }
            Second::Whole(v) => out.push_tensor(prefix, "v", v.to_data()),
        }
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        let t = u64::try_from(from.take_scalar(prefix, "t")?).ok()?;
        let mut tensor = |name| {
            let data = from.take_tensor(prefix, name).filter(|data| data.rank() == 3)?;
            let dtype = data.dtype();
            Some(Tensor::from_data(data, (device, dtype)))
        };
        let second = match tensor("v") {
            Some(v) => Second::Whole(v),
            None => Second::Factored { rows: tensor("r")?, columns: tensor("c")? },
        };
        Some(AdafactorState { t, second })
    }
}
