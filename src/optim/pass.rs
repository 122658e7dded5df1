//! The single pass: a rule applied element by element to parameter, gradient and memory at once.

use std::ops::Sub;

use super::rule::{At, Rule};
use super::value::{Lane, Value};

/// Elements handled together. Their new values go to arrays on the stack first, which the compiler knows to overlap with nothing; so it
/// vectorizes the loop without the run-time overlap checks that it would give up on for more than two memories.
const BLOCK: usize = 32;

/// Below this many elements a second thread costs more than it saves; a strip handed to a thread is never shorter than half of it.
const SPLIT: usize = 1 << 17;

/// The buffers of one parameter, all of the same length; memory that the rule does not use is empty.
pub(super) struct Strip<'a, T, const N: usize> {
    /// Where the parameter is read, if not where it is written.
    pub from: Option<&'a [T]>,
    pub x: &'a mut [T],
    pub g: &'a [T],
    pub memory: [&'a mut [T]; N],
}

impl<'a, T, const N: usize> Strip<'a, T, N> {
    fn halves(self) -> (Self, Self) {
        let middle = self.x.len() / 2;
        let (x, x_right) = self.x.split_at_mut(middle);
        let (g, g_right) = self.g.split_at(middle);
        let (from, from_right) = self.from.map(|from| from.split_at(middle)).unzip();
        let mut right: [&'a mut [T]; N] = std::array::from_fn(|_| Default::default());
        let mut slots = right.iter_mut();
        let memory = self.memory.map(|m| {
            let (left, right) = m.split_at_mut(middle.min(m.len()));
            if let Some(slot) = slots.next() {
                *slot = right;
            }
            left
        });
        (Strip { from, x, g, memory }, Strip { from: from_right, x: x_right, g: g_right, memory: right })
    }
}

/// Moves `strip.x` by one step of `rule`, on all cores if it is long.
///
/// Each element depends on nothing but itself, so the result is the same for any number of threads.
pub(super) fn pass<T, R, const N: usize>(rule: &R, at: At, strip: Strip<'_, T, N>)
where
    T: Copy + Default + Send + Sync + Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    if strip.x.len() < SPLIT {
        return run(rule, at, strip);
    }
    let (left, right) = strip.halves();
    rayon::join(|| pass(rule, at, left), || pass(rule, at, right));
}

/// The pass on one thread, with the widest vector instructions that were measured to gain.
pub(super) fn run<T, R, const N: usize>(rule: &R, at: At, strip: Strip<'_, T, N>)
where
    T: Copy + Default + Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn wide<T, R, const N: usize>(rule: &R, at: At, strip: Strip<'_, T, N>)
        where
            T: Copy + Default + Sub<Output = T>,
            Lane<T>: Value,
            R: Rule<N>,
        {
            sweep(rule, at, strip);
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the feature that `wide` is compiled for.
            return unsafe { wide(rule, at, strip) };
        }
    }
    sweep(rule, at, strip)
}

#[inline(always)]
fn sweep<T, R, const N: usize>(rule: &R, at: At, strip: Strip<'_, T, N>)
where
    T: Copy + Default + Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    let Strip { from, x, g, memory } = strip;
    // a memory without use is a block of zeros, read again and again, and a block that is written and never read: a choice inside the loop
    // would keep it from being vectorized
    let mut without_use = [[T::default(); 2 * BLOCK]; N];
    let mut spare = without_use.iter_mut();
    let mut slots = memory.map(|values| match spare.next() {
        Some(spare) if values.is_empty() => Slot { values: spare, stride: 0, written: BLOCK },
        _ => Slot { values, stride: 1, written: 0 },
    });
    let whole = x.len() - x.len() % BLOCK;
    for start in (0..whole).step_by(BLOCK) {
        block::<T, R, N, BLOCK>(rule, at, start, from, x, g, &mut slots);
    }
    for start in whole..x.len() {
        block::<T, R, N, 1>(rule, at, start, from, x, g, &mut slots);
    }
}

/// One memory; that of element `i` is read at `i * stride`, and written so much further.
struct Slot<'a, T> {
    values: &'a mut [T],
    stride: usize,
    written: usize,
}

#[inline(always)]
fn block<T, R, const N: usize, const B: usize>(
    rule: &R,
    at: At,
    start: usize,
    from: Option<&[T]>,
    x: &mut [T],
    g: &[T],
    slots: &mut [Slot<'_, T>; N],
) where
    T: Copy + Default + Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    let range = start..start + B;
    let (mut new_x, mut new_memory) = ([T::default(); B], [[T::default(); B]; N]);
    {
        let xs: &[T] = &from.unwrap_or(x)[range.clone()];
        let gs = &g[range.clone()];
        let ms: [&[T]; N] = slots.each_ref().map(|slot| &slot.values[start * slot.stride..][..B]);
        for i in 0..B {
            let remembered = std::array::from_fn(|n| Lane(ms[n][i]));
            let (down, remembered) = rule.step(at, &Lane(xs[i]), Lane(gs[i]), remembered);
            new_x[i] = xs[i] - down.0;
            for (block, new) in new_memory.iter_mut().zip(remembered) {
                block[i] = new.0;
            }
        }
    }
    x[range].copy_from_slice(&new_x);
    for (block, slot) in new_memory.iter().zip(slots.iter_mut()) {
        slot.values[start * slot.stride + slot.written..][..B].copy_from_slice(block);
    }
}
