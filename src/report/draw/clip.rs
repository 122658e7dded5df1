//! Lines clipped to a window.

/// The part of the line from `a` to `b` that is inside the window (x from, x to, y from, y to),
/// after Liang and Barsky.
pub fn clip(
    [left, right, low, high]: [f64; 4],
    a: [f64; 2],
    b: [f64; 2],
) -> Option<([f64; 2], [f64; 2])> {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let (mut enters, mut leaves) = (0.0f64, 1.0f64);
    let edges = [(-dx, a[0] - left), (dx, right - a[0]), (-dy, a[1] - low), (dy, high - a[1])];
    for (towards_edge, distance) in edges {
        match towards_edge {
            0.0 if distance < 0.0 => return None,
            0.0 => {}
            v if v < 0.0 => enters = enters.max(distance / v),
            v => leaves = leaves.min(distance / v),
        }
    }
    let start = if enters == 0.0 || enters == 1.0 { a } else { at(a, [dx, dy], enters) };
    let end = if leaves == 0.0 || leaves == 1.0 { b } else { at(a, [dx, dy], leaves) };
    // `enters > leaves` would let NaN pass
    (enters <= leaves).then_some((start, end))
}

fn at(a: [f64; 2], [dx, dy]: [f64; 2], share: f64) -> [f64; 2] {
    [a[0] + share * dx, a[1] + share * dy]
}

#[cfg(test)]
mod tests {
    use super::clip;

    const WINDOW: [f64; 4] = [0.0, 2.0, 0.0, 1.0];

    #[test]
    fn a_line_inside_the_window_keeps_its_ends() {
        let (a, b) = ([0.1, 0.2], [1.9, 0.7]);
        assert_eq!(clip(WINDOW, a, b), Some((a, b)));
    }

    #[test]
    fn a_line_that_crosses_the_window_is_cut_at_its_edges() {
        assert_eq!(clip(WINDOW, [-1.0, 0.5], [3.0, 0.5]), Some(([0.0, 0.5], [2.0, 0.5])));
        assert_eq!(clip(WINDOW, [1.0, 0.5], [1.0, 2.5]), Some(([1.0, 0.5], [1.0, 1.0])));
    }

    #[test]
    fn a_line_outside_the_window_has_no_visible_part() {
        assert_eq!(clip(WINDOW, [-1.0, 2.0], [3.0, 2.0]), None);
        assert_eq!(clip(WINDOW, [-1.0, 0.0], [0.0, 2.0]), None);
        assert_eq!(clip(WINDOW, [3.0, 0.5], [3.0, 0.5]), None);
    }
}
