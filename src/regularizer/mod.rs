//! What keeps a model from fitting its training examples alone: penalties on the weights, added to the loss, and early stopping. A new penalty
//! is a new file, and a line in the table below.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::about::About;
use crate::error::Result;
use crate::spec::{Setting, Settings, Spec, unknown};

pub mod early_stopping;

pub use early_stopping::EarlyStopping;

macro_rules! penalties {
    ($($module:ident::$Type:ident),* $(,)?) => {
        $(pub mod $module; pub use $module::$Type;)*

        /// Any penalty of the table, or none.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)]
        pub enum Penalty {
            /// Nothing is added.
            None,
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
            /// Reads a spec; `none` is no penalty.
            ///
            /// # Errors
            /// On an unknown penalty or setting, or a value that is not allowed.
            pub fn read(spec: &Spec) -> Result<Penalty> {
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
                    $(Penalty::$Type(penalty) => penalty.spec(stringify!($module)).to_string()),*
                }
            }

            /// What is added to the loss of this model.
            pub fn of<M: Module>(&self, model: &M) -> Option<Tensor<1>> {
                match self {
                    Penalty::None => None,
                    $(Penalty::$Type(penalty) => penalty.of(model)),*
                }
            }
        }
    };
}

/// A penalty in the table.
pub struct Entry {
    /// The name in specs.
    pub name: &'static str,
    /// Title, formula and source.
    pub about: About,
    /// Its settings.
    pub settings: &'static [Setting],
    /// Their defaults.
    pub defaults: fn() -> Vec<(&'static str, String)>,
}

penalties! {
    l2::L2,
}
