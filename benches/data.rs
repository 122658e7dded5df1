//! The time to load a data set from its files to tensors on the device, compared with the time to
//! read the files.
//!
//!     cargo bench --bench data                 (the data sets that `downhill fetch` downloaded)
//!     cargo bench --bench data -- ~/data/cifar-10-batches-bin
//!
//! A time is the median of seven rounds, in which the two alternate. The files are in the page
//! cache of the system. The output is Markdown.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;
use downhill::lab::data::{known, load};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 7;

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The milliseconds that a function takes.
fn timed<T>(run: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    std::hint::black_box(run());
    start.elapsed().as_secs_f64() * 1e3
}

/// The bytes of every file below a folder, or of the file itself.
fn read(path: &Path) -> Vec<Vec<u8>> {
    if path.is_file() {
        return vec![std::fs::read(path).expect("a file that can be read")];
    }
    let entries = std::fs::read_dir(path).expect("a folder that can be read");
    entries.flat_map(|entry| read(&entry.expect("an entry").path())).collect()
}

fn main() {
    let given: Vec<PathBuf> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .map(PathBuf::from)
        .collect();
    let fetched = || {
        let cache = known::folder().expect("a folder for data");
        known::KNOWN
            .iter()
            .map(|known| cache.join(known.name))
            .filter(|folder| folder.is_dir())
            .collect()
    };
    let sets: Vec<PathBuf> = if given.is_empty() { fetched() } else { given };
    if sets.is_empty() {
        println!("no data set found: get one with `downhill fetch cifar10`, or give a path");
        return;
    }
    println!(
        "| data | examples | files read | to tensors on the device | |\n|---|--:|--:|--:|--:|"
    );
    for set in sets {
        let name = set.to_string_lossy();
        let load_to_device = || {
            let data = load(&name).expect("a data set");
            (data.train.to_device(&Device::flex()), data.test.to_device(&Device::flex()))
        };
        let (train, test) = load_to_device(); // the first time fills the page cache
        let (mut files, mut tensors) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            files.push(timed(|| read(&set)));
            tensors.push(timed(load_to_device));
        }
        let (files, tensors) = (median(files), median(tensors));
        let last =
            set.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
        println!(
            "| {last} | {} + {} | {files:.0} ms | {tensors:.0} ms | {:.1} |",
            train.len(),
            test.len(),
            tensors / files
        );
    }
    println!("\n{} threads", rayon::current_num_threads());
}
