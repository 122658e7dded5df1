//! # Newton: steps from second derivatives, for all parameters at once
//!
//! ```text
//! (H + damping I) d = -g
//! x = x + d                                                               line_search=none (default)
//! x = x + t d, t = 1, 1/2, 1/4, ... until f(x + t d) <= f(x) + c1 t g.d   line_search=backtracking
//! ```
//!
//! [`Newton`] writes down the whole Hessian and solves for d: by Cholesky, else by Gauss's elimination, which at a saddle goes to the saddle, as
//! the textbook's step does. With a line search more is added to the diagonal until the Hessian is positive definite, so that d leads down.
//!
//! [`NewtonCg`] needs no matrix, only products H p, and so reaches models of many parameters. It finds d by conjugate gradients, which
//! end at a residual of at most min(forcing, sqrt|g|) |g|, or at a direction p along which f bends down (p.Hp <= 0), and always searches the line.
//!
//! [`root`] is the same step in one dimension, x = x - f(x) / f'(x).
//!
//! Unlike a [`Rule`](super::Rule), which sees a gradient and no more, this evaluates the loss as often as it needs to. That must be the same
//! function each time: the full batch, and no dropout. [`OfModel`] makes it from a burn module and its loss:
//!
//! ```
//! use burn::nn::LinearConfig;
//! use burn::tensor::{Device, Tensor};
//! use downhill::optim::newton::{End, NewtonCg, OfModel, flatten, unflatten};
//!
//! let device = Device::flex().autodiff();
//! let x = Tensor::<2>::from_floats([[0.0], [1.0], [2.0]], &device);
//! let y = Tensor::<2>::from_floats([[1.0], [3.0], [5.0]], &device);
//! let model = LinearConfig::new(1, 1).init(&device);
//! let mut loss = OfModel::new(&model, |model| (model.forward(x.clone()) - y.clone()).square().mean());
//! let path = NewtonCg::new().with_tolerance(1e-4).minimize(&mut loss, flatten(&model));
//! assert_eq!(path.end, End::Converged);
//! let model = unflatten(model, &path.points.last().unwrap().x)?;
//! let line = flatten(&model);
//! assert!((line[0] - 2.0).abs() < 1e-3 && (line[1] - 1.0).abs() < 1e-3);
//! # Ok::<(), downhill::optim::newton::NewtonError>(())
//! ```
//!
//! ## Differences
//! burn's autodiff stops at first derivatives, so where a program gives no exact Hessian (`Smooth::hessian`), second
//! derivatives are central differences of gradients, with nine good digits in f64 and four in f32. burn has no Newton method; its L-BFGS estimates
//! second derivatives from past steps. SciPy's Newton-CG has the same forcing term and ends at a short step, this one at a short gradient.
//! The line search is the textbook's but for one thing: where f changes by no more than its rounding error, |g| is to fall by a tenth.
//!
//! ## Source
//! S3 (x - f/f'); Nocedal & Wright, "Numerical optimization", 2006: raising the diagonal is algorithm 3.3, Newton-CG algorithm 7.1.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use thiserror::Error;

use crate::spec::{Allowed, Settings, SpecError};

/// A function with a gradient, to be minimized. The second derivatives are differences of gradients unless they are overridden.
pub trait Smooth {
    /// Value and gradient at x.
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>);

    /// The relative rounding error of the numbers that [`gradient`](Smooth::gradient) works with: 2.2e-16, that of f64.
    fn precision(&self) -> f64 {
        f64::EPSILON
    }

    /// How far apart gradients are taken, relative to the length of x: the cube root of the precision, 6e-6 in f64 and 5e-3 in f32. There
    /// the error of a central difference, which grows with the square of the distance, meets that of rounding, which falls with it.
    fn difference(&self) -> f64 {
        self.precision().cbrt()
    }

    /// The product of the Hessian at x with a direction: `(gradient(x + h p) - gradient(x - h p)) / 2h`, h p being
    /// [`difference`](Smooth::difference) times 1 + |x| long.
    fn curvature(&mut self, x: &[f64], direction: &[f64]) -> Vec<f64> {
        let length = norm(direction);
        if length == 0.0 {
            return vec![0.0; x.len()];
        }
        let h = self.difference() * (1.0 + norm(x)) / length;
        let (_, ahead) = self.gradient(&moved(x, h, direction));
        let (_, behind) = self.gradient(&moved(x, -h, direction));
        ahead.iter().zip(&behind).map(|(ahead, behind)| (ahead - behind) / (2.0 * h)).collect()
    }

    /// The Hessian at x, row by row: [`curvature`](Smooth::curvature) along each axis, symmetrized. One that overrides this is symmetric too.
    fn hessian(&mut self, x: &[f64]) -> Vec<Vec<f64>> {
        let n = x.len();
        let axis = |i| (0..n).map(|j| f64::from(u8::from(i == j))).collect::<Vec<_>>();
        let rows: Vec<Vec<f64>> = (0..n).map(|i| self.curvature(x, &axis(i))).collect();
        if rows.iter().any(|row| row.len() != n) {
            return rows; // an error of the caller's
        }
        (0..n).map(|i| (0..n).map(|j| (rows[i][j] + rows[j][i]) / 2.0).collect()).collect()
    }
}

/// Why there is no next point.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum NewtonError {
    /// A setting out of its range.
    #[error(transparent)]
    Setting(#[from] SpecError),
    /// Numbers that do not fit to x. An empty gradient is that of a model without autodiff.
    #[error("{what}: found {found} numbers, expected {expected}")]
    Size {
        /// whose numbers
        what: &'static str,
        /// how many
        found: usize,
        /// how many there should be
        expected: usize,
    },
    /// The run has diverged.
    #[error("{0} is not finite")]
    NotFinite(&'static str),
    /// There is no Newton step.
    #[error("the Hessian is singular; expected one that is not, a damping above 0, or line_search=backtracking")]
    Singular,
    /// No point along the direction is low enough: x is stationary, f is at its rounding error, or gradient and value do not fit together.
    #[error("the line search found no lower point")]
    NoDescent,
}

/// Where a method has been.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// the place
    pub x: Vec<f64>,
    /// the value there
    pub f: f64,
    /// the gradient there
    pub g: Vec<f64>,
}

impl Point {
    /// Evaluates f at x.
    ///
    /// # Errors
    /// If the gradient is not as long as x, or a number is not finite.
    pub fn of(f: &mut dyn Smooth, x: Vec<f64>) -> Result<Point, NewtonError> {
        let (value, g) = f.gradient(&x);
        fits("gradient", &g, x.len())?;
        finite("x", &x)?;
        finite("the value", &[value])?;
        finite("the gradient", &g)?;
        Ok(Point { x, f: value, g })
    }

    /// |g|, the Euclidean norm of the gradient.
    pub fn norm(&self) -> f64 {
        norm(&self.g)
    }
}

/// A whole minimization.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The start and the point after each step; empty only if the start itself failed.
    pub points: Vec<Point>,
    /// How it ended.
    pub end: End,
}

/// How a minimization ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The gradient is no longer than the tolerance.
    Converged,
    /// All steps are made.
    OutOfSteps,
    /// The next step failed or diverged.
    Failed(NewtonError),
}

/// Steps from x until the gradient is short enough.
fn follow(
    f: &mut dyn Smooth,
    x: Vec<f64>,
    (tolerance, steps): (f64, usize),
    mut step: impl FnMut(&mut dyn Smooth, &Point) -> Result<Point, NewtonError>,
) -> Path {
    let (mut points, mut next) = (Vec::new(), Point::of(f, x));
    let end = loop {
        let at = match next {
            Ok(at) => at,
            Err(error) => break End::Failed(error),
        };
        let end = match at.norm() {
            norm if norm <= tolerance => Some(End::Converged),
            _ if points.len() == steps => Some(End::OutOfSteps),
            _ => None,
        };
        points.push(at);
        if let Some(end) = end {
            break end;
        }
        next = step(f, &points[points.len() - 1]);
    };
    Path { points, end }
}

/// How far [`Newton`] goes along its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineSearch {
    /// All the way: the textbook's step, which may lead up.
    None,
    /// Halved until f falls enough.
    Backtracking,
}
crate::words!(LineSearch { None = "none", Backtracking = "backtracking" });

crate::settings! {
    /// Newton's method with the whole Hessian: n² numbers and, for each step, n³ operations.
    pub struct Newton {
        /// added to the diagonal of the Hessian
        damping: f64 = 0.0, Allowed::NotNegative;
        /// how far to go
        line_search: LineSearch = LineSearch::None, LineSearch::WORDS;
        /// share of the decrease that the slope promises with which a line search is content; from 0.5 on it refuses Newton's own step
        c1: f64 = 1e-4, Allowed::Decay;
        /// length of the gradient at which to end
        tolerance: f64 = 1e-8, Allowed::NotNegative;
        /// the most steps
        steps: usize = 100, Allowed::Count;
    }
}

impl Newton {
    /// The next point.
    ///
    /// # Errors
    /// If a setting is out of range; if the Hessian is singular (without a line search) or there is no lower point (with one); if numbers
    /// are not finite or do not fit together.
    pub fn step(&self, f: &mut dyn Smooth, at: &Point) -> Result<Point, NewtonError> {
        self.check("newton")?;
        let n = at.x.len();
        let mut h = f.hessian(&at.x);
        if h.len() != n {
            return Err(NewtonError::Size { what: "rows of the Hessian", found: h.len(), expected: n });
        }
        for (i, row) in h.iter_mut().enumerate() {
            fits("row of the Hessian", row, n)?;
            row[i] += self.damping;
            finite("the Hessian", row)?;
        }
        let down = at.g.iter().map(|g| -g).collect();
        match self.line_search {
            LineSearch::None => {
                let d = match Cholesky::of(&h, 0.0) {
                    Some(cholesky) => cholesky.solve(down),
                    None => eliminate(h, down)?,
                };
                Point::of(f, moved(&at.x, 1.0, &d))
            }
            LineSearch::Backtracking => backtrack(f, at, &raised(&h)?.solve(down), self.c1),
        }
    }

    /// Steps from x until the gradient is at most the tolerance long. Whatever happens, the points on the way are kept.
    pub fn minimize(&self, f: &mut dyn Smooth, x: Vec<f64>) -> Path {
        follow(f, x, (self.tolerance, self.steps), |f, at| self.step(f, at))
    }
}

crate::settings! {
    /// Newton's method by truncated conjugate gradients, for functions of many numbers.
    pub struct NewtonCg {
        /// added to the diagonal of the Hessian
        damping: f64 = 0.0, Allowed::NotNegative;
        /// conjugate gradients end at this residual, relative to the gradient; sooner where sqrt|g| is less
        forcing: f64 = 0.5, Allowed::Decay;
        /// the most products with the Hessian for one step
        cg_steps: usize = 1000, Allowed::Count;
        /// share of the decrease that the slope promises with which the line search is content; from 0.5 on it refuses Newton's own step
        c1: f64 = 1e-4, Allowed::Decay;
        /// length of the gradient at which to end
        tolerance: f64 = 1e-6, Allowed::NotNegative;
        /// the most steps
        steps: usize = 100, Allowed::Count;
    }
}

impl NewtonCg {
    /// The next point.
    ///
    /// # Errors
    /// If a setting is out of range, there is no lower point, or numbers are not finite or do not fit together.
    pub fn step(&self, f: &mut dyn Smooth, at: &Point) -> Result<Point, NewtonError> {
        self.check("newton_cg")?;
        let d = self.direction(f, at)?;
        backtrack(f, at, &d, self.c1)
    }

    /// Steps from x until the gradient is at most the tolerance long. Whatever happens, the points on the way are kept.
    pub fn minimize(&self, f: &mut dyn Smooth, x: Vec<f64>) -> Path {
        follow(f, x, (self.tolerance, self.steps), |f, at| self.step(f, at))
    }

    /// About the solution d of `(H + damping I) d = -g`; -g itself if f bends down already along it.
    fn direction(&self, f: &mut dyn Smooth, at: &Point) -> Result<Vec<f64>, NewtonError> {
        let enough = self.forcing.min(at.norm().sqrt()) * at.norm();
        let mut d = vec![0.0; at.x.len()];
        let mut r: Vec<f64> = at.g.iter().map(|g| -g).collect();
        let mut p = r.clone();
        let mut rr = dot(&r, &r);
        for turn in 0..self.cg_steps {
            if rr.sqrt() <= enough {
                break;
            }
            let hp = f.curvature(&at.x, &p);
            fits("product with the Hessian", &hp, p.len())?;
            finite("a product with the Hessian", &hp)?;
            let hp = moved(&hp, self.damping, &p);
            let bend = dot(&p, &hp);
            if bend <= 0.0 {
                return Ok(if turn == 0 { p } else { d });
            }
            let far = rr / bend;
            d = moved(&d, far, &p);
            r = moved(&r, -far, &hp);
            let before = std::mem::replace(&mut rr, dot(&r, &r));
            p = moved(&r, rr / before, &p);
        }
        Ok(d)
    }
}

/// After so many halvings a step is within the rounding error of where it starts.
const HALVINGS: i32 = 60;

/// The first of x + d, x + d/2, x + d/4, ... where f is low enough.
fn backtrack(f: &mut dyn Smooth, at: &Point, d: &[f64], c1: f64) -> Result<Point, NewtonError> {
    let slope = dot(&at.g, d);
    if !slope.is_finite() || slope > 0.0 {
        return Err(NewtonError::NoDescent);
    }
    // near the minimum f changes by less than its rounding error long before the gradient does; there |g| is to fall, by enough to get on
    let noise = 10.0 * f.precision() * at.f.abs();
    for t in (0..HALVINGS).map(|halvings| 0.5f64.powi(halvings)) {
        let x = moved(&at.x, t, d);
        if x == at.x {
            break;
        }
        let next = match Point::of(f, x) {
            Ok(next) => next,
            Err(NewtonError::NotFinite(_)) => continue,
            Err(error) => return Err(error),
        };
        let level = (next.f - at.f).abs() <= noise;
        let low_enough = if level { next.norm() <= 0.9 * at.norm() } else { next.f <= at.f + c1 * t * slope };
        if low_enough {
            return Ok(next);
        }
    }
    Err(NewtonError::NoDescent)
}

/// x0 and up to `steps` steps x - f(x) / f'(x) towards a root; `f` gives value and derivative. Fewer if a step leads to no finite number, as
/// where f' is 0.
pub fn root(f: impl Fn(f64) -> (f64, f64), x0: f64, steps: usize) -> Vec<f64> {
    let next = |x: &f64| {
        let (value, slope) = f(*x);
        Some(x - value / slope).filter(|x| x.is_finite())
    };
    std::iter::successors(Some(x0), next).take(steps + 1).collect()
}

/// The lower triangle L of a matrix L Lᵀ, row by row.
struct Cholesky(Vec<Vec<f64>>);

impl Cholesky {
    /// Of `a + more I`, of which the lower triangle is read. Nothing unless that is positive definite, beyond what rounding makes of a zero.
    fn of(a: &[Vec<f64>], more: f64) -> Option<Cholesky> {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(a.len());
        for (i, from) in a.iter().enumerate() {
            let mut row = Vec::with_capacity(i + 1);
            for above in &rows {
                let j = row.len();
                row.push((from[j] - dot(&row, above)) / above[j]);
            }
            let whole = from[i] + more;
            let pivot = whole - dot(&row, &row);
            if pivot.is_nan() || pivot <= rounding(a.len()) * whole.abs() {
                return None;
            }
            row.push(pivot.sqrt());
            rows.push(row);
        }
        Some(Cholesky(rows))
    }

    fn solve(&self, mut b: Vec<f64>) -> Vec<f64> {
        for (i, row) in self.0.iter().enumerate() {
            b[i] = (b[i] - dot(&row[..i], &b)) / row[i];
        }
        for (i, row) in self.0.iter().enumerate().rev() {
            b[i] /= row[i];
            for j in 0..i {
                b[j] -= row[j] * b[i];
            }
        }
        b
    }
}

/// Of h with more and more added to the diagonal, until it is positive definite.
fn raised(h: &[Vec<f64>]) -> Result<Cholesky, NewtonError> {
    let largest = h.iter().flatten().fold(0.0, |largest: f64, x| largest.max(x.abs()));
    let first = if largest.is_normal() { 1e-3 * largest } else { 1e-3 };
    let mut more = 0.0;
    loop {
        if let Some(cholesky) = Cholesky::of(h, more) {
            return Ok(cholesky);
        }
        more = f64::max(2.0 * more, first);
        finite("what is added to the Hessian", &[more])?;
    }
}

/// Solves `a x = b` by Gauss's elimination with partial pivoting.
fn eliminate(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Result<Vec<f64>, NewtonError> {
    let n = b.len();
    // the largest coefficient of each equation becomes 1, so that a pivot near 0 tells that it is one
    for (row, b) in a.iter_mut().zip(&mut b) {
        let largest = row.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
        if largest == 0.0 {
            return Err(NewtonError::Singular);
        }
        row.iter_mut().for_each(|x| *x /= largest);
        *b /= largest;
    }
    for k in 0..n {
        let pivot = (k..n).max_by(|i, j| a[*i][k].abs().total_cmp(&a[*j][k].abs())).unwrap_or(k);
        a.swap(k, pivot);
        b.swap(k, pivot);
        if a[k][k].abs() <= rounding(n) {
            return Err(NewtonError::Singular);
        }
        for i in k + 1..n {
            let factor = a[i][k] / a[k][k];
            a[i] = moved(&a[i], -factor, &a[k]);
            b[i] -= factor * b[k];
        }
    }
    for k in (0..n).rev() {
        b[k] = (b[k] - dot(&a[k][k + 1..], &b[k + 1..])) / a[k][k];
    }
    Ok(b)
}

/// What n operations may leave of a difference that should be 0, relative to its terms.
fn rounding(n: usize) -> f64 {
    n as f64 * f64::EPSILON
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// x + t d
fn moved(x: &[f64], t: f64, d: &[f64]) -> Vec<f64> {
    x.iter().zip(d).map(|(x, d)| x + t * d).collect()
}

fn fits(what: &'static str, numbers: &[f64], expected: usize) -> Result<(), NewtonError> {
    let found = numbers.len();
    if found == expected { Ok(()) } else { Err(NewtonError::Size { what, found, expected }) }
}

fn finite(what: &'static str, numbers: &[f64]) -> Result<(), NewtonError> {
    if numbers.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(NewtonError::NotFinite(what)) }
}

/// The full loss of a burn module as a function of its parameters, in the order of [`flatten`].
///
/// The module has autodiff. Parameters without gradient, frozen ones for example, stay as they are; so do the running means of batch
/// normalization, which burn counts among the parameters.
pub struct OfModel<'a, M, L> {
    model: &'a M,
    loss: L,
    precision: f64,
}

impl<'a, M: Module, L: FnMut(&M) -> Tensor<1>> OfModel<'a, M, L> {
    /// `loss` gives one number, the same for the same parameters. Differences are as wide as the coarsest parameter's type needs.
    pub fn new(model: &'a M, loss: L) -> Self {
        OfModel { model, loss, precision: precision(model) }
    }
}

/// The relative rounding error of the coarsest parameter's type.
pub(super) fn precision<M: Module>(model: &M) -> f64 {
    struct Coarsest(f64);
    impl ModuleVisitor for Coarsest {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 = param.val().dtype().finfo().map_or(self.0, |info| info.epsilon.max(self.0));
        }
    }
    let mut coarsest = Coarsest(f64::EPSILON);
    model.visit(&mut coarsest);
    coarsest.0
}

impl<M: Module, L: FnMut(&M) -> Tensor<1>> Smooth for OfModel<'_, M, L> {
    /// No gradient if x is too long or short, or the loss does not depend on a parameter with autodiff. A number that the device does not
    /// give back is NaN.
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        let Ok(model) = unflatten(self.model.clone(), x) else { return (f64::NAN, Vec::new()) };
        let loss = (self.loss)(&model);
        if !loss.is_tracked() {
            return (f64::NAN, Vec::new());
        }
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        (loss.try_into_scalar().unwrap_or(f64::NAN), gradient_of(&gradients, &model))
    }

    fn precision(&self) -> f64 {
        self.precision
    }
}

/// All float parameters of a model, in the order in which burn visits them.
pub fn flatten<M: Module>(model: &M) -> Vec<f64> {
    struct Flat(Vec<f64>);
    impl ModuleVisitor for Flat {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(param.val().into_data().iter::<f64>());
        }
    }
    let mut flat = Flat(Vec::new());
    model.visit(&mut flat);
    flat.0
}

/// The model with these parameters, in the order of [`flatten`]; each keeps its id, shape, type, device and whether it requires a gradient.
///
/// # Errors
/// If there are not as many numbers as the model has parameters.
pub fn unflatten<M: Module>(model: M, x: &[f64]) -> Result<M, NewtonError> {
    struct Fill<'a>(&'a [f64]);
    impl ModuleMapper for Fill<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|old| {
                let (own, rest) = self.0.split_at(old.shape().num_elements());
                self.0 = rest;
                let data = TensorData::new(own.to_vec(), old.shape());
                Tensor::from_data(data, (&old.device(), old.dtype())).set_require_grad(old.is_require_grad())
            })
        }
    }
    fits("parameters", x, model.num_params())?;
    Ok(model.map(&mut Fill(x)))
}

/// The gradients of all float parameters of a model, in the order of [`flatten`]; zeros for a parameter without one.
pub fn gradient_of<M: Module>(gradients: &GradientsParams, model: &M) -> Vec<f64> {
    struct Flat<'a>(&'a GradientsParams, Vec<f64>);
    impl ModuleVisitor for Flat<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            match self.0.get::<D>(param.id) {
                Some(gradient) => self.1.extend(gradient.into_data().iter::<f64>()),
                None => self.1.resize(self.1.len() + param.shape().num_elements(), 0.0),
            }
        }
    }
    let mut flat = Flat(gradients, Vec::new());
    model.visit(&mut flat);
    flat.1
}
