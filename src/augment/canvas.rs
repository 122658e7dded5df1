//! One image during augmentation. Operations that only move pixels are combined, and applied once
//! when the pixels are needed. So a flip with a crop is one copy, and a rotation with a scaling
//! interpolates once.

/// The pixels beyond the edge of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// black
    Zero,
    /// the pixels of the edge, repeated
    Edge,
    /// the mirrored image, without a repeated edge
    Reflect,
}
crate::words!(Padding { Zero = "zero", Edge = "edge", Reflect = "reflect" });

impl Padding {
    /// The pixel that replaces pixel `i` of a row of `n`, or `None` for black.
    fn pixel(self, i: i64, n: usize) -> Option<usize> {
        let last = n as i64 - 1;
        match self {
            _ if (0..=last).contains(&i) => Some(i as usize),
            Padding::Zero => None,
            Padding::Edge => Some(i.clamp(0, last) as usize),
            Padding::Reflect if last == 0 => Some(0),
            Padding::Reflect => {
                let i = i.rem_euclid(2 * last);
                Some(i.min(2 * last - i) as usize)
            }
        }
    }
}

/// How a value between pixels is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// a weighted mean of the four nearest pixels
    Bilinear,
    /// the nearest pixel
    Nearest,
}
crate::words!(Filter { Bilinear = "bilinear", Nearest = "nearest" });

/// An affine map from the new position (x, y) of a pixel to its old one:
/// `x' = x[0] x + x[1] y + x[2]`, and y' in the same way.
#[derive(Clone, Copy, PartialEq)]
struct Affine {
    x: [f64; 3],
    y: [f64; 3],
}

const IDENTITY: Affine = Affine { x: [1.0, 0.0, 0.0], y: [0.0, 1.0, 0.0] };

impl Affine {
    /// The map that applies `first` and then this map.
    fn after(self, first: Affine) -> Affine {
        let row = |row: [f64; 3]| {
            [
                row[0] * self.x[0] + row[1] * self.y[0],
                row[0] * self.x[1] + row[1] * self.y[1],
                row[0] * self.x[2] + row[1] * self.y[2] + row[2],
            ]
        };
        Affine { x: row(first.x), y: row(first.y) }
    }

    /// Whether pixels are copied without interpolation: a flip or a shift by whole pixels.
    fn is_copy(&self) -> bool {
        let whole = |x: f64| x == x.trunc();
        self.x[0].abs() == 1.0
            && self.x[1] == 0.0
            && whole(self.x[2])
            && self.y[0] == 0.0
            && self.y[1].abs() == 1.0
            && whole(self.y[2])
    }
}

/// Buffers that a thread reuses for each image.
#[derive(Default)]
pub(super) struct Scratch {
    before: Vec<f32>,
    columns: Vec<Option<usize>>,
}

/// One image, channels first.
pub(super) struct Canvas<'a> {
    image: &'a mut [f32],
    shape: [usize; 3],
    scratch: &'a mut Scratch,
    map: Affine,
    padding: Option<Padding>,
    filter: Option<Filter>,
}

impl<'a> Canvas<'a> {
    pub fn new(image: &'a mut [f32], shape: [usize; 3], scratch: &'a mut Scratch) -> Canvas<'a> {
        Canvas { image, shape, scratch, map: IDENTITY, padding: None, filter: None }
    }

    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Flips the image left to right, or top to bottom.
    pub fn flip(&mut self, left_right: bool) {
        let [_, h, w] = self.shape;
        let flipped = match left_right {
            true => Affine { x: [-1.0, 0.0, w as f64 - 1.0], ..IDENTITY },
            false => Affine { y: [0.0, -1.0, h as f64 - 1.0], ..IDENTITY },
        };
        self.map = flipped.after(self.map);
    }

    /// Shifts it by whole pixels.
    pub fn shift(&mut self, right: i64, down: i64, padding: Padding) {
        let moved = Affine { x: [1.0, 0.0, -right as f64], y: [0.0, 1.0, -down as f64] };
        self.apply(moved, padding, None);
    }

    /// Enlarges it and rotates it counter-clockwise about its centre.
    pub fn turn(&mut self, scale: f64, radians: f64, padding: Padding, filter: Filter) {
        let [_, h, w] = self.shape;
        let (cx, cy) = ((w as f64 - 1.0) / 2.0, (h as f64 - 1.0) / 2.0);
        let (sin, cos) = radians.sin_cos();
        let (sin, cos) = (sin / scale, cos / scale);
        // y points down
        let turned = Affine {
            x: [cos, -sin, cx - cos * cx + sin * cy],
            y: [sin, cos, cy - sin * cx - cos * cy],
        };
        self.apply(turned, padding, Some(filter));
    }

    fn apply(&mut self, map: Affine, padding: Padding, filter: Option<Filter>) {
        if map == IDENTITY {
            return;
        }
        let is_compatible = self.padding.is_none_or(|other| other == padding)
            && (filter.is_none() || self.filter.is_none() || self.filter == filter);
        if !is_compatible {
            self.pixels();
        }
        self.map = map.after(self.map);
        (self.padding, self.filter) = (Some(padding), filter.or(self.filter));
    }

    /// The pixels, after the combined map has been applied.
    pub fn pixels(&mut self) -> &mut [f32] {
        let map = std::mem::replace(&mut self.map, IDENTITY);
        let padding = self.padding.take().unwrap_or(Padding::Zero);
        let filter = self.filter.take().unwrap_or(Filter::Bilinear);
        if map != IDENTITY {
            self.scratch.before.clear();
            self.scratch.before.extend_from_slice(self.image);
            if map.is_copy() { self.copy(map, padding) } else { self.sample(map, padding, filter) }
        }
        self.image
    }

    fn copy(&mut self, map: Affine, padding: Padding) {
        let [_, h, w] = self.shape;
        let Scratch { before, columns } = &mut *self.scratch;
        columns.clear();
        columns
            .extend((0..w).map(|x| padding.pixel(map.x[0] as i64 * x as i64 + map.x[2] as i64, w)));
        for (old, new) in before.chunks_exact(h * w).zip(self.image.chunks_exact_mut(h * w)) {
            for (y, row) in new.chunks_exact_mut(w).enumerate() {
                match padding.pixel(map.y[1] as i64 * y as i64 + map.y[2] as i64, h) {
                    None => row.fill(0.0),
                    Some(y) => {
                        let old = &old[y * w..][..w];
                        row.iter_mut()
                            .zip(columns.iter())
                            .for_each(|(new, column)| *new = column.map_or(0.0, |x| old[x]));
                    }
                }
            }
        }
    }

    fn sample(&mut self, map: Affine, padding: Padding, filter: Filter) {
        let [channels, h, w] = self.shape;
        let at =
            |x: i64, y: i64| padding.pixel(x, w).zip(padding.pixel(y, h)).map(|(x, y)| y * w + x);
        for y in 0..h {
            for x in 0..w {
                let (fx, fy) = (x as f64, y as f64);
                let from_x = map.x[0] * fx + map.x[1] * fy + map.x[2];
                let from_y = map.y[0] * fx + map.y[1] * fy + map.y[2];
                let new = y * w + x;
                if filter == Filter::Nearest {
                    let old = at(from_x.round() as i64, from_y.round() as i64);
                    (0..channels).for_each(|c| {
                        self.image[c * h * w + new] =
                            old.map_or(0.0, |old| self.scratch.before[c * h * w + old])
                    });
                    continue;
                }
                let (left, top) = (floor(from_x), floor(from_y));
                let (right, below) = ((from_x - left as f64) as f32, (from_y - top as f64) as f32);
                let (next, under) = (left.saturating_add(1), top.saturating_add(1));
                // most pixels are inside, where no padding is needed
                let inside = left >= 0 && top >= 0 && next < w as i64 && under < h as i64;
                let first = if inside { top as usize * w + left as usize } else { 0 };
                let corners = if inside {
                    [None; 4]
                } else {
                    [at(left, top), at(next, top), at(left, under), at(next, under)]
                };
                for c in 0..channels {
                    let old = &self.scratch.before[c * h * w..][..h * w];
                    let [a, b, c_, d] = match inside {
                        true => [old[first], old[first + 1], old[first + w], old[first + w + 1]],
                        false => corners.map(|corner| corner.map_or(0.0, |corner| old[corner])),
                    };
                    let (upper, lower) = (a + (b - a) * right, c_ + (d - c_) * right);
                    // rounding must not leave the range of the four pixels
                    let mixed = (upper + (lower - upper) * below)
                        .max(a.min(b).min(c_).min(d))
                        .min(a.max(b).max(c_).max(d));
                    self.image[c * h * w + new] = mixed;
                }
            }
        }
    }
}

/// The largest integer below. `f64::floor` is a function call if the target processor is not known
/// to have an instruction for it.
fn floor(x: f64) -> i64 {
    let toward_zero = x as i64;
    if toward_zero as f64 > x { toward_zero.saturating_sub(1) } else { toward_zero }
}
