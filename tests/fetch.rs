//! Downloads and imports of data sets, with a local server that fails in many ways.
#![cfg(feature = "lab")]
#![cfg(feature = "cli")]

use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use downhill::lab::data::fetch::{
    FetchObserver, FetchOptions, Installed, checksum_remark, fetch, import,
};
use downhill::lab::data::known::{KnownDataset, Official};
use flate2::{Compression, write::GzEncoder};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The range that a connection requests: its first byte, or `None` for the whole file.
type Start = Option<usize>;

/// A server that answers the n-th connection with a function, and records all requests.
struct Server {
    address: String,
    requests: Arc<Mutex<Vec<Start>>>,
}

impl Server {
    fn new(answer: impl Fn(usize, Start, &mut TcpStream) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (recorded, answer) = (requests.clone(), Arc::new(answer));
        spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines: Vec<String> = BufReader::new(&stream)
                    .lines()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let range = lines.iter().find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("range: bytes=")
                        .map(|rest| rest.trim_end_matches('-').parse().unwrap())
                });
                let n = recorded.lock().unwrap().len();
                recorded.lock().unwrap().push(range);
                let answer = answer.clone();
                spawn(move || answer(n, range, &mut stream));
            }
        });
        Server { address, requests }
    }

    fn requests(&self) -> Vec<Start> {
        self.requests.lock().unwrap().clone()
    }
}

fn head(stream: &mut TcpStream, status: &str, length: usize, range: &str) {
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{range}Connection: close\r\n\r\n"
    );
}

/// Answers correctly.
fn serve(file: &[u8], from: Start, stream: &mut TcpStream) {
    match from {
        None => head(stream, "200 OK", file.len(), ""),
        Some(at) => head(
            stream,
            "206 Partial Content",
            file.len() - at,
            &format!("Content-Range: bytes {at}-{}/{}\r\n", file.len() - 1, file.len()),
        ),
    }
    let _ = stream.write_all(&file[from.unwrap_or(0)..]);
}

const CIFAR10: &[&str] = &[
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];

/// The beginning of the error about a wrong number of examples.
const NINETY: &str =
    "found 90 examples to train on and 18 to test on, in 10 classes, expected those of";

/// A small CIFAR-10 of random pixels, 330 kB as tar.gz, with its description.
fn small() -> (&'static KnownDataset, Vec<u8>) {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for name in CIFAR10 {
        let mut records = vec![0; 18 * 3073];
        random.fill_bytes(&mut records);
        records.iter_mut().step_by(3073).for_each(|class| *class %= 10);
        let mut header = tar::Header::new_gnu();
        header.set_size(records.len() as u64);
        tar.append_data(&mut header, format!("cifar-10-batches-bin/{name}"), &*records).unwrap();
    }
    let file = tar.into_inner().unwrap().finish().unwrap();
    let sha256: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
    let official = Official {
        name: "small.tar.gz",
        size: file.len() as u64,
        sha256: sha256.leak(),
        at: &["https://official.invalid/"],
    };
    let files = vec![official].leak();
    let known = KnownDataset {
        name: "small",
        docs: "",
        licence: "",
        source: "",
        files,
        examples: [90, 18],
        classes: 10,
        names: &[],
    };
    (Box::leak(Box::new(known)), file)
}

/// Records messages.
#[derive(Default)]
struct Listen(RefCell<Vec<String>>);

impl FetchObserver for Listen {
    fn started(&self, _: &str, _: u64, _: u64) {}
    fn received(&self, _: u64) {}
    fn message(&self, text: &str) {
        self.0.borrow_mut().push(text.into());
    }
}

fn from(servers: &[&Server], known: &KnownDataset, cache: &Path) -> Result<Installed, String> {
    let mirrors = servers.iter().map(|server| server.address.clone()).collect();
    let options = FetchOptions {
        mirrors,
        timeout: Duration::from_millis(300),
        pause: Duration::from_millis(1),
    };
    fetch(known, cache, &options, &Listen::default()).map_err(|error| error.to_string())
}

/// The data set is complete, and there are no other files.
fn is_there(installed: &Installed, cache: &Path) {
    assert_eq!(
        (installed.data.train.len(), installed.data.test.len(), &*installed.data.name),
        (90, 18, "small")
    );
    let mut left: Vec<_> =
        fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["small", "small.lock"]);
}

fn nothing_is_there(cache: &Path) {
    assert!(!cache.join("small").exists());
}

#[test]
fn a_data_set_is_downloaded_once() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let server = Server::new(move |_, range, stream| serve(&file, range, stream));
    let installed = from(&[&server], known, cache.path()).unwrap();
    is_there(&installed, cache.path());
    assert!(!installed.before);
    assert!(from(&[&server], known, cache.path()).unwrap().before);
    assert_eq!(server.requests(), [None]);
}

#[test]
fn a_data_set_that_was_damaged_on_the_disk_is_downloaded_again() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let server = Server::new(move |_, range, stream| serve(&file, range, stream));
    let installed = from(&[&server], known, cache.path()).unwrap();
    fs::remove_file(installed.folder.join("data_batch_2.bin")).unwrap();
    is_there(&from(&[&server], known, cache.path()).unwrap(), cache.path());
    assert_eq!(server.requests(), [None, None]);
}

#[test]
fn an_interrupted_download_is_resumed() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let size = file.len();
    let server = Server::new(move |n, range, stream| {
        let end = size.min((n + 1) * 100_000);
        let at = range.unwrap_or(0);
        match range {
            None => head(stream, "200 OK", size, ""),
            Some(_) => head(
                stream,
                "206 Partial Content",
                size - at,
                &format!("Content-Range: bytes {at}-{}/{size}\r\n", size - 1),
            ),
        }
        let _ = stream.write_all(&file[at..end]);
    });
    is_there(&from(&[&server], known, cache.path()).unwrap(), cache.path());
    assert_eq!(server.requests(), [None, Some(100_000), Some(200_000), Some(300_000)]);
}

#[test]
fn a_server_without_ranges_sends_the_file_from_its_beginning() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let server = Server::new(move |n, _, stream| {
        head(stream, "200 OK", file.len(), "");
        let _ = stream.write_all(if n == 0 { &file[..1000] } else { &file });
    });
    is_there(&from(&[&server], known, cache.path()).unwrap(), cache.path());
    assert_eq!(server.requests(), [None, Some(1000)]);
}

#[test]
fn a_wrong_range_in_the_answer_is_refused() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let server = Server::new(move |n, range, stream| match n {
        0 => {
            head(stream, "200 OK", file.len(), "");
            let _ = stream.write_all(&file[..1000]);
        }
        1 => serve(&file, Some(10), stream),
        _ => serve(&file, range, stream),
    });
    is_there(&from(&[&server], known, cache.path()).unwrap(), cache.path());
    assert_eq!(server.requests(), [None, Some(1000), None]);
}

#[test]
fn a_partial_file_with_wrong_bytes_is_downloaded_again() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let part = cache.path().join("small.part");
    fs::create_dir(&part).unwrap();
    fs::write(part.join("small.tar.gz.part"), [7; 5000]).unwrap();
    let server = Server::new(move |_, range, stream| serve(&file, range, stream));
    is_there(&from(&[&server], known, cache.path()).unwrap(), cache.path());
    assert_eq!(server.requests(), [Some(5000), None]);
}

#[test]
fn wrong_bytes_are_never_used() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let mut other = file.clone();
    other[100_000] ^= 1;
    let wrong = Server::new(move |_, range, stream| serve(&other, range, stream));
    let error = from(&[&wrong], known, cache.path()).unwrap_err();
    assert!(error.contains("wrong bytes, their sha256 is"), "{error}");
    nothing_is_there(cache.path());
    assert_eq!(wrong.requests(), [None], "another attempt would receive the same");

    let right = Server::new(move |_, range, stream| serve(&file, range, stream));
    is_there(&from(&[&wrong, &right], known, cache.path()).unwrap(), cache.path());
}

#[test]
fn a_missing_file_is_downloaded_from_the_next_address() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let without = Server::new(|_, _, stream| head(stream, "404 Not Found", 0, ""));
    let with = Server::new(move |_, range, stream| serve(&file, range, stream));
    is_there(&from(&[&without, &with], known, cache.path()).unwrap(), cache.path());
    assert_eq!((without.requests().len(), with.requests().len()), (1, 1));
}

#[test]
fn an_overloaded_server_is_tried_three_times() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let server = Server::new(move |n, range, stream| {
        if n < 2 {
            head(stream, "503 Service Unavailable", 0, "")
        } else {
            serve(&file, range, stream)
        }
    });
    is_there(&from(&[&server], known, cache.path()).unwrap(), cache.path());
    let never = Server::new(|_, _, stream| head(stream, "503 Service Unavailable", 0, ""));
    let error = from(&[&never], small().0, tempfile::tempdir().unwrap().path()).unwrap_err();
    assert!(
        error.contains("status 503 Service Unavailable") && never.requests().len() == 3,
        "{error}"
    );
}

#[test]
fn a_silent_server_is_given_up_and_the_received_bytes_are_kept() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let half = file.clone();
    let silent = Server::new(move |n, range, stream| {
        if n == 0 {
            head(stream, "200 OK", half.len(), "");
            let _ = stream.write_all(&half[..150_000]);
        } else {
            assert_eq!(range, Some(150_000));
        }
        sleep(Duration::from_secs(20));
    });
    let good = Server::new(move |_, range, stream| serve(&file, range, stream));
    let start = Instant::now();
    is_there(&from(&[&silent, &good], known, cache.path()).unwrap(), cache.path());
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!((silent.requests().len(), good.requests()), (4, vec![Some(150_000)]));
}

#[test]
fn a_slow_server_is_not_given_up_while_bytes_arrive() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let server = Server::new(move |_, _, stream| {
        head(stream, "200 OK", file.len(), "");
        for chunk in file.chunks(file.len() / 12) {
            let _ = stream.write_all(chunk);
            sleep(Duration::from_millis(100));
        }
    });
    is_there(&from(&[&server], known, cache.path()).unwrap(), cache.path());
    assert_eq!(server.requests(), [None]);
}

#[test]
fn a_wrong_content_length_is_refused() {
    for lie in [1usize, 10 << 40] {
        let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
        let server = Server::new(move |_, _, stream| {
            head(stream, "200 OK", lie, "");
            let _ = stream.write_all(&file);
        });
        let error = from(&[&server], known, cache.path()).unwrap_err();
        assert!(
            error.contains(&format!("a file of {lie} bytes, expected {}", known.files[0].size)),
            "{error}"
        );
        nothing_is_there(cache.path());
    }
}

#[test]
fn an_endless_body_is_cut_off_at_the_size_of_the_file() {
    let (cache, (known, _)) = (tempfile::tempdir().unwrap(), small());
    let sent = Arc::new(Mutex::new(0));
    let counter = sent.clone();
    let server = Server::new(move |_, _, stream| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[0; 1 << 16]).is_ok() {
            *counter.lock().unwrap() += 1 << 16;
        }
    });
    let error = from(&[&server], known, cache.path()).unwrap_err();
    assert!(
        error.contains(&format!("more than the file's {} bytes", known.files[0].size)),
        "{error}"
    );
    nothing_is_there(cache.path());
    let left = fs::metadata(cache.path().join("small.part/small.tar.gz.part")).unwrap().len();
    assert_eq!(left, 0);
    assert!(*sent.lock().unwrap() < 32 << 20, "the connection is closed");
}

#[test]
fn an_answer_that_is_not_http_is_refused() {
    let (cache, (known, _)) = (tempfile::tempdir().unwrap(), small());
    let server = Server::new(|_, _, stream| {
        let _ = stream.write_all(b"220 mail.example ready\r\n\r\n");
    });
    let error = from(&[&server], known, cache.path()).unwrap_err();
    assert!(error.contains("small.tar.gz could not be downloaded"), "{error}");
}

#[test]
fn an_incomplete_data_set_is_not_installed() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let files = vec![Official {
        name: known.files[0].name,
        size: known.files[0].size,
        sha256: known.files[0].sha256,
        at: &[],
    }]
    .leak();
    let known = KnownDataset {
        name: "small",
        docs: "",
        licence: "",
        source: "",
        files,
        examples: [100, 18],
        classes: 10,
        names: &[],
    };
    let server = Server::new(move |_, range, stream| serve(&file, range, stream));
    let error = from(&[&server], &known, cache.path()).unwrap_err();
    assert!(error.contains(&format!("{NINETY} small, 100 examples")), "{error}");
    nothing_is_there(cache.path());
}

#[test]
fn a_second_process_is_refused() {
    let (cache, (known, _)) = (tempfile::tempdir().unwrap(), small());
    let lock = fs::File::create(cache.path().join("small.lock")).unwrap();
    lock.lock().unwrap();
    let error = from(&[], known, cache.path()).unwrap_err();
    assert!(error.starts_with("another process is fetching small"), "{error}");
}

#[test]
fn a_file_that_the_user_put_there_is_used_if_it_has_the_right_bytes() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let nobody = Server::new(|_, _, stream| head(stream, "404 Not Found", 0, ""));
    let error = from(&[&nobody], known, cache.path()).unwrap_err();
    let folder =
        PathBuf::from(error.split(") into ").nth(1).unwrap().split(" and run").next().unwrap());
    let place = folder.join("small.tar.gz");
    fs::write(&place, &file[1..]).unwrap();
    assert!(from(&[&nobody], known, cache.path()).is_err());
    fs::write(&place, &file).unwrap();
    is_there(&from(&[&nobody], known, cache.path()).unwrap(), cache.path());
    assert_eq!(nobody.requests().len(), 2);
}

#[test]
fn files_are_imported_from_archive_and_folder() {
    let (cache, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let downloads = tempfile::tempdir().unwrap();
    fs::write(downloads.path().join("small.tar.gz"), &file).unwrap();
    for from in
        [downloads.path().join("small.tar.gz"), downloads.path().into(), cache.path().join("mine")]
    {
        let installed = import("mine", &from, cache.path()).unwrap();
        assert_eq!((installed.data.train.len(), installed.folder), (90, cache.path().join("mine")));
    }
    fs::write(downloads.path().join("small.tar.gz"), &file[..file.len() - 1]).unwrap();
    assert!(import("mine", downloads.path(), cache.path()).is_err());
    assert!(
        downhill::lab::data::load(&cache.path().join("mine").to_string_lossy()).is_ok(),
        "the old data set is kept"
    );
    for name in ["../mine", ".mine", "", "a|b", "mnist-10k"] {
        assert!(
            import(name, &cache.path().join("mine"), cache.path())
                .unwrap_err()
                .to_string()
                .starts_with(&format!("the name of a data set: found `{name}`, expected a word"))
        );
    }
    let error =
        import("cifar10", &cache.path().join("mine"), cache.path()).unwrap_err().to_string();
    assert!(error.contains(&format!("{NINETY} cifar10, 50000")), "{error}");
    assert!(error.starts_with(&cache.path().join("mine").display().to_string()), "{error}");
    // both CIFAR sets are in one folder, and each is found under its own name
    let one = |class: &[u8]| [class, &[0; 3072]].concat();
    fs::create_dir(downloads.path().join("both")).unwrap();
    let both = downloads.path().join("both");
    for (folder, files, record) in [
        ("cifar-10-batches-bin", CIFAR10, one(&[1])),
        ("cifar-100-binary", &["train.bin", "test.bin"][..], one(&[1, 99])),
    ] {
        fs::create_dir(both.join(folder)).unwrap();
        files.iter().for_each(|file| fs::write(both.join(folder).join(file), &record).unwrap());
    }
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    tar.append_dir_all("both", &both).unwrap();
    fs::write(downloads.path().join("both.tgz"), tar.into_inner().unwrap().finish().unwrap())
        .unwrap();
    let refused =
        |name: &str, from: &Path| import(name, from, cache.path()).unwrap_err().to_string();
    let hundred =
        "found 1 examples to train on and 1 to test on, in 100 classes, expected those of";
    for from in [&both, &downloads.path().join("both.tgz")] {
        assert!(
            refused("cifar100", from).contains(&format!("{hundred} cifar100")),
            "{}",
            refused("cifar100", from)
        );
    }
    assert!(
        refused("cifar10", &both.join("cifar-100-binary")).contains(&format!("{hundred} cifar10,"))
    );
    assert!(refused("other", &both).contains("several data sets (cifar10, cifar100)"));
    fs::write(cache.path().join("file"), "mine").unwrap();
    assert!(
        refused("file", &cache.path().join("mine")).contains("found a file, expected a folder")
    );
    assert_eq!(fs::read(cache.path().join("file")).unwrap(), b"mine");
    assert_eq!(
        import("named", &cache.path().join("mine"), cache.path()).unwrap().data.name,
        "named"
    );
    fs::write(cache.path().join("mine/data_batch_3.bin"), [0; 7]).unwrap();
    let error =
        import("cifar10", &cache.path().join("mine"), cache.path()).unwrap_err().to_string();
    assert!(
        error.starts_with(&cache.path().join("mine/data_batch_3.bin").display().to_string()),
        "{error}"
    );
    let _ = known;
}

fn downhill(cache: &Path, mirror: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
    command
        .args(args)
        .env("DOWNHILL_DATA", cache)
        .env("DOWNHILL_MIRROR", mirror)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn text(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn without_a_network_the_error_names_the_missing_file_and_its_folder() {
    let cache = tempfile::tempdir().unwrap();
    let (code, _, error) = text(
        &downhill(cache.path(), "http://127.0.0.1:1", &["fetch", "cifar10"]).output().unwrap(),
    );
    let last = error.lines().last().unwrap();
    assert_eq!(code, 2, "{error}");
    assert!(
        last.starts_with(
            "downhill: cifar-10-binary.tar.gz could not be downloaded \
             (http://127.0.0.1:1/cifar10/cifar-10-binary.tar.gz: "
        ),
        "{error}"
    );
    assert!(
        last.contains(&format!("into {} and run", cache.path().join("cifar10.part").display())),
        "{error}"
    );
    assert!(last.contains("170052171 bytes, sha256 c4a38c50a1bc5f3a"), "{error}");
    let (_, _, error) =
        text(&downhill(cache.path(), "http://127.0.0.1:1", &["fetch", "mnist"]).output().unwrap());
    for file in ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] {
        assert!(error.lines().last().unwrap().contains(&format!("{file}-ubyte.gz (")), "{error}");
    }
}

#[test]
fn files_that_differ_from_the_published_ones_get_a_remark() {
    let (folder, (known, file)) = (tempfile::tempdir().unwrap(), small());
    let path = folder.path().join("any.tar.gz");
    fs::write(&path, &file).unwrap();
    assert_eq!(checksum_remark(known, &path, &[]).unwrap(), None);
    fs::write(&path, &file[1..]).unwrap();
    let remark = checksum_remark(known, &path, &[]).unwrap().unwrap();
    assert!(
        remark.contains("found sha256")
            && remark.contains(&format!("published is {}", known.files[0].sha256)),
        "{remark}"
    );
    let files = [("data_batch_1.bin".to_string(), vec![0])];
    assert!(
        checksum_remark(known, folder.path(), &files)
            .unwrap()
            .unwrap()
            .starts_with("unpacked files")
    );
}

#[test]
fn the_error_of_a_missing_data_set_names_the_command_that_fetches_it() {
    let cache = tempfile::tempdir().unwrap();
    let train = ["train", "--model", "logistic", "--optimizer", "sgd", "--data", "imdb"];
    let (code, _, error) = text(&downhill(cache.path(), "", &train).output().unwrap());
    assert_eq!(code, 2);
    assert!(
        error.contains("`downhill fetch imdb` to download it (84 MB)")
            && error.contains("`downhill fetch imdb --from aclImdb_v1.tar.gz`"),
        "{error}"
    );
    let (code, _, error) = text(&downhill(cache.path(), "", &["fetch", "cifar"]).output().unwrap());
    assert_eq!((code, error.contains("did you mean `cifar10`")), (2, true), "{error}");
}

#[test]
fn an_imported_csv_file_becomes_a_data_set_to_train_on() {
    let cache = tempfile::tempdir().unwrap();
    let table = cache.path().join("table.csv");
    let lines: String = (0..60)
        .map(|line| {
            format!("{},{} film {line}\n", ["bad", "good"][line % 2], ["dull", "fine"][line % 2])
        })
        .collect();
    fs::write(&table, lines).unwrap();
    let (code, out, error) = text(
        &downhill(cache.path(), "", &["fetch", "films", "--from", &table.to_string_lossy()])
            .output()
            .unwrap(),
    );
    assert!(
        code == 0 && out.contains("in 2 classes (bad, good)\nto use it: --data films"),
        "{out}{error}"
    );
    let out = cache.path().join("out");
    let train = [
        "train",
        "--model",
        "logistic",
        "--optimizer",
        "adam:lr=0.1",
        "--epochs",
        "5",
        "--data",
        "films",
        "--out",
        &out.to_string_lossy(),
    ];
    let (code, out, error) = text(&downhill(cache.path(), "", &train).output().unwrap());
    assert_eq!(code, 0, "{out}{error}");
    let model = out.lines().find_map(|line| line.strip_prefix("model: ")).unwrap();
    let (_, out, error) =
        text(&downhill(cache.path(), "", &["eval", model, "--data", "films"]).output().unwrap());
    assert!(out.contains("accuracy 1.0000") && out.contains("good"), "{out}{error}");
    let (_, out, _) = text(&downhill(cache.path(), "", &["list", "data"]).output().unwrap());
    assert!(out.lines().any(|line| line.contains("films") && line.contains("your own")), "{out}");
    let (_, out, error) = text(&downhill(cache.path(), "", &["show", "films"]).output().unwrap());
    assert!(out.starts_with("films: your own, in ") && out.contains("2 classes"), "{out}{error}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_the_received_bytes_and_the_same_command_resumes() {
    let cache = tempfile::tempdir().unwrap();
    let server = Server::new(|_, range, stream| {
        let (at, size) = (range.unwrap_or(0), 84_125_825);
        match range {
            None => head(stream, "200 OK", size, ""),
            Some(_) => head(
                stream,
                "206 Partial Content",
                size - at,
                &format!("Content-Range: bytes {at}-{}/{size}\r\n", size - 1),
            ),
        }
        let _ = stream.write_all(&[1; 100_000]);
        sleep(Duration::from_secs(20));
    });
    let part = cache.path().join("imdb.part/aclImdb_v1.tar.gz.part");
    for times in 1..=2u64 {
        let child = downhill(cache.path(), &server.address, &["fetch", "imdb"]).spawn().unwrap();
        let start = Instant::now();
        while fs::metadata(&part).map_or(0, |part| part.len()) < times * 100_000 {
            assert!(start.elapsed() < Duration::from_secs(10));
            sleep(Duration::from_millis(10));
        }
        assert!(
            Command::new("kill")
                .args(["-INT", &child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        let (code, _, error) = text(&child.wait_with_output().unwrap());
        assert_eq!(
            (code, error.contains("the same command resumes the download")),
            (130, true),
            "{error}"
        );
        assert_eq!(fs::metadata(&part).unwrap().len(), times * 100_000);
    }
    assert_eq!(server.requests(), [None, Some(100_000)]);
}

#[test]
fn list_and_show_describe_the_known_data_sets() {
    let cache = tempfile::tempdir().unwrap();
    let (_, out, _) = text(&downhill(cache.path(), "", &["list", "data"]).output().unwrap());
    for name in ["mnist-10k", "mnist", "fashion-mnist", "cifar10", "cifar100", "imdb"] {
        assert!(out.contains(name), "{out}");
    }
    let (_, out, _) =
        text(&downhill(cache.path(), "", &["show", "fashion-mnist"]).output().unwrap());
    assert!(
        out.contains("licence: MIT")
            && out.contains("26421880 bytes")
            && out.contains("zalandoresearch"),
        "{out}"
    );
}
