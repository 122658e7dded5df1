//! The table of studies.

use super::input::{StudyInput, StudyResult};
use super::{amsgrad, averages, nesterov, newton, noise, steps, wilson};
use crate::error::Result;
use crate::spec::unknown;

/// A study: it computes named numbers, charts and tables.
pub type Study = fn(&StudyInput<'_>) -> Result<StudyResult>;

/// All studies.
pub const STUDIES: &[(&str, Study)] = &[
    ("averages", averages::study),
    ("noise", noise::study),
    ("steps", steps::study),
    ("amsgrad", amsgrad::study),
    ("wilson", wilson::study),
    ("nesterov", nesterov::study),
    ("newton", newton::study),
];

/// The study of that name.
///
/// # Errors
/// If there is none.
pub fn find(name: &str) -> Result<Study> {
    let study = STUDIES.iter().find(|(known, _)| *known == name).map(|(_, study)| *study);
    Ok(study.ok_or_else(|| unknown("study", name, STUDIES.iter().map(|(known, _)| *known)))?)
}
