//! Stochastic pooling in training: one number of each window, drawn with a probability proportional
//! to it (Zeiler & Fergus 2013).

use rayon::prelude::*;

use super::windows::Windows;

/// For each window, the position in the plane of a number that is drawn with a probability
/// proportional to it. `drawn` contains a random number for each window.
pub(super) fn draw<T: Copy + Into<f64> + Sync>(
    windows: Windows,
    numbers: &[T],
    drawn: &[u32],
) -> Vec<i32> {
    let area = (windows.height * windows.width).max(1);
    let count = windows.count();
    let mut positions = vec![0; numbers.len() / area * count];
    let planes = positions
        .par_chunks_mut(count.max(1))
        .zip(drawn.par_chunks(count.max(1)))
        .zip(numbers.par_chunks(area));
    planes.for_each(|((positions, drawn), plane)| {
        for (window, (position, drawn)) in positions.iter_mut().zip(drawn).enumerate() {
            let u = f64::from(u32::from_le(*drawn)) / f64::from(u32::MAX);
            *position = in_proportion(&windows, window, plane, u) as i32;
        }
    });
    positions
}

/// The position of the first number at which the cumulative sum exceeds the fraction `u` of the
/// total. A number that is 0 is never taken, unless all numbers are 0.
fn in_proportion<T: Copy + Into<f64>>(
    windows: &Windows,
    window: usize,
    plane: &[T],
    u: f64,
) -> usize {
    let ys = windows.ys(window / windows.columns);
    let xs = windows.xs(window % windows.columns);
    let positions = || {
        let xs = xs.clone();
        ys.clone().flat_map(move |y| xs.clone().map(move |x| y * windows.width + x))
    };
    let number = |position: usize| -> f64 { plane[position].into() };
    let mut left = u * positions().fold(0.0, |sum, position| sum + number(position));
    let mut taken = None;
    for position in positions() {
        let x = number(position);
        if x > 0.0 || taken.is_none() {
            taken = Some(position);
        }
        left -= x;
        if left < 0.0 {
            break;
        }
    }
    taken.unwrap_or_default()
}
