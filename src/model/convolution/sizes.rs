//! The sizes of a convolution, and the copies between an image and its columns.

use std::ops::{AddAssign, Range};

/// A batch is divided into this number of chunks, which are computed in parallel.
const CHUNKS: usize = 16;

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub images: usize,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// output channels
    pub outputs: usize,
    /// height and width of the kernel
    pub kernel: usize,
    /// zeros on each side of the image
    pub pad: usize,
}

/// A contiguous part of the columns: one row of the output, for one channel and one position in
/// the kernel.
struct Row {
    /// where the row is in the columns
    columns: Range<usize>,
    /// the part of it that is inside the image, or `None` if all of it is padding
    inside: Option<Inside>,
}

struct Inside {
    /// where the part is in the columns
    columns: Range<usize>,
    /// where it is in the image
    image: Range<usize>,
}

impl Sizes {
    /// The sizes for input `[images, channels, height, width]` and weights
    /// `[outputs, channels, kernel, kernel]`, or `None` if they do not match or are empty.
    pub fn of(x: &[usize], weight: &[usize], pad: usize) -> Option<Sizes> {
        let sizes = Sizes {
            images: x[0],
            channels: x[1],
            height: x[2],
            width: x[3],
            outputs: weight[0],
            kernel: weight[2],
            pad,
        };
        let matches = x[1] == weight[1]
            && weight[2] == weight[3]
            && x[2] + 2 * pad >= weight[2]
            && x[3] + 2 * pad >= weight[2];
        (matches && sizes.image() > 0 && sizes.images > 0 && sizes.outputs > 0).then_some(sizes)
    }

    /// Height and width of the output.
    pub fn out(&self) -> [usize; 2] {
        [self.height, self.width].map(|side| side + 2 * self.pad + 1 - self.kernel)
    }

    /// The number of elements of one image.
    pub fn image(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The number of elements of one output channel.
    pub fn plane(&self) -> usize {
        self.out()[0] * self.out()[1]
    }

    /// The number of elements of one column.
    pub fn column(&self) -> usize {
        self.channels * self.kernel * self.kernel
    }

    /// The number of images in a chunk of the batch.
    pub fn chunk(&self) -> usize {
        self.images.div_ceil(CHUNKS)
    }

    /// Copies an image into its columns (im2col).
    pub fn columns<T: Copy + Default>(&self, image: &[T], columns: &mut [T]) {
        self.rows(|row| match row.inside {
            None => columns[row.columns].fill(T::default()),
            Some(inside) => {
                columns[row.columns.start..inside.columns.start].fill(T::default());
                columns[inside.columns.end..row.columns.end].fill(T::default());
                columns[inside.columns].copy_from_slice(&image[inside.image]);
            }
        });
    }

    /// Adds columns to the pixels that they were copied from (col2im).
    pub fn add_back<T: Copy + AddAssign>(&self, columns: &[T], image: &mut [T]) {
        self.rows(|row| {
            if let Some(inside) = row.inside {
                let pixels = image[inside.image].iter_mut();
                pixels.zip(&columns[inside.columns]).for_each(|(pixel, x)| *pixel += *x);
            }
        });
    }

    /// Visits all rows of the columns in order.
    fn rows(&self, mut visit: impl FnMut(Row)) {
        let [height, width] = self.out();
        let kernel = || 0..self.kernel;
        let mut start = 0;
        for channel in 0..self.channels {
            for (dy, dx) in kernel().flat_map(|dy| kernel().map(move |dx| (dy, dx))) {
                let first = self.pad.saturating_sub(dx).min(width);
                let last = (self.width + self.pad).saturating_sub(dx).clamp(first, width);
                for row in 0..height {
                    let y = (row + dy)
                        .checked_sub(self.pad)
                        .filter(|y| *y < self.height && first < last);
                    let inside = y.map(|y| {
                        let from = (channel * self.height + y) * self.width + first + dx - self.pad;
                        Inside {
                            columns: start + first..start + last,
                            image: from..from + (last - first),
                        }
                    });
                    visit(Row { columns: start..start + width, inside });
                    start += width;
                }
            }
        }
    }
}
