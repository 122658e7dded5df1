//! What a chart, a heat map or a table shows, as plain data. `report/draw/` draws it.

/// The colours of Okabe and Ito, which people with any colour vision can distinguish; the last of
/// the eight is our own. They belong to the optimizers. Behind them stand four colours of Tol, for
/// lines that are no optimizer.
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
/// How many colours of the palette belong to optimizers.
const OPTIMIZER_COLORS: usize = 8;

/// Dash patterns: lengths of dashes and gaps in points. Once all colours are in use, they start
/// again with the next pattern.
pub const DASHES: [&[u32]; 4] = [&[], &[7, 4], &[2, 3], &[9, 3, 2, 3]];

/// Colour and dash pattern of a line. An optimizer has the same style on every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// index into [`PALETTE`]
    pub color: usize,
    /// index into [`DASHES`]
    pub dash: usize,
}

impl Style {
    /// The style of the n-th optimizer: first all colours, then the next dash pattern. Each
    /// pattern starts at another colour, because related optimizers are often a multiple of eight
    /// apart and should not share a colour.
    pub fn nth(n: usize) -> Style {
        let round = n / OPTIMIZER_COLORS;
        Style { color: (n + 6 * round) % OPTIMIZER_COLORS, dash: round % DASHES.len() }
    }

    /// The style of the n-th line that is no optimizer.
    pub fn other(n: usize) -> Style {
        let others = PALETTE.len() - OPTIMIZER_COLORS;
        Style { color: OPTIMIZER_COLORS + n % others, dash: n / others % DASHES.len() }
    }

    /// The same colour with the next dash pattern.
    pub fn next_dash(self) -> Style {
        Style { dash: (self.dash + 1) % DASHES.len(), ..self }
    }

    /// The colour as in CSS: `#0072b2`.
    pub fn hex(self) -> String {
        let (r, g, b) = PALETTE[self.color];
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// The dash pattern; empty for a solid line.
    pub fn dashes(self) -> &'static [u32] {
        DASHES[self.dash]
    }
}

/// A line chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// title above the chart
    pub title: String,
    /// label of the x axis
    pub x: String,
    /// label of the y axis
    pub y: String,
    /// whether the x axis is logarithmic
    pub log_x: bool,
    /// whether the y axis is logarithmic
    pub log_y: bool,
    /// upper end of the y axis; `None`: the highest value
    pub y_max: Option<f64>,
    /// the lines
    pub lines: Vec<PlotLine>,
}

impl Chart {
    /// A chart without lines, with linear axes.
    pub fn new(title: &str, x: &str, y: &str) -> Chart {
        Chart {
            title: title.into(),
            x: x.into(),
            y: y.into(),
            log_x: false,
            log_y: false,
            y_max: None,
            lines: Vec::new(),
        }
    }
}

/// A point of a line, with the band around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandPoint {
    /// position along the x axis
    pub x: f64,
    /// where the line passes
    pub y: f64,
    /// lower edge of the band
    pub low: f64,
    /// upper edge of the band
    pub high: f64,
}

impl BandPoint {
    /// A point without a band.
    pub fn new(x: f64, y: f64) -> BandPoint {
        BandPoint { x, y, low: y, high: y }
    }

    /// The mean of several values; the band goes from the lowest to the highest.
    pub fn of_values(x: f64, values: &[f64]) -> BandPoint {
        BandPoint {
            x,
            y: values.iter().sum::<f64>() / values.len() as f64,
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// A line with its band.
#[derive(Clone, Debug)]
pub struct PlotLine {
    /// text in the legend; what follows a line break is smaller
    pub label: String,
    /// colour and dash pattern
    pub style: Style,
    /// the points in the order of x
    pub points: Vec<BandPoint>,
    /// whether each point gets a mark
    pub marks: bool,
    /// whether a line connects the points
    pub joined: bool,
    /// x of each run or setting that diverged: a cross at the upper edge
    pub diverged: Vec<f64>,
}

impl PlotLine {
    /// A line without a band.
    pub fn new(
        label: &str,
        style: Style,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> PlotLine {
        PlotLine {
            label: label.into(),
            style,
            points: points.into_iter().map(|(x, y)| BandPoint::new(x, y)).collect(),
            marks: false,
            joined: true,
            diverged: Vec::new(),
        }
    }
}

/// A number above this multiple of the lowest one counts as exploded: a chart or heat map that
/// covers it would not resolve the others.
pub const EXPLODED: f64 = 1e4;

/// A heat map: a number for each pair of two settings.
#[derive(Clone, Debug)]
pub struct HeatMap {
    /// title above the map
    pub title: String,
    /// label below the columns
    pub x: String,
    /// labels of the columns
    pub columns: Vec<String>,
    /// labels of the rows, from the top
    pub rows: Vec<String>,
    /// row by row: infinite where a run diverged, `None` where a run is missing
    pub cells: Vec<Vec<Option<f64>>>,
}

/// A table on a page.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Table {
    /// title above the table
    pub title: String,
    /// titles of the columns
    pub head: Vec<String>,
    /// the cells; the first of each row is text, the numbers behind it are aligned to the right
    pub rows: Vec<Vec<String>>,
    /// note below the table
    pub note: String,
}

/// A mean with its standard deviation: `87.048 ± 0.032`. The deviation has two digits, and the
/// mean has no digit that the deviation makes meaningless.
pub fn with_spread(mean: f64, sd: f64) -> String {
    let plain = |x: f64| x == 0.0 || (1e-3..1e6).contains(&x.abs());
    if !(sd > 0.0 && sd.is_finite() && plain(mean) && mean.abs() / sd < 1e6) {
        return format!("{} ± {}", short(mean), short(sd));
    }
    let decimals = (1.0 - sd.log10().floor()).clamp(0.0, 6.0) as usize;
    if sd < 1e-4 {
        format!("{mean:.decimals$} ± {sd:.1e}")
    } else {
        format!("{mean:.decimals$} ± {sd:.decimals$}")
    }
}

/// A number in at most four digits.
pub fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    if (1e-3..1e5).contains(&rounded.abs()) { format!("{rounded}") } else { format!("{rounded:e}") }
}
