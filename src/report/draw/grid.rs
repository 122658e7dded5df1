//! A surface on a grid of points.

use crate::surface::Surface;

/// The points of a square grid over the window of a surface, row by row, with their heights.
pub struct Grid {
    xs: Vec<f64>,
    ys: Vec<f64>,
    /// the height of each point
    pub heights: Vec<f64>,
    size: usize,
}

impl Grid {
    /// `size` points along each axis.
    pub fn of(surface: &Surface, size: usize) -> Grid {
        let [left, right, low, high] = surface.window;
        let along =
            |from: f64, to: f64, i: usize| from + (to - from) * i as f64 / (size - 1) as f64;
        let all = || 0..size * size;
        let xs: Vec<f64> = all().map(|at| along(left, right, at % size)).collect();
        let ys: Vec<f64> = all().map(|at| along(low, high, at / size)).collect();
        let heights = surface.heights(&xs, &ys);
        Grid { xs, ys, heights, size }
    }

    /// x, y and height of the corners of a cell, around it.
    pub fn corners(&self, column: usize, row: usize) -> [[f64; 3]; 4] {
        let (i, j) = (column, row);
        [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)].map(|(i, j)| {
            let at = j * self.size + i;
            [self.xs[at], self.ys[at], self.heights[at]]
        })
    }
}
