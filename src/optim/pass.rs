//! The single pass: a rule applied element by element to parameter, gradient and state at once.

use std::ops::Sub;

use super::rule::{Rule, StepContext};
use super::value::{Lane, Value};

/// The number of elements handled together. Their new values go to arrays on the stack first. The
/// compiler knows that these overlap with nothing, so it vectorizes the loop without run-time
/// overlap checks, which it would give up on for more than two state buffers.
const BLOCK: usize = 32;

/// Below this many elements a second thread costs more than it saves. No thread gets less than half
/// of it.
const PARALLEL_FROM: usize = 1 << 17;

/// The buffers of one parameter, all of the same length. A state buffer that the rule does not use
/// is empty.
pub(super) struct PassBuffers<'a, T, const N: usize> {
    /// Where the parameter is read, if not where it is written.
    pub source: Option<&'a [T]>,
    pub x: &'a mut [T],
    pub g: &'a [T],
    pub state: [&'a mut [T]; N],
}

impl<'a, T, const N: usize> PassBuffers<'a, T, N> {
    fn halves(self) -> (Self, Self) {
        let middle = self.x.len() / 2;
        let (x, x_right) = self.x.split_at_mut(middle);
        let (g, g_right) = self.g.split_at(middle);
        let (source, source_right) = self.source.map(|source| source.split_at(middle)).unzip();
        let mut state_right: [&'a mut [T]; N] = std::array::from_fn(|_| Default::default());
        let mut rights = state_right.iter_mut();
        let state = self.state.map(|values| {
            let (left, right) = values.split_at_mut(middle.min(values.len()));
            if let Some(place) = rights.next() {
                *place = right;
            }
            left
        });
        (
            PassBuffers { source, x, g, state },
            PassBuffers { source: source_right, x: x_right, g: g_right, state: state_right },
        )
    }
}

/// Moves `buffers.x` by one step of `rule`, on all cores if it is long.
///
/// Each element depends on itself only, so the result is the same for any number of threads.
pub(super) fn pass<T, R, const N: usize>(rule: &R, ctx: StepContext, buffers: PassBuffers<'_, T, N>)
where
    T: Copy + Default + Send + Sync + Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    if buffers.x.len() < PARALLEL_FROM {
        return pass_on_one_thread(rule, ctx, buffers);
    }
    let (left, right) = buffers.halves();
    rayon::join(|| pass(rule, ctx, left), || pass(rule, ctx, right));
}

/// The pass on one thread, with the widest vector instructions that were measured to be faster.
pub(super) fn pass_on_one_thread<T, R, const N: usize>(
    rule: &R,
    ctx: StepContext,
    buffers: PassBuffers<'_, T, N>,
) where
    T: Copy + Default + Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn with_avx2<T, R, const N: usize>(
            rule: &R,
            ctx: StepContext,
            buffers: PassBuffers<'_, T, N>,
        ) where
            T: Copy + Default + Sub<Output = T>,
            Lane<T>: Value,
            R: Rule<N>,
        {
            all_blocks(rule, ctx, buffers);
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the feature that `with_avx2` is compiled for.
            return unsafe { with_avx2(rule, ctx, buffers) };
        }
    }
    all_blocks(rule, ctx, buffers)
}

/// Steps all full blocks, then the remaining elements one at a time.
#[inline(always)]
fn all_blocks<T, R, const N: usize>(rule: &R, ctx: StepContext, buffers: PassBuffers<'_, T, N>)
where
    T: Copy + Default + Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    let PassBuffers { source, x, g, state } = buffers;
    // An unused state buffer is replaced by a block of zeros that is read again and again, and a
    // second block that is written and never read. A branch inside the loop would keep the compiler
    // from vectorizing it.
    let mut dummies = [[T::default(); 2 * BLOCK]; N];
    let mut dummy = dummies.iter_mut();
    let mut state = state.map(|values| match dummy.next() {
        Some(dummy) if values.is_empty() => {
            StateBuffer { values: dummy, stride: 0, write_offset: BLOCK }
        }
        _ => StateBuffer { values, stride: 1, write_offset: 0 },
    });
    let in_blocks = x.len() - x.len() % BLOCK;
    for start in (0..in_blocks).step_by(BLOCK) {
        one_block::<T, R, N, BLOCK>(rule, ctx, start, source, x, g, &mut state);
    }
    for start in in_blocks..x.len() {
        one_block::<T, R, N, 1>(rule, ctx, start, source, x, g, &mut state);
    }
}

/// One state buffer. The value of element `i` is read at `i * stride`, and written at
/// `i * stride + write_offset`.
struct StateBuffer<'a, T> {
    values: &'a mut [T],
    stride: usize,
    write_offset: usize,
}

/// Steps the `B` elements from `start` on.
#[inline(always)]
fn one_block<T, R, const N: usize, const B: usize>(
    rule: &R,
    ctx: StepContext,
    start: usize,
    source: Option<&[T]>,
    x: &mut [T],
    g: &[T],
    state: &mut [StateBuffer<'_, T>; N],
) where
    T: Copy + Default + Sub<Output = T>,
    Lane<T>: Value,
    R: Rule<N>,
{
    let range = start..start + B;
    let (mut new_x, mut new_state) = ([T::default(); B], [[T::default(); B]; N]);
    {
        let xs: &[T] = &source.unwrap_or(x)[range.clone()];
        let gs = &g[range.clone()];
        let states: [&[T]; N] =
            state.each_ref().map(|buffer| &buffer.values[start * buffer.stride..][..B]);
        for i in 0..B {
            let before = std::array::from_fn(|n| Lane(states[n][i]));
            let (update, after) = rule.step(ctx, &Lane(xs[i]), Lane(gs[i]), before);
            new_x[i] = xs[i] - update.0;
            for (block, new) in new_state.iter_mut().zip(after) {
                block[i] = new.0;
            }
        }
    }
    x[range].copy_from_slice(&new_x);
    for (block, buffer) in new_state.iter().zip(state.iter_mut()) {
        buffer.values[start * buffer.stride + buffer.write_offset..][..B].copy_from_slice(block);
    }
}

/// The sums of two terms of each element, in f64. The order of the additions depends on the length
/// only, and so do the sums, whatever the number of threads.
pub(super) fn sum_terms<T, F, const N: usize>(
    terms: &F,
    x: &[T],
    g: &[T],
    state: [&[T]; N],
) -> [f64; 2]
where
    T: Copy + Default + Send + Sync,
    f64: From<T>,
    F: Fn(Lane<T>, Lane<T>, [Lane<T>; N]) -> [Lane<T>; 2] + Sync,
{
    if x.len() >= PARALLEL_FROM {
        let middle = x.len() / 2;
        let (left, right) = (state.map(|part| &part[..middle]), state.map(|part| &part[middle..]));
        let (left, right) = rayon::join(
            || sum_terms(terms, &x[..middle], &g[..middle], left),
            || sum_terms(terms, &x[middle..], &g[middle..], right),
        );
        return [left[0] + right[0], left[1] + right[1]];
    }
    // several sums at once, so that no addition waits for the one before
    let mut sums = [[0.0; BLOCK]; 2];
    for start in (0..x.len()).step_by(BLOCK) {
        let length = BLOCK.min(x.len() - start);
        let (xs, gs) = (&x[start..][..length], &g[start..][..length]);
        let states = state.map(|part| &part[start..][..length]);
        for i in 0..length {
            let [first, second] = terms(Lane(xs[i]), Lane(gs[i]), states.map(|part| Lane(part[i])));
            sums[0][i] += f64::from(first.0);
            sums[1][i] += f64::from(second.0);
        }
    }
    sums.map(|sums| sums.iter().sum())
}
