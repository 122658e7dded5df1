//! Files that are no files, files that claim too much, links where a file is written, and disks and
//! memory that are full: the command says so in one sentence, with exit code 2, and leaves nothing
//! half written.
#![cfg(all(feature = "cli", unix))]

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

const DOWNHILL: &str = env!("CARGO_BIN_EXE_downhill");

/// An experiment that takes less than a second.
const SMALL: &str = r#"
name = "small"
title = "A small experiment"
paper = "none"
url = ""
about = "For the tests."
schedule = "constant"
metric = { name = "train_loss", label = "training loss" }
task = { kind = "classify", model = "logistic", data = "mnist-10k", batch = 1000 }
scale.quick = { epochs = 1, seeds = 1, search = 1, about = "" }
series = [{ label = "Adam", optimizer = "adam" }, { label = "SGD", optimizer = "sgd" }]
claim = [
  { quote = "Adam is ahead", source = "us", expect = { kind = "ahead", a = "Adam", b = "SGD" } },
]
"#;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The path of a new file or link.
    fn with(&self, name: &str, make: impl FnOnce(&Path)) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        make(&path);
        path.to_str().unwrap().into()
    }

    fn pipe(&self, name: &str) -> String {
        self.with(name, |path| {
            assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        })
    }

    /// Every file and folder below, except locks.
    fn everything(&self, below: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.path(below)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                }
                let path = entry.path().strip_prefix(self.0.path()).unwrap().to_path_buf();
                found.push(path.to_str().unwrap().to_string());
            }
        }
        found.retain(|path| !path.ends_with("lock"));
        found.sort();
        found
    }
}

/// Runs the command in the folder; it must end within a minute.
fn downhill(place: &Place, args: &[&str]) -> Output {
    ended(Command::new(DOWNHILL).args(args).current_dir(&place.0), args)
}

/// The same with limits that a shell sets before, such as `ulimit -v 1000`.
fn limited(place: &Place, limits: &str, args: &[&str]) -> Output {
    let mut shell = Command::new("sh");
    let line = format!("{limits}; exec {DOWNHILL} \"$@\"");
    ended(shell.args(["-c", &line, "sh"]).args(args).current_dir(&place.0), args)
}

fn ended(command: &mut Command, args: &[&str]) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let _open = child.stdin.take(); // nothing is written, and it does not end
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{args:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// The message of a command that was refused with one sentence.
fn refused(output: &Output, args: &[&str]) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
    // lines about finished runs may come before it
    let message = text.lines().last().unwrap_or_default();
    assert!(message.starts_with("downhill: ") && !text.contains("panicked"), "{args:?}: {text}");
    message.into()
}

#[track_caller]
fn refuses(place: &Place, args: &[&str], parts: &[&str]) {
    let message = refused(&downhill(place, args), args);
    for part in parts {
        assert!(message.contains(part), "{args:?}: {message}\nhas no {part:?}");
    }
}

#[test]
fn pipes_and_devices_are_refused_by_every_reader() {
    let place = Place::new();
    let [csv, archive, toml, record] =
        ["a.csv", "a.tar.gz", "a.toml", "runs/a.jsonl"].map(|name| place.pipe(name));
    let pipe = "found a pipe, expected a regular file";
    for args in [
        &["eval", &csv][..],
        &["verify", &csv],
        &["verify", "/dev/stdin"],
        &["run", &toml],
        &["run", "adam-fig1-mnist", "--data", &csv],
        &["run", "adam-fig1-mnist", "--data", &archive],
        &["train", "--model", "logistic", "--optimizer", "adam", "--data", &csv],
        &["fetch", "own", "--from", &csv, "--to", "cache"],
        &["fetch", "own", "--from", &archive, "--to", "cache"],
        &["report", &record],
        &["report", "runs"],
    ] {
        refuses(&place, args, &[pipe]);
    }
    for endless in ["/dev/zero", "/dev/urandom"] {
        for args in [
            &["eval", endless][..],
            &["verify", endless],
            &["run", "adam-fig1-mnist", "--data", endless],
            &["fetch", "own", "--from", endless, "--to", "cache"],
        ] {
            refuses(&place, args, &[endless, "found a device, expected a regular file"]);
        }
    }
    refuses(&place, &["verify", "."], &["found a folder, expected a regular file"]);
    assert_eq!(place.everything("cache"), [""; 0]);
}

#[test]
fn a_file_above_the_stated_size_is_refused_before_it_is_read() {
    let place = Place::new();
    // sparse files: they take no space on the disk
    let large = |name: &str, size| {
        place.with(name, |path| fs::File::create(path).unwrap().set_len(size).unwrap())
    };
    let (json, toml, csv) =
        (large("a.json", 1 << 40), large("a.toml", 1 << 30), large("a.csv", 1 << 40));
    refuses(&place, &["verify", &json], &[&json, "a file of 1.1 TB, expected at most 268.4 MB"]);
    refuses(&place, &["run", &toml], &[&toml, "a file of 1.1 GB, expected at most 16.8 MB"]);
    refuses(
        &place,
        &["run", "adam-fig1-mnist", "--data", &csv],
        &[&csv, "a file of 1.1 TB, expected at most 4.3 GB"],
    );
    refuses(&place, &["eval", &csv], &[&csv, "found no safetensors header"]);
}

/// A gzip file of `head` and then zeros.
fn zeros(path: &Path, head: &[u8], zeros: usize) {
    let mut file = GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast());
    file.write_all(head).unwrap();
    let chunk = vec![0; 1 << 20];
    for _ in 0..zeros >> 20 {
        file.write_all(&chunk).unwrap();
    }
    file.finish().unwrap();
}

#[test]
fn gzip_files_that_claim_a_thousand_times_their_size_are_refused_within_little_memory() {
    let place = Place::new();
    let train = ["train", "--model", "logistic", "--optimizer", "adam", "--data"];
    let memory = "ulimit -v 1000000"; // kB; the command itself takes up to 400,000

    let size: u32 = 512 << 20;
    let head = [&[0, 0, 8, 3][..], &(size >> 4).to_be_bytes(), &[0, 0, 0, 4, 0, 0, 0, 4]].concat();
    for file in ["images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"] {
        place.with(&format!("idx/{file}"), |path| zeros(path, &head, size as usize));
    }
    let args = [&train[..], &["idx"]].concat();
    let message = refused(&limited(&place, memory, &args), &args);
    let length = fs::metadata(place.path("idx/images-idx3-ubyte.gz")).unwrap().len();
    let claim = format!("claims 33554432 x 4 x 4 numbers in a file of {length} bytes, expected");
    assert!(message.contains("idx/images-idx3-ubyte.gz: found a header that"), "{message}");
    assert!(message.contains(&claim), "{message}");

    let mut header = tar::Header::new_gnu();
    header.set_path("cifar-10-batches-bin/data_batch_1.bin").unwrap();
    header.set_size(u64::from(size));
    header.set_cksum();
    place.with("bomb.tar.gz", |path| zeros(path, header.as_bytes(), size as usize));
    let args = [&train[..], &["bomb.tar.gz"]].concat();
    let message = refused(&limited(&place, memory, &args), &args);
    let found = "data_batch_1.bin: found a size of 536.9 MB, expected at most ";
    assert!(message.contains(found), "{message}");

    // an entry that no data set has is not kept, but its end has to be found
    header.set_path("other").unwrap();
    header.set_cksum();
    place.with("other.tar.gz", |path| zeros(path, header.as_bytes(), size as usize));
    let args = [&train[..], &["other.tar.gz"]].concat();
    let message = refused(&limited(&place, memory, &args), &args);
    assert!(message.contains("other.tar.gz: found "), "{message}");
}

/// Makes a second folder in which each file of the first is a link to `target`.
fn link_all(place: &Place, [first, second]: [&str; 2], target: &Path) {
    for file in place.everything(first) {
        if place.path(&file).is_file() {
            place.with(&file.replacen(first, second, 1), |path| symlink(target, path).unwrap());
        }
    }
}

#[test]
fn nothing_is_written_through_a_symbolic_link() {
    let place = Place::new();
    let mine = place.path("mine");
    fs::write(&mine, "my own file").unwrap();
    fs::write(place.path("small.toml"), SMALL).unwrap();
    let args = ["run", "small.toml", "--out", "first"];
    assert!(downhill(&place, &args).status.success());
    link_all(&place, ["first", "links"], &mine);
    // the file that says whose results these are is read, and has to be one
    fs::remove_file(place.path("links/experiment.toml")).unwrap();
    let args = ["run", "small.toml", "--out", "links"];
    let output = downhill(&place, &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_to_string(&mine).unwrap(), "my own file");
    assert_eq!(place.everything("links").len(), place.everything("first").len());

    let picture = ["surface", "x^2+y^2", "--out"];
    assert!(downhill(&place, &[&picture[..], &["pictures"]].concat()).status.success());
    link_all(&place, ["pictures", "more"], &mine);
    fs::remove_file(place.path("more/experiment.toml")).unwrap();
    assert!(downhill(&place, &[&picture[..], &["more"]].concat()).status.success());
    assert_eq!(fs::read_to_string(&mine).unwrap(), "my own file");
}

/// Checks that no file below was cut: records have whole lines, a model has all its bytes, and there
/// is no temporary file.
fn nothing_is_cut(place: &Place, below: &str) {
    for file in place.everything(below) {
        let path = place.path(&file);
        let Some(extension) = path.extension().filter(|_| path.is_file()) else {
            assert!(path.is_dir(), "{file} is left");
            continue;
        };
        match extension.to_str().unwrap() {
            "jsonl" => {
                let text = fs::read_to_string(&path).unwrap();
                assert!(text.ends_with("}\n") && text.contains("\"end\""), "{file} is cut");
            }
            "safetensors" => assert!(fs::metadata(&path).unwrap().len() > 31_400, "{file} is cut"),
            _ => assert!(fs::metadata(&path).unwrap().len() > 0, "{file} is empty"),
        }
    }
}

/// Data of 3000 rows, 28 kB.
fn table(path: &Path) {
    let row = |n: usize| format!("{}.5,{},{}\n", n % 97, n % 31, ["a", "b"][n % 2]);
    fs::write(path, (0..3000).map(row).collect::<String>()).unwrap();
}

/// The commands that write: each with the folder where it does.
fn writers(out: &str) -> [(Vec<String>, String); 3] {
    let words = |line: String| line.split(' ').map(String::from).collect();
    [
        (
            words(format!(
                "train --model logistic --optimizer adam --epochs 1 --batch 1000 --out {out}/train"
            )),
            format!("{out}/train"),
        ),
        (words(format!("run small.toml --out {out}/run")), format!("{out}/run")),
        (words(format!("fetch own --from a.csv --to {out}/cache")), format!("{out}/cache")),
    ]
}

#[test]
fn nothing_half_written_stays_when_no_file_can_grow() {
    let place = Place::new();
    table(&place.path("a.csv"));
    fs::write(place.path("small.toml"), SMALL).unwrap();
    // blocks of 512 bytes: not one byte, a record but no page and no model, some of a model
    for blocks in [0, 8, 24] {
        for (args, folder) in writers(&format!("full{blocks}")) {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let limit = format!("trap '' XFSZ; ulimit -f {blocks}");
            let message = refused(&limited(&place, &limit, &args), &args);
            assert!(message.contains("cannot write") && message.contains("too large"), "{message}");
            nothing_is_cut(&place, &folder);
            if args[0] == "fetch" {
                assert_eq!(place.everything(&folder), [""; 0]);
            }
        }
    }
}

/// A file system of 16 kB in memory, which is unmounted at the end.
struct Tiny<'a>(&'a Path);

impl<'a> Tiny<'a> {
    fn mount(folder: &'a Path) -> Option<Tiny<'a>> {
        fs::create_dir_all(folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=16k", "tmpfs"]).arg(folder).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Tiny(folder))
    }
}

impl Drop for Tiny<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn nothing_half_written_stays_on_a_full_disk() {
    let place = Place::new();
    table(&place.path("a.csv"));
    fs::write(place.path("small.toml"), SMALL).unwrap();
    for (at, (args, folder)) in writers("tiny").into_iter().enumerate() {
        let disk = place.path("tiny");
        let Some(_tiny) = Tiny::mount(&disk) else {
            eprintln!("skipped: mounting a tmpfs is not permitted here");
            return;
        };
        let filler = place.path("tiny/filler");
        fs::write(&filler, vec![0; [0, 0, 8 << 10][at]]).unwrap();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let message = refused(&downhill(&place, &args), &args);
        assert!(message.contains("cannot ") && message.contains("space"), "{message}");
        nothing_is_cut(&place, &folder);
        if args[0] == "fetch" {
            assert_eq!(place.everything(&folder), [""; 0]);
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_model_that_does_not_fit_is_refused_at_once() {
    let place = Place::new();
    let train =
        |model| ["train", "--epochs", "1", "--optimizer", "adam", "--model", model].to_vec();
    let limited = |args: &[&str]| {
        let start = Instant::now();
        let message = refused(&limited(&place, "ulimit -v 3000000", args), args);
        assert!(start.elapsed() < Duration::from_secs(5), "{args:?}: {:?}", start.elapsed());
        message
    };
    let message = limited(&train("mlp:hidden=100000-100000"));
    assert!(message.contains("10079600010 parameters"), "{message}");
    // 416 million parameters
    let message = limited(&train("mlp:hidden=20000-20000"));
    let parts = [
        "downhill: mlp:hidden=20000-20000,",
        "found a need of 20.0 GB of memory, 13.3 GB of it for a checkpoint, expected",
        "that are available; a smaller model or an optimizer with less state",
    ];
    for part in parts {
        assert!(message.contains(part), "{message}\nhas no {part:?}");
    }
    assert_eq!(place.everything("."), [""; 0]);

    let toml = SMALL.replace("logistic", "mlp:hidden=20000-20000");
    fs::write(place.path("large.toml"), toml).unwrap();
    let message = limited(&["run", "large.toml", "--out", "out", "--jobs", "2"]);
    assert!(message.contains("GB of memory, 13.3 GB of it for a checkpoint"), "{message}");
    assert!(!message.contains("at a time"), "{message}");
}

/// Runs the command as a user that may have this many threads. `None` unless this is the root user,
/// whose own threads are not limited.
fn with_threads(place: &Place, most: usize, args: &[&str]) -> Option<Output> {
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = Command::new("setpriv");
    let user = ["--reuid", "54321", "--regid", "54321", "--clear-groups", "prlimit"];
    command.args(user).arg(format!("--nproc={most}")).arg(DOWNHILL).args(args);
    let may_try = Command::new("setpriv").args(&user[..5]).arg(DOWNHILL).arg("--version").output();
    may_try
        .is_ok_and(|tried| tried.status.success())
        .then(|| ended(command.current_dir(&place.0), args))
}

#[test]
fn a_limit_on_threads_means_fewer_workers_or_one_sentence() {
    let place = Place::new();
    table(&place.path("a.csv"));
    fs::write(place.path("small.toml"), SMALL).unwrap();
    let args = ["run", "small.toml", "--out", "out", "--jobs", "4"];
    let Some(few) = with_threads(&place, 3, &args) else {
        eprintln!("not tested: this user may not become another one");
        return;
    };
    let message = refused(&few, &args);
    assert!(message.contains("more that the system allows, expected 5 (`ulimit -u`)"), "{message}");
    assert!(!place.path("out").exists());
    let ended = with_threads(&place, 7, &args).unwrap();
    let text = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{text}");
    assert!(text.contains("at a time instead of") || !text.contains("bug"), "{text}");
}

#[test]
fn a_link_in_place_of_a_lock_is_refused() {
    let place = Place::new();
    place.with("cache/mnist.lock", |path| symlink("../elsewhere", path).unwrap());
    fs::create_dir(place.path("empty")).unwrap();
    let args = ["fetch", "mnist", "--from", "empty", "--to", "cache"];
    refuses(&place, &args, &["mnist.lock: found a symbolic link, expected a regular file"]);
    assert!(!place.path("elsewhere").exists());
}

#[test]
fn a_card_of_newton_stays_within_its_memory() {
    let place = Place::new();
    // the whole address space, most of which is reserved and not used
    let ended = limited(&place, "ulimit -v 1200000", &["card", "newton:lr=1"]);
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
}
