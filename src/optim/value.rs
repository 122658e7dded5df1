//! What an update rule computes with: one number ([`Lane`]) or a whole tensor.

use std::ops::{Add, Div, Mul, Neg, Sub};

use burn::tensor::Tensor;

/// One number of the CPU pass.
///
/// A type of this crate, so that `lane * 0.9` takes an `f64` constant at any precision of the lane.
/// The constant is rounded to that precision once, outside the loop.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Lane<T>(pub T);

/// The arithmetic that an update rule may use. Every operation works element by element.
///
/// [`Lane<f32>`](Lane) and [`Lane<f64>`](Lane) implement it for the single pass over the buffers,
/// burn's `Tensor` for every other backend. A rule over `Value` is one formula that runs both ways.
pub trait Value:
    Clone
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Mul<f64, Output = Self>
{
    /// x²
    fn square(self) -> Self;
    /// √x
    fn sqrt(self) -> Self;
    /// |x|
    fn abs(self) -> Self;
    /// 1 above zero, −1 below, 0 at zero
    fn sign(self) -> Self;
    /// The larger of the two.
    fn max(self, other: Self) -> Self;
    /// Limited to the interval from `low` to `high`.
    fn clamp(self, low: f64, high: f64) -> Self;
    /// The quotient, and 0 where the denominator is 0. So with eps = 0, an element that never had a
    /// gradient does not move.
    fn div_or_zero(self, denominator: Self) -> Self;
}

macro_rules! lane {
    ($float:ty) => {
        lane!($float: Add::add, Sub::sub, Mul::mul, Div::div);
        impl Neg for Lane<$float> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Lane(-self.0)
            }
        }
        impl Value for Lane<$float> {
            #[inline(always)]
            fn square(self) -> Self {
                Lane(self.0 * self.0)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Lane(self.0.sqrt())
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Lane(self.0.abs())
            }
            #[inline(always)]
            fn sign(self) -> Self {
                // NaN stays NaN
                Lane(if self.0 > 0.0 {
                    1.0
                } else if self.0 < 0.0 {
                    -1.0
                } else {
                    self.0
                })
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self.0 > other.0 { self } else { other }
            }
            #[inline(always)]
            fn clamp(self, low: f64, high: f64) -> Self {
                // NaN stays NaN
                let (low, high) = (low as $float, high as $float);
                Lane(if self.0 < low {
                    low
                } else if self.0 > high {
                    high
                } else {
                    self.0
                })
            }
            #[inline(always)]
            fn div_or_zero(self, denominator: Self) -> Self {
                Lane(if denominator.0 == 0.0 { 0.0 } else { self.0 / denominator.0 })
            }
        }
    };
    ($float:ty: $($op:ident::$method:ident),*) => {$(
        impl $op for Lane<$float> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Lane($op::$method(self.0, other.0))
            }
        }
        impl $op<f64> for Lane<$float> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, constant: f64) -> Self {
                Lane($op::$method(self.0, constant as $float))
            }
        }
    )*};
}
lane!(f32);
lane!(f64);

impl<const D: usize> Value for Tensor<D> {
    fn square(self) -> Self {
        self.clone() * self
    }
    fn sqrt(self) -> Self {
        Tensor::sqrt(self)
    }
    fn abs(self) -> Self {
        Tensor::abs(self)
    }
    fn sign(self) -> Self {
        Tensor::sign(self)
    }
    fn max(self, other: Self) -> Self {
        self.max_pair(other)
    }
    fn clamp(self, low: f64, high: f64) -> Self {
        Tensor::clamp(self, low, high)
    }
    fn div_or_zero(self, denominator: Self) -> Self {
        let zero = denominator.clone().equal_elem(0.0);
        (self / denominator.mask_fill(zero.clone(), 1.0)).mask_fill(zero, 0.0)
    }
}
