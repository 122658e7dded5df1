//! A page of augmented sample images.

use std::path::{Path, PathBuf};

use minijinja::{Environment, context};
use resvg::tiny_skia::{IntSize, Pixmap};

use super::{AUGMENTATIONS, Augment};
use crate::error::{Error, Result};
use crate::files;
use crate::seed::{Purpose, Seed};

/// The number of augmented versions of each image.
const DRAWS: usize = 8;
/// The approximate width of an image in points. A pixel is a whole number of points.
const WIDTH: usize = 84;
/// The gap between images, and between an original and its augmented versions.
const GAP: [usize; 2] = [4, 14];

/// Writes `sheet.png` and the page `index.html`, which shows it. Each row of the picture is an
/// image followed by eight augmented versions. Returns the path of the page.
///
/// # Errors
/// If the images do not [fit](Augment::fits), or a file cannot be written.
pub fn write(
    augment: &Augment,
    images: &[f32],
    input: &[usize],
    data: &str,
    seed: Seed,
    folder: &Path,
) -> Result<PathBuf> {
    let shape = augment.fits(input)?;
    let png = png(augment, images, shape, seed)?;
    files::place(&folder.join("sheet.png"), &png)?;
    let failed = Error::failed("make the page");
    let mut pages = Environment::new();
    pages.add_template("page.html", include_str!("page.html")).map_err(&failed)?;
    let parts = augment.0.iter().map(|part| {
        let spec = part.spec();
        let entry = AUGMENTATIONS.iter().find(|entry| entry.name == spec.name);
        let title = entry.map_or(String::new(), |entry| entry.docs.title());
        let formula = entry.map_or(String::new(), |entry| entry.docs.formula());
        context! { spec => spec.to_string(), title, formula }
    });
    let page = context! {
        line => augment.spec(), data, seed => seed.0, shape => format!("{input:?}"), draws => DRAWS,
        parts => parts.collect::<Vec<_>>(), version => env!("CARGO_PKG_VERSION"),
    };
    let html = pages
        .get_template("page.html")
        .and_then(|template| template.render(page))
        .map_err(&failed)?;
    let path = folder.join("index.html");
    files::place(&path, html.as_bytes())?;
    Ok(path)
}

/// The sheet as PNG. Three channels are red, green and blue; otherwise the first channel is grey.
///
/// # Errors
/// If the images do not [fit](Augment::fits), or the picture is too large.
pub fn png(
    augment: &Augment,
    images: &[f32],
    shape @ [channels, h, w]: [usize; 3],
    seed: Seed,
) -> Result<Vec<u8>> {
    let mut columns = vec![images.to_vec()];
    for draw in 1..=DRAWS {
        let mut drawn = images.to_vec();
        augment.apply(&mut drawn, shape, &mut seed.generator(Purpose::Augmentation, draw))?;
        columns.push(drawn);
    }
    let points = (WIDTH / w).max(1);
    let rows = images.len() / (channels * h * w);
    let left = |column: usize| {
        GAP[0] + column * (w * points + GAP[0]) + if column > 0 { GAP[1] - GAP[0] } else { 0 }
    };
    let top = |row: usize| GAP[0] + row * (h * points + GAP[0]);
    let (width, height) = (left(columns.len()), top(rows));
    let too_large = || {
        let found = format!("{width} x {height} points");
        Error::mismatch("the picture", found, "fewer or smaller images")
    };
    let size = u32::try_from(width)
        .ok()
        .zip(u32::try_from(height).ok())
        .and_then(|(width, height)| IntSize::from_wh(width, height));
    let size = size.filter(|_| width.saturating_mul(height) <= 1 << 28).ok_or_else(too_large)?;
    let mut picture = vec![255u8; width * height * 4];
    for (column, images) in columns.iter().enumerate() {
        for (row, image) in images.chunks_exact(channels * h * w).enumerate() {
            for y in 0..h * points {
                for x in 0..w * points {
                    let pixel = (y / points) * w + x / points;
                    let channel = |c: usize| {
                        (image[if channels == 3 { c * h * w } else { 0 } + pixel].clamp(0.0, 1.0)
                            * 255.0)
                            .round() as u8
                    };
                    let at = ((top(row) + y) * width + left(column) + x) * 4;
                    picture[at..at + 3].copy_from_slice(&[channel(0), channel(1), channel(2)]);
                }
            }
        }
    }
    let picture = Pixmap::from_vec(picture, size).ok_or_else(too_large)?;
    picture.encode_png().map_err(Error::failed("make a PNG"))
}
