//! The trait of augmentations.

use rand_chacha::ChaCha8Rng;

use super::canvas::Canvas;
use crate::spec::{Settings, SpecError};

/// An augmentation.
pub(super) trait Change: Settings {
    /// Checks that it can change images of `[channels, height, width]`. Errors contain `name`.
    fn fits(&self, name: &str, shape: [usize; 3]) -> std::result::Result<(), SpecError> {
        let _ = (name, shape);
        Ok(())
    }

    /// Draws random numbers and changes one image.
    fn change(&self, image: &mut Canvas<'_>, generator: &mut ChaCha8Rng);
}

/// The error of a setting that does not match the images.
pub(super) fn unfit(name: &str, key: &str, found: impl ToString, expected: String) -> SpecError {
    SpecError::Value { owner: name.into(), key: key.into(), found: found.to_string(), expected }
}
