//! Augmented images per second, for batches of 128 x 3 x 32 x 32 in main memory. One spec is also
//! measured as tensor operations.
//!
//!     cargo bench --bench augment
//!
//! Each round runs every variant once, so that other load on the machine affects all of them. A
//! time is the median over the rounds. The output is Markdown.

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::{Bool, Device, Tensor, TensorData};
use downhill::lab::augment::Augment;
use downhill::lab::seed::{Purpose, Seed};
use rand::RngExt;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N: usize = 128;
const SHAPE: [usize; 3] = [3, 32, 32];
const ROUNDS: usize = 60;
const COLOR: &str = "hflip|crop:pad=4|color:brightness=0.2,contrast=0.2,saturation=0.2";
const LINES: [&str; 5] = ["hflip", "hflip|crop:pad=4", COLOR, "cutout", "rotate|scale"];

/// `hflip|crop:pad=4|color` as tensor operations. Each operates on the whole batch, except the
/// crop, which is applied to one image at a time.
fn as_tensors(x: Tensor<4>, step: usize) -> Tensor<4> {
    let (generator, device) = (&mut Seed(0).generator(Purpose::Augmentation, step), x.device());
    let flips: Vec<bool> = (0..N).map(|_| generator.random()).collect();
    let flips = Tensor::<4, Bool>::from_data(TensorData::new(flips, [N, 1, 1, 1]), &device)
        .expand([N, 3, 32, 32]);
    let x = x.clone().mask_where(flips, x.flip([3]));
    let padded = x.pad((4, 4, 4, 4), 0.0);
    let mut window = |i: usize| {
        let (x, y) = (generator.random_range(0..=8), generator.random_range(0..=8));
        padded.clone().slice([i..i + 1, 0..3, y..y + 32, x..x + 32])
    };
    let x = Tensor::cat((0..N).map(&mut window).collect(), 0);
    let mut factor = || {
        let factors: Vec<f32> = (0..N).map(|_| generator.random_range(0.8..=1.2)).collect();
        Tensor::<4>::from_data(TensorData::new(factors, [N, 1, 1, 1]), &device)
    };
    let grey = |x: &Tensor<4>| {
        let channel = |c: usize| x.clone().slice([0..N, c..c + 1, 0..32, 0..32]);
        channel(0) * 0.2989 + channel(1) * 0.587 + channel(2) * 0.114
    };
    let x = (x * factor()).clamp(0.0, 1.0);
    let (f, mean) = (factor(), grey(&x).mean_dim(2).mean_dim(3));
    let x = (x * f.clone() + mean * (-f + 1.0)).clamp(0.0, 1.0);
    let (f, grey) = (factor(), grey(&x));
    (x * f.clone() + grey * (-f + 1.0)).clamp(0.0, 1.0)
}

fn main() {
    let numbers: Vec<f32> = (0..N * SHAPE.iter().product::<usize>())
        .map(|i| (i * 7919 % 1009) as f32 / 1008.0)
        .collect();
    let tensor =
        Tensor::<4>::from_data(TensorData::new(numbers.clone(), [N, 3, 32, 32]), &Device::flex());
    let pools = [1, rayon::current_num_threads()]
        .map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build());
    let pools: Vec<rayon::ThreadPool> =
        pools.into_iter().map(|pool| pool.expect("threads can be started")).collect();
    let mut rows: Vec<(String, [Vec<f64>; 2])> =
        LINES.iter().map(|line| (format!("`{line}`"), Default::default())).collect();
    rows.push(("the third as tensor operations".into(), Default::default()));
    let mut batch = numbers.clone();
    for round in 0..ROUNDS {
        for (row, (_, times)) in rows.iter_mut().enumerate() {
            for (pool, times) in pools.iter().zip(times) {
                batch.copy_from_slice(&numbers);
                let start = Instant::now();
                pool.install(|| match LINES.get(row) {
                    Some(line) => {
                        let augment = line
                            .parse()
                            .map_err(downhill::Error::from)
                            .and_then(|line| Augment::read(&line));
                        let done = augment.and_then(|augment| {
                            augment.apply(
                                &mut batch,
                                SHAPE,
                                &mut Seed(0).generator(Purpose::Augmentation, round),
                            )
                        });
                        done.expect("these augmentations fit these images");
                        black_box(&batch);
                    }
                    None => drop(black_box(as_tensors(tensor.clone(), round).into_data())),
                });
                times.push(start.elapsed().as_secs_f64());
            }
        }
    }
    println!(
        "| 128 x 3 x 32 x 32 | images/s, 1 thread | ms a batch | images/s, {0} threads | ms a batch |\n|---|--:|--:|--:|--:|",
        pools[1].current_num_threads()
    );
    for (name, times) in rows {
        let cells = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            let median = times[times.len() / 2];
            format!("{:.0} | {:.2}", N as f64 / median, 1e3 * median)
        });
        println!("| {} | {} |", name.replace('|', "\\|"), cells.join(" | "));
    }
}
