//! Replays the sparse cases of a file, whose gradients contain only some rows of a table.

use std::path::Path;

use burn::tensor::{DType, Device, Tensor, TensorData};
use serde_json::Value;

use super::agreement::{Agreement, Tolerance};
use super::file::{SparseCase, SparseStep, Trajectories};
use super::mapping::map_case;
use super::replay::{Replay, at_place, descend, title};
use crate::error::{Error, Result};
use crate::optim::{LazyAdam, Optimizers};
use crate::pipeline::PipelineConfig;
use crate::spec::Settings;

impl Trajectories {
    /// Replays every sparse case.
    pub(super) fn replay_sparse(
        &self,
        path: &Path,
        optimizers: &Optimizers,
        tolerance: Tolerance,
    ) -> Vec<Result<Replay>> {
        let Some(sparse) = &self.sparse else { return Vec::new() };
        let recorded = sparse.trajectories.iter();
        recorded
            .map(|(name, theta)| {
                self.replay_sparse_case(path, sparse, name, theta, optimizers, tolerance)
            })
            .collect()
    }

    fn replay_sparse_case(
        &self,
        path: &Path,
        sparse: &SparseCase,
        name: &str,
        theta: &Value,
        optimizers: &Optimizers,
        tolerance: Tolerance,
    ) -> Result<Replay> {
        let place = format!("{}, sparse.{name}", path.display());
        let optimizer = match name {
            "torch_SparseAdam" => "lazy_adam",
            "torch_Adam_dense" => "adam",
            _ => {
                let expected = "torch_SparseAdam or torch_Adam_dense";
                return Err(Error::content(&place, format!("`{name}`"), expected));
            }
        };
        let mapped = map_case(&place, "torch", optimizer, "torch", &sparse.settings)
            .map_err(|error| at_place(&place, error))?;
        let theta = sparse.read_trajectory(&place, theta)?;
        let lrs = self.lrs(path, mapped.lr)?;
        let config = PipelineConfig::read(&mapped.spec.parse()?, optimizers)
            .map_err(|error| at_place(&place, error))?;
        let start = sparse.theta0.concat();
        let run = |dtype| match optimizer {
            "adam" => {
                Ok(descend(&config, &start, &sparse.dense_gradients(), &lrs, dtype)?.training)
            }
            _ => sparse.descend_rows(&config, &lrs, dtype),
        };
        let Agreement { double, single } = Agreement::of(&start, &theta, tolerance, run)?;
        let case = title("torch", name.trim_start_matches("torch_"), &sparse.settings);
        Ok(Replay { case, line: mapped.spec, double, single, sparse: true })
    }
}

impl SparseCase {
    /// A recorded trajectory, with the rows of each step in one list.
    fn read_trajectory(&self, place: &str, theta: &Value) -> Result<Vec<Vec<f64>>> {
        let steps: Vec<Vec<Vec<f64>>> = serde_json::from_value(theta.clone()).map_err(|error| {
            let expected = "for each step all rows, each a list of numbers";
            Error::content(place, format!("an invalid trajectory ({error})"), expected)
        })?;
        let steps: Vec<Vec<f64>> = steps.into_iter().map(|rows| rows.concat()).collect();
        let numbers = self.theta0.concat().len();
        if steps.len() != self.steps.len() || steps.iter().any(|step| step.len() != numbers) {
            let expected = "the same number of rows and steps as in sparse.steps";
            return Err(Error::content(place, format!("{} steps", steps.len()), expected));
        }
        Ok(steps)
    }

    fn width(&self) -> usize {
        self.theta0.first().map_or(0, Vec::len)
    }

    /// The gradients with a row of zeros for every missing row.
    fn dense_gradients(&self) -> Vec<Vec<f64>> {
        self.steps.iter().map(|step| self.dense_gradient(step)).collect()
    }

    fn dense_gradient(&self, step: &SparseStep) -> Vec<f64> {
        let width = self.width();
        let mut dense = vec![0.0; self.theta0.len() * width];
        for (row, grad) in step.rows.iter().zip(&step.grad) {
            let elements = &mut dense[row * width..(row + 1) * width];
            elements.iter_mut().zip(grad).for_each(|(sum, g)| *sum += g);
        }
        dense
    }

    /// The table after each step of `lazy_adam`, which gets only the rows of the gradient.
    fn descend_rows(
        &self,
        config: &PipelineConfig,
        lrs: &[f64],
        dtype: DType,
    ) -> Result<Vec<Vec<f64>>> {
        let mut lazy = LazyAdam::default();
        for (key, value) in config.optimizer.spec.single()? {
            if key != "lr" {
                lazy.set("lazy_adam", key, value)?;
            }
        }
        let device = Device::default();
        let tensor = |rows: &[Vec<f64>]| {
            let data = TensorData::new(rows.concat(), [rows.len(), self.width()]);
            Tensor::<2>::from_data(data, (&device, dtype))
        };
        let (mut x, mut state, mut all) = (tensor(&self.theta0), None, Vec::new());
        for (step, lr) in self.steps.iter().zip(lrs) {
            let (moved, new_state) = lazy.step_rows(*lr, x, &step.rows, tensor(&step.grad), state);
            (x, state) = (moved, Some(new_state));
            all.push(x.to_data().iter::<f64>().collect());
        }
        Ok(all)
    }
}
