//! # GCN: global contrast normalisation of each image
//!
//! ```text
//! x = scale * (x - mean of the image) / max(eps, sqrt(bias + variance of the image))
//! ```
//!
//! Mean and variance are over all numbers of an image, all channels together.
//!
//! ## Differences
//! pylearn2 divides by the norm and multiplies by 55. For images of 3072 numbers this is the same
//! as scale 0.99: 55 / sqrt(3072).
//!
//! ## Source
//! I. Goodfellow, Y. Bengio, A. Courville: Deep Learning (2016), section 12.2.1.1: s is `scale`,
//! lambda is `bias`.

use rayon::prelude::*;

use super::fitted::{Fitted, TrainingInputs};
use crate::spec::Allowed;

crate::settings! {
    /// Global contrast normalisation.
    pub struct Gcn {
        /// standard deviation of an image after the normalisation
        scale: f64 = 1.0, Allowed::Positive;
        /// added to the variance, so images with low contrast keep a low contrast
        bias: f64 = 0.0, Allowed::NotNegative;
        /// the smallest divisor
        eps: f64 = 1e-8, Allowed::Positive;
    }
}

impl Gcn {
    pub(super) fn fit(&self, inputs: TrainingInputs<'_>) -> FittedGcn {
        FittedGcn { features: inputs.features(), gcn: self.clone() }
    }
}

/// GCN for images of this many numbers.
#[derive(Debug)]
pub(super) struct FittedGcn {
    features: usize,
    gcn: Gcn,
}

impl Fitted for FittedGcn {
    fn apply(&self, numbers: &mut [f32]) {
        let FittedGcn { features, gcn: Gcn { scale, bias, eps } } = self;
        let n = *features as f64;
        numbers.par_chunks_exact_mut(*features).for_each(|image| {
            let mean = image.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
            let variance = image.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n;
            let factor = scale / (bias + variance).sqrt().max(*eps);
            image.iter_mut().for_each(|x| *x = ((f64::from(*x) - mean) * factor) as f32);
        });
    }
}
