//! The pictures of a report: which there are, and their files.

use std::path::Path;

use serde::Serialize;

use crate::chart::Chart;
use crate::error::Result;
use crate::files::place;
use crate::report::build::Report;
use crate::report::curves::of_chart;
use crate::report::draw::{self, Scene};
use crate::report::player::in_script;

/// The charts that the interactive curves do not contain.
const NOT_CURVES: [&str; 2] = ["learning-rates", "published"];

/// Heat maps with at most this many columns stand side by side.
const NARROW: usize = 7;

/// A picture on the page.
#[derive(Serialize)]
pub struct Picture {
    /// stem of its files
    pub name: String,
    /// above it
    pub title: String,
    /// what it shows, in sentences
    pub caption: String,
    /// whether the interactive curves show the same
    pub is_curves: bool,
    /// whether it needs the whole width of the page
    pub is_wide: bool,
    /// the picture
    pub svg: String,
    /// its lines for the script of the page; empty if the script does not draw it
    pub data: String,
}

impl Picture {
    /// A line chart; `None` if there is nothing to draw. The script of the page draws it too.
    pub fn of_chart(name: &str, chart: &Chart) -> Result<Option<Picture>> {
        let Some(svg) = draw::line_chart(chart)? else { return Ok(None) };
        let picture = Picture::new(name, &chart.title, &chart.caption, &svg);
        Ok(Some(Picture { data: in_script(&of_chart(chart)), ..picture }))
    }

    fn new(name: &str, title: &str, caption: &str, svg: &str) -> Picture {
        Picture {
            name: name.into(),
            title: title.into(),
            caption: caption.into(),
            is_curves: false,
            is_wide: false,
            data: String::new(),
            svg: draw::described(svg, name, title, caption),
        }
    }

    /// Writes it as SVG and PNG.
    pub fn write(&self, folder: &Path) -> Result<()> {
        place(&folder.join(format!("{}.svg", self.name)), self.svg.as_bytes())?;
        place(&folder.join(format!("{}.png", self.name)), &draw::png(&self.svg)?)
    }
}

impl Report {
    /// The charts and the heat maps.
    pub(super) fn pictures(&self) -> Result<Vec<Picture>> {
        let mut pictures = Vec::new();
        for (name, chart) in &self.charts {
            if let Some(mut picture) = Picture::of_chart(name, chart)? {
                picture.is_curves = self.curves.is_some() && !NOT_CURVES.contains(&name.as_str());
                if picture.is_curves {
                    picture.data.clear();
                }
                pictures.push(picture);
            }
        }
        for (i, map) in self.heat_maps.iter().enumerate() {
            let (name, svg) = (format!("heat-{}", i + 1), draw::heat_map(map)?);
            let picture = Picture::new(&name, &map.title, &map.caption, &svg);
            pictures.push(Picture { is_wide: map.columns.len() > NARROW, ..picture });
        }
        Ok(pictures)
    }

    /// The figure of the first screen: `curves`, `paths`, `heat` or the name of a picture. The one
    /// that the experiment names, if it is there.
    pub(super) fn lead(&self, pictures: &[Picture]) -> String {
        let has = |lead: &str| match lead {
            "curves" => self.curves.is_some(),
            "paths" => self.scene.is_some(),
            "heat" => !self.heat_maps.is_empty(),
            name => pictures.iter().any(|picture| picture.name == name),
        };
        let named = self.experiment.as_ref().and_then(|experiment| experiment.lead.as_deref());
        let lead = named.into_iter().chain(["paths", "curves"]).find(|lead| has(lead));
        let first = || pictures.first().map_or(String::new(), |picture| picture.name.clone());
        lead.map_or_else(first, String::from)
    }
}

/// Writes the pictures of a scene. Returns the relief; in place of the contour map and the
/// animation, the page has the player.
pub fn write_scene(scene: &Scene, folder: &Path) -> Result<Picture> {
    let caption = "The first seed of each series.";
    let contour =
        Picture::new("contour", "Paths on the contours", caption, &draw::contour_map(scene)?);
    contour.write(folder)?;
    let relief = Picture::new("relief", "Paths on the surface", caption, &draw::relief(scene)?);
    relief.write(folder)?;
    place(&folder.join("animation.gif"), &draw::animation(scene)?)?;
    Ok(relief)
}
