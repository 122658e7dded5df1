//! The run's own randomness: every random choice of a run comes from its seed and from nothing else.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The seed of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

/// What a generator is for. Each has streams of its own, so that a new use does not change the numbers of another.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// first weights
    Weights = 0,
    /// order of the examples, one stream an epoch
    Order = 1,
    /// what is added to a gradient or an observation
    Noise = 2,
    /// examples that are made up
    Examples = 3,
    /// which examples are left out, and which validate
    Split = 4,
    /// what is left out in a step: the masks of dropout, DropConnect and stochastic pooling, and the latent noise of a VAE; one stream a step
    Masks = 6,
    /// how images are changed, one stream a step
    Augmentation = 7,
}

impl Seed {
    /// A generator whose numbers are the same on every machine.
    pub fn generator(self, purpose: Purpose, index: usize) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::seed_from_u64(self.0);
        generator.set_stream(((purpose as u64) << 48) | index as u64);
        generator
    }
}
