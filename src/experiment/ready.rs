//! A task made ready: its data on the device, its problem, its first model, and what a header says of them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::Device;

use super::run::Choice;
use super::{Classification, Extent, Task};
use crate::augment::Augment;
use crate::data::{self, Resident};
use crate::error::{Error, Result};
use crate::model::saved::Told;
use crate::model::{self, Shapes, vae};
use crate::problem::classify::{Parts, Share};
use crate::problem::{Autoencode, Classify, LeastSquares, Quadratic, Slope};
use crate::record::{self, End, Header, Line, Point, Writer};
use crate::regularizer::Penalty;
use crate::seed::Seed;
use crate::spec::{Settings, Spec};
use crate::surface::Surface;
use crate::train::{Plan, Problem, Watch, train};

/// A run to be made.
pub(super) struct Job {
    pub header: Header,
    /// as in legends
    pub setting: String,
    pub path: PathBuf,
    pub plan: Plan,
}

/// A task with all that its runs share, ready to be run by any optimizer with any seed.
pub(super) struct Ready<P: Problem> {
    pub task: record::Task,
    pub problem: P,
    begin: Box<dyn Fn(Seed) -> Result<P::Model> + Send + Sync>,
}

/// The same, whatever kind of problem it is.
pub(super) trait World: Send + Sync {
    fn task(&self) -> &record::Task;
    /// Steps of one epoch.
    fn steps(&self) -> usize;
    /// Makes one run and writes its record.
    fn run(&self, job: &Job, step: &mut dyn FnMut(), stop: &AtomicBool) -> Result<End>;
}

impl<P: Problem + Clone + Send + Sync> World for Ready<P> {
    fn task(&self) -> &record::Task {
        &self.task
    }
    fn steps(&self) -> usize {
        self.problem.steps()
    }
    fn run(&self, job: &Job, step: &mut dyn FnMut(), stop: &AtomicBool) -> Result<End> {
        self.make(job, step, stop).map(|(_, end)| end)
    }
}

impl<P: Problem + Clone> Ready<P> {
    pub fn make(&self, job: &Job, step: &mut dyn FnMut(), stop: &AtomicBool) -> Result<(P::Model, End)> {
        let seed = Seed(job.header.seed);
        let model = (self.begin)(seed)?;
        let mut problem = self.problem.clone().seeded(seed);
        let mut writer = Writer::create(&job.path, &job.header)?;
        let recorded = || {
            let (model, end) = train(&mut problem, model, &job.plan, &mut Follow { writer: &mut writer, step, stop })?;
            writer.write(&Line::End(end.clone()))?;
            Ok((model, end))
        };
        recorded().inspect_err(|_| {
            // what could not be done leaves nothing half written
            let _ = fs::remove_file(&job.path);
        })
    }
}

/// Data on a device, for all series that ask for the same.
#[derive(Default)]
pub(super) struct Loaded(Vec<(Asked, Arc<Given>)>);

/// Which data: their name, how much of them, and whether images are to be changed before they are prepared.
type Asked = (String, Share, bool);

/// Data, and what a header says of it.
struct Given {
    name: String,
    sha256: String,
    shapes: Shapes,
    /// whether the inputs are pixels from 0 to 1
    pixels: bool,
    parts: Parts,
}

impl Loaded {
    fn of(&mut self, asked: Asked, device: &Device) -> Result<Arc<Given>> {
        if let Some((_, given)) = self.0.iter().find(|(own, _)| *own == asked) {
            return Ok(given.clone());
        }
        let (data, share, images) = &asked;
        let (loaded, images) = if *images { data::load_both(data)? } else { (data::load(data)?, None) };
        let parts = Parts::of(&loaded, *share, device);
        let given = Arc::new(Given {
            name: loaded.name.clone(),
            sha256: loaded.sha256(),
            shapes: Shapes { input: loaded.train.shape.clone(), classes: loaded.classes },
            pixels: loaded.train.are_pixels(),
            parts: match images {
                Some((images, prepared)) => parts.from_images(&images, prepared, *share),
                None => parts,
            },
        });
        if given.parts.train.is_empty() || given.parts.test.is_empty() {
            return Err(Error::content(data, "no example to train or to test on", "some, after those for validation are split off"));
        }
        self.0.push((asked, given.clone()));
        Ok(given)
    }
}

/// A classifier to be trained: names are read first, the slow part last.
pub(super) fn classifier(asked: &Classification, share: Share, device: &str, loaded: &mut Loaded) -> Result<(Ready<Classify>, Told)> {
    let asked = asked.canonical()?;
    let (model, penalty): (Spec, Penalty) = (asked.model.parse()?, Penalty::read(&asked.penalty.parse()?)?);
    let device = crate::device::find(device)?.autodiff();
    let augment = Augment::read(&asked.augment.parse()?)?;
    let share = Share { validation: asked.validation, ..share };
    let given = loaded.of((asked.data.clone(), share, !augment.is_none()), &device)?;
    let (parts, shapes) = (&given.parts, given.shapes.clone());
    if asked.validation > 0.0 && parts.validation.is_none() {
        let found = format!("{}, which is none of {} training examples", asked.validation, parts.train.len());
        return Err(Error::Asked(format!("task.validation: found {found}, expected a share with an example in it")));
    }
    augment.takes(&given.name, &shapes.input, given.pixels || parts.has_images())?;
    let measured = asked.measured_of(parts.train.len()).unwrap_or(0);
    let task = record::Task::Classify {
        parameters: model::parameters(&model, &shapes)?,
        model: asked.model,
        data: given.name.clone(),
        sha256: given.sha256.clone(),
        train: parts.train.len(),
        test: parts.test.len(),
        batch: asked.batch,
        penalty: asked.penalty,
        augment: asked.augment,
        validation: parts.validation.as_ref().map_or(0, Resident::len),
        early_stopping: asked.early_stopping,
        measured,
    };
    let problem = Classify::on(parts.clone(), asked.measured, asked.batch, penalty, &device).augmented(augment, &shapes.input)?;
    let begin = {
        let (model, shapes) = (model.clone(), shapes.clone());
        Box::new(move |seed| model::build(&model, &shapes, seed, &device))
    };
    // what was done to the data is told with every setting, as in the name
    let data = match (asked.data.split_once('|'), given.name.split_once('|')) {
        (Some((data, _)), Some((_, prepared))) => format!("{}|{prepared}", data.trim()),
        _ => asked.data,
    };
    Ok((Ready { task, problem, begin }, Told { spec: model, shapes, data, sha256: given.sha256.clone() }))
}

/// A task made ready.
pub(super) fn ready(task: &Task, choice: &Choice, extent: &Extent, loaded: &mut Loaded) -> Result<Box<dyn World>> {
    let on_processor = || match (&choice.data, choice.device.as_str()) {
        (Some(data), _) => Err(Error::Asked(format!("--data is {data}, and this experiment has no data to choose"))),
        (None, "flex") => Ok(()),
        (None, other) => Err(Error::Asked(format!("--device is {other}, and this experiment runs on flex, in f64"))),
    };
    Ok(match task {
        Task::Classify(asked) => {
            let asked = Classification { data: extent.data(&asked.data, choice.data.as_deref()), ..asked.clone() };
            let share = Share { train: extent.train, test: extent.test, ..Share::default() };
            Box::new(classifier(&asked, share, &choice.device, loaded)?.0)
        }
        Task::Autoencode { model, data, batch, penalty } => {
            let (settings, penalty) = (vae::read(&model.parse()?)?, Penalty::read(&penalty.parse()?)?);
            let device = crate::device::find(&choice.device)?.autodiff();
            let share = Share { train: extent.train, test: extent.test, ..Share::default() };
            let given = loaded.of((extent.data(data, choice.data.as_deref()), share, false), &device)?;
            if !given.pixels {
                return Err(Error::content(&given.name, "inputs that are no pixels", "pixels from 0 to 1 for an autoencoder"));
            }
            let task = record::Task::Autoencode {
                model: settings.spec(vae::NAME).to_string(),
                parameters: settings.count(&given.shapes)?,
                data: given.name.clone(),
                sha256: given.sha256.clone(),
                train: given.parts.train.len(),
                test: given.parts.test.len(),
                batch: *batch,
                penalty: penalty.spec(),
            };
            let problem = Autoencode::on(given.parts.clone(), *batch, penalty, &device);
            let shapes = given.shapes.clone();
            Box::new(Ready { task, problem, begin: Box::new(move |seed| settings.made(&shapes, seed, &device)) })
        }
        Task::Surface { surface, window, start, noise } => {
            on_processor()?;
            let surface = Surface::read(surface, *window, *start)?;
            let task = record::Task::Surface {
                surface: surface.name.clone(),
                formula: surface.formula.clone(),
                window: surface.window,
                start: surface.start,
                noise: *noise,
            };
            let problem = Slope::new(surface, *noise);
            let from = problem.clone();
            Box::new(Ready { task, problem, begin: Box::new(move |_| Ok(from.begin())) })
        }
        Task::LeastSquares { examples, batch, order, until } => {
            on_processor()?;
            let (examples, batch, order, until) = (*examples, batch.map_or(*examples, |batch| batch.min(*examples)), *order, *until);
            let problem = LeastSquares::new(examples, batch, order, until);
            let from = problem.clone();
            let task = record::Task::LeastSquares { examples, batch, order, until };
            Box::new(Ready { task, problem, begin: Box::new(move |_| Ok(from.begin())) })
        }
        Task::Quadratic { batch, order } => {
            on_processor()?;
            let problem = Quadratic::new(*batch, *order)?;
            let from = problem.clone();
            let task = record::Task::Quadratic { batch: *batch, order: *order };
            Box::new(Ready { task, problem, begin: Box::new(move |_| Ok(from.begin())) })
        }
        Task::Study { study } => return Err(Error::Asked(format!("{study} is a study, which has no runs"))),
    })
}

/// Writes the points, counts the steps, and listens to Ctrl-C.
struct Follow<'a> {
    writer: &'a mut Writer,
    step: &'a mut dyn FnMut(),
    stop: &'a AtomicBool,
}

impl Watch for Follow<'_> {
    fn point(&mut self, point: &Point) -> Result<()> {
        self.writer.write(&Line::Point(point.clone()))
    }
    fn step(&mut self) -> bool {
        (self.step)();
        !self.stop.load(Ordering::Relaxed)
    }
}
