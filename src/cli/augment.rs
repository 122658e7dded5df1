//! `augment`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use downhill::Result;
use downhill::augment::{Augment, sheet};
use downhill::data;
use downhill::seed::Seed;

use super::say;

#[derive(Args)]
pub struct AugmentArgs {
    /// What is done to each image, from left to right (see `downhill list augmentations`)
    #[arg(value_name = "LINE")]
    line: String,
    /// Images: a set by name (`downhill list data`), or a path to the files of MNIST or CIFAR; those of the training part are shown
    #[arg(long, value_name = "NAME|PATH", default_value = "mnist-10k")]
    data: String,
    /// How many of them
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u16).range(1..=100))]
    images: u16,
    /// Of the draws
    #[arg(long, value_name = "N", default_value = "0", allow_negative_numbers = true)]
    seed: u64,
    /// Folder of the page
    #[arg(long, value_name = "DIR", default_value = "out/augment")]
    out: PathBuf,
}

pub fn augment(args: AugmentArgs) -> Result<ExitCode> {
    let augment = Augment::read(&args.line.parse()?)?;
    let data = data::load_unprepared(&args.data)?; // images are augmented before they are prepared
    augment.takes(&data.name, &data.train.shape, data.train.are_pixels())?;
    let first = data.train.part(0..data.train.len().min(args.images.into()));
    let (shape, images) = (&first.shape, first.numbers());
    let page = sheet::write(&augment, &images, shape, &data.name, Seed(args.seed), &args.out)?;
    say(&format!("{}\npicture: {}\npage: {}", augment.spec(), page.with_file_name("sheet.png").display(), page.display()))
}
