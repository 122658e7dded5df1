//! The header of a record: everything that is needed to repeat the run.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::task::RecordedTask;
use crate::docs::hex;

/// Version of the record format. Format 1 had `formula`, a hash of the optimizer's source file;
/// format 2 has `fingerprint`, a hash of what the optimizer does.
pub const FORMAT: u32 = 2;

/// Everything that is needed to repeat a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`]
    pub format: u32,
    /// version of this crate
    pub downhill: String,
    /// version of burn
    pub burn: String,
    /// name of the experiment; `train` for a single training
    pub experiment: String,
    /// its scale; empty for a single training
    pub scale: String,
    /// label of the series
    pub series: String,
    /// the pipeline spec with every setting, without the schedule
    pub optimizer: String,
    /// fingerprint of what the pipeline does:
    /// [`PipelineConfig::fingerprint`](crate::pipeline::PipelineConfig::fingerprint)
    pub fingerprint: String,
    /// spec of the schedule, with every setting
    pub schedule: String,
    /// number of epochs
    pub epochs: usize,
    /// seed of the initial weights and of the order of the examples
    pub seed: u64,
    /// `flex`, `ndarray` or `wgpu`
    pub device: String,
    /// architecture, and the vector instructions that decide the order of sums
    pub processor: String,
    /// what was minimized
    pub task: RecordedTask,
}

impl Header {
    /// Twelve hexadecimal digits that identify this run.
    pub fn key(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        hex(&Sha256::digest(json)[..6])
    }

    /// A readable file name: series, learning rate, seed, key.
    pub fn file_name(&self) -> String {
        let name = format!("{}-lr{}", plain(&self.series).to_lowercase(), plain(self.lr()));
        // a file name may have 255 bytes; the key makes it unique
        let end = name.floor_char_boundary(200);
        format!("{}-seed{}-{}.jsonl", &name[..end], self.seed, self.key())
    }

    /// The learning rate, as written.
    pub fn lr(&self) -> &str {
        let mut settings = self.optimizer.split([':', ',', '|']);
        settings.find_map(|setting| setting.strip_prefix("lr=")).unwrap_or("")
    }

    /// What runs of one setting share: series, optimizer and schedule.
    pub fn setting(&self) -> [&str; 3] {
        [&self.series, &self.optimizer, &self.schedule]
    }
}

/// Letters, digits, dots and hyphens stay; everything else becomes `_`.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() || ".-".contains(c) { c } else { '_' }).collect()
}
