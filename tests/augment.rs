//! Augmentation: pixel transformations, their frequencies, and determinism for a given seed.
#![cfg(feature = "lab")]

use burn::tensor::{Device, Tensor, TensorData};
use downhill::Error;
use downhill::lab::augment::{AUGMENTATIONS, Augment, sheet};
use downhill::lab::data::{load, load_both};
use downhill::lab::model::{Shapes, build};
use downhill::lab::regularizer::Penalty;
use downhill::lab::seed::{Purpose, Seed};
use downhill::lab::task::{ClassifyProblem, Splits, Subset};
use downhill::lab::train::Problem;
use downhill::schedule::Progress;
use rand_chacha::ChaCha8Rng;

const COLOR: [usize; 3] = [3, 8, 6];

fn augment(line: &str) -> Augment {
    Augment::read(&line.parse().unwrap()).unwrap()
}

fn generator(seed: u64) -> ChaCha8Rng {
    Seed(seed).generator(Purpose::Augmentation, 1)
}

/// Images in which all pixel values are distinct.
fn images(n: usize, [channels, h, w]: [usize; 3]) -> Vec<f32> {
    let size = channels * h * w;
    (0..n * size).map(|i| ((i * 7919 + 13) % (n * size)) as f32 / (n * size) as f32).collect()
}

fn changed(line: &str, images: &[f32], shape: [usize; 3], seed: u64) -> Vec<f32> {
    let mut images = images.to_vec();
    augment(line).apply(&mut images, shape, &mut generator(seed)).unwrap();
    images
}

fn bits(images: &[f32]) -> Vec<u32> {
    images.iter().map(|x| x.to_bits()).collect()
}

/// All augmentations that use random numbers, in sequence.
const ALL: &str = "hflip|vflip|crop:pad=3|rotate:degrees=30|scale:by=0.3|color:brightness=0.2,contrast=0.2,saturation=0.2|noise|cutout:size=3|color:kind=tensorflow,brightness=0.1|crop:padding=edge";

#[test]
fn a_seed_is_deterministic_for_any_number_of_threads() {
    let before = images(37, COLOR);
    let with = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        bits(&pool.install(|| changed(ALL, &before, COLOR, seed)))
    };
    let one = with(1, 5);
    for threads in [2, 3, 8] {
        assert_eq!(with(threads, 5), one, "{threads} threads");
    }
    assert_ne!(with(1, 6), one, "another seed gives another batch");
    let step = |step| {
        let mut images = before.clone();
        augment(ALL)
            .apply(&mut images, COLOR, &mut Seed(5).generator(Purpose::Augmentation, step))
            .unwrap();
        bits(&images)
    };
    assert_eq!(step(1), one);
    assert_ne!(step(2), one, "another step gives another batch");
}

#[test]
fn the_result_for_an_image_does_not_depend_on_later_images() {
    let before = images(10, COLOR);
    let all = changed(ALL, &before, COLOR, 1);
    let size = COLOR.iter().product::<usize>();
    let few = changed(ALL, &before[..4 * size], COLOR, 1);
    assert_eq!(bits(&all[..4 * size]), bits(&few));
    let twice = changed(ALL, &before[..size].repeat(2), COLOR, 1);
    assert_ne!(
        bits(&twice[..size]),
        bits(&twice[size..]),
        "a repeated image gets different random numbers"
    );
}

#[test]
fn flips_move_pixels_exactly_and_a_double_flip_is_the_identity() {
    let before = images(3, COLOR);
    let [channels, h, w] = COLOR;
    for (line, from) in [
        (
            "hflip:p=1",
            (|x, y, _, w| (w - 1 - x, y)) as fn(usize, usize, usize, usize) -> (usize, usize),
        ),
        ("vflip:p=1", |x, y, h, _| (x, h - 1 - y)),
    ] {
        let after = changed(line, &before, COLOR, 0);
        for plane in 0..3 * channels {
            for y in 0..h {
                for x in 0..w {
                    let (from_x, from_y) = from(x, y, h, w);
                    assert_eq!(
                        after[plane * h * w + y * w + x],
                        before[plane * h * w + from_y * w + from_x]
                    );
                }
            }
        }
        assert_ne!(after, before);
        assert_eq!(changed(line, &after, COLOR, 1), before);
        assert_eq!(changed(&format!("{line}|{line}"), &before, COLOR, 0), before);
    }
    assert_eq!(
        changed("hflip:p=1|vflip:p=1", &before, COLOR, 0),
        changed("vflip:p=1|hflip:p=1", &before, COLOR, 0)
    );
}

#[test]
fn zero_settings_change_nothing() {
    let before = images(5, COLOR);
    for line in [
        "none",
        "hflip:p=0",
        "vflip:p=0",
        "crop:pad=0",
        "scale:by=0",
        "rotate:degrees=0",
        "noise:std=0",
        "rotate:degrees=0,filter=nearest|scale:by=0|crop:pad=0,padding=edge",
    ] {
        assert_eq!(bits(&changed(line, &before, COLOR, 3)), bits(&before), "{line}");
    }
    assert!(augment("none").is_none() && !augment("hflip:p=0").is_none());
}

#[test]
fn a_crop_shifts_by_whole_pixels_and_pads_the_rest() {
    let shape @ [_, h, w] = [1, 7, 5];
    let one = images(1, shape);
    let batch = one.repeat(400);
    for (padding, beyond) in [
        ("zero", (|_, _| None) as fn(i64, i64) -> Option<i64>),
        ("edge", |i: i64, n: i64| Some(i.clamp(0, n - 1))),
        ("reflect", |i: i64, n: i64| Some(if i < 0 { -i } else { 2 * (n - 1) - i })),
    ] {
        let after = changed(&format!("crop:pad=2,padding={padding}"), &batch, shape, 9);
        let moved = |dx: i64, dy: i64| -> Vec<f32> {
            let at = |i: i64, n: usize| {
                if (0..n as i64).contains(&i) { Some(i) } else { beyond(i, n as i64) }
            };
            (0..h as i64)
                .flat_map(|y| (0..w as i64).map(move |x| (x, y)))
                .map(|(x, y)| {
                    at(x + dx, w)
                        .zip(at(y + dy, h))
                        .map_or(0.0, |(x, y)| one[y as usize * w + x as usize])
                })
                .collect()
        };
        let mut seen = [[0; 5]; 5];
        for image in after.chunks_exact(h * w) {
            let found = (-2..=2)
                .flat_map(|dx| (-2..=2).map(move |dy| (dx, dy)))
                .find(|(dx, dy)| moved(*dx, *dy) == image);
            let (dx, dy) = found.unwrap_or_else(|| panic!("{padding}: not a crop: {image:?}"));
            seen[(dx + 2) as usize][(dy + 2) as usize] += 1;
        }
        // 400 draws over 25 offsets, mean 16 each; the bounds 3 and 36 are more than three standard
        // deviations below and five above
        assert!(seen.iter().flatten().all(|n| (3..=36).contains(n)), "{padding}: {seen:?}");
    }
}

#[test]
fn a_flip_followed_by_a_crop_crops_the_flipped_image() {
    let before = images(50, COLOR);
    // both specs draw the same random numbers for the flips
    let together = changed("hflip:p=1|vflip:p=1|crop:pad=2", &before, COLOR, 4);
    let flipped = changed("hflip:p=1|vflip:p=1", &before, COLOR, 4);
    let size = COLOR.iter().product::<usize>();
    let [_, h, w] = COLOR;
    for (after, flipped) in together.chunks_exact(size).zip(flipped.chunks_exact(size)) {
        let is_moved = |dx: i64, dy: i64| {
            (0..h as i64).all(|y| {
                (0..w as i64).all(|x| {
                    let inside =
                        (0..w as i64).contains(&(x + dx)) && (0..h as i64).contains(&(y + dy));
                    let old = if inside {
                        flipped[(y + dy) as usize * w + (x + dx) as usize]
                    } else {
                        0.0
                    };
                    after[y as usize * w + x as usize] == old
                })
            })
        };
        assert!((-2..=2).any(|dx| (-2..=2).any(|dy| is_moved(dx, dy))));
    }
}

#[test]
fn the_flip_frequency_equals_its_probability() {
    let one = images(1, [1, 2, 3]);
    let n = 10_000;
    for (line, p) in [("hflip", 0.5), ("vflip:p=0.1", 0.1), ("hflip:p=0.9", 0.9)] {
        let after = changed(line, &one.repeat(n), [1, 2, 3], 8);
        let flipped =
            after.chunks_exact(6).filter(|image| **image != one[..]).count() as f64 / n as f64;
        let four_sigma = 4.0 * f64::sqrt(p * (1.0 - p) / n as f64);
        assert!((flipped - p).abs() < four_sigma, "{line}: {flipped}");
    }
}

fn mean(numbers: &[f32]) -> f64 {
    numbers.iter().map(|x| f64::from(*x)).sum::<f64>() / numbers.len() as f64
}

#[test]
fn brightness_shifts_the_mean_over_the_whole_allowed_range() {
    let shape @ [c, h, w] = [3, 4, 4];
    let grey = vec![0.5f32; 2000 * c * h * w];
    for (line, low, high) in [
        ("color:brightness=0.2", 0.4, 0.6),
        ("color:brightness=0.2,kind=tensorflow", 0.3, 0.7),
        ("color:brightness=3", 0.0, 1.0),
    ] {
        let after = changed(line, &grey, shape, 2);
        let means: Vec<f64> = after.chunks_exact(c * h * w).map(mean).collect();
        let (least, most) =
            (means.iter().copied().fold(1.0, f64::min), means.iter().copied().fold(0.0, f64::max));
        assert!(least >= low - 1e-6 && most <= high + 1e-6, "{line}: {least} to {most}");
        assert!(least < low + 0.01 && most > high - 0.01, "{line}: {least} to {most}");
        if high < 1.0 {
            assert!((mean(&after) - 0.5).abs() < 0.02, "{line}: {}", mean(&after));
        }
    }
}

#[test]
fn contrast_keeps_the_mean_and_saturation_keeps_the_grey_values() {
    let shape @ [_, h, w] = [3, 6, 6];
    // far from 0 and 1, so no value is clipped
    let before: Vec<f32> = images(40, shape).into_iter().map(|x| 0.4 + 0.2 * x).collect();
    let grey = |image: &[f32]| -> Vec<f64> {
        let [r, g, b] = [0, 1, 2].map(|c| &image[c * h * w..][..h * w]);
        (0..h * w)
            .map(|i| 0.2989 * f64::from(r[i]) + 0.587 * f64::from(g[i]) + 0.114 * f64::from(b[i]))
            .collect()
    };
    let size = 3 * h * w;
    let spread = |x: &[f64]| {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        (mean, x.iter().map(|x| (x - mean).abs()).sum::<f64>())
    };
    let mut factors = Vec::new();
    for (old, new) in before
        .chunks_exact(size)
        .zip(changed("color:contrast=0.5", &before, shape, 1).chunks_exact(size))
    {
        let ((old_mean, old_spread), (new_mean, new_spread)) =
            (spread(&grey(old)), spread(&grey(new)));
        assert!((old_mean - new_mean).abs() < 1e-4);
        factors.push(new_spread / old_spread);
    }
    assert!(
        factors.iter().all(|f| (0.499..=1.501).contains(f))
            && factors.iter().any(|f| *f < 0.7)
            && factors.iter().any(|f| *f > 1.3),
        "{factors:?}"
    );
    for (old, new) in before
        .chunks_exact(size)
        .zip(changed("color:saturation=0.5", &before, shape, 1).chunks_exact(size))
    {
        assert!(grey(old).iter().zip(grey(new)).all(|(old, new)| (old - new).abs() < 1e-4));
        assert_ne!(old, new);
    }
    // in HSV the value (maximum of red, green and blue) and the hue stay equal; the hue is the
    // relative position of the middle channel between the other two
    for (old, new) in before
        .chunks_exact(size)
        .zip(changed("color:saturation=0.5,kind=tensorflow", &before, shape, 1).chunks_exact(size))
    {
        for i in 0..h * w {
            let rgb = |image: &[f32]| [image[i], image[h * w + i], image[2 * h * w + i]];
            let sorted = |mut rgb: [f32; 3]| {
                rgb.sort_by(f32::total_cmp);
                rgb
            };
            let ([a, b, c], [d, e, f]) = (sorted(rgb(old)), sorted(rgb(new)));
            assert!((c - f).abs() < 1e-6, "the HSV value is unchanged");
            assert!(((b - a) / (c - a) - (e - d) / (f - d)).abs() < 1e-3, "the hue is unchanged");
        }
    }
}

#[test]
fn rotate_and_scale_keep_the_center_and_rotation_keeps_a_radial_image() {
    let side = 9;
    let one = images(1, [1, side, side]);
    let hill: Vec<f32> = (0..side * side)
        .map(|i| {
            let (x, y) = ((i % side) as f32 - 4.0, (i / side) as f32 - 4.0);
            (1.0 - (x * x + y * y) / 16.0).max(0.0).powi(2)
        })
        .collect();
    for image in changed("rotate:degrees=180", &hill.repeat(50), [1, side, side], 3)
        .chunks_exact(side * side)
    {
        let apart = image.iter().zip(&hill).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 0.07, "{apart}");
    }
    for line in [
        "rotate:degrees=180",
        "scale:by=0.9",
        "rotate:degrees=45|scale:by=0.5",
        "rotate:filter=nearest",
        "scale:by=0.5,filter=nearest,padding=reflect",
    ] {
        let after = changed(line, &one.repeat(20), [1, side, side], 3);
        assert!(
            after.chunks_exact(side * side).all(|image| (image[40] - one[40]).abs() < 1e-6),
            "{line}"
        );
        assert!(after.chunks_exact(side * side).any(|image| image != &one[..]), "{line}");
    }
}

#[test]
fn rotation_angles_and_scale_factors_cover_the_requested_range() {
    let (side, middle) = (33usize, 16.0f64);
    // a plane that increases to the right; its gradient gives the angle and the scale
    let plane: Vec<f32> =
        (0..side * side).map(|i| 0.5 + ((i % side) as f64 - middle) as f32 / 100.0).collect();
    let gradient = |image: &[f32]| {
        let at = |dx: i64, dy: i64| f64::from(image[((16 + dy) * 33 + 16 + dx) as usize]);
        ((at(3, 0) - at(-3, 0)) / 6.0 * 100.0, (at(0, 3) - at(0, -3)) / 6.0 * 100.0)
    };
    let turned = changed("rotate:degrees=20", &plane.repeat(300), [1, side, side], 1);
    let angles: Vec<f64> = turned
        .chunks_exact(side * side)
        .map(gradient)
        .map(|(x, y)| y.atan2(x).to_degrees())
        .collect();
    assert!(
        angles.iter().all(|a| a.abs() < 20.01)
            && angles.iter().any(|a| *a > 18.0)
            && angles.iter().any(|a| *a < -18.0)
    );
    assert!(
        turned
            .chunks_exact(side * side)
            .map(gradient)
            .all(|(x, y)| (x.hypot(y) - 1.0).abs() < 1e-3),
        "rotation does not scale"
    );
    let scaled = changed("scale:by=0.25", &plane.repeat(300), [1, side, side], 1);
    let factors: Vec<f64> =
        scaled.chunks_exact(side * side).map(gradient).map(|(x, y)| 1.0 / x.hypot(y)).collect();
    assert!(
        factors.iter().all(|s| (0.749..1.251).contains(s))
            && factors.iter().any(|s| *s < 0.77)
            && factors.iter().any(|s| *s > 1.23)
    );
    assert!(
        scaled.chunks_exact(side * side).map(gradient).all(|(_, y)| y.abs() < 1e-3),
        "scaling does not rotate"
    );
}

#[test]
fn a_cutout_is_a_square_clipped_at_the_image_edge() {
    let shape @ [_, h, w] = [3, 12, 10];
    let white = vec![1.0f32; 3 * h * w * 300];
    let mut whole = 0;
    for image in changed("cutout:size=4,fill=0.25", &white, shape, 6).chunks_exact(3 * h * w) {
        let gone: Vec<usize> = (0..h * w).filter(|i| image[*i] != 1.0).collect();
        assert!(
            gone.iter().all(|i| (0..3).all(|c| image[c * h * w + i] == 0.25)),
            "the cutout is equal in all channels"
        );
        let (xs, ys): (Vec<usize>, Vec<usize>) = gone.iter().map(|i| (i % w, i / w)).unzip();
        let side = |v: &[usize]| v.iter().max().unwrap() - v.iter().min().unwrap() + 1;
        assert_eq!(side(&xs) * side(&ys), gone.len());
        assert!(side(&xs) <= 4 && side(&ys) <= 4 && side(&xs) >= 2 && side(&ys) >= 2);
        whole += usize::from(gone.len() == 16);
    }
    assert!((90..300).contains(&whole), "{whole}");
}

#[test]
fn noise_has_the_requested_standard_deviation() {
    let before = vec![0.5f32; 200_000];
    let after = changed("noise:std=0.05", &before, [1, 200, 10], 1);
    let n = after.len() as f64;
    let variance = after.iter().map(|x| (f64::from(*x) - 0.5).powi(2)).sum::<f64>() / n;
    assert!(
        (variance.sqrt() / 0.05 - 1.0).abs() < 0.01 && (mean(&after) - 0.5).abs() < 1e-3,
        "{}",
        variance.sqrt()
    );
}

#[test]
fn pixel_values_stay_between_0_and_1() {
    let all = AUGMENTATIONS.iter().map(|entry| entry.name.to_string());
    let wild = [
        "color:brightness=1e300,contrast=1e300,saturation=1e300",
        "color:brightness=1e300,contrast=1e300,saturation=1e300,kind=tensorflow",
        "noise:std=1e300",
        "rotate:degrees=1e300",
        "scale:by=0.9999999999999999",
        "rotate:degrees=180,padding=reflect|scale:by=0.99,padding=reflect|crop:padding=edge",
        ALL,
    ];
    let mut before = images(60, COLOR);
    before[..200].fill(1.0);
    before[200..400].fill(0.0);
    for line in all
        .map(|name| name.replace("cutout", "cutout:size=3").replace("color", "color:contrast=0.5"))
        .chain(wild.map(String::from))
    {
        let after = changed(&line, &before, COLOR, 7);
        assert!(after.iter().all(|x| (0.0..=1.0).contains(x)), "{line}");
        assert_ne!(after, before, "{line}");
    }
    // an image of one pixel is valid
    for line in [
        "hflip|vflip|rotate:padding=reflect|scale:padding=edge",
        "crop:pad=0|color:brightness=0.2,contrast=0.2,saturation=0.2|noise|cutout:size=1",
    ] {
        assert!(
            changed(line, &[0.2, 0.4, 0.9], [3, 1, 1], 7).iter().all(|x| (0.0..=1.0).contains(x)),
            "{line}"
        );
    }
    assert!(changed(ALL, &[], COLOR, 7).is_empty(), "an empty batch is valid");
}

#[test]
fn every_spec_round_trips() {
    for entry in AUGMENTATIONS {
        let spec = augment(entry.name).spec();
        assert_eq!(augment(&spec), augment(entry.name));
        assert_eq!(augment(&spec).spec(), spec);
        for (part, text) in [
            ("title", entry.docs.title()),
            ("formula", entry.docs.formula()),
            ("Differences", entry.docs.section("Differences")),
            ("Source", entry.docs.section("Source")),
        ] {
            assert!(!text.is_empty(), "{} has no {part}", entry.name);
        }
    }
    assert_eq!(augment("none").spec(), "none");
    let line = "hflip:p=0.5|crop:pad=4,padding=zero|color:brightness=0.2,contrast=0,saturation=0,kind=torchvision";
    assert_eq!(augment("hflip|crop|color:brightness=0.2").spec(), line);
    assert_eq!(augment(ALL), augment(&augment(ALL).spec()));
    // the DeepOBS spec for CIFAR-10 in the header of color is valid
    let header = AUGMENTATIONS
        .iter()
        .find(|entry| entry.name == "color")
        .unwrap()
        .docs
        .section("Differences");
    let deepobs = header
        .split('`')
        .find(|text| text.contains("kind=tensorflow,") && text.contains('|'))
        .unwrap();
    augment(&deepobs.replace('\n', "")).fits(&[3, 32, 32]).unwrap();
}

#[test]
fn invalid_specs_give_one_sentence() {
    let says = |error: Error, says: &str| {
        let error = error.to_string();
        assert!(error.contains(says) && !error.contains('\n'), "{error}");
    };
    for (line, text) in [
        ("flip", "unknown augmentation `flip`; did you mean `hflip`?"),
        ("crop:padd=2", "unknown setting of crop `padd`; did you mean `pad`?"),
        ("hflip:p=1.5", "hflip: p is `1.5`, expected a number from 0 to 1"),
        ("crop:pad=-1", "crop: pad is `-1`, expected a whole number from 0"),
        ("crop:padding=wrap", "crop: padding is `wrap`, expected one of zero, edge, reflect"),
        ("scale:by=1", "scale: by is `1`, expected a number from 0 up to, but not including, 1"),
        ("rotate:degrees=nan", "rotate: degrees is `nan`"),
        (
            "color:brightness=-1",
            "color: brightness is `-1`, expected a finite number of at least 0",
        ),
        ("cutout:size=0", "cutout: size is `0`, expected a whole number from 1"),
        ("hflip|none", "found `none` together with an augmentation"),
        ("none:x=1", "`none:x=1`: found `none` with settings, expected `none` alone"),
        ("hflip|", "a spec on both sides of each `|`"),
    ] {
        says(
            line.parse().map_err(Error::from).and_then(|line| Augment::read(&line)).unwrap_err(),
            text,
        );
    }
    for (line, shape, text) in [
        ("hflip", vec![784], "found inputs of [784], expected images of [height, width]"),
        ("hflip", vec![], "found inputs of [], expected"),
        ("hflip", vec![2, 3, 4, 5], "found inputs of [2, 3, 4, 5], expected"),
        ("hflip", vec![3, 0, 4], "at least one pixel"),
        ("hflip", vec![usize::MAX, 2, 2], "no more than fit in memory"),
        (
            "color",
            vec![28, 28],
            "color: brightness is `0`, expected brightness, contrast or saturation above 0",
        ),
        (
            "color:saturation=0.2",
            vec![28, 28],
            "color: saturation is `0.2`, expected 0 for images of 1 channels",
        ),
        ("color:saturation=0.2", vec![2, 28, 28], "color: saturation is `0.2`"),
        (
            "hflip|crop:pad=28",
            vec![28, 30],
            "crop: pad is `28`, expected less than 28, for images of 28 x 30",
        ),
        ("cutout:size=29", vec![28, 30], "cutout: size is `29`, expected at most 28"),
    ] {
        says(augment(line).fits(&shape).unwrap_err(), text);
    }
    says(
        augment("hflip").apply(&mut [0.0; 10], [1, 2, 3], &mut generator(0)).unwrap_err(),
        "found 10 numbers, expected images of [1, 2, 3], a multiple of 6",
    );
    says(
        augment("color:saturation=1")
            .apply(&mut [0.0; 12], [1, 2, 3], &mut generator(0))
            .unwrap_err(),
        "saturation",
    );
    // two rows that together contain one image, and one row that contains two images
    for wrong in [[2, 3], [1, 12]] {
        let x = Tensor::<2>::zeros(wrong, &Device::flex());
        says(
            augment("hflip").apply_to(x, [1, 2, 3], &mut generator(0)).unwrap_err(),
            "expected rows that are images of [1, 2, 3]",
        );
    }
    assert_eq!(augment("color:contrast=0.1").fits(&[28, 28]).unwrap(), [1, 28, 28]);
}

#[test]
fn a_device_batch_and_its_pixel_slice_give_equal_results() {
    let before = images(6, COLOR);
    let x = Tensor::<2>::from_data(
        TensorData::new(before.clone(), [6, before.len() / 6]),
        &Device::flex(),
    );
    let after = augment(ALL).apply_to(x.clone(), COLOR, &mut generator(2)).unwrap();
    assert_eq!(
        after.into_data().iter::<f32>().collect::<Vec<_>>(),
        changed(ALL, &before, COLOR, 2)
    );
    assert_eq!(
        x.into_data().iter::<f32>().collect::<Vec<_>>(),
        before,
        "the input tensor is unchanged"
    );
}

#[test]
fn a_sheet_shows_the_originals_and_is_deterministic_for_a_seed() {
    let folder = tempfile::tempdir().unwrap();
    let before = images(3, COLOR);
    let write = |line: &str, seed: u64| {
        let page =
            sheet::write(&augment(line), &before, &COLOR, "<data>", Seed(seed), folder.path())
                .unwrap();
        (
            std::fs::read_to_string(page).unwrap(),
            std::fs::read(folder.path().join("sheet.png")).unwrap(),
        )
    };
    let (html, png) = write("hflip|crop:pad=2", 0);
    assert!(
        html.contains("hflip:p=0.5|crop:pad=2,padding=zero")
            && html.contains("&lt;data&gt;")
            && html.contains("Horizontal flip"),
        "{html}"
    );
    assert!(png.starts_with(b"\x89PNG"));
    assert_eq!(write("hflip|crop:pad=2", 0).1, png);
    assert_ne!(write("hflip|crop:pad=2", 1).1, png);
    let picture = resvg::tiny_skia::Pixmap::decode_png(&write("none", 0).1).unwrap();
    // 6 pixels of 14 points: the original ends at 4 + 84, the first augmented image starts 14 later
    let at = |x: u32, y: u32| picture.pixel(x, y).unwrap();
    assert_eq!(
        at(4 + 7, 4 + 7),
        at(4 + 84 + 14 + 7, 4 + 7),
        "`none` shows the original image again"
    );
    assert_eq!(at(4 + 7, 4 + 7).red(), (before[0] * 255.0).round() as u8);
    assert_eq!(at(4 + 7, 4 + 7).blue(), (before[2 * 48] * 255.0).round() as u8);
    assert!(
        sheet::write(&augment("color"), &before, &[48], "numbers", Seed(0), folder.path()).is_err()
    );
}

#[test]
fn augmentation_runs_before_preprocessing() {
    let device = Device::flex().autodiff();
    let shapes = Shapes { input: vec![28, 28], classes: 10 };
    let share = Subset { train: Some(60), test: Some(10), validation: 0.2 };
    let net = build(&"logistic".parse().unwrap(), &shapes, Seed(0), &device).unwrap();
    let now = Progress { step: 1, epoch: 1, batch: 1, steps: 1 };
    let loss = |parts: Splits, line: &str| {
        let mut problem = ClassifyProblem::on(parts, None, 16, Penalty::None, &device)
            .augmented(augment(line), &[28, 28])
            .unwrap();
        problem.loss(&net, now).into_scalar::<f64>()
    };
    let prepared = |data: &str| {
        let (data, images) = load_both(data).unwrap();
        let (images, prepared) = images.unwrap();
        Splits::of(&data, share, &device).with_images(&images, prepared, share)
    };
    let plain = |data: &str| Splits::of(&load(data).unwrap(), share, &device);
    for data in ["mnist-10k|standardise", "mnist-10k|gcn|standardise"] {
        // an augmentation without effect leaves the preprocessed images unchanged
        assert_eq!(loss(prepared(data), "hflip:p=0"), loss(plain(data), "none"), "{data}");
        // after preprocessing it would clip all values below 0, so the losses differ
        assert_ne!(
            loss(prepared(data), "color:brightness=0.5"),
            loss(plain(data), "color:brightness=0.5"),
            "{data}"
        );
    }
    // a flip commutes with gcn, so the order does not matter
    let [first, second] =
        [prepared("mnist-10k|gcn"), plain("mnist-10k|gcn")].map(|parts| loss(parts, "hflip:p=1"));
    assert!((first - second).abs() < 1e-5, "{first} {second}");
    assert!((first - loss(plain("mnist-10k|gcn"), "none")).abs() > 1e-3);
}
