//! The contour map step by step, as GIF.

use color_quant::NeuQuant;
use rayon::prelude::*;

use super::canvas::{FAMILY, FINE, LEGEND_WIDTH, SCENE_SIZE, pt};
use super::color::line_color;
use super::contour_map::background;
use super::path_svg::paths;
use super::pixels::rasterize;
use super::scene_data::Scene;
use crate::error::{Error, Result};

/// Maximum number of frames.
const FRAMES: usize = 60;
/// Size of the animation as a share of the picture.
const SCALE: f32 = 0.8;
/// Duration of a frame, and of the last one, in hundredths of a second.
const DELAY: u16 = 8;
const LAST_DELAY: u16 = 250;

/// The animation; it repeats forever.
///
/// # Errors
/// If it cannot be drawn.
pub fn animation(scene: &Scene) -> Result<Vec<u8>> {
    let (background, projection) = background(scene)?;
    let background = rasterize(&background, SCALE, None)?;
    let frame = |step: usize| -> Result<Vec<u8>> {
        let svg = frame_svg(&paths(scene, &projection, step), step);
        Ok(rasterize(&svg, SCALE, Some(&background))?.take())
    };
    let palette = Palette::new(scene, &frame(scene.steps())?);
    let steps = frame_steps(scene);
    let frames: Vec<Vec<u8>> =
        steps.par_iter().map(|step| Ok(palette.indices(&frame(*step)?))).collect::<Result<_>>()?;
    encode(frames, [background.width(), background.height()], &palette.colors())
        .map_err(Error::failed("make the animation"))
}

/// The steps that are shown.
fn frame_steps(scene: &Scene) -> Vec<usize> {
    let steps = scene.steps();
    let frames = FRAMES.min(steps + 1);
    // where most paths end long before the longest one, the early steps get more frames
    let mut lengths: Vec<usize> = scene.paths.iter().map(|path| path.points.len()).collect();
    lengths.sort_unstable();
    let power = if lengths[lengths.len() / 2] * 3 < steps { 2.0 } else { 1.0 };
    let step = |frame: usize| {
        let share = frame as f64 / (frames - 1).max(1) as f64;
        (share.powf(power) * steps as f64).round() as usize
    };
    (0..frames).map(step).collect()
}

/// What a frame draws over the background.
fn frame_svg(paths: &str, step: usize) -> String {
    let (width, height) = (SCENE_SIZE.0 * FINE, SCENE_SIZE.1 * FINE);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" \
         viewBox=\"0 0 {width} {height}\">{paths}\
         <text x=\"{}\" y=\"{}\" font-family=\"{FAMILY}\" font-size=\"{}\" fill=\"#5a5a5a\">\
         step {step}</text></svg>",
        SCENE_SIZE.0,
        SCENE_SIZE.1,
        width - LEGEND_WIDTH + pt(6) as u32,
        height - pt(20) as u32,
        pt(14),
    )
}

/// The colours of all frames. A palette for each frame would let the lines change their colours.
struct Palette {
    /// the exact colours of the lines
    lines: Vec<[u8; 3]>,
    /// all others, found in the last frame
    others: NeuQuant,
}

impl Palette {
    fn new(scene: &Scene, last_frame: &[u8]) -> Palette {
        let color = |style| {
            let color = line_color(style);
            [color.0, color.1, color.2]
        };
        let lines: Vec<[u8; 3]> = scene.paths.iter().map(|path| color(path.style)).collect();
        let others = NeuQuant::new(1, 256 - lines.len().min(128), last_frame);
        Palette { lines, others }
    }

    fn colors(&self) -> Vec<u8> {
        self.lines.iter().flatten().copied().chain(self.others.color_map_rgb()).collect()
    }

    /// The index of the colour of each pixel.
    fn indices(&self, rgba: &[u8]) -> Vec<u8> {
        rgba.chunks_exact(4).map(|color| self.index(color)).collect()
    }

    fn index(&self, rgba: &[u8]) -> u8 {
        let line = self.lines.iter().position(|line| line[..] == rgba[..3]);
        line.unwrap_or_else(|| self.lines.len() + self.others.index_of(rgba)) as u8
    }
}

fn encode(
    frames: Vec<Vec<u8>>,
    size: [u32; 2],
    palette: &[u8],
) -> std::result::Result<Vec<u8>, gif::EncodingError> {
    let [width, height] = size.map(|length| length as u16);
    let last = frames.len().saturating_sub(1);
    let mut bytes = Vec::new();
    {
        let mut encoder = gif::Encoder::new(&mut bytes, width, height, palette)?;
        encoder.set_repeat(gif::Repeat::Infinite)?;
        for (i, indices) in frames.into_iter().enumerate() {
            encoder.write_frame(&gif::Frame {
                width,
                height,
                delay: if i == last { LAST_DELAY } else { DELAY },
                buffer: indices.into(),
                ..gif::Frame::default()
            })?;
        }
    }
    Ok(bytes)
}
