//! The experiments that come with the program. A new one is a file in `experiments/` and a line
//! here.

macro_rules! experiments {
    ($($name:literal),* $(,)?) => {
        /// The experiments that come with the program: their names and their files.
        pub const BUILT_IN: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../experiments/", $name, ".toml")))),*];
    };
}

experiments! {
    "adam-fig1-mnist",
    "s2-adam-against-gd",
    "s2-batches",
    "s2-noise",
    "s3-contour",
    "s3-saddle",
    "long-valley",
    "deepobs-quadratic",
    "deepobs-tuning",
    "s0-averages",
    "amsgrad-counterexample",
    "wilson-synthetic",
    "nesterov-acceleration",
    "newton-digits",
    "step-sizes",
    "adam-fig1-imdb",
    "adam-fig2-mlp",
    "adam-fig3-cifar",
    "adam-fig4-vae",
    "adadelta-tables",
    "dropout-table9",
    "dropconnect-table2",
    "adamw-heatmap",
    "regularizers",
    "deepobs-fmnist-2c2d",
}
