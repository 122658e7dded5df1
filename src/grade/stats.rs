//! Mean, standard deviation, and the confidence interval of a mean.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The mean; NaN of nothing.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample standard deviation; `None` for fewer than two values.
pub fn standard_deviation(values: &[f64]) -> Option<f64> {
    let center = mean(values);
    let squares = values.iter().map(|x| (x - center).powi(2)).sum::<f64>();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// Half of the 95 % confidence interval of the mean, by Student's t; `None` for fewer than two
/// values.
pub fn half_width(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let t = StudentsT::new(0.0, 1.0, n - 1.0).ok()?.inverse_cdf(0.975);
    standard_deviation(values).map(|deviation| t * deviation / n.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of Student's t as tables print them.
    #[test]
    fn the_interval_uses_students_t_for_any_number_of_values() {
        for (n, t) in [(2, 12.706), (3, 4.303), (11, 2.228), (31, 2.042), (32, 2.040), (121, 1.980)]
        {
            let values: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
            let expected = t * standard_deviation(&values).unwrap() / (n as f64).sqrt();
            let found = half_width(&values).unwrap();
            assert!((found / expected - 1.0).abs() < 3e-4, "{n}: {found} and {expected}");
        }
        assert_eq!(half_width(&[1.0]), None);
    }
}
