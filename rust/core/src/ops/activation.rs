//! Declared activation functions. Formulas stay finite in the branch not taken, so that gradients of gradients do too.

crate::ops::declare::rows! { Activation values (y, dy)
    /// Continuously differentiable exponential linear unit: x above zero, else alpha * (exp(x / alpha) - 1).
    celu(x; alpha = 1.0) = if_gt(x, 0.0, x, alpha * expm1(minimum(x, 0.0) / alpha));
        grad(x, dy) = if_gt(x, 0.0, dy, dy * exp(minimum(x, 0.0) / alpha));
    /// Exponential linear unit: x above zero, else alpha * (exp(x) - 1).
    elu(x; alpha = 1.0) = if_gt(x, 0.0, x, alpha * expm1(minimum(x, 0.0)));
        grad(x, dy) = if_gt(x, 0.0, dy, dy * alpha * exp(minimum(x, 0.0)));
    /// Gaussian error linear unit: x times the normal distribution function of x.
    gelu(x) = 0.5 * if_lt(x, -100.0, -100.0, x) * (1.0 + erf(x * 0.7071067811865476));
        grad(x, dy) = dy * (0.5 + 0.5 * erf(x * 0.7071067811865476)
            + minimum(maximum(x, -100.0), 100.0) * 0.3989422804014327 * exp(-0.5 * x * x));
    /// GELU with the distribution function approximated by tanh.
    gelu_tanh(x) = 0.5 * maximum(x, -100.0) * (1.0 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
        grad(x, dy) = dy * 0.5 * (1.0 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))
            + minimum(maximum(x, -100.0), 100.0)
                * (0.7978845608028654 + 0.1070322244089541 * minimum(x * x, 10000.0))
                * (1.0 - tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
                * (1.0 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))));
    /// x where its magnitude exceeds lambd, else zero.
    hardshrink(x; lambd = 0.5) = if_le(abs(x), lambd, 0.0, x); grad(x, dy) = if_le(abs(x), lambd, 0.0, dy);
    /// A sigmoid of straight lines: x / 6 + 1 / 2, kept in [0, 1].
    hardsigmoid(x) = minimum(maximum(x / 6.0 + 0.5, 0.0), 1.0);
        grad(x, dy) = if_gt(x, -3.0, if_lt(x, 3.0, dy / 6.0, 0.0), 0.0);
    /// x times hardsigmoid(x).
    hardswish(x) = maximum(x, -3.0) * minimum(maximum(x / 6.0 + 0.5, 0.0), 1.0);
        grad(x, dy) = if_le(x, -3.0, 0.0, if_lt(x, 3.0, dy * (x / 3.0 + 0.5), dy));
    /// x kept in [min_val, max_val].
    hardtanh(x; min_val = -1.0, max_val = 1.0) = minimum(maximum(x, min_val), max_val);
        grad(x, dy) = if_gt(x, min_val, if_lt(x, max_val, dy, 0.0), 0.0);
    /// x above zero, else negative_slope * x.
    leaky_relu(x; negative_slope = 0.01) = if_gt(x, 0.0, x, negative_slope * x);
        grad(x, dy) = if_gt(x, 0.0, dy, negative_slope * dy);
    /// The logarithm of sigmoid(x).
    logsigmoid(x) = minimum(x, 0.0) - log1p(exp(-abs(x))); grad(x, dy) = dy * sigmoid(-x);
    /// x * tanh(softplus(x)).
    mish(x) = maximum(x, -1000.0) * tanh(log1p(exp(minimum(x, 30.0))));
        grad(x, dy) = dy * (tanh(log1p(exp(minimum(x, 30.0)))) + minimum(maximum(x, -1000.0), 1000.0) * sigmoid(x)
            * (1.0 - tanh(log1p(exp(minimum(x, 30.0))))) * (1.0 + tanh(log1p(exp(minimum(x, 30.0))))));
    /// Rectified linear unit: x above zero, else zero.
    relu(x) = maximum(x, 0.0); grad(y, dy) = if_le(y, 0.0, 0.0, dy);
    /// x kept in [0, 6].
    relu6(x) = minimum(maximum(x, 0.0), 6.0); grad(x, dy) = if_gt(x, 0.0, if_lt(x, 6.0, dy, 0.0), 0.0);
    /// Scaled exponential linear unit, with the constants that keep mean zero and variance one.
    selu(x) = 1.0507009873554805 * if_gt(x, 0.0, x, 1.6732632423543772 * expm1(minimum(x, 0.0)));
        grad(x, dy) = if_gt(x, 0.0, dy * 1.0507009873554805, dy * 1.7580993408473766 * exp(minimum(x, 0.0)));
    /// 1 / (1 + exp(-x)).
    sigmoid(x) = sigmoid(x); grad(y, dy) = dy * y * (1.0 - y);
    /// Sigmoid linear unit: x * sigmoid(x).
    silu(x) = if_lt(x, -1000.0, -1000.0, x) * sigmoid(x);
        grad(x, dy) = dy * sigmoid(x) * (1.0 + minimum(maximum(x, -1000.0), 1000.0) * (1.0 - sigmoid(x)));
    /// log(1 + exp(beta * x)) / beta, and x itself where beta * x exceeds threshold.
    softplus(x; beta = 1.0, threshold = 20.0)
        = if_gt(beta * x, threshold, x, (maximum(beta * x, 0.0) + log1p(exp(-abs(beta * x)))) / beta);
        grad(x, dy) = if_gt(beta * x, threshold, dy, dy * sigmoid(beta * x));
    /// x moved towards zero by lambd; zero where it would cross.
    softshrink(x; lambd = 0.5) = x - minimum(maximum(x, -lambd), lambd);
        grad(x, dy) = if_le(abs(x), lambd, 0.0, dy);
    /// x / (1 + abs(x)).
    softsign(x) = x / (1.0 + abs(x)); grad(x, dy) = dy / ((1.0 + abs(x)) * (1.0 + abs(x)));
    /// x - tanh(x).
    tanhshrink(x) = x - tanh(x); grad(x, dy) = dy * tanh(x) * tanh(x);
    /// x above threshold, else value.
    threshold(x; threshold = 0.0, value = 0.0) = if_le(x, threshold, value, x);
        grad(x, dy) = if_le(x, threshold, 0.0, dy);
}

/// Gated linear unit: the first half along an axis, times the sigmoid of the second half.
pub fn glu(x: &Tensor, axis: i64) -> Result<Tensor> {
    let axis = crate::shape::normalize_axis("glu", axis, x.rank())?;
    let size = x.shape()[axis];
    if size % 2 != 0 {
        return Err(crate::Error::shape("glu", format!("expected an even size on axis {axis}, got {size}")));
    }
    let half = |start| crate::ops::movement::narrow(x, axis, start, size / 2);
    half(0)?.multiply(&half(size / 2)?.sigmoid()?)
}

/// `x` above zero, else `weight * x`: one weight, or one for each channel (axis 1).
pub fn prelu(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let channels = x.shape().get(1).copied().unwrap_or(1);
    if weight.rank() > 1 || (weight.numel() != 1 && weight.numel() != channels) {
        let message = format!(
            "expected one weight or one for each of {channels} channels, got shape {}",
            crate::shape::display(weight.shape())
        );
        return Err(crate::Error::shape("prelu", message));
    }
    let mut shape = crate::shape::Shape::from_elem(1, x.rank());
    if weight.numel() > 1 {
        shape[1] = channels;
    }
    x.prelu(&crate::ops::movement::reshape(weight, &shape)?)
}
