//! How long steps are: what bounds those of Adam, and how AdaGrad's learning rate vanishes while RMSProp's does not.

use rand::RngExt;

use super::{Ask, Found, drawn, exponent};
use crate::chart::{Chart, Line, Style, Table, short};
use crate::error::Result;
use crate::seed::{Purpose, Seed};

/// Adam's defaults; without eps, so that what is measured is the rule.
const ADAM: &str = "adam:lr=0.001,beta1=0.9,beta2=0.999,eps=0";
const BETAS: (f64, f64) = (0.9, 0.999);
/// Steps without a gradient before the first one: the bias corrections are 1 by then to nine digits.
const ZEROS: usize = 20_000;
/// Steps after them.
const AFTER: usize = 300;
/// Steps of the other rules.
const STEPS: usize = 10_000;

pub fn study(ask: &Ask<'_>) -> Result<Found> {
    let mut found = Found::default();
    longest(ask, &mut found)?;
    vanishing(ask, &mut found)?;
    Ok(found)
}

/// Adam after many steps without a gradient, as a weight of a rare feature has them.
fn longest(ask: &Ask<'_>, found: &mut Found) -> Result<()> {
    let recipe = ask.recipe(ADAM)?;
    let (lr, growth) = (recipe.built.lr, BETAS.1 / BETAS.0);
    let claimed = (1.0 - BETAS.0) / (1.0 - BETAS.1).sqrt();
    let mut chart = Chart::new("Adam's steps after 20,000 gradients of zero", "step after them", "step / lr");
    chart.log_x = true;
    let mut rows = Vec::new();
    let ways: [(&str, &dyn Fn(usize) -> f64); 3] = [
        ("one gradient", &|t| if t == 1 { 1.0 } else { 0.0 }),
        ("equal gradients", &|_| 1.0),
        ("gradients that grow by beta2 / beta1", &|t| growth.powi(t as i32)),
    ];
    for (n, (label, gradient)) in ways.into_iter().enumerate() {
        let mut point = recipe.on_numbers(&[0.0]);
        let mut lengths = Vec::new();
        for t in 1..=ZEROS + AFTER {
            let (before, g) = (point.x()[0], if t > ZEROS { gradient(t - ZEROS) } else { 0.0 });
            point.step(lr, &mut |_| (0.0, vec![g]))?;
            if t > ZEROS {
                lengths.push(((t - ZEROS) as f64, (point.x()[0] - before).abs() / lr));
            }
        }
        let (at, longest) = lengths.iter().copied().fold((0.0, 0.0), |best, now| if now.1 > best.1 { now } else { best });
        found.value(&format!("{label} after zeros: longest step / lr"), longest);
        rows.push(vec![label.into(), short(longest), short(at)]);
        chart.lines.push(Line::new(&label.replacen(" that ", "\nthat ", 1), Style::other(n), lengths));
    }
    let lines =
        [("(1 - beta1) / sqrt(1 - beta2)", claimed), ("the same / sqrt(1 - beta1^2 / beta2)", claimed / (1.0 - BETAS.0 / growth).sqrt())];
    for (n, (label, height)) in lines.into_iter().enumerate() {
        found.value(label, height);
        let legend = label.replacen(" / ", "\n/ ", 1);
        chart.lines.push(Line::new(&legend, Style { color: 6, dash: n + 1 }, [(1.0, height), (AFTER as f64, height)]));
    }
    found.charts.push(("adam", chart));
    found.tables.push(Table {
        title: "Adam's longest step after 20,000 gradients of zero".into(),
        head: ["then", "longest step / lr", "at the step after them"].map(String::from).to_vec(),
        rows,
        note: "beta1 0.9, beta2 0.999. The paper's bound, 3.162 lr, is what one gradient reaches; it is no bound for several. By Cauchy's \
               inequality no gradients make a step longer than 7.271 lr, and growing ones reach that."
            .into(),
    });
    Ok(())
}

/// The rate of a rule: its step / gradient.
fn vanishing(ask: &Ask<'_>, found: &mut Found) -> Result<()> {
    let mut chart = Chart::new("What is left of the learning rate", "step t", "step / (lr gradient)");
    (chart.log_x, chart.log_y) = (true, true);
    let mut rows = Vec::new();
    for (label, name) in [("AdaGrad", "adagrad"), ("RMSProp", "rmsprop")] {
        let recipe = ask.recipe(&format!("{name}:lr=0.01"))?;
        let rates = |gradient: &mut dyn FnMut() -> f64| -> Result<Vec<(f64, f64)>> {
            let mut point = recipe.on_numbers(&[0.0]);
            let mut rates = Vec::new();
            for t in 1..=STEPS {
                let (before, g) = (point.x()[0], gradient());
                // each step begins at the same place, where rounding is the same
                point.step(recipe.built.lr, &mut |_| (0.0, vec![g]))?;
                rates.push((t as f64, (before - point.x()[0]) / (recipe.built.lr * g)));
                point.project(|_| 0.0);
            }
            Ok(rates)
        };
        let even = rates(&mut || 1.0)?;
        let late: Vec<(f64, f64)> = even.iter().copied().filter(|(t, _)| *t >= 100.0).collect();
        let power = exponent(&late);
        found.value(&format!("{label}: exponent of t in its rate under equal gradients"), power);

        // of either sign and any size, at a distance from zero
        let mut generator = Seed(0).generator(Purpose::Noise, 0);
        let noisy = rates(&mut || generator.random_range(0.1..2.0) * if generator.random_bool(0.5) { 1.0 } else { -1.0 })?;
        let rose = noisy.windows(2).filter(|pair| pair[1].1 > pair[0].1).count() as f64 / (noisy.len() - 1) as f64;
        let left = noisy.last().map_or(f64::NAN, |(_, rate)| *rate);
        found.value(&format!("{label}: share of steps at which its rate rose, noisy gradients"), rose);
        found.value(&format!("{label}: rate / lr after 10,000 noisy gradients"), left);
        rows.push(vec![label.into(), short(power), short(rose), short(left)]);
        let mut next = 1.0;
        let points = noisy.into_iter().filter(|(t, _)| drawn(*t as usize, &mut next)).collect::<Vec<_>>();
        let mut next = 1.0;
        let even = even.into_iter().filter(|(t, _)| drawn(*t as usize, &mut next)).collect::<Vec<_>>();
        chart.lines.push(Line::new(&format!("{label}\ngradients of 1"), ask.style(name), even));
        chart.lines.push(Line::new(&format!("{label}\nnoisy gradients"), ask.style(name).next_dash(), points));
    }
    found.charts.push(("rates", chart));
    found.tables.push(Table {
        title: "The rate of AdaGrad and RMSProp".into(),
        head: ["", "exponent of t, gradients of 1", "share of steps at which it rose, noisy gradients", "rate / lr after 10,000 of them"]
            .map(String::from)
            .to_vec(),
        rows,
        note:
            "The rate is the step / gradient. The exponent is fitted to steps 100 to 10,000. Noisy gradients have a size between 0.1 and 2 \
               and either sign, drawn evenly."
                .into(),
    });
    Ok(())
}
