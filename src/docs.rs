//! The documentation in the header of a source file: title, formula, differences, source.
//! `downhill list`, `downhill show` and the table in the README come from it.

use crate::spec::Setting;

pub use crate::text::{counted, hex, printable, shell_word, shown};

/// A row of a catalog of things that specs name: augmentations, penalties, data preparations.
pub struct CatalogEntry {
    /// The name in specs.
    pub name: &'static str,
    /// Title, formula, differences and source.
    pub docs: Docs,
    /// The settings.
    pub settings: &'static [Setting],
    /// The default of each setting.
    pub defaults: fn() -> Vec<(&'static str, String)>,
}

/// The text of a source file with a `//!` header, or the same documentation without `//!`.
#[derive(Clone, Copy, Debug)]
pub struct Docs(pub &'static str);

impl Docs {
    /// The documentation, without `//!`.
    pub fn text(self) -> String {
        if !self.is_source() {
            return self.0.lines().collect::<Vec<_>>().join("\n");
        }
        let header = self.0.lines().map_while(|line| line.strip_prefix("//!"));
        header.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }

    fn is_source(self) -> bool {
        self.0.starts_with("//!")
    }

    /// The first line, without `#`.
    pub fn title(self) -> String {
        self.text().lines().next().unwrap_or_default().trim_start_matches('#').trim().to_string()
    }

    /// The first fenced block.
    pub fn formula(self) -> String {
        let text = self.text();
        let mut lines = text.lines().skip_while(|line| !line.starts_with("```"));
        lines.next();
        lines.take_while(|line| !line.starts_with("```")).collect::<Vec<_>>().join("\n")
    }

    /// The text below `## heading`. Empty if there is no such heading.
    pub fn section(self, heading: &str) -> String {
        let text = self.text();
        let mut lines = text.lines().skip_while(|line| line.strip_prefix("## ") != Some(heading));
        lines.next();
        let section: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
        section.join("\n").trim().to_string()
    }
}
