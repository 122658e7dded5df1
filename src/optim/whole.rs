//! Optimizers that need more than the gradient of one parameter: they move the whole model at once, and evaluate its loss as often as they
//! want.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, LBFGS, LBFGSConfig, LineSearchFn};
use burn::tensor::{Bytes, Tensor};

use super::Built;
use super::table::{Decay, Entry, Method};
use crate::about::About;
use crate::spec::{Allowed, Settings, SpecError};

/// An optimizer of whole models.
#[derive(Clone)]
pub enum Whole {
    /// burn's L-BFGS
    Lbfgs(Box<LBFGS>),
}

impl Whole {
    /// Moves the model. `loss` gives the loss of a model and its gradients, the same function each time.
    pub fn step<M: Module>(&mut self, lr: f64, model: M, loss: &mut dyn FnMut(&M) -> (f64, GradientsParams)) -> M {
        match self {
            Whole::Lbfgs(lbfgs) => {
                lbfgs
                    .step(lr, model, |model: M| {
                        let (value, gradients) = loss(&model);
                        let complete = complete(gradients, &model);
                        (value, complete)
                    })
                    .0
            }
        }
    }

    /// What it remembers, as burn's record.
    ///
    /// # Errors
    /// If burn cannot write it.
    pub fn to_bytes(&self) -> Result<Bytes, burn::store::RecordError> {
        match self {
            Whole::Lbfgs(lbfgs) => lbfgs.into_bytes(),
        }
    }

    /// With the memory that [`to_bytes`](Whole::to_bytes) wrote.
    ///
    /// # Errors
    /// If it is none.
    pub fn with_bytes(self, bytes: Bytes) -> Result<Self, burn::store::RecordError> {
        match self {
            Whole::Lbfgs(lbfgs) => Ok(Whole::Lbfgs(Box::new(lbfgs.from_bytes(bytes)?))),
        }
    }
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

pub(super) const ENTRIES: [Entry; 1] = [Entry {
    name: "lbfgs",
    about: About(ABOUT),
    lr: 1.0,
    settings: || Lbfgs::SETTINGS.to_vec(),
    defaults: || Lbfgs::default().values(),
    dialects: &[],
    memory: None,
    build,
}];

fn build(entry: &Entry, settings: &[(&str, &str)], decay: Option<Decay>) -> Result<Built, SpecError> {
    entry.no_decay(decay)?;
    let mut thing = Lbfgs::default();
    let lr = entry.read(&mut thing, settings)?;
    let search = match thing.line_search {
        Search::None => LineSearchFn::None,
        Search::StrongWolfe => LineSearchFn::StrongWolfe,
    };
    let config = LBFGSConfig::new().with_max_iter(thing.max_iter).with_history_size(thing.history).with_line_search_fn(search);
    let config = config.with_tolerance_grad(thing.tolerance_grad).with_tolerance_change(thing.tolerance_change);
    Ok(entry.built(lr, thing.spec(entry.name), Method::Whole(Whole::Lbfgs(Box::new(config.init())))))
}
