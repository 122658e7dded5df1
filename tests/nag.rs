//! Nesterov's accelerated gradient: our form, which uses other variables, compared with the
//! definition.
#![cfg(feature = "lab")]

use burn::module::{Module, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{DType, Device, Tensor, TensorData};
use downhill::optim::{Nag, evaluation_model, nag::EvaluationPoint};

#[derive(Module, Debug)]
struct Place {
    x: Param<Tensor<1>>,
}

const CURVATURE: [f64; 3] = [1.0, 10.0, 0.1];
const MU: f64 = 0.9;

/// The gradient of the sum of curvature x⁴ / 4 + x² / 2. It is not linear, so the gradient at
/// another point differs.
fn gradient(x: &[f64]) -> Vec<f64> {
    x.iter().zip(CURVATURE).map(|(x, c)| c * x.powi(3) + x).collect()
}

fn tensor(values: &[f64], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), (device, DType::F64))
}

fn numbers(place: &Place) -> Vec<f64> {
    place.x.val().into_data().try_into_vec().unwrap()
}

/// A learning rate that changes, for which lr outside the velocity gives another path.
fn lr(t: usize) -> f64 {
    if t < 30 { 0.02 } else { 0.02 / (t as f64).sqrt() }
}

/// Runs 100 steps of our form, and calls `look` after each.
fn descend(nag: Nag, mut look: impl FnMut(usize, &Place, &ModuleOptimizer)) {
    let device = Device::flex().autodiff();
    let mut optimizer = nag.init();
    let mut place = Place { x: Param::from_tensor(tensor(&[1.0, -0.5, 2.0], &device)) };
    for t in 1..=100 {
        let mut gradients = GradientsParams::new();
        gradients
            .register(place.x.id, tensor(&gradient(&numbers(&place)), &device.clone().inner()));
        place = optimizer.step(lr(t), place, gradients);
        look(t, &place, &optimizer);
    }
}

/// The definition: the gradient is taken at theta - mu v.
fn defined() -> Vec<Vec<f64>> {
    let (mut theta, mut v) = (vec![1.0, -0.5, 2.0], vec![0.0; 3]);
    let step = |t: usize| {
        let ahead: Vec<f64> = theta.iter().zip(&v).map(|(theta, v)| theta - MU * v).collect();
        for ((theta, v), g) in theta.iter_mut().zip(&mut v).zip(gradient(&ahead)) {
            *v = MU * *v + lr(t) * g;
            *theta -= *v;
        }
        theta.clone()
    };
    (1..=100).map(step).collect()
}

#[test]
fn the_evaluation_model_is_theta_of_the_gradient_at_the_look_ahead_point() {
    let theta = defined();
    let nag = Nag::new().with_mu(MU);
    descend(nag.clone(), |t, place, optimizer| {
        let out = evaluation_model(place.clone(), optimizer, &nag.clone().build()).unwrap();
        for (ours, theta) in numbers(&out).iter().zip(&theta[t - 1]) {
            assert!(
                (ours - theta).abs() < 1e-14 * theta.abs().max(1.0),
                "step {t}: {ours} and {theta}"
            );
        }
    });
}

#[test]
fn the_model_in_training_is_the_look_ahead_point_and_can_be_evaluated_instead() {
    let theta = defined();
    let nag = Nag::new().with_mu(MU).with_point(EvaluationPoint::Lookahead);
    let mut largest: f64 = 0.0;
    descend(nag.clone(), |t, place, optimizer| {
        let out = evaluation_model(place.clone(), optimizer, &nag.clone().build()).unwrap();
        assert_eq!(numbers(&out), numbers(place));
        let apart = numbers(place)
            .iter()
            .zip(&theta[t - 1])
            .map(|(x, theta)| (x - theta).abs())
            .fold(0.0, f64::max);
        largest = largest.max(apart);
    });
    assert!(largest > 0.01, "the look-ahead point differs from theta, here only by {largest}");
}
