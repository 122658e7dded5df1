//! Intervals of claims as a forest plot: one SVG for each row, all with zero in the middle.

use crate::chart::short;

/// Width and height of a row, in points.
const SIZE: (f64, f64) = (240.0, 22.0);
/// Space at both ends, in points.
const MARGIN: f64 = 10.0;

/// A margin with its 95 % interval.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// the margin; above zero it supports the claim
    pub estimate: f64,
    /// lower end
    pub low: f64,
    /// upper end
    pub high: f64,
}

/// The scale of the rows of one plot.
pub struct Forest {
    /// the margin at both ends of the axis
    reach: f64,
}

impl Forest {
    /// A scale that covers all rows.
    pub fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Forest {
        let ends = rows.flat_map(|row| [row.low.abs(), row.high.abs(), row.estimate.abs()]);
        let reach = ends.filter(|end| end.is_finite()).fold(0.0, f64::max);
        Forest { reach: if reach > 0.0 { reach } else { 1.0 } }
    }

    fn x(&self, margin: f64) -> f64 {
        let half = SIZE.0 / 2.0;
        half + (margin / self.reach).clamp(-1.0, 1.0) * (half - MARGIN)
    }

    /// A row: the interval as a line, the estimate as a dot, and the line of zero.
    pub fn interval(&self, row: Row) -> String {
        let (width, height) = SIZE;
        let [low, estimate, high] = [row.low, row.estimate, row.high].map(|it| self.x(it));
        let middle = height / 2.0;
        let (zero, top, bottom) = (width / 2.0, middle - 5.0, middle + 5.0);
        format!(
            "<svg class=\"forest\" role=\"img\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\"><title>margin {}, 95 % interval from {} to {}</title>\
             <path class=\"zero\" d=\"M{zero} 0V{height}\"/>\
             <path class=\"bar\" d=\"M{low:.1} {middle}H{high:.1}M{low:.1} {top}V{bottom}M{high:.1} \
             {top}V{bottom}\"/><circle cx=\"{estimate:.1}\" cy=\"{middle}\" r=\"4\"/></svg>",
            short(row.estimate),
            short(row.low),
            short(row.high)
        )
    }

    /// The axis below the rows.
    pub fn axis(&self) -> String {
        let (width, height) = SIZE;
        let label = |x: f64, anchor: &str, text: &str| {
            format!("<text x=\"{x}\" y=\"16\" text-anchor=\"{anchor}\">{text}</text>")
        };
        let end = short(self.reach);
        let labels = [
            label(MARGIN, "start", &format!("−{end}")),
            label(width / 2.0, "middle", "0"),
            label(width - MARGIN, "end", &format!("+{end}")),
        ];
        format!(
            "<svg class=\"forest\" role=\"img\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\"><title>margin from −{end} to +{end}</title>\
             <path class=\"zero\" d=\"M{MARGIN} 1H{}\"/>{}</svg>",
            width - MARGIN,
            labels.concat()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rows_have_zero_in_the_middle_and_one_scale() {
        let rows = [
            Row { estimate: 1.0, low: -1.0, high: 3.0 },
            Row { estimate: -0.5, low: -4.0, high: 3.0 },
        ];
        let forest = Forest::of(rows.iter());
        assert_eq!([forest.x(0.0), forest.x(4.0), forest.x(-4.0)], [120.0, 230.0, 10.0]);
        let svg = forest.interval(rows[0]);
        assert!(svg.contains("M92.5 11H202.5"), "{svg}");
        assert!(svg.contains("cx=\"147.5\""), "{svg}");
        assert!(forest.axis().contains("+4"));
    }
}
