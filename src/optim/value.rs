//! What an update rule computes with: one number ([`Lane`]) or a whole tensor.

use std::ops::{Add, Div, Mul, Neg, Sub};

use burn::tensor::Tensor;

/// One number of the CPU pass.
///
/// A type of our own, so that `lane * 0.9` may take an `f64` constant whatever the precision of the lane. The constant is rounded
/// to that precision once, outside the loop.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Lane<T>(pub T);

/// The arithmetic an update rule may use; every operation is element by element.
///
/// Implemented by [`Lane<f32>`](Lane) and [`Lane<f64>`](Lane) for the single pass over the buffers, and by burn's `Tensor` for every
/// other backend. A rule written over `Value` is one formula with both executions.
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
}
