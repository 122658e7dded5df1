//! The program into which the mutants are compiled. It checks which mutants differ from the
//! references. `main.rs` copies this file; it is not compiled separately.
#![allow(warnings)] // a mutation may leave an item unused

use std::path::Path;
use std::process::ExitCode;

use downhill::optim::{Lane, NamedRule, Optimizers, Rule, StepContext};
use downhill::spec::{Setting, SettingValue, Spec, SpecLine};
use downhill::lab::verify::{self, Tolerance};
// the copied files use these as crate::
use downhill::{settings, spec, words};

mod formulas;
mod optim;
mod subjects;

use formulas::{Element, FORMULAS, Formula, SignalValues};

/// Optimizers to be checked: all of them unchanged, or those of one mutation.
pub struct Subject {
    pub file: &'static str,
    pub what: &'static str,
    pub probes: Vec<Probe>,
}

/// An optimizer to be compared with references.
pub struct Probe {
    pub name: &'static str,
    /// describes the first difference; `None` if there is none
    pub first_difference: fn(&Reference) -> Option<String>,
}

/// The expected steps of an optimizer, for some elements of a parameter.
pub struct Reference {
    title: String,
    /// the optimizer and its settings; all other settings, and lr, have their defaults
    spec: Spec,
    /// L2, added to the gradient
    l2: f64,
    elements: Vec<ElementSteps>,
}

/// The steps of one element.
struct ElementSteps {
    start: f64,
    steps: Vec<Step>,
}

/// The input of one step, and the expected results.
struct Step {
    /// the factor of the learning rate
    factor: f64,
    g: f64,
    x: f64,
    /// the evaluation parameter
    theta: Option<f64>,
    signal: Option<SignalValues>,
    bound: Option<f64>,
}

/// The number of state values for each element.
pub const fn length<const N: usize>(_: [&'static str; N]) -> usize {
    N
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn rows(value: &serde_json::Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

/// The recorded cases, with settings in downhill's names. A case with other gradient
/// transformations than l2 is left out.
fn recorded(file: &Path) -> downhill::Result<Vec<Reference>> {
    let (trajectories, optimizers) = (verify::read(file)?, Optimizers::default());
    let text = std::fs::read_to_string(file).expect("read before");
    let json: serde_json::Value = serde_json::from_str(&text).expect("read before");
    let divisors = trajectories.divisors(file)?;
    let (starts, grads) = (numbers(&json["theta0"]), rows(&json["grads"]));
    let mut references = Vec::new();
    for (i, case) in trajectories.cases.iter().enumerate() {
        let replay =
            trajectories.replay_as(file, i, case.dialect(), &optimizers, Tolerance::default())?;
        assert!(replay.agrees(), "downhill itself differs from {}", replay.case);
        let mut line: SpecLine = replay.line.parse()?;
        let optimizer = line.0.pop().filter(|spec| spec.name == case.optimizer);
        let l2 = match line.0.as_slice() {
            [] => 0.0,
            [l2] if l2.name == "l2" => l2.single()?[0].1.parse().expect("a number"),
            _ => continue,
        };
        let Some(optimizer) = optimizer else { continue };
        let theta = rows(&json["cases"][i]["theta"]);
        let evaluation = json["cases"][i].get("evaluation").map(rows);
        let step = |t: usize, i: usize| {
            let (factor, evaluated) = (1.0 / divisors[t], evaluation.as_ref().map(|all| all[t][i]));
            let (g, x) = (grads[t][i], theta[t][i]);
            Step { factor, g, x, theta: evaluated, signal: None, bound: None }
        };
        let element = |i: usize| {
            let steps = (0..grads.len()).map(|t| step(t, i)).collect();
            ElementSteps { start: starts[i], steps }
        };
        references.push(Reference {
            title: replay.case,
            spec: optimizers.make(&optimizer)?.spec,
            l2,
            elements: (0..starts.len()).map(element).collect(),
        });
    }
    Ok(references)
}

const STEPS: u64 = 60;

/// The initial value and the size of the gradients of each element: normal, small compared with
/// eps, even smaller, sometimes zero, constant, and always zero.
const ELEMENTS: [(f64, f64); 6] =
    [(0.5, 1.0), (1e-3, 1e-3), (1e-6, 1e-7), (-0.3, 0.1), (0.2, 0.3), (0.05, 0.0)];

/// Some successive gradients have the same sign, others do not. Their size falls, so that maxima
/// matter.
fn gradient(element: usize, t: u64) -> f64 {
    let size = ELEMENTS[element].1;
    match element {
        3 if t.is_multiple_of(3) => 0.0,
        4 => size,
        _ => size * (0.9 * t as f64 + element as f64).sin() * if t > 30 { 0.01 } else { 1.0 },
    }
}

fn schedule(t: u64) -> f64 {
    match t {
        0..=20 => 1.0,
        21..=40 => 0.1,
        _ => 0.5,
    }
}

/// The steps of a transcribed formula.
fn transcribed(formula: &Formula) -> Reference {
    let steps = |i: usize| {
        let mut element = Element { x: ELEMENTS[i].0, ..Element::default() };
        let steps = (1..=STEPS).map(|t| {
            let (factor, g) = (schedule(t), gradient(i, t));
            let lr = formula.lr * factor;
            let (theta, signal, bound) = (None, None, None);
            element = Element { t: t as i32, lr, g, theta, signal, bound, ..element };
            (formula.step)(&mut element);
            let Element { x, theta, signal, bound, .. } = element;
            Step { factor, g, x, theta: Some(theta.unwrap_or(x)), signal, bound }
        });
        ElementSteps { start: ELEMENTS[i].0, steps: steps.collect() }
    };
    Reference {
        title: format!("formula {}", formula.spec),
        spec: formula.spec.parse().expect("the spec of a formula"),
        l2: 0.0,
        elements: (0..ELEMENTS.len()).map(steps).collect(),
    }
}

/// The first difference of a rule from a reference: in the parameter, the evaluation parameter, the
/// signal or the bound. The steps are those of downhill's `Fused`, but without tensors, because
/// compiling tensor code for every mutant would take minutes.
pub fn first_difference<R: NamedRule + Rule<N>, const N: usize>(
    reference: &Reference,
) -> Option<String> {
    let (mut rule, mut lr) = (R::default(), R::LR);
    if let Some(name) = &reference.spec.dialect {
        let dialect = R::DIALECTS.iter().find(|dialect| dialect.name == name).expect("a dialect");
        lr = dialect.lr;
        for (key, value) in (dialect.values)() {
            rule.set(name, key, &value).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
    for (key, value) in reference.spec.single().expect("no sweep") {
        match key {
            "lr" => lr = f64::read(value, Setting::LR.allowed).expect("a learning rate"),
            _ => rule
                .set(&reference.spec.name, key, value)
                .unwrap_or_else(|error| panic!("{}: {error}", reference.title)),
        }
    }
    rule.at_lr(lr);
    let differences = reference.elements.iter();
    let (t, what) = differences
        .filter_map(|element| difference_of_element(&rule, lr, reference.l2, element))
        .min()?;
    Some(format!("{}, {what} at step {t}", reference.title))
}

/// The step and the kind of the first difference in one element.
fn difference_of_element<R: Rule<N>, const N: usize>(
    rule: &R,
    lr: f64,
    l2: f64,
    element: &ElementSteps,
) -> Option<(u64, &'static str)> {
    let used = |state: [f64; N]| {
        let uses = rule.uses_state();
        std::array::from_fn(|n| if uses[n] { state[n] } else { 0.0 })
    };
    let (mut x, mut tensor_scalars) = (element.start, [1.0; 2]);
    let mut state: [f64; N] = used(rule.initial_state(lr));
    let (mut distance, mut rounding) = (0.0f64, 0.0);
    for (t, step) in (1..).zip(&element.steps) {
        let mut ctx = StepContext { t, lr: lr * step.factor, tensor_scalars };
        ctx.tensor_scalars = rule.tensor_scalars(ctx);
        tensor_scalars = ctx.tensor_scalars;
        let (update, new) = rule.step(ctx, &Lane(x), Lane(step.g + l2 * x), state.map(Lane));
        (x, state) = (x - update.0, used(new.map(|value| value.0)));

        // relative to the distance from the start, plus rounding errors; NaN is never close
        distance = distance.max((step.x - element.start).abs());
        rounding += 2.0 * f64::EPSILON * step.x.abs().max(element.start.abs());
        let close = |ours: f64, theirs: f64| (ours - theirs).abs() <= 1e-10 * distance + rounding;
        if !close(x, step.x) {
            return Some((t, "the parameter"));
        }
        if let Some(theirs) = step.theta {
            let ctx = StepContext { lr: tensor_scalars[0], ..ctx };
            let theta = match rule.has_evaluation_params() {
                true => rule.evaluation_params(ctx, Lane(x), state.map(Lane)).0,
                false => x,
            };
            if !close(theta, theirs) {
                return Some((t, "the evaluation parameter"));
            }
        }
        if !same_signal(rule, ctx, state, step.signal) {
            return Some((t, "the signal"));
        }
        if !step.bound.is_none_or(|theirs| same(rule.bound(ctx).unwrap_or(f64::NAN), theirs)) {
            return Some((t, "the bound"));
        }
    }
    None
}

fn same(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= 1e-10 * theirs.abs()
}

fn same_signal<R: Rule<N>, const N: usize>(
    rule: &R,
    ctx: StepContext,
    state: [f64; N],
    expected: Option<SignalValues>,
) -> bool {
    let Some(expected) = expected else { return true };
    let Some(signal) = rule.signal(ctx, state.map(Lane)) else { return false };
    let m_hat = signal.m_hat.map_or(f64::NAN, |ours| ours.0);
    expected.m_hat.is_none_or(|theirs| same(m_hat, theirs))
        && same(signal.v_hat.0, expected.v_hat)
        && same(signal.eps, expected.eps)
}

/// A reference that an optimizer differs from.
struct Difference {
    /// the index of the reference
    reference: usize,
    text: String,
}

fn differences(probes: &[Probe], references: &[Reference]) -> Vec<Difference> {
    let difference = |(reference, expected): (usize, &Reference)| {
        let probe = probes.iter().find(|probe| probe.name == expected.spec.name)?;
        Some(Difference { reference, text: (probe.first_difference)(expected)? })
    };
    references.iter().enumerate().filter_map(difference).collect()
}

/// What is wrong with the unchanged rules or with the references.
fn problems(unchanged: &[Probe], references: &[Reference]) -> Vec<String> {
    let mut problems: Vec<String> = differences(unchanged, references)
        .into_iter()
        .map(|difference| format!("the unchanged rules differ from {}", difference.text))
        .collect();
    for Reference { title, spec, .. } in references {
        if unchanged.iter().all(|probe| probe.name != spec.name) && spec.name != "lazy_adam" {
            problems.push(format!("{title} belongs to {}, which is not a rule of the table", spec.name));
        }
    }
    for probe in unchanged {
        if FORMULAS.iter().all(|formula| formula.name() != probe.name) {
            problems.push(format!("{} has no transcribed formula", probe.name));
        }
    }
    problems
}

fn main() -> downhill::Result<ExitCode> {
    // recorded cases come first, so that mutants which only a formula notices can be counted
    let mut references = Vec::new();
    for file in std::env::args().skip(1) {
        references.extend(recorded(Path::new(&file))?);
    }
    let records = references.len();
    references.extend(FORMULAS.iter().map(transcribed));

    let unchanged = optim::probes();
    let problems = problems(&unchanged, &references);
    if !problems.is_empty() {
        problems.iter().for_each(|problem| println!("{problem}"));
        return Ok(ExitCode::FAILURE);
    }
    println!(
        "{} unchanged rules agree with {records} recorded cases and {} formulas",
        unchanged.len(),
        FORMULAS.len()
    );

    let (mut dead, mut unrecorded, mutants) = (0, 0, subjects::mutants());
    for (i, mutant) in mutants.iter().enumerate() {
        let differences = differences(&mutant.probes, &references);
        let first = differences.first();
        dead += usize::from(first.is_some());
        unrecorded += usize::from(first.is_some_and(|first| first.reference >= records));
        let found = first.map_or("SURVIVES", |first| &first.text);
        println!("{:3}  {:18} {:46} {found}", i + 1, mutant.file, mutant.what);
    }
    println!("{unrecorded} of them differ from a transcribed formula, but from no recorded case");
    println!("{dead} of {} mutants die", mutants.len());
    Ok(if dead == mutants.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
