//! Newton's methods on functions with known second derivatives, and on a burn module.
#![cfg(feature = "lab")]

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Device, Int, Tensor};
use downhill::lab::data::{Examples, load};
use downhill::lab::model::{Mode, Net, Shapes, build};
use downhill::lab::regularizer::Penalty;
use downhill::lab::seed::Seed;
use downhill::optim::newton::{
    Iterate, LineSearch, ModelLoss, Newton, NewtonCg, NewtonError, Smooth, StopReason, flatten,
    gradient_of, root, unflatten,
};

/// Rosenbrock's function, `100 (y - x²)² + (1 - x)²`.
struct Rosenbrock;

impl Smooth for Rosenbrock {
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        let (a, b) = (x[0], x[1] - x[0] * x[0]);
        (100.0 * b * b + (1.0 - a) * (1.0 - a), vec![-400.0 * a * b - 2.0 * (1.0 - a), 200.0 * b])
    }

    fn hessian(&mut self, x: &[f64]) -> Vec<Vec<f64>> {
        vec![
            vec![1200.0 * x[0] * x[0] - 400.0 * x[1] + 2.0, -400.0 * x[0]],
            vec![-400.0 * x[0], 200.0],
        ]
    }
}

/// The same function without its Hessian.
struct RosenbrockByDifferences;

impl Smooth for RosenbrockByDifferences {
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        Rosenbrock.gradient(x)
    }
}

/// A function from a closure, with a constant Hessian.
struct Constant<F>(F, Vec<Vec<f64>>);

impl<F: FnMut(&[f64]) -> (f64, Vec<f64>)> Smooth for Constant<F> {
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        (self.0)(x)
    }

    fn hessian(&mut self, _: &[f64]) -> Vec<Vec<f64>> {
        self.1.clone()
    }
}

fn near(found: &[f64], expected: &[f64], within: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= within * expected.abs(), "{found} is not {expected}");
    }
}

#[test]
fn newton_without_line_search_minimizes_rosenbrock_as_in_the_textbook() {
    let path =
        Newton::new().with_tolerance(0.0).with_steps(6).minimize(&mut Rosenbrock, vec![-1.2, 1.0]);
    let values: Vec<f64> = path.points.iter().map(|point| point.f).collect();
    near(&values[..3], &[24.2, 4.73, 1412.0], 1e-3); // a full step may increase f, here to 1412
    near(&values[3..5], &[0.056, 0.313], 1e-2);
    near(&values[5..], &[1.9e-11, 3.4e-20], 0.03);
    assert_eq!(path.end, StopReason::OutOfSteps);
}

#[test]
fn with_a_line_search_f_always_falls_and_the_minimum_is_reached() {
    let newton = Newton::new().with_line_search(LineSearch::Backtracking);
    let path = newton.minimize(&mut Rosenbrock, vec![-1.2, 1.0]);
    assert_eq!(path.end, StopReason::Converged);
    assert!(path.points.windows(2).all(|pair| pair[1].f < pair[0].f));
    let path = NewtonCg::new().minimize(&mut RosenbrockByDifferences, vec![-1.2, 1.0]);
    assert_eq!(path.end, StopReason::Converged);
    near(&path.points.last().unwrap().x, &[1.0, 1.0], 1e-5);
}

#[test]
fn the_correct_digits_of_a_root_double_with_each_step() {
    let errors: Vec<f64> =
        root(|x| (x * x - 2.0, 2.0 * x), 1.0, 4).iter().map(|x| (x - 2f64.sqrt()).abs()).collect();
    near(&errors[1..], &[8.6e-2, 2.5e-3, 2.1e-6, 1.6e-12], 0.03);
    for pair in errors[1..].windows(2) {
        // f''/2f' at the root is the limit; from here on the ratio is within a tenth of it
        near(&[pair[1] / (pair[0] * pair[0])], &[1.0 / (2.0 * 2f64.sqrt())], 0.1);
    }
    assert_eq!(
        root(|x| (x * x - 2.0, 2.0 * x), 0.0, 4),
        [0.0],
        "a step with derivative 0 ends the path"
    );
}

#[test]
fn the_hessian_by_differences_is_close_to_the_exact_hessian() {
    for x in [[-1.2, 1.0], [0.3, -2.0], [1.0, 1.0]] {
        let (exact, differences) =
            (Rosenbrock.hessian(&x).concat(), RosenbrockByDifferences.hessian(&x).concat());
        let largest = exact.iter().fold(0.0, |largest: f64, h| largest.max(h.abs()));
        for (exact, difference) in exact.iter().zip(&differences) {
            assert!(
                (exact - difference).abs() < 1e-8 * largest,
                "{exact} and {difference} at {x:?}"
            );
        }
    }
    let newton = Newton::new().with_tolerance(1e-6);
    let (exact, differences) = (
        newton.minimize(&mut Rosenbrock, vec![-1.2, 1.0]),
        newton.minimize(&mut RosenbrockByDifferences, vec![-1.2, 1.0]),
    );
    assert_eq!((&exact.end, exact.points.len()), (&differences.end, differences.points.len()));
}

#[test]
fn a_hessian_without_a_newton_step_is_a_typed_error() {
    let quadratic = |x: &[f64]| (x[0] * x[0] + x[1] * x[1], vec![2.0 * x[0], 2.0 * x[1]]);
    let step = |newton: &Newton, hessian: &[&[f64]]| {
        let f = &mut Constant(quadratic, hessian.iter().map(|row| row.to_vec()).collect());
        let at = Iterate::of(f, vec![1.0, 2.0])?;
        newton.step(f, &at)
    };
    let plain = Newton::new();
    for singular in [
        [[1.0, 1.0], [1.0, 1.0]],
        [[0.0, 0.0], [0.0, 0.0]],
        [[1.0, 3.0], [3.0, 9.0]],
        [[-0.1, 0.3], [0.3, -0.9]],
    ] {
        let rows = [&singular[0][..], &singular[1][..]];
        assert_eq!(step(&plain, &rows), Err(NewtonError::Singular));
        // damping or a line search makes a step possible
        assert!(step(&plain.clone().with_damping(0.5), &rows).is_ok());
        let searched =
            step(&plain.clone().with_line_search(LineSearch::Backtracking), &rows).unwrap();
        assert!(searched.f < 5.0);
    }
    // a small Hessian is not singular
    assert!(step(&plain, &[&[1.0, 0.0], &[0.0, 1e-20]]).is_ok());
    assert!(step(&plain, &[&[0.0, 1e-20], &[1e-20, 0.0]]).is_ok());
    for newton in [plain.clone(), plain.clone().with_line_search(LineSearch::Backtracking)] {
        assert_eq!(
            step(&newton, &[&[1.0, f64::NAN], &[0.0, 1.0]]),
            Err(NewtonError::NotFinite("the Hessian"))
        );
        assert!(matches!(
            step(&newton, &[&[1.0, 0.0]]),
            Err(NewtonError::Size { found: 1, expected: 2, .. })
        ));
        assert!(matches!(
            step(&newton, &[&[1.0], &[0.0, 1.0]]),
            Err(NewtonError::Size { found: 1, expected: 2, .. })
        ));
    }
    assert!(matches!(
        step(&plain.clone().with_damping(-1.0), &[&[1.0, 0.0], &[0.0, 1.0]]),
        Err(NewtonError::Setting(_))
    ));
}

#[test]
fn a_diverged_run_keeps_its_points_and_has_a_typed_error() {
    // a wrong Hessian makes x diverge
    let away = |x: &[f64]| (x[0].powi(3).exp(), vec![3.0 * x[0] * x[0] * x[0].powi(3).exp()]);
    let path = Newton::new().minimize(&mut Constant(away, vec![vec![-1e-3]]), vec![0.5]);
    assert_eq!(path.end, StopReason::Failed(NewtonError::NotFinite("the value")));
    assert_eq!(path.points.len(), 1);
    let nothing = |_: &[f64]| (f64::NAN, vec![0.0]);
    let path = NewtonCg::new().minimize(&mut Constant(nothing, vec![]), vec![0.5]);
    assert_eq!(
        (path.end, path.points.len()),
        (StopReason::Failed(NewtonError::NotFinite("the value")), 0)
    );
    let short = |_: &[f64]| (0.0, vec![]);
    let path = NewtonCg::new().minimize(&mut Constant(short, vec![]), vec![0.5]);
    assert_eq!(
        path.end,
        StopReason::Failed(NewtonError::Size { what: "gradient", found: 0, expected: 1 })
    );
    // a wrong gradient is not a descent direction
    let lie = |x: &[f64]| (x[0], vec![-1.0]);
    let path = NewtonCg::new().minimize(&mut Constant(lie, vec![]), vec![0.0]);
    assert_eq!(path.end, StopReason::Failed(NewtonError::NoDescent));
}

/// `x⁴/4 - x²/2 + y²/2`: a saddle at 0 between the minima -1/4 at (±1, 0).
struct Saddle;

impl Smooth for Saddle {
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        let (x, y) = (x[0], x[1]);
        (x.powi(4) / 4.0 - x * x / 2.0 + y * y / 2.0, vec![x.powi(3) - x, y])
    }
}

#[test]
fn with_negative_curvature_a_full_step_goes_to_the_saddle_and_a_line_search_to_the_minimum() {
    let start = vec![0.1, 0.5];
    let plain = Newton::new().minimize(&mut Saddle, start.clone()).points.pop().unwrap();
    assert!(plain.f.abs() < 1e-12 && plain.norm() <= 1e-8, "the saddle: {plain:?}");
    let newton = Newton::new()
        .with_line_search(LineSearch::Backtracking)
        .minimize(&mut Saddle, start.clone());
    let cg = NewtonCg::new().minimize(&mut Saddle, start);
    for path in [newton, cg] {
        assert_eq!(path.end, StopReason::Converged);
        assert!(path.points.windows(2).all(|pair| pair[1].f < pair[0].f));
        near(&[path.points.last().unwrap().f], &[-0.25], 1e-10);
    }
}

/// `x.Ax / 2 - b.x`. It counts the products with A.
struct Quadratic {
    a: Vec<Vec<f64>>,
    b: Vec<f64>,
    products: usize,
}

impl Quadratic {
    fn times(&self, x: &[f64]) -> Vec<f64> {
        self.a.iter().map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum()).collect()
    }
}

impl Smooth for Quadratic {
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        let ax = self.times(x);
        let f = x.iter().zip(&ax).zip(&self.b).map(|((x, ax), b)| x * ax / 2.0 - b * x).sum();
        (f, ax.iter().zip(&self.b).map(|(ax, b)| ax - b).collect())
    }

    fn curvature(&mut self, _: &[f64], direction: &[f64]) -> Vec<f64> {
        self.products += 1;
        self.times(direction)
    }
}

#[test]
fn newton_cg_minimizes_a_quadratic_in_one_step_with_at_most_n_products() {
    let n = 40;
    let mut generator = Seed(7).generator(downhill::lab::seed::Purpose::Weights, 0);
    let mut draw = || {
        (0..n).map(|_| rand::RngExt::random_range(&mut generator, -1.0..1.0)).collect::<Vec<f64>>()
    };
    let roots: Vec<Vec<f64>> = (0..n).map(|_| draw()).collect();
    let product =
        |i: usize, j: usize| roots[i].iter().zip(&roots[j]).map(|(a, b)| a * b).sum::<f64>();
    let a = (0..n)
        .map(|i| (0..n).map(|j| product(i, j) + f64::from(u8::from(i == j))).collect())
        .collect();
    let mut quadratic = Quadratic { a, b: draw(), products: 0 };
    let path = NewtonCg::new().with_forcing(1e-8).minimize(&mut quadratic, vec![0.0; n]);
    assert_eq!((&path.end, path.points.len()), (&StopReason::Converged, 2));
    assert!(quadratic.products <= n, "{} products", quadratic.products);
    // Newton's method agrees, with the Hessian from the products
    let exact = Newton::new().minimize(&mut quadratic, vec![0.0; n]);
    assert_eq!((&exact.end, exact.points.len()), (&StopReason::Converged, 2));
    for (cg, exact) in path.points[1].x.iter().zip(&exact.points[1].x) {
        assert!((cg - exact).abs() < 1e-6);
    }
}

/// Casts every parameter; burn has no method for it.
struct To(DType);

impl ModuleMapper for To {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|old| {
            Tensor::from_data(old.to_data(), (&old.device(), self.0))
                .set_require_grad(old.is_require_grad())
        })
    }
}

/// Mean cross-entropy of all examples plus 1e-4 / 2 times the squared weights.
fn objective(examples: &Examples, dtype: DType) -> impl FnMut(&Net) -> Tensor<1> {
    let device = Device::flex();
    let examples = examples.to_device(&device).all();
    let (x, n) = (Tensor::from_inner(examples.x.cast(dtype)), examples.y.dims()[0]);
    let y: Tensor<2, Int> = Tensor::from_inner(examples.y).reshape([n, 1]);
    let penalty = Penalty::read(&"l2:lambda=1e-4".parse().unwrap()).unwrap();
    move |net| {
        -log_softmax(net.forward(x.clone(), &mut Mode::Evaluate), 1).gather(1, y.clone()).mean()
            + penalty.of(net).unwrap()
    }
}

fn logistic(shape: &[usize], classes: usize, dtype: DType) -> Net {
    let shapes = Shapes { input: shape.to_vec(), classes };
    build(&"logistic".parse().unwrap(), &shapes, Seed(0), &Device::flex().autodiff())
        .unwrap()
        .map(&mut To(dtype))
}

/// The first examples of a set.
fn first(n: usize, all: &Examples) -> Examples {
    all.slice(0..n)
}

/// All 8,000 digits of the training set and 7,850 parameters: 10 steps, 1,105 gradients, 29 s on
/// two cores. In f32 the same run has |g| = 2.2e-6 after 10 steps and finds no lower point. The
/// error of differences of f32 gradients is 1e-4 of the largest curvature, which is 0.7 at the
/// minimum. The smallest curvature is the penalty's 1e-4.
#[test]
fn newton_cg_trains_the_logistic_model_on_all_digits_to_a_gradient_below_a_millionth() {
    let data = load("mnist-10k").unwrap();
    let net = logistic(&data.train.shape, data.classes, DType::F64);
    let mut loss = ModelLoss::new(&net, objective(&data.train, DType::F64));
    let path = NewtonCg::new().minimize(&mut loss, flatten(&net));
    assert_eq!(path.end, StopReason::Converged);
    assert!(path.points.windows(2).all(|pair| pair[1].f < pair[0].f));
    assert!(path.points.len() <= 15, "{} points", path.points.len());
    // the model with these parameters has the same loss and a gradient below the tolerance
    let last = path.points.last().unwrap();
    let net = unflatten(net, &last.x).unwrap();
    let loss = objective(&data.train, DType::F64)(&net);
    assert_eq!(loss.clone().into_scalar::<f64>(), last.f);
    let gradients = GradientsParams::from_grads(loss.backward(), &net);
    assert!(gradient_of(&gradients, &net).iter().map(|g| g * g).sum::<f64>().sqrt() < 1e-6);
}

#[test]
fn newton_cg_trains_f32_parameters_to_a_gradient_of_1e_4() {
    let data = load("mnist-10k").unwrap();
    let train = first(500, &data.train);
    let net = logistic(&train.shape, data.classes, DType::F32);
    let path = NewtonCg::new()
        .with_tolerance(1e-4)
        .minimize(&mut ModelLoss::new(&net, objective(&train, DType::F32)), flatten(&net));
    assert_eq!(path.end, StopReason::Converged);
}

#[test]
fn products_by_differences_have_nine_good_digits_in_f64_and_almost_four_in_f32() {
    let data = load("mnist-10k").unwrap();
    let train = first(200, &data.train);
    let product = |dtype| {
        let net = logistic(&train.shape, data.classes, dtype);
        let x = flatten(&net);
        let mut loss = ModelLoss::new(&net, objective(&train, dtype));
        let (_, g) = loss.gradient(&x);
        // Richardson's extrapolation of two differences is the reference
        let mut at = |difference| Wide(&mut loss, difference).curvature(&x, &g);
        let truth: Vec<f64> =
            at(1e-3).iter().zip(at(2e-3)).map(|(near, far)| (4.0 * near - far) / 3.0).collect();
        (loss.curvature(&x, &g), truth)
    };
    let (f64, truth) = product(DType::F64);
    let (f32, _) = product(DType::F32);
    let error = |found: &[f64]| {
        let squares = |a: &mut dyn Iterator<Item = f64>| a.map(|x| x * x).sum::<f64>().sqrt();
        squares(&mut found.iter().zip(&truth).map(|(a, b)| a - b))
            / squares(&mut truth.iter().copied())
    };
    assert!(error(&f64) < 1e-9 && error(&f32) < 3e-4, "{:e} and {:e}", error(&f64), error(&f32));
}

/// A function with another distance between the gradients of a difference.
struct Wide<'a>(&'a mut dyn Smooth, f64);

impl Smooth for Wide<'_> {
    fn gradient(&mut self, x: &[f64]) -> (f64, Vec<f64>) {
        self.0.gradient(x)
    }

    fn difference(&self) -> f64 {
        self.1
    }
}

/// Everything about the parameters except their numbers.
#[derive(Debug, Default, PartialEq)]
struct Kinds(Vec<(ParamId, DType, Vec<usize>, bool, bool)>);

impl ModuleVisitor for Kinds {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        self.0.push((
            param.id,
            tensor.dtype(),
            tensor.dims().to_vec(),
            tensor.is_require_grad(),
            tensor.is_autodiff(),
        ));
    }
}

/// Freezes parameters of rank 1, the biases.
struct FreezeBiases;

impl ModuleMapper for FreezeBiases {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D == 1 { param.set_require_grad(false) } else { param }
    }
}

#[test]
fn unflatten_is_the_inverse_of_flatten() {
    let kinds = |net: &Net| {
        let mut kinds = Kinds::default();
        net.visit(&mut kinds);
        kinds
    };
    for dtype in [DType::F32, DType::F64] {
        let train = Examples {
            shape: vec![2],
            inputs: vec![0.1, 0.9, 0.8, 0.3].into(),
            labels: vec![0u32, 2].into(),
        };
        let net = logistic(&train.shape, 3, dtype).map(&mut FreezeBiases);
        let x: Vec<f64> = (0..9).map(f64::from).collect();
        let filled = unflatten(net.clone(), &x).unwrap();
        assert_eq!(flatten(&filled), x);
        assert_ne!(flatten(&net), x, "the model itself does not change");
        assert_eq!(kinds(&filled), kinds(&net));
        for wrong in [8, 10] {
            let error = unflatten(net.clone(), &vec![0.0; wrong]).unwrap_err();
            assert_eq!(error.to_string(), format!("parameters: found {wrong} numbers, expected 9"));
        }
        // frozen parameters have no gradient and do not change
        let start = flatten(&net);
        let path = NewtonCg::new()
            .with_steps(2)
            .minimize(&mut ModelLoss::new(&net, objective(&train, dtype)), start.clone());
        let last = path.points.last().unwrap();
        assert!(
            path.points.len() > 1
                && last.x[..6] != start[..6]
                && last.x[6..] == start[6..]
                && last.g[6..] == [0.0; 3]
        );
        // a model without autodiff has an empty gradient
        let path = NewtonCg::new()
            .minimize(&mut ModelLoss::new(&net.valid(), objective(&train, dtype)), start);
        assert_eq!(
            path.end,
            StopReason::Failed(NewtonError::Size { what: "gradient", found: 0, expected: 9 })
        );
    }
}
