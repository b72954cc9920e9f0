//! Declared ops of two operands, which are promoted and broadcast first.

use crate::autograd;
use crate::cpu::level::leveled;
use crate::cpu::pool;
use crate::device::Device;
use crate::dtype::{DType, Kind};
use crate::ops::elementwise::{self, Operand};
use crate::scalar::Scalar;

crate::ops::declare::rows! { Binary values (y, dy)
    /// The sum.
    add(a, b) [Numeric] = a + b; da(dy) = dy; db(dy) = dy;
    /// The angle of the point (b, a), in radians, in its quadrant.
    atan2(a, b) = atan2(a, b); da(a, b, dy) = dy * b / (a * a + b * b); db(a, b, dy) = -dy * a / (a * a + b * b);
    /// Bits set in both.
    bitwise_and(a, b) [Bits] = a & b;
    /// The bits of a moved up by b places; everything falls out from the width on.
    bitwise_left_shift(a, b) [Integer] = shift_left(a, b);
    /// Bits set in one or both.
    bitwise_or(a, b) [Bits] = a | b;
    /// The bits of a moved down by b places, the sign filling up.
    bitwise_right_shift(a, b) [Integer] = shift_right(a, b);
    /// Bits set in one but not both.
    bitwise_xor(a, b) [Bits] = a ^ b;
    /// x, but at most bound.
    clamp_max(x, bound) [Real] = minimum(x, bound);
        dx(x, bound, dy) = if_gt(x, bound, 0.0, dy); dbound(x, bound, dy) = if_gt(x, bound, dy, 0.0);
    /// x, but at least bound.
    clamp_min(x, bound) [Real] = maximum(x, bound);
        dx(x, bound, dy) = if_lt(x, bound, 0.0, dy); dbound(x, bound, dy) = if_lt(x, bound, dy, 0.0);
    /// The magnitude of a with the sign of b.
    copysign(a, b) = copysign(a, b);
        da(a, b, dy) = if_eq(a, 0.0, 0.0, dy * copysign(1.0, a) * copysign(1.0, b)); db() = 0.0;
    /// The quotient.
    divide(a, b) [Inexact] = divide(a, b); da(b, dy) = dy / b; db(b, y, dy) = -dy * y / b;
    /// The quotient rounded to minus infinity; integers divided by zero give zero.
    floor_divide(a, b) [Real] = floor_divide(a, b); da() = 0.0; db() = 0.0;
    /// sqrt(a * a + b * b) without overflow on the way.
    hypot(a, b) = hypot(a, b); da(a, y, dy) = dy * a / y; db(b, y, dy) = dy * b / y;
    /// log(exp(a) + exp(b)) without overflow on the way.
    logaddexp(a, b) = logaddexp(a, b); da(a, y, dy) = dy * exp(a - y); db(b, y, dy) = dy * exp(b - y);
    /// The larger one; NaN if one is NaN. Where both are equal, each gets half of the gradient.
    maximum(a, b) [Real] = maximum(a, b);
        da(a, b, dy) = if_lt(a, b, 0.0, if_eq(a, b, 0.5 * dy, dy)); db(a, b, dy) = if_gt(a, b, 0.0, if_eq(a, b, 0.5 * dy, dy));
    /// The smaller one; NaN if one is NaN. Where both are equal, each gets half of the gradient.
    minimum(a, b) [Real] = minimum(a, b);
        da(a, b, dy) = if_gt(a, b, 0.0, if_eq(a, b, 0.5 * dy, dy)); db(a, b, dy) = if_lt(a, b, 0.0, if_eq(a, b, 0.5 * dy, dy));
    /// The product.
    multiply(a, b) [Numeric] = a * b; da(b, dy) = dy * b; db(a, dy) = dy * a;
    /// The next number after a in the direction of b.
    nextafter(a, b) [Wide] = nextafter(a, b);
    /// a to the power of b.
    pow(a, b) [Numeric] = pow(a, b);
        da(a, b, dy) = dy * b * pow(a, if_eq(b, 0.0, 0.0, b - 1.0)); db(a, y, dy) = dy * y * log(if_eq(a, 0.0, 1.0, a));
    /// x above zero, else weight * x.
    prelu(x, weight) = if_gt(x, 0.0, x, weight * x);
        dx(x, weight, dy) = if_gt(x, 0.0, dy, weight * dy); dweight(x, dy) = if_gt(x, 0.0, 0.0, x * dy);
    /// The rest of a floor division, with the sign of the divisor; integers modulo zero give zero.
    remainder(a, b) [Real] = remainder(a, b); da(dy) = dy; db(a, b, dy) = -dy * floor_divide(a, b);
    /// The difference.
    subtract(a, b) [Numeric] = a - b; da(dy) = dy; db(dy) = -dy;
}

/// `x` to a constant power in cheaper and more accurate words, for the common exponents.
pub fn power(x: &Tensor, exponent: Scalar) -> Option<Result<Tensor>> {
    let float = x.dtype().is_float() && exponent.kind() <= Kind::Float;
    match exponent.to_f64() {
        1.0 if float => Some(Ok(x.clone())),
        2.0 if float || (x.dtype().is_int() && exponent.kind() == Kind::Int) => Some(x.square()),
        0.5 if float => Some(x.sqrt()),
        -1.0 if float => Some(x.reciprocal()),
        _ => None,
    }
}

leveled! {
    fn add_f32(total: &mut [f32], x: &[f32]) {
        total.iter_mut().zip(x).for_each(|(total, x)| *total += x);
    }
    fn add_f64(total: &mut [f64], x: &[f64]) {
        total.iter_mut().zip(x).for_each(|(total, x)| *total += x);
    }
}

/// `total + x`, in the memory of `total` where nobody else looks at it and nothing is recorded.
pub fn add_onto(mut total: Tensor, x: &Tensor) -> Result<Tensor> {
    const GRAIN: usize = 64 * 1024;
    let alike = total.shape() == x.shape() && total.dtype() == x.dtype() && x.device() == Device::Cpu;
    if !alike || !total.is_owned() || !x.is_contiguous() || autograd::must_record(&[&total, x]) {
        return total.add(x);
    }
    match x.dtype() {
        DType::F32 => {
            let x = x.slice()?;
            pool::for_each_chunk(total.make_mut()?, GRAIN, |i, part| add_f32(part, &x[i * GRAIN..]))?;
        }
        DType::F64 => {
            let x = x.slice()?;
            pool::for_each_chunk(total.make_mut()?, GRAIN, |i, part| add_f64(part, &x[i * GRAIN..]))?;
        }
        _ => return total.add(x),
    }
    Ok(total)
}

/// A float beside the tensor, of the tensor's dtype.
fn with_number(row: &'static Row, x: &Tensor, number: f64) -> Result<Tensor> {
    elementwise::call(row, &[Operand::Tensor(x), Operand::from(number)], &[])
}

impl Tensor {
    pub fn add_scalar(&self, number: f64) -> Result<Tensor> {
        with_number(Binary::add, self, number)
    }
    pub fn sub_scalar(&self, number: f64) -> Result<Tensor> {
        with_number(Binary::subtract, self, number)
    }
    pub fn mul_scalar(&self, number: f64) -> Result<Tensor> {
        with_number(Binary::multiply, self, number)
    }
    pub fn div_scalar(&self, number: f64) -> Result<Tensor> {
        with_number(Binary::divide, self, number)
    }
    pub fn pow_scalar(&self, number: f64) -> Result<Tensor> {
        with_number(Binary::pow, self, number)
    }
}
