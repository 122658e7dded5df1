//! The known data sets: their authors, their files, and their folder on this machine.
//!
//! Sizes and SHA-256 are those of TensorFlow Datasets' tables of checksums (`url_checksums`). The
//! files are those whose MD5 the authors publish (pages of CIFAR and Fashion-MNIST) or torchvision
//! and torchtext check (MNIST, IMDB).

use std::path::PathBuf;

use etcetera::BaseStrategy;

use crate::error::{Error, Result};

/// A data set that `downhill fetch` downloads.
#[derive(Debug)]
pub struct KnownDataset {
    /// The name on the command line.
    pub name: &'static str,
    /// A description in one line.
    pub docs: &'static str,
    /// The licence.
    pub licence: &'static str,
    /// The authors and their page.
    pub source: &'static str,
    /// The official files.
    pub files: &'static [Official],
    /// The number of examples in the training set and in the test set.
    pub examples: [usize; 2],
    /// The number of classes.
    pub classes: usize,
    /// The names of the classes, if no file contains them.
    pub names: &'static [&'static str],
}

/// A file as its authors published it.
#[derive(Debug)]
pub struct Official {
    /// The file name.
    pub name: &'static str,
    /// The number of bytes.
    pub size: u64,
    /// The SHA-256 in hexadecimal digits.
    pub sha256: &'static str,
    /// Addresses without the file name. The official address is first if it supports https.
    pub at: &'static [&'static str],
}

const MNIST: &[&str] = &[
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
];
const FASHION: &[&str] = &[
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
];
const CIFAR: &[&str] = &[
    "https://www.cs.toronto.edu/~kriz/",
    "https://cave.cs.toronto.edu/kriz/",
    "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/",
];
const IMDB: &[&str] =
    &["https://ai.stanford.edu/~amaas/data/sentiment/", "https://bj.bcebos.com/dataset/imdb%2F"];

/// All known data sets.
pub const KNOWN: &[KnownDataset] = &[
    KnownDataset {
        name: "mnist",
        docs: "70,000 handwritten digits, 28 x 28 grey: 60,000 to train on, 10,000 to test on",
        licence: "CC BY-SA 3.0",
        source: "Y. LeCun, C. Cortes, C. J. C. Burges; http://yann.lecun.com/exdb/mnist",
        examples: [60_000, 10_000],
        classes: 10,
        names: &[],
        files: &[
            Official {
                name: "train-images-idx3-ubyte.gz",
                size: 9_912_422,
                sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                at: MNIST,
            },
            Official {
                name: "train-labels-idx1-ubyte.gz",
                size: 28_881,
                sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                at: MNIST,
            },
            Official {
                name: "t10k-images-idx3-ubyte.gz",
                size: 1_648_877,
                sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                at: MNIST,
            },
            Official {
                name: "t10k-labels-idx1-ubyte.gz",
                size: 4_542,
                sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                at: MNIST,
            },
        ],
    },
    KnownDataset {
        name: "fashion-mnist",
        docs: "70,000 pieces of clothing, 28 x 28 grey: 60,000 to train on, 10,000 to test on",
        licence: "MIT",
        source: "Zalando Research; https://github.com/zalandoresearch/fashion-mnist",
        examples: [60_000, 10_000],
        classes: 10,
        names: &[
            "T-shirt/top",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ],
        files: &[
            Official {
                name: "train-images-idx3-ubyte.gz",
                size: 26_421_880,
                sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                at: FASHION,
            },
            Official {
                name: "train-labels-idx1-ubyte.gz",
                size: 29_515,
                sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                at: FASHION,
            },
            Official {
                name: "t10k-images-idx3-ubyte.gz",
                size: 4_422_102,
                sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                at: FASHION,
            },
            Official {
                name: "t10k-labels-idx1-ubyte.gz",
                size: 5_148,
                sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                at: FASHION,
            },
        ],
    },
    KnownDataset {
        name: "cifar10",
        docs: "60,000 photographs in 10 classes, 32 x 32 in colour: 50,000 to train on, 10,000 to \
               test on",
        licence: "none stated; the authors ask to be cited",
        source: "A. Krizhevsky, V. Nair, G. Hinton; https://www.cs.toronto.edu/~kriz/cifar.html",
        examples: [50_000, 10_000],
        classes: 10,
        names: &[
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ],
        files: &[Official {
            name: "cifar-10-binary.tar.gz",
            size: 170_052_171,
            sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            at: CIFAR,
        }],
    },
    KnownDataset {
        name: "cifar100",
        docs: "60,000 photographs in 100 classes, 32 x 32 in colour: 50,000 to train on, 10,000 to \
               test on",
        licence: "none stated; the authors ask to be cited",
        source: "A. Krizhevsky, V. Nair, G. Hinton; https://www.cs.toronto.edu/~kriz/cifar.html",
        examples: [50_000, 10_000],
        classes: 100,
        names: &[],
        files: &[Official {
            name: "cifar-100-binary.tar.gz",
            size: 168_513_733,
            sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
            at: CIFAR,
        }],
    },
    KnownDataset {
        name: "imdb",
        docs: "50,000 film reviews, negative or positive, as bags of the 10,000 most frequent \
               words: 25,000 to train on, 25,000 to test on",
        licence: "none stated; the authors ask to be cited",
        source: "A. L. Maas and others; https://ai.stanford.edu/~amaas/data/sentiment",
        examples: [25_000, 25_000],
        classes: 2,
        names: &[],
        files: &[Official {
            name: "aclImdb_v1.tar.gz",
            size: 84_125_825,
            sha256: "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
            at: IMDB,
        }],
    },
];

impl KnownDataset {
    /// The number of bytes of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// The known data set of this name.
pub fn known(name: &str) -> Option<&'static KnownDataset> {
    KNOWN.iter().find(|known| known.name == name)
}

/// Whether this may be the name of a data set: a word of letters, digits, `-` and `_`.
pub(super) fn is_word(name: &str) -> bool {
    name.starts_with(char::is_alphanumeric)
        && name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c))
}

/// Names and folders of the user's own data sets, which `downhill fetch NAME --from PATH` imported.
pub fn own() -> Vec<(String, PathBuf)> {
    let entries =
        folder().ok().and_then(|folder| folder.read_dir().ok()).into_iter().flatten().flatten();
    let named =
        entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
    let mut own: Vec<_> = named
        .filter(|(name, folder)| is_word(name) && known(name).is_none() && folder.is_dir())
        .collect();
    own.sort();
    own
}

/// The folder that contains a folder for each data set: `DOWNHILL_DATA`, or `downhill` in the
/// user's cache folder.
///
/// # Errors
/// If the user has no home folder.
pub fn folder() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("DOWNHILL_DATA").filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let base = etcetera::choose_base_strategy();
    let base = base.map_err(|error| {
        let found = format!("no value, and no home folder either ({error})");
        Error::value("the environment variable DOWNHILL_DATA", found, "a folder for data sets")
    })?;
    Ok(base.cache_dir().join("downhill"))
}
