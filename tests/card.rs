//! The report cards of optimizers with known results, and their reproducibility.
#![cfg(feature = "lab")]

use std::fs;
use std::process::{Command, Output};

use downhill::lab::card::{Card, CardTask, Measured, Score, TASKS, cards};
use downhill::optim::Optimizers;

fn of(lines: &[&str]) -> Vec<Card> {
    let lines: Vec<_> = lines.iter().map(|line| line.parse().unwrap()).collect();
    cards(&lines, &Optimizers::default(), &|| ()).unwrap()
}

fn score<'a>(card: &'a Card, name: &str) -> (&'static CardTask, &'a Score) {
    let place = TASKS.iter().position(|task| task.name == name).unwrap();
    (&TASKS[place], &card.scores[place])
}

/// Checks whether an optimizer passes a task.
fn expect(card: &Card, name: &str, passes: bool) {
    let (task, score) = score(card, name);
    assert_eq!(
        score.passes(task),
        passes,
        "{} in {name}: {:?} at {:?}, mark {}",
        card.line,
        score.seeds,
        score.rates,
        task.mark
    );
}

fn downhill(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_downhill")).args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_pipeline_that_does_not_fit_the_tasks_has_no_card() {
    let refused = |line: &str| {
        cards(&[line.parse().unwrap()], &Optimizers::default(), &|| ()).unwrap_err().to_string()
    };
    for line in ["adam|exponential", "adam|milestones:at=1", "adam|plateau:patience=0", "sgd|step"]
    {
        let expected = "found a schedule that counts epochs, expected one that counts steps";
        let error = refused(line);
        assert!(error.contains(&format!("the card of {line}: {expected}")), "{error}");
    }
    for line in ["sgd|constant:warmup=100000", "accumulate:steps=1000|sgd"] {
        assert!(
            refused(line).contains("expected at most the 100 steps of the shortest task"),
            "{}",
            refused(line)
        );
    }
}

#[test]
fn gradient_descent_fails_where_scales_differ_and_is_the_same_in_rotated_axes() {
    let card = &of(&["sgd"])[0];
    expect(card, "ill_conditioned", false);
    expect(card, "plateau", false);
    expect(card, "scale", false);
    expect(card, "saddle", true);
    expect(card, "rotation", true);
    let Measured::Number(ratio) = score(card, "rotation").1.median() else { panic!("no number") };
    assert!(
        (ratio - 1.0).abs() < 1e-6,
        "the path in rotated axes is the rotated path, and took {ratio} times as many steps"
    );
}

#[test]
fn momentum_is_the_same_in_rotated_axes() {
    of(&["momentum", "nag"]).iter().for_each(|card| expect(card, "rotation", true));
}

#[test]
fn adam_is_the_same_for_a_scaled_loss_and_not_in_rotated_axes() {
    let card = &of(&["adam"])[0];
    expect(card, "scale", true);
    expect(card, "plateau", true);
    expect(card, "ill_conditioned", true);
    expect(card, "rotation", false);
}

#[test]
fn a_minimum_that_jumps_late_is_followed_by_gradient_descent_and_not_by_adagrad_or_cosine() {
    let cards = of(&["adagrad", "sgd|cosine:steps=500", "sgd", "adam"]);
    expect(&cards[0], "noise", true);
    expect(&cards[0], "moving", false);
    expect(&cards[1], "moving", false);
    expect(&cards[2], "moving", true);
    expect(&cards[3], "moving", true);
}

#[test]
fn cards_do_not_depend_on_the_number_of_threads_or_on_other_optimizers() {
    let lines = ["adam", "nag", "momentum|ema:decay=0.9", "rprop"];
    let on = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| of(&lines))
    };
    let (one, three) = (on(1), on(3));
    assert_eq!(one, three);
    assert_eq!(one[3], of(&["rprop"])[0]);
}

#[test]
fn a_learning_rate_of_the_spec_is_the_only_one_tried_and_fails_if_it_diverges() {
    let card = &of(&["sgd:lr=1e3"])[0];
    assert_eq!(card.fixed, Some(1e3));
    let (task, score) = score(card, "ill_conditioned");
    assert_eq!(score.seeds, vec![Measured::Diverged; 5]);
    assert_eq!(
        (score.rates.as_slice(), score.verdict(task).as_str()),
        ([1e3].as_slice(), "FAIL diverged")
    );
    assert_eq!(
        card.passed(),
        TASKS.iter().zip(&card.scores).filter(|(task, score)| score.passes(task)).count()
    );
    let printed = out(&downhill(&["card", "sgd:lr=1e3"]));
    assert!(printed.contains("FAIL diverged") && printed.contains("all at lr=1000"), "{printed}");
}

#[test]
fn a_sweep_is_a_card_for_each_value_and_a_learning_rate_of_zero_passes_nothing() {
    let cards = of(&["sgd:lr=[0,0.01]"]);
    assert_eq!(
        cards.iter().map(|card| card.line.as_str()).collect::<Vec<_>>(),
        ["sgd:lr=0", "sgd:lr=0.01"]
    );
    assert_eq!(cards[0].passed(), 0, "{:?}", cards[0].scores);
    expect(&cards[1], "noise", true);
}

#[test]
fn an_optimizer_for_matrices_has_no_card_and_a_reason() {
    let output = downhill(&["card", "burn:muon", "sgd:lr=0.01"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        out(&output).contains("burn:muon: no card, because it is for matrices"),
        "{}",
        out(&output)
    );
}

#[test]
fn unknown_names_and_too_many_optimizers_are_errors_with_exit_code_2() {
    for (line, message) in [
        ("adm", "did you mean `adam`?"),
        ("adam:lr=fast", "lr is `fast`"),
        ("adam:beta1=[0.1,0.2", "`]`"),
        ("adam|sgd", "expected only one"),
    ] {
        let output = downhill(&["card", line]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{line}: {error}");
        assert!(error.contains(message), "{line}: {error}");
    }
    let many =
        format!("adam:lr=[{}]", (1..300).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    assert_eq!(downhill(&["card", &many]).status.code(), Some(2));
}

#[test]
fn the_tables_are_written_to_the_folder_of_out() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("cards");
    let output =
        downhill(&["card", "sgd", "clip_global|momentum", "--out", place.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(out(&output).contains("not a ranking"), "{}", out(&output));
    let markdown = fs::read_to_string(place.join("card.md")).unwrap();
    let in_cell = "| clip_global\\|momentum |";
    assert!(
        markdown.contains(in_cell) && TASKS.iter().all(|task| markdown.contains(task.question)),
        "{markdown}"
    );
    let csv = fs::read_to_string(place.join("card.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 2 * TASKS.len(), "{csv}");
}
