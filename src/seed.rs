//! Random numbers of a run: all of them depend on its seed only.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// The seed of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

/// What a generator is used for. Each purpose has its own streams, so that a new purpose does not
/// change the numbers of another.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// initial weights
    Weights = 0,
    /// order of the examples, one stream per epoch
    Order = 1,
    /// noise that is added to a gradient or an observation
    Noise = 2,
    /// synthetic examples
    Examples = 3,
    /// which examples are left out, and which are for validation
    Split = 4,
    /// masks of dropout, DropConnect and stochastic pooling, and the latent noise of a VAE; one
    /// stream per step
    Masks = 6,
    /// augmentation of images, one stream per step
    Augmentation = 7,
    /// tokens of a sample of a language model
    Sample = 8,
    /// graded runs that are drawn again, for the intervals of a suite
    Bootstrap = 9,
}

impl Seed {
    /// A generator with the same numbers on every machine.
    pub fn generator(self, purpose: Purpose, index: usize) -> ChaCha8Rng {
        let mut generator = ChaCha8Rng::seed_from_u64(self.0);
        generator.set_stream(((purpose as u64) << 48) | index as u64);
        generator
    }
}
