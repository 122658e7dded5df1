//! The curves of the page in a browser: what they show equals points.csv, and a large report opens
//! fast.
#![cfg(feature = "lab")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// `.ci/run` sets DOWNHILL_BROWSER, so the tests are never skipped there.
fn browser() -> Option<PathBuf> {
    let known = ["chromium", "chromium-browser", "google-chrome"]
        .map(|name| Path::new("/usr/bin").join(name));
    let browser = std::env::var_os("DOWNHILL_BROWSER")
        .map(PathBuf::from)
        .or_else(|| known.into_iter().find(|path| path.exists()));
    if browser.is_none() {
        eprintln!("skipped: there is no chromium, and DOWNHILL_BROWSER is not set");
    }
    browser
}

/// The page in the browser, after its scripts.
fn opened(browser: &Path, page: &Path) -> String {
    let profile = page.with_file_name("profile");
    let done = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1300,800"])
        .args(["--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    String::from_utf8_lossy(&done.stdout).into_owned()
}

fn report(folder: &Path, out: &Path) -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_downhill"))
        .arg("report")
        .arg(folder)
        .arg("--out")
        .arg(out)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::read_to_string(out.join("index.html")).unwrap()
}

/// The mean over the seeds of each epoch, by measurement and series, and the steps of each epoch.
fn expected(points: &Path) -> Value {
    let mut csv = csv::Reader::from_path(points).unwrap();
    let head = csv.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|other| other == name).unwrap();
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let mut means = BTreeMap::new();
    for measure in ["batch_loss", "test_loss", "train_error"] {
        let mut values: BTreeMap<&str, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
        for row in &rows {
            if let Ok(value) = row[column(measure)].parse() {
                let of_series = values.entry(&row[column("series")]).or_default();
                of_series.entry(&row[column("epoch")]).or_default().push(value);
            }
        }
        let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
        let of_series = |epochs: BTreeMap<&str, Vec<f64>>| -> BTreeMap<String, f64> {
            epochs.into_iter().map(|(epoch, values)| (epoch.into(), mean(values))).collect()
        };
        let values: BTreeMap<String, _> =
            values.into_iter().map(|(label, epochs)| (label.into(), of_series(epochs))).collect();
        means.insert(measure, values);
    }
    let step = |row: &csv::StringRecord| {
        (row[column("epoch")].to_string(), row[column("step")].parse::<f64>().unwrap())
    };
    let steps: BTreeMap<String, f64> = rows.iter().map(step).collect();
    json!({ "metric": "batch_loss", "means": means, "steps": steps })
}

#[test]
fn the_curves_show_the_numbers_of_the_file() {
    let Some(browser) = browser() else { return };
    let place = tempfile::tempdir().unwrap();
    let page = report(Path::new("results/adam-fig2-mlp-paper"), place.path());
    for outside in ["src=\"http", "href=\"//", "@import", "fetch(", "XMLHttpRequest"] {
        assert!(!page.contains(outside), "the page loads an external resource: {outside}");
    }
    let expected = expected(&place.path().join("points.csv"));
    let driver = fs::read_to_string("tests/curves/drive.js").unwrap();
    let added = format!(
        "<script type=\"application/json\" id=\"expected\">{expected}</script><script>{driver}</script></body>"
    );
    let driven = place.path().join("driven.html");
    fs::write(&driven, page.replace("</body>", &added)).unwrap();
    let dom = opened(&browser, &driven);
    let result =
        dom.split("<pre id=\"driven\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    assert_eq!(result, Some("ok"), "the page has {} characters", dom.len());
}

/// Writes a run of 1,000 epochs like that of `like`, a record.
fn write_run(folder: &Path, like: &str, series: usize, seed: usize) {
    let mut header: Value = serde_json::from_str(like.lines().next().unwrap()).unwrap();
    let lr = 0.001 * (series + 1) as f64;
    header["series"] = format!("adam {series}").into();
    header["optimizer"] = format!(
        "adam:lr={lr},beta1=0.9,beta2=0.999,eps=1e-8,eps_place=outside,bias_correction=yes"
    )
    .into();
    (header["seed"], header["epochs"]) = (seed.into(), 1000.into());
    let mut text = format!("{header}\n");
    for epoch in 0..=1000 {
        let at = epoch as f64;
        let noise = (at * (seed + 3) as f64 * 12.9898).sin() * 0.05;
        let loss = (2.0 + noise) / (1.0 + 0.01 * at * (series + 1) as f64) + 0.01;
        let point = json!({
            "record": "point", "step": 469 * epoch, "epoch": epoch, "batch_loss": loss * 0.9,
            "grad_norm": 1.0, "gap": 0.1, "test_accuracy": 1.0 - loss / 3.0, "test_error": loss / 3.0,
            "test_loss": loss * 1.1, "train_error": loss / 4.0, "train_loss": loss,
            "train_loss_plus_penalty": loss, "seconds": at * 1.5 + seed as f64,
        });
        text += &format!("{point}\n");
    }
    text += "{\"record\":\"end\",\"outcome\":\"finished\",\"step\":469000,\"seconds\":1500.0}\n";
    fs::write(folder.join(format!("run-{series}-{seed}.jsonl")), text).unwrap();
}

#[test]
fn a_report_of_200_runs_with_1000_points_is_small_and_opens_fast() {
    let place = tempfile::tempdir().unwrap();
    let record = fs::read_dir("results/fmnist-2c2d/runs").unwrap().next().unwrap().unwrap();
    let like = fs::read_to_string(record.path()).unwrap();
    let runs = place.path().join("runs");
    fs::create_dir(&runs).unwrap();
    for run in 0..200 {
        write_run(&runs, &like, run / 10, run % 10);
    }
    let out = place.path().join("out");
    let page = report(&runs, &out);
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    let Some(browser) = browser() else { return };
    let dom = opened(&browser, &out.join("index.html"));
    let milliseconds = dom.split("data-opened=\"").nth(1).and_then(|rest| rest.split('"').next());
    let milliseconds: f64 = milliseconds.expect("the script ran to its end").parse().unwrap();
    eprintln!("{} bytes, {milliseconds} ms", page.len());
    // alone it takes under a second; other tests run beside it
    assert!(milliseconds < 5_000.0, "{milliseconds} ms");
}
