//! Specs: `adam:lr=1e-3,beta2=0.99`, `adam@s0:lr=[1e-3,1e-2]`, `mlp:hidden=1000-1000`,
//! `inverse_sqrt`.
//!
//! ```text
//! spec    = name [ "@" dialect ] [ ":" setting { "," setting } ]
//! setting = key "=" ( value | "[" value { "," value } "]" | range )
//! range   = ( "log" | "uniform" | "choice" ) "(" value { "," value } ")"
//! line    = spec { "|" spec }
//! ```
//!
//! A list in brackets is a sweep: [`Spec::expand`] returns one spec for each combination of values.
//! A [`Range`] is sampled by an experiment.
//!
//! Everything that has settings declares them with [`settings!`](crate::settings). The declaration
//! contains the name, type, default, allowed values and description of each setting. The builder
//! methods, the checks, the output of `downhill show` and the header of a record come from it.

mod error;
mod grammar;
mod line;
mod macros;
mod names;
mod range;
mod settings;
mod value;

pub use error::{SpecError, unknown};
pub use grammar::Spec;
pub use line::{SpecLine, other_optimizer, split_lines};
pub use names::{BURN, alias};
pub use range::Range;
pub use settings::{Setting, Settings};
pub use value::{Allowed, SettingValue, YES_OR_NO};

#[doc(hidden)]
pub use pastey::paste as __paste;
