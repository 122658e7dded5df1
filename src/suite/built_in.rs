//! The suites that come with the program. A new one is a file in `suites/` and a line here.

/// The suites that come with the program: their names and their files.
pub const BUILT_IN: &[(&str, &str)] = &[("laptop", include_str!("../../suites/laptop.toml"))];

/// The results of a suite that come with the program.
pub fn committed(suite: &str) -> Option<&'static str> {
    match suite {
        "laptop" => Some(include_str!("../../suites/laptop/suite.json")),
        _ => None,
    }
}
