//! What a step of each optimizer costs, as measured by `cargo bench --bench cost`.

/// Comments that say how it was measured, and a line `NAME BYTES RATIO` for each optimizer.
const TABLE: &str = include_str!("cost.txt");

/// The measured cost of an optimizer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// bytes of state for each parameter
    pub bytes: f64,
    /// the time of a step, relative to Adam's
    pub time: f64,
}

/// The cost of an optimizer of this crate; `None` if it was not measured, as for those that
/// evaluate the loss themselves.
pub fn cost(name: &str) -> Option<Cost> {
    let line = TABLE.lines().find(|line| line.split(' ').next() == Some(name))?;
    let mut numbers = line.split(' ').skip(1).map_while(|number| number.parse().ok());
    Some(Cost { bytes: numbers.next()?, time: numbers.next()? })
}

/// The command, the machine, the model and the date of the measurement.
pub fn cost_measured() -> &'static str {
    TABLE.lines().next().unwrap_or_default().trim_start_matches("# ")
}
