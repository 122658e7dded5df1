//! Whether a model is trained or evaluated, and the masks that are drawn in training.

use burn::tensor::{DType, Device, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// What a model is run for.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use downhill::model::{Mode, dropout};
/// use downhill::seed::{Purpose, Seed};
///
/// let x = Tensor::<2>::ones([100, 10], &Device::flex());
/// let mut step = Mode::Train(Seed(0).generator(Purpose::Masks, 1));
/// assert_ne!(dropout(x.clone(), 0.5, &mut step).into_data(), x.to_data());
/// assert_eq!(dropout(x.clone(), 0.5, &mut Mode::Evaluate).into_data(), x.into_data());
/// ```
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // one a step, on the stack
pub enum Mode {
    /// Nothing is left to chance.
    Evaluate,
    /// Masks are drawn from this generator, which is one of the run's own: burn's is shared by all runs of a process.
    Train(ChaCha8Rng),
}

/// Where burn wants numbers of this type.
pub(super) type Place<'a> = (&'a Device, DType);

/// Tensor of 0 with probability `rate`, and of 1 / (1 - rate), so that the mean is 1. The probability is exact to 2^-17, the mean exactly 1.
pub(super) fn mask<const D: usize>(shape: [usize; D], rate: f64, generator: &mut ChaCha8Rng, to: Place) -> Tensor<D> {
    // two bytes decide of each number; a float drawn for each takes several times as long
    const ALL: f64 = 65536.0;
    let kept = ((1.0 - rate) * ALL).round().max(1.0);
    let (limit, value) = (kept as u32, ((ALL / kept) as f32).to_bits());
    let n: usize = shape.iter().product();
    let mut drawn = vec![0u16; n];
    generator.fill_bytes(bytemuck::cast_slice_mut(&mut drawn));
    let mut numbers = vec![0.0f32; n];
    for (number, drawn) in numbers.iter_mut().zip(drawn) {
        let kept = u32::from(u32::from(u16::from_le(drawn)) < limit);
        // no branch: it would be guessed wrong every other time
        *number = f32::from_bits(value & kept.wrapping_neg());
    }
    Tensor::from_data(TensorData::new(numbers, shape), to)
}

/// Leaves out each number with probability `rate` and makes the others larger by 1 / (1 - rate), in training only.
///
/// Srivastava et al. (2014) leave the numbers as they are in training and multiply the weights behind them by 1 - rate at evaluation. That is
/// the same network in another scale of the weights; torch, Keras and burn do it as here.
pub fn dropout<const D: usize>(x: Tensor<D>, rate: f64, mode: &mut Mode) -> Tensor<D> {
    match mode {
        Mode::Train(generator) if rate > 0.0 => {
            let mask = mask(x.dims(), rate, generator, (&x.device(), x.dtype()));
            x * mask
        }
        _ => x,
    }
}
