//! Scripts that make the runs of an experiment on a cluster, with Slurm or with HyperQueue. They use
//! only the command: `downhill plan` lists the missing runs, `downhill run --only` makes one,
//! `downhill report` grades them.

use std::path::{Path, PathBuf};

use minijinja::{Environment, context, syntax::SyntaxConfig};

use crate::error::{Error, Result};
use crate::files::place;
use crate::text::shell_word;

/// The largest number of tasks of an array. Slurm's own limit is 1001 unless it was raised. If there
/// are more runs, a task makes several.
const MOST_TASKS: usize = 1000;

/// The shortest time limit in seconds. Slurm sends the signal up to two minutes before the end.
const SHORTEST: u64 = 180;

/// The Python package with which `runs.py` is tested, as `pip install` expects it.
pub const HYPERQUEUE: &str = "hyperqueue==0.27.0";

/// The runs of an experiment, and how a cluster should make them.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// the name of the experiment
    pub name: String,
    /// the path of the command `downhill`
    pub program: String,
    /// the folder in which the commands are run, so that relative paths stay valid
    pub start: PathBuf,
    /// the arguments of `run` and of `plan`: experiment, scale, data, folder of the results
    pub arguments: Vec<String>,
    /// the arguments of `report`
    pub report: Vec<String>,
    /// the folder of the results, as an absolute path
    pub folder: PathBuf,
    /// the keys of the missing runs of the first stage
    pub settings: Vec<String>,
    /// the largest number of runs of the second stage
    pub seeds: usize,
    /// the largest number of tasks at the same time
    pub at_once: Option<usize>,
    /// the time limit of a task, `HH:MM:SS`
    pub time: Option<String>,
    /// cores of each run
    pub cpus: usize,
    /// further options of `sbatch`, such as `--partition=long`
    pub sbatch: Vec<String>,
}

impl Cluster {
    /// Checks what `sbatch` would misread.
    ///
    /// # Errors
    /// On a time limit that is none or too short, or an option that is none.
    pub fn check(&self) -> Result<()> {
        self.time.as_deref().map_or(Ok(()), check_time)?;
        self.sbatch.iter().try_for_each(|option| check_option(option))
    }

    /// Writes `slurm/` in the folder of the results: a job script, a script that submits it, and the
    /// keys of the runs. Returns the script that submits.
    ///
    /// # Errors
    /// As [`check`](Cluster::check), or on a disk that cannot be written.
    pub fn write_slurm(&self) -> Result<PathBuf> {
        self.check()?;
        let folder = self.folder.join("slurm");
        let job = self.render("job.sh", include_str!("cluster/job.sh"))?;
        let submit = self.render("submit.sh", include_str!("cluster/submit.sh"))?;
        let keys: String = self.settings.iter().map(|key| format!("{key}\n")).collect();
        place(&folder.join("settings.keys"), keys.as_bytes())?;
        place(&folder.join("job.sh"), job.as_bytes())?;
        let path = folder.join("submit.sh");
        place(&path, submit.as_bytes())?;
        Ok(path)
    }

    /// Writes `hyperqueue/runs.py` in the folder of the results, and returns its path. It is not
    /// called `hyperqueue.py`, since Python would import it in place of the package.
    ///
    /// # Errors
    /// On a disk that cannot be written.
    pub fn write_hyperqueue(&self) -> Result<PathBuf> {
        let path = self.folder.join("hyperqueue").join("runs.py");
        let runs = self.render("runs.py", include_str!("cluster/runs.py"))?;
        place(&path, runs.as_bytes())?;
        Ok(path)
    }

    fn render(&self, name: &'static str, template: &'static str) -> Result<String> {
        let failed = Error::failed(format!("write {name}"));
        let mut syntax = SyntaxConfig::builder();
        syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
        let mut templates = Environment::new();
        templates.set_syntax(syntax.build().map_err(&failed)?);
        templates.add_filter("word", |text: String| shell_word(&text));
        templates.add_filter("words", |words: Vec<String>| {
            words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
        });
        // a JSON string or list is also one of Python
        templates.add_filter("python", |value: minijinja::Value| {
            serde_json::to_string(&value).map_err(|error| {
                minijinja::Error::new(minijinja::ErrorKind::BadSerialization, error.to_string())
            })
        });
        let at_once = self.at_once.map_or(String::new(), |tasks| format!("%{tasks}"));
        let Cluster { name: experiment, program, arguments, report, time, sbatch, cpus, .. } =
            self.clone();
        let values = context! {
            name => experiment, package => HYPERQUEUE, program, arguments, report, folder => utf8(&self.folder)?, cpus,
            start => utf8(&self.start)?,
            page => utf8(&self.folder.join("index.html"))?, time, sbatch, at_once, settings => self.settings.len().min(MOST_TASKS),
            seeds => self.seeds.min(MOST_TASKS),
        };
        templates.render_named_str(name, template, values).map_err(&failed)
    }
}

/// The path as text. The scripts cannot contain another one.
pub fn utf8(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::content(path, "a path that is not UTF-8", "a UTF-8 path"))
}

fn check_time(time: &str) -> Result<()> {
    // digits only, since `parse` accepts a sign
    let number =
        |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?;
    let parts: Option<Vec<u32>> = time.split(':').map(number).collect();
    let seconds = match parts.as_deref() {
        Some(&[hours, minutes @ 0..60, seconds @ 0..60]) => {
            u64::from(hours) * 3600 + u64::from(minutes * 60 + seconds)
        }
        _ => return Err(Error::value("--time", time, "HH:MM:SS")),
    };
    if seconds < SHORTEST {
        let expected = "at least 00:03:00, since Slurm sends its signal one or two minutes before";
        return Err(Error::value("--time", time, expected));
    }
    Ok(())
}

/// An option of `sbatch` is a line of the script. A second line would be a command.
fn check_option(option: &str) -> Result<()> {
    match option.starts_with('-') && !option.contains(char::is_control) {
        true => Ok(()),
        false => {
            let found = format!("{option:?}");
            Err(Error::value("--sbatch", found, "an option of sbatch, such as --partition=long"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn cluster(folder: &Path) -> Cluster {
        Cluster {
            name: "digits".into(),
            program: "/opt/my tools/downhill".into(),
            start: "/home/me".into(),
            arguments: ["/home/me/it's.toml", "--scale", "paper"].map(String::from).to_vec(),
            report: vec!["/data/$results".into()],
            folder: folder.into(),
            settings: vec!["0123456789ab".into(), "ba9876543210".into()],
            seeds: 6,
            at_once: Some(4),
            time: Some("01:30:00".into()),
            cpus: 2,
            sbatch: vec!["--partition=long".into()],
        }
    }

    fn slurm(cluster: &Cluster) -> (String, String) {
        let submit = cluster.write_slurm().unwrap();
        let job = fs::read_to_string(submit.with_file_name("job.sh")).unwrap();
        (fs::read_to_string(submit).unwrap(), job)
    }

    #[test]
    fn the_arrays_have_a_task_for_each_run() {
        let folder = tempfile::tempdir().unwrap();
        let (submit, job) = slurm(&cluster(folder.path()));
        assert!(submit.contains("--array=1-2%4 "), "{submit}");
        assert!(submit.contains("--array=1-6%4 "), "{submit}");
        for line in ["--time=01:30:00", "--cpus-per-task=2", "--partition=long"] {
            assert!(job.contains(&format!("\n#SBATCH {line}\n")), "{job}");
        }
        let keys = fs::read_to_string(folder.path().join("slurm/settings.keys")).unwrap();
        assert_eq!(keys, "0123456789ab\nba9876543210\n");
    }

    #[test]
    fn a_stage_without_runs_has_no_array() {
        let folder = tempfile::tempdir().unwrap();
        let all = cluster(folder.path());
        let (submit, _) = slurm(&Cluster { settings: Vec::new(), ..all.clone() });
        assert!(!submit.contains("job.sh settings") && submit.contains("job.sh seeds 6"));
        let (submit, _) = slurm(&Cluster { seeds: 0, ..all.clone() });
        assert!(submit.contains("job.sh settings 2") && !submit.contains("job.sh seeds"));
        let many = Cluster { seeds: 5000, at_once: None, time: None, ..all };
        let (submit, job) = slurm(&many);
        assert!(submit.contains("--array=1-1000 "), "{submit}");
        assert!(!job.contains("--time"), "{job}");
    }

    #[test]
    fn words_are_quoted_for_the_shell_and_for_python() {
        let folder = tempfile::tempdir().unwrap();
        let all = cluster(folder.path());
        let (_, job) = slurm(&all);
        assert!(job.contains("\ndownhill=\"/opt/my tools/downhill\"\n"), "{job}");
        assert!(job.contains("\narguments=(\"/home/me/it's.toml\" --scale paper)\n"), "{job}");
        assert!(job.contains("report '/data/$results' "), "{job}");
        let runs = fs::read_to_string(all.write_hyperqueue().unwrap()).unwrap();
        let arguments = r#"ARGUMENTS = ["/home/me/it's.toml","--scale","paper"]"#;
        assert!(runs.contains(&format!("\n{arguments}\n")), "{runs}");
    }

    #[test]
    fn what_sbatch_would_misread_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let all = cluster(folder.path());
        let error = |cluster: Cluster| cluster.write_slurm().unwrap_err().to_string();
        for (time, expected) in [
            ("90", "--time: found 90, expected HH:MM:SS"),
            ("01:60:00", "--time: found 01:60:00, expected HH:MM:SS"),
            ("+1:00:00", "--time: found +1:00:00, expected HH:MM:SS"),
            ("99999999999:00:00", "--time: found 99999999999:00:00, expected HH:MM:SS"),
            ("00:02:59", "--time: found 00:02:59, expected at least 00:03:00"),
        ] {
            let found = error(Cluster { time: Some(time.into()), ..all.clone() });
            assert!(found.starts_with(expected), "{found}");
        }
        for option in ["long", "--comment=a\nrm -r x"] {
            let found = error(Cluster { sbatch: vec![option.into()], ..all.clone() });
            assert!(found.starts_with("--sbatch: found "), "{found}");
        }
        assert!(!folder.path().join("slurm").exists(), "nothing half written");
    }
}
