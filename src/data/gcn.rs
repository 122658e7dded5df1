//! # GCN: global contrast normalisation, each image for itself
//!
//! ```text
//! x = scale * (x - mean of the image) / max(eps, sqrt(bias + variance of the image))
//! ```
//!
//! Over all numbers of an image, the channels together.
//!
//! ## Differences
//! pylearn2 divides by the norm and multiplies by 55, which is this with scale 0.99: 55 / sqrt(3072).
//!
//! ## Source
//! I. Goodfellow, Y. Bengio, A. Courville: Deep Learning (2016), section 12.2.1.1: s is `scale`, lambda is `bias`.

use rayon::prelude::*;

use super::prepare::{Fitted, Given};
use crate::spec::Allowed;

crate::settings! {
    /// Global contrast normalisation.
    pub struct Gcn {
        /// what the numbers of an image deviate from 0 afterwards
        scale: f64 = 1.0, Allowed::Positive;
        /// added to the variance, so that images of little contrast keep little
        bias: f64 = 0.0, Allowed::NotNegative;
        /// the least divisor
        eps: f64 = 1e-8, Allowed::Positive;
    }
}

impl Gcn {
    pub(super) fn fit(&self, given: Given<'_>) -> Images {
        Images { features: given.shape.iter().product(), gcn: self.clone() }
    }
}

/// Of so many numbers an image.
#[derive(Debug)]
pub(super) struct Images {
    features: usize,
    gcn: Gcn,
}

impl Fitted for Images {
    fn apply(&self, numbers: &mut [f32]) {
        let Images { features, gcn: Gcn { scale, bias, eps } } = self;
        numbers.par_chunks_exact_mut(*features).for_each(|image| {
            let mean = image.iter().map(|x| f64::from(*x)).sum::<f64>() / *features as f64;
            let variance = image.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / *features as f64;
            let factor = scale / (bias + variance).sqrt().max(*eps);
            image.iter_mut().for_each(|x| *x = ((f64::from(*x) - mean) * factor) as f32);
        });
    }
}
