//! Published curves to draw beside ours: the logs of DeepOBS.

const DEEPOBS: [(&str, &str); 2] = [
    ("quadratic_deep", include_str!("../../datasets/deepobs-quadratic/best_curves.csv")),
    ("fmnist_2c2d", include_str!("../../datasets/deepobs-fmnist-2c2d/best_curves.csv")),
];

/// Mean and standard deviation over ten seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishedPoint {
    /// the epoch
    pub epoch: f64,
    /// mean
    pub mean: f64,
    /// standard deviation
    pub sd: f64,
}

/// The curve of a problem and an optimizer, `fmnist_2c2d/AdamOptimizer`; empty if there is none, or
/// none of this measurement.
pub fn curve(name: &str, metric: &str) -> Vec<PublishedPoint> {
    let (problem, optimizer) = name.split_once('/').unwrap_or((name, ""));
    let table = DEEPOBS.iter().find(|(known, _)| *known == problem).map_or("", |(_, table)| table);
    let level = |row: csv::StringRecord| {
        let number = |at: usize| row.get(at)?.parse::<f64>().ok();
        let (epoch, mean, sd) = (number(1)?, number(3)?, number(4)?);
        // DeepOBS writes test_losses, and test_accuracies; the metric here is the error rate
        let mean = match (row.get(2)?, metric) {
            ("test_losses", "test_loss") | ("train_losses", "train_loss") => mean,
            ("test_accuracies", "test_error") => 1.0 - mean,
            _ => return None,
        };
        (row.get(0)? == optimizer).then_some(PublishedPoint { epoch, mean, sd })
    };
    csv::Reader::from_reader(table.as_bytes()).into_records().flatten().filter_map(level).collect()
}
