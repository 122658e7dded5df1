//! How long a data set takes from the disk to the device.
//!
//!     cargo run --release --example load -- NAME|PATH ...
//!
//! The second of two times is what it takes where the files are in the page cache already.

use std::time::Instant;

use burn::tensor::Device;
use downhill::lab::data::{self, Inputs};

fn main() -> downhill::Result<()> {
    for place in std::env::args().skip(1) {
        for time in ["first", "second"] {
            let start = Instant::now();
            let data = data::load(&place)?;
            let read = start.elapsed();
            let (train, test) =
                (data.train.to_device(&Device::flex()), data.test.to_device(&Device::flex()));
            let total = start.elapsed();
            if time == "first" {
                let (n, tests, shape) = (train.len(), test.len(), &data.train.shape);
                let kind = match &data.train.inputs {
                    Inputs::Pixels(_) => "pixels".into(),
                    Inputs::Numbers(_) => "numbers".into(),
                    Inputs::Sparse(rows) => format!(
                        "sparse, {:.1} of {} a row",
                        rows.values.len() as f64 / n as f64,
                        rows.columns
                    ),
                };
                println!(
                    "{place}: {n} + {tests} inputs of {shape:?} ({kind}) in {} classes",
                    data.classes
                );
            }
            println!(
                "  {time} time: read {:.2} s, with the move to the device {:.2} s",
                read.as_secs_f64(),
                total.as_secs_f64()
            );
        }
    }
    Ok(())
}
