//! Text as LaTeX.

/// A text with LaTeX's special characters escaped, and real signs and powers in its numbers:
/// `-1e-3` becomes `$-1 \times 10^{-3}$`.
pub fn text(plain: &str) -> String {
    let chars: Vec<char> = plain.chars().collect();
    let (mut latex, mut at) = (String::new(), 0);
    while at < chars.len() {
        let starts =
            at == 0 || !(chars[at - 1].is_alphanumeric() || "-.)_".contains(chars[at - 1]));
        match number(&chars[at..]).filter(|_| starts) {
            Some((length, number)) => {
                latex += &number;
                at += length;
            }
            None => {
                latex += &escaped(chars[at]);
                at += 1;
            }
        }
    }
    latex
}

/// The number at the beginning, with its length, if it has a sign or an exponent.
fn number(chars: &[char]) -> Option<(usize, String)> {
    let digits =
        |from: usize| chars[from..].iter().take_while(|c| c.is_ascii_digit() || **c == '.').count();
    let signed = usize::from(matches!(chars.first(), Some('-' | '−')));
    let factor = digits(signed);
    if factor == 0 || !chars[signed..signed + factor].iter().any(char::is_ascii_digit) {
        return None;
    }
    let factor_end = signed + factor;
    let is_exponent = chars.get(factor_end) == Some(&'e');
    let exponent_sign = usize::from(matches!(chars.get(factor_end + 1), Some('-')));
    let exponent = if is_exponent { digits(factor_end + 1 + exponent_sign) } else { 0 };
    let end = if exponent > 0 { factor_end + 1 + exponent_sign + exponent } else { factor_end };
    let ends_word = chars.get(end).is_none_or(|c| !c.is_alphanumeric());
    if !ends_word || (signed == 0 && exponent == 0) {
        return None;
    }
    let sign = if signed == 1 { "-" } else { "" };
    let factor: String = chars[signed..factor_end].iter().collect();
    let power: String = chars[factor_end..end].iter().skip(1).collect();
    let latex = match (exponent > 0, factor.as_str()) {
        (false, factor) => format!("${sign}{factor}$"),
        (true, "1") => format!("${sign}10^{{{power}}}$"),
        (true, factor) => format!("${sign}{factor} \\times 10^{{{power}}}$"),
    };
    Some((end, latex))
}

/// A character that is a command or not in the fonts of LaTeX.
fn escaped(c: char) -> String {
    match c {
        '\\' => "\\textbackslash{}".into(),
        '~' => "\\textasciitilde{}".into(),
        '^' => "\\textasciicircum{}".into(),
        '&' | '%' | '$' | '#' | '_' | '{' | '}' => format!("\\{c}"),
        '<' => "$<$".into(),
        '>' => "$>$".into(),
        '|' => "$|$".into(),
        '"' => "''".into(),
        '±' => "$\\pm$".into(),
        '×' => "$\\times$".into(),
        '·' => "$\\cdot$".into(),
        '−' => "$-$".into(),
        '≤' => "$\\leq$".into(),
        '≥' => "$\\geq$".into(),
        '√' => "$\\surd$".into(),
        '∞' => "$\\infty$".into(),
        '→' => "$\\to$".into(),
        '“' => "``".into(),
        '”' => "''".into(),
        '\n' | '\t' => " ".into(),
        greek => match GREEK.iter().find(|(letter, _)| *letter == greek) {
            Some((_, name)) => format!("$\\{name}$"),
            None => greek.to_string(),
        },
    }
}

/// The letters that are names of settings.
const GREEK: [(char, &str); 14] = [
    ('α', "alpha"),
    ('β', "beta"),
    ('γ', "gamma"),
    ('δ', "delta"),
    ('ε', "epsilon"),
    ('η', "eta"),
    ('θ', "theta"),
    ('κ', "kappa"),
    ('λ', "lambda"),
    ('μ', "mu"),
    ('ρ', "rho"),
    ('σ', "sigma"),
    ('τ', "tau"),
    ('φ', "phi"),
];

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn special_characters_are_escaped_and_numbers_are_set_as_mathematics() {
        for (plain, latex) in [
            (
                "50 % of $x_1 & {y}#~^\\",
                "50 \\% of \\$x\\_1 \\& \\{y\\}\\#\\textasciitilde{}\\textasciicircum{}\\textbackslash{}",
            ),
            ("lr=1e-3", "lr=$10^{-3}$"),
            ("-0.5 to 2.5e-7", "$-0.5$ to $2.5 \\times 10^{-7}$"),
            ("0.2712 ± 0.003", "0.2712 $\\pm$ 0.003"),
            ("fig-1 2c2d v1.2-3", "fig-1 2c2d v1.2-3"),
            ("adam (lr 3e-4)", "adam (lr $3 \\times 10^{-4}$)"),
            ("β|mini-batch", "$\\beta$$|$mini-batch"),
            ("1e", "1e"),
        ] {
            assert_eq!(text(plain), latex);
        }
    }
}
