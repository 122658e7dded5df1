//! The windows of a pooling layer.

use std::ops::Range;

/// Windows of `size` x `size` pixels, at distances of `stride`, over a plane of `height` x `width`.
#[derive(Clone, Copy)]
pub(super) struct Windows {
    pub size: usize,
    pub stride: usize,
    pub height: usize,
    pub width: usize,
    /// rows of windows
    pub rows: usize,
    /// columns of windows
    pub columns: usize,
    /// how far the first row extends beyond the upper edge
    pub top: usize,
    /// how far the first column extends beyond the left edge
    pub left: usize,
}

impl Windows {
    pub fn new(size: usize, stride: usize, height: usize, width: usize) -> Windows {
        let (rows, columns) = (height.div_ceil(stride), width.div_ceil(stride));
        let mut windows = Windows { size, stride, height, width, rows, columns, top: 0, left: 0 };
        (windows.top, windows.left) = (windows.overhang()[0].0, windows.overhang()[1].0);
        windows
    }

    /// Windows in a plane.
    pub fn count(&self) -> usize {
        self.rows * self.columns
    }

    /// How far the windows extend beyond the edges: above and below, left and right.
    pub fn overhang(&self) -> [(usize, usize); 2] {
        [(self.rows, self.height), (self.columns, self.width)].map(|(windows, side)| {
            let covered = (windows.max(1) - 1) * self.stride + self.size;
            let total = covered.saturating_sub(side);
            (total / 2, total - total / 2)
        })
    }

    /// The lines of the plane in a row of windows.
    pub fn ys(&self, row: usize) -> Range<usize> {
        let start = row * self.stride;
        start.saturating_sub(self.top)..(start + self.size - self.top).min(self.height)
    }

    /// The columns of the plane in a column of windows.
    pub fn xs(&self, column: usize) -> Range<usize> {
        let start = column * self.stride;
        start.saturating_sub(self.left)..(start + self.size - self.left).min(self.width)
    }
}
