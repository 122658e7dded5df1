//! Replays of the cases of a file.

use std::path::Path;

use super::agreement::{Agreement, Tolerance};
use super::file::{Case, Trajectories};
use super::mapping::map_case;
use super::replay::{Replay, at_place, descend, title};
use crate::error::{Error, Result};
use crate::optim::Optimizers;
use crate::pipeline::PipelineConfig;
use crate::spec::SpecLine;

impl Trajectories {
    /// Replays every case, the sparse ones last.
    ///
    /// # Errors
    /// If a case names an unknown framework, optimizer or argument.
    pub fn replay(
        &self,
        path: &Path,
        optimizers: &Optimizers,
        tolerance: Tolerance,
    ) -> Result<Vec<Replay>> {
        let cases = (0..self.cases.len())
            .map(|i| self.replay_as(path, i, self.cases[i].dialect(), optimizers, tolerance));
        cases.chain(self.replay_sparse(path, optimizers, tolerance)).collect()
    }

    /// Replays one case with the formula of `dialect`. To agree, a replay needs the
    /// dialect of the framework of the case.
    ///
    /// # Errors
    /// As [`replay`](Trajectories::replay).
    pub fn replay_as(
        &self,
        path: &Path,
        case: usize,
        dialect: &str,
        optimizers: &Optimizers,
        tolerance: Tolerance,
    ) -> Result<Replay> {
        let Case { framework, call, optimizer, settings, theta, evaluation, .. } =
            &self.cases[case];
        let place = format!("{}, case {} ({framework} {optimizer})", path.display(), case + 1);
        let at_place = |error: Error| at_place(&place, error);
        let mapped = map_case(&place, framework, optimizer, dialect, settings).map_err(at_place)?;
        let config = mapped
            .spec
            .parse::<SpecLine>()
            .map_err(Error::from)
            .and_then(|spec| PipelineConfig::read(&spec, optimizers))
            .map_err(at_place)?;
        let lrs = self.lrs(path, mapped.lr)?;
        let paths = |dtype| descend(&config, &self.theta0, &self.grads, &lrs, dtype);
        let run = |dtype| Ok(paths(dtype)?.training);
        let mut agreement = Agreement::of(&self.theta0, theta, tolerance, run)?;
        if let Some(evaluation) = evaluation {
            let run = |dtype| Ok(paths(dtype)?.evaluation);
            agreement = agreement.and(Agreement::of(&self.theta0, evaluation, tolerance, run)?);
        }
        let Agreement { double, single } = agreement;
        let case = title(framework, call, settings);
        Ok(Replay { case, line: mapped.spec, double, single, sparse: false })
    }
}
