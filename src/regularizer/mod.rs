//! Regularization: penalties and constraints on the weights, and early stopping. A penalty is a
//! term of the loss or a proximal step after each optimizer step. A constraint projects the weights
//! after each optimizer step. A new penalty is a new file and a line in the table below.

mod penalty;
mod weights;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::docs::{CatalogEntry, Docs};
use crate::error::Result;
use crate::spec::{Settings, Spec, SpecError, SpecLine, unknown};

pub use penalty::{By, Over, Regularizer};

pub mod early_stopping;

pub use early_stopping::EarlyStopping;

macro_rules! penalties {
    ($($module:ident::$Type:ident),* $(,)?) => {
        $(pub mod $module; pub use $module::$Type;)*

        /// Any penalty of the table, several, or none.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)]
        pub enum Penalty {
            /// No penalty.
            None,
            /// Several penalties, applied from left to right.
            Several(Vec<Penalty>),
            $($Type($Type)),*
        }

        /// All penalties.
        pub const PENALTIES: &[CatalogEntry] = &[$(CatalogEntry {
            name: stringify!($module),
            docs: Docs(include_str!(concat!(stringify!($module), ".rs"))),
            settings: <$Type as Settings>::SETTINGS,
            defaults: || $Type::default().values(),
        }),*];

        impl Penalty {
            fn one(spec: &Spec) -> Result<Penalty> {
                if spec.is_none()? {
                    return Ok(Penalty::None);
                }
                match spec.name.as_str() {
                    $(stringify!($module) => Ok(Penalty::$Type(spec.read()?)),)*
                    other => {
                        let names = ["none", $(stringify!($module)),*];
                        Err(unknown("penalty", other, names).into())
                    }
                }
            }

            /// The spec with all settings.
            pub fn spec(&self) -> String {
                match self {
                    Penalty::None => "none".into(),
                    Penalty::Several(parts) => {
                        parts.iter().map(Penalty::spec).collect::<Vec<_>>().join("|")
                    }
                    $(Penalty::$Type(penalty) => penalty.spec(stringify!($module)).to_string()),*
                }
            }

            /// The sum of all penalties that are terms of the loss, without those with `by=prox`.
            pub fn of<M: Module>(&self, model: &M) -> Option<Tensor<1>> {
                match self {
                    Penalty::None => None,
                    Penalty::Several(parts) => {
                        total(parts.iter().filter_map(|part| part.of(model)))
                    }
                    $(Penalty::$Type(penalty) => match penalty.by() {
                        By::Loss => penalty.value(model),
                        By::Prox => None,
                    }),*
                }
            }

            /// The loss of this model plus the penalties that are terms of the loss.
            pub fn added_to<M: Module>(&self, loss: Tensor<1>, model: &M) -> Tensor<1> {
                match self.of(model) {
                    Some(penalty) => loss + penalty,
                    None => loss,
                }
            }

            /// The sum of all penalties, which is part of the training loss + penalty. A
            /// constraint has no value.
            pub fn value<M: Module>(&self, model: &M) -> Option<Tensor<1>> {
                match self {
                    Penalty::None => None,
                    Penalty::Several(parts) => {
                        total(parts.iter().filter_map(|part| part.value(model)))
                    }
                    $(Penalty::$Type(penalty) => penalty.value(model)),*
                }
            }

            /// Applies proximal steps and constraints to the model after an optimizer step with
            /// this learning rate. With learning rate 0 only constraints are applied.
            #[must_use]
            pub fn after_step<M: Module>(&self, model: M, lr: f64) -> M {
                match self {
                    Penalty::None => model,
                    Penalty::Several(parts) => {
                        parts.iter().fold(model, |model, part| part.after_step(model, lr))
                    }
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
    /// Reads a spec, such as `l2:lambda=1e-4` or `l1:lambda=1e-4,by=prox|max_norm:max=3`; `none` is
    /// no penalty.
    ///
    /// # Errors
    /// On an unknown penalty or setting, a value that is not allowed, or a repeated penalty.
    pub fn read(line: &SpecLine) -> Result<Penalty> {
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
            Err(parts) if parts.contains(&Penalty::None) => {
                Err(wrong("found `none` together with a penalty, expected one or the other".into())
                    .into())
            }
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
