//! SVG as PDF with vectors only. Text becomes outlines, so the file needs no font.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{LineCapStyle, LineJoinStyle};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, TextStr};

use super::pixels::{tree, usvg};
use crate::error::{Error, Result};

/// Points of PDF in a pixel of SVG.
const POINTS: f32 = 0.75;
/// The objects of the file.
const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const INFO: Ref = Ref::new(5);
/// The first of the states of opacity.
const FIRST_STATE: i32 = 6;

/// The picture as a PDF of one page, as large as the picture.
///
/// # Errors
/// If the text is no SVG, or uses paint other than a plain colour.
pub fn pdf(svg: &str, title: &str) -> Result<Vec<u8>> {
    let tree = tree(svg)?;
    let (width, height) = (tree.size().width() * POINTS, tree.size().height() * POINTS);
    let mut page = Page { content: Content::new(), opacities: BTreeSet::new() };
    // the y axis of PDF points up
    page.content.transform([POINTS, 0.0, 0.0, -POINTS, 0.0, height]);
    page.group(tree.root(), 1.0)?;
    let content = compressed(&page.content.finish()).map_err(Error::failed("make a PDF"))?;

    let mut pdf = Pdf::new();
    pdf.catalog(CATALOG).pages(PAGES);
    pdf.pages(PAGES).kids([PAGE]).count(1);
    let state = |i: usize| Ref::new(FIRST_STATE + i as i32);
    let mut object = pdf.page(PAGE);
    object.media_box(Rect::new(0.0, 0.0, width, height)).parent(PAGES).contents(CONTENT);
    let mut resources = object.resources();
    let mut states = resources.ext_g_states();
    for (i, opacity) in page.opacities.iter().enumerate() {
        states.pair(Name(state_name(*opacity).as_bytes()), state(i));
    }
    states.finish();
    resources.finish();
    object.finish();
    for (i, opacity) in page.opacities.iter().enumerate() {
        let alpha = f32::from(*opacity) / 1000.0;
        pdf.ext_graphics(state(i)).non_stroking_alpha(alpha).stroking_alpha(alpha);
    }
    pdf.stream(CONTENT, &content).filter(Filter::FlateDecode);
    let producer = concat!("downhill ", env!("CARGO_PKG_VERSION"));
    pdf.document_info(INFO).title(TextStr(title)).producer(TextStr(producer));
    Ok(pdf.finish())
}

fn compressed(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content)?;
    encoder.finish()
}

/// The name of an opacity in thousandths.
fn state_name(opacity: u16) -> String {
    format!("a{opacity}")
}

struct Page {
    content: Content,
    /// the opacities that are used, in thousandths
    opacities: BTreeSet<u16>,
}

impl Page {
    fn group(&mut self, group: &usvg::Group, opacity: f32) -> Result<()> {
        let opacity = opacity * group.opacity().get();
        for node in group.children() {
            match node {
                usvg::Node::Group(group) => self.group(group, opacity)?,
                usvg::Node::Path(path) => self.path(path, opacity)?,
                usvg::Node::Text(text) => self.group(text.flattened(), opacity)?,
                usvg::Node::Image(_) => return Err(unsupported("an image")),
            }
        }
        Ok(())
    }

    fn path(&mut self, path: &usvg::Path, opacity: f32) -> Result<()> {
        let t = path.abs_transform();
        self.content.save_state().transform([t.sx, t.ky, t.kx, t.sy, t.tx, t.ty]);
        if let Some(fill) = path.fill() {
            let [r, g, b] = color(fill.paint())?;
            self.opacity(opacity * fill.opacity().get());
            self.content.set_fill_rgb(r, g, b);
            self.outline(path);
            match fill.rule() {
                usvg::FillRule::NonZero => self.content.fill_nonzero(),
                usvg::FillRule::EvenOdd => self.content.fill_even_odd(),
            };
        }
        if let Some(stroke) = path.stroke() {
            let [r, g, b] = color(stroke.paint())?;
            self.opacity(opacity * stroke.opacity().get());
            self.content.set_stroke_rgb(r, g, b).set_line_width(stroke.width().get());
            self.content.set_line_cap(LineCapStyle::ButtCap);
            self.content.set_line_join(LineJoinStyle::RoundJoin);
            self.outline(path);
            self.content.stroke();
        }
        self.content.restore_state();
        Ok(())
    }

    fn opacity(&mut self, opacity: f32) {
        let thousandths = (opacity * 1000.0).round() as u16;
        self.opacities.insert(thousandths);
        self.content.set_parameters(Name(state_name(thousandths).as_bytes()));
    }

    fn outline(&mut self, path: &usvg::Path) {
        use usvg::tiny_skia_path::PathSegment;
        let mut at = (0.0, 0.0);
        for segment in path.data().segments() {
            match segment {
                PathSegment::MoveTo(p) => {
                    self.content.move_to(p.x, p.y);
                    at = (p.x, p.y);
                }
                PathSegment::LineTo(p) => {
                    self.content.line_to(p.x, p.y);
                    at = (p.x, p.y);
                }
                PathSegment::QuadTo(c, p) => {
                    // PDF has cubic curves only
                    let third = |from: f32, c: f32| from + 2.0 / 3.0 * (c - from);
                    let (a, b) = ((at.0, at.1), (p.x, p.y));
                    let (x1, y1) = (third(a.0, c.x), third(a.1, c.y));
                    let (x2, y2) = (third(b.0, c.x), third(b.1, c.y));
                    self.content.cubic_to(x1, y1, x2, y2, p.x, p.y);
                    at = (p.x, p.y);
                }
                PathSegment::CubicTo(c, d, p) => {
                    self.content.cubic_to(c.x, c.y, d.x, d.y, p.x, p.y);
                    at = (p.x, p.y);
                }
                PathSegment::Close => {
                    self.content.close_path();
                }
            }
        }
    }
}

fn color(paint: &usvg::Paint) -> Result<[f32; 3]> {
    match paint {
        usvg::Paint::Color(color) => {
            Ok([color.red, color.green, color.blue].map(|channel| f32::from(channel) / 255.0))
        }
        _ => Err(unsupported("a gradient or a pattern")),
    }
}

fn unsupported(what: &str) -> Error {
    Error::failed("make a PDF")(format!("the picture contains {what}"))
}
