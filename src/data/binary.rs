//! # Binary: replaces word counts by 0 and 1
//!
//! ```text
//! x = 1 where x is not 0
//! ```
//!
//! For bags of words.
//!
//! ## Source
//! S. Wang and C. D. Manning: Baselines and bigrams (2012), section 2.1.

crate::settings! {
    /// Replaces word counts by 0 and 1.
    pub struct Binary {}
}
