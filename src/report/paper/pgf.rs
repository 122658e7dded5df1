//! Figures as code of pgfplots. LaTeX sets the text in the font of the document.

use std::fmt::Write;

use super::latex;
use super::width::Width;
use crate::chart::{BandPoint, Chart, HeatMap, PlotLine, Style, short};
use crate::report::draw::{finite_points, heat_color, ranges};

/// A line with more points is thinned, because TeX has little memory.
const MOST_POINTS: usize = 400;
/// Dashes are this much shorter than on a page.
const DASH: f64 = 0.45;
/// The text of the figure, as [`Width`] says: 8 pt.
const FONT: &str = "\\fontsize{8}{9.5}\\selectfont";

/// A line chart; `None` if there is nothing to draw.
pub fn chart(chart: &Chart, width: Width) -> Option<String> {
    let (x, y) = ranges(chart)?;
    let mode =
        |name: &str, log: bool| if log { format!("{name}mode=log, ") } else { String::new() };
    let mut code = String::from("\\begin{tikzpicture}\n");
    for (i, line) in chart.lines.iter().enumerate() {
        code += &color(&format!("line{i}"), line.style);
    }
    let _ = write!(
        code,
        "\\begin{{axis}}[\n  width={:.4}in, height={:.4}in, scale only axis=false,\n  \
         font={FONT}, axis lines=left, axis line style={{-}}, clip mode=individual,\n  \
         {}{}xmin={}, xmax={}, ymin={}, ymax={},\n  xlabel={{{}}}, ylabel={{{}}},\n  \
         legend style={{at={{(0.5,1.03)}}, anchor=south, draw=none, fill=none, legend columns=2, \
         font={FONT}, /tikz/every even column/.append style={{column sep=6pt}}}},\n  \
         legend cell align=left,\n]\n",
        width.inches(),
        0.75 * width.inches(),
        mode("x", chart.log_x),
        mode("y", chart.log_y),
        x.start,
        x.end,
        y.start,
        y.end,
        latex::text(&chart.x),
        latex::text(&chart.y),
    );
    for (i, line) in chart.lines.iter().enumerate() {
        code += &band(i, line, (y.start, y.end));
    }
    for (i, line) in chart.lines.iter().enumerate() {
        code += &plot(i, line, chart, (y.start, y.end));
    }
    code += "\\end{axis}\n\\end{tikzpicture}\n";
    Some(code)
}

fn color(name: &str, style: Style) -> String {
    format!("\\definecolor{{{name}}}{{HTML}}{{{}}}\n", style.hex()[1..].to_uppercase())
}

/// The area of a band as a closed path.
fn band(i: usize, line: &PlotLine, (low, high): (f64, f64)) -> String {
    let points = thinned(finite_points(line).copied().collect());
    if !points.iter().any(|point| point.low < point.high) {
        return String::new();
    }
    let upper = points.iter().map(|point| (point.x, point.high.clamp(low, high)));
    let lower = points.iter().rev().map(|point| (point.x, point.low.clamp(low, high)));
    let path = coordinates(upper.chain(lower));
    format!(
        "\\addplot[draw=none, fill=line{i}, fill opacity=0.2, forget plot] coordinates {{{path}\n}} -- cycle;\n"
    )
}

fn plot(i: usize, line: &PlotLine, chart: &Chart, (low, high): (f64, f64)) -> String {
    let inside = |point: &&BandPoint| point.y >= low && point.y <= high;
    let points: Vec<BandPoint> = finite_points(line).filter(inside).copied().collect();
    let all = points.len();
    let points = thinned(points);
    let mut options = vec![format!("line{i}")];
    if line.joined {
        options.push("line width=0.8pt".into());
        options.extend(dashes(line.style));
    } else {
        options.push("only marks".into());
    }
    let mark = if line.marks || !line.joined { "mark=*, mark size=1.2pt" } else { "mark=none" };
    options.push(mark.into());
    let mut code = String::new();
    if points.len() < all {
        let _ = writeln!(code, "% {} of {all} points", points.len());
    }
    let path = coordinates(points.iter().map(|point| (point.x, point.y)));
    let text = latex::text(&label(line, chart));
    let _ = write!(
        code,
        "\\addplot[{}] coordinates {{{path}\n}};\n\\addlegendentry{{{text}}}\n",
        options.join(", ")
    );
    if !line.diverged.is_empty() {
        let crosses = coordinates(line.diverged.iter().map(|x| (*x, high)));
        let _ = writeln!(
            code,
            "\\addplot[line{i}, only marks, mark=x, mark size=2.5pt, forget plot] coordinates {{{crosses}\n}};"
        );
    }
    code
}

/// The first line of a label; all of it where another line has the same.
fn label(line: &PlotLine, chart: &Chart) -> String {
    let first = |line: &PlotLine| line.label.lines().next().unwrap_or_default().to_string();
    match chart.lines.iter().filter(|other| first(other) == first(line)).count() {
        1 => first(line),
        _ => line.label.replace('\n', ", "),
    }
}

fn dashes(style: Style) -> Option<String> {
    let parts = style.dashes().chunks(2).map(|pair| {
        let length = |at: usize| DASH * f64::from(pair.get(at).copied().unwrap_or(0));
        format!("on {:.2}pt off {:.2}pt", length(0), length(1))
    });
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| format!("dash pattern={}", parts.join(" ")))
}

/// Six pairs of numbers in a line, each with as many digits as a picture can show.
fn coordinates(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut text = String::new();
    for (i, (x, y)) in points.enumerate() {
        text += if i % 6 == 0 { "\n  " } else { " " };
        let digits = |v: f64| format!("{v:.6e}").parse::<f64>().unwrap_or(v);
        let _ = write!(text, "({:?},{:?})", digits(x), digits(y));
    }
    text
}

/// Of a long line, the lowest and the highest point of each of many pieces.
fn thinned(points: Vec<BandPoint>) -> Vec<BandPoint> {
    if points.len() <= MOST_POINTS {
        return points;
    }
    let size = points.len().div_ceil(MOST_POINTS / 2);
    let ends = |piece: &[BandPoint]| {
        let place = |is: fn(f64, f64) -> bool| {
            (0..piece.len()).reduce(|a, b| if is(piece[b].y, piece[a].y) { b } else { a })
        };
        let mut ends = [place(|b, a| b < a), place(|b, a| b > a)];
        ends.sort_unstable();
        ends.into_iter().flatten().map(|at| piece[at]).collect::<Vec<_>>()
    };
    points.chunks(size).flat_map(ends).collect()
}

/// A heat map, as rectangles of TikZ. Its cells get the width that the row labels leave.
pub fn heat_map(map: &HeatMap, width: Width) -> String {
    let scale = map.colors;
    let longest = map.rows.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    // a character of 8 pt is about 4 pt wide
    let labels = (4.0 * longest as f64 + 4.0).min(width.points() / 2.0);
    let (columns, rows) = (map.columns.len().max(1) as f64, map.rows.len() as f64);
    let cell = (width.points() - labels) / columns;
    let mut code =
        format!("\\begin{{tikzpicture}}[x={cell:.3}bp, y=-14bp, font={FONT}, inner sep=0pt]\n");
    for (i, (label, cells)) in map.rows.iter().zip(&map.cells).enumerate() {
        let middle = i as f64 + 0.5;
        let _ = writeln!(
            code,
            "\\node[anchor=east] at ({:.3},{middle}) {{{}}};",
            -3.0 / cell,
            latex::text(label)
        );
        for (j, value) in cells.iter().enumerate() {
            code += &heat_cell(*value, scale.share(*value), (j, i), cell);
        }
    }
    for (j, label) in map.columns.iter().enumerate() {
        let x = j as f64 + 0.5;
        let label = latex::text(label);
        let _ = writeln!(code, "\\node[anchor=north] at ({x},{:.3}) {{{label}}};", rows + 0.2);
    }
    let _ = writeln!(
        code,
        "\\node[anchor=north] at ({},{:.3}) {{{}}};\n\\end{{tikzpicture}}",
        columns / 2.0,
        rows + 1.0,
        latex::text(&map.x)
    );
    code
}

fn heat_cell(value: Option<f64>, share: f64, (x, y): (usize, usize), width: f64) -> String {
    let (fill, word) = match value {
        Some(v) if v.is_finite() => {
            let fill = heat_color(share);
            let two_digits: f64 = format!("{v:.1e}").parse().unwrap_or(v);
            ([fill.0, fill.1, fill.2], short(two_digits))
        }
        Some(_) => ([225; 3], "×".into()),
        None => return String::new(),
    };
    let [r, g, b] = fill;
    let ink = if share > 0.6 { "white" } else { "black" };
    // a digit of 8 pt is about 4 pt wide
    let word = if 4.2 * word.chars().count() as f64 > width { String::new() } else { word };
    format!(
        "\\fill[fill={{rgb,255:red,{r};green,{g};blue,{b}}}] ({x},{y}) rectangle +(0.97,0.97);\n\
         \\node[text={ink}] at ({},{}) {{{}}};\n",
        x as f64 + 0.5,
        y as f64 + 0.5,
        latex::text(&word)
    )
}
