//! The configuration of a pipeline, read from a spec.

use super::groups::{GroupRule, read_groups};
use super::transforms::{Accumulate, ORDER, Policy, Stage, TRANSFORMS, TransformEntry, Transforms};
use crate::error::{Error, Result};
use crate::optim::{ConfiguredOptimizer, Method, Optimizers};
use crate::schedule::{SCHEDULES, Schedule};
use crate::spec::{Spec, SpecError, SpecLine, unknown};

/// What a step does, from left to right as the spec is written:
///
/// ```text
/// sam | accumulate | nonfinite | grokfast_* | mars | clip_* | l2 | OPTIMIZER | cautious | decay
///     | group | lookahead | ema | SCHEDULE
///
/// grokfast_*: grokfast_ema or grokfast_ma
/// clip_*: any of clip_value, clip_norm and clip_global, in any order and number
/// group:  any number
/// ```
#[derive(Clone)]
pub struct PipelineConfig {
    /// the spec with every setting spelled out, without the schedule
    pub spec: SpecLine,
    /// the optimizer, which includes weight decay
    pub optimizer: ConfiguredOptimizer,
    /// the schedule, if the spec has one
    pub schedule: Option<Schedule>,
    pub(super) transforms: Transforms,
    pub(super) groups: Vec<GroupRule>,
}

impl PipelineConfig {
    /// Reads a pipeline spec.
    ///
    /// # Errors
    /// On an unknown name, dialect or setting, a value that is not allowed, a sweep, parts in
    /// another order than the one in which they act, or a gradient transformation that does not go
    /// with the optimizer.
    pub fn read(line: &SpecLine, optimizers: &Optimizers) -> Result<PipelineConfig> {
        let named = find_optimizer(line, optimizers)?;
        check_order(line)?;
        let transforms = read_transforms(line)?;
        let optimizer = match transforms.weight_decay() {
            None => optimizers.make(named)?,
            Some(decay) => optimizers.make_decayed(named, decay)?,
        };
        check_whole_model(line, &optimizer)?;
        let groups = read_groups(named, &optimizer, &transforms, optimizers)?;
        let last = line.0.last().filter(|spec| stage(spec) == Stage::Schedule);
        let schedule = last.map(Schedule::read).transpose()?;
        let spec = canonical(line, &optimizer)?;
        Ok(PipelineConfig { spec, optimizer, schedule, transforms, groups })
    }

    /// Where another parameter group goes in the spec: after those that it has.
    pub(super) fn place_of_group(&self) -> usize {
        self.spec.0.iter().filter(|spec| stage(spec) <= Stage::Group).count()
    }

    /// Whether a step with a gradient that is not finite is skipped.
    pub fn skips(&self) -> bool {
        let nonfinite = self.transforms.nonfinite.as_ref();
        nonfinite.is_some_and(|nonfinite| nonfinite.policy == Policy::Skip)
    }

    /// How many batches make a step.
    pub fn batches_a_step(&self) -> usize {
        self.transforms.accumulate.as_ref().map_or(1, |accumulate| accumulate.steps)
    }

    /// How many numbers the pipeline keeps for each parameter: the optimizer's state, averages, the
    /// sum of accumulated gradients, earlier gradients.
    pub fn copies(&self) -> usize {
        let state = match &self.optimizer.method {
            Method::PerTensor { rule: Some(rule), .. } => rule.state_names().len(),
            Method::Joint(joint) => joint.state_names().len(),
            // burn's own optimizers have one or two moments, second-order methods several vectors
            Method::PerTensor { rule: None, .. } | Method::WholeModel(_) => 1,
        };
        let Transforms { accumulate, filters, lookahead, ema, .. } = &self.transforms;
        let others = [accumulate.is_some(), lookahead.is_some(), ema.is_some()];
        state + filters.copies() + others.into_iter().filter(|kept| *kept).count()
    }

    /// Checks that so many batches are enough for a step.
    ///
    /// # Errors
    /// If gradients are accumulated over more.
    pub fn fits(&self, batches: usize) -> Result<()> {
        match &self.transforms.accumulate {
            Some(Accumulate { steps }) if *steps > batches => Err(SpecError::Value {
                owner: "accumulate".into(),
                key: "steps".into(),
                found: steps.to_string(),
                expected: format!("at most {batches}, the batches of the whole run"),
            }
            .into()),
            _ => Ok(()),
        }
    }
}

/// The stage of a part. Any name that is neither a gradient transformation nor a schedule is taken
/// for an optimizer.
fn stage(spec: &Spec) -> Stage {
    if let Some(entry) = TransformEntry::find(&spec.name) {
        return entry.stage;
    }
    match SCHEDULES.iter().any(|schedule| schedule.name == spec.name) {
        true => Stage::Schedule,
        false => Stage::Optimizer,
    }
}

/// The one optimizer of a pipeline spec.
fn find_optimizer<'a>(line: &'a SpecLine, optimizers: &Optimizers) -> Result<&'a Spec> {
    let found: Vec<&Spec> = line.0.iter().filter(|spec| stage(spec) == Stage::Optimizer).collect();
    for spec in &found {
        check_name(spec, optimizers)?;
    }
    match found[..] {
        [optimizer] => Ok(optimizer),
        [] => Err(several(line, "no optimizer, expected one, such as adam".into())),
        _ => {
            let names: Vec<&str> = found.iter().map(|spec| spec.name.as_str()).collect();
            let names = names.join(" and ");
            Err(several(line, format!("found the optimizers {names}, expected only one")))
        }
    }
}

fn check_name(spec: &Spec, optimizers: &Optimizers) -> Result<()> {
    let names = optimizers.entries().iter().map(|entry| entry.name);
    if names.clone().any(|name| name == spec.name) {
        return Ok(());
    }
    let transforms = TRANSFORMS.iter().map(|entry| entry.name);
    let schedules = SCHEDULES.iter().map(|schedule| schedule.name);
    let known = names.chain(transforms).chain(schedules);
    let kind = "optimizer, gradient transformation or schedule";
    Err(unknown(kind, &spec.name, known).into())
}

/// Checks that the parts are written in the order in which they act.
fn check_order(line: &SpecLine) -> Result<()> {
    for pair in line.0.windows(2) {
        let (left, right) = (stage(&pair[0]), stage(&pair[1]));
        if left < right || (left == right && left.may_repeat()) {
            continue;
        }
        let same_stage = left == right;
        let (left, right) = (&pair[0].name, &pair[1].name);
        let problem = match same_stage {
            true if left == right => format!("{left} is given twice"),
            true => format!("found {left} and {right}, expected only one of them"),
            false => {
                let mut in_order = line.clone();
                in_order.0.sort_by_key(stage);
                format!(
                    "found {right} after {left}, expected `{in_order}`; the order is {}, and only \
                     clips and groups may repeat",
                    ORDER.replace('|', ", ")
                )
            }
        };
        return Err(several(line, problem));
    }
    Ok(())
}

fn read_transforms(line: &SpecLine) -> Result<Transforms> {
    let mut transforms = Transforms::default();
    for spec in &line.0 {
        if let Some(entry) = TransformEntry::find(&spec.name) {
            transforms.add((entry.read)(spec)?);
        }
    }
    Ok(transforms)
}

/// Checks that nothing changes the gradients of an optimizer that computes them itself.
fn check_whole_model(line: &SpecLine, optimizer: &ConfiguredOptimizer) -> Result<()> {
    let before = line.0.iter().find(|spec| stage(spec) < Stage::Optimizer);
    match (&optimizer.method, before) {
        (Method::WholeModel(_), Some(before)) => {
            let (name, before) = (&optimizer.spec.name, &before.name);
            let problem =
                format!("{name} evaluates the loss itself, and {before} cannot come before it");
            Err(several(line, problem))
        }
        _ => Ok(()),
    }
}

/// The line with every setting spelled out, without the schedule.
fn canonical(line: &SpecLine, optimizer: &ConfiguredOptimizer) -> Result<SpecLine> {
    let mut specs = Vec::new();
    for spec in &line.0 {
        match (TransformEntry::find(&spec.name), stage(spec)) {
            (Some(entry), _) => specs.push((entry.canonical)(spec)?),
            (None, Stage::Optimizer) => specs.push(optimizer.spec.clone()),
            (None, _) => {}
        }
    }
    Ok(SpecLine(specs))
}

fn several(line: &SpecLine, problem: String) -> Error {
    SpecError::Several { spec: line.to_string(), problem }.into()
}
