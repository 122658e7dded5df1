//! Saved states continue as if nothing had happened.

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Bytes, Device, Tensor};
use downhill::model::{Net, Shapes, build};
use downhill::optim::Optimizers;
use downhill::seed::Seed;

fn net() -> Net {
    let shapes = Shapes { input: vec![5], classes: 3 };
    build(&"mlp:hidden=7".parse().unwrap(), &shapes, Seed(1), &Device::flex().autodiff()).unwrap()
}

/// A step on a loss that changes from step to step.
fn step(net: Net, optimizer: &mut ModuleOptimizer, t: usize) -> Net {
    let device = Device::flex().autodiff();
    let x = Tensor::<2>::from_data([[t as f32, 1.0, -1.0, 0.5, 0.0], [1.0, -(t as f32), 0.3, 0.0, 2.0]], &device);
    let gradients = GradientsParams::from_grads((net.forward(x).tanh() - 0.3).powf_scalar(2.0).sum().backward(), &net);
    optimizer.step(0.01, net, gradients)
}

fn bytes(net: &Net) -> Vec<u8> {
    net.clone().into_record().into_bytes().unwrap().to_vec()
}

#[test]
fn every_optimizer_saved_and_loaded_continues_bit_for_bit_and_not_as_from_a_cold_start() {
    for entry in Optimizers::default().entries() {
        let made = Optimizers::default().make(&entry.name.parse().unwrap()).unwrap();
        let (mut net, mut optimizer) = (net(), made.optimizer.clone());
        for t in 0..5 {
            net = step(net, &mut optimizer, t);
        }
        let saved = optimizer.into_bytes().unwrap().to_vec();
        let mut loaded = made.optimizer.clone().from_bytes(Bytes::from_bytes_vec(saved)).unwrap();
        let (mut one, mut other, mut cold) = (net.clone(), net.clone(), net);
        let mut fresh = made.optimizer;
        for t in 5..10 {
            one = step(one, &mut optimizer, t);
            other = step(other, &mut loaded, t);
            cold = step(cold, &mut fresh, t);
        }
        assert_eq!(bytes(&one), bytes(&other), "{} does not continue", entry.name);
        let remembers = !entry.memory.is_empty();
        assert_eq!(bytes(&one) != bytes(&cold), remembers, "{}: a cold start is the same", entry.name);
    }
}

#[test]
fn a_state_without_its_memory_is_not_taken_for_one() {
    let made = Optimizers::default().make(&"adam".parse().unwrap()).unwrap();
    let mut momentum = Optimizers::default().make(&"momentum".parse().unwrap()).unwrap().optimizer;
    step(net(), &mut momentum, 0);
    let foreign = momentum.into_bytes().unwrap();
    let loaded = made.optimizer.clone().from_bytes(foreign).unwrap();
    assert!(loaded.to_record().is_empty(), "momentum's state was read as Adam's");
}

#[test]
fn parameters_without_gradient_stay_as_they_are() {
    let mut optimizer = Optimizers::default().make(&"adam".parse().unwrap()).unwrap().optimizer;
    let net = net();
    let before = bytes(&net);
    assert_eq!(before, bytes(&optimizer.step(0.1, net, GradientsParams::new())));
}
