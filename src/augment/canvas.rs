//! One image on its way through the augmentations. What only moves pixels is gathered, and done in one sampling as soon as someone wants to
//! see pixels: so a flip with a crop is one copy, and a rotation with a scale blurs once.

/// What lies beyond the edge of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// black
    Zero,
    /// the pixels of the edge, again and again
    Edge,
    /// the image mirrored, its edge not repeated
    Reflect,
}
crate::words!(Padding { Zero = "zero", Edge = "edge", Reflect = "reflect" });

impl Padding {
    /// The pixel to take for pixel `i` of a row of `n`; nothing for black.
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

/// How a pixel is made that lies between others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// a weighted mean of the four around it
    Bilinear,
    /// the nearest one
    Nearest,
}
crate::words!(Filter { Bilinear = "bilinear", Nearest = "nearest" });

/// Where the pixel at (x, y) comes from: `x' = x[0] x + x[1] y + x[2]`, and y' likewise.
#[derive(Clone, Copy, PartialEq)]
struct Place {
    x: [f64; 3],
    y: [f64; 3],
}

const STILL: Place = Place { x: [1.0, 0.0, 0.0], y: [0.0, 1.0, 0.0] };

impl Place {
    /// Where this place comes from, after `first`.
    fn after(self, first: Place) -> Place {
        let row = |row: [f64; 3]| {
            [
                row[0] * self.x[0] + row[1] * self.y[0],
                row[0] * self.x[1] + row[1] * self.y[1],
                row[0] * self.x[2] + row[1] * self.y[2] + row[2],
            ]
        };
        Place { x: row(first.x), y: row(first.y) }
    }

    /// Whether pixels come from pixels: then x and y run by 1 or -1 from whole numbers.
    fn copies(&self) -> bool {
        let whole = |x: f64| x == x.trunc();
        self.x[0].abs() == 1.0 && self.x[1] == 0.0 && whole(self.x[2]) && self.y[0] == 0.0 && self.y[1].abs() == 1.0 && whole(self.y[2])
    }
}

/// Space that a thread uses again for each image.
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
    place: Place,
    padding: Option<Padding>,
    filter: Option<Filter>,
}

impl<'a> Canvas<'a> {
    pub fn new(image: &'a mut [f32], shape: [usize; 3], scratch: &'a mut Scratch) -> Canvas<'a> {
        Canvas { image, shape, scratch, place: STILL, padding: None, filter: None }
    }

    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Turns the image around its middle line from top to bottom, or from left to right.
    pub fn flip(&mut self, left_right: bool) {
        let [_, h, w] = self.shape;
        let turned = match left_right {
            true => Place { x: [-1.0, 0.0, w as f64 - 1.0], ..STILL },
            false => Place { y: [0.0, -1.0, h as f64 - 1.0], ..STILL },
        };
        self.place = turned.after(self.place);
    }

    /// Moves it by whole pixels.
    pub fn shift(&mut self, right: i64, down: i64, padding: Padding) {
        let moved = Place { x: [1.0, 0.0, -right as f64], y: [0.0, 1.0, -down as f64] };
        self.moved(moved, padding, None);
    }

    /// Makes it larger and turns it counter-clockwise, about its middle.
    pub fn turn(&mut self, larger: f64, radians: f64, padding: Padding, filter: Filter) {
        let [_, h, w] = self.shape;
        let (cx, cy) = ((w as f64 - 1.0) / 2.0, (h as f64 - 1.0) / 2.0);
        let (sin, cos) = radians.sin_cos();
        let (sin, cos) = (sin / larger, cos / larger);
        // y points down
        let turned = Place { x: [cos, -sin, cx - cos * cx + sin * cy], y: [sin, cos, cy - sin * cx - cos * cy] };
        self.moved(turned, padding, Some(filter));
    }

    fn moved(&mut self, place: Place, padding: Padding, filter: Option<Filter>) {
        if place == STILL {
            return;
        }
        let same =
            self.padding.is_none_or(|other| other == padding) && (filter.is_none() || self.filter.is_none() || self.filter == filter);
        if !same {
            self.pixels();
        }
        self.place = place.after(self.place);
        (self.padding, self.filter) = (Some(padding), filter.or(self.filter));
    }

    /// The pixels, once all that moves them is done.
    pub fn pixels(&mut self) -> &mut [f32] {
        let place = std::mem::replace(&mut self.place, STILL);
        let padding = self.padding.take().unwrap_or(Padding::Zero);
        let filter = self.filter.take().unwrap_or(Filter::Bilinear);
        if place != STILL {
            self.scratch.before.clear();
            self.scratch.before.extend_from_slice(self.image);
            if place.copies() { self.copy(place, padding) } else { self.sample(place, padding, filter) }
        }
        self.image
    }

    fn copy(&mut self, place: Place, padding: Padding) {
        let [_, h, w] = self.shape;
        let Scratch { before, columns } = &mut *self.scratch;
        columns.clear();
        columns.extend((0..w).map(|x| padding.pixel(place.x[0] as i64 * x as i64 + place.x[2] as i64, w)));
        for (old, new) in before.chunks_exact(h * w).zip(self.image.chunks_exact_mut(h * w)) {
            for (y, row) in new.chunks_exact_mut(w).enumerate() {
                match padding.pixel(place.y[1] as i64 * y as i64 + place.y[2] as i64, h) {
                    None => row.fill(0.0),
                    Some(y) => {
                        let old = &old[y * w..][..w];
                        row.iter_mut().zip(columns.iter()).for_each(|(new, column)| *new = column.map_or(0.0, |x| old[x]));
                    }
                }
            }
        }
    }

    fn sample(&mut self, place: Place, padding: Padding, filter: Filter) {
        let [channels, h, w] = self.shape;
        let at = |x: i64, y: i64| padding.pixel(x, w).zip(padding.pixel(y, h)).map(|(x, y)| y * w + x);
        for y in 0..h {
            for x in 0..w {
                let (fx, fy) = (x as f64, y as f64);
                let from_x = place.x[0] * fx + place.x[1] * fy + place.x[2];
                let from_y = place.y[0] * fx + place.y[1] * fy + place.y[2];
                let new = y * w + x;
                if filter == Filter::Nearest {
                    let old = at(from_x.round() as i64, from_y.round() as i64);
                    (0..channels).for_each(|c| self.image[c * h * w + new] = old.map_or(0.0, |old| self.scratch.before[c * h * w + old]));
                    continue;
                }
                let (left, top) = (floor(from_x), floor(from_y));
                let (right, below) = ((from_x - left as f64) as f32, (from_y - top as f64) as f32);
                let (next, under) = (left.saturating_add(1), top.saturating_add(1));
                // most lie inside, where nothing has to be looked up
                let inside = left >= 0 && top >= 0 && next < w as i64 && under < h as i64;
                let first = if inside { top as usize * w + left as usize } else { 0 };
                let corners = if inside { [None; 4] } else { [at(left, top), at(next, top), at(left, under), at(next, under)] };
                for c in 0..channels {
                    let old = &self.scratch.before[c * h * w..][..h * w];
                    let [a, b, c_, d] = match inside {
                        true => [old[first], old[first + 1], old[first + w], old[first + w + 1]],
                        false => corners.map(|corner| corner.map_or(0.0, |corner| old[corner])),
                    };
                    let (upper, lower) = (a + (b - a) * right, c_ + (d - c_) * right);
                    // rounding must not lead beyond what is mixed
                    let mixed = (upper + (lower - upper) * below).max(a.min(b).min(c_).min(d)).min(a.max(b).max(c_).max(d));
                    self.image[c * h * w + new] = mixed;
                }
            }
        }
    }
}

/// The whole number below; the library's is a call where the processor is not known to have an instruction for it.
fn floor(x: f64) -> i64 {
    let toward_zero = x as i64;
    if toward_zero as f64 > x { toward_zero.saturating_sub(1) } else { toward_zero }
}
