//! Preparations of a data set before training: `cifar10|gcn|zca:eps=0.1`, applied from left to
//! right.
//!
//! Statistics are computed from the training set only. They are applied to the training set and the
//! test set. A new preparation is a new file with its `pub mod` line, a row in the table below, and
//! an arm in [`Prepare::fit`].

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use sha2::{Digest, Sha256};

use super::binary::Binary;
use super::dataset::{Dataset, Examples, Inputs};
use super::fitted::{Fitted, TrainingInputs};
use super::gcn::Gcn;
use super::standardise::Standardise;
use super::zca::Zca;
use crate::docs::{CatalogEntry, Docs, hex};
use crate::error::{Error, Result};
use crate::spec::{Settings, Spec, SpecLine, unknown};

/// Preparations with the statistics of a training set, for further examples.
#[derive(Debug)]
pub struct Prepared(Vec<Box<dyn Fitted>>);

impl Prepared {
    /// Prepares a batch of unprepared examples, one per row.
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
        pub const PREPARATIONS: &[CatalogEntry] = &[$(CatalogEntry {
            name: stringify!($module),
            docs: Docs(include_str!(concat!(stringify!($module), ".rs"))),
            settings: <$Type as Settings>::SETTINGS,
            defaults: || $Type::default().values(),
        }),*];

        #[derive(Debug)]
        enum Preparation { $($Type($Type)),* }

        impl Preparation {
            fn read(spec: &Spec) -> Result<Preparation> {
                match spec.name.as_str() {
                    $(stringify!($module) => Ok(Preparation::$Type(spec.read()?)),)*
                    other => {
                        let names = [$(stringify!($module)),*];
                        Err(unknown("preparation of data", other, names).into())
                    }
                }
            }

            fn spec(&self) -> String {
                match self {
                    $(Preparation::$Type(it) => it.spec(stringify!($module)).to_string()),*
                }
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

/// A sequence of preparations.
#[derive(Debug)]
pub struct Prepare(Vec<Preparation>);

impl Prepare {
    /// Reads `gcn|zca:eps=0.1`.
    ///
    /// # Errors
    /// On an unknown preparation or setting.
    pub fn read(line: &str) -> Result<Prepare> {
        let specs = line.parse::<SpecLine>()?.0;
        specs.iter().map(Preparation::read).collect::<Result<_>>().map(Prepare)
    }

    /// The spec with all settings.
    pub fn spec(&self) -> String {
        self.0.iter().map(Preparation::spec).collect::<Vec<_>>().join("|")
    }

    /// Prepares training set and test set. The name of the result includes the spec. Its
    /// fingerprint is computed from the fingerprint of the unprepared data and the spec, because
    /// the prepared numbers may differ in their last digits between processors.
    ///
    /// # Errors
    /// If the data are not of the kind that a preparation needs.
    pub fn of(&self, data: Dataset) -> Result<Dataset> {
        self.fit(data).map(|(data, _)| data)
    }

    /// Like [`of`](Prepare::of), and also returns the fitted preparations for further examples.
    /// `binary`, for texts, is not among them.
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
                Preparation::Zca(it) => {
                    Box::new(it.fit(dense(&mut data, preparation)?, &Device::default())?)
                }
                Preparation::Binary(_) => {
                    binary(&mut data)?;
                    continue;
                }
            };
            for examples in [&mut data.train, &mut data.test] {
                if let Inputs::Numbers(numbers) = &mut examples.inputs {
                    fitted.apply(numbers);
                }
            }
            all.push(fitted);
        }
        Ok((Dataset { fingerprint: Some(fingerprint), ..data }, Prepared(all)))
    }
}

/// Converts pixels of training set and test set to numbers.
///
/// # Errors
/// If the inputs are sparse.
fn dense<'a>(data: &'a mut Dataset, preparation: &Preparation) -> Result<TrainingInputs<'a>> {
    for examples in [&mut data.test, &mut data.train] {
        match &examples.inputs {
            Inputs::Numbers(_) => {}
            Inputs::Pixels(_) => examples.inputs = Inputs::Numbers(examples.numbers()),
            Inputs::Sparse(_) => {
                let found = format!("the bags of words of {}", data.name);
                let expected = "images or other dense numbers";
                return Err(Error::mismatch(preparation.spec(), found, expected));
            }
        }
    }
    let Examples { shape, inputs, .. } = &data.train;
    Ok(TrainingInputs {
        shape,
        train: if let Inputs::Numbers(numbers) = inputs { numbers } else { &[] },
    })
}

/// Sets all stored counts to 1.
///
/// # Errors
/// If the inputs are not sparse.
fn binary(data: &mut Dataset) -> Result<()> {
    for examples in [&mut data.train, &mut data.test] {
        match &mut examples.inputs {
            Inputs::Sparse(rows) => Arc::make_mut(rows).values.fill(1.0), // zeros are not stored
            _ => {
                let found = format!("{}, which contains no bags of words", data.name);
                return Err(Error::mismatch("binary", found, "a data set of texts"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{load, sparse::Sparse};

    /// Images of 3 x 2 x 2 with correlated numbers. Those of the test set are larger.
    fn images() -> Dataset {
        let examples = |n: usize, offset: f32| {
            let number = |i: usize, j: usize| {
                ((i * 37 + i * i * 11) % 53) as f32 / 53.0
                    + ((i * 13 + j * j * 29 + i * j * 7) % 31) as f32 / 31.0
            };
            let numbers: Vec<f32> =
                (0..n).flat_map(|i| (0..12).map(move |j| number(i, j) + offset)).collect();
            Examples { shape: vec![3, 2, 2], inputs: numbers.into(), labels: vec![0u32; n].into() }
        };
        Dataset {
            name: "images".into(),
            classes: 1,
            names: Vec::new(),
            train: examples(500, 0.0),
            test: examples(100, 2.0),
            fingerprint: None,
        }
    }

    fn texts() -> Dataset {
        let mut rows = Sparse::new(3);
        rows.push([(0, 2.0), (2, 5.0)]);
        rows.push([]);
        let examples = Examples {
            shape: vec![3],
            inputs: Inputs::Sparse(Arc::new(rows)),
            labels: vec![0u32, 1].into(),
        };
        Dataset {
            name: "texts".into(),
            classes: 2,
            names: Vec::new(),
            train: examples.clone(),
            test: examples,
            fingerprint: None,
        }
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
    fn standardise_uses_mean_and_variance_of_each_channel_of_the_training_set() {
        let data = prepared("standardise", images());
        let before = images();
        for channel in 0..3 {
            let of = |examples: &Examples| {
                examples
                    .numbers()
                    .into_iter()
                    .enumerate()
                    .filter(move |(i, _)| i % 12 / 4 == channel)
                    .map(|(_, x)| x)
                    .collect::<Vec<f32>>()
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
    fn a_constant_input_is_not_divided_by_zero() {
        let mut data = images();
        data.train.inputs = vec![0.7; 500 * 12].into();
        assert!(
            prepared("standardise", data.clone()).train.numbers().iter().all(|x| x.abs() < 1e-6)
        );
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
    fn zca_makes_the_covariance_of_the_training_set_the_identity() {
        let data = prepared("zca:eps=1e-8", images());
        let numbers = data.train.numbers();
        for i in 0..12 {
            for j in 0..12 {
                let covariance = numbers
                    .chunks(12)
                    .map(|image| f64::from(image[i]) * f64::from(image[j]))
                    .sum::<f64>()
                    / 500.0;
                assert!(
                    (covariance - f64::from(u8::from(i == j))).abs() < 1e-3,
                    "{i} {j}: {covariance}"
                );
            }
        }
        let mut other = images();
        other.test = other.train.clone();
        let other = prepared("zca:eps=1e-8", other);
        assert_eq!(other.train.numbers(), numbers, "the test set is not used");
        assert_eq!(other.test.numbers(), numbers, "both sets are transformed in the same way");
    }

    #[test]
    fn binary_is_whether_a_word_occurs() {
        assert_eq!(prepared("binary", texts()).train.numbers(), [1.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn a_preparation_refuses_data_of_another_kind() {
        let refused = |line: &str, data| {
            Prepare::read(line).and_then(|line| line.of(data)).unwrap_err().to_string()
        };
        assert!(refused("binary", images()).contains("which contains no bags of words"));
        assert!(refused("standardise", texts()).contains("expected images or other dense numbers"));
        assert!(refused("whiten", images()).contains("unknown preparation of data `whiten`"));
        assert!(refused("zca:eps=0", images()).contains("expected a finite number above 0"));
        assert!(
            load("mnist-10k|standarise")
                .unwrap_err()
                .to_string()
                .contains("did you mean `standardise`?")
        );
    }

    #[test]
    fn a_spec_after_the_name_is_applied_and_becomes_part_of_the_name() {
        let data = load("mnist-10k|gcn|standardise").unwrap();
        assert_eq!(data.name, "mnist-10k|gcn:scale=1,bias=0,eps=1e-8|standardise");
        let (mean, variance) = mean_and_variance(data.train.numbers().into_iter());
        assert!(mean.abs() < 1e-4 && (variance - 1.0).abs() < 1e-3);
        assert_eq!(data.sha256(), load("mnist-10k|gcn|standardise").unwrap().sha256());
        assert!(
            data.sha256() != load("mnist-10k|standardise").unwrap().sha256()
                && data.sha256() != load("mnist-10k").unwrap().sha256()
        );
    }
}
