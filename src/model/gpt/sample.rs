//! Continues a text, one token after another.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Gpt;
use crate::model::Mode;

/// How the next token is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// The number of tokens.
    pub length: usize,
    /// The scores are divided by it: at 1 a token is drawn with the probability that the model
    /// gives it, and at 0 the most probable one is taken.
    pub temperature: f64,
}

impl Gpt {
    /// The tokens after `start`, which has at least one. The model is without autodiff.
    pub fn sample(
        &self,
        start: &[i32],
        sampling: Sampling,
        generator: &mut ChaCha8Rng,
        device: &Device,
    ) -> Vec<i32> {
        let mut tokens = start.to_vec();
        for _ in 0..sampling.length {
            let seen = &tokens[tokens.len().saturating_sub(self.settings.context)..];
            let window = TensorData::new(seen.to_vec(), [1, seen.len()]);
            let window = Tensor::<2, Int>::from_data(window, device);
            let scores = self.forward(window, &mut Mode::Evaluate);
            let scores = scores.narrow(1, seen.len() - 1, 1).into_data();
            let scores: Vec<f64> = scores.iter::<f64>().collect();
            tokens.push(choose(&scores, sampling.temperature, generator) as i32);
        }
        tokens.split_off(start.len())
    }
}

fn choose(scores: &[f64], temperature: f64, generator: &mut ChaCha8Rng) -> usize {
    let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(0);
    let weights: Vec<f64> =
        scores.iter().map(|score| ((score - scores[best]) / temperature).exp()).collect();
    let drawn: f64 = generator.random();
    let mut left = drawn * weights.iter().sum::<f64>();
    if temperature == 0.0 {
        return best;
    }
    for (token, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return token;
        }
    }
    best // the weights are rounded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Purpose, Seed};

    #[test]
    fn tokens_are_drawn_with_their_probabilities() {
        let mut generator = Seed(0).generator(Purpose::Sample, 0);
        let scores = [0.1f64, 0.6, 0.3].map(f64::ln);
        let mut counts = [0.0f64; 3];
        for _ in 0..20_000 {
            counts[choose(&scores, 1.0, &mut generator)] += 1.0 / 20_000.0;
        }
        for (count, expected) in counts.into_iter().zip([0.1, 0.6, 0.3]) {
            assert!((count - expected).abs() < 0.02, "{counts:?}");
        }
        assert_eq!(choose(&scores, 0.0, &mut generator), 1);
        let cold = (0..100).filter(|_| choose(&scores, 0.05, &mut generator) == 1).count();
        assert_eq!(cold, 100);
    }
}
