//! # Muon: burn's, orthogonalized momentum
//!
//! ```text
//! v = momentum v + g
//! x = x - lr orthogonal(g + momentum v)
//! ```
//!
//! ## Differences
//! It is for matrices, and burn's panics on anything else. Here burn's AdamW, with its defaults and
//! the same learning rate, steps the other parameters.
//!
//! ## Source
//! burn 0.22.1, `MuonConfig`; Jordan, kellerjordan.github.io/posts/muon

use burn::optim::momentum::MomentumConfig;
use burn::optim::{
    AdamW as BurnAdamW, AdamWConfig, AdjustLrFn, ModuleOptimizer, Muon as BurnMuon, MuonConfig,
    Optimizer, RecordState, StateSink, StateSource,
};
use burn::tensor::{Device, Tensor};

use super::wrapper::{BurnOptimizer, l2};
use crate::spec::{Allowed, YES_OR_NO};

/// How [`Muon`] adjusts the learning rate to the shape of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdjustLr {
    /// lr √max(1, rows / columns)
    Original,
    /// the step is as large as AdamW's
    MatchRmsAdamW,
}
crate::words!(AdjustLr { Original = "original", MatchRmsAdamW = "match_rms_adamw" });

crate::settings! {
    /// burn's Muon.
    pub struct Muon {
        /// share of the velocity that is kept
        momentum: f64 = 0.95, Allowed::Decay;
        /// Nesterov's form
        nesterov: bool = true, YES_OR_NO;
        /// Newton-Schulz iterations
        ns_steps: usize = 5, Allowed::Count;
        /// how lr is adjusted to the shape
        adjust: AdjustLr = AdjustLr::Original, AdjustLr::WORDS;
        /// decoupled, multiplied by lr
        weight_decay: f64 = 0.0, Allowed::NotNegative;
    }
}

impl BurnOptimizer for Muon {
    const NAME: &'static str = "burn:muon";
    const LR: f64 = 0.02;
    const DOCS: &'static str = include_str!("muon.rs");

    fn init(&self) -> ModuleOptimizer {
        let momentum =
            MomentumConfig { momentum: self.momentum, dampening: 0.0, nesterov: self.nesterov };
        let adjust = match self.adjust {
            AdjustLr::Original => AdjustLrFn::Original,
            AdjustLr::MatchRmsAdamW => AdjustLrFn::MatchRmsAdamW,
        };
        let config = MuonConfig::new()
            .with_momentum(momentum)
            .with_ns_steps(self.ns_steps)
            .with_adjust_lr_fn(adjust);
        MuonOrAdamW {
            muon: config.with_weight_decay(l2(self.weight_decay)).build(),
            adamw: AdamWConfig::new().build(),
        }
        .into()
    }
}

/// Muon for matrices, AdamW for everything else.
#[derive(Clone)]
struct MuonOrAdamW {
    muon: BurnMuon,
    adamw: BurnAdamW,
}

/// The state of one of the two.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // a few hundred bytes for each parameter
enum MuonOrAdamWState<const D: usize> {
    Muon(<BurnMuon as Optimizer>::State<D>),
    AdamW(<BurnAdamW as Optimizer>::State<D>),
}

impl Optimizer for MuonOrAdamW {
    type State<const D: usize> = MuonOrAdamWState<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        x: Tensor<D>,
        g: Tensor<D>,
        state: Option<MuonOrAdamWState<D>>,
    ) -> (Tensor<D>, Option<MuonOrAdamWState<D>>) {
        let (muon, adamw) = match state {
            Some(MuonOrAdamWState::Muon(state)) => (Some(state), None),
            Some(MuonOrAdamWState::AdamW(state)) => (None, Some(state)),
            None => (None, None),
        };
        if D == 2 {
            let (x, state) = self.muon.step(lr, x, g, muon);
            (x, state.map(MuonOrAdamWState::Muon))
        } else {
            let (x, state) = self.adamw.step(lr, x, g, adamw);
            (x, state.map(MuonOrAdamWState::AdamW))
        }
    }

    fn to_device<const D: usize>(
        state: MuonOrAdamWState<D>,
        device: &Device,
    ) -> MuonOrAdamWState<D> {
        match state {
            MuonOrAdamWState::Muon(state) => {
                MuonOrAdamWState::Muon(BurnMuon::to_device(state, device))
            }
            MuonOrAdamWState::AdamW(state) => {
                MuonOrAdamWState::AdamW(BurnAdamW::to_device(state, device))
            }
        }
    }
}

impl<const D: usize> RecordState for MuonOrAdamWState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        match self {
            MuonOrAdamWState::Muon(state) => state.state_flatten(prefix, out),
            MuonOrAdamWState::AdamW(state) => state.state_flatten(prefix, out),
        }
    }

    fn state_unflatten(prefix: &str, from: &mut StateSource, device: &Device) -> Option<Self> {
        if D == 2 {
            RecordState::state_unflatten(prefix, from, device).map(MuonOrAdamWState::Muon)
        } else {
            RecordState::state_unflatten(prefix, from, device).map(MuonOrAdamWState::AdamW)
        }
    }
}
