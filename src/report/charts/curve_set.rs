//! What all charts of a report are made from.

use crate::chart::{PlotLine, Style};
use crate::experiment::Experiment;
use crate::grade::{Candidate, Curve, Selection};
use crate::record::Outcome;

use super::bands::mean_line;

/// So many characters fit into a line of a legend.
const LEGEND_LINE: usize = 25;
/// With more entries than this, a legend has no space for a third line.
const MANY_ENTRIES: usize = 6;

/// The curves of a report with what their charts need.
pub struct CurveSet<'a> {
    /// one for each series
    pub curves: &'a [Curve],
    /// what the task of each curve has in place of the experiment's; empty if nothing
    pub tasks: &'a [String],
    /// one for each curve
    pub styles: Vec<Style>,
    /// how the best setting of a curve was chosen
    pub selection: &'a Selection,
    /// what the epochs of the record are
    pub x_label: &'a str,
    /// the measurement that is drawn and graded
    pub metric: &'a str,
    /// what it is
    pub y_label: String,
    /// what the measurement is that selects
    pub selected_by: String,
    /// number of seeds of the report
    pub seeds: usize,
    /// the experiment, if there is one
    pub experiment: Option<&'a Experiment>,
}

impl CurveSet<'_> {
    /// A line for each curve: a measurement at the chosen setting, over the epochs or over another
    /// measurement.
    pub fn lines(&self, x_measure: Option<&str>, measure: &str) -> Vec<PlotLine> {
        let line = |((curve, task), style): ((&Curve, &String), &Style)| {
            let [label, details] = self.label_parts(curve, task);
            let label = match details.is_empty() {
                true => label,
                false => format!("{label}\n{}", self.in_legend(&details)),
            };
            let mut line = PlotLine::new(&label, *style, []);
            if let Some(candidate) = drawn_setting(curve) {
                let mean = mean_line(candidate, x_measure, measure);
                line.points = mean.points;
                line.diverged = mean.diverged.into_iter().collect();
            }
            line
        };
        self.curves.iter().zip(self.tasks).zip(&self.styles).map(line).collect()
    }

    /// The setting of all curves, if they agree. Charts name it in the title, not in the legend.
    pub fn common_setting(&self) -> Option<String> {
        let (first, others) = self.curves.split_first()?;
        let setting = first.chosen().map(|_| first.brief())?;
        let has_it = |curve: &Curve| curve.chosen().is_some() && curve.brief() == setting;
        (!others.is_empty() && others.iter().all(has_it)).then_some(setting)
    }

    /// A setting in at most two lines of a legend. Where there are many entries, it has one line,
    /// which is drawn smaller if it is too long.
    fn in_legend(&self, setting: &str) -> String {
        let fits = setting.chars().count() <= LEGEND_LINE || self.curves.len() > MANY_ENTRIES;
        let mut spaces = setting.match_indices(' ').map(|(at, _)| at);
        match spaces.rfind(|at| *at <= LEGEND_LINE) {
            Some(at) if !fits => format!("{}\n{}", &setting[..at], &setting[at + 1..]),
            _ => setting.into(),
        }
    }

    /// The label of a curve, and its setting and number of seeds. `task` is what its task has in
    /// place of the experiment's.
    pub fn label_parts(&self, curve: &Curve, task: &str) -> [String; 2] {
        let own = if self.common_setting().is_some() { task.into() } else { setting_label(curve) };
        let details = [own, self.seeds_of(curve)].into_iter().filter(|text| !text.is_empty());
        [curve.label.clone(), details.collect::<Vec<_>>().join(", ")]
    }

    /// How many runs of a line finished: `3 seeds`, or `1 of 3 seeds` if others diverged or are
    /// missing. Empty if there is only one seed.
    fn seeds_of(&self, curve: &Curve) -> String {
        match (self.finished(curve), self.seeds) {
            (_, ..=1) | (None, _) => String::new(),
            (Some(finished), seeds) if finished == seeds => format!("{seeds} seeds"),
            (Some(finished), seeds) => format!("{finished} of {seeds} seeds"),
        }
    }

    /// The number of finished runs of the line of a curve; `None` if it has no line.
    fn finished(&self, curve: &Curve) -> Option<usize> {
        let runs = drawn_setting(curve)?.drawn();
        Some(runs.iter().filter(|run| run.ended() == Some(Outcome::Finished)).count())
    }

    /// What line and band are.
    pub fn caption(&self) -> String {
        if self.seeds == 1 {
            return "One seed.".into();
        }
        let mut caption = "Mean over the seeds; the band is ± one standard deviation.".to_string();
        let is_partial = |curve| self.finished(curve).is_some_and(|count| count < self.seeds);
        if self.curves.iter().any(is_partial) {
            caption += " \"1 of 3 seeds\" in the legend: the other runs diverged or are missing. A \
                        line ends where its first run diverged.";
        }
        caption
    }

    /// A title with the setting of all curves, if they agree.
    pub fn titled(&self, title: &str) -> String {
        match self.common_setting() {
            Some(setting) => format!("{title} ({setting})"),
            None => title.into(),
        }
    }

    /// The same over the epochs, for the metric.
    pub fn metric_lines(&self) -> Vec<PlotLine> {
        self.lines(None, self.metric)
    }
}

/// The chosen setting, or why there is none.
fn setting_label(curve: &Curve) -> String {
    if curve.chosen().is_some() {
        return curve.brief();
    }
    // the reason of a divergence, behind a colon, is too long for a legend
    let reason = curve.why_none();
    reason.split(':').next().unwrap_or_default().to_string()
}

/// The setting that is drawn: the chosen one. A curve with a single setting is also drawn if that
/// setting diverged.
pub fn drawn_setting(curve: &Curve) -> Option<&Candidate> {
    curve.chosen().or(match curve.candidates.as_slice() {
        [only] => Some(only),
        _ => None,
    })
}
