//! `downhill augment`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use downhill::Result;
use downhill::lab::augment::{Augment, sheet};
use downhill::lab::data;
use downhill::lab::seed::Seed;

use super::terminal::say;

#[derive(Args)]
pub struct AugmentArgs {
    /// Augmentations joined by |, applied from left to right (see `downhill list augmentations`)
    #[arg(value_name = "SPEC")]
    spec: String,
    /// Images: the name of a data set (`downhill list data`), or a path to the files of MNIST or
    /// CIFAR. Images of the training set are shown
    #[arg(long, value_name = "NAME|PATH", default_value = "mnist-10k")]
    data: String,
    /// Number of images
    #[arg(long, value_name = "N", default_value = "8", value_parser = clap::value_parser!(u16).range(1..=100), allow_negative_numbers = true)]
    images: u16,
    /// Seed of the random numbers
    #[arg(long, value_name = "N", default_value = "0", allow_negative_numbers = true)]
    seed: u64,
    /// Output folder of the page
    #[arg(long, value_name = "DIR", default_value = "out/augment")]
    out: PathBuf,
}

pub fn augment(args: AugmentArgs) -> Result<ExitCode> {
    let augment = Augment::read(&args.spec.parse()?)?;
    let data = data::load_unprepared(&args.data)?; // augmentation comes before preparation
    augment.takes(&data.name, &data.train.shape, data.train.are_pixels())?;
    let first = data.train.slice(0..data.train.len().min(args.images.into()));
    let (shape, images) = (&first.shape, first.numbers());
    let page = sheet::write(&augment, &images, shape, &data.name, Seed(args.seed), &args.out)?;
    say(&format!(
        "{}\npicture: {}\npage: {}",
        augment.spec(),
        page.with_file_name("sheet.png").display(),
        page.display()
    ))
}
