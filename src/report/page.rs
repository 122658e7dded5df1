//! The files of a report.

mod figures;
mod finding;
mod forest;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use minijinja::{Environment, HtmlEscape, syntax::SyntaxConfig, value::Serde};
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::experiment::{Scale, Series};
use crate::files::place;
use crate::grade;
use crate::record::Outcome;

use super::build::Report;
use super::command::{command, own_data};
use super::csv;
use super::curves::SCRIPT;
use super::player::{in_script, player};
use super::runs::{commits, graded_seeds, short_schedule};
use super::today::today;
pub use figures::Picture;
use figures::write_scene;
use finding::{Finding, result};

/// What the verdicts mean.
const HOW_TO_READ: &str = "A margin above zero supports the claim. p is the p-value of the margins \
    against zero, paired by seed; the adjusted one allows for all claims of the experiment (Holm). \
    HELD: the margin is above zero and the adjusted p-value is at most 0.05. NOT HELD: the margin is \
    below zero and the adjusted p-value is at most 0.05. UNDECIDED: the adjusted p-value is larger, \
    or there are too few runs. The 95 % interval is that of one claim alone. PASS: the mean over the \
    seeds is the stated number or within the stated bound. FAIL: it is not. A diverged run counts as \
    infinite. Claims about whole grids use only the seeds that choose the settings. NOT HELD and \
    FAIL are findings, not errors.";

impl Report {
    /// Writes `index.html`, `report.md`, `points.csv`, and each chart as SVG and PNG. Returns the
    /// path of the page.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        let mut pictures = self.pictures()?;
        for picture in &pictures {
            picture.write(folder)?;
        }
        if let Some(scene) = &self.scene {
            pictures.push(write_scene(scene, folder)?);
        }
        let points = folder.join("points.csv");
        match self.runs.is_empty() {
            true => csv::of_charts(&self.charts, &points)?,
            false => csv::of_runs(&self.runs, &points)?,
        }
        let page = self.page(&pictures);
        let markdown = render("report.md", include_str!("page.md"), &page)?;
        let html = render("index.html", include_str!("page.html"), &page)?;
        place(&folder.join("report.md"), markdown.as_bytes())?;
        place(&folder.join("index.html"), html.as_bytes())?;
        Ok(folder.join("index.html"))
    }

    /// What the templates show.
    fn page(&self, pictures: &[Picture]) -> Value {
        let header = self.runs.first().map(|run| &run.header);
        let title = match (&self.experiment, header) {
            (Some(experiment), _) => experiment.title.clone(),
            (None, Some(header)) => header.task.title(),
            (None, None) => String::new(),
        };
        let sizes = self.runs.iter().map(|run| vec![("", run.header.task.size())]);
        let data = merged_lines(sizes).into_iter().next().map(|(_, sizes)| sizes);
        let seeds = graded_seeds(&self.runs, self.search);
        let command = command(self.experiment.as_ref(), self.scale, &self.runs, seeds);
        let own_data = own_data(command.as_deref(), &self.runs);
        json!({
            "title": title,
            "refresh": self.refresh,
            "today": today(),
            "version": env!("CARGO_PKG_VERSION"),
            "commit": commits(&self.runs),
            "experiment": self.experiment,
            "series": self.series(),
            "one_spec": self.one_spec(),
            "finding": Finding::new(&self.verdicts, self.result()),
            "lead": self.lead(pictures),
            "style": include_str!("page.css"),
            "script": SCRIPT,
            "curves": self.curves.as_ref().map(in_script),
            "curves_note": self.curves.as_ref().map(|curves| &curves.note),
            "curves_caption": self.caption,
            "player": self.scene.as_ref().map(player),
            "pictures": pictures,
            "tables": self.tables,
            "results": self.results,
            "remarks": self.remarks,
            "verdicts": self.verdicts,
            "header": header,
            "task": merged_lines(self.runs.iter().map(|run| run.header.task.lines())),
            "data": data,
            "epoch_unit": header.map(|header| header.task.x_label()),
            "command": command,
            "own_data": own_data,
            "seeds": seeds,
            "diverged": self.diverged(),
            "schedules": self.schedules(),
            "common_schedule": self.common_schedule(),
            "how_to_read": HOW_TO_READ,
        })
    }

    /// The result in a sentence, where nothing is claimed.
    fn result(&self) -> String {
        let Some(task) = self.runs.first().map(|run| &run.header.task) else {
            return "A study without claims.".into();
        };
        let columns = task.columns();
        let metric = self.experiment.as_ref().map(|it| it.metric.name.as_str());
        let place = columns.iter().position(|column| Some(column.name) == metric).unwrap_or(0);
        let title = columns.get(place).map_or("", |column| column.title);
        result(&self.table, place, title)
    }

    /// The learning-rate schedules of the runs, without settings that have their defaults.
    fn schedules(&self) -> Vec<String> {
        let canonical: BTreeSet<&str> =
            self.runs.iter().map(|run| run.header.schedule.as_str()).collect();
        canonical.into_iter().map(short_schedule).collect()
    }

    /// The schedule of the experiment, if a series uses it.
    fn common_schedule(&self) -> Option<&str> {
        let experiment = self.experiment.as_ref()?;
        let scale = self.scale.unwrap_or(Scale::Quick);
        let uses_it = experiment.series.iter().any(|series| !series.has_own_schedule(scale));
        uses_it.then_some(experiment.schedule.as_str())
    }

    /// The series of the experiment, with their pipeline specs.
    fn series(&self) -> Vec<Value> {
        let scale = self.scale.unwrap_or(Scale::Quick);
        let series = self.experiment.iter().flat_map(|experiment| &experiment.series);
        series
            .map(|it| {
                json!({
                    "label": it.label,
                    "spec": it.optimizer_at(scale),
                    "schedule": it.schedule,
                })
            })
            .collect()
    }

    /// The pipeline spec of all series, if it is the same and no series has its own schedule.
    fn one_spec(&self) -> Option<&str> {
        let scale = self.scale.unwrap_or(Scale::Quick);
        let (first, others) = self.experiment.as_ref()?.series.split_first()?;
        let spec = first.optimizer_at(scale);
        let is_same = |it: &Series| it.optimizer_at(scale) == spec && it.schedule.is_none();
        let agree = !others.is_empty() && others.iter().all(is_same) && is_same(first);
        agree.then_some(spec)
    }

    /// The runs that diverged.
    fn diverged(&self) -> Vec<Value> {
        let briefs = grade::Briefs::of(&self.plan);
        self.runs
            .iter()
            .filter(|run| run.ended() == Some(Outcome::Diverged))
            .map(|run| {
                json!({
                    "header": run.header,
                    "setting": briefs.of_run(&run.header),
                    "outcome": run.outcome(),
                    "end": run.end,
                })
            })
            .collect()
    }
}

/// The text of a file from a template.
pub fn render(file: &str, template: &'static str, page: &Value) -> Result<String> {
    let failed = Error::failed(format!("make {file}"));
    let syntax =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().map_err(&failed)?;
    let mut templates = Environment::new();
    templates.set_syntax(syntax);
    templates.add_filter("cell", markdown_cell);
    templates.add_filter("plain", without_tags);
    templates.add_filter("code", with_code);
    let reproduce = include_str!("reproduce.html");
    templates.add_template("reproduce.html", reproduce).map_err(&failed)?;
    // whether text is escaped depends on the extension of the file
    templates.render_named_str(file, template, Serde(page)).map_err(failed)
}

/// A text in a cell of a Markdown table, which is a single line.
fn markdown_cell(text: String) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    without_tags(lines.collect::<Vec<_>>().join(" ")).replace('|', "\\|")
}

/// A text in Markdown that is not read as HTML: only a `<` that may begin a tag is escaped.
fn without_tags(text: String) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied().unwrap_or(' ');
        match letter == '<' && (next.is_ascii_alphabetic() || "/!?".contains(next)) {
            true => plain += "&lt;",
            false => plain.push(letter),
        }
    }
    plain
}

/// HTML of a text in which backticks surround code.
fn with_code(text: String) -> minijinja::Value {
    let parts: Vec<String> = text.split('`').map(|part| HtmlEscape(part).to_string()).collect();
    let html = match parts.len() % 2 {
        // a backtick without a second one
        0 => HtmlEscape(&text).to_string(),
        _ => parts
            .iter()
            .enumerate()
            .map(|(i, part)| if i % 2 == 1 { format!("<code>{part}</code>") } else { part.clone() })
            .collect(),
    };
    minijinja::Value::from_safe_string(html)
}

/// The description lines of several tasks as one list. Where tasks differ, a line shows all of
/// their texts.
fn merged_lines(
    tasks: impl Iterator<Item = Vec<(&'static str, String)>>,
) -> Vec<(&'static str, String)> {
    let mut lines: Vec<(&str, Vec<String>)> = Vec::new();
    for (key, text) in tasks.flatten() {
        match lines.iter_mut().find(|(own, _)| *own == key) {
            Some((_, texts)) if texts.contains(&text) => {}
            Some((_, texts)) => texts.push(text),
            None => lines.push((key, vec![text])),
        }
    }
    lines.into_iter().map(|(key, texts)| (key, texts.join("; "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_has_no_html_of_an_experiment() {
        let text = "a <script>alert(1)</script>, p < 0.05, x<1, <!-- -->";
        let plain = "a &lt;script>alert(1)&lt;/script>, p < 0.05, x<1, &lt;!-- -->";
        assert_eq!(without_tags(text.into()), plain);
        assert_eq!(markdown_cell("a|b\n<i>".into()), r"a\|b &lt;i>");
    }

    #[test]
    fn text_between_backticks_is_code_and_no_html() {
        for (text, html) in [
            ("`run --extend` tries <b>", "<code>run --extend</code> tries &lt;b&gt;"),
            ("no code", "no code"),
            ("a ` and <i>", "a ` and &lt;i&gt;"),
            ("`<b>`", "<code>&lt;b&gt;</code>"),
        ] {
            assert_eq!(with_code(text.into()).to_string(), html);
        }
    }
}
