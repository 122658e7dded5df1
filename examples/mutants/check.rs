//! The program that the mutants are compiled into: who leaves the record? Not compiled by itself; `main.rs` says where it goes.
#![allow(warnings)] // mutants leave things unused

use std::path::Path;
use std::process::ExitCode;

use downhill::optim::{At, Lane, Named, Optimizers, Rule};
use downhill::spec::{Given, Line, Setting, Spec};
use downhill::verify::{self, Tolerance};
// what the copied files call crate::
use downhill::{settings, spec, words};

mod formulas;
mod optim;
mod subjects;

use formulas::{Element, FORMULAS, Formula};

/// Some optimizers to be checked: all as they are, or those that a mutation changes.
pub struct Subject {
    pub file: &'static str,
    pub what: &'static str,
    pub probes: Vec<Probe>,
}

/// An optimizer, and where it first leaves a reference.
pub struct Probe {
    pub name: &'static str,
    pub leaves: fn(&Reference) -> Option<String>,
}

/// What an optimizer is compared with, number by number of the parameter.
pub struct Reference {
    title: String,
    /// the optimizer and its settings; what is not in here, lr too, is by default
    spec: Spec,
    /// added to the gradient, times the parameter
    l2: f64,
    courses: Vec<Course>,
}

/// One number on its way.
struct Course {
    start: f64,
    steps: Vec<Step>,
}

/// What one step is given, and what it must come to.
struct Step {
    /// what the learning rate is multiplied by
    factor: f64,
    g: f64,
    x: f64,
    /// the parameter handed out
    theta: Option<f64>,
    signal: Option<(Option<f64>, f64, f64)>,
    bound: Option<f64>,
}

/// How many numbers a rule remembers for each element.
pub const fn memory<const N: usize>(_: [&'static str; N]) -> usize {
    N
}

/// The recorded cases, with settings as downhill maps and spells them. Where more than l2 stands around the optimizer, a case is left out.
fn recorded(file: &Path) -> downhill::Result<Vec<Reference>> {
    let (trajectories, optimizers) = (verify::read(file)?, Optimizers::default());
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file).expect("just read")).expect("just read");
    assert_eq!(json["lr"], "lr for steps 1-20, lr/10 for steps 21-40", "the schedule of the recorded cases is another one now");
    let numbers = |value: &serde_json::Value| value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<f64>>();
    let rows = |value: &serde_json::Value| value.as_array().unwrap().iter().map(numbers).collect::<Vec<_>>();
    let (starts, grads) = (numbers(&json["theta0"]), rows(&json["grads"]));
    let mut references = Vec::new();
    for (i, case) in trajectories.cases.iter().enumerate() {
        let replay = trajectories.replay_as(file, i, &case.framework, &optimizers, Tolerance::default())?;
        assert!(replay.agrees(), "downhill itself leaves {}", replay.case);
        let mut line: Line = replay.line.parse()?;
        let optimizer = line.0.pop().filter(|spec| spec.name == case.optimizer);
        let l2 = match line.0.as_slice() {
            [] => 0.0,
            [l2] if l2.name == "l2" => l2.single()?[0].1.parse().expect("a number"),
            _ => continue,
        };
        let Some(optimizer) = optimizer else { continue };
        let theta = rows(&json["cases"][i]["theta"]);
        let step = |t: usize, i: usize| {
            let factor = if t < 20 { 1.0 } else { 0.1 };
            Step { factor, g: grads[t][i], x: theta[t][i], theta: None, signal: None, bound: None }
        };
        let course = |i: usize| Course { start: starts[i], steps: (0..grads.len()).map(|t| step(t, i)).collect() };
        let courses = (0..starts.len()).map(course).collect();
        references.push(Reference { title: replay.case, spec: optimizers.make(&optimizer)?.spec, l2, courses });
    }
    Ok(references)
}

const STEPS: u64 = 60;

/// Where numbers begin, and the size of their gradients: ordinary, small beside eps, smaller yet, sometimes absent, constant, and none.
const NUMBERS: [(f64, f64); 6] = [(0.5, 1.0), (1e-3, 1e-3), (1e-6, 1e-7), (-0.3, 0.1), (0.2, 0.3), (0.05, 0.0)];

/// The gradients keep and change their signs, and fall in size, so that maxima are remembered.
fn gradient(number: usize, t: u64) -> f64 {
    let size = NUMBERS[number].1;
    match number {
        3 if t.is_multiple_of(3) => 0.0,
        4 => size,
        _ => size * (0.9 * t as f64 + number as f64).sin() * if t > 30 { 0.01 } else { 1.0 },
    }
}

fn schedule(t: u64) -> f64 {
    match t {
        0..=20 => 1.0,
        21..=40 => 0.1,
        _ => 0.5,
    }
}

/// What a formula says of gradients made for the purpose.
fn transcribed(formula: &Formula) -> Reference {
    let course = |i: usize| {
        let mut element = Element { x: NUMBERS[i].0, ..Element::default() };
        let steps = (1..=STEPS).map(|t| {
            let (factor, g) = (schedule(t), gradient(i, t));
            element = Element { t: t as i32, lr: formula.lr * factor, g, theta: None, signal: None, bound: None, ..element };
            (formula.step)(&mut element);
            let Element { x, theta, signal, bound, .. } = element;
            Step { factor, g, x, theta: Some(theta.unwrap_or(x)), signal, bound }
        });
        Course { start: NUMBERS[i].0, steps: steps.collect() }
    };
    let spec = formula.spec.parse().expect("the spec of a formula");
    Reference { title: format!("formula {}", formula.spec), spec, l2: 0.0, courses: (0..NUMBERS.len()).map(course).collect() }
}

/// Where a rule first leaves a reference, in the parameter, the parameter handed out, the signal or the bound. The steps are taken as
/// downhill's `Fused` takes them, but without tensors: those would be compiled anew for every mutant, which takes minutes.
pub fn leaves<R: Named + Rule<N>, const N: usize>(reference: &Reference) -> Option<String> {
    let (mut rule, mut lr) = (R::default(), R::LR);
    for (key, value) in reference.spec.single().expect("no sweep") {
        match key {
            "lr" => lr = f64::read(value, Setting::LR.allowed).expect("a learning rate"),
            _ => rule.set(&reference.spec.name, key, value).unwrap_or_else(|error| panic!("{}: {error}", reference.title)),
        }
    }
    rule.at_lr(lr);
    let first = reference.courses.iter().filter_map(|course| leaves_course(&rule, lr, reference.l2, course)).min()?;
    Some(format!("{}, {} at step {}", reference.title, first.1, first.0))
}

fn leaves_course<R: Rule<N>, const N: usize>(rule: &R, lr: f64, l2: f64, course: &Course) -> Option<(u64, &'static str)> {
    let used = |memory: [f64; N]| {
        let mut uses = rule.uses().into_iter();
        memory.map(|value| if uses.next() == Some(true) { value } else { 0.0 })
    };
    let (mut x, mut carry, mut memory) = (course.start, 1.0, used(rule.start(lr)));
    let (mut way, mut rounding) = (0.0f64, 0.0);
    for (t, step) in (1..).zip(&course.steps) {
        let mut at = At { t, lr: lr * step.factor, carry };
        at.carry = rule.carry(at);
        carry = at.carry;
        let (down, new) = rule.step(at, &Lane(x), Lane(step.g + l2 * x), memory.map(Lane));
        (x, memory) = (x - down.0, used(new.map(|value| value.0)));

        // relative to the way it has come, as far as rounding lets that be seen; NaN is nowhere near
        way = way.max((step.x - course.start).abs());
        rounding += 2.0 * f64::EPSILON * step.x.abs().max(course.start.abs());
        let there = |ours: f64, theirs: f64| (ours - theirs).abs() <= 1e-10 * way + rounding;
        let same = |ours: f64, theirs: f64| (ours - theirs).abs() <= 1e-10 * theirs.abs();
        if !there(x, step.x) {
            return Some((t, "the parameter"));
        }
        if let Some(theirs) = step.theta {
            let theta = if rule.looks_ahead() { rule.hand_out(At { lr: carry, ..at }, Lane(x), memory.map(Lane)).0 } else { x };
            if !there(theta, theirs) {
                return Some((t, "the parameter handed out"));
            }
        }
        if let Some((m_hat, v_hat, eps)) = step.signal {
            let Some(signal) = rule.signal(at, memory.map(Lane)) else { return Some((t, "the signal")) };
            let m_same = m_hat.is_none_or(|theirs| same(signal.m_hat.map_or(f64::NAN, |ours| ours.0), theirs));
            if !(m_same && same(signal.v_hat.0, v_hat) && same(signal.eps, eps)) {
                return Some((t, "the signal"));
            }
        }
        if !step.bound.is_none_or(|theirs| same(rule.bound(at).unwrap_or(f64::NAN), theirs)) {
            return Some((t, "the bound"));
        }
    }
    None
}

fn main() -> downhill::Result<ExitCode> {
    let file = std::env::args().nth(1).expect("the file of trajectories");
    let mut references = recorded(Path::new(&file))?;
    let records = references.len();
    references.extend(FORMULAS.iter().map(transcribed));
    // recorded cases come first, so a mutant that only a formula notices is seen
    let killers = |probes: &[Probe]| -> Vec<(usize, String)> {
        let left = |(i, reference): (usize, &Reference)| {
            let probe = probes.iter().find(|probe| probe.name == reference.spec.name)?;
            Some((i, (probe.leaves)(reference)?))
        };
        references.iter().enumerate().filter_map(left).collect()
    };

    let control = optim::probes();
    let mut wrong: Vec<String> = killers(&control).into_iter().map(|(_, killer)| format!("the rules as they are leave {killer}")).collect();
    for Reference { title, spec, .. } in &references {
        if control.iter().all(|probe| probe.name != spec.name) && spec.name != "lazy_adam" {
            wrong.push(format!("{title} is about {}, which is no rule of the table", spec.name));
        }
    }
    for probe in &control {
        if FORMULAS.iter().all(|formula| formula.name() != probe.name) {
            wrong.push(format!("{} has no formula to be compared with", probe.name));
        }
    }
    if !wrong.is_empty() {
        wrong.iter().for_each(|wrong| println!("{wrong}"));
        return Ok(ExitCode::FAILURE);
    }
    println!("{} rules as they are agree with {records} recorded cases and {} formulas", control.len(), FORMULAS.len());

    let (mut dead, mut unrecorded, mutants) = (0, 0, subjects::mutants());
    for (i, mutant) in mutants.iter().enumerate() {
        let killers = killers(&mutant.probes);
        dead += usize::from(!killers.is_empty());
        unrecorded += usize::from(killers.first().is_some_and(|(killer, _)| *killer >= records));
        let killed = killers.first().map_or("SURVIVES", |(_, killer)| killer);
        println!("{:3}  {:18} {:46} {killed}", i + 1, mutant.file, mutant.what);
    }
    println!("{unrecorded} of them no recorded case notices, only a transcribed formula");
    println!("{dead} of {} mutants die", mutants.len());
    Ok(if dead == mutants.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
