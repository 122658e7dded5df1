//! What a paper needs from a report: a figure in the width of a column, a table, references.

mod bibtex;
mod latex;
mod pgf;
mod table;
mod width;

pub use width::Width;

use super::build::Report;
use super::draw;
use crate::chart::{Chart, HeatMap};
use crate::error::{Error, Result};
use crate::spec::unknown;

/// A figure of a report.
pub struct Figure<'a> {
    name: String,
    title: &'a str,
    content: Content<'a>,
}

enum Content<'a> {
    Lines(&'a Chart),
    Map(&'a HeatMap),
}

impl Report {
    /// The figure of this name, a stem of the files of the report. By default the first one.
    ///
    /// # Errors
    /// If there is no such figure, or none at all.
    pub fn figure(&self, name: Option<&str>) -> Result<Figure<'_>> {
        let charts = self.charts.iter().map(|(name, chart)| (name.clone(), Content::Lines(chart)));
        let maps = self.heat_maps.iter().enumerate();
        let maps = maps.map(|(i, map)| (format!("heat-{}", i + 1), Content::Map(map)));
        let mut all: Vec<(String, Content<'_>)> = charts.chain(maps).collect();
        let place = match name {
            None => 0,
            Some(name) => {
                let known = all.iter().map(|(known, _)| known.as_str());
                let place = all.iter().position(|(known, _)| known == name);
                place.ok_or_else(|| Error::Spec(unknown("chart", name, known)))?
            }
        };
        if all.is_empty() {
            let expected = "a line chart or a heat map";
            return Err(Error::mismatch("figure", "a report without one", expected));
        }
        let (name, content) = all.swap_remove(place);
        let title = match &content {
            Content::Lines(chart) => &chart.title,
            Content::Map(map) => &map.title,
        };
        Ok(Figure { name, title, content })
    }
}

impl Figure<'_> {
    /// The figure as SVG.
    ///
    /// # Errors
    /// If there is nothing to draw.
    pub fn svg(&self, width: Width) -> Result<String> {
        match self.content {
            Content::Lines(chart) => draw::print_chart(chart, width.points())?.ok_or_else(|| {
                Error::mismatch(&self.name, "no point and no divergence", "something to draw")
            }),
            Content::Map(map) => draw::print_heat(map, width.points()),
        }
    }

    /// The figure as PDF, with vectors only.
    ///
    /// # Errors
    /// If there is nothing to draw.
    pub fn pdf(&self, width: Width) -> Result<Vec<u8>> {
        draw::pdf(&self.svg(width)?, self.title)
    }

    /// The figure with its numbers as code of pgfplots.
    ///
    /// # Errors
    /// If there is nothing to draw.
    pub fn pgf(&self, width: Width) -> Result<String> {
        let picture = match self.content {
            Content::Lines(chart) => pgf::chart(chart, width).ok_or_else(|| {
                Error::mismatch(&self.name, "no point and no divergence", "something to draw")
            })?,
            Content::Map(map) => pgf::heat_map(map, width),
        };
        Ok(format!(
            "% {}, by downhill {}; preamble: \\usepackage{{pgfplots}} \\pgfplotsset{{compat=1.17}}\n{picture}",
            self.name,
            env!("CARGO_PKG_VERSION")
        ))
    }
}
