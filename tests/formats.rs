//! All data formats, intact and damaged. A truncated or changed file gives an error or valid data,
//! never a panic. Allocated memory is at most a constant times the size of the files.
#![cfg(feature = "lab")]

mod counting;

use std::fs;
use std::io::Write;
use std::path::Path;

use downhill::lab::data::{self, Dataset, Inputs};
use flate2::{Compression, write::GzEncoder};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tar::{EntryType, Header};

use counting::measured;

/// The files of a data set, and the path that is loaded.
struct Case {
    name: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
    load: &'static str,
    /// Allowed bytes of memory per byte of the files: 100, or more for gzip files.
    each: usize,
    /// Whether every truncated file is rejected.
    sealed: bool,
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::new(1));
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn entry(tar: &mut tar::Builder<Vec<u8>>, path: &str, kind: EntryType, content: &[u8]) {
    let mut header = Header::new_gnu();
    // set_path rejects invalid paths
    header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    tar.append(&header, content).unwrap();
}

fn archive(folder: &str, files: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in files {
        entry(&mut tar, &format!("{folder}/{name}"), EntryType::Regular, content);
    }
    tar.into_inner().unwrap()
}

fn idx(dims: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|dim| file.extend(dim.to_be_bytes()));
    file.extend(bytes);
    file
}

fn mnist() -> Vec<(&'static str, Vec<u8>)> {
    let pixels: Vec<u8> = (0..24).collect();
    vec![
        ("train-images-idx3-ubyte", idx(&[6, 2, 2], &pixels)),
        ("train-labels-idx1-ubyte", idx(&[6], &[0, 1, 2, 3, 4, 9])),
        ("t10k-images-idx3-ubyte.gz", zipped(&idx(&[2, 2, 2], &pixels[..8]))),
        ("t10k-labels-idx1-ubyte.gz", zipped(&idx(&[2], &[7, 8]))),
    ]
}

/// Records in which every pixel equals the class.
fn records(labels: &[&[u8]]) -> Vec<u8> {
    labels
        .iter()
        .flat_map(|label| [label.to_vec(), vec![label[label.len() - 1]; 3072]].concat())
        .collect()
}

fn cifar10() -> Vec<(&'static str, Vec<u8>)> {
    let names = [
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ];
    let mut files: Vec<_> =
        names.into_iter().zip(0..).map(|(name, class)| (name, records(&[&[class]]))).collect();
    files.push(("test_batch.bin", records(&[&[9], &[8]])));
    files.push(("batches.meta.txt", b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n".to_vec()));
    files
}

fn cifar100() -> Vec<(&'static str, Vec<u8>)> {
    vec![("train.bin", records(&[&[1, 99], &[19, 0]])), ("test.bin", records(&[&[3, 42]]))]
}

fn imdb() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("train/labeledBow.feat", b"9 0:3 1:1 2:5\n1 1:1 3:1\n".to_vec()),
        ("test/labeledBow.feat", b"4 2:2 4:7\n10 0:1\n".to_vec()),
        ("imdb.vocab", b"the\nand\nfilm\nbad\nnever\n".to_vec()),
    ]
}

fn reviews() -> Vec<u8> {
    let mut file = b"sentiment,confidence,text\n".to_vec();
    for line in 0..20 {
        let class = ["negative", "positive", "neutral"][line % 3];
        file.extend(
            format!("{class},0.{line},\"Don't say \"\"no\"\", say {line}\"\n").into_bytes(),
        );
    }
    file
}

fn cases() -> Vec<Case> {
    let both = 3 * 1040 + 100; // a growing vector exists twice and is copied once
    let case = |name, files, load, each, sealed| Case { name, files, load, each, sealed };
    vec![
        case("idx", mnist(), "", both, true),
        case(
            "idx.tar.gz",
            vec![("a.tar.gz", zipped(&archive("mnist", &mnist())))],
            "a.tar.gz",
            both,
            true,
        ),
        case("cifar10", cifar10(), "", 100, false),
        case(
            "cifar10.tar.gz",
            vec![("a.tar.gz", zipped(&archive("cifar-10-batches-bin", &cifar10())))],
            "a.tar.gz",
            both,
            true,
        ),
        case("cifar100", cifar100(), "", 100, false),
        case("imdb", imdb(), "", 100, false),
        case(
            "imdb.tar.gz",
            vec![("a.tar.gz", zipped(&archive("aclImdb", &imdb())))],
            "a.tar.gz",
            both,
            true,
        ),
        case("csv", vec![("reviews.csv", reviews())], "reviews.csv", 300, false),
    ]
}

fn lay(case: &Case, folder: &Path) {
    for (name, content) in &case.files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn load(folder: &Path, path: &str) -> Result<Dataset, String> {
    data::load(&folder.join(path).to_string_lossy())
        .map_err(|error| error.to_string().replace(&*folder.to_string_lossy(), "DIR"))
}

/// Loads a case. Checks that the result is valid data or a short error. Checks the peak memory.
fn tried(case: &Case, folder: &Path) -> Result<Dataset, String> {
    let size: usize = case.files.iter().map(|(_, content)| content.len()).sum();
    let (loaded, most) = measured(|| load(folder, case.load));
    let at_most = case.each * size + (1 << 20);
    assert!(most <= at_most, "{}: {most} bytes allocated for {size} bytes of files", case.name);
    match &loaded {
        Ok(data) => {
            for set in [&data.train, &data.test] {
                assert!(!set.is_empty() && set.features() > 0);
                assert!(set.labels.classes().iter().all(|label| (*label as usize) < data.classes));
                match &set.inputs {
                    Inputs::Pixels(pixels) => {
                        assert_eq!(pixels.len(), set.len() * set.features())
                    }
                    Inputs::Numbers(_) => panic!("no format gives Inputs::Numbers"),
                    Inputs::Sparse(rows) => {
                        assert_eq!((rows.len(), rows.columns), (set.len(), set.features()));
                        assert!(
                            rows.offsets.is_sorted()
                                && *rows.offsets.last().unwrap() == rows.index.len()
                        );
                        assert!(
                            rows.index.len() == rows.values.len()
                                && rows
                                    .index
                                    .iter()
                                    .all(|column| (*column as usize) < rows.columns)
                        );
                    }
                }
            }
            assert!(data.names.is_empty() || data.names.len() == data.classes);
        }
        Err(error) => {
            assert!(error.contains("expected") && error.len() < 1000, "{}: {error}", case.name)
        }
    }
    loaded
}

#[test]
fn every_truncation_gives_an_error_or_valid_data() {
    for case in cases() {
        let folder = tempfile::tempdir().unwrap();
        lay(&case, folder.path());
        tried(&case, folder.path()).unwrap();
        for (name, content) in &case.files {
            for length in 0..content.len() {
                fs::write(folder.path().join(name), &content[..length]).unwrap();
                let loaded = tried(&case, folder.path());
                assert!(
                    !case.sealed || loaded.is_err(),
                    "{name} truncated to {length} of {} bytes is accepted",
                    content.len()
                );
            }
            fs::write(folder.path().join(name), content).unwrap();
        }
    }
}

fn mutated(original: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut file = original.to_vec();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..file.len());
        match random.random_range(0..4) {
            0 => file[at] = random.random(),
            1 => file[at] = b"0129,:\"\n \xff"[random.random_range(0..10)],
            2 => drop(file.drain(at..(at + random.random_range(1..20)).min(file.len()))),
            _ => {
                let from = random.random_range(0..file.len());
                let copy = file[from..(from + random.random_range(1..20)).min(file.len())].to_vec();
                file.splice(at..at, copy);
            }
        }
        if file.is_empty() {
            break;
        }
    }
    file
}

#[test]
fn ten_thousand_mutations_of_each_format_give_errors_or_valid_data() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for case in cases() {
        let folder = tempfile::tempdir().unwrap();
        lay(&case, folder.path());
        let mut taken = 0;
        for _ in 0..10_000 {
            let (name, content) = &case.files[random.random_range(0..case.files.len())];
            fs::write(folder.path().join(name), mutated(content, &mut random)).unwrap();
            taken += usize::from(tried(&case, folder.path()).is_ok());
            fs::write(folder.path().join(name), content).unwrap();
        }
        assert!(taken < 10_000, "no mutation of {} is rejected", case.name);
    }
}

/// The files are mutated before compression, so the gzip checksum is valid.
#[test]
fn ten_thousand_mutations_of_each_uncompressed_archive_give_errors_or_valid_data() {
    let mut random = ChaCha8Rng::seed_from_u64(6);
    for (inside, files) in
        [("mnist", mnist()), ("cifar-10-batches-bin", cifar10()), ("aclImdb", imdb())]
    {
        let tar = archive(inside, &files);
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..10_000 {
            let mut changed = mutated(&tar, &mut random);
            if random.random_bool(0.5) {
                // mutate a header and set a correct checksum
                changed = tar.clone();
                let at = 512 * random.random_range(0..tar.len() / 512);
                changed[at + random.random_range(0..345)] =
                    b"01234567/.L\x80\xff"[random.random_range(0..13)];
                changed[at + 148..at + 156].fill(b' ');
                let sum: u32 = changed[at..at + 512].iter().map(|byte| u32::from(*byte)).sum();
                changed[at + 148..at + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
            let file = zipped(&changed);
            fs::write(folder.path().join("a.tar.gz"), &file).unwrap();
            let case = Case {
                name: inside,
                files: vec![("a.tar.gz", file)],
                load: "a.tar.gz",
                each: 3 * 1040 + 100,
                sealed: true,
            };
            let _ = tried(&case, folder.path());
        }
    }
}

#[test]
fn every_format_returns_the_written_data() {
    for case in cases() {
        let folder = tempfile::tempdir().unwrap();
        lay(&case, folder.path());
        let data = tried(&case, folder.path()).unwrap();
        let labels = [data.train.labels.classes(), data.test.labels.classes()].concat();
        match case.name {
            "idx" | "idx.tar.gz" => {
                assert_eq!(
                    (labels.as_slice(), &*data.train.shape),
                    ([0, 1, 2, 3, 4, 9, 7, 8].as_slice(), [2, 2].as_slice())
                )
            }
            "cifar10" | "cifar10.tar.gz" => {
                assert_eq!(
                    (labels.as_slice(), &*data.train.shape),
                    ([0, 1, 2, 3, 4, 9, 8].as_slice(), [3, 32, 32].as_slice())
                );
                assert_eq!((data.class(9), data.classes), ("j".into(), 10));
                assert!((3 * 3072..4 * 3072).all(|at| data.train.numbers()[at] == 3.0 / 255.0));
            }
            "cifar100" => assert_eq!(
                (labels.as_slice(), data.classes, data.class(42)),
                ([99, 0, 42].as_slice(), 100, "42".into())
            ),
            "imdb" | "imdb.tar.gz" => {
                // training counts: "film" 5, "the" 3, "and" 2, "bad" 1, "never" 0
                assert_eq!(
                    (labels.as_slice(), &*data.train.shape),
                    ([1, 0, 0, 1].as_slice(), [4].as_slice())
                );
                assert_eq!(data.train.numbers(), [5.0, 3.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
                assert_eq!(data.test.numbers(), [2.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
            }
            _ => {
                assert_eq!(data.names, ["negative", "neutral", "positive"]);
                assert_eq!(data.train.len() + data.test.len(), 20);
                let first: Vec<(u32, f32)> = match &data.train.inputs {
                    Inputs::Sparse(rows) => rows.row(0).collect(),
                    _ => panic!("texts are sparse"),
                };
                // each text contains "say" twice, "don't" and "no" once, and a number that occurs
                // in no other text
                assert_eq!(first.iter().filter(|(column, _)| *column < 3).count(), 3);
                assert!(
                    first.contains(&(0, 2.0))
                        && first.contains(&(1, 1.0))
                        && first.contains(&(2, 1.0))
                );
            }
        }
    }
}

#[test]
fn csv_columns_without_header_are_detected_by_content() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..30)
        .map(|line| format!("{line},words of text number {line},{}", [10, 9, 2][line % 3]))
        .collect();
    fs::write(folder.path().join("a.csv"), lines.join("\n")).unwrap();
    let data = load(folder.path(), "a.csv").unwrap();
    assert_eq!(data.train.len() + data.test.len(), 30);
    assert_eq!(data.names, ["2", "9", "10"], "numeric labels are sorted by value");
}

#[test]
fn an_unclosed_quotation_mark_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let with = |row: &str, end: &str| {
        let lines: Vec<String> = (0..30)
            .map(|line| if line == 20 { row.into() } else { format!("{},text {line}", line % 2) })
            .collect();
        fs::write(folder.path().join("a.csv"), lines.join("\n") + end).unwrap();
        load(folder.path(), "a.csv")
    };
    for end in ["", "\n", "\r\n", "\n\n"] {
        let error = with("0,\"so it goes", end).unwrap_err();
        assert!(
            error.contains(
                "found an unclosed quotation mark in the row that begins in line 21 and continues to the end"
            ),
            "{error}"
        );
        for row in ["0,\"so it\ngoes\"", "0,\"so \"\"it\"\" goes\"", "0,so \"it goes"] {
            let data = with(row, end).unwrap();
            assert_eq!(data.train.len() + data.test.len(), 30, "{row}{end}");
        }
    }
    let error = with("0,x", "\n1,\"the last").unwrap_err();
    assert!(error.contains("line 31"), "{error}");
}

#[test]
fn a_header_is_detected_by_a_column_name_or_by_a_unique_label() {
    let folder = tempfile::tempdir().unwrap();
    let classes = |header: &str, row: &dyn Fn(usize) -> String| {
        let lines: Vec<String> =
            std::iter::once(header.to_string()).chain((0..30).map(row)).collect();
        fs::write(folder.path().join("a.csv"), lines.join("\n")).unwrap();
        let data = load(folder.path(), "a.csv").unwrap();
        (data.train.len() + data.test.len(), data.names)
    };
    let tone = |at: usize| ["bad", "good", "so-so"][at % 3];
    let three = (30, ["bad", "good", "so-so"].map(String::from).to_vec());
    // a known name may have a prefix; of two such columns the one with fewer values is the label,
    // and `text` is preferred to `tweet_id`
    let airline = |at: usize| format!("{at},{},0.{at},flight number {at} was late", tone(at));
    assert_eq!(
        classes("tweet_id,airline_sentiment,airline_sentiment_confidence,text", &airline),
        three
    );
    // `lang` has a single value, so it is not the label
    let rated = |at: usize| format!("{at},en,{},the film of night {at}", tone(at));
    assert_eq!(classes("id,lang,rating,body", &rated), three);
    assert_eq!(classes("id,lang,opinion,said", &rated), three);
    // no header: every label occurs more than once, or the first label is not the only unique one
    assert_eq!(classes("31,en,good,the film of night 31", &rated), (31, three.1.clone()));
    let rare =
        |at: usize| format!("{},the film of night {at}", if at == 7 { "dull" } else { tone(at) });
    assert_eq!(classes("fine,the film of night 31", &rare).0, 31);
}

#[test]
fn labels_that_look_like_column_names_are_not_a_header() {
    let folder = tempfile::tempdir().unwrap();
    let parts: Vec<String> = (0..60)
        .map(|line| {
            format!(
                "{line},{},{},film {line}",
                ["dev", "train"][line / 30],
                ["bad", "good"][line % 2]
            )
        })
        .collect();
    let twice = format!(
        "id,split,sentiment,text\n{}\n\u{feff}id, split,sentiment,text\n{}",
        parts[..30].join("\n"),
        parts[30..].join("\n")
    );
    fs::write(folder.path().join("a.csv"), twice).unwrap();
    let data = load(folder.path(), "a.csv").unwrap();
    assert_eq!(
        (data.train.len() + data.test.len(), data.names),
        (60, ["bad", "good"].map(String::from).to_vec()),
        "a repeated header"
    );
    for labels in
        [["class_0", "class_1"], ["label-1", "label-2"], ["score", "target"], ["review", "spam"]]
    {
        let lines: Vec<String> =
            (0..60).map(|line| format!("{},film {line} was so", labels[line % 2])).collect();
        fs::write(folder.path().join("a.csv"), lines.join("\n")).unwrap();
        let data = load(folder.path(), "a.csv").unwrap();
        assert_eq!(
            (data.train.len() + data.test.len(), data.names),
            (60, labels.map(String::from).to_vec())
        );
    }
}

#[test]
fn a_folder_of_several_data_sets_and_a_single_mnist_file_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let put = |files: Vec<(&str, Vec<u8>)>, inside: &str| {
        fs::create_dir_all(folder.path().join(inside)).unwrap();
        files.into_iter().for_each(|(name, content)| {
            fs::write(folder.path().join(inside).join(name), content).unwrap()
        });
    };
    put(cifar10(), "both/cifar-10-batches-bin");
    put(cifar100(), "both/cifar-100-binary");
    let error = load(folder.path(), "both").unwrap_err();
    let several = "found files of several data sets (cifar10, cifar100), expected the files of one set, in a \
                   folder or an archive of their own";
    assert_eq!(error, format!("DIR/both: {several}"));
    // single files of another data set do not count as a second data set
    put(cifar10(), "one");
    put(vec![("test.bin", vec![1, 2, 3])], "one");
    put(mnist().split_off(2), "one");
    assert_eq!(load(folder.path(), "one").unwrap().classes, 10);
    put(mnist(), "");
    put(vec![("test_batch.bin", vec![1, 2, 3])], "cifar-10-batches-bin");
    assert_eq!(load(folder.path(), ".").unwrap().train.len(), 6);
    for file in ["train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte.gz"] {
        let error = load(folder.path(), file).unwrap_err();
        let said = "found one file of a data set in MNIST's layout, expected the folder that \
                    contains all of them";
        assert_eq!(error, format!("DIR/{file}: {said}"));
    }
}

#[test]
fn the_split_of_a_text_does_not_depend_on_other_texts() {
    let folder = tempfile::tempdir().unwrap();
    let tested = |lines: std::ops::Range<usize>| {
        let text: String = lines.map(|line| format!("{},text {line}\n", line % 2)).collect();
        fs::write(folder.path().join("a.csv"), format!("label,text\n{text}")).unwrap();
        load(folder.path(), "a.csv").unwrap().test.len()
    };
    assert_eq!(tested(0..500) + tested(500..1000), tested(0..1000));
    assert!((150..250).contains(&tested(0..1000)), "the test set contains one text in five");
}

#[test]
fn an_archive_with_outside_paths_links_or_duplicates_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let batch = records(&[&[1, 2]]);
    let of = |entries: &[(&str, EntryType, &[u8])]| {
        let mut tar = tar::Builder::new(Vec::new());
        entries.iter().for_each(|(path, kind, content)| entry(&mut tar, path, *kind, content));
        fs::write(folder.path().join("a.tgz"), zipped(&tar.into_inner().unwrap())).unwrap();
        load(folder.path(), "a.tgz")
            .map_err(|error| error.split(", expected").next().unwrap().to_string())
            .unwrap_err()
    };
    let file = EntryType::Regular;
    assert_eq!(
        of(&[("../train.bin", file, &batch)]),
        "DIR/a.tgz: found the path \"../train.bin\", which points outside the archive"
    );
    assert_eq!(
        of(&[("/etc/passwd", file, &batch)]),
        "DIR/a.tgz: found the path \"/etc/passwd\", which points outside the archive"
    );
    assert_eq!(
        of(&[("x/train.bin", EntryType::Symlink, &[])]),
        "DIR/a.tgz: found x/train.bin that is not a regular file (Symlink)"
    );
    assert_eq!(
        of(&[("x/train.bin", EntryType::Link, &[])]),
        "DIR/a.tgz: found x/train.bin that is not a regular file (Link)"
    );
    assert_eq!(
        of(&[("x/train.bin", file, &batch), ("train.bin", file, &batch)]),
        "DIR/a.tgz: found train.bin twice"
    );
    assert_eq!(of(&[("x/train.bin", file, &batch)]), "DIR/a.tgz: found no test.bin");
    assert_eq!(
        of(&[("x/other.bin", file, &batch)]),
        "DIR/a.tgz: found an archive without these files"
    );
}

#[test]
fn pax_headers_are_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    for (name, content) in cifar10() {
        entry(
            &mut tar,
            &format!("x/PaxHeaders/{name}"),
            EntryType::XHeader,
            b"20 mtime=1700000000\n",
        );
        entry(&mut tar, &format!("x/{name}"), EntryType::Regular, &content);
    }
    fs::write(folder.path().join("a.tar.gz"), zipped(&tar.into_inner().unwrap())).unwrap();
    assert_eq!(load(folder.path(), "a.tar.gz").unwrap().train.len(), 5);
}

#[test]
fn the_size_in_an_archive_header_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    for (size, said) in [
        (
            b"00300000000\0",
            "DIR/a.tar.gz: found 3074 bytes of x/train.bin, whose header says 50331648",
        ),
        (
            b"00500000000\0",
            "DIR/a.tar.gz/x/train.bin: found a size of 83.9 MB, expected at most 67.1 MB in an archive",
        ),
        (
            b"77777777777\0",
            "DIR/a.tar.gz/x/train.bin: found a size of 8.6 GB, expected at most 67.1 MB in an archive",
        ),
    ] {
        let mut tar = archive("x", &[("train.bin", records(&[&[1, 2]]))]);
        tar.truncate(512 + 3074);
        tar[124..136].copy_from_slice(size);
        tar[148..156].fill(b' ');
        let sum: u32 = tar[..512].iter().map(|byte| u32::from(*byte)).sum();
        tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        fs::write(folder.path().join("a.tar.gz"), zipped(&tar)).unwrap();
        let (loaded, most) = measured(|| load(folder.path(), "a.tar.gz"));
        let error = loaded.unwrap_err();
        assert!(error.starts_with(said), "{error}");
        assert!(most < 1 << 20, "{most} bytes");
    }
}

#[test]
fn a_missing_or_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in cifar10() {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
    write("data_batch_3.bin", &records(&[&[10]]));
    assert_eq!(
        load(folder.path(), "").unwrap_err(),
        "DIR/data_batch_3.bin: found class 10 in record 0, expected 0 to 9"
    );
    write("data_batch_3.bin", &records(&[&[1]])[1..]);
    assert_eq!(
        load(folder.path(), "").unwrap_err(),
        "DIR/data_batch_3.bin: found 3072 bytes, expected records of 3073 bytes, at least one"
    );
    fs::remove_file(folder.path().join("data_batch_3.bin")).unwrap();
    assert_eq!(
        load(folder.path(), "").unwrap_err(),
        "DIR/: found no data_batch_3.bin, expected a file data_batch_3.bin"
    );

    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
    write("a.csv", b"label,text\ngood,yes\ngood,no\n");
    assert_eq!(
        load(folder.path(), "a.csv").unwrap_err(),
        "DIR/a.csv: found 1 different labels in column 1, expected 2 to 65536"
    );
    write("a.csv", b"label,text\ngood,yes\nbad\n");
    assert!(load(folder.path(), "a.csv").unwrap_err().contains("line: 3"));
    write("b.csv", b"");
    assert_eq!(
        load(folder.path(), "").unwrap_err(),
        "DIR/: found 2 files that may contain data, expected one, or the path of one of them"
    );
}
