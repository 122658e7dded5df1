//! What the first screen of the page says: the conclusion, the verdicts, and what was claimed.

use serde::Serialize;

use super::forest::{Forest, Row};
use crate::docs::counted;
use crate::grade::{GradedClaim, Verdict, mean};
use crate::report::Row as SeriesRow;

/// The finding of a report.
#[derive(Serialize)]
pub struct Finding {
    /// one sentence
    conclusion: String,
    /// how often each verdict occurs
    counts: Vec<Count>,
    /// the claims, by their quotations
    quotes: Vec<Quote>,
}

/// How often a verdict occurs.
#[derive(Clone, Serialize)]
struct Count {
    verdict: Verdict,
    number: usize,
}

/// A quotation with its claims.
#[derive(Serialize)]
struct Quote {
    text: String,
    counts: Vec<Count>,
    claims: Vec<ClaimRow>,
    /// the axis below the intervals; empty if there are none
    axis: String,
}

/// A claim with its interval as SVG; empty if it has none.
#[derive(Serialize)]
struct ClaimRow {
    #[serde(flatten)]
    claim: GradedClaim,
    interval: String,
}

impl Finding {
    /// The finding from the verdicts. Where nothing is claimed, `result` is the conclusion.
    pub fn new(verdicts: &[GradedClaim], result: String) -> Finding {
        let conclusion = if verdicts.is_empty() { result } else { conclusion(verdicts) };
        Finding { conclusion, counts: counts(verdicts), quotes: quotes(verdicts) }
    }
}

/// `4 of 6 claims held; 2 did not.`
fn conclusion(verdicts: &[GradedClaim]) -> String {
    let of = |is: &dyn Fn(Verdict) -> bool| verdicts.iter().filter(|it| is(it.verdict)).count();
    let (all, no) = (verdicts.len(), of(&Verdict::is_no));
    let undecided = of(&|verdict| verdict == Verdict::Undecided);
    let held = all - no - undecided;
    match (all, held, no, undecided) {
        (1, 1, ..) => return "The claim held.".into(),
        (1, _, 1, _) => return "The claim did not hold.".into(),
        (1, ..) => return "The claim is undecided.".into(),
        (2, 2, ..) => return "Both claims held.".into(),
        (2, _, 2, _) => return "Neither claim held.".into(),
        (2, 0, 0, _) => return "Both claims are undecided.".into(),
        (_, _, 0, 0) => return format!("All {all} claims held."),
        (_, 0, 0, _) => return format!("All {all} claims are undecided."),
        _ => {}
    }
    let first = if held == 0 { "None".into() } else { held.to_string() };
    let mut parts = vec![format!("{first} of {all} claims held")];
    if no > 0 && (held > 0 || undecided > 0) {
        parts.push(format!("{no} did not"));
    }
    if undecided > 0 {
        parts.push(format!("{undecided} {} undecided", if undecided == 1 { "is" } else { "are" }));
    }
    format!("{}.", parts.join("; "))
}

fn counts(verdicts: &[GradedClaim]) -> Vec<Count> {
    let count = |verdict: &Verdict| Count {
        verdict: *verdict,
        number: verdicts.iter().filter(|claim| claim.verdict == *verdict).count(),
    };
    Verdict::ALL.iter().map(count).filter(|count| count.number > 0).collect()
}

/// The claims of each quotation, in the order of the file.
fn quotes(verdicts: &[GradedClaim]) -> Vec<Quote> {
    let mut texts: Vec<&str> = Vec::new();
    for claim in verdicts {
        if !texts.contains(&claim.quote.as_str()) {
            texts.push(&claim.quote);
        }
    }
    texts.into_iter().map(|text| quote(text, verdicts)).collect()
}

fn quote(text: &str, verdicts: &[GradedClaim]) -> Quote {
    let own: Vec<GradedClaim> = verdicts.iter().filter(|it| it.quote == text).cloned().collect();
    let row = |claim: &GradedClaim| {
        claim.evidence.map(|it| Row { estimate: it.estimate, low: it.low, high: it.high })
    };
    let rows: Vec<Option<Row>> = own.iter().map(row).collect();
    let forest = Forest::of(rows.iter().flatten());
    let svg = |row: Option<Row>| row.map_or(String::new(), |row| forest.interval(row));
    Quote {
        text: text.into(),
        counts: counts(&own),
        axis: if rows.iter().any(Option::is_some) { forest.axis() } else { String::new() },
        claims: own
            .into_iter()
            .zip(rows)
            .map(|(claim, row)| ClaimRow { claim, interval: svg(row) })
            .collect(),
    }
}

/// The result in a sentence, where nothing is claimed: the series with the lowest final value of the
/// measurement in this place of the rows.
pub fn result(rows: &[SeriesRow], place: usize, title: &str) -> String {
    let finite = |row: &&SeriesRow| {
        let values = row.exact.get(place).map_or(&[][..], Vec::as_slice);
        !values.is_empty() && values.iter().all(|value| value.is_finite())
    };
    let value = |row: &SeriesRow| mean(&row.exact[place]);
    let best = rows.iter().filter(finite).min_by(|a, b| value(a).total_cmp(&value(b)));
    match best {
        None => format!("No series has a final {title}."),
        Some(only) if rows.len() == 1 => format!("Final {title}: {}.", only.finals[place]),
        Some(best) => format!(
            "The lowest final {title} of {}: {} by {}.",
            counted(rows.len(), "series", "series"),
            best.finals[place],
            best.series
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graded(verdicts: &[Verdict]) -> Vec<GradedClaim> {
        let claim = |(i, verdict): (usize, &Verdict)| GradedClaim {
            quote: format!("quote {}", i / 2),
            source: String::new(),
            check: String::new(),
            verdict: *verdict,
            margin: String::new(),
            evidence: None,
            is_open: false,
        };
        verdicts.iter().enumerate().map(claim).collect()
    }

    #[test]
    fn the_conclusion_counts_the_verdicts() {
        use Verdict::*;
        for (verdicts, expected) in [
            (vec![Held, Pass, Held, Held, NotHeld, Fail], "4 of 6 claims held; 2 did not."),
            (vec![Held, NotHeld, Undecided], "1 of 3 claims held; 1 did not; 1 is undecided."),
            (vec![Held, Pass], "Both claims held."),
            (vec![NotHeld, Fail], "Neither claim held."),
            (vec![NotHeld, Undecided], "None of 2 claims held; 1 did not; 1 is undecided."),
            (vec![Undecided, Undecided], "Both claims are undecided."),
            (vec![Held, Pass, Pass], "All 3 claims held."),
            (vec![NotHeld, Fail, Fail], "None of 3 claims held."),
            (vec![Undecided; 3], "All 3 claims are undecided."),
            (vec![Held], "The claim held."),
            (vec![Fail], "The claim did not hold."),
            (vec![Undecided], "The claim is undecided."),
        ] {
            assert_eq!(Finding::new(&graded(&verdicts), String::new()).conclusion, expected);
        }
        assert_eq!(Finding::new(&[], "Final loss: 1.".into()).conclusion, "Final loss: 1.");
    }

    #[test]
    fn claims_are_grouped_by_their_quotation() {
        use Verdict::*;
        let finding = Finding::new(&graded(&[Held, NotHeld, Pass]), String::new());
        let sizes: Vec<usize> = finding.quotes.iter().map(|quote| quote.claims.len()).collect();
        assert_eq!(sizes, [2, 1]);
        assert_eq!(finding.quotes[0].counts.len(), 2);
    }
}
