//! Paths of optimizers over a surface, as plain data.

use crate::chart::Style;
use crate::surface::Surface;

/// A surface, and the paths of optimizers over it.
pub struct Scene {
    /// the surface
    pub surface: Surface,
    /// what the height is, in words or as a formula
    pub height: String,
    /// names of the two coordinates
    pub axes: [&'static str; 2],
    /// areas between contours, from the lowest up; the last one is white and covers the places
    /// without a height, if there are some
    pub bands: Vec<ContourBand>,
    /// whether there are places without a height
    pub holes: bool,
    /// one for each series
    pub paths: Vec<ScenePath>,
}

/// The area between two heights.
pub struct ContourBand {
    /// lower height
    pub from: f64,
    /// upper height
    pub to: f64,
    /// colour, pale where it is low
    pub fill: (u8, u8, u8),
    /// outlines, those of holes too, in coordinates of the surface
    pub rings: Vec<Vec<[f64; 2]>>,
}

/// The path of an optimizer.
pub struct ScenePath {
    /// label of the series
    pub label: String,
    /// optimizer and learning rate
    pub setting: String,
    /// colour and dash pattern
    pub style: Style,
    /// x, y and height after each step, the start first
    pub points: Vec<[f64; 3]>,
    /// where and why it diverged, if it did
    pub diverged: Option<Divergence>,
}

/// The end of a path that diverged.
pub struct Divergence {
    /// the last step
    pub step: usize,
    /// why it is the last
    pub reason: String,
}

impl Scene {
    /// Whether a point is inside the window.
    pub fn contains(&self, x: f64, y: f64) -> bool {
        self.surface.outside(x, y) == 0.0
    }

    /// The number of steps of the longest path.
    pub fn steps(&self) -> usize {
        self.paths.iter().map(|path| path.points.len() - 1).max().unwrap_or(0)
    }

    /// The paths, the lowest first: long ones below short ones, which show where those end, and
    /// solid ones below dashed ones.
    pub fn painting_order(&self) -> Vec<&ScenePath> {
        let mut paths: Vec<(f64, &ScenePath)> =
            self.paths.iter().map(|path| (self.visible_length(path), path)).collect();
        paths.sort_by(|(a, first), (b, second)| {
            first.style.dash.cmp(&second.style.dash).then(b.total_cmp(a))
        });
        paths.into_iter().map(|(_, path)| path).collect()
    }

    /// The length of a path inside the window.
    fn visible_length(&self, path: &ScenePath) -> f64 {
        let points: Vec<&[f64; 3]> =
            path.points.iter().filter(|[x, y, _]| self.contains(*x, *y)).collect();
        points.windows(2).map(|pair| (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1])).sum()
    }
}
