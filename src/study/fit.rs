//! Means, fitted exponents, and the choice of the steps to draw from a long run.

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The exponent of x in y: the slope of log y against log x, by least squares.
pub(super) fn exponent(points: &[(f64, f64)]) -> f64 {
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().map(|(x, y)| (x.ln(), y.ln())).unzip();
    let (mean_x, mean_y) = (mean(&x), mean(&y));
    let products = x.iter().zip(&y).map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>();
    products / x.iter().map(|x| (x - mean_x).powi(2)).sum::<f64>()
}

/// Chooses the steps that are drawn on a logarithmic axis: about 33 for each power of ten.
pub(super) struct DrawnSteps {
    next: f64,
}

impl DrawnSteps {
    /// Starts with step 1, which is drawn.
    pub fn new() -> DrawnSteps {
        DrawnSteps { next: 1.0 }
    }

    /// Whether step `t` is drawn. It has to be called for each step, in order.
    pub fn contains(&mut self, t: usize) -> bool {
        let drawn = t as f64 >= self.next;
        if drawn {
            self.next = (t as f64 + 1.0).max(self.next * 1.07);
        }
        drawn
    }
}
