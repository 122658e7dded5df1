//! The command that repeats the runs of a report.

use crate::data;
use crate::experiment::{BUILT_IN, Experiment, Scale};
use crate::record::Run;
use crate::text::shell_word;

/// The command with this number of graded seeds; `None` if the record does not say enough.
pub fn command(
    experiment: Option<&Experiment>,
    scale: Option<Scale>,
    runs: &[Run],
    seeds: usize,
) -> Option<String> {
    match experiment {
        None => training_command(runs),
        Some(Experiment { command: Some(command), .. }) => Some(command.clone()),
        Some(experiment) => Some(run_command(experiment, scale, runs, seeds)),
    }
}

/// `downhill run`.
fn run_command(
    experiment: &Experiment,
    scale: Option<Scale>,
    runs: &[Run],
    seeds: usize,
) -> String {
    let built_in = BUILT_IN.iter().any(|(name, _)| *name == experiment.name);
    let name = if built_in { experiment.name.as_str() } else { "FILE.toml" };
    let mut command = format!("downhill run {name}");
    if let Some(scale) = scale {
        command += &format!(" --scale {}", scale.name());
    }
    if let Some(run) = runs.first() {
        if let Some(data) = run.header.task.data() {
            command += &format!(" --data {} --device {}", shell_word(data), run.header.device);
        }
        command += &format!(" --seeds {seeds}");
    }
    command
}

/// `downhill train`, for a single run whose task that command can repeat.
fn training_command(runs: &[Run]) -> Option<String> {
    let [Run { header, .. }] = runs else { return None };
    let mut options = header.task.training_command()?;
    options.extend([
        ("optimizer", header.optimizer.clone()),
        ("schedule", header.schedule.clone()),
        ("epochs", header.epochs.to_string()),
        ("seed", header.seed.to_string()),
        ("device", header.device.clone()),
    ]);
    let options =
        options.iter().map(|(option, value)| format!(" --{option} {}", shell_word(value)));
    Some(format!("downhill train{}", options.collect::<String>()))
}

/// The name of the data in the command if the user has to provide them: they are neither bundled
/// nor can `downhill fetch` download them. A command with their path needs no help.
pub fn own_data<'a>(command: Option<&str>, runs: &'a [Run]) -> Option<&'a str> {
    let name = runs.first()?.header.task.data_name()?;
    let is_named = |word: &str| word.trim_matches('"').split('|').next() == Some(name);
    // a name with a dot is the path of a file
    if name.contains('.') || !command?.split(' ').any(is_named) {
        return None;
    }
    let bundled = data::BUNDLED.iter().any(|bundled| bundled.name == name)
        || data::corpus::check_name(name).is_ok();
    (!bundled && data::known::known(name).is_none()).then_some(name)
}
