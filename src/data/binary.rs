//! # Binary: whether a word occurs, not how often
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
    /// Whether a word occurs, not how often.
    pub struct Binary {}
}
