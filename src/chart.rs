//! What a picture shows, as plain data. `report/plot.rs` draws it.

/// Okabe and Ito's colours, which people with any colour vision tell apart; the last of the eight is ours. They are the optimizers'. Behind them
/// four of Tol's, for what is no optimizer.
pub const PALETTE: [(u8, u8, u8); 12] = [
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (0, 0, 0),
    (148, 132, 0),
    (51, 34, 136),
    (136, 34, 85),
    (68, 170, 153),
    (119, 119, 119),
];
/// How many of them are optimizers'.
const OF_OPTIMIZERS: usize = 8;

/// Dashes and gaps in points, for what comes after the palette's end: whole lines first.
pub const DASHES: [&[u32]; 4] = [&[], &[7, 4], &[2, 3], &[9, 3, 2, 3]];

/// How a line looks: the same for an optimizer on every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// place in [`PALETTE`]
    pub color: usize,
    /// place in [`DASHES`]
    pub dash: usize,
}

impl Style {
    /// That of the n-th optimizer: colours first, then dashes. Each round of dashes begins at another colour, so that an optimizer does not share
    /// its colour with that of its kin in the round before.
    pub fn nth(n: usize) -> Style {
        let round = n / OF_OPTIMIZERS;
        Style { color: (n + 6 * round) % OF_OPTIMIZERS, dash: round % DASHES.len() }
    }

    /// That of the n-th thing that is no optimizer.
    pub fn other(n: usize) -> Style {
        let others = PALETTE.len() - OF_OPTIMIZERS;
        Style { color: OF_OPTIMIZERS + n % others, dash: n / others % DASHES.len() }
    }

    /// The same colour with the next dashes.
    pub fn next_dash(self) -> Style {
        Style { dash: (self.dash + 1) % DASHES.len(), ..self }
    }

    /// `#0072b2`
    pub fn hex(self) -> String {
        let (r, g, b) = PALETTE[self.color];
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// Its dashes.
    pub fn dashes(self) -> &'static [u32] {
        DASHES[self.dash]
    }
}

/// A picture with two axes.
#[derive(Clone, Debug)]
pub struct Chart {
    /// above
    pub title: String,
    /// below
    pub x: String,
    /// at the left
    pub y: String,
    /// whether the x axis is logarithmic
    pub log_x: bool,
    /// whether the y axis is logarithmic
    pub log_y: bool,
    /// Cuts off what is higher; the highest value otherwise.
    pub y_max: Option<f64>,
    /// what is drawn
    pub lines: Vec<Line>,
}

impl Chart {
    /// An empty one, with linear axes.
    pub fn new(title: &str, x: &str, y: &str) -> Chart {
        Chart { title: title.into(), x: x.into(), y: y.into(), log_x: false, log_y: false, y_max: None, lines: Vec::new() }
    }
}

/// A point: x, y, and the lowest and highest y of the band.
pub type Banded = (f64, f64, f64, f64);

/// A line with its band.
#[derive(Clone, Debug)]
pub struct Line {
    /// legend; what follows a line break is smaller
    pub label: String,
    /// how it looks
    pub style: Style,
    /// in the order of x
    pub points: Vec<Banded>,
    /// whether each point gets a mark
    pub marks: bool,
    /// whether a line goes from point to point
    pub joined: bool,
    /// x of what diverged: a cross at the upper edge
    pub diverged: Vec<f64>,
}

impl Line {
    /// One without a band.
    pub fn new(label: &str, style: Style, points: impl IntoIterator<Item = (f64, f64)>) -> Line {
        let points = points.into_iter().map(|(x, y)| (x, y, y, y)).collect();
        Line { label: label.into(), style, points, marks: false, joined: true, diverged: Vec::new() }
    }
}

/// How many times the lowest number is off a chart whose numbers span decades.
pub const EXPLODED: f64 = 1e4;

/// A number for each pair of two settings, as a coloured table.
#[derive(Clone, Debug)]
pub struct Heat {
    /// above
    pub title: String,
    /// below
    pub x: String,
    /// of the columns
    pub columns: Vec<String>,
    /// of the rows, the lowest last
    pub rows: Vec<String>,
    /// row by row: infinite where a run diverged, nothing where one is missing
    pub cells: Vec<Vec<Option<f64>>>,
}

/// A table on a page.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Table {
    /// above
    pub title: String,
    /// of the columns
    pub head: Vec<String>,
    /// the cells; the first of a row is text, numbers stand at the right
    pub rows: Vec<Vec<String>>,
    /// below
    pub note: String,
}

/// A mean with a standard deviation of two digits, and no digit of the mean that the deviation makes meaningless: `87.05 ± 0.02`.
pub fn with_spread(mean: f64, sd: f64) -> String {
    let plain = |x: f64| x == 0.0 || (1e-3..1e6).contains(&x.abs());
    if !(sd > 0.0 && sd.is_finite() && plain(mean) && mean.abs() / sd < 1e6) {
        return format!("{} ± {}", short(mean), short(sd));
    }
    let decimals = (1.0 - sd.log10().floor()).clamp(0.0, 6.0) as usize;
    if sd < 1e-4 { format!("{mean:.decimals$} ± {sd:.1e}") } else { format!("{mean:.decimals$} ± {sd:.decimals$}") }
}

/// A number as short as it can be read: no more than four digits.
pub fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    if (1e-3..1e5).contains(&rounded.abs()) { format!("{rounded}") } else { format!("{rounded:e}") }
}
