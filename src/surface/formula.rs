//! An expression of x and y, parsed by exmex and computed on tensors.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Tensor;
use exmex::{BinOp, Express, FlatEx, MakeOperators, Operator};

use crate::error::{Error, Result};

/// The maximum length of a formula in characters.
const LONGEST: usize = 500;

/// A parsed expression.
#[derive(Clone)]
pub(super) struct Formula {
    text: String,
    expression: FlatEx<Term, Operators>,
}

/// An intermediate value of an expression.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // only a few exist at a time
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
            (Term::Points(a), Term::Number(b)) | (Term::Number(b), Term::Points(a)) => {
                Term::Points(a + b)
            }
        }
    }

    fn times(self, other: Term) -> Term {
        match (self, other) {
            (Term::Number(a), Term::Number(b)) => Term::Number(a * b),
            (Term::Points(a), Term::Points(b)) => Term::Points(a * b),
            (Term::Points(a), Term::Number(b)) | (Term::Number(b), Term::Points(a)) => {
                Term::Points(a * b)
            }
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
            // a product, whose derivative is correct for a negative base too
            (Term::Points(a), Term::Number(b)) if b.fract() == 0.0 && (1.0..=16.0).contains(&b) => {
                Term::Points((1..b as usize).fold(a.clone(), |power, _| power * a.clone()))
            }
            // burn converts a whole exponent to an integer, and panics if that is impossible
            (Term::Points(a), Term::Number(b)) if b.abs() < f64::from(i32::MAX) => {
                Term::Points(a.powf_scalar(b))
            }
            (Term::Points(a), Term::Number(b)) => {
                let exponent = Tensor::full_like(&a, b);
                Term::Points(a.powf(exponent))
            }
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
    /// Parses an expression of x and y.
    pub fn read(text: &str) -> Result<Formula> {
        let wrong = |reason: String| {
            let expected = "x and y with + - * / ^, sin cos tanh exp ln sqrt abs, pi and \
                            brackets, such as x^2+10*y^2";
            let text = shortened(text);
            let found = format!("`{text}`, which is not an expression of x and y ({reason})");
            Error::value("surface", found, expected)
        };
        if text.len() > LONGEST {
            return Err(wrong(format!(
                "it has {} characters, and the maximum is {LONGEST}",
                text.len()
            )));
        }
        let expression = FlatEx::<Term, Operators>::parse(&prepared(text).map_err(wrong)?)
            .map_err(|error| wrong(error.msg().lines().next().unwrap_or_default().to_string()))?;
        Ok(Formula { text: text.into(), expression })
    }

    /// The value at points.
    pub fn of(&self, x: Tensor<1>, y: Tensor<1>) -> Tensor<1> {
        let zero = x.clone() * 0.0;
        let of = |name: &String| Term::Points(if name == "x" { x.clone() } else { y.clone() });
        let variables: Vec<Term> = self.expression.var_names().iter().map(of).collect();
        match self.expression.eval(&variables) {
            Ok(Term::Points(value)) => value,
            // so that a constant formula has a gradient, which is zero
            Ok(Term::Number(value)) => zero + value,
            Err(_) => zero + f64::NAN,
        }
    }
}

/// A number, a word or an operator of an expression.
#[derive(Clone, Copy, PartialEq)]
enum Token<'a> {
    Number(&'a str),
    Word(&'a str),
    Sign(char),
}

const VARIABLES: [&str; 2] = ["x", "y"];
const FUNCTIONS: [&str; 7] = ["sin", "cos", "tanh", "exp", "ln", "sqrt", "abs"];

impl Token<'_> {
    fn is_function(self) -> bool {
        matches!(self, Token::Word(word) if FUNCTIONS.contains(&word))
    }

    /// Whether it ends a value, so that an operator has to follow.
    fn is_value(self) -> bool {
        self == Token::Sign(')') || (!matches!(self, Token::Sign(_)) && !self.is_function())
    }
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Number(text) | Token::Word(text) => f.write_str(text),
            Token::Sign(sign) => write!(f, "{sign}"),
        }
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let end = |wanted: fn(char) -> bool| rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        let (token, length) = if first.is_ascii_digit() || first == '.' {
            let length = with_exponent(rest);
            (Token::Number(&rest[..length]), length)
        } else if first.is_alphabetic() || first == '_' {
            let length = end(|c| c.is_alphanumeric() || c == '_');
            (Token::Word(&rest[..length]), length)
        } else {
            (Token::Sign(first), first.len_utf8())
        };
        tokens.push(token);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// The length of the number at the beginning of a text, with its exponent: `1e-3`, but not the `e`
/// of `2exp(x)`.
fn with_exponent(text: &str) -> usize {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mantissa = text.bytes().take_while(|c| c.is_ascii_digit() || *c == b'.').count();
    if !matches!(text.as_bytes().get(mantissa), Some(b'e' | b'E')) {
        return mantissa;
    }
    let sign = usize::from(matches!(text.as_bytes().get(mantissa + 1), Some(b'+' | b'-')));
    match digits(mantissa + 1 + sign) {
        0 => mantissa,
        exponent => mantissa + 1 + sign + exponent,
    }
}

/// The expression in a form that exmex parses correctly, or the reason why it is invalid.
///
/// - exmex reads -x^2 as (-x)^2. So a sign at the beginning of a term becomes a difference from 0,
///   and a sign after an operator is an error.
/// - exmex reads x^3^2 as (x^3)^2, but mathematics reads it as x^(3^2). So it is an error.
/// - exmex does not know numbers with an exponent, such as 1e-3. So they become decimal numbers.
fn prepared(text: &str) -> std::result::Result<String, String> {
    let (mut done, mut last) = (String::with_capacity(text.len() + 8), Token::Sign('('));
    // whether the current term ends in a power, and the same for the term around each open bracket
    let (mut power, mut open) = (false, Vec::new());
    for token in tokens(text) {
        let operator =
            |token: Token<'_>| matches!(token, Token::Sign(sign) if "+-*/^".contains(sign));
        if last.is_function() && token != Token::Sign('(') {
            return Err(format!("`{last}` needs brackets, as in {last}(x)"));
        }
        match token {
            Token::Number(_) | Token::Word(_) | Token::Sign('(') if last.is_value() => {
                return Err(format!(
                    "an operator is missing between `{last}` and `{token}`, as in {last}*{token}"
                ));
            }
            Token::Number(number) => {
                let value: Option<f64> =
                    number.parse().ok().filter(|value: &f64| value.is_finite());
                let value = value.ok_or_else(|| format!("`{number}` is not a number"))?;
                done += &value.to_string();
            }
            Token::Word("log") => {
                return Err("`log` is not known; the natural logarithm is `ln`".into());
            }
            Token::Word(word)
                if word != "pi" && !VARIABLES.contains(&word) && !FUNCTIONS.contains(&word) =>
            {
                return Err(format!("`{word}` is not known"));
            }
            Token::Sign('*') if last == Token::Sign('*') => {
                return Err("a power is written ^, not **".into());
            }
            Token::Sign(sign @ ('+' | '-')) if operator(last) => {
                return Err(format!("a sign after `{last}` needs brackets, as in x^({sign}2)"));
            }
            Token::Sign(sign @ ('+' | '-')) if last == Token::Sign('(') => {
                done += &format!("0{sign}")
            }
            Token::Sign(')') if open.is_empty() => {
                return Err("a closing bracket has no opening bracket".into());
            }
            Token::Sign('*' | '/' | '^' | ')') if !last.is_value() => {
                return Err(format!("`{token}` has no left operand"));
            }
            Token::Sign('^') if power => {
                return Err("a power of a power needs brackets, as in x^(2^3) or (x^2)^3".into());
            }
            Token::Sign(sign) if !"+-*/^()".contains(sign) => {
                return Err(format!("it contains `{sign}`"));
            }
            token => done += &token.to_string(),
        }
        match token {
            Token::Sign('(') => open.push(std::mem::take(&mut power)),
            Token::Sign(')') => power = open.pop().unwrap_or_default(),
            Token::Sign(sign) => power = sign == '^',
            _ => {}
        }
        last = token;
    }
    match (last.is_value(), open.is_empty()) {
        (true, true) => Ok(done),
        (true, _) => Err("an opening bracket has no closing bracket".into()),
        (false, _) if done.is_empty() => Err("it is empty".into()),
        (false, _) => Err(format!("`{last}` has no right operand")),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() > 60 {
        text.chars().take(60).chain("...".chars()).collect()
    } else {
        text.into()
    }
}
