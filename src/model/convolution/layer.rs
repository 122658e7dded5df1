//! Chooses between our convolution and burn's.

use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

/// The output of a layer for images of [examples, channels, height, width].
pub fn convolve(layer: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let (Some(pad), Some(bias)) = (padding(layer), &layer.bias) {
        return super::flex::convolve(layer, &x, &bias.val(), pad)
            .unwrap_or_else(|| layer.forward(x));
    }
    layer.forward(x)
}

/// The number of zeros on each side, or `None` for a layer that needs burn's convolution.
#[cfg(feature = "flex")]
fn padding(layer: &Conv2d) -> Option<usize> {
    use burn::nn::PaddingConfig2d;

    let [kernel, other] = layer.kernel_size;
    let is_plain = layer.stride == [1, 1] && layer.dilation == [1, 1] && layer.groups == 1;
    match layer.padding {
        _ if !is_plain || kernel != other => None,
        PaddingConfig2d::Valid => Some(0),
        PaddingConfig2d::Same if kernel % 2 == 1 => Some(kernel / 2),
        _ => None,
    }
}
