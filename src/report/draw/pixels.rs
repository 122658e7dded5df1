//! SVG as pixels.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia;
pub use resvg::usvg;

use super::canvas::{FAMILY, FONT};
use crate::error::{Error, Result};

/// The picture as PNG, at twice its size in points.
///
/// # Errors
/// If the text is no SVG.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    rasterize(svg, 2.0, None)?.encode_png().map_err(Error::failed("make a PNG"))
}

/// The elements of an SVG, with its text in the bundled font.
///
/// # Errors
/// If the text is no SVG.
pub fn tree(svg: &str) -> Result<usvg::Tree> {
    static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        Arc::new(fonts)
    });
    let options =
        usvg::Options { fontdb: FONTS.clone(), font_family: FAMILY.into(), ..Default::default() };
    usvg::Tree::from_str(svg, &options).map_err(Error::failed("read a picture"))
}

/// An SVG as pixels, over a background if there is one.
pub fn rasterize(
    svg: &str,
    scale: f32,
    background: Option<&tiny_skia::Pixmap>,
) -> Result<tiny_skia::Pixmap> {
    let doing = "make pixels of a picture";
    let tree = tree(svg)?;
    let mut pixels = match background {
        Some(pixels) => pixels.clone(),
        None => {
            let (width, height) = (tree.size().width() * scale, tree.size().height() * scale);
            tiny_skia::Pixmap::new(width as u32, height as u32)
                .ok_or_else(|| Error::failed(doing)("no memory"))?
        }
    };
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixels.as_mut());
    Ok(pixels)
}
