//! Training or evaluation, and the masks of training.

use burn::tensor::{Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Whether a model is trained or evaluated.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use downhill::lab::model::{Mode, dropout};
/// use downhill::lab::seed::{Purpose, Seed};
///
/// let x = Tensor::<2>::ones([100, 10], &Device::flex());
/// let mut step = Mode::Train(Seed(0).generator(Purpose::Masks, 1));
/// assert_ne!(dropout(x.clone(), 0.5, &mut step).into_data(), x.to_data());
/// assert_eq!(dropout(x.clone(), 0.5, &mut Mode::Evaluate).into_data(), x.into_data());
/// ```
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // one per step, on the stack
pub enum Mode {
    /// Evaluation is deterministic.
    Evaluate,
    /// Masks are drawn from this generator, which belongs to the run. All runs of a process share
    /// burn's generator.
    Train(ChaCha8Rng),
}

/// A mask in the shape of this tensor. An element is 0 with probability `rate`, and otherwise
/// 1 / (1 - rate). The probability is exact to 2^-17, and the expected value is exactly 1.
pub(super) fn mask<const D: usize>(
    like: &Tensor<D>,
    rate: f64,
    generator: &mut ChaCha8Rng,
) -> Tensor<D> {
    // two random bytes per number; drawing a float takes several times as long
    const VALUES: f64 = 65536.0;
    let kept = ((1.0 - rate) * VALUES).round().max(1.0);
    let (limit, value) = (kept as u32, ((VALUES / kept) as f32).to_bits());
    let mut drawn = vec![0u16; like.shape().num_elements()];
    generator.fill_bytes(bytemuck::cast_slice_mut(&mut drawn));
    let mut numbers = vec![0.0f32; drawn.len()];
    for (number, drawn) in numbers.iter_mut().zip(drawn) {
        let kept = u32::from(u32::from(u16::from_le(drawn)) < limit);
        // no branch, because the processor would often mispredict it
        *number = f32::from_bits(value & kept.wrapping_neg());
    }
    Tensor::from_data(TensorData::new(numbers, like.dims()), (&like.device(), like.dtype()))
}

/// In training, sets each number to 0 with probability `rate` and multiplies the others by
/// 1 / (1 - rate).
///
/// torch, Keras and burn also scale in training. Srivastava et al. (2014) do not; they multiply the
/// next weights by 1 - rate at evaluation, which is the same network with differently scaled
/// weights.
pub fn dropout<const D: usize>(x: Tensor<D>, rate: f64, mode: &mut Mode) -> Tensor<D> {
    match mode {
        Mode::Train(generator) if rate > 0.0 => {
            let mask = mask(&x, rate, generator);
            x * mask
        }
        _ => x,
    }
}
