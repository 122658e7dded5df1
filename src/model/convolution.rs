//! Convolution with steps of 1, on burn's flex backend: one matrix product an image, forward and backward.
//!
//! ```text
//! columns[c, dy, dx; y, x] = image[c; y + dy - pad, x + dx - pad]
//! forward:  out      = W columns + b
//! backward: dW       = sum over images of dout columns'
//!           dcolumns = W' dout, added back to where they came from
//! ```
//!
//! burn's own convolution stays for every other backend. Its gradient of the weights is a convolution whose kernels are as large as the image,
//! in tiles of few numbers, after both tensors have been turned around. Measured in turns on two shared cores, with the pooling of `layers.rs`
//! against burn's: a step of `cnn` on 128 images of 3x32x32 takes 514 ms instead of 789, of `2c2d` 173 instead of 275 (`cargo bench --bench
//! model`).
//!
//! Images are shared out in a fixed number of parts, whose sums are added in order: the result is the same for any number of threads.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

/// What a layer makes of images of [examples, channels, height, width].
pub fn convolve(layer: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if layer.stride == [1, 1] && layer.dilation == [1, 1] && layer.groups == 1 && layer.kernel_size[0] == layer.kernel_size[1] {
        let pad = match layer.padding {
            PaddingConfig2d::Valid => Some(0),
            PaddingConfig2d::Same if layer.kernel_size[0] % 2 == 1 => Some(layer.kernel_size[0] / 2),
            _ => None,
        };
        if let (Some(pad), Some(bias)) = (pad, &layer.bias) {
            return flex::convolve(layer, x, bias.val(), pad);
        }
    }
    layer.forward(x)
}

/// The numbers of a tensor.
pub(super) enum Numbers<'a> {
    Single(&'a [f32]),
    Double(&'a [f64]),
}

/// What a function makes of the numbers, read where they are, if this is a tensor of flex.
pub(super) fn with_numbers<R>(x: &Tensor<4>, read: impl FnOnce(Numbers) -> R) -> Option<R> {
    #[cfg(feature = "flex")]
    {
        let x = flex::primitive(x.clone().into_dispatch().kind)?.to_contiguous();
        match (x.as_slice(), x.as_slice()) {
            (Some(numbers), _) => Some(read(Numbers::Single(numbers))),
            (_, Some(numbers)) => Some(read(Numbers::Double(numbers))),
            _ => None,
        }
    }
    #[cfg(not(feature = "flex"))]
    {
        let _ = (x, read);
        None
    }
}

#[cfg(feature = "flex")]
mod flex {
    use std::ops::{AddAssign, Range};

    use burn::backend::autodiff::NodeId;
    use burn::backend::autodiff::checkpoint::base::Checkpointer;
    use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
    use burn::backend::flex::FlexTensor;
    use burn::backend::{BackendTensor, DispatchAutodiffContext, DispatchTensor, DispatchTensorKind, Flex};
    use burn::nn::conv::Conv2d;
    use burn::tensor::{DType, Element, Shape, Tensor, TensorData};
    use rayon::prelude::*;

    /// Parts that a batch is cut into, one after another on each thread.
    const PARTS: usize = 16;

    /// A number type that the matrix product is made for.
    trait Number: Element + bytemuck::Pod + Default + AddAssign {
        const ONE: Self;
        const DTYPE: DType;
    }
    impl Number for f32 {
        const ONE: f32 = 1.0;
        const DTYPE: DType = DType::F32;
    }
    impl Number for f64 {
        const ONE: f64 = 1.0;
        const DTYPE: DType = DType::F64;
    }

    /// Sizes of a convolution.
    #[derive(Clone, Copy, Debug)]
    struct Sizes {
        images: usize,
        channels: usize,
        height: usize,
        width: usize,
        outputs: usize,
        kernel: usize,
        pad: usize,
    }

    impl Sizes {
        fn of(x: &FlexTensor, weight: &FlexTensor, pad: usize) -> Option<Sizes> {
            let (x, weight) = (x.layout().shape(), weight.layout().shape());
            let sizes = Sizes { images: x[0], channels: x[1], height: x[2], width: x[3], outputs: weight[0], kernel: weight[2], pad };
            let fits = x[1] == weight[1] && weight[2] == weight[3] && x[2] + 2 * pad >= weight[2] && x[3] + 2 * pad >= weight[2];
            (fits && sizes.image() > 0 && sizes.images > 0 && sizes.outputs > 0).then_some(sizes)
        }
        fn out(&self) -> [usize; 2] {
            [self.height, self.width].map(|side| side + 2 * self.pad + 1 - self.kernel)
        }
        /// Numbers of one image, of one channel that comes out, of one column, and images in a part.
        fn image(&self) -> usize {
            self.channels * self.height * self.width
        }
        fn plane(&self) -> usize {
            self.out()[0] * self.out()[1]
        }
        fn column(&self) -> usize {
            self.channels * self.kernel * self.kernel
        }
        fn part(&self) -> usize {
            self.images.div_ceil(PARTS)
        }

        /// Runs that lie together both in the columns and in the image, as places in the columns and the beginning in the image; and before
        /// each row of runs, what is to be zero.
        fn runs(&self, mut run: impl FnMut(Range<usize>, Option<(Range<usize>, usize)>)) {
            let [rows, across] = self.out();
            let mut at = 0;
            for channel in 0..self.channels {
                for (dy, dx) in (0..self.kernel).flat_map(|dy| (0..self.kernel).map(move |dx| (dy, dx))) {
                    let first = self.pad.saturating_sub(dx).min(across);
                    let last = (self.width + self.pad).saturating_sub(dx).clamp(first, across);
                    for row in 0..rows {
                        let line = at..at + across;
                        let y = (row + dy).checked_sub(self.pad).filter(|y| *y < self.height && first < last);
                        let inside = y.map(|y| {
                            let begin = (channel * self.height + y) * self.width + first + dx - self.pad;
                            (at + first..at + last, begin)
                        });
                        run(line, inside);
                        at += across;
                    }
                }
            }
        }

        fn columns<T: Number>(&self, image: &[T], columns: &mut [T]) {
            self.runs(|line, inside| match inside {
                None => columns[line].fill(T::default()),
                Some((run, begin)) => {
                    columns[line.start..run.start].fill(T::default());
                    columns[run.end..line.end].fill(T::default());
                    let length = run.len();
                    columns[run].copy_from_slice(&image[begin..begin + length]);
                }
            });
        }

        fn add_back<T: Number>(&self, columns: &[T], image: &mut [T]) {
            self.runs(|_, inside| {
                if let Some((run, begin)) = inside {
                    let run = &columns[run];
                    for (to, from) in image[begin..begin + run.len()].iter_mut().zip(run) {
                        *to += *from;
                    }
                }
            });
        }
    }

    /// A matrix in a slice: rows, columns, and how far apart two rows and two columns lie.
    struct Matrix<'a, T>(&'a [T], usize, usize, usize, usize);

    impl<'a, T> Matrix<'a, T> {
        fn new(numbers: &'a [T], rows: usize, columns: usize) -> Self {
            Matrix(numbers, rows, columns, columns, 1)
        }
        fn turned(self) -> Self {
            Matrix(self.0, self.2, self.1, self.4, self.3)
        }
        fn within(&self) -> bool {
            self.1 > 0 && self.2 > 0 && (self.1 - 1) * self.3 + (self.2 - 1) * self.4 < self.0.len()
        }
    }

    /// `out`, as many rows and columns as the product, becomes a b, or is increased by it.
    fn product<T: Number>(out: &mut [T], add: bool, a: &Matrix<T>, b: &Matrix<T>) {
        let (m, k, n) = (a.1, a.2, b.2);
        assert!(a.within() && b.within() && b.1 == k && out.len() == m * n, "sizes of a matrix product");
        let step = |n: usize| n as isize;
        // SAFETY: every place that is read or written lies within its slice, as just made sure of; `out` is borrowed alone
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                out.as_mut_ptr(),
                1,
                step(n),
                add,
                a.0.as_ptr(),
                step(a.4),
                step(a.3),
                b.0.as_ptr(),
                step(b.4),
                step(b.3),
                T::ONE,
                T::ONE,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }

    fn forward<T: Number>(s: Sizes, x: &[T], weight: &[T], bias: &[T]) -> Vec<T> {
        let (column, plane) = (s.column(), s.plane());
        let mut out = vec![T::default(); s.images * s.outputs * plane];
        let parts = out.par_chunks_mut(s.part() * s.outputs * plane).zip(x.par_chunks(s.part() * s.image()));
        parts.for_each(|(out, x)| {
            let mut columns = vec![T::default(); column * plane];
            for (out, image) in out.chunks_exact_mut(s.outputs * plane).zip(x.chunks_exact(s.image())) {
                s.columns(image, &mut columns);
                for (out, bias) in out.chunks_exact_mut(plane).zip(bias) {
                    out.fill(*bias);
                }
                product(out, true, &Matrix::new(weight, s.outputs, column), &Matrix::new(&columns, column, plane));
            }
        });
        out
    }

    /// The gradients with respect to images (where wanted), weights and biases.
    fn backward<T: Number>(s: Sizes, x: &[T], weight: &[T], dout: &[T], images_too: bool) -> (Vec<T>, Vec<T>, Vec<T>) {
        let (column, plane) = (s.column(), s.plane());
        let mut dx = vec![T::default(); if images_too { x.len() } else { 0 }];
        let mut dxs: Vec<&mut [T]> = dx.chunks_mut(s.part() * s.image()).collect();
        dxs.resize_with(s.images.div_ceil(s.part()), Default::default);
        let parts = dxs.into_par_iter().zip(x.par_chunks(s.part() * s.image())).zip(dout.par_chunks(s.part() * s.outputs * plane));
        let sums: Vec<(Vec<T>, Vec<T>)> = parts
            .map(|((dx, x), dout)| {
                let mut columns = vec![T::default(); column * plane];
                let (mut dweight, mut dbias) = (vec![T::default(); column * s.outputs], vec![T::default(); s.outputs]);
                let mut dx = dx.chunks_exact_mut(s.image());
                for (image, dout) in x.chunks_exact(s.image()).zip(dout.chunks_exact(s.outputs * plane)) {
                    s.columns(image, &mut columns);
                    // turned, since then no large matrix has to be turned for the product
                    let errors = || Matrix::new(dout, s.outputs, plane);
                    product(&mut dweight, true, &Matrix::new(&columns, column, plane), &errors().turned());
                    for (sum, dout) in dbias.iter_mut().zip(dout.chunks_exact(plane)) {
                        dout.iter().for_each(|d| *sum += *d);
                    }
                    if let Some(dx) = dx.next() {
                        product(&mut columns, false, &Matrix::new(weight, s.outputs, column).turned(), &errors());
                        s.add_back(&columns, dx);
                    }
                }
                (dweight, dbias)
            })
            .collect();
        let (mut turned, mut dbias) = (vec![T::default(); column * s.outputs], vec![T::default(); s.outputs]);
        for (dweight, more) in &sums {
            turned.iter_mut().zip(dweight).for_each(|(sum, d)| *sum += *d);
            dbias.iter_mut().zip(more).for_each(|(sum, d)| *sum += *d);
        }
        let dweight = (0..s.outputs * column).map(|at| turned[at % column * s.outputs + at / column]).collect();
        (dx, dweight, dbias)
    }

    /// All numbers of a tensor that lie one after another, wherever in its buffer.
    fn numbers<T: Number>(tensor: &FlexTensor) -> &[T] {
        tensor.as_slice().unwrap_or_default()
    }

    fn tensor<T: Number>(numbers: Vec<T>, shape: &[usize]) -> FlexTensor {
        FlexTensor::from_data(TensorData::new(numbers, Shape::from(shape.to_vec())))
    }

    fn run<T: Number>(s: Sizes, x: &FlexTensor, weight: &FlexTensor, bias: &FlexTensor) -> FlexTensor {
        let [rows, across] = s.out();
        tensor(forward::<T>(s, numbers(x), numbers(weight), numbers(bias)), &[s.images, s.outputs, rows, across])
    }

    /// The operation that autodiff remembers.
    #[derive(Debug)]
    struct Convolution;

    impl Backward<Flex, 3> for Convolution {
        type State = (NodeId, NodeId, Sizes);

        fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
            let dout = grads.consume::<Flex>(&ops.node).to_contiguous();
            let (x, weight, s) = ops.state;
            let x: FlexTensor = checkpointer.retrieve_node_output(x);
            let weight: FlexTensor = checkpointer.retrieve_node_output(weight);
            let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
            let images_too = ops.parents[0].is_some();
            let [dx, dweight, dbias] = match x.dtype() {
                DType::F64 => gradients::<f64>(s, &x, &weight, &dout, images_too),
                _ => gradients::<f32>(s, &x, &weight, &dout, images_too),
            };
            for (node, gradient) in ops.parents.into_iter().zip([dx, dweight, dbias]) {
                if let (Some(node), Some(gradient)) = (node, gradient) {
                    grads.register::<Flex>(node.id, gradient);
                }
            }
        }
    }

    fn gradients<T: Number>(s: Sizes, x: &FlexTensor, weight: &FlexTensor, dout: &FlexTensor, images_too: bool) -> [Option<FlexTensor>; 3] {
        let (dx, dweight, dbias) = backward::<T>(s, numbers(x), numbers(weight), numbers(dout), images_too);
        [
            images_too.then(|| tensor(dx, &[s.images, s.channels, s.height, s.width])),
            Some(tensor(dweight, &[s.outputs, s.channels, s.kernel, s.kernel])),
            Some(tensor(dbias, &[s.outputs])),
        ]
    }

    /// The tensor of this backend, with gradients or without.
    pub fn primitive(kind: DispatchTensorKind) -> Option<FlexTensor> {
        match kind {
            DispatchTensorKind::Flex(BackendTensor::Float(x)) => Some(x),
            DispatchTensorKind::Autodiff(inner) => match *inner {
                DispatchTensorKind::Flex(BackendTensor::Autodiff(x)) => Some(x.into_primitive()),
                _ => None,
            },
            #[allow(unreachable_patterns)]
            _ => None,
        }
    }

    /// Where all three are tensors of this backend and number type, the convolution; elsewhere burn's.
    pub fn convolve(layer: &Conv2d, x: Tensor<4>, bias: Tensor<1>, pad: usize) -> Tensor<4> {
        let weight = layer.weight.val();
        let dtype = x.dtype();
        if ![f32::DTYPE, f64::DTYPE].contains(&dtype) || weight.dtype() != dtype || bias.dtype() != dtype {
            return layer.forward(x);
        }
        let plain = |x: &FlexTensor, weight: &FlexTensor, bias: &FlexTensor| -> Option<(Sizes, FlexTensor)> {
            let s = Sizes::of(x, weight, pad)?;
            let (x, weight, bias) = (x.to_contiguous(), weight.to_contiguous(), bias.to_contiguous());
            Some((s, if dtype == f64::DTYPE { run::<f64>(s, &x, &weight, &bias) } else { run::<f32>(s, &x, &weight, &bias) }))
        };
        let parts = [x.clone().into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
        let context = parts[0].autodiff;
        let kinds = parts.map(|part| part.kind);
        let kind = match &kinds {
            [
                DispatchTensorKind::Flex(BackendTensor::Float(x)),
                DispatchTensorKind::Flex(BackendTensor::Float(weight)),
                DispatchTensorKind::Flex(BackendTensor::Float(bias)),
            ] => plain(x, weight, bias).map(|(_, out)| DispatchTensorKind::Flex(BackendTensor::Float(out))),
            [DispatchTensorKind::Autodiff(x), DispatchTensorKind::Autodiff(weight), DispatchTensorKind::Autodiff(bias)] => {
                match (context, &**x, &**weight, &**bias) {
                    (
                        DispatchAutodiffContext::Enabled(strategy),
                        DispatchTensorKind::Flex(BackendTensor::Autodiff(x)),
                        DispatchTensorKind::Flex(BackendTensor::Autodiff(weight)),
                        DispatchTensorKind::Flex(BackendTensor::Autodiff(bias)),
                    ) if strategy == Default::default() => plain(x.primitive(), weight.primitive(), bias.primitive()).map(|(s, out)| {
                        let prepared = Convolution.prepare::<NoCheckpointing>([x.node(), weight.node(), bias.node()]);
                        let out = match prepared.compute_bound().stateful() {
                            OpsKind::Tracked(mut prepared) => {
                                let state = (prepared.checkpoint(x), prepared.checkpoint(weight), s);
                                prepared.finish(state, out)
                            }
                            OpsKind::UnTracked(prepared) => prepared.finish(out),
                        };
                        DispatchTensorKind::Autodiff(Box::new(DispatchTensorKind::Flex(BackendTensor::Autodiff(out))))
                    }),
                    _ => None,
                }
            }
            _ => None,
        };
        match kind {
            Some(kind) => Tensor::from_dispatch(DispatchTensor { kind, autodiff: context }),
            None => layer.forward(x),
        }
    }
}
