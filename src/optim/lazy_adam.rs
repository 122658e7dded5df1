//! # LazyAdam: Adam for the rows that are there
//!
//! ```text
//! for each row whose gradient is present:
//!     m, v, m_hat, v_hat and x as in Adam, eps_place=hat
//! all other rows of x, m and v stay as they are
//! ```
//!
//! For embeddings: of a large table, a batch touches a few rows. In Adam the momentum of the others goes on moving them.
//!
//! A row is present where its gradient is not all zero. burn's gradients are dense, so that is all that can be found out inside a training
//! loop. Whoever knows the rows gives them to [`LazyAdam::step_rows`], which costs only what the given rows cost; there a row whose gradient
//! happens to be all zero is moved by its momentum, as in TensorFlow and torch. A tensor of rank 1 is no table, and takes Adam's step.
//!
//! ## Differences
//! S3 describes TensorFlow-addons' LazyAdam; torch's SparseAdam takes the same steps. Both find t of the bias correction by counting all
//! steps (`clock=global`, the default here); `clock=row` counts those of each row. Both have Keras's epsilon hat. Keras and Optax have no lazy
//! Adam, nor has burn. Weight decay would touch every row, so there is none.
//!
//! ## Source
//! S3; TensorFlow-addons, `LazyAdam`; torch, `SparseAdam`.

use burn::optim::{Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{DType, Device, Tensor, TensorData};
use rayon::prelude::*;

use super::buffer::{Buffer, Number};
use super::pass::{Strip, run};
use super::table::{Decay, Entry, Method};
use super::{Adam, At, Built, EpsPlace, Lane, Value};
use crate::about::About;
use crate::spec::{Allowed, Settings, SpecError};

/// How [`LazyAdam`] counts the steps of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// all steps of the table
    Global,
    /// the steps in which the row was present
    Row,
}
crate::words!(Clock { Global = "global", Row = "row" });

crate::settings! {
    /// Adam that leaves alone the rows without gradient.
    pub struct LazyAdam {
        /// decay rate of the first moment m
        beta1: f64 = 0.9, Allowed::Decay;
        /// decay rate of the second moment v
        beta2: f64 = 0.999, Allowed::Decay;
        /// keeps the denominator from zero
        eps: f64 = 1e-8, Allowed::NotNegative;
        /// where eps stands in the denominator
        eps_place: EpsPlace = EpsPlace::Hat, EpsPlace::WORDS;
        /// what counts the steps: the whole table, or each row
        clock: Clock = Clock::Global, Clock::WORDS;
    }
}

super::dialects! { LazyAdam, lr 1e-3;
    /// `torch.optim.SparseAdam`
    torch: lr 1e-3 {}
    /// TensorFlow-addons' `LazyAdam`
    tfa: lr 1e-3 { eps: 1e-7 }
}

pub(super) const ENTRY: [Entry; 1] = [Entry {
    name: "lazy_adam",
    about: About(include_str!("lazy_adam.rs")),
    lr: 1e-3,
    settings: || LazyAdam::SETTINGS.to_vec(),
    defaults: || LazyAdam::default().values(),
    dialects: <LazyAdam as super::Named>::DIALECTS,
    memory: Some(|| vec!["m", "v"]),
    build,
}];

fn build(entry: &Entry, settings: &[(&str, &str)], decay: Option<Decay>) -> Result<Built, SpecError> {
    entry.no_decay(decay)?;
    let mut lazy = LazyAdam::default();
    let lr = entry.read(&mut lazy, settings)?;
    Ok(entry.built(lr, lazy.spec(entry.name), Method::PerTensor { optimizer: lazy.init(), rule: None }))
}

/// What [`LazyAdam`] remembers of one parameter.
#[derive(Clone)]
pub struct Rows<const D: usize> {
    t: u64,
    m: Tensor<D>,
    v: Tensor<D>,
    /// steps of each row, with `clock=row`
    rows: Vec<u64>,
}

impl LazyAdam {
    /// burn's optimizer of a whole module.
    ///
    /// # Panics
    /// If a setting is out of its range.
    pub fn init(&self) -> burn::optim::ModuleOptimizer {
        if let Err(error) = self.check("lazy_adam") {
            panic!("{error}");
        }
        self.clone().into()
    }

    fn adam(&self) -> Adam {
        Adam { beta1: self.beta1, beta2: self.beta2, eps: self.eps, eps_place: self.eps_place, bias_correction: true }
    }

    fn start<const D: usize>(&self, x: &Tensor<D>) -> Rows<D> {
        let zeros = || Tensor::zeros(x.shape(), (&x.device(), x.dtype()));
        let rows = if self.clock == Clock::Row { vec![0; x.dims().first().copied().unwrap_or(1)] } else { Vec::new() };
        Rows { t: 0, m: zeros(), v: zeros(), rows }
    }

    /// A step for these rows of a table, whose gradients are the rows of `g`. A row that comes twice gets the sum of its gradients.
    /// What this costs grows with the rows given and not with the table, where no one else holds the buffers of `x` and `state`.
    ///
    /// # Panics
    /// If a row is not in the table, or `g` has another number of rows or columns.
    pub fn step_rows(&self, lr: f64, x: Tensor<2>, rows: &[usize], g: Tensor<2>, state: Option<Rows<2>>) -> (Tensor<2>, Rows<2>) {
        let state = state.unwrap_or_else(|| self.start(&x));
        let [height, width] = x.dims();
        assert_eq!(g.dims(), [rows.len(), width], "one gradient of {width} numbers for each row given");
        assert!(rows.iter().all(|row| *row < height), "rows below {height}, the height of the table");
        match x.dtype() {
            DType::F64 => self.given::<f64>(lr, x, rows, g, state),
            _ => self.given::<f32>(lr, x, rows, g, state),
        }
    }

    fn given<T: Number + std::ops::Sub<Output = T> + std::ops::AddAssign>(
        &self,
        lr: f64,
        x: Tensor<2>,
        rows: &[usize],
        g: Tensor<2>,
        state: Rows<2>,
    ) -> (Tensor<2>, Rows<2>)
    where
        Lane<T>: Value,
    {
        let width = x.dims()[1];
        let g = Buffer::<T>::open(g);
        let mut places: Vec<usize> = (0..rows.len()).collect();
        places.sort_by_key(|place| rows[*place]); // stable: equal rows are summed in the order given
        self.table::<T, 2>(x, state, |table, t| {
            for equal in places.chunk_by(|a, b| rows[*a] == rows[*b]) {
                let row = rows[equal[0]];
                let mut sum = vec![T::default(); width];
                for place in equal {
                    for (sum, g) in sum.iter_mut().zip(&g.read()[place * width..]) {
                        *sum += *g;
                    }
                }
                let within = row * width..(row + 1) * width;
                let [x, m, v] = table.numbers.each_mut().map(|numbers| &mut numbers[within.clone()]);
                self.row(lr, t, table.rows.get_mut(row), x, &sum, [m, v]);
            }
        })
    }

    /// A step for the rows of `g` that are not all zero.
    fn found<T: Number + PartialEq + std::ops::Sub<Output = T>, const D: usize>(
        &self,
        lr: f64,
        x: Tensor<D>,
        g: Tensor<D>,
        state: Rows<D>,
    ) -> (Tensor<D>, Rows<D>)
    where
        Lane<T>: Value,
    {
        let height = if D > 1 { x.dims()[0] } else { 1 };
        let width = x.shape().num_elements() / height.max(1);
        let g = Buffer::<T>::open(g);
        self.table::<T, D>(x, state, |table, t| {
            if width == 0 {
                return;
            }
            let [x, m, v] = table.numbers.each_mut().map(|numbers| numbers.par_chunks_mut(width));
            let present = |g: &[T]| D < 2 || g.iter().any(|g| *g != T::default());
            let all = x.zip(m).zip(v).zip(g.read().par_chunks(width)).with_min_len((1 << 15) / width + 1);
            match self.clock {
                Clock::Global => all.filter(|(_, g)| present(g)).for_each(|(((x, m), v), g)| self.row(lr, t, None, x, g, [m, v])),
                Clock::Row => all.zip(&mut *table.rows).filter(|((_, g), _)| present(g)).for_each(|((((x, m), v), g), row)| {
                    self.row(lr, t, Some(row), x, g, [m, v]);
                }),
            }
        })
    }

    /// Adam on one row.
    #[inline(always)]
    fn row<T: Number + std::ops::Sub<Output = T>>(
        &self,
        lr: f64,
        t: u64,
        row: Option<&mut u64>,
        x: &mut [T],
        g: &[T],
        memory: [&mut [T]; 2],
    ) where
        Lane<T>: Value,
    {
        let t = row.map_or(t, |own| {
            *own += 1;
            *own
        });
        run(&self.adam(), At { t, lr, carry: 1.0 }, Strip { from: None, x, g, memory });
    }

    /// Opens the buffers for `work`, and closes them again. Devices without buffers in main memory take part by a copy.
    fn table<T: Number, const D: usize>(
        &self,
        x: Tensor<D>,
        state: Rows<D>,
        work: impl FnOnce(&mut Table<'_, T>, u64),
    ) -> (Tensor<D>, Rows<D>) {
        let (shape, device, dtype) = (x.shape(), x.device(), x.dtype());
        let t = state.t + 1;
        let mut rows = state.rows;
        let [mut x, mut m, mut v] = [x, state.m, state.v].map(|tensor| Buffer::<T>::open(tensor).unshared());
        {
            let numbers = [&mut x, &mut m, &mut v].map(|buffer| buffer.write().unwrap_or_default());
            work(&mut Table { numbers, rows: &mut rows }, t);
        }
        let [x, m, v] = [x, m, v].map(|buffer| {
            let tensor = buffer.close::<D>(shape.clone(), &device);
            if tensor.dtype() == dtype { tensor } else { tensor.cast(dtype) }
        });
        (x, Rows { t, m, v, rows })
    }
}

/// The numbers of x, m and v, and the counts of the rows.
struct Table<'a, T> {
    numbers: [&'a mut [T]; 3],
    rows: &'a mut [u64],
}

impl Optimizer for LazyAdam {
    type State<const D: usize> = Rows<D>;

    fn step<const D: usize>(&self, lr: f64, x: Tensor<D>, g: Tensor<D>, state: Option<Rows<D>>) -> (Tensor<D>, Option<Rows<D>>) {
        let state = state.unwrap_or_else(|| self.start(&x));
        let (x, state) = match x.dtype() {
            DType::F64 => self.found::<f64, D>(lr, x, g, state),
            _ => self.found::<f32, D>(lr, x, g, state),
        };
        (x, Some(state))
    }

    fn to_device<const D: usize>(state: Rows<D>, device: &Device) -> Rows<D> {
        Rows { m: state.m.to_device(device), v: state.v.to_device(device), ..state }
    }
}

impl<const D: usize> RecordState for Rows<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_scalar(prefix, "t", self.t.into());
        out.push_tensor(prefix, "m", self.m.to_data());
        out.push_tensor(prefix, "v", self.v.to_data());
        let rows: Vec<i64> = self.rows.iter().map(|t| *t as i64).collect();
        let n = rows.len();
        out.push_tensor(prefix, "rows", TensorData::new(rows, [n]));
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        let t = u64::try_from(from.take_scalar(prefix, "t")?).ok()?;
        let mut tensor = |name| {
            let data = from.take_tensor(prefix, name).filter(|data| data.rank() == D)?;
            let dtype = data.dtype();
            Some(Tensor::from_data(data, (device, dtype)))
        };
        let (m, v) = (tensor("m")?, tensor("v")?);
        let rows = from.take_tensor(prefix, "rows")?.iter::<i64>().map(|t| u64::try_from(t).ok()).collect::<Option<_>>()?;
        Some(Rows { t, m, v, rows })
    }
}
