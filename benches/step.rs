//! One optimizer step on one f32 parameter: this crate's, burn's, and a single pass written by
//! hand. And one step on an embedding where a batch uses a few rows: dense, lazy with rows
//! detected, lazy with rows given.
//!
//!     cargo bench --bench step
//!
//! Every contender runs in each round, so that other load on the machine affects all of them. A
//! time is the median over the rounds. The ratios are to the hand-written pass, and in the second
//! table to the dense step. It prints Markdown; `UPDATE=1 cargo bench --bench step` writes it into
//! docs/performance.md, and a part of it into the README.

use std::hint::black_box;
use std::time::Instant;

use burn::module::{Module, Param};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, RmsPropConfig, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData};
use downhill::optim::{Adam, LazyAdam, Momentum, RmsProp};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LR: f64 = 1e-3;

#[derive(Module, Debug)]
struct One {
    x: Param<Tensor<1>>,
}

/// A contender takes one step in each call.
type Contender = Box<dyn FnMut()>;

/// A module with burn's `ModuleOptimizer`. With `shared` a clone of the module is kept, as burn's
/// `Learner` does.
fn module(n: usize, mut optimizer: ModuleOptimizer, shared: bool) -> Contender {
    let device = Device::flex().autodiff();
    let numbers = |scale: f32| {
        TensorData::new((0..n).map(|i| ((i % 97) as f32 - 48.0) * scale).collect(), [n])
    };
    let gradient = Tensor::<1>::from_data(numbers(1e-3), &device.clone().inner());
    let mut model = Some(One { x: Param::from_tensor(Tensor::from_data(numbers(1e-2), &device)) });
    Box::new(move || {
        let before = model.take().expect("put back below");
        let _kept = shared.then(|| before.clone());
        let mut gradients = GradientsParams::new();
        gradients.register(before.x.id, gradient.clone());
        model = Some(optimizer.step(LR, before, gradients));
    })
}

/// The fastest hand-written single pass that we know: slices of one length, one loop, all cores for
/// long slices.
mod by_hand {
    const SPLIT: usize = 1 << 17;

    pub fn adam(t: i32, lr: f32, x: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        if x.len() >= SPLIT {
            let half = x.len() / 2;
            let ((x, x2), (g, g2)) = (x.split_at_mut(half), g.split_at(half));
            let ((m, m2), (v, v2)) = (m.split_at_mut(half), v.split_at_mut(half));
            rayon::join(|| adam(t, lr, x, g, m, v), || adam(t, lr, x2, g2, m2, v2));
            return;
        }
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the feature
            return unsafe { adam_avx2(t, lr, x, g, m, v) };
        }
        adam_loop(t, lr, x, g, m, v);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn adam_avx2(t: i32, lr: f32, x: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        adam_loop(t, lr, x, g, m, v);
    }

    #[inline(always)]
    fn adam_loop(t: i32, lr: f32, x: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        let (a, b) = (lr / (1.0 - 0.9f32.powi(t)), 1.0 / (1.0 - 0.999f32.powi(t)));
        for (((x, g), m), v) in x.iter_mut().zip(g).zip(m).zip(v) {
            *m = *m * 0.9 + *g * 0.1;
            *v = *v * 0.999 + *g * *g * 0.001;
            *x -= *m * a / ((*v * b).sqrt() + 1e-8);
        }
    }

    pub fn momentum(lr: f32, x: &mut [f32], g: &[f32], v: &mut [f32]) {
        if x.len() >= SPLIT {
            let half = x.len() / 2;
            let ((x, x2), (g, g2), (v, v2)) =
                (x.split_at_mut(half), g.split_at(half), v.split_at_mut(half));
            rayon::join(|| momentum(lr, x, g, v), || momentum(lr, x2, g2, v2));
            return;
        }
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the feature
            return unsafe { momentum_avx2(lr, x, g, v) };
        }
        momentum_loop(lr, x, g, v);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn momentum_avx2(lr: f32, x: &mut [f32], g: &[f32], v: &mut [f32]) {
        momentum_loop(lr, x, g, v);
    }

    #[inline(always)]
    fn momentum_loop(lr: f32, x: &mut [f32], g: &[f32], v: &mut [f32]) {
        for ((x, g), v) in x.iter_mut().zip(g).zip(v) {
            *v = *v * 0.9 + *g * lr;
            *x -= *v;
        }
    }

    pub fn rmsprop(lr: f32, x: &mut [f32], g: &[f32], v: &mut [f32]) {
        if x.len() >= SPLIT {
            let half = x.len() / 2;
            let ((x, x2), (g, g2), (v, v2)) =
                (x.split_at_mut(half), g.split_at(half), v.split_at_mut(half));
            rayon::join(|| rmsprop(lr, x, g, v), || rmsprop(lr, x2, g2, v2));
            return;
        }
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the feature
            return unsafe { rmsprop_avx2(lr, x, g, v) };
        }
        rmsprop_loop(lr, x, g, v);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn rmsprop_avx2(lr: f32, x: &mut [f32], g: &[f32], v: &mut [f32]) {
        rmsprop_loop(lr, x, g, v);
    }

    #[inline(always)]
    fn rmsprop_loop(lr: f32, x: &mut [f32], g: &[f32], v: &mut [f32]) {
        for ((x, g), v) in x.iter_mut().zip(g).zip(v) {
            *v = *v * 0.9 + *g * *g * 0.1;
            *x -= *g * lr / (*v + 1e-8).sqrt();
        }
    }
}

fn rmsprop_by_hand(n: usize) -> Contender {
    let g: Vec<f32> = (0..n).map(|i| ((i % 97) as f32 - 48.0) * 1e-3).collect();
    let (mut x, mut v) = (vec![0.1; n], vec![0.0; n]);
    Box::new(move || by_hand::rmsprop(LR as f32, black_box(&mut x), &g, &mut v))
}

fn adam_by_hand(n: usize) -> Contender {
    let g: Vec<f32> = (0..n).map(|i| ((i % 97) as f32 - 48.0) * 1e-3).collect();
    let (mut x, mut m, mut v, mut t) = (vec![0.1; n], vec![0.0; n], vec![0.0; n], 0);
    Box::new(move || {
        t += 1;
        by_hand::adam(t, LR as f32, black_box(&mut x), &g, &mut m, &mut v);
    })
}

fn momentum_by_hand(n: usize) -> Contender {
    let g: Vec<f32> = (0..n).map(|i| ((i % 97) as f32 - 48.0) * 1e-3).collect();
    let (mut x, mut v) = (vec![0.1; n], vec![0.0; n]);
    Box::new(move || by_hand::momentum(LR as f32, black_box(&mut x), &g, &mut v))
}

const HEIGHT: usize = 200_000;
const WIDTH: usize = 64;

#[derive(Module, Debug)]
struct Table {
    rows: Param<Tensor<2>>,
}

/// An embedding with a dense gradient, in which `touched` rows are not zero.
fn embedding(touched: usize, mut optimizer: ModuleOptimizer) -> Contender {
    let device = Device::flex().autodiff();
    let every = HEIGHT / touched;
    let numbers = (0..HEIGHT * WIDTH)
        .map(|i| if (i / WIDTH).is_multiple_of(every) { 1e-3f32 } else { 0.0 })
        .collect();
    let gradient =
        Tensor::<2>::from_data(TensorData::new(numbers, [HEIGHT, WIDTH]), &device.clone().inner());
    let mut model =
        Some(Table { rows: Param::from_tensor(Tensor::ones([HEIGHT, WIDTH], &device)) });
    Box::new(move || {
        let before = model.take().expect("put back below");
        let mut gradients = GradientsParams::new();
        gradients.register(before.rows.id, gradient.clone());
        model = Some(optimizer.step(LR, before, gradients));
    })
}

/// The same step with the rows given.
fn given(touched: usize) -> Contender {
    let device = Device::flex();
    let rows: Vec<usize> = (0..touched).map(|row| row * (HEIGHT / touched)).collect();
    let gradient = Tensor::<2>::full([touched, WIDTH], 1e-3, &device);
    let lazy = LazyAdam::new();
    let mut held = Some((Tensor::<2>::ones([HEIGHT, WIDTH], &device), None));
    Box::new(move || {
        let (x, state) = held.take().expect("put back below");
        let (x, state) = lazy.step_rows(LR, x, &rows, gradient.clone(), state);
        held = Some((x, Some(state)));
    })
}

/// Microseconds of a step: the median over rounds, for each contender.
fn race(contenders: &mut [Contender], n: usize) -> Vec<f64> {
    let (rounds, steps) = (31, (2_000_000 / n).clamp(1, 20));
    let mut times = vec![Vec::new(); contenders.len()];
    for _ in 0..rounds {
        for (contender, times) in contenders.iter_mut().zip(&mut times) {
            contender(); // its buffers into the cache
            let start = Instant::now();
            for _ in 0..steps {
                contender();
            }
            times.push(start.elapsed().as_secs_f64() * 1e6 / steps as f64);
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    times.into_iter().map(median).collect()
}

fn main() {
    if std::env::args().any(|arg| arg == "--test") {
        return; // `cargo test --benches` only checks that it builds
    }
    let burn_momentum =
        || SgdConfig::new().with_momentum(Some(MomentumConfig::new().with_dampening(0.0))).init();
    let mut table = String::from(
        "| step | elements | by hand | downhill | | shared | | burn | |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let mut speed =
        String::from("| step | elements | downhill | burn | |\n|---|--:|--:|--:|--:|\n");
    for n in [100_000, 1_000_000, 10_000_000] {
        let adam = [
            adam_by_hand(n),
            module(n, Adam::new().init(), false),
            module(n, Adam::new().init(), true),
            module(n, AdamConfig::new().with_epsilon(1e-8).init(), false),
        ];
        let momentum = [
            momentum_by_hand(n),
            module(n, Momentum::new().init(), false),
            module(n, Momentum::new().init(), true),
            module(n, burn_momentum(), false),
        ];
        let rmsprop = [
            rmsprop_by_hand(n),
            module(n, RmsProp::new().init(), false),
            module(n, RmsProp::new().init(), true),
            module(n, RmsPropConfig::new().with_momentum(0.0).init(), false),
        ];
        for (name, mut contenders) in [("Adam", adam), ("RMSProp", rmsprop), ("Momentum", momentum)]
        {
            let times = race(&mut contenders, n);
            table += &format!("| {name} | {n} | {:.0} µs ", times[0]);
            times[1..]
                .iter()
                .for_each(|time| table += &format!("| {time:.0} µs | {:.2} ", time / times[0]));
            table += "|\n";
            let (ours, burn) = (times[1], times[3]);
            if n == 1_000_000 {
                speed += &format!(
                    "| {name} | {n} | {ours:.0} µs | {burn:.0} µs | {:.1} times faster |\n",
                    burn / ours
                );
            }
            eprintln!("{name} {n}");
        }
    }
    let machine = format!("\n{} threads, {}\n", rayon::current_num_threads(), processor());
    let mut lazy = String::from(
        "| rows touched | `adam` | `lazy_adam` | | rows given | | burn's Adam | |\n|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for touched in [1, 64, 1024, 16_384, HEIGHT] {
        let mut contenders = [
            embedding(touched, Adam::new().init()),
            embedding(touched, LazyAdam::new().init()),
            given(touched),
            embedding(touched, AdamConfig::new().init()),
        ];
        let times = race(&mut contenders, HEIGHT * WIDTH);
        lazy += &format!("| {touched} | {:.0} µs ", times[0]);
        times[1..]
            .iter()
            .for_each(|time| lazy += &format!("| {time:.0} µs | {:.4} ", time / times[0]));
        lazy += "|\n";
        eprintln!("{touched} rows");
    }
    for (file, place, table) in [
        ("docs/performance.md", "bench", format!("{table}{machine}")),
        ("docs/performance.md", "lazy", format!("{lazy}{machine}")),
        ("README.md", "speed", speed),
    ] {
        println!("\n{table}");
        if std::env::var("UPDATE").is_ok() {
            let text = std::fs::read_to_string(file).expect("run in the project's folder");
            let (before, rest) = text
                .split_once(&format!("<!-- {place} -->\n"))
                .expect("the file has a place for the table");
            let (_, after) = rest.split_once("<!-- end -->").expect("the place has an end");
            std::fs::write(file, format!("{before}<!-- {place} -->\n{table}<!-- end -->{after}"))
                .expect("the file can be written");
        }
    }
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| {
        line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name.to_string())
    });
    name.unwrap_or_else(|| "unknown processor".into())
}
