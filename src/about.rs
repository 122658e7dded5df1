//! What the header of a file says: title, formula, differences, source. `list`, `show` and the README's table are made from it.

use sha2::{Digest, Sha256};

use crate::spec::Setting;

/// Bytes as hexadecimal text.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A row of a table of what specs name: an augmentation, a penalty, a preparation of data.
pub struct Entry {
    /// The name in specs.
    pub name: &'static str,
    /// Title, formula, differences and source.
    pub about: About,
    /// Its settings.
    pub settings: &'static [Setting],
    /// Their defaults.
    pub defaults: fn() -> Vec<(&'static str, String)>,
}

/// The `//!` header of a source file, or the same text without the slashes.
#[derive(Clone, Copy, Debug)]
pub struct About(pub &'static str);

impl About {
    /// The header's lines, without `//!`.
    pub fn text(self) -> String {
        let lines = self.0.lines().take_while(|line| !self.is_source() || line.starts_with("//!"));
        lines
            .map(|line| line.strip_prefix("//!").map_or(line, |rest| rest.strip_prefix(' ').unwrap_or(rest)))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Eight letters that change with the file.
    pub fn fingerprint(self) -> String {
        hex(&Sha256::digest(self.0)[..4])
    }

    fn is_source(self) -> bool {
        self.0.starts_with("//!")
    }

    /// The first heading.
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

    /// The text below `## heading`.
    pub fn section(self, heading: &str) -> String {
        let text = self.text();
        let mut lines = text.lines().skip_while(|line| line.strip_prefix("## ") != Some(heading));
        lines.next();
        lines.take_while(|line| !line.starts_with("## ")).collect::<Vec<_>>().join("\n").trim().to_string()
    }
}

/// `1 pass`, `2 passes`.
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
