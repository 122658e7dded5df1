//! Functions of x and y to minimize: well-known test functions, and any expression of the user. A
//! formula is text. It is computed on tensors, so that burn's autodiff gives its gradient.

use std::fmt;

use burn::tensor::Tensor;

use crate::chart::LARGEST;
use crate::error::{Error, Result};
use crate::spec::unknown;

mod formula;

use formula::Formula;

/// A surface with a name.
pub struct KnownSurface {
    /// the name on the command line
    pub name: &'static str,
    /// a description in one line
    pub docs: &'static str,
    /// the function of x and y
    pub formula: &'static str,
    /// the displayed window: lowest x, highest x, lowest y, highest y
    pub window: [f64; 4],
    /// the initial point of paths
    pub start: [f64; 2],
    /// its minima, if it has any
    pub minima: &'static [[f64; 2]],
    /// a learning rate with which gradient descent does not diverge; half of it is used with
    /// momentum
    pub lr: f64,
}

const PI: f64 = std::f64::consts::PI;

/// All surfaces with names.
pub const SURFACES: &[KnownSurface] = &[
    KnownSurface {
        name: "beale",
        docs: "a flat valley between steep walls",
        formula: "(1.5-x+x*y)^2+(2.25-x+x*y^2)^2+(2.625-x+x*y^3)^2",
        window: [-0.5, 4.5, -2.0, 2.0],
        start: [1.0, 1.5],
        minima: &[[3.0, 0.5]],
        lr: 0.01,
    },
    KnownSurface {
        name: "rosenbrock",
        docs: "a curved valley with a flat floor",
        formula: "(1-x)^2+100*(y-x^2)^2",
        window: [-2.0, 2.0, -1.0, 3.0],
        start: [-1.2, 1.0],
        minima: &[[1.0, 1.0]],
        lr: 0.001,
    },
    KnownSurface {
        name: "himmelblau",
        docs: "four minima of the same depth",
        formula: "(x^2+y-11)^2+(x+y^2-7)^2",
        window: [-5.0, 5.0, -5.0, 5.0],
        start: [0.0, 0.0],
        minima: &[[3.0, 2.0], [-2.805118, 3.131312], [-3.779310, -3.283186], [3.584428, -1.848126]],
        lr: 0.01,
    },
    KnownSurface {
        name: "rastrigin",
        docs: "a bowl with many small local minima",
        formula: "20+x^2-10*cos(2*pi*x)+y^2-10*cos(2*pi*y)",
        window: [-5.12, 5.12, -5.12, 5.12],
        start: [-2.0, 3.5],
        minima: &[[0.0, 0.0]],
        lr: 0.001,
    },
    KnownSurface {
        name: "ill_conditioned",
        docs: "a bowl with a condition number of 100: steep in y, flat in x",
        formula: "0.5*x^2+50*y^2",
        window: [-10.0, 10.0, -2.0, 2.0],
        start: [-9.0, 1.0],
        minima: &[[0.0, 0.0]],
        lr: 0.01,
    },
    KnownSurface {
        name: "long_valley",
        docs: "a steep valley whose floor is almost flat at the start",
        formula: "2*y^2+0.2*cos(x)",
        window: [-4.0, 4.0, -1.5, 1.5],
        start: [0.01, 1.0],
        minima: &[[PI, 0.0], [-PI, 0.0]],
        lr: 0.1,
    },
    KnownSurface {
        name: "saddle",
        docs: "a saddle that falls along y; the start has almost no slope along y",
        formula: "x^2-y^2",
        window: [-1.2, 1.2, -1.0, 1.0],
        start: [1.0, 1e-6],
        minima: &[],
        lr: 0.01,
    },
    KnownSurface {
        name: "monkey_saddle",
        docs: "a saddle with three descending directions; its curvature is zero at the centre",
        formula: "x^3-3*x*y^2",
        window: [-1.5, 1.5, -1.5, 1.5],
        start: [1.0, 0.001],
        minima: &[],
        lr: 0.01,
    },
    KnownSurface {
        name: "plateau",
        docs: "almost flat except near its only minimum",
        formula: "1-exp((0-x^2-y^2)/2)",
        window: [-4.0, 4.0, -4.0, 4.0],
        start: [-2.5, 2.0],
        minima: &[[0.0, 0.0]],
        lr: 0.2,
    },
];

/// A surface with a window and an initial point.
#[derive(Clone)]
pub struct Surface {
    /// its name; the formula itself for an expression
    pub name: String,
    /// the function of x and y
    pub formula: String,
    /// the displayed window: lowest x, highest x, lowest y, highest y
    pub window: [f64; 4],
    /// the initial point of paths
    pub start: [f64; 2],
    /// its known minima
    pub minima: Vec<[f64; 2]>,
    /// whether it is known to have no minimum, so that every descending path leaves the window
    pub bottomless: bool,
    parsed: Formula,
}

impl fmt::Debug for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} from {:?}", self.name, self.formula, self.start)
    }
}

/// A narrower window has no room for a grid of different numbers.
const NARROWEST: f64 = 1e-6;

/// The default window of an expression.
const WINDOW: [f64; 4] = [-2.0, 2.0, -2.0, 2.0];

impl Surface {
    /// A surface by name, or an expression of x and y such as `x^2+10*y^2`.
    ///
    /// # Errors
    /// If it is neither a known name nor an expression. If the window is empty, the start is
    /// outside of it, or the value at the start is not finite.
    pub fn read(
        name_or_formula: &str,
        window: Option<[f64; 4]>,
        start: Option<[f64; 2]>,
    ) -> Result<Surface> {
        let known = SURFACES.iter().find(|known| known.name == name_or_formula);
        let word = |c: char| c.is_alphanumeric() || c == '_';
        if known.is_none()
            && name_or_formula.len() > 1
            && name_or_formula.starts_with(char::is_alphabetic)
            && name_or_formula.chars().all(word)
        {
            // a misspelt name; as an expression it would give an error about an unknown variable
            return Err(unknown(
                "surface",
                name_or_formula,
                SURFACES.iter().map(|known| known.name),
            )
            .into());
        }
        let formula = known.map_or(name_or_formula, |known| known.formula);
        let surface = Surface {
            name: name_or_formula.into(),
            formula: formula.into(),
            window: window.or(known.map(|known| known.window)).unwrap_or(WINDOW),
            start: start.or(known.map(|known| known.start)).unwrap_or([-1.5, 1.0]),
            minima: known.map_or(Vec::new(), |known| known.minima.to_vec()),
            bottomless: known.is_some_and(|known| known.minima.is_empty()),
            parsed: Formula::read(formula)?,
        };
        let wrong =
            |key: &str, found: String, expected: String| Err(Error::value(key, found, expected));
        let [left, right, low, high] = surface.window;
        for (axis, from, to) in [("x", left, right), ("y", low, high)] {
            // `from >= to` would accept NaN
            if !(to - from >= NARROWEST && from.abs() <= 1e6 && to.abs() <= 1e6) {
                let expected = "the lower bound first, a width of at least 1e-6, and no bound \
                                beyond 1e6";
                return wrong(
                    "the window",
                    format!("{from:?} to {to:?} in {axis}"),
                    expected.into(),
                );
            }
        }
        let [x, y] = surface.start;
        if !((left..=right).contains(&x) && (low..=high).contains(&y)) {
            let expected =
                format!("a point in the window, x {left:?} to {right:?} and y {low:?} to {high:?}");
            return wrong("the start", format!("{x:?},{y:?}"), expected);
        }
        let value = surface.at(x, y);
        if !value.is_finite() {
            return wrong(
                &format!("`{formula}` at the start {x:?},{y:?}"),
                value.to_string(),
                "a finite number".into(),
            );
        }
        Ok(surface)
    }

    /// The value at points, given as tensors of one length.
    pub fn of(&self, x: Tensor<1>, y: Tensor<1>) -> Tensor<1> {
        self.parsed.of(x, y)
    }

    /// The value at one point.
    pub fn at(&self, x: f64, y: f64) -> f64 {
        self.grid(&[x], &[y])[0]
    }

    /// The values at all pairs of these coordinates.
    pub fn grid(&self, xs: &[f64], ys: &[f64]) -> Vec<f64> {
        let device = burn::tensor::Device::default();
        let tensor = |numbers: &[f64]| {
            let data = burn::tensor::TensorData::new(numbers.to_vec(), [numbers.len()]);
            Tensor::<1>::from_data(data, (&device, burn::tensor::DType::F64))
        };
        self.of(tensor(xs), tensor(ys)).into_data().iter::<f64>().collect()
    }

    /// The same for pictures: NaN where a value is too large to be drawn.
    pub fn heights(&self, xs: &[f64], ys: &[f64]) -> Vec<f64> {
        let drawable = |height: f64| if height.abs() <= LARGEST { height } else { f64::NAN };
        self.grid(xs, ys).into_iter().map(drawable).collect()
    }

    /// The distance of a point from the nearest minimum, or from the start if no minimum is known.
    pub fn distance(&self, x: f64, y: f64) -> f64 {
        let to = |[a, b]: [f64; 2]| (x - a).hypot(y - b);
        self.minima
            .iter()
            .map(|minimum| to(*minimum))
            .reduce(f64::min)
            .unwrap_or_else(|| to(self.start))
    }

    /// The distance of a point from the window, in units of the window's size; 0 inside.
    pub fn outside(&self, x: f64, y: f64) -> f64 {
        let [left, right, low, high] = self.window;
        let beyond = |v: f64, from: f64, to: f64| (from - v).max(v - to).max(0.0) / (to - from);
        beyond(x, left, right).max(beyond(y, low, high))
    }
}
