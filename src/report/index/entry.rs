//! An experiment on the page over all experiments.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::chart::short;
use crate::error::Result;
use crate::experiment;
use crate::files::{MAX_TEXT, read_text};
use crate::grade::mean;
use crate::optim::Optimizers;
use crate::report::build::Report;
use crate::report::read::read;

/// The verdicts in the order in which they are counted.
const VERDICTS: [&str; 5] = ["HELD", "NOT HELD", "UNDECIDED", "PASS", "FAIL"];

/// An experiment, or a training.
#[derive(Serialize)]
pub struct Entry {
    /// path below the folder of the index
    pub folder: String,
    /// name of the experiment
    pub name: String,
    title: String,
    /// address of its page, and of a picture
    link: String,
    picture: Option<String>,
    counts: Vec<Count>,
    /// how it was made: scale, data, seeds
    made: String,
    /// what the values of the series are
    pub metric: String,
    pub series: Vec<SeriesResult>,
}

/// How many claims have a verdict.
#[derive(Clone, Serialize)]
pub struct Count {
    pub verdict: &'static str,
    pub number: usize,
}

/// The result of a series.
#[derive(Serialize)]
pub struct SeriesResult {
    pub label: String,
    /// the optimizer of its pipeline
    pub optimizer: String,
    /// mean of the final value of the metric; infinite if a run diverged
    #[serde(skip)]
    pub mean: Option<f64>,
    pub value: String,
    /// its place among the series with a value
    pub rank: Option<usize>,
    /// the verdicts on the claims that name it
    pub counts: Vec<Count>,
}

/// Reads a result folder. A study has no records, so its verdicts are those of its report.
pub fn entry(folder: &Path, relative: &str, optimizers: &Optimizers) -> Result<Entry> {
    let toml = folder.join("experiment.toml");
    if toml.is_file() {
        let (experiment, _) = experiment::load_file(&toml, optimizers)?;
        if experiment.task.study().is_some() {
            let counts = counts(written_verdicts(folder)?.iter().map(String::as_str));
            let entry = empty(folder, relative, experiment.name.clone(), experiment.title);
            return Ok(Entry { counts, made: "study".into(), ..entry });
        }
    }
    let (experiment, runs) = read(&[PathBuf::from(folder)], optimizers)?;
    let report = Report::mixing_processors(experiment, runs, optimizers)?;
    Ok(of_report(folder, relative, &report))
}

fn of_report(folder: &Path, relative: &str, report: &Report) -> Entry {
    let header = &report.runs[0].header;
    let (name, title) = match &report.experiment {
        Some(experiment) => (experiment.name.clone(), experiment.title.clone()),
        None => (header.experiment.clone(), header.task.title()),
    };
    let verdicts = report.verdicts.iter().map(|claim| claim.verdict.to_string());
    let verdicts: Vec<String> = verdicts.collect();
    let parts = [header.scale.as_str(), header.task.data().unwrap_or_default()];
    let made: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let measures = header.task.columns();
    let metric = report.experiment.as_ref().map(|experiment| experiment.metric.name.as_str());
    let place = metric.and_then(|metric| measures.iter().position(|it| it.name == metric));
    Entry {
        counts: counts(verdicts.iter().map(String::as_str)),
        made: made.join(", "),
        metric: measures[place.unwrap_or(0)].title.into(),
        series: series(report, place.unwrap_or(0)),
        ..empty(folder, relative, name, title)
    }
}

fn empty(folder: &Path, relative: &str, name: String, title: String) -> Entry {
    let page = ["index.html", "report.md"].into_iter().find(|file| folder.join(file).is_file());
    let picture = picture(folder).map(|file| format!("{relative}/{file}"));
    Entry {
        folder: relative.into(),
        name,
        title,
        link: encoded(&format!("{relative}/{}", page.unwrap_or_default())),
        picture: picture.map(|path| encoded(&path)),
        counts: Vec::new(),
        made: String::new(),
        metric: String::new(),
        series: Vec::new(),
    }
}

/// The first picture of the report, as SVG where there is one.
fn picture(folder: &Path) -> Option<String> {
    let report = read_text(&folder.join("report.md"), MAX_TEXT).ok()?;
    let pictures = report.lines().filter_map(|line| line.strip_prefix("![")?.split_once("]("));
    let mut files = pictures.filter_map(|(_, rest)| rest.strip_suffix(')'));
    let is_plain = |file: &&str| !file.contains(['/', '\\', ':']) && folder.join(file).is_file();
    // the first frame of an animation has no paths yet
    let still = |file| if file == "animation.gif" { "contour.png" } else { file };
    let file = files.by_ref().map(still).find(is_plain)?;
    let svg = format!("{}.svg", file.rsplit_once('.')?.0);
    Some(if folder.join(&svg).is_file() { svg } else { file.into() })
}

/// The verdicts in the first column of the report of a study.
fn written_verdicts(folder: &Path) -> Result<Vec<String>> {
    let report = read_text(&folder.join("report.md"), MAX_TEXT)?;
    let cells = report.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | \""));
    Ok(cells.map(|(verdict, _)| verdict.to_string()).collect())
}

fn counts<'a>(verdicts: impl Iterator<Item = &'a str> + Clone) -> Vec<Count> {
    let count = |verdict: &&'static str| {
        let number = verdicts.clone().filter(|found| found == verdict).count();
        Count { verdict, number }
    };
    VERDICTS.iter().map(count).filter(|count| count.number > 0).collect()
}

/// The series with their ranks by the measurement at this place; lower is better.
fn series(report: &Report, place: usize) -> Vec<SeriesResult> {
    let claims = report.experiment.iter().flat_map(|experiment| &experiment.claim);
    let mut by_series: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (claim, graded) in claims.zip(&report.verdicts) {
        for label in claim.expect.labels() {
            by_series.entry(label).or_default().push(graded.verdict.to_string());
        }
    }
    let result = |(row, plan): (&crate::report::Row, &experiment::Planned)| {
        let values = &row.exact[place];
        let mean = (!values.is_empty()).then(|| mean(values));
        let verdicts = by_series.get(row.series.as_str()).map_or(&[][..], Vec::as_slice);
        SeriesResult {
            label: row.series.clone(),
            optimizer: plan.settings.first().map_or(String::new(), |it| it.name().into()),
            mean,
            value: match mean {
                Some(mean) if mean.is_finite() => short(mean),
                Some(_) => "diverged".into(),
                None => "-".into(),
            },
            rank: None,
            counts: counts(verdicts.iter().map(String::as_str)),
        }
    };
    let mut series: Vec<SeriesResult> = report.table.iter().zip(&report.plan).map(result).collect();
    let means: Vec<f64> = series.iter().filter_map(|it| it.mean).collect();
    for own in &mut series {
        own.rank = own.mean.map(|mean| 1 + means.iter().filter(|other| **other < mean).count());
    }
    series
}

/// A path as a relative address: a name may contain what an address cannot.
fn encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    let encoded = path.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    encoded.collect()
}
