//! Converts all records in the given folders and their subfolders from format 1 to format 2, in
//! place.
//!
//!     cargo run --release --example convert_records -- results

mod convert;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use downhill::lab::files::{below, place};
use downhill::optim::Optimizers;

fn main() -> ExitCode {
    let folders: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    if folders.is_empty() {
        eprintln!("usage: convert_records DIR ...");
        return ExitCode::from(2);
    }
    match folders.iter().map(|folder| convert_folder(folder)).sum::<Result<usize, String>>() {
        Ok(n) => println!("{n} records converted"),
        Err(error) => {
            eprintln!("convert_records: {error}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Converts all records before it writes the first one, so an error leaves all files unchanged.
fn convert_folder(folder: &Path) -> Result<usize, String> {
    let optimizers = Optimizers::default();
    let mut all = Vec::new();
    for path in below(folder, "jsonl").map_err(|error| error.to_string())? {
        let within = |error: String| format!("{}: {error}", path.display());
        let text = fs::read_to_string(&path).map_err(|error| within(error.to_string()))?;
        let converted = convert::convert(&text, &optimizers).map_err(within)?;
        all.push((path, converted));
    }
    for (path, converted) in &all {
        let new = path.with_file_name(&converted.file_name);
        place(&new, converted.text.as_bytes()).map_err(|error| error.to_string())?;
        if new != *path {
            fs::remove_file(path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(all.len())
}
