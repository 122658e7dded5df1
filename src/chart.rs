//! What a chart, a heat map or a table shows, as plain data. `report/draw/` draws it.

/// The colours of lines. Each has a contrast of at least 3 : 1 against white. The first twelve
/// belong to the optimizers, in the order of their table. They were searched for large distances
/// in OKLab, also as people with protanopia and deuteranopia see them. The last four are for lines
/// that are no optimizer.
pub const PALETTE: [(u8, u8, u8); 16] = [
    (0, 84, 181),
    (194, 75, 25),
    (0, 147, 138),
    (239, 86, 186),
    (170, 147, 0),
    (33, 143, 255),
    (0, 0, 0),
    (115, 15, 26),
    (122, 13, 254),
    (172, 16, 148),
    (99, 99, 99),
    (103, 76, 0),
    (51, 34, 136),
    (136, 34, 85),
    (34, 136, 51),
    (119, 119, 119),
];
/// The same colours on [`DARK`], also with a contrast of at least 3 : 1: about the same hues,
/// lighter, and again far from each other in OKLab.
pub const DARK_PALETTE: [(u8, u8, u8); 16] = [
    (89, 118, 255),
    (255, 163, 92),
    (2, 255, 201),
    (254, 1, 167),
    (163, 161, 4),
    (36, 184, 254),
    (240, 240, 240),
    (255, 92, 82),
    (186, 74, 254),
    (254, 151, 221),
    (130, 130, 130),
    (246, 201, 27),
    (174, 144, 255),
    (202, 97, 138),
    (60, 220, 53),
    (172, 172, 172),
];
/// The background of a page in dark mode, as in `report/page.css`.
pub const DARK: (u8, u8, u8) = (22, 24, 29);
/// How many colours of the palette belong to optimizers.
const OPTIMIZER_COLORS: usize = 12;
/// How many optimizers have solid lines.
const SOLID: usize = 8;
/// The colours of the optimizers behind them: first the four colours that are left. The others are
/// shared with an optimizer that is rarely in the same figure.
const LATER_COLORS: [usize; OPTIMIZER_COLORS] = [8, 9, 10, 11, 2, 4, 6, 1, 7, 5, 3, 0];

/// Dash patterns: lengths of dashes and gaps in points.
pub const DASHES: [&[u32]; 4] = [&[], &[7, 4], &[2, 3], &[9, 3, 2, 3]];

/// How many shapes the marks on lines have: circle, square, triangle, diamond, triangle upside down.
pub const MARKS: usize = 5;

/// How many different styles [`Style::nth`] has: one round of solid lines, and one of each further
/// dash pattern.
pub const OPTIMIZER_STYLES: usize = SOLID + OPTIMIZER_COLORS * (DASHES.len() - 1);
/// How many different styles [`Style::other`] has.
pub const OTHER_STYLES: usize = (PALETTE.len() - OPTIMIZER_COLORS) * DASHES.len();

/// Colour and dash pattern of a line. An optimizer has the same style on every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// index into [`PALETTE`]
    pub color: usize,
    /// index into [`DASHES`]
    pub dash: usize,
}

impl Style {
    /// The style of the n-th optimizer of the table. The first eight have solid lines in colours of
    /// their own. Each further twelve have the next dash pattern, so a line that covers another one
    /// leaves it visible.
    pub fn nth(n: usize) -> Style {
        let Some(later) = n.checked_sub(SOLID) else { return Style { color: n, dash: 0 } };
        let (round, place) = (later / OPTIMIZER_COLORS, later % OPTIMIZER_COLORS);
        Style { color: LATER_COLORS[place], dash: (1 + round) % DASHES.len() }
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

    /// The colour on a dark page.
    pub fn dark_hex(self) -> String {
        let (r, g, b) = DARK_PALETTE[self.color];
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// The shape of the marks on the line, below [`MARKS`]. Where lines cover each other, each one
    /// shows by its marks.
    pub fn mark(self) -> usize {
        (self.color + self.dash) % MARKS
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
    /// the ticks of the x axis; empty: round numbers
    pub x_ticks: Vec<f64>,
    /// what line and band are, below the chart
    pub caption: String,
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
            x_ticks: Vec::new(),
            caption: String::new(),
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

    /// The mean of several values; the band is one standard deviation wide on each side, as in the
    /// tables.
    pub fn of_values(x: f64, values: &[f64]) -> BandPoint {
        let n = values.len() as f64;
        let y = values.iter().sum::<f64>() / n;
        let squares = values.iter().map(|value| (value - y).powi(2)).sum::<f64>();
        let half = if n > 1.0 { (squares / (n - 1.0)).sqrt() } else { 0.0 };
        BandPoint { x, y, low: y - half, high: y + half }
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

/// A larger number is not drawn: an axis that reaches it would not resolve any other, and the
/// distance of two such numbers may not be finite.
pub const LARGEST: f64 = 1e100;

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
    /// row and column of the best cell, or of the best one of each row if rows are series
    pub best: Vec<(usize, usize)>,
    /// how the numbers become colours
    pub colors: ColorRange,
    /// what the numbers are
    pub caption: String,
}

/// The numbers between which the colours of heat maps change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColorRange {
    /// the lowest number
    pub low: f64,
    /// the highest number that has not exploded
    pub high: f64,
    /// whether colours follow the logarithms, where numbers differ by more than a factor of 3
    pub logarithmic: bool,
    /// whether numbers above `high` share its colour
    pub capped: bool,
}

impl ColorRange {
    /// The range of all these numbers. One that exploded would make all others pale.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> ColorRange {
        let finite = || values.clone().filter(|v| v.is_finite());
        let low = finite().fold(f64::INFINITY, f64::min);
        let exploded = |v: f64| low > 0.0 && v > EXPLODED * low;
        let high = finite().filter(|v| !exploded(*v)).fold(f64::NEG_INFINITY, f64::max);
        let capped = finite().any(exploded);
        ColorRange { low, high, logarithmic: low > 0.0 && high > 3.0 * low, capped }
    }

    /// Where a number is between the lowest (0) and the highest (1).
    pub fn share(&self, value: Option<f64>) -> f64 {
        let Some(value) = value.filter(|v| v.is_finite() && self.high > self.low) else {
            return 0.0;
        };
        let position = |v: f64| if self.logarithmic { v.ln() } else { v };
        let (low, high) = (position(self.low), position(self.high));
        ((position(value) - low) / (high - low)).min(1.0)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::Optimizers;

    /// Contrast of two colours, as WCAG 2 defines it.
    fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
        let linear = |channel: u8| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |(r, g, b): (u8, u8, u8)| {
            0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) + 0.05
        };
        let (a, b) = (luminance(a), luminance(b));
        a.max(b) / a.min(b)
    }

    #[test]
    fn every_line_colour_has_a_contrast_of_3_against_its_background() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 1e-9);
        for (palette, background) in [(PALETTE, (255, 255, 255)), (DARK_PALETTE, DARK)] {
            for color in palette {
                let found = contrast(color, background);
                assert!(found >= 3.0, "{color:?} on {background:?}: {found}");
            }
        }
    }

    #[test]
    fn the_dark_background_is_that_of_the_page() {
        let (r, g, b) = DARK;
        let hex = format!("--background: #{r:02x}{g:02x}{b:02x}");
        assert!(include_str!("report/page.css").contains(&hex), "{hex}");
    }

    #[test]
    fn an_exploded_number_does_not_stretch_the_colours() {
        let range = ColorRange::of([0.1, 0.2, 5e4, f64::INFINITY].into_iter());
        assert_eq!((range.low, range.high, range.capped), (0.1, 0.2, true));
        assert_eq!(range.share(Some(5e4)), 1.0);
        assert!(!ColorRange::of([0.1, 0.2].into_iter()).capped);
    }

    #[test]
    fn no_two_optimizers_have_the_same_style() {
        let styles: Vec<Style> = (0..OPTIMIZER_STYLES).map(Style::nth).collect();
        for (n, style) in styles.iter().enumerate() {
            assert!(!styles[..n].contains(style), "{n}: {style:?}");
        }
    }

    #[test]
    fn optimizers_that_are_often_compared_have_different_colours() {
        let optimizers = Optimizers::default();
        let color = |name| Style::nth(optimizers.place(name).unwrap()).color;
        let compared = [
            vec!["sgd", "momentum", "nag", "adagrad", "rmsprop", "adadelta", "adam", "nadam"],
            vec!["sgd", "momentum", "adam", "amsgrad", "adamw", "nadam", "radam", "adamax"],
            vec!["sgd", "momentum", "adam", "adamw", "lion", "adabelief", "adopt"],
            vec!["sgd", "momentum", "adagrad", "adam", "lazy_adam"],
            vec!["sgd", "momentum", "adam", "newton", "lbfgs"],
        ];
        for names in compared {
            for (i, name) in names.iter().enumerate() {
                for other in &names[..i] {
                    assert_ne!(color(name), color(other), "{name} and {other}");
                }
            }
        }
    }
}
