//! Training the module of a program on batches of its data.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor};
use sha2::{Digest, Sha256};

use super::record::{OwnMeasure, OwnRecord};
use crate::data::{Batch, Dataset, DeviceExamples};
use crate::docs::{counted, hex};
use crate::error::{Error, Result};
use crate::model::Mode;
use crate::record::{RecordedTask, VALIDATION_LOSS};
use crate::schedule::Progress;
use crate::seed::Seed;
use crate::task::batches::Batches;
use crate::task::dyn_task::{DynTask, PreparedTask};
use crate::task::memory::RunSize;
use crate::task::prepare::TaskContext;
use crate::task::splits::{Splits, Subset};
use crate::train::Problem;

/// The examples for which a module predicts.
#[derive(Clone, Debug)]
pub struct OwnBatch {
    /// the inputs, one row per example
    pub x: Tensor<2>,
    /// the numbers to predict, one row per example; for classes, one column with their numbers
    pub y: Tensor<2>,
    /// the classes; zeros if there are numbers to predict
    pub classes: Tensor<1, Int>,
    /// Training or evaluation, for [`dropout`](crate::model::dropout) whose masks depend on the
    /// run's own seed. burn's `Dropout` layer draws from a generator that all runs of a process
    /// share, so it is deterministic only with one run at a time.
    pub mode: Mode,
}

type Init<M> = Arc<dyn Fn(&Device) -> M + Send + Sync>;
type OfBatch<M> = Arc<dyn Fn(&M, OwnBatch) -> Tensor<1> + Send + Sync>;

/// The functions of a program.
pub(super) struct Functions<M> {
    init: Init<M>,
    loss: OfBatch<M>,
    measures: Vec<(String, OfBatch<M>)>,
}

/// Derived, it would ask for a module that can be cloned.
impl<M> Clone for Functions<M> {
    fn clone(&self) -> Self {
        let Functions { init, loss, measures } = self;
        Functions { init: init.clone(), loss: loss.clone(), measures: measures.clone() }
    }
}

impl<M: Module + 'static> Functions<M> {
    pub fn new(
        init: impl Fn(&Device) -> M + Send + Sync + 'static,
        loss: impl Fn(&M, OwnBatch) -> Tensor<1> + Send + Sync + 'static,
    ) -> Functions<M> {
        Functions { init: Arc::new(init), loss: Arc::new(loss), measures: Vec::new() }
    }

    pub fn add_measure(
        &mut self,
        name: &str,
        value: impl Fn(&M, OwnBatch) -> Tensor<1> + Send + Sync + 'static,
    ) {
        self.measures.push((name.into(), Arc::new(value)));
    }

    /// The model with the initial weights of this seed.
    fn initial(&self, seed: Seed, device: &Device) -> M {
        /// burn's generator is global to the process
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        device.seed(seed.0);
        let model = (self.init)(device);
        // burn draws the numbers of a parameter at its first use
        model.visit(&mut Draw);
        model
    }
}

/// Draws the initial value of every parameter.
struct Draw;

impl ModuleVisitor for Draw {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        param.val();
    }
}

/// What the program says about its task.
pub(super) struct Recorded {
    pub model: String,
    pub batch: usize,
    pub validation: f64,
    pub measures: Vec<OwnMeasure>,
}

/// Moves the data to the device, and says what is recorded.
pub(super) fn prepare<M: Module + 'static>(
    own: Recorded,
    data: &Dataset,
    functions: Functions<M>,
    context: &TaskContext,
) -> Result<Box<dyn DynTask>> {
    let device = context.autodiff_device()?;
    let subset = Subset { validation: own.validation, ..context.subset };
    let splits = Splits::of(data, subset, &device);
    splits.check_validation(own.validation)?;
    let batches = Batches::new(splits, own.batch, &device);
    let problem = OwnProblem { functions: functions.clone(), batches };
    let model = functions.initial(Seed(0), &device);
    // how many numbers its layers make is not known
    let (model_name, parameters) = (own.model.clone(), model.num_params());
    let size = RunSize { model: model_name, parameters, units: 0, batch: own.batch };
    let record = RecordedTask::new(OwnRecord {
        parameters,
        fingerprint: problem.fingerprint(&own.model, &model)?,
        model: own.model,
        data: data.name.clone(),
        sha256: data.sha256(),
        inputs: data.train.shape.clone(),
        predicted: match data.train.labels.width() {
            0 => counted(data.classes, "class", "classes"),
            width => counted(width, "number", "numbers"),
        },
        train: problem.batches.splits.train.len(),
        test: problem.batches.splits.test.len(),
        validation: problem.batches.splits.validation.as_ref().map_or(0, DeviceExamples::len),
        batch: own.batch,
        measures: own.measures,
    });
    let initial = Box::new(move |seed| Ok(functions.initial(seed, &device)));
    Ok(Box::new(PreparedTask { record, problem, initial, size }))
}

/// The module of a program on batches of its data. Each epoch uses every training example once, in
/// an order of its own; the last batch may be shorter.
struct OwnProblem<M> {
    functions: Functions<M>,
    batches: Batches,
}

impl<M> Clone for OwnProblem<M> {
    fn clone(&self) -> Self {
        OwnProblem { functions: self.functions.clone(), batches: self.batches.clone() }
    }
}

impl<M: Module + 'static> OwnProblem<M> {
    /// A batch for training: on the device with autodiff.
    fn with_autodiff(&self, batch: Batch, step: usize) -> OwnBatch {
        let OwnBatch { x, y, classes, .. } = plain(batch);
        OwnBatch {
            x: Tensor::from_inner(x),
            y: Tensor::from_inner(y),
            classes: classes.to_device(&self.batches.device),
            mode: Mode::Train(self.batches.generator(step)),
        }
    }

    /// The mean loss over examples.
    fn mean_loss(&self, model: &M, examples: &DeviceExamples) -> f64 {
        let mut sum = 0.0;
        for batch in examples.batches().map(plain) {
            let count = batch.x.dims()[0] as f64;
            sum += count * (self.functions.loss)(model, batch).into_scalar::<f64>();
        }
        sum / examples.len() as f64
    }

    /// A hash of what the program does: of the initial weights, and of the loss of one batch with
    /// its gradients. Numbers are rounded to five digits, so that the order of sums does not
    /// matter.
    fn fingerprint(&self, name: &str, model: &M) -> Result<String> {
        let batch = self.with_autodiff(self.batches.first(), 0);
        let size = batch.x.dims()[0];
        let loss = (self.functions.loss)(model, batch);
        if loss.dims() != [1] {
            let found = format!("{} numbers for a batch of {size}", loss.dims()[0]);
            let what = format!("the loss of `{name}`");
            return Err(Error::mismatch(what, found, "1, such as their mean"));
        }
        let mut norms = Norms { gradients: None, hash: Sha256::new() };
        norms.add(loss.clone());
        norms.gradients = Some(GradientsParams::from_grads(loss.backward(), model));
        model.visit(&mut norms);
        Ok(hex(&norms.hash.finalize()[..8]))
    }
}

/// Hashes the norm of each parameter and of its gradient.
struct Norms {
    gradients: Option<GradientsParams>,
    hash: Sha256,
}

impl Norms {
    fn add(&mut self, number: Tensor<1>) {
        self.hash.update(format!("{:.4e} ", number.into_scalar::<f64>()));
    }
}

impl ModuleVisitor for Norms {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val().inner();
        self.hash.update(format!("{:?} ", value.dims()));
        let gradient = self.gradients.as_ref().and_then(|all| all.get::<D>(param.id));
        for tensor in [Some(value), gradient].into_iter().flatten() {
            self.add(tensor.square().sum());
        }
    }
}

/// A batch for evaluation.
fn plain(Batch { x, y, targets }: Batch) -> OwnBatch {
    let n = y.dims()[0];
    let numbers = targets.unwrap_or_else(|| y.clone().float().reshape([n, 1]));
    OwnBatch { x, y: numbers, classes: y, mode: Mode::Evaluate }
}

impl<M: Module + 'static> Problem for OwnProblem<M> {
    type Model = M;

    fn seeded(self, seed: Seed) -> OwnProblem<M> {
        OwnProblem { batches: self.batches.seeded(seed), ..self }
    }

    fn steps(&self) -> usize {
        self.batches.steps()
    }

    fn loss(&mut self, model: &M, now: Progress) -> Tensor<1> {
        let batch = self.batches.batch(now);
        (self.functions.loss)(model, self.with_autodiff(batch, now.step))
    }

    fn measure(&self, model: &M, _now: Progress) -> BTreeMap<String, f64> {
        let Splits { train, validation, test, .. } = &self.batches.splits;
        let mut measures = BTreeMap::from([
            ("train_loss".to_string(), self.mean_loss(model, train)),
            ("test_loss".to_string(), self.mean_loss(model, test)),
        ]);
        if let Some(validation) = validation {
            measures.insert(VALIDATION_LOSS.into(), self.mean_loss(model, validation));
        }
        for (name, value) in &self.functions.measures {
            let value = value(model, plain(test.all())).into_scalar::<f64>();
            measures.insert(name.clone(), value);
        }
        measures
    }
}
