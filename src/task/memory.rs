//! The memory that a run needs, estimated before it is allocated.
//!
//! ```text
//! parameters * 4 bytes * (model + measured model + what the pipeline and early stopping keep)
//! + the larger of
//!   step         parameters * 4 bytes for the gradient, and
//!                units * 4 bytes * max(2 batch, 1000): outputs and their gradients in a step, or
//!                outputs of the 1000 examples evaluated at once
//!   checkpoint   all that is kept, twice: as tensors and as bytes
//! ```
//!
//! It leaves out what is small or short-lived, so a run that is refused could not have been made, or
//! not have been stopped and continued.

use crate::data::AT_ONCE;
use crate::docs::counted;
use crate::error::Result;
use crate::memory::{Need, Part, shown};
use crate::model::{self, Shapes};
use crate::spec::Spec;
use crate::train::Plan;

/// What decides how much memory a run needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunSize {
    /// what is trained, for messages
    pub model: String,
    /// its parameters
    pub parameters: usize,
    /// the numbers that its layers make of one example
    pub units: usize,
    /// examples of a step
    pub batch: usize,
}

impl RunSize {
    /// The size of a model of the table, on batches of this many examples.
    ///
    /// # Errors
    /// As [`model::parameters`].
    pub fn of_model(spec: &Spec, shapes: &Shapes, batch: usize) -> Result<RunSize> {
        let parameters = model::parameters(spec, shapes)?;
        Ok(RunSize {
            model: spec.to_string(),
            parameters,
            units: model::units(spec, shapes)?,
            batch,
        })
    }
}

/// The numbers that are kept at least for each unit and example of a step: its output and the
/// gradient.
const NUMBERS_OF_A_UNIT: usize = 2;
const BYTES: u64 = 4;

/// The model, and the model of the last measurement.
const MODELS: usize = 2;
/// A checkpoint is made as tensors, and then as the bytes of a file.
const COPIES_OF_A_CHECKPOINT: u64 = 2;

/// The bytes of a checkpoint.
pub fn checkpoint_bytes(size: &RunSize, plan: &Plan) -> u64 {
    let best = usize::from(plan.early_stopping.is_some());
    let copies = MODELS + plan.pipeline.copies() + best;
    (size.parameters as u64 * BYTES).saturating_mul(copies as u64)
}

/// The memory of one run.
pub fn need(size: &RunSize, plan: &Plan) -> Need {
    let of_model = |copies: usize| (size.parameters as u64 * BYTES).saturating_mul(copies as u64);
    let examples = size.batch.saturating_mul(NUMBERS_OF_A_UNIT).max(AT_ONCE);
    let activations = (size.units as u64).saturating_mul(BYTES).saturating_mul(examples as u64);
    let part = |name, bytes, less| Part { name, bytes, less };
    let mut parts = vec![
        part("the model and the last measured one", of_model(MODELS), "a smaller model needs less"),
        part("the state of the optimizer", of_model(plan.pipeline.copies()), LESS_STATE),
        part(
            "the best model of early stopping",
            of_model(usize::from(plan.early_stopping.is_some())),
            "a smaller model needs less",
        ),
    ];
    let checkpoint = checkpoint_bytes(size, plan).saturating_mul(COPIES_OF_A_CHECKPOINT);
    if checkpoint > of_model(1).saturating_add(activations) {
        parts.push(part("a checkpoint", checkpoint, LESS_STATE));
    } else {
        parts.push(part("the gradient", of_model(1), "a smaller model needs less"));
        parts.push(part(
            "the activations of a batch",
            activations,
            "a smaller batch or model needs less",
        ));
    }
    Need(parts)
}

const LESS_STATE: &str =
    "a smaller model or an optimizer with less state (`downhill list optimizers`) needs less";

/// How many of `asked` workers fit into the available memory, with a remark if they are fewer. Any
/// worker may make the largest of these runs.
///
/// # Errors
/// If a single one does not fit.
pub fn workers<'a>(
    runs: impl Iterator<Item = (RunSize, &'a Plan)>,
    asked: usize,
    available: Option<u64>,
) -> Result<(usize, Option<String>)> {
    let needs = runs.map(|(size, plan)| (need(&size, plan), size.model));
    let Some((largest, model)) = needs.max_by_key(|(need, _)| need.total()) else {
        return Ok((asked, None));
    };
    largest.check(&model, available)?;
    let fit = available.map_or(u64::MAX, |available| available / largest.total().max(1));
    if asked as u64 <= fit {
        return Ok((asked, None));
    }
    let remark = format!(
        "{} at a time instead of {asked}: each needs up to {} of memory, and {} are \
         available",
        counted(fit as usize, "run", "runs"),
        shown(largest.total()),
        shown(available.unwrap_or(0))
    );
    Ok((fit as usize, Some(remark)))
}

/// Checks that a single run fits into the available memory.
///
/// # Errors
/// If it does not.
pub fn check(size: &RunSize, plan: &Plan, available: Option<u64>) -> Result<()> {
    need(size, plan).check(&size.model, available)
}

/// Checks that the inputs of examples fit, as numbers of 4 bytes.
///
/// # Errors
/// If they do not.
pub(super) fn check_inputs(data: &str, numbers: usize, available: Option<u64>) -> Result<()> {
    let bytes = (numbers as u64).saturating_mul(BYTES);
    let less = "an experiment can use fewer (`train` and `test` of a scale)";
    let name = "the examples as numbers";
    Need(vec![Part { name, bytes, less }]).check(&format!("data {data}"), available)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::Optimizers;
    use crate::pipeline::PipelineConfig;
    use crate::schedule::Schedule;

    fn plan(pipeline: &str) -> Plan {
        Plan {
            pipeline: PipelineConfig::read(&pipeline.parse().unwrap(), &Optimizers::default())
                .unwrap(),
            schedule: Schedule::read(&"constant".parse().unwrap()).unwrap(),
            epochs: 1,
            diagnose: false,
            early_stopping: None,
        }
    }

    fn size(parameters: usize) -> RunSize {
        RunSize { model: "mlp".into(), parameters, units: 10, batch: 1000 }
    }

    #[test]
    fn state_averages_and_checkpoints_are_counted() {
        let copies = |pipeline| need(&size(1_000_000), &plan(pipeline)).total() as f64 / 4e6;
        // the models and the state, three times: to train, and for a checkpoint
        assert_eq!(copies("sgd"), 6.0);
        assert_eq!(copies("momentum"), 9.0);
        assert_eq!(copies("adam"), 12.0);
        assert_eq!(copies("amsgrad"), 15.0);
        assert_eq!(copies("accumulate:steps=2|adam|lookahead|ema"), 21.0);
    }

    #[test]
    fn a_step_counts_if_it_needs_more_than_a_checkpoint() {
        let size = RunSize { units: 10_000, ..size(1_000_000) };
        let step = 4_000_000 + 10_000 * 4 * 2000;
        assert_eq!(need(&size, &plan("sgd")).total(), 8_000_000 + step);
    }

    #[test]
    fn workers_are_reduced_until_they_fit() {
        let adam = plan("adam");
        let (small, large) = (size(1_000_000), size(10_000_000));
        let workers = |available| {
            let runs = [(small.clone(), &adam), (large.clone(), &adam)];
            super::workers(runs.into_iter(), 4, available)
        };
        assert_eq!(workers(None).unwrap(), (4, None));
        assert_eq!(workers(Some(2_000_000_000)).unwrap(), (4, None));
        let (number, remark) = workers(Some(990_000_000)).unwrap();
        assert_eq!(
            (number, remark.as_deref()),
            (
                2,
                Some(
                    "2 runs at a time instead of 4: each needs up to 480.0 MB of memory, and \
                     990.0 MB are available"
                )
            )
        );
        let error = workers(Some(100_000_000)).unwrap_err().to_string();
        assert!(error.starts_with("mlp: found a need of 480.0 MB of memory, 320.0 MB"), "{error}");
    }
}
