//! What is done to the numbers of a data set before anything is trained: `cifar10|gcn|zca:eps=0.1`, from left to right.
//!
//! Whatever is computed from examples is computed from those of the training part alone, and applied to both parts. A new one is a new file,
//! and a line in the tables below.

use std::fmt;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use sha2::{Digest, Sha256};

use super::binary::Binary;
use super::gcn::Gcn;
use super::standardise::Standardise;
use super::zca::Zca;
use super::{Dataset, Examples, Inputs};
use crate::about::{About, Entry, hex};
use crate::error::{Error, Result};
use crate::spec::{Line, Settings, Spec, unknown};

/// What a preparation sees.
pub(super) struct Given<'a> {
    /// of an example
    pub shape: &'a [usize],
    /// the examples of the training part, one behind another
    pub train: &'a [f32],
}

/// A preparation that has seen the training part.
pub(super) trait Fitted: fmt::Debug + Send + Sync {
    /// Changes whole examples, one behind another.
    fn apply(&self, numbers: &mut [f32]);
}

/// A line of preparations that have seen the training part, to prepare further examples alike.
#[derive(Debug)]
pub struct Prepared(Vec<Box<dyn Fitted>>);

impl Prepared {
    /// Prepares a batch of examples as they were before, one a row.
    pub fn apply_to(&self, x: Tensor<2>) -> Tensor<2> {
        let (device, dtype, dims) = (x.device(), x.dtype(), x.dims());
        let mut numbers: Vec<f32> = x.into_data().iter().collect();
        self.0.iter().for_each(|fitted| fitted.apply(&mut numbers));
        Tensor::from_data(TensorData::new(numbers, dims), (&device, dtype))
    }
}

macro_rules! preparations {
    ($($module:ident::$Type:ident),* $(,)?) => {
        /// All preparations.
        pub const PREPARATIONS: &[Entry] = &[$(Entry {
            name: stringify!($module),
            about: About(include_str!(concat!(stringify!($module), ".rs"))),
            settings: <$Type as Settings>::SETTINGS,
            defaults: || $Type::default().values(),
        }),*];

        #[derive(Debug)]
        enum Preparation { $($Type($Type)),* }

        impl Preparation {
            fn read(spec: &Spec) -> Result<Preparation> {
                match spec.name.as_str() {
                    $(stringify!($module) => Ok(Preparation::$Type(spec.read()?)),)*
                    other => Err(unknown("preparation of data", other, [$(stringify!($module)),*]).into()),
                }
            }

            fn spec(&self) -> String {
                match self { $(Preparation::$Type(it) => it.spec(stringify!($module)).to_string()),* }
            }
        }
    };
}

preparations! {
    standardise::Standardise,
    gcn::Gcn,
    zca::Zca,
    binary::Binary,
}

/// A line of preparations that can be done.
#[derive(Debug)]
pub struct Prepare(Vec<Preparation>);

impl Prepare {
    /// Reads `gcn|zca:eps=0.1`.
    ///
    /// # Errors
    /// On an unknown preparation or setting.
    pub fn read(line: &str) -> Result<Prepare> {
        line.parse::<Line>()?.0.iter().map(Preparation::read).collect::<Result<_>>().map(Prepare)
    }

    /// The line with every setting spelled out.
    pub fn spec(&self) -> String {
        self.0.iter().map(Preparation::spec).collect::<Vec<_>>().join("|")
    }

    /// Prepares both parts. The name says so afterwards, and the fingerprint is made from that of the examples before and the line: the
    /// numbers themselves may differ in their last digits from one processor to another.
    ///
    /// # Errors
    /// If the data are not of the kind that a preparation is for.
    pub fn of(&self, data: Dataset) -> Result<Dataset> {
        self.fit(data).map(|(data, _)| data)
    }

    /// The same, with what prepares further examples alike; of texts nothing does.
    ///
    /// # Errors
    /// As [`of`](Prepare::of).
    pub fn fit(&self, mut data: Dataset) -> Result<(Dataset, Prepared)> {
        let fingerprint = hex(&Sha256::digest(format!("{}|{}", data.sha256(), self.spec())));
        data.name = format!("{}|{}", data.name, self.spec());
        let mut all = Vec::new();
        for preparation in &self.0 {
            let fitted: Box<dyn Fitted> = match preparation {
                Preparation::Standardise(it) => Box::new(it.fit(dense(&mut data, preparation)?)),
                Preparation::Gcn(it) => Box::new(it.fit(dense(&mut data, preparation)?)),
                Preparation::Zca(it) => Box::new(it.fit(dense(&mut data, preparation)?, &Device::default())?),
                Preparation::Binary(_) => {
                    binary(&mut data)?;
                    continue;
                }
            };
            for part in [&mut data.train, &mut data.test] {
                if let Inputs::Numbers(numbers) = &mut part.inputs {
                    fitted.apply(numbers);
                }
            }
            all.push(fitted);
        }
        Ok((Dataset { fingerprint: Some(fingerprint), ..data }, Prepared(all)))
    }
}

/// Makes both parts numbers of which most are not zero, as those of images.
fn dense<'a>(data: &'a mut Dataset, preparation: &Preparation) -> Result<Given<'a>> {
    for part in [&mut data.test, &mut data.train] {
        part.inputs = match &mut part.inputs {
            Inputs::Numbers(numbers) => Inputs::Numbers(std::mem::take(numbers)),
            Inputs::Pixels(_) => Inputs::Numbers(part.numbers()),
            Inputs::Sparse(_) => {
                let found = format!("{} holds rows of mostly zeros", data.name);
                return Err(Error::Asked(format!("{}: {found}, expected images or other numbers", preparation.spec())));
            }
        };
    }
    let Examples { shape, inputs, .. } = &data.train;
    Ok(Given { shape, train: if let Inputs::Numbers(numbers) = inputs { numbers } else { &[] } })
}

fn binary(data: &mut Dataset) -> Result<()> {
    for part in [&mut data.train, &mut data.test] {
        match &mut part.inputs {
            Inputs::Sparse(rows) => Arc::make_mut(rows).values.fill(1.0), // zeros are not stored
            _ => return Err(Error::Asked(format!("binary: {} holds no words, expected a data set of texts", data.name))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{load, sparse::Sparse};

    /// Images of 3 x 2 x 2 whose numbers hang together; those of the test part lie higher.
    fn images() -> Dataset {
        let part = |n: usize, higher: f32| {
            let number =
                |i: usize, j: usize| ((i * 37 + i * i * 11) % 53) as f32 / 53.0 + ((i * 13 + j * j * 29 + i * j * 7) % 31) as f32 / 31.0;
            let numbers: Vec<f32> = (0..n).flat_map(|i| (0..12).map(move |j| number(i, j) + higher)).collect();
            Examples { shape: vec![3, 2, 2], inputs: numbers.into(), labels: vec![0; n] }
        };
        Dataset { name: "images".into(), classes: 1, names: Vec::new(), train: part(500, 0.0), test: part(100, 2.0), fingerprint: None }
    }

    fn texts() -> Dataset {
        let mut rows = Sparse::new(3);
        rows.push([(0, 2.0), (2, 5.0)]);
        rows.push([]);
        let part = Examples { shape: vec![3], inputs: Inputs::Sparse(Arc::new(rows)), labels: vec![0, 1] };
        Dataset { name: "texts".into(), classes: 2, names: Vec::new(), train: part.clone(), test: part, fingerprint: None }
    }

    fn prepared(line: &str, data: Dataset) -> Dataset {
        Prepare::read(line).unwrap().of(data).unwrap()
    }

    fn mean_and_variance(numbers: impl Iterator<Item = f32> + Clone) -> (f64, f64) {
        let n = numbers.clone().count() as f64;
        let mean = numbers.clone().map(f64::from).sum::<f64>() / n;
        (mean, numbers.map(|x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn standardise_takes_mean_and_variance_of_each_channel_from_the_training_part() {
        let data = prepared("standardise", images());
        let before = images();
        for channel in 0..3 {
            let of = |part: &Examples| {
                part.numbers().into_iter().enumerate().filter(move |(at, _)| at % 12 / 4 == channel).map(|(_, x)| x).collect::<Vec<f32>>()
            };
            let (mean, variance) = mean_and_variance(of(&data.train).into_iter());
            assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-5, "{mean} {variance}");
            let (mean, variance) = mean_and_variance(of(&before.train).into_iter());
            for (x, new) in of(&before.test).iter().zip(of(&data.test)) {
                assert!(((f64::from(*x) - mean) / variance.sqrt() - f64::from(new)).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn what_never_changes_is_not_divided_by_nothing() {
        let mut data = images();
        data.train.inputs = vec![0.7; 500 * 12].into();
        assert!(prepared("standardise", data.clone()).train.numbers().iter().all(|x| x.abs() < 1e-6));
        assert!(prepared("gcn|zca", data).train.numbers().iter().all(|x| x.abs() < 1e-3));
    }

    #[test]
    fn gcn_gives_each_image_mean_0_and_its_scale() {
        let data = prepared("gcn:scale=2", images());
        for image in data.train.numbers().chunks(12).chain(data.test.numbers().chunks(12)) {
            let (mean, variance) = mean_and_variance(image.iter().copied());
            assert!(mean.abs() < 1e-5 && (variance - 4.0).abs() < 1e-4);
        }
    }

    #[test]
    fn zca_makes_the_covariance_of_the_training_part_the_identity_and_moves_the_test_part_alike() {
        let data = prepared("zca:eps=1e-8", images());
        let numbers = data.train.numbers();
        for i in 0..12 {
            for j in 0..12 {
                let covariance = numbers.chunks(12).map(|image| f64::from(image[i]) * f64::from(image[j])).sum::<f64>() / 500.0;
                assert!((covariance - f64::from(u8::from(i == j))).abs() < 1e-3, "{i} {j}: {covariance}");
            }
        }
        let mut other = images();
        other.test = other.train.clone();
        let other = prepared("zca:eps=1e-8", other);
        assert_eq!(other.train.numbers(), numbers, "the test part has no part in it");
        assert_eq!(other.test.numbers(), numbers, "both parts are treated alike");
    }

    #[test]
    fn binary_says_whether_a_word_is_there() {
        assert_eq!(prepared("binary", texts()).train.numbers(), [1.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |line: &str, data| Prepare::read(line).and_then(|line| line.of(data)).unwrap_err().to_string();
        assert!(refused("binary", images()).contains("holds no words"));
        assert!(refused("standardise", texts()).contains("expected images or other numbers"));
        assert!(refused("whiten", images()).contains("unknown preparation of data `whiten`"));
        assert!(refused("zca:eps=0", images()).contains("expected a finite number above 0"));
        assert!(load("mnist-10k|standarise").unwrap_err().to_string().contains("did you mean `standardise`?"));
    }

    #[test]
    fn a_line_behind_the_name_is_done_and_told() {
        let data = load("mnist-10k|gcn|standardise").unwrap();
        assert_eq!(data.name, "mnist-10k|gcn:scale=1,bias=0,eps=1e-8|standardise");
        let (mean, variance) = mean_and_variance(data.train.numbers().into_iter());
        assert!(mean.abs() < 1e-4 && (variance - 1.0).abs() < 1e-3);
        assert_eq!(data.sha256(), load("mnist-10k|gcn|standardise").unwrap().sha256());
        assert!(data.sha256() != load("mnist-10k|standardise").unwrap().sha256() && data.sha256() != load("mnist-10k").unwrap().sha256());
    }
}
