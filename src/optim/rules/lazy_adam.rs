//! # LazyAdam: Adam for the rows that have a gradient
//!
//! ```text
//! for each row with a gradient:
//!     m, v, m_hat, v_hat and x as in Adam, eps_place=hat
//! all other rows of x, m and v do not change
//! ```
//!
//! It is for embeddings: a batch uses a few rows of a large table. In Adam, momentum keeps moving
//! all other rows too.
//!
//! In a training loop a row has a gradient if not all of it is zero; burn's gradients are dense, so
//! this is the only sign. If you know the rows, give them to [`LazyAdam::step_rows`]. Its cost
//! depends on the given rows only. There, momentum also moves a given row whose gradient is all
//! zero, as in TensorFlow and torch. A tensor of rank 1 is not a table, and takes a normal Adam
//! step.
//!
//! ## Differences
//! S3 describes TensorFlow-addons' LazyAdam; torch's SparseAdam takes the same steps. Both count
//! all steps for t in the bias correction (`clock=global`, the default here). `clock=row` counts
//! the steps of each row. Both have Keras's epsilon hat. Keras, Optax and burn have no lazy Adam.
//! There is no weight decay, because it would change every row.
//!
//! ## Source
//! S3; TensorFlow-addons, `LazyAdam`; torch, `SparseAdam`.

use std::ops::{AddAssign, Sub};

use burn::optim::{ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{DType, Device, Tensor, TensorData};
use rayon::prelude::*;

use super::adam::Adam;
use crate::burn_internals::{Buffer, Number};
use crate::optim::entry::OptimizerEntry;
use crate::optim::pass::{PassBuffers, pass_on_one_thread};
use crate::optim::{EpsPlace, Lane, StepContext, Value, dialects};
use crate::spec::{Allowed, Settings};

/// How [`LazyAdam`] counts the steps of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// all steps of the table
    Global,
    /// the steps in which the row had a gradient
    Row,
}
crate::words!(Clock { Global = "global", Row = "row" });

crate::settings! {
    /// Adam that does not change the rows without gradient.
    pub struct LazyAdam {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps is added in the denominator
        eps_place: EpsPlace = EpsPlace::Hat, EpsPlace::WORDS;
        /// which steps are counted: those of the table, or those of each row
        clock: Clock = Clock::Global, Clock::WORDS;
    }
}

dialects! { LazyAdam, lr 1e-3;
    /// `torch.optim.SparseAdam`
    torch: lr 1e-3 {}
    /// TensorFlow-addons' `LazyAdam`
    tfa: lr 1e-3 { eps: 1e-7 }
}

pub(crate) const ENTRY: OptimizerEntry = OptimizerEntry::of_tensors::<LazyAdam>(
    "lazy_adam",
    include_str!("lazy_adam.rs"),
    Some(|| vec!["m", "v"]),
);

/// The state of one parameter in [`LazyAdam`].
#[derive(Clone)]
pub struct LazyAdamState<const D: usize> {
    t: u64,
    m: Tensor<D>,
    v: Tensor<D>,
    /// the steps of each row, with `clock=row`; otherwise empty
    row_steps: Vec<u64>,
}

/// The buffers of one parameter.
struct Table<'a, T> {
    /// the number of this step
    t: u64,
    x: &'a mut [T],
    m: &'a mut [T],
    v: &'a mut [T],
    row_steps: &'a mut [u64],
}

/// One row of a parameter. Its buffers are as long as the table is wide.
struct Row<'a, T> {
    /// the number of this step by the clock
    t: u64,
    x: &'a mut [T],
    m: &'a mut [T],
    v: &'a mut [T],
}

impl LazyAdam {
    /// burn's optimizer of a whole module.
    ///
    /// # Panics
    /// If a setting is out of its range.
    pub fn init(&self) -> ModuleOptimizer {
        if let Err(error) = self.check("lazy_adam") {
            panic!("{error}");
        }
        self.clone().into()
    }

    /// A step for these rows of a table. The gradient of row `rows[i]` is row `i` of `g`. If a row
    /// is given twice, its gradients are added. If no other tensor shares the buffers of `x` and
    /// `state`, the cost grows with the number of given rows, and not with the table.
    ///
    /// # Panics
    /// If the table does not have a row, or `g` has a wrong number of rows or columns.
    pub fn step_rows(
        &self,
        lr: f64,
        x: Tensor<2>,
        rows: &[usize],
        g: Tensor<2>,
        state: Option<LazyAdamState<2>>,
    ) -> (Tensor<2>, LazyAdamState<2>) {
        let state = state.unwrap_or_else(|| self.initial_state(&x));
        let [height, width] = x.dims();
        assert_eq!(
            g.dims(),
            [rows.len(), width],
            "one gradient of {width} numbers for each row given"
        );
        assert!(
            rows.iter().all(|row| *row < height),
            "rows below {height}, the height of the table"
        );
        match x.dtype() {
            DType::F64 => self.step_given_rows::<f64>(lr, x, rows, g, state),
            _ => self.step_given_rows::<f32>(lr, x, rows, g, state),
        }
    }

    fn initial_state<const D: usize>(&self, x: &Tensor<D>) -> LazyAdamState<D> {
        let zeros = || Tensor::zeros(x.shape(), (&x.device(), x.dtype()));
        let row_steps = match self.clock {
            Clock::Row => vec![0; x.dims().first().copied().unwrap_or(1)],
            Clock::Global => Vec::new(),
        };
        LazyAdamState { t: 0, m: zeros(), v: zeros(), row_steps }
    }

    fn step_given_rows<T: Number + Sub<Output = T> + AddAssign>(
        &self,
        lr: f64,
        x: Tensor<2>,
        rows: &[usize],
        g: Tensor<2>,
        state: LazyAdamState<2>,
    ) -> (Tensor<2>, LazyAdamState<2>)
    where
        Lane<T>: Value,
    {
        let width = x.dims()[1];
        let g = Buffer::<T>::from_tensor(g);
        let mut order: Vec<usize> = (0..rows.len()).collect();
        // a stable sort: the gradients of one row are added in the given order
        order.sort_by_key(|i| rows[*i]);
        with_table::<T, 2>(x, state, |table| {
            for same_row in order.chunk_by(|i, j| rows[*i] == rows[*j]) {
                let mut sum = vec![T::default(); width];
                for i in same_row {
                    for (sum, g) in sum.iter_mut().zip(&g.as_slice()[i * width..]) {
                        *sum += *g;
                    }
                }
                let row = rows[same_row[0]];
                let t = row_step(table.t, table.row_steps.get_mut(row));
                let columns = row * width..(row + 1) * width;
                let x = &mut table.x[columns.clone()];
                let (m, v) = (&mut table.m[columns.clone()], &mut table.v[columns]);
                self.step_row(lr, Row { t, x, m, v }, &sum);
            }
        })
    }

    /// A step for the rows of `g` that are not all zero.
    fn step_nonzero_rows<T: Number + PartialEq + Sub<Output = T>, const D: usize>(
        &self,
        lr: f64,
        x: Tensor<D>,
        g: Tensor<D>,
        state: LazyAdamState<D>,
    ) -> (Tensor<D>, LazyAdamState<D>)
    where
        Lane<T>: Value,
    {
        let height = if D > 1 { x.dims()[0] } else { 1 };
        let width = x.shape().num_elements() / height.max(1);
        let g = Buffer::<T>::from_tensor(g);
        let has_gradient = |g: &[T]| D < 2 || g.iter().any(|g| *g != T::default());
        with_table::<T, D>(x, state, |table| {
            if width == 0 {
                return;
            }
            let t = table.t;
            let rows = table
                .x
                .par_chunks_mut(width)
                .zip(table.m.par_chunks_mut(width))
                .zip(table.v.par_chunks_mut(width))
                .zip(g.as_slice().par_chunks(width))
                .with_min_len((1 << 15) / width + 1)
                .map(|(((x, m), v), g)| (Row { t, x, m, v }, g));
            match self.clock {
                Clock::Global => rows
                    .filter(|(_, g)| has_gradient(g))
                    .for_each(|(row, g)| self.step_row(lr, row, g)),
                Clock::Row => rows
                    .zip(&mut *table.row_steps)
                    .filter(|((_, g), _)| has_gradient(g))
                    .for_each(|((row, g), steps)| {
                        let t = row_step(t, Some(steps));
                        self.step_row(lr, Row { t, ..row }, g);
                    }),
            }
        })
    }

    /// Adam on one row.
    #[inline(always)]
    fn step_row<T: Number + Sub<Output = T>>(&self, lr: f64, row: Row<'_, T>, g: &[T])
    where
        Lane<T>: Value,
    {
        let (beta1, beta2) = (self.beta1, self.beta2);
        let adam =
            Adam { beta1, beta2, eps: self.eps, eps_place: self.eps_place, bias_correction: true };
        let ctx = StepContext { t: row.t, lr, tensor_scalars: [1.0; 2] };
        let buffers = PassBuffers { source: None, x: row.x, g, state: [row.m, row.v] };
        pass_on_one_thread(&adam, ctx, buffers);
    }
}

/// Counts a step of a row. Returns its number by the row's own clock, or `t` without one.
fn row_step(t: u64, row_steps: Option<&mut u64>) -> u64 {
    match row_steps {
        Some(steps) => {
            *steps += 1;
            *steps
        }
        None => t,
    }
}

/// Gives `step` the buffers of a parameter, and makes tensors of them again. The numbers of devices
/// other than the CPU are copied.
fn with_table<T: Number, const D: usize>(
    x: Tensor<D>,
    state: LazyAdamState<D>,
    step: impl FnOnce(&mut Table<'_, T>),
) -> (Tensor<D>, LazyAdamState<D>) {
    let (shape, device, dtype) = (x.shape(), x.device(), x.dtype());
    let (t, mut row_steps) = (state.t + 1, state.row_steps);
    let mut buffers =
        [x, state.m, state.v].map(|tensor| Buffer::<T>::from_tensor(tensor).into_unshared());
    let [x, m, v] = buffers.each_mut().map(|buffer| buffer.as_mut_slice().unwrap_or_default());
    step(&mut Table { t, x, m, v, row_steps: &mut row_steps });
    let [x, m, v] = buffers.map(|buffer| {
        let tensor = buffer.into_tensor::<D>(shape.clone(), &device);
        if tensor.dtype() == dtype { tensor } else { tensor.cast(dtype) }
    });
    (x, LazyAdamState { t, m, v, row_steps })
}

impl Optimizer for LazyAdam {
    type State<const D: usize> = LazyAdamState<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        x: Tensor<D>,
        g: Tensor<D>,
        state: Option<LazyAdamState<D>>,
    ) -> (Tensor<D>, Option<LazyAdamState<D>>) {
        let state = state.unwrap_or_else(|| self.initial_state(&x));
        let (x, state) = match x.dtype() {
            DType::F64 => self.step_nonzero_rows::<f64, D>(lr, x, g, state),
            _ => self.step_nonzero_rows::<f32, D>(lr, x, g, state),
        };
        (x, Some(state))
    }

    fn to_device<const D: usize>(state: LazyAdamState<D>, device: &Device) -> LazyAdamState<D> {
        LazyAdamState { m: state.m.to_device(device), v: state.v.to_device(device), ..state }
    }
}

impl<const D: usize> RecordState for LazyAdamState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, "t", self.t.into());
        out.push_tensor(prefix, "m", self.m.to_data());
        out.push_tensor(prefix, "v", self.v.to_data());
        let steps: Vec<i64> = self.row_steps.iter().map(|t| *t as i64).collect();
        let n = steps.len();
        out.push_tensor(prefix, "rows", TensorData::new(steps, [n]));
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        let t = u64::try_from(from.take_scalar(prefix, "t")?).ok()?;
        let mut tensor = |name| {
            let data = from.take_tensor(prefix, name).filter(|data| data.rank() == D)?;
            let dtype = data.dtype();
            Some(Tensor::from_data(data, (device, dtype)))
        };
        let (m, v) = (tensor("m")?, tensor("v")?);
        let steps = from.take_tensor(prefix, "rows")?;
        let row_steps =
            steps.iter::<i64>().map(|t| u64::try_from(t).ok()).collect::<Option<_>>()?;
        Some(LazyAdamState { t, m, v, row_steps })
    }
}
