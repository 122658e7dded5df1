//! An expression of x and y, read by exmex and computed on tensors.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Tensor;
use exmex::{BinOp, Express, FlatEx, MakeOperators, Operator};

use crate::error::{Error, Result};

/// Longer text is no formula of anyone's.
const LONGEST: usize = 500;

/// A read expression.
#[derive(Clone)]
pub(super) struct Formula {
    text: String,
    expression: FlatEx<Term, Operators>,
}

/// A part of an expression while it is computed.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // there are never more than a few
enum Term {
    Number(f64),
    Points(Tensor<1>),
}

impl Default for Term {
    fn default() -> Self {
        Term::Number(0.0)
    }
}

impl FromStr for Term {
    type Err = std::num::ParseFloatError;

    fn from_str(text: &str) -> std::result::Result<Term, Self::Err> {
        text.parse().map(Term::Number)
    }
}

#[derive(Clone, Debug)]
struct Operators;

impl Term {
    fn map(self, number: fn(f64) -> f64, points: fn(Tensor<1>) -> Tensor<1>) -> Term {
        match self {
            Term::Number(a) => Term::Number(number(a)),
            Term::Points(a) => Term::Points(points(a)),
        }
    }

    fn add(self, other: Term) -> Term {
        match (self, other) {
            (Term::Number(a), Term::Number(b)) => Term::Number(a + b),
            (Term::Points(a), Term::Points(b)) => Term::Points(a + b),
            (Term::Points(a), Term::Number(b)) | (Term::Number(b), Term::Points(a)) => Term::Points(a + b),
        }
    }

    fn times(self, other: Term) -> Term {
        match (self, other) {
            (Term::Number(a), Term::Number(b)) => Term::Number(a * b),
            (Term::Points(a), Term::Points(b)) => Term::Points(a * b),
            (Term::Points(a), Term::Number(b)) | (Term::Number(b), Term::Points(a)) => Term::Points(a * b),
        }
    }

    fn minus(self) -> Term {
        self.map(|a| -a, |a| -a)
    }

    fn over(self, other: Term) -> Term {
        match (self, other) {
            (Term::Number(a), Term::Number(b)) => Term::Number(a / b),
            (Term::Points(a), Term::Number(b)) => Term::Points(a / b),
            (a, Term::Points(b)) => a.times(Term::Points(b.recip())),
        }
    }

    fn power(self, other: Term) -> Term {
        match (self, other) {
            (Term::Number(a), Term::Number(b)) => Term::Number(a.powf(b)),
            // as products, whose derivative is right also where the base is negative
            (Term::Points(a), Term::Number(b)) if b.fract() == 0.0 && (1.0..=16.0).contains(&b) => {
                Term::Points((1..b as usize).fold(a.clone(), |power, _| power * a.clone()))
            }
            (Term::Points(a), Term::Number(b)) => Term::Points(a.powf_scalar(b)),
            (Term::Number(a), Term::Points(b)) => Term::Points((b * a.ln()).exp()),
            (Term::Points(a), Term::Points(b)) => Term::Points(a.powf(b)),
        }
    }
}

impl MakeOperators<Term> for Operators {
    fn make<'a>() -> Vec<Operator<'a, Term>> {
        let two = |apply, prio, is_commutative| BinOp { apply, prio, is_commutative };
        vec![
            Operator::make_bin("^", two(Term::power, 4, false)),
            Operator::make_bin("*", two(Term::times, 2, true)),
            Operator::make_bin("/", two(Term::over, 3, false)),
            Operator::make_bin("+", two(Term::add, 0, true)),
            Operator::make_bin("-", two(|a, b| a.add(b.minus()), 1, false)),
            Operator::make_unary("sin", |a| a.map(f64::sin, Tensor::sin)),
            Operator::make_unary("cos", |a| a.map(f64::cos, Tensor::cos)),
            Operator::make_unary("tanh", |a| a.map(f64::tanh, Tensor::tanh)),
            Operator::make_unary("exp", |a| a.map(f64::exp, Tensor::exp)),
            Operator::make_unary("ln", |a| a.map(f64::ln, Tensor::log)),
            Operator::make_unary("sqrt", |a| a.map(f64::sqrt, Tensor::sqrt)),
            Operator::make_unary("abs", |a| a.map(f64::abs, Tensor::abs)),
            Operator::make_constant("pi", Term::Number(std::f64::consts::PI)),
        ]
    }
}

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Formula {
    /// Reads an expression of x and y.
    pub fn read(text: &str) -> Result<Formula> {
        let wrong = |reason: String| {
            let expected = "x and y with + - * / ^, sin cos tanh exp ln sqrt abs, pi and brackets, such as x^2+10*y^2";
            Error::Asked(format!("`{}` is no expression of x and y: {reason}; expected {expected}", shortened(text)))
        };
        if text.len() > LONGEST {
            return Err(wrong(format!("it is {} characters long, and {LONGEST} are enough", text.len())));
        }
        let expression = FlatEx::<Term, Operators>::parse(&signs(text).map_err(wrong)?)
            .map_err(|error| wrong(error.msg().lines().next().unwrap_or_default().to_string()))?;
        if let Some(other) = expression.var_names().iter().find(|name| !["x", "y"].contains(&name.as_str())) {
            return Err(wrong(format!("it holds `{other}`")));
        }
        Ok(Formula { text: text.into(), expression })
    }

    /// Its value at points.
    pub fn of(&self, x: Tensor<1>, y: Tensor<1>) -> Tensor<1> {
        let nothing = x.clone() * 0.0;
        let of = |name: &String| Term::Points(if name == "x" { x.clone() } else { y.clone() });
        let variables: Vec<Term> = self.expression.var_names().iter().map(of).collect();
        match self.expression.eval(&variables) {
            Ok(Term::Points(value)) => value,
            // a constant has the gradient zero
            Ok(Term::Number(value)) => nothing + value,
            Err(_) => nothing + f64::NAN,
        }
    }
}

/// What exmex reads otherwise than mathematics does. A sign there binds closer than a power, -x^2 = (-x)^2: at the beginning of a term it becomes
/// a difference from 0, and behind an operator it has to be put in brackets. Numbers with an exponent, 1e-3, it does not know.
fn signs(text: &str) -> std::result::Result<String, String> {
    let text: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut done = String::with_capacity(text.len() + 8);
    let (mut last, mut at) = ('(', 0);
    while let Some(&c) = text.get(at) {
        let length = if last.is_alphanumeric() || last == '_' { 0 } else { with_exponent(&text[at..]) };
        if length > 0 {
            let number: String = text[at..at + length].iter().collect();
            let value: f64 = number.parse().map_err(|_| format!("`{number}` is no number"))?;
            done += &value.to_string();
            (last, at) = ('0', at + length);
            continue;
        }
        if "+-".contains(c) && last == '(' {
            done.push('0');
        } else if "+-".contains(c) && "+-*/^".contains(last) {
            return Err(format!("a sign behind `{last}` needs brackets, as in x^(-2)"));
        }
        done.push(c);
        (last, at) = (c, at + 1);
    }
    Ok(done)
}

/// How long the number with an exponent is that a text begins with; 0 if there is none.
fn with_exponent(text: &[char]) -> usize {
    let digits = |from: usize| text[from.min(text.len())..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mantissa = text.iter().take_while(|c| c.is_ascii_digit() || **c == '.').count();
    let sign = usize::from(matches!(text.get(mantissa + 1), Some('+' | '-')));
    let exponent = digits(mantissa + 1 + sign);
    let there = mantissa > 0 && exponent > 0 && matches!(text.get(mantissa), Some('e' | 'E'));
    if there { mantissa + 1 + sign + exponent } else { 0 }
}

fn shortened(text: &str) -> String {
    if text.chars().count() > 60 { text.chars().take(60).chain("...".chars()).collect() } else { text.into() }
}
