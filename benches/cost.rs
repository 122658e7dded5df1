//! The cost of a step of every optimizer with its default settings: bytes of state for each
//! parameter, and the time relative to Adam's.
//!
//!     cargo bench --bench cost
//!
//! The model is one matrix of 1000 x 1000 in f32. Each round times every optimizer, with a step of
//! Adam directly before and after each, so that other load on the machine affects both. A ratio is
//! the median over the rounds. `UPDATE=1 cargo bench --bench cost` writes src/optim/cost.txt, which
//! `downhill show` reads.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use downhill::optim::Optimizers;
use downhill::pipeline::{PipelineConfig, Stepper};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIDE: usize = 1000;
const ROUNDS: usize = 15;

#[derive(Module, Debug)]
struct Matrix {
    x: Param<Tensor<2>>,
}

/// An optimizer with its model.
struct Contender {
    name: &'static str,
    lr: f64,
    pipeline: Stepper,
    model: Option<Matrix>,
}

fn numbers(scale: f32) -> TensorData {
    // rows differ, so that the matrix has full rank
    let number = |i: usize| ((i * i + i / SIDE) % 97) as f32 - 48.0;
    TensorData::new((0..SIDE * SIDE).map(|i| number(i) * scale).collect(), [SIDE, SIDE])
}

impl Contender {
    fn of(name: &'static str) -> Contender {
        let line = name.parse().expect("a name is a spec");
        let config = PipelineConfig::read(&line, &Optimizers::default()).expect("its defaults");
        let x = Tensor::from_data(numbers(1e-2), &Device::flex().autodiff());
        let model = Some(Matrix { x: Param::from_tensor(x) });
        Contender { name, lr: config.optimizer.lr, pipeline: config.begin(), model }
    }

    /// Seconds of a step.
    fn step(&mut self, gradient: &Tensor<2>) -> f64 {
        let model = self.model.take().expect("put back below");
        let mut gradients = GradientsParams::new();
        gradients.register(model.x.id, gradient.clone());
        let start = Instant::now();
        let model = self.pipeline.step(self.lr, model, gradients).expect("no loss is needed");
        let time = start.elapsed().as_secs_f64();
        self.model = Some(model);
        time
    }

    /// Bytes of saved state for each parameter.
    fn bytes(&self) -> f64 {
        let model = self.model.as_ref().expect("put back after each step");
        let saved = self.pipeline.save(model).expect("the state can be read").len();
        saved as f64 / (SIDE * SIDE) as f64
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn main() {
    if std::env::args().any(|arg| arg == "--test") {
        return; // `cargo test --benches` only checks that it builds
    }
    let gradient = Tensor::<2>::from_data(numbers(1e-3), &Device::flex());
    let optimizers = Optimizers::default();
    let all = optimizers.entries().iter().map(|entry| Contender::of(entry.name));
    let mut contenders: Vec<Contender> = all.filter(|one| !one.pipeline.evaluates()).collect();
    let mut adam = Contender::of("adam");
    let mut ratios = vec![Vec::new(); contenders.len()];
    for round in 0..=ROUNDS {
        for (contender, ratios) in contenders.iter_mut().zip(&mut ratios) {
            let before = adam.step(&gradient);
            contender.step(&gradient); // its buffers into the cache, as those of Adam were
            let time = contender.step(&gradient);
            adam.step(&gradient);
            let after = adam.step(&gradient);
            // the first round makes the states
            if round > 0 {
                ratios.push(time / ((before + after) / 2.0));
            }
        }
        eprintln!("round {round} of {ROUNDS}");
    }
    let mut table = format!(
        "# cargo bench --bench cost, a matrix of {SIDE} x {SIDE} in f32 on flex, {} threads of {}, {}\n",
        rayon::current_num_threads(),
        processor(),
        today()
    );
    table += "# optimizer, bytes of state for each parameter, time of a step relative to Adam's\n";
    for (contender, ratios) in contenders.iter().zip(ratios) {
        let (name, bytes) = (contender.name, (contender.bytes() * 1e3).round() / 1e3);
        table += &format!("{name} {bytes} {:.2}\n", median(ratios));
    }
    println!("{table}");
    if std::env::var("UPDATE").is_ok() {
        std::fs::write("src/optim/cost.txt", table).expect("run in the project's folder");
    }
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| {
        line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name.to_string())
    });
    name.unwrap_or_else(|| "unknown processor".into())
}

/// The date in UTC, by the algorithm of Hinnant's `civil_from_days`.
fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let day = (since.as_secs() / 86_400) as i64 + 719_468;
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153; // months from March
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + day.div_euclid(146_097) * 400 + i64::from(month <= 2);
    format!("{year}-{month:02}-{:02}", of_year - (153 * shifted + 2) / 5 + 1)
}
