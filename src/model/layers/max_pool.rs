//! The position of the maximum in each window. A `gather` takes the values and has the gradient.

use rayon::prelude::*;

use super::windows::Windows;

/// The position in the plane of the maximum of each window. Of several equal maxima the first one
/// is taken. A NaN counts as the maximum.
pub(super) fn argmax<T: Copy + PartialOrd + Sync + From<f32>>(
    windows: Windows,
    numbers: &[T],
) -> Vec<i32> {
    let area = (windows.height * windows.width).max(1);
    let mut positions = vec![0; numbers.len() / area * windows.count()];
    let planes = positions.par_chunks_mut(windows.count().max(1)).zip(numbers.par_chunks(area));
    planes.for_each_init(
        || WindowRow::new(windows),
        |row, (positions, plane)| {
            for (y, positions) in positions.chunks_exact_mut(windows.columns).enumerate() {
                row.argmax(y, plane, positions);
            }
        },
    );
    positions
}

/// Finds the maxima of a row of windows together: first all windows compare their first pixel, then
/// their second pixel. So no comparison has to wait for the result of the previous one.
struct WindowRow<T> {
    windows: Windows,
    /// the maxima so far
    maxima: Vec<T>,
    /// the pixels to compare, one per window
    pixels: Vec<T>,
}

impl<T: Copy + PartialOrd + From<f32>> WindowRow<T> {
    fn new(windows: Windows) -> Self {
        let lowest = T::from(f32::NEG_INFINITY);
        let row = || vec![lowest; windows.columns];
        WindowRow { windows, maxima: row(), pixels: row() }
    }

    /// Writes the positions of the maxima of row number `row`.
    fn argmax(&mut self, row: usize, plane: &[T], positions: &mut [i32]) {
        let Windows { size, width, .. } = self.windows;
        let ys = self.windows.ys(row);
        for (column, position) in positions.iter_mut().enumerate() {
            *position = (ys.start * width + self.windows.xs(column).start) as i32;
        }
        self.maxima.fill(T::from(f32::NEG_INFINITY));
        for y in ys {
            for dx in 0..size {
                self.compare(y * width, &plane[y * width..][..width], dx, positions);
            }
        }
    }

    /// Compares the pixel at offset `dx` of each window in a line of the plane that begins at
    /// `start`.
    fn compare(&mut self, start: usize, line: &[T], dx: usize, positions: &mut [i32]) {
        let Windows { stride, width, left, .. } = self.windows;
        // the first window that has this pixel inside the image, and the pixel
        let first = left.saturating_sub(dx).div_ceil(stride);
        let begin = first * stride + dx - left;
        if begin >= width {
            return;
        }
        let line = &line[begin..];
        let count = line.len().div_ceil(stride).min(positions.len() - first);
        // two loops, a gather and a comparison without branches, so that both are vectorized
        let pixels = &mut self.pixels[..count];
        for (i, x) in pixels.iter_mut().enumerate() {
            *x = line[i * stride];
        }
        let maxima = &mut self.maxima[first..first + count];
        let positions = &mut positions[first..first + count];
        for i in 0..count {
            let (x, at) = (pixels[i], (start + begin + i * stride) as i32);
            #[allow(clippy::eq_op)] // true for NaN
            let better = (x > maxima[i]) | (x != x);
            maxima[i] = if better { x } else { maxima[i] };
            positions[i] = if better { at } else { positions[i] };
        }
    }
}
