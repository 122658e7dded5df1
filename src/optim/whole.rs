//! Optimizers that need more than the gradient of one parameter: they move the whole model at once, and evaluate its loss as often as they
//! want.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, LBFGS, LBFGSConfig, LineSearchFn, OptimizerRecord};
use burn::store::RecordError;
use burn::tensor::{Bytes, Tensor};

use super::Built;
use super::newton::{End, Newton, NewtonCg, NewtonError, Path, Smooth, flatten, gradient_of, precision, unflatten};
use super::table::{Decay, Entry, Make, Method};
use crate::about::About;
use crate::error::{Error, Result};
use crate::spec::{Allowed, Setting, Settings, SpecError};

/// An optimizer of whole models.
#[derive(Clone)]
pub enum Whole {
    /// the Hessian written down
    Newton(Newton),
    /// conjugate gradients
    NewtonCg(NewtonCg),
    /// burn's L-BFGS
    Lbfgs(Box<LBFGS>),
}

/// The largest model whose Hessian is written down: 32 MB, and some seconds a step.
const HESSIAN_AT_MOST: usize = 2000;

impl Whole {
    /// Moves the model. `loss` gives the loss of a model and its gradients, the same function each time. `lr` is the share of Newton's way
    /// that is gone.
    ///
    /// # Errors
    /// If the Hessian is singular or the model too large for it.
    pub fn step<M: Module>(&mut self, lr: f64, model: M, loss: &mut dyn FnMut(&M) -> (f64, GradientsParams)) -> Result<M> {
        match self {
            Whole::Newton(newton) => {
                let n = model.num_params();
                if n > HESSIAN_AT_MOST {
                    let text =
                        format!("newton writes down the Hessian of all parameters: this model has {n}, expected at most {HESSIAN_AT_MOST}");
                    return Err(Error::Asked(format!("{text}; newton_cg needs no Hessian")));
                }
                newtons(lr, model, loss, |f, x| newton.minimize(f, x))
            }
            Whole::NewtonCg(newton) => newtons(lr, model, loss, |f, x| newton.minimize(f, x)),
            Whole::Lbfgs(lbfgs) => {
                let complete = |model: M| {
                    let (value, gradients) = loss(&model);
                    (value, complete(gradients, &model))
                };
                Ok(lbfgs.step(lr, model, complete).0)
            }
        }
    }

    /// What it remembers, as burn's record; Newton's methods remember nothing.
    ///
    /// # Errors
    /// If burn cannot write it.
    pub fn to_bytes(&self) -> std::result::Result<Bytes, RecordError> {
        match self {
            Whole::Lbfgs(lbfgs) => lbfgs.into_bytes(),
            Whole::Newton(_) | Whole::NewtonCg(_) => OptimizerRecord::default().into_bytes(),
        }
    }

    /// With the memory that [`to_bytes`](Whole::to_bytes) wrote.
    ///
    /// # Errors
    /// If it is none.
    pub fn with_bytes(self, bytes: Bytes) -> std::result::Result<Self, RecordError> {
        match self {
            Whole::Lbfgs(lbfgs) => Ok(Whole::Lbfgs(Box::new(lbfgs.from_bytes(bytes)?))),
            newton => Ok(newton),
        }
    }
}

/// The loss of a batch as a function of all parameters.
struct OfBatch<'a, M> {
    model: &'a M,
    loss: &'a mut dyn FnMut(&M) -> (f64, GradientsParams),
}

impl<M: Module> Smooth for OfBatch<'_, M> {
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        let Ok(model) = unflatten(self.model.clone(), x) else { return (f64::NAN, Vec::new()) };
        let (value, gradients) = (self.loss)(&model);
        (value, gradient_of(&gradients, &model))
    }

    fn precision(&self) -> f64 {
        precision(self.model)
    }
}

/// Moves a model to the last point of a minimization, or a share of the way.
fn newtons<M: Module>(
    lr: f64,
    model: M,
    loss: &mut dyn FnMut(&M) -> (f64, GradientsParams),
    minimize: impl FnOnce(&mut dyn Smooth, Vec<f64>) -> Path,
) -> Result<M> {
    let start = flatten(&model);
    let path = minimize(&mut OfBatch { model: &model, loss }, start.clone());
    let failed = |error: NewtonError| Error::Step(format!("a Newton step: {error}"));
    let x: Vec<f64> = match (path.end, path.points.last()) {
        // what has diverged is shown as such: the loop ends at a loss that is NaN
        (End::Failed(NewtonError::NotFinite(_)), _) => vec![f64::NAN; start.len()],
        (End::Failed(NewtonError::NoDescent) | End::Converged | End::OutOfSteps, Some(last)) => {
            start.iter().zip(&last.x).map(|(from, to)| from + lr * (to - from)).collect()
        }
        (End::Failed(error), _) => return Err(failed(error)),
        (_, None) => start,
    };
    unflatten(model, &x).map_err(failed)
}

/// With zeros where a parameter has no gradient, which burn's L-BFGS would mistake for a shorter vector.
fn complete<M: Module>(gradients: GradientsParams, model: &M) -> GradientsParams {
    struct Fill(GradientsParams);
    impl ModuleVisitor for Fill {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.0.get::<D>(param.id).is_none() {
                self.0.register(param.id, param.val().inner().zeros_like());
            }
        }
    }
    let mut fill = Fill(gradients);
    model.visit(&mut fill);
    fill.0
}

/// How [`Lbfgs`] finds the length of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// lr is the length
    None,
    /// the strong Wolfe conditions
    StrongWolfe,
}
crate::words!(Search { None = "none", StrongWolfe = "strong_wolfe" });

crate::settings! {
    /// burn's L-BFGS.
    pub struct Lbfgs {
        /// iterations in one step
        max_iter: usize = 20, Allowed::Count;
        /// how many steps are remembered
        history: usize = 100, Allowed::Count;
        /// ends when no gradient is larger
        tolerance_grad: f64 = 1e-7, Allowed::NotNegative;
        /// ends when neither loss nor parameters change more
        tolerance_change: f64 = 1e-9, Allowed::NotNegative;
        /// how the length of a step is found
        line_search: Search = Search::StrongWolfe, Search::WORDS;
    }
}

const ABOUT: &str = "# L-BFGS: quasi-Newton with limited memory, burn's\n\n```text\nx = x - t H g,  H from the last differences of x and g\n```\n\n\
## Differences\nA port of torch's. The line search is off by default there; it is on here. One step is up to max_iter iterations, each of which \
evaluates the loss of the same batch.\n\n## Source\nburn 0.22.1, `LBFGSConfig`; Liu & Nocedal, \"On the limited memory BFGS method\", 1989.\n";

const NEWTON: About = About(include_str!("newton.rs"));
const NEWTON_CG: About = About(
    "# Newton-CG: Newton's method by conjugate gradients, without a Hessian\n\n```text\n\
     H d = -g, solved by conjugate gradients to a residual of min(forcing, sqrt|g|) |g|, or until p.Hp <= 0\n\
     x = x + t d, t = 1, 1/2, 1/4, ... until f(x + t d) <= f(x) + c1 t g.d\n```\n\n\
     ## Differences\nProducts with H are central differences of gradients, with nine good digits in f64 and four in f32. SciPy's Newton-CG has the \
     same forcing term and ends at a short step, this one at a short gradient. The line search is the textbook's but for one thing: where f \
     changes by no more than its rounding error, |g| is to fall by a tenth.\n\n\
     ## Source\nNocedal & Wright, \"Numerical optimization\", 2006, algorithm 7.1.\n",
);

/// In a training loop a batch is worth one Newton step, unless the spec says otherwise.
pub(super) const ENTRIES: [Entry; 3] = [
    entry(
        "newton",
        NEWTON,
        || Newton::SETTINGS.to_vec(),
        || Newton::new().with_steps(1).values(),
        |entry, settings, decay| build(entry, settings, decay, Newton::new().with_steps(1), |newton| Whole::Newton(newton.clone())),
    ),
    entry(
        "newton_cg",
        NEWTON_CG,
        || NewtonCg::SETTINGS.to_vec(),
        || NewtonCg::new().with_steps(1).values(),
        |entry, settings, decay| build(entry, settings, decay, NewtonCg::new().with_steps(1), |newton| Whole::NewtonCg(newton.clone())),
    ),
    entry(
        "lbfgs",
        About(ABOUT),
        || Lbfgs::SETTINGS.to_vec(),
        || Lbfgs::default().values(),
        |entry, settings, decay| build(entry, settings, decay, Lbfgs::default(), |lbfgs| Whole::Lbfgs(Box::new(lbfgs.init()))),
    ),
];

const fn entry(
    name: &'static str,
    about: About,
    settings: fn() -> Vec<Setting>,
    defaults: fn() -> Vec<(&'static str, String)>,
    build: Make,
) -> Entry {
    Entry { name, about, lr: 1.0, settings, defaults, dialects: &[], memory: None, build }
}

fn build<S: Settings>(
    entry: &Entry,
    settings: &[(&str, &str)],
    decay: Option<Decay>,
    mut thing: S,
    whole: impl FnOnce(&S) -> Whole,
) -> std::result::Result<Built, SpecError> {
    entry.no_decay(decay)?;
    let lr = entry.read(&mut thing, settings)?;
    Ok(entry.built(lr, thing.spec(entry.name), Method::Whole(whole(&thing))))
}

impl Lbfgs {
    fn init(&self) -> LBFGS {
        let search = match self.line_search {
            Search::None => LineSearchFn::None,
            Search::StrongWolfe => LineSearchFn::StrongWolfe,
        };
        let config = LBFGSConfig::new().with_max_iter(self.max_iter).with_history_size(self.history).with_line_search_fn(search);
        config.with_tolerance_grad(self.tolerance_grad).with_tolerance_change(self.tolerance_change).init()
    }
}
