//! Figures for papers, exports, and the page over all results.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

fn downhill(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_downhill"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = downhill(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// One sentence on standard error with these words, and exit code 2.
fn fails(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = downhill(folder, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
    assert_eq!(error.trim_end().lines().count(), 1, "{error}");
    for word in words {
        assert!(error.contains(word), "{arguments:?}: no `{word}` in {error}");
    }
}

/// Two result folders. The path of the first one has a space and a `#`.
fn results() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for (name, optimizers) in [("one #1", "sgd:lr=1e-3,adam:lr=0.1"), ("two", "adam:lr=0.1")] {
        let out = format!("out/{name}");
        let steps = ["--steps", "20", "--optimizers", optimizers, "--out", &out];
        succeeds(place.path(), &[&["surface", "beale"], &steps[..]].concat());
    }
    place
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_figure_has_the_width_8_pt_text_and_no_title() {
    let place = results();
    let files = ["--pdf", "f.pdf", "--svg", "f.svg", "--pgf", "f.tex", "--table", "t.tex"];
    let more = ["--bibtex", "b.bib", "--width", "85mm"];
    succeeds(place.path(), &[&["figure", "out/one #1"], &files[..], &more].concat());
    let read = |name: &str| fs::read_to_string(place.path().join(name)).unwrap();

    let svg = read("f.svg");
    assert!(svg.contains("width=\"240.94pt\""), "{}", &svg[..200]);
    let sizes = svg.split("font-size=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let sizes: Vec<f64> = sizes.map(|size| size.parse().unwrap()).collect();
    assert!(
        sizes.len() > 8 && sizes.iter().all(|size| (size / 8.0 - 8.0).abs() < 0.02),
        "{sizes:?}"
    );
    assert!(!svg.contains("Each series"), "a title");
    assert!(!svg.lines().any(|line| line.starts_with('-')), "a hyphen as a minus sign");

    let pdf = fs::read(place.path().join("f.pdf")).unwrap();
    let text = String::from_utf8_lossy(&pdf);
    assert!(pdf.starts_with(b"%PDF-") && !text.contains("/Image") && !text.contains("/Font"));
    let width = text.split("/MediaBox [0 0 ").nth(1).unwrap().split(' ').next().unwrap();
    assert!((width.parse::<f64>().unwrap() - 240.94).abs() < 0.01, "{width}");

    let pgf = read("f.tex");
    assert!(pgf.contains("\\begin{axis}") && pgf.contains("\\addlegendentry{adam}"), "{pgf}");
    let table = read("t.tex");
    assert!(table.contains("\\toprule") && table.contains("sgd lr=0.001"), "{table}");
    assert!(read("b.bib").contains("@misc{downhill,"));
}

#[test]
fn the_same_records_give_the_same_figure() {
    let place = results();
    for name in ["a.pdf", "b.pdf"] {
        succeeds(place.path(), &["figure", "out/two", "--pdf", name]);
    }
    let read = |name: &str| fs::read(place.path().join(name)).unwrap();
    assert_eq!(read("a.pdf"), read("b.pdf"));
}

#[test]
fn a_figure_refuses_bad_input_and_writes_nothing() {
    let place = results();
    fs::create_dir(place.path().join("empty")).unwrap();
    let before = names(place.path());
    for (arguments, words) in [
        (&["empty", "--pdf", "f.pdf"][..], &["empty", "no records"][..]),
        (&["nowhere", "--pdf", "f.pdf"], &["nowhere"]),
        (&["out/two", "--chart", "valu", "--pdf", "f.pdf"], &["valu", "`value`"]),
        (&["out/two", "--width", "3.25", "--pdf", "f.pdf"], &["--width", "`3.25`", "3.25in"]),
        (&["out/two", "--width", "1in", "--pdf", "f.pdf"], &["`1in`", "between 1.5in and 20in"]),
        (&["out/two", "--width", "-3in", "--pdf", "f.pdf"], &["`-3in`"]),
        (&["out/two", "--svg", "f.svg", "--pdf", "gone/f.pdf"], &["gone", "no such folder"]),
        (&["out/two", "--svg", "f.svg", "--pdf", "empty"], &["empty", "a folder"]),
    ] {
        fails(place.path(), &[&["figure"], arguments].concat(), words);
    }
    assert_eq!(names(place.path()), before);
    fails(place.path(), &["figure", "out/two"], &["no file to write", "--pdf"]);
    fails(place.path(), &["export", "out/two"], &["nothing to write", "--csv"]);
}

#[test]
fn the_tidy_csv_has_a_row_for_each_value() {
    let place = results();
    succeeds(place.path(), &["export", "out", "--csv", "all.csv"]);
    let mut csv = csv::Reader::from_path(place.path().join("all.csv")).unwrap();
    let head: Vec<String> = csv.headers().unwrap().iter().map(String::from).collect();
    assert_eq!(
        head.join(","),
        "experiment,series,optimizer,setting,seed,epoch,step,seconds,measurement,value"
    );
    let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
    let of = |row: &csv::StringRecord, series: &str, measurement: &str| {
        &row[1] == series && &row[8] == measurement
    };
    // three runs, and the initial point and 20 steps of each
    assert_eq!(rows.iter().filter(|row| &row[8] == "value").count(), 3 * 21);
    let sgd: Vec<_> = rows.iter().filter(|row| of(row, "sgd", "value")).collect();
    assert_eq!(sgd.len(), 21);
    assert_eq!((&sgd[0][2], &sgd[0][3]), ("sgd", "sgd:lr=0.001|constant"));
    let first: f64 = sgd[0][9].parse().unwrap();
    let last: f64 = sgd[20][9].parse().unwrap();
    assert!(last < first, "{first} {last}");
}

/// Wall time, step, and tags with values.
type Event = (f64, u64, Vec<(String, f32)>);

/// The events of a file. Fails if a checksum is wrong.
fn events(file: &Path) -> Vec<Event> {
    let bytes = fs::read(file).unwrap();
    let (mut rest, mut events) = (&bytes[..], Vec::new());
    let masked = |content: &[u8]| {
        // bit by bit, unlike the writer
        let crc = content.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0x82f6_3b78 * (crc & 1)))
        });
        (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
    };
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        assert_eq!(number(&rest[8..12]), masked(&rest[..8]));
        let content = &rest[12..12 + length];
        assert_eq!(number(&rest[12 + length..16 + length]), masked(content));
        let (mut time, mut step, mut scalars) = (0.0, 0, Vec::new());
        for (field, value) in fields(content) {
            match (field, value) {
                (1, Field::Eight(bytes)) => time = f64::from_le_bytes(bytes),
                (2, Field::Varint(value)) => step = value,
                (3, Field::Bytes(version)) => assert_eq!(version, b"brain.Event:2"),
                (5, Field::Bytes(summary)) => {
                    for (_, value) in fields(summary) {
                        let Field::Bytes(value) = value else { panic!("no message") };
                        let own: Vec<_> = fields(value);
                        let [(1, Field::Bytes(tag)), (2, Field::Four(x))] = own[..] else {
                            panic!("no scalar")
                        };
                        let tag = String::from_utf8(tag.to_vec()).unwrap();
                        scalars.push((tag, f32::from_le_bytes(x)));
                    }
                }
                _ => panic!("unknown field {field}"),
            }
        }
        events.push((time, step, scalars));
        rest = &rest[16 + length..];
    }
    events
}

enum Field<'a> {
    Varint(u64),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
    Four([u8; 4]),
}

/// The fields of a message of protobuf.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let value = match key & 7 {
            0 => Field::Varint(varint(&mut bytes)),
            1 => Field::Eight(bytes.split_off(..8).unwrap().try_into().unwrap()),
            2 => {
                let length = varint(&mut bytes) as usize;
                Field::Bytes(bytes.split_off(..length).unwrap())
            }
            5 => Field::Four(bytes.split_off(..4).unwrap().try_into().unwrap()),
            other => panic!("wire type {other}"),
        };
        fields.push((key >> 3, value));
    }
    fields
}

#[test]
fn tensorboard_files_contain_the_records() {
    let place = results();
    for _ in 0..2 {
        // the second export replaces the first
        succeeds(place.path(), &["export", "out/one #1", "--tensorboard", "logs"]);
    }
    let runs = place.path().join("logs/surface");
    let sgd = names(&runs).into_iter().find(|name| name.starts_with("sgd-lr0.001-seed0")).unwrap();
    let files = names(&runs.join(&sgd));
    assert_eq!(files.len(), 1, "{files:?}");
    let events = events(&runs.join(&sgd).join(&files[0]));
    assert_eq!(events.len(), 1 + 21);
    let record = place.path().join("out/one #1/runs").join(format!("{sgd}.jsonl"));
    let record = fs::read_to_string(record).unwrap();
    let points = record.lines().skip(1).take(21);
    for ((_, step, scalars), line) in events[1..].iter().zip(points) {
        let point: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(point["step"].as_u64(), Some(*step));
        let value = scalars.iter().find(|(tag, _)| tag == "value").unwrap().1;
        assert_eq!(value, point["value"].as_f64().unwrap() as f32);
    }
}

#[test]
fn an_export_refuses_a_folder_without_records() {
    let place = results();
    fs::create_dir(place.path().join("empty")).unwrap();
    fails(place.path(), &["export", "empty", "--csv", "all.csv"], &["empty", "no records"]);
    fails(place.path(), &["export", "out", "--csv", "gone/all.csv"], &["gone"]);
    assert!(!place.path().join("all.csv").exists());
}

#[test]
fn the_index_shows_all_results_and_names_damaged_ones() {
    let place = results();
    let out = place.path().join("out");
    fs::create_dir_all(out.join("notes")).unwrap();
    fs::create_dir_all(out.join("damaged/runs")).unwrap();
    fs::write(out.join("damaged/runs/a.jsonl"), "{}\n").unwrap();
    let output = downhill(place.path(), &["report", "--index", "out"]);
    assert!(output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("left out damaged: "), "{error}");
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    for part in [
        "href=\"one%20%231/index.html\"",
        "href=\"two/index.html\"",
        "<code>damaged</code>",
        "rank 1 of 2",
        "data-name=\"adam\"",
        "data-name=\"sgd\"",
    ] {
        assert!(page.replace("&#x2f;", "/").contains(part), "no {part} in {page}");
    }
    assert!(!page.contains("notes") && !page.contains("http"));
    // the page of a single experiment is not overwritten
    let page = fs::read(out.join("two/index.html")).unwrap();
    fails(place.path(), &["report", "--index", "out/two"], &["out/two", "one experiment"]);
    assert_eq!(fs::read(out.join("two/index.html")).unwrap(), page);
    fails(place.path(), &["report", "--index", "out/notes"], &["no results"]);
}

/// The verdicts and the question whether a run is complete do not depend on the commit.
#[test]
fn a_page_states_the_commit_of_the_runs_and_the_header_does_not() {
    let place = results();
    let runs = place.path().join("out/one #1/runs");
    for (i, name) in names(&runs).iter().enumerate() {
        let record = fs::read_to_string(runs.join(name)).unwrap();
        let (before, end) = record.trim_end().rsplit_once('\n').unwrap();
        let mut end: serde_json::Value = serde_json::from_str(end).unwrap();
        if let Some(commit) = option_env!("DOWNHILL_COMMIT") {
            assert_eq!(end["commit"], commit);
        }
        assert!(!before.contains("commit"), "{before}");
        end["commit"] = ["111111111111", "222222222222-dirty"][i].into();
        fs::write(runs.join(name), format!("{before}\n{end}\n")).unwrap();
    }
    let arguments = ["--steps", "20", "--optimizers", "sgd:lr=1e-3,adam:lr=0.1"];
    let again = [&["surface", "beale", "--out", "out/one #1"], &arguments[..]].concat();
    let again = downhill(place.path(), &again);
    let told = String::from_utf8_lossy(&again.stderr);
    assert!(told.contains("0 runs to make"), "{told}");
    succeeds(place.path(), &["figure", "out/one #1", "--bibtex", "b.bib"]);
    for file in ["b.bib", "out/one #1/index.html", "out/one #1/report.md"] {
        let text = fs::read_to_string(place.path().join(file)).unwrap();
        let commits = "commits 111111111111 and 222222222222-dirty";
        assert!(text.contains(commits), "{file}: {text}");
    }
}

#[test]
fn the_index_shows_the_paths_of_a_surface() {
    let place = results();
    succeeds(place.path(), &["report", "--index", "out"]);
    let page = fs::read_to_string(place.path().join("out/index.html")).unwrap();
    assert!(page.replace("&#x2f;", "/").contains("src=\"two/contour.svg\""), "{page}");
    assert!(!page.contains("animation.gif"), "its first frame has no paths");
}

fn wait_for(what: &str, is: impl Fn() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[cfg(unix)]
#[test]
fn a_watched_page_follows_the_records_and_stays_quiet_afterwards() {
    let place = results();
    let folder: PathBuf = place.path().join("out/one #1");
    let page = || fs::read_to_string(folder.join("index.html")).unwrap_or_default();
    let mut watch = Command::new(env!("CARGO_BIN_EXE_downhill"))
        .args(["report", "--watch"])
        .arg(&folder)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("a page that loads itself again", || page().contains("http-equiv=\"refresh\""));
    assert!(!page().contains("runs are missing"));
    // another process removes a run
    let records = names(&folder.join("runs"));
    let record = records.iter().find(|name| name.starts_with("adam")).unwrap();
    fs::remove_file(folder.join("runs").join(record)).unwrap();
    wait_for("the missing run", || page().contains("runs are missing"));
    let id = watch.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(watch.wait().unwrap().code(), Some(130));
    assert!(!page().contains("http-equiv"), "the last page loads itself again");
}

#[test]
fn the_page_copies_its_command() {
    let place = results();
    let page = fs::read_to_string(place.path().join("out/two/index.html")).unwrap();
    assert!(page.contains("data-command=\"downhill surface"), "no button");
    assert!(page.contains("Page written on 20"), "no date");
}
