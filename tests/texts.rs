//! What a user writes into an experiment does not break the files of its report.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const EXPERIMENT: &str = r#"
name = "texts"
title = "Texts"
paper = "none"
url = "https://example.org/a?b=c"
about = "For the tests."
schedule = "constant"
metric = { name = "value", label = "f" }
task = { kind = "surface", surface = "beale" }
scale.quick = { epochs = 3, seeds = 1, about = "" }
series = [
  { label = "<!--<script>", optimizer = "sgd:lr=1e-3" },
  { label = "=1+1", optimizer = "sgd:lr=2e-3" },
  { label = "+a", optimizer = "sgd:lr=3e-3" },
  { label = "-b", optimizer = "sgd:lr=4e-3" },
  { label = "@c|d", optimizer = "sgd:lr=5e-3" },
]
claim = [
  { quote = """first line
  second | line""", source = "a\r\n\nb", expect = { kind = "ahead", a = "=1+1", b = "+a" } },
]
"#;

fn run(folder: &Path, toml: &str) -> Output {
    let file = folder.join("texts.toml");
    fs::write(&file, toml).unwrap();
    let args = ["run", file.to_str().unwrap(), "--out"];
    let out = folder.join("out");
    Command::new(env!("CARGO_BIN_EXE_downhill")).args(args).arg(out).output().unwrap()
}

#[test]
fn texts_do_not_break_page_csv_and_markdown() {
    let folder = tempfile::tempdir().unwrap();
    let done = run(folder.path(), EXPERIMENT);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let read = |file: &str| fs::read_to_string(folder.path().join("out").join(file)).unwrap();

    let page = read("index.html");
    let data = page.split("id=\"player-data\">").nth(1).unwrap();
    let data = data.split("</script>").next().unwrap();
    assert!(!data.contains('<'), "{}", &data[..300]);
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["paths"][0]["label"], "<!--<script>");
    assert!(page.contains("https:&#x2f;&#x2f;example.org"));

    let csv = read("points.csv");
    for label in ["<!--<script>", "'=1+1", "'+a", "'-b", "'@c|d"] {
        assert!(
            csv.lines().any(|line| line.starts_with(&format!("{label},sgd"))),
            "{label}: {csv}"
        );
    }
    let is_number = |cell: &str| cell.parse::<f64>().is_ok();
    let negative =
        csv.lines().flat_map(|line| line.split(',')).filter(|cell| cell.starts_with('-'));
    assert!(negative.clone().count() == 0 || negative.clone().all(is_number), "{csv}");

    let report = read("report.md");
    let expected = r#"| "first line second \| line" (a b) |"#;
    assert!(report.contains(expected), "{report}");
    let cells = |line: &str| line.replace(r"\|", "").matches('|').count();
    let rows: Vec<&str> = report.lines().collect();
    for table in rows.chunk_by(|a, b| a.starts_with('|') && b.starts_with('|')) {
        assert!(table.iter().all(|row| cells(row) == cells(table[0])), "{table:?}");
    }
}

#[test]
fn only_web_addresses_become_links() {
    for url in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "//x.org",
        "x.org",
        " https://x.org",
        "https://x\\u0007",
        "file:///etc/passwd",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let toml = EXPERIMENT.replace("https://example.org/a?b=c", url);
        let done = run(folder.path(), &toml);
        let error = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{url}: {error}");
        let expected = "expected nothing, or an address that begins with http:// or https://";
        assert!(error.contains("url: found ") && error.contains(expected), "{url}: {error}");
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        assert!(!folder.path().join("out").exists(), "{url}");
    }
}
