//! The committed results: each report.md equals the output of `downhill report` for the records in
//! its folder.
#![cfg(feature = "lab")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use downhill::lab::experiment::BUILT_IN;

#[test]
fn every_committed_report_is_up_to_date() {
    let folders: Vec<PathBuf> = fs::read_dir("results")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("report.md").is_file())
        .collect();
    assert!(!folders.is_empty());
    let readme = fs::read_to_string("results/README.md").unwrap();
    for folder in folders {
        let (shown, text) =
            (folder.display(), |name: &str| fs::read_to_string(folder.join(name)).unwrap());
        // a single training run has no experiment.toml
        if folder.join("experiment.toml").is_file() {
            let toml = text("experiment.toml");
            let built_in = BUILT_IN.iter().any(|(_, built_in)| *built_in == toml);
            assert!(
                built_in,
                "{shown}/experiment.toml differs from every file in experiments/; copy the current file there and run the report again"
            );
        }
        let out = tempfile::tempdir().unwrap();
        let made = Command::new(env!("CARGO_BIN_EXE_downhill"))
            .arg("report")
            .arg(&folder)
            .arg("--out")
            .arg(out.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{shown}: {}", String::from_utf8_lossy(&made.stderr));
        assert_eq!(
            text("report.md"),
            fs::read_to_string(out.path().join("report.md")).unwrap(),
            "{shown} is out of date; run downhill report {shown}"
        );
        for picture in text("report.md")
            .lines()
            .filter_map(|line| line.strip_prefix("![")?.split_once("](")?.1.strip_suffix(')'))
        {
            assert!(folder.join(picture).is_file(), "{shown} has no {picture}");
        }
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            readme.contains(&format!("({name}/report.md)")),
            "results/README.md has no link to {name}"
        );
    }
}
