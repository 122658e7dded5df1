//! Data sets from arrays of a program.

use burn::tensor::Tensor;
use rand::seq::SliceRandom;

use super::dataset::{Dataset, Examples, Inputs, Labels};
use crate::error::{Error, Result};
use crate::seed::{Purpose, Seed};

/// A table of numbers, one row for each example: a `Vec<Vec<f32>>`, a `Vec<f32>` (one column), a
/// `Vec<[f32; N]>`, or a tensor.
pub struct Rows {
    width: usize,
    numbers: Vec<f32>,
    /// index and length of the first row of another length
    ragged: Option<(usize, usize)>,
}

impl From<Vec<Vec<f32>>> for Rows {
    fn from(rows: Vec<Vec<f32>>) -> Rows {
        let width = rows.first().map_or(0, Vec::len);
        let ragged = rows.iter().map(Vec::len).enumerate().find(|(_, length)| *length != width);
        Rows { width, numbers: rows.concat(), ragged }
    }
}

impl<const N: usize> From<Vec<[f32; N]>> for Rows {
    fn from(rows: Vec<[f32; N]>) -> Rows {
        Rows { width: N, numbers: rows.concat(), ragged: None }
    }
}

impl From<Vec<f32>> for Rows {
    fn from(numbers: Vec<f32>) -> Rows {
        Rows { width: 1, numbers, ragged: None }
    }
}

impl From<Tensor<2>> for Rows {
    fn from(rows: Tensor<2>) -> Rows {
        Rows { width: rows.dims()[1], numbers: rows.into_data().iter().collect(), ragged: None }
    }
}

impl From<Tensor<1>> for Rows {
    fn from(numbers: Tensor<1>) -> Rows {
        Rows { width: 1, numbers: numbers.into_data().iter().collect(), ragged: None }
    }
}

impl Rows {
    /// The numbers of one row, and all numbers.
    fn checked(self, what: &str) -> Result<(usize, Vec<f32>)> {
        let Rows { width, numbers, ragged } = self;
        let wrong = |found: String, expected: String| Err(Error::mismatch(what, found, expected));
        if let Some((row, length)) = ragged {
            return wrong(
                format!("{length} numbers in row {row}"),
                format!("{width}, as in row 0"),
            );
        }
        if width == 0 || numbers.is_empty() {
            return wrong("no numbers".into(), "at least one row of at least one number".into());
        }
        if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
            return wrong(
                format!("{} in row {}", numbers[at], at / width),
                "finite numbers".into(),
            );
        }
        Ok((width, numbers))
    }
}

impl Examples {
    /// Inputs with the numbers to predict, as many rows of each.
    ///
    /// ```
    /// use downhill::lab::data::{Dataset, Examples};
    ///
    /// let x: Vec<f32> = (0..100).map(|i| i as f32 / 100.0).collect();
    /// let y: Vec<f32> = x.iter().map(|x| x.sin()).collect();
    /// let data = Dataset::split("sine", Examples::with_targets(x, y)?, 0.2)?;
    /// assert_eq!((data.train.len(), data.test.len()), (80, 20));
    /// # Ok::<(), downhill::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the rows differ in length, their numbers are not finite, or their counts differ.
    pub fn with_targets(inputs: impl Into<Rows>, targets: impl Into<Rows>) -> Result<Examples> {
        let (width, numbers) = targets.into().checked("targets")?;
        Examples::of(inputs.into(), Labels::Targets { width, numbers })
    }

    /// Inputs with their classes, counted from 0.
    ///
    /// # Errors
    /// As [`with_targets`](Examples::with_targets).
    pub fn with_classes(inputs: impl Into<Rows>, classes: Vec<u32>) -> Result<Examples> {
        Examples::of(inputs.into(), Labels::Classes(classes))
    }

    fn of(inputs: Rows, labels: Labels) -> Result<Examples> {
        let (width, numbers) = inputs.checked("inputs")?;
        let (rows, labelled) = (numbers.len() / width, labels.len());
        if rows != labelled {
            let expected = format!("{rows}, one for each row of the inputs");
            return Err(Error::value("labels", labelled, expected));
        }
        Ok(Examples { shape: vec![width], inputs: Inputs::Numbers(numbers), labels })
    }

    /// The same inputs with another shape, such as `[3, 32, 32]` for images.
    ///
    /// # Errors
    /// If the shape has another number of elements.
    pub fn with_shape(self, shape: &[usize]) -> Result<Examples> {
        if shape.iter().product::<usize>() != self.features() {
            let expected = format!("one of {} elements", self.features());
            return Err(Error::value("shape", format!("{shape:?}"), expected));
        }
        Ok(Examples { shape: shape.to_vec(), ..self })
    }
}

impl Dataset {
    /// A data set of a program. There are as many classes as the largest class says.
    ///
    /// # Errors
    /// If one part is empty, or the parts are not of one kind.
    pub fn new(name: &str, train: Examples, test: Examples) -> Result<Dataset> {
        let wrong = |found: String, expected: String| {
            Err(Error::mismatch(format!("data {name}"), found, expected))
        };
        if train.is_empty() || test.is_empty() {
            let found = format!("{} training and {} test examples", train.len(), test.len());
            return wrong(found, "at least one of each".into());
        }
        let kind = |part: &Examples| (part.shape.clone(), part.labels.width());
        if kind(&train) != kind(&test) {
            let text = |(shape, width): (Vec<usize>, usize)| match width {
                0 => format!("inputs of shape {shape:?} with classes"),
                1 => format!("inputs of shape {shape:?} with one number to predict"),
                width => format!("inputs of shape {shape:?} with {width} numbers to predict"),
            };
            let [train, test] = [&train, &test].map(|part| text(kind(part)));
            return wrong(format!("test examples with {test}"), format!("{train}, as in training"));
        }
        let classes = [&train, &test].into_iter().flat_map(|part| part.labels.classes());
        let classes = classes.max().map_or(0, |largest| *largest as usize + 1);
        let name = name.to_string();
        Ok(Dataset { name, classes, names: Vec::new(), train, test, fingerprint: None })
    }

    /// A data set of a program, a fraction of whose examples is drawn to be the test set. The draw
    /// is the same in every run.
    ///
    /// # Errors
    /// If a part would be empty.
    pub fn split(name: &str, examples: Examples, test_fraction: f64) -> Result<Dataset> {
        let n = examples.len();
        let mut places: Vec<usize> = (0..n).collect();
        places.shuffle(&mut Seed(0).generator(Purpose::Split, 3)); // 0 to 2 are in task/splits.rs
        let tests = (n as f64 * test_fraction).round() as usize;
        if !(1..n).contains(&tests) {
            let found = format!("a test set of {tests} of {n} examples (fraction {test_fraction})");
            let expected = "at least one example to test and one to train on";
            return Err(Error::mismatch(format!("data {name}"), found, expected));
        }
        let (test, train) = places.split_at(tests);
        Dataset::new(name, examples.select(train), examples.select(test))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn vectors_arrays_and_tensors_are_the_same_data() {
        let y = vec![1.0, 2.0];
        let nested = Examples::with_targets(vec![vec![1.0, 2.0], vec![3.0, 4.0]], y.clone());
        let arrays = Examples::with_targets(vec![[1.0, 2.0], [3.0, 4.0]], y);
        let device = Device::default();
        let tensors = Examples::with_targets(
            Tensor::<2>::from_data([[1.0, 2.0], [3.0, 4.0]], &device),
            Tensor::<1>::from_data([1.0, 2.0], &device),
        );
        let hash = |examples: Result<Examples>| {
            let examples = examples.unwrap();
            Dataset::new("a", examples.clone(), examples).unwrap().sha256()
        };
        let [a, b, c] = [nested, arrays, tensors].map(hash);
        assert!(a == b && b == c);
    }

    #[test]
    fn classes_are_not_limited_to_bytes() {
        let x: Vec<f32> = (0..1000).map(|i| i as f32).collect();
        let all = Examples::with_classes(x.clone(), (0..1000).collect()).unwrap();
        let data = Dataset::split("many", all, 0.1).unwrap();
        assert_eq!((data.classes, data.train.len(), data.test.len()), (1000, 900, 100));
        let classes = data.train.to_device(&Device::default()).all().y.into_data();
        let classes: Vec<u32> = classes.iter::<i64>().map(|class| class as u32).collect();
        assert_eq!(classes, data.train.labels.classes());
        // a class above 255 is not hashed as its last byte
        let hash = |class| {
            let examples = Examples::with_classes(vec![1.0], vec![class]).unwrap();
            Dataset::new("a", examples.clone(), examples).unwrap().sha256()
        };
        assert_ne!(hash(1), hash(257));
    }

    #[test]
    fn arrays_that_do_not_fit_are_refused() {
        let error =
            |x: Vec<Vec<f32>>, y: Vec<f32>| Examples::with_targets(x, y).unwrap_err().to_string();
        assert_eq!(
            error(vec![vec![1.0], vec![]], vec![1.0, 2.0]),
            "inputs: found 0 numbers in row 1, expected 1, as in row 0"
        );
        assert_eq!(
            error(vec![vec![1.0]], vec![1.0, 2.0]),
            "labels: found 2, expected 1, one for each row of the inputs"
        );
        assert_eq!(
            error(vec![vec![f32::NAN]], vec![1.0]),
            "inputs: found NaN in row 0, expected finite numbers"
        );
        let one = Examples::with_targets(vec![1.0], vec![1.0]).unwrap();
        let error = Dataset::split("one", one.clone(), 0.5).unwrap_err().to_string();
        assert!(error.starts_with("data one: found a test set of 1 of 1 examples"), "{error}");
        let classes = Examples::with_classes(vec![1.0], vec![0]).unwrap();
        let error = Dataset::new("one", one, classes).unwrap_err().to_string();
        assert_eq!(
            error,
            "data one: found test examples with inputs of shape [1] with classes, expected inputs \
             of shape [1] with one number to predict, as in training"
        );
    }
}
