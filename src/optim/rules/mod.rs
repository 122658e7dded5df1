//! The update rules, one file each.
//!
//! To add a rule, write its file, declare it as a module, and add it to the list at the end.

use burn::optim::ModuleOptimizer;

use crate::optim::entry::OptimizerEntry;
use crate::optim::fused::Fused;
use crate::optim::rule::Rule;

pub mod adabelief;
pub mod adadelta;
pub mod adafactor;
pub mod adagrad;
pub mod adam;
pub mod adamax;
pub mod adamw;
pub mod ademamix;
pub mod adopt;
pub mod amsgrad;
pub mod dadapt_adam;
pub mod delta_bar_delta;
pub mod laprop;
pub mod lazy_adam;
pub mod lion;
pub mod momentum;
pub mod nadam;
pub mod nadamw;
pub mod nag;
pub mod prodigy;
pub mod radam;
pub mod rmsprop;
pub mod rprop;
pub mod schedule_free;
pub mod schedule_free_sgd;
pub mod sgd;
pub mod signum;

pub use adafactor::Adafactor;
pub use dadapt_adam::DAdaptAdam;
pub use lazy_adam::LazyAdam;
pub use prodigy::Prodigy;

/// Re-exports each type, gives it `init` and `build` without importing a trait, and makes its row
/// of the table.
macro_rules! rules {
    ($($module:ident::$Type:ident),* $(,)?) => {
        $(
            pub use $module::$Type;

            impl $Type {
                /// burn's optimizer of a whole module, as `burn::optim::AdamConfig::init` makes
                /// one.
                ///
                /// # Panics
                /// If a setting is out of its range.
                #[track_caller]
                pub fn init(self) -> ModuleOptimizer {
                    self.build().into()
                }

                /// burn's optimizer of one tensor at a time, for `ModuleOptimizer::with_group`.
                ///
                /// # Panics
                /// If a setting is out of its range.
                pub fn build(self) -> Fused<Self, { length($Type::STATE) }> {
                    if let Err(error) = crate::optim::NamedRule::check_all(&self, stringify!($module)) {
                        panic!("{error}");
                    }
                    Fused(self)
                }
            }
        )*

        /// The rows of the table, in its order.
        pub(super) const ENTRIES: &[OptimizerEntry] = &[$(
            OptimizerEntry::of::<$Type, { length($Type::STATE) }>(
                stringify!($module),
                include_str!(concat!(stringify!($module), ".rs")),
            )
        ),*];
    };
}

/// The number of state values for each element.
const fn length<const N: usize>(_: [&'static str; N]) -> usize {
    N
}

// the order is that of the table, and the place of a rule determines its colour in figures; new
// rules come last
rules! {
    sgd::Sgd,
    momentum::Momentum,
    nag::Nag,
    adagrad::AdaGrad,
    rmsprop::RmsProp,
    adadelta::AdaDelta,
    adam::Adam,
    amsgrad::AmsGrad,
    adamw::AdamW,
    nadam::NAdam,
    radam::RAdam,
    adamax::AdaMax,
    adabelief::AdaBelief,
    lion::Lion,
    rprop::Rprop,
    delta_bar_delta::DeltaBarDelta,
    adopt::Adopt,
    ademamix::AdEmaMix,
    nadamw::NAdamW,
    signum::Signum,
    laprop::LaProp,
    schedule_free::ScheduleFreeAdamW,
    schedule_free_sgd::ScheduleFreeSgd,
}
