//! A verdict and its reason.

use std::fmt;

use serde::Serialize;

use crate::chart::short;
use crate::experiment::Claim;

/// The verdict on a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// The margins are significantly above zero.
    #[serde(rename = "HELD")]
    Held,
    /// They are significantly below zero.
    #[serde(rename = "NOT HELD")]
    NotHeld,
    /// Neither, or there are too few runs to decide.
    #[serde(rename = "UNDECIDED")]
    Undecided,
    /// The value is as stated, within its tolerance.
    #[serde(rename = "PASS")]
    Pass,
    /// It is not.
    #[serde(rename = "FAIL")]
    Fail,
}

impl Verdict {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Verdict; 5] =
        [Verdict::Held, Verdict::Pass, Verdict::NotHeld, Verdict::Fail, Verdict::Undecided];

    /// Whether the claim did not reproduce.
    pub fn is_no(self) -> bool {
        matches!(self, Verdict::NotHeld | Verdict::Fail)
    }

    /// PASS or FAIL.
    pub(super) fn passed(passed: bool) -> Verdict {
        if passed { Verdict::Pass } else { Verdict::Fail }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Held => "HELD",
            Verdict::NotHeld => "NOT HELD",
            Verdict::Undecided => "UNDECIDED",
            Verdict::Pass => "PASS",
            Verdict::Fail => "FAIL",
        })
    }
}

/// A claim with its verdict.
#[derive(Clone, Debug, Serialize)]
pub struct GradedClaim {
    /// the paper's words
    pub quote: String,
    /// section or figure of the quote
    pub source: String,
    /// the check in words
    pub check: String,
    /// the verdict
    pub verdict: Verdict,
    /// the margin in words: mean and interval, or why there is none
    pub margin: String,
    /// the numbers behind the verdict, if margins of at least two seeds decide
    #[serde(flatten)]
    pub evidence: Option<Evidence>,
    /// whether it is undecided, and more seeds may decide it
    #[serde(skip)]
    pub is_open: bool,
}

/// The test of a claim. A margin above zero supports the claim.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// the mean margin, or the median one of `reaches`
    pub estimate: f64,
    /// lower end of its 95 % interval
    pub low: f64,
    /// upper end of its 95 % interval
    pub high: f64,
    /// of this claim alone, two-sided
    pub p_value: f64,
    /// the p-value by Holm over the claims of the experiment, and for the looks at them. At most
    /// 0.05 decides the claim
    pub adjusted_p: f64,
    /// number of seeds with a margin
    pub pairs: usize,
}

/// A verdict and its reason in words.
pub(super) struct Judgement {
    pub verdict: Verdict,
    pub margin: String,
    pub evidence: Option<Evidence>,
    pub is_open: bool,
}

impl Judgement {
    pub(super) fn new(verdict: Verdict, margin: impl Into<String>) -> Judgement {
        Judgement { verdict, margin: margin.into(), evidence: None, is_open: false }
    }

    pub(super) fn undecided(why: impl Into<String>) -> Judgement {
        Judgement::new(Verdict::Undecided, why)
    }

    pub(super) fn of(self, claim: &Claim, metric: &str) -> GradedClaim {
        let Judgement { verdict, margin, evidence, is_open } = self;
        let (quote, source) = (claim.quote.clone(), claim.source.clone());
        let check = claim.expect.sentence(metric);
        GradedClaim { quote, source, check, verdict, margin, evidence, is_open }
    }
}

/// Four digits, always with a sign.
pub(super) fn signed(x: f64) -> String {
    if x >= 0.0 { format!("+{}", short(x)) } else { short(x) }
}
