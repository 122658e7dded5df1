//! What keeps a model from fitting its training examples alone: penalties on the weights, as terms of the loss or as what is done to the weights
//! after a step (proximal steps, constraints), and early stopping. A new penalty is a new file, and a line in the table below.

mod weights;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::about::{About, Entry};
use crate::error::Result;
use crate::spec::{Line, Settings, Spec, SpecError, unknown};

/// What a penalty of the table is.
pub trait Regularizer: Settings {
    /// The term of one layer's weights, before it is multiplied; nothing for a constraint.
    fn term<const D: usize>(&self, w: Tensor<D>) -> Option<Tensor<1>> {
        let _ = w;
        None
    }

    /// What the sum of the terms is multiplied by.
    fn strength(&self) -> f64 {
        0.0
    }

    /// Its value for this model, whichever way it works; nothing for a constraint, or a model without weights.
    fn value<M: Module>(&self, model: &M) -> Option<Tensor<1>> {
        weights::sum(model, self).map(|sum| sum * self.strength())
    }

    /// What makes it small.
    fn by(&self) -> By {
        By::Loss
    }

    /// The model after the optimizer's step with this learning rate. With 0 it is brought inside the constraints, and no more.
    #[must_use]
    fn after_step<M: Module>(&self, model: M, lr: f64) -> M {
        let _ = lr;
        model
    }
}

/// What makes a penalty small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// the gradient: it is a term of the loss
    Loss,
    /// a proximal step, after each step of the optimizer
    Prox,
}
crate::words!(By { Loss = "loss", Prox = "prox" });

/// What has to lie inside a ball.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// all weights of the model together
    All,
    /// the weights of each layer by themselves
    Tensor,
}
crate::words!(Over { All = "all", Tensor = "tensor" });

/// Each number nearer to zero by `threshold`, and exactly zero where it was not farther from it.
fn soft(w: Tensor<2>, threshold: f64) -> Tensor<2> {
    w.clone() - w.clamp(-threshold, threshold)
}

pub mod early_stopping;

pub use early_stopping::EarlyStopping;

macro_rules! penalties {
    ($($module:ident::$Type:ident),* $(,)?) => {
        $(pub mod $module; pub use $module::$Type;)*

        /// Any penalty of the table, several, or none.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)]
        pub enum Penalty {
            /// Nothing is added.
            None,
            /// One after another, from left to right.
            Several(Vec<Penalty>),
            $($Type($Type)),*
        }

        /// All penalties.
        pub const PENALTIES: &[Entry] = &[$(Entry {
            name: stringify!($module),
            about: About(include_str!(concat!(stringify!($module), ".rs"))),
            settings: <$Type as Settings>::SETTINGS,
            defaults: || $Type::default().values(),
        }),*];

        impl Penalty {
            fn one(spec: &Spec) -> Result<Penalty> {
                match spec.name.as_str() {
                    "none" => Ok(Penalty::None),
                    $(stringify!($module) => Ok(Penalty::$Type(spec.read()?)),)*
                    other => Err(unknown("penalty", other, ["none", $(stringify!($module)),*]).into()),
                }
            }

            /// The spec with every setting spelled out.
            pub fn spec(&self) -> String {
                match self {
                    Penalty::None => "none".into(),
                    Penalty::Several(parts) => parts.iter().map(Penalty::spec).collect::<Vec<_>>().join("|"),
                    $(Penalty::$Type(penalty) => penalty.spec(stringify!($module)).to_string()),*
                }
            }

            /// What is added to the loss of this model: all but the penalties with `by=prox`.
            pub fn of<M: Module>(&self, model: &M) -> Option<Tensor<1>> {
                match self {
                    Penalty::None => None,
                    Penalty::Several(parts) => total(parts.iter().filter_map(|part| part.of(model))),
                    $(Penalty::$Type(penalty) => match penalty.by() {
                        By::Loss => penalty.value(model),
                        By::Prox => None,
                    }),*
                }
            }

            /// The loss of this model with what is added to it.
            pub fn added_to<M: Module>(&self, loss: Tensor<1>, model: &M) -> Tensor<1> {
                match self.of(model) {
                    Some(penalty) => loss + penalty,
                    None => loss,
                }
            }

            /// What belongs to the objective of this model: all penalties. A constraint has no value.
            pub fn value<M: Module>(&self, model: &M) -> Option<Tensor<1>> {
                match self {
                    Penalty::None => None,
                    Penalty::Several(parts) => total(parts.iter().filter_map(|part| part.value(model))),
                    $(Penalty::$Type(penalty) => penalty.value(model)),*
                }
            }

            /// The model after the optimizer's step with this learning rate: proximal steps are taken, and constraints hold. With a rate of 0,
            /// constraints only.
            #[must_use]
            pub fn after_step<M: Module>(&self, model: M, lr: f64) -> M {
                match self {
                    Penalty::None => model,
                    Penalty::Several(parts) => parts.iter().fold(model, |model, part| part.after_step(model, lr)),
                    $(Penalty::$Type(penalty) => penalty.after_step(model, lr)),*
                }
            }
        }
    };
}

fn total(parts: impl Iterator<Item = Tensor<1>>) -> Option<Tensor<1>> {
    parts.reduce(|sum, part| sum + part)
}

impl Penalty {
    /// Reads a line, such as `l2:lambda=1e-4` or `l1:lambda=1e-4,by=prox|max_norm:max=3`; `none` is no penalty.
    ///
    /// # Errors
    /// On an unknown penalty or setting, a value that is not allowed, or a penalty that is given twice.
    pub fn read(line: &Line) -> Result<Penalty> {
        let wrong = |problem: String| SpecError::Several { spec: line.to_string(), problem };
        let specs = &line.0;
        for (i, spec) in specs.iter().enumerate() {
            if specs[..i].iter().any(|before| before.name == spec.name) {
                return Err(wrong(format!("{} is given twice", spec.name)).into());
            }
        }
        let parts = specs.iter().map(Penalty::one).collect::<Result<Vec<_>>>()?;
        match <[Penalty; 1]>::try_from(parts) {
            Ok([one]) => Ok(one),
            Err(parts) if parts.contains(&Penalty::None) => Err(wrong("none beside a penalty, expected either".into()).into()),
            Err(parts) => Ok(Penalty::Several(parts)),
        }
    }
}

penalties! {
    l1::L1,
    l2::L2,
    elastic::Elastic,
    smooth_l1::SmoothL1,
    max_norm::MaxNorm,
    l2_ball::L2Ball,
    l1_ball::L1Ball,
}
