//! Surfaces: formulas, gradients, outcomes of paths, and the page in a browser.
#![cfg(feature = "lab")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use downhill::lab::chart::{PALETTE, Style};
use downhill::lab::surface::{SURFACES, Surface};
use downhill::lab::task::SurfaceProblem;
use downhill::lab::train::Problem;
use downhill::optim::Optimizers;
use downhill::pipeline::PipelineConfig;
use downhill::schedule::Progress;

fn at(formula: &str, x: f64, y: f64) -> f64 {
    Surface::read(formula, None, Some([0.5, 0.5])).unwrap().at(x, y)
}

#[test]
fn expressions_follow_standard_precedence() {
    let (x, y) = (0.7, -1.3f64);
    for (formula, value) in [
        ("x+y", x + y),
        ("x-y-1", x - y - 1.0),
        ("2*x/4*y", 2.0 * x / 4.0 * y),
        ("-x^2", -(x * x)),
        ("1-(-y)^3+x", 1.0 - (-y).powi(3) + x),
        ("x^(-2)", x.powi(-2)),
        ("(x^3)^2", x.powi(6)),
        ("x^(3^2)", x.powi(9)),
        ("x^2*y^2-(x^2+y^3)^2", x * x * y * y - (x * x + y.powi(3)).powi(2)),
        ("2^x", 2f64.powf(x)),
        ("exp(-x^2-y^2)", (-x * x - y * y).exp()),
        ("abs(y)+sqrt(x)*ln(x)", y.abs() + x.sqrt() * x.ln()),
        ("sin(pi*x)*cos(y)+tanh(x*y)", (std::f64::consts::PI * x).sin() * y.cos() + (x * y).tanh()),
        ("3", 3.0),
        ("1e-2*x+2.5E1", 0.01 * x + 25.0),
    ] {
        let found = at(formula, x, y);
        assert!((found - value).abs() < 1e-12, "{formula} is {found}, expected {value}");
    }
}

#[test]
fn invalid_expressions_give_one_sentence() {
    for (formula, words) in [
        ("x+z", "`z` is not known"),
        ("x^-2", "a sign after `^` needs brackets"),
        ("sin(x", "an opening bracket has no closing bracket"),
        ("x)+(y", "a closing bracket has no opening bracket"),
        ("x+", "`+` has no right operand"),
        ("x+*y", "`*` has no left operand"),
        ("", "it is empty"),
        ("()", "`)` has no left operand"),
        ("sin()", "`)` has no left operand"),
        ("sin x", "`sin` needs brackets"),
        ("x y", "an operator is missing between `x` and `y`"),
        ("2x+y", "an operator is missing between `2` and `x`"),
        ("2(x+y)", "an operator is missing between `2` and `(`"),
        ("x**2", "a power is written ^"),
        ("1.2.3*x", "`1.2.3` is not a number"),
        ("1e400*x", "`1e400` is not a number"),
        ("x^3^2", "a power of a power needs brackets"),
        ("(x+y)^(2)^x", "a power of a power needs brackets"),
        ("foo(x)", "`foo` is not known"),
        ("log(x)", "the natural logarithm is `ln`"),
        ("x#y", "it contains `#`"),
        ("bele", "did you mean `beale`?"),
        ("1/0+x", "expected a finite number"),
        ("ln(0-x)", "expected a finite number"),
    ] {
        let error = Surface::read(formula, None, Some([1.0, 1.0]))
            .err()
            .unwrap_or_else(|| panic!("{formula} was accepted"))
            .to_string();
        assert!(error.contains(words) && !error.contains('\n'), "{formula}: {error}");
    }
    let long = "x+".repeat(5000) + "y";
    assert!(Surface::read(&long, None, None).is_err());
    let deep = "(".repeat(240) + "x" + &")".repeat(240);
    let _ = Surface::read(&deep, None, None);
    for (window, start) in [
        ([1.0, -1.0, 0.0, 1.0], None),
        ([0.0, f64::NAN, 0.0, 1.0], None),
        ([0.0, 1.0, 0.0, 1.0], Some([2.0, 0.5])),
        ([1.0, 1.0, 0.0, 1.0], Some([1.0, 0.5])),
        ([1.0, 1.0 + f64::EPSILON, 0.0, 1.0], Some([1.0, 0.5])),
        ([0.0, 1e-300, 0.0, 1.0], Some([0.0, 0.5])),
        ([-1e300, 1e300, 0.0, 1.0], Some([0.0, 0.5])),
        ([f64::NEG_INFINITY, f64::INFINITY, 0.0, 1.0], Some([0.0, 0.5])),
    ] {
        assert!(Surface::read("x+y", Some(window), start).is_err(), "{window:?} {start:?}");
    }
}

#[test]
fn gradients_equal_finite_differences_and_listed_minima_are_local_minima() {
    for known in SURFACES {
        let surface = Surface::read(known.name, None, None).unwrap();
        let mut slope = SurfaceProblem::new(surface.clone(), 0.0);
        let point = slope.initial();
        let now = Progress { step: 1, epoch: 1, batch: 1, steps: 1 };
        let gradients = slope.loss(&point, now).backward();
        let gradient: Vec<f64> =
            point.x.val().grad(&gradients).unwrap().into_data().iter::<f64>().collect();
        let ([x, y], h) = (surface.start, 1e-5);
        let by_differences = [
            (surface.at(x + h, y) - surface.at(x - h, y)) / (2.0 * h),
            (surface.at(x, y + h) - surface.at(x, y - h)) / (2.0 * h),
        ];
        for (ours, theirs) in gradient.iter().zip(by_differences) {
            assert!(
                (ours - theirs).abs() <= 1e-6 * (1.0 + theirs.abs()),
                "{}: {gradient:?} and {by_differences:?}",
                known.name
            );
        }
        for [x, y] in known.minima {
            let lowest = surface.at(*x, *y);
            for (dx, dy) in [(1e-2, 0.0), (-1e-2, 0.0), (0.0, 1e-2), (0.0, -1e-2)] {
                assert!(surface.at(x + dx, y + dy) >= lowest, "{} at {x}, {y}", known.name);
            }
        }
    }
}

#[test]
fn plain_numbers_and_tensors_give_equal_paths() {
    let optimizers = Optimizers::default();
    let mut bowl =
        |x: &[f64]| (0.0, x.iter().zip([1.0, 30.0]).map(|(x, scale)| scale * x).collect());
    for name in [
        "sgd",
        "momentum",
        "nag",
        "adagrad",
        "rmsprop:mu=0.9",
        "adadelta",
        "adam",
        "amsgrad",
        "nadam",
        "rprop",
        "lion",
        "radam",
    ] {
        let plain = PipelineConfig::read(&name.parse().unwrap(), &optimizers).unwrap();
        let around = PipelineConfig::read(
            &format!("clip_value:max=1e9|{name}").parse().unwrap(),
            &optimizers,
        )
        .unwrap();
        let plain = plain.on_vector(&[1.0, -2.0]).path(0.01, 30, &mut bowl).unwrap();
        let around = around.on_vector(&[1.0, -2.0]).path(0.01, 30, &mut bowl).unwrap();
        for (a, b) in plain.iter().flatten().zip(around.iter().flatten()) {
            assert!((a - b).abs() <= 1e-12 * (1.0 + b.abs()), "{name}: {a} and {b}");
        }
        assert_eq!(plain.len(), 31);
    }
}

fn downhill(args: &[&str], out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_downhill")).args(args).arg("--out").arg(out).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_path_that_leaves_the_surface_diverges_except_on_a_saddle() {
    let place = tempfile::tempdir().unwrap();
    let done = downhill(
        &["surface", "beale", "--optimizers", "sgd:lr=0.5,adam:lr=0.1,beta2=0.99", "--steps", "50"],
        place.path(),
    );
    assert!(done.status.success(), "{}", text(&done.stderr));
    let table = text(&done.stdout);
    assert!(table.contains("diverged: it left the surface at x = "), "{table}");
    let page = fs::read_to_string(place.path().join("index.html")).unwrap();
    assert!(
        page.contains("it left the surface at x = ") && page.contains("\"ended\":\"diverged\"")
    );
    for picture in [
        "contour.svg",
        "contour.png",
        "relief.svg",
        "relief.png",
        "value.png",
        "distance.png",
        "animation.gif",
        "points.csv",
    ] {
        assert!(fs::metadata(place.path().join(picture)).unwrap().len() > 500, "{picture}");
    }
    assert_eq!(&fs::read(place.path().join("animation.gif")).unwrap()[..6], b"GIF89a");

    let holed = tempfile::tempdir().unwrap();
    let done = downhill(
        &["surface", "ln(x)+y^2/x", "--start=1.5,1", "--optimizers", "sgd:lr=0.1", "--steps", "50"],
        holed.path(),
    );
    assert!(text(&done.stdout).contains("diverged: value is NaN"), "{}", text(&done.stdout));
    for picture in ["contour.svg", "relief.svg"] {
        assert!(
            fs::read_to_string(holed.path().join(picture))
                .unwrap()
                .contains("undefined or above 1e100"),
            "{picture}"
        );
    }

    let saddle = tempfile::tempdir().unwrap();
    let done = downhill(
        &["surface", "saddle", "--optimizers", "adagrad:lr=0.1", "--steps", "100"],
        saddle.path(),
    );
    let csv = fs::read_to_string(saddle.path().join("points.csv")).unwrap();
    assert!(
        done.status.success() && csv.contains("finished") && csv.lines().count() < 60,
        "a run that leaves a saddle surface downhill is finished: {csv}"
    );
}

#[test]
fn every_contour_height_equals_an_edge_of_its_band() {
    let place = tempfile::tempdir().unwrap();
    let done =
        downhill(&["surface", "saddle", "--optimizers", "sgd", "--steps", "2"], place.path());
    assert!(done.status.success(), "{}", text(&done.stderr));
    let page = fs::read_to_string(place.path().join("index.html")).unwrap();
    let data = page.split("id=\"player-data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let mut seen = 0;
    for band in data["bands"].as_array().unwrap() {
        let edges = [band["from"].as_f64().unwrap(), band["to"].as_f64().unwrap()];
        for point in
            band["rings"].as_array().unwrap().iter().flat_map(|ring| ring.as_array().unwrap())
        {
            let (x, y) = (point[0].as_f64().unwrap(), point[1].as_f64().unwrap());
            // points on the frame can have any height
            if x.abs() < 1.18 && y.abs() < 0.98 {
                let height = x * x - y * y;
                assert!(
                    edges.iter().any(|edge| (height - edge).abs() < 1e-3),
                    "{height} at {x}, {y}, between {edges:?}"
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 1000, "{seen}");
}

#[test]
fn all_animation_frames_share_one_palette_with_the_line_colors() {
    let place = tempfile::tempdir().unwrap();
    let done = downhill(
        &["surface", "beale", "--steps", "50", "--optimizers", "sgd,momentum,adagrad,adam"],
        place.path(),
    );
    assert!(done.status.success(), "{}", text(&done.stderr));
    let mut decoder = gif::DecodeOptions::new()
        .read_info(fs::File::open(place.path().join("animation.gif")).unwrap())
        .unwrap();
    let palette = decoder.global_palette().unwrap().to_vec();
    let optimizers = Optimizers::default();
    for name in ["sgd", "momentum", "adagrad", "adam"] {
        let style = Style::nth(optimizers.place(name).unwrap());
        let color = PALETTE[style.color];
        assert!(
            palette.chunks(3).any(|rgb| color == (rgb[0], rgb[1], rgb[2])),
            "{name}: {color:?}"
        );
    }
    let mut pictures = 0;
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        assert!(frame.palette.is_none());
        pictures += 1;
    }
    assert!(pictures > 40, "{pictures}");
}

#[test]
fn noise_is_deterministic_and_differs_between_seeds() {
    let paths = || {
        let place = tempfile::tempdir().unwrap();
        let args = [
            "surface",
            "x^2+y^2",
            "--optimizers",
            "sgd:lr=0.1",
            "--noise",
            "1",
            "--seeds",
            "2",
            "--steps",
            "20",
            "--start=1,1",
        ];
        assert!(downhill(&args, place.path()).status.success());
        let csv = fs::read_to_string(place.path().join("points.csv")).unwrap();
        // drop the last column, the seconds
        csv.lines().map(|line| line.rsplit_once(',').unwrap().0.to_string()).collect::<Vec<_>>()
    };
    let (first, second) = (paths(), paths());
    assert_eq!(first, second);
    let of = |seed: &str| {
        first
            .iter()
            .filter(|line| line.contains(seed))
            .map(|line| line.replace(seed, ""))
            .collect::<Vec<_>>()
    };
    assert_ne!(of(",constant,0,"), of(",constant,1,"));
}

#[test]
fn powers_with_huge_exponents_have_values() {
    for (formula, x, expected) in [
        ("x^1e19", 1.0, 1.0),
        ("x^1e19", 0.5, 0.0),
        ("x^1e300", 2.0, f64::INFINITY),
        ("x^(0-1e19)", 2.0, 0.0),
        ("x^(1/0)", 0.5, 0.0),
        ("x^3000000001", -1.0, -1.0),
        ("x^3000000000", -1.0, 1.0),
        ("x^2147483648", -1.0, 1.0),
        ("x^17", -1.0, -1.0),
    ] {
        let surface = Surface::read(formula, None, Some([1.0, 1.0]));
        let value = surface.unwrap_or_else(|error| panic!("{error}")).at(x, 0.0);
        assert_eq!(value, expected, "{formula} at {x}");
    }
}

/// Whether a command ends well within a minute.
fn ends_well(args: &[&str], out: &Path) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
    let command = command.args(args).arg("--out").arg(out).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..600 {
        if let Some(status) = child.try_wait().unwrap() {
            return status.success();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

#[test]
fn surfaces_with_extreme_heights_and_windows_have_a_page() {
    for (formula, window) in [
        ("1e308*x", "-2,2,-2,2"),
        ("1e308*x-1e308*y", "-2,2,-2,2"),
        ("y^1e19", "-2,2,-2,2"),
        ("1e99*x", "-2,2,-2,2"),
        ("1e-320*x", "-2,2,-2,2"),
        ("1e17+0*x", "-2,2,-2,2"),
        ("1e15+x", "-2,2,-2,2"),
        ("exp(x*x*400)", "-2,2,-2,2"),
        ("1/(x-1)/(y-1)", "-2,2,-2,2"),
        ("x+y", "999999.999999,1e6,-1e6,1e6"),
        ("x+y", "0,1e-6,0,1e-6"),
    ] {
        let out = tempfile::tempdir().unwrap();
        let start = match window {
            "-2,2,-2,2" => "0.5,0.5",
            "0,1e-6,0,1e-6" => "0,0",
            _ => "1e6,0",
        };
        let (window, start) = (format!("--window={window}"), format!("--start={start}"));
        let args = ["surface", formula, &window, &start, "--steps", "3"];
        assert!(ends_well(&args, out.path()), "{formula}, {window}");
        assert!(out.path().join("index.html").is_file(), "{formula}");
        for picture in ["contour.svg", "relief.svg"] {
            let text = fs::read_to_string(out.path().join(picture)).unwrap();
            assert!(!text.contains("NaN") && !text.contains("inf"), "{formula}, {picture}");
        }
    }
}

#[test]
fn invalid_arguments_give_one_sentence_and_write_no_files() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("x");
    for (args, words) in [
        (vec!["surface", "bele"], "did you mean `beale`?"),
        (vec!["surface", "x^2+", "--start", "0,0"], "is not an expression of x and y"),
        (vec!["surface", "beale", "--start", "9,9"], "expected a point in the window"),
        (
            vec!["surface", "beale", "--start", "1"],
            "--start: found `1`, expected 2 numbers separated by commas",
        ),
        (
            vec!["surface", "beale", "--window", "1,2,3"],
            "--window: found `1,2,3`, expected 4 numbers separated by commas",
        ),
        (vec!["surface", "beale", "--optimizers", "sgd,adm"], "did you mean `adam`?"),
        (
            vec!["surface", "beale", "--optimizers", "sgd:lr=[1,2]"],
            "expected a single value of each setting",
        ),
        (
            vec!["surface", "beale", "--noise", "-1"],
            "--noise: found -1.0, expected a number of at least 0",
        ),
        (vec!["surface", "beale", "--noise", "abc"], "--noise: found `abc`, expected a number"),
        (
            vec!["surface", "beale", "--window=2,-2,0,1"],
            "the window: found 2.0 to -2.0 in x, expected the lower bound first",
        ),
        (
            vec!["surface", "beale", "--start=1e308,0"],
            "the start: found 1e308,0.0, expected a point in the window",
        ),
        (
            vec!["surface", "beale", "--seeds", "3"],
            "--seeds: found 3 without noise (all paths would be equal), expected 1, or --noise above 0",
        ),
        (
            vec!["surface", "beale", "--optimizers", "sgd,,adam"],
            "expected an optimizer before and after each comma",
        ),
        (vec!["surface", "beale", "--optimizers", "sgd,sgd"], "--optimizers: found `sgd` twice"),
    ] {
        let done = downhill(&args, &out);
        let error = text(&done.stderr);
        assert!(
            done.status.code() == Some(2)
                && error.contains(words)
                && error.trim_end().lines().count() == 1,
            "{args:?}: {error}"
        );
        assert!(!out.exists(), "{args:?} wrote files");
    }
}

/// `.ci/run` sets DOWNHILL_BROWSER, so the test is never skipped there.
fn browser() -> Option<PathBuf> {
    let known = ["chromium", "chromium-browser", "google-chrome"]
        .map(|name| Path::new("/usr/bin").join(name));
    std::env::var_os("DOWNHILL_BROWSER")
        .map(PathBuf::from)
        .or_else(|| known.into_iter().find(|path| path.exists()))
}

#[test]
fn the_page_plays_toggles_and_hovers_in_an_offline_browser() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no chromium, and DOWNHILL_BROWSER is not set");
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let lines = "sgd:lr=0.01,momentum:lr=0.005,adam:lr=0.1,sgd:lr=0.4";
    assert!(
        downhill(&["surface", "beale", "--optimizers", lines, "--steps", "60"], place.path())
            .status
            .success()
    );
    let page = fs::read_to_string(place.path().join("index.html")).unwrap();
    for outside in ["src=\"http", "href=\"//", "@import", "fetch("] {
        assert!(!page.contains(outside), "the page loads an external resource: {outside}");
    }
    let driver = fs::read_to_string("tests/player/drive.js").unwrap();
    let driven = place.path().join("driven.html");
    fs::write(&driven, page.replace("</body>", &format!("<script>{driver}</script></body>")))
        .unwrap();
    let profile = format!("--user-data-dir={}", place.path().join("profile").display());
    let flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        &profile,
        "--virtual-time-budget=20000",
        "--dump-dom",
    ];
    let dom = Command::new(browser)
        .args(flags)
        .arg(format!("file://{}", driven.display()))
        .output()
        .unwrap();
    let dom = text(&dom.stdout);
    let result =
        dom.split("<pre id=\"driven\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    assert_eq!(result, Some("ok"), "the page has {} characters", dom.len());
}
