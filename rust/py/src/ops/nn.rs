//! What layers are made of: softmax, norms, attention, dropout, losses, and fused optimizer steps.

use crate::cells::{Cell, CellLists, Cells, update};
use crate::rows;
use crate::table::Row;
use crate::table::args::{Ints, Numbers, Sizes};
use ferrograd_core::ops::norm::{self, Finish, Running};
use ferrograd_core::ops::optim::{self, Rule};
use ferrograd_core::ops::{activation, attention, dropout, matmul, rotary, softmax};
use ferrograd_core::random::default_generator;
use ferrograd_core::{DType, Error, Result, Tensor};

fn axes(axis: &Option<Ints>) -> Option<&[i64]> {
    axis.as_ref().map(|a| a.0.as_slice())
}

pub const SOFTMAX: &[Row] = rows! {
    /// The first half of x along an axis times the sigmoid of the second.
    glu [] (x: Tensor, axis: i64 = -1) {} -> Tensor = activation::glu(&x, axis);
    /// log(sum(exp(x))) along the axes, without overflow.
    logsumexp [] (x: Tensor, axis: Option<Ints> = None, keepdims: bool = false) {} -> Tensor
        = softmax::logsumexp(&x, axes(&axis), keepdims);
    /// The logarithm of softmax, without overflow.
    log_softmax [] (x: Tensor, axis: i64 = -1) {dtype: Option<DType> = None} -> Tensor = softmax::log_softmax(&x, axis, dtype);
    /// exp(x) / sum(exp(x)) along an axis, without overflow.
    softmax [] (x: Tensor, axis: i64 = -1) {dtype: Option<DType> = None} -> Tensor = softmax::softmax(&x, axis, dtype);
};

/// Runs a norm with running statistics and puts the moved ones into the tensors they came from.
fn with_running(
    op: &str,
    mean: &Option<Cell>,
    var: &Option<Cell>,
    momentum: f64,
    body: impl FnOnce(Option<Running>) -> Result<norm::BatchNormed>,
) -> Result<Tensor> {
    let (mean_value, var_value) = (mean.as_ref().map(Cell::value), var.as_ref().map(Cell::value));
    let running = match (&mean_value, &var_value) {
        (Some(mean), Some(var)) => Some(Running { mean, var, momentum }),
        (None, None) => None,
        _ => return Err(Error::value(op, "expected running_mean and running_var together, got one of them")),
    };
    let normed = body(running)?;
    if let (Some((new_mean, new_var)), Some(mean), Some(var)) = (&normed.running, mean, var) {
        mean.set(new_mean)?;
        var.set(new_var)?;
    }
    Ok(normed.output)
}

pub const NORMS: &[Row] = rows! {
    /// Each channel of x (N, C, ...) scaled to mean 0 and variance 1 over the batch, then times weight plus bias.
    ///
    /// In training the running statistics are moved in place; otherwise they are used. A residual of the shape of x is
    /// added to the result, and relu sets what is below zero to zero, in the same pass over memory.
    batch_norm [] (x: Tensor, running_mean: Option<Cell>, running_var: Option<Cell>, weight: Option<Tensor> = None, bias: Option<Tensor> = None, training: bool = false, momentum: f64 = 0.1, eps: f64 = 1e-5, residual: Option<Tensor> = None, relu: bool = false) {} -> Tensor
        = with_running("batch_norm", &running_mean, &running_var, momentum, |running| {
            let finish = Finish { residual: residual.as_ref(), relu };
            norm::batch_norm(&x, running, weight.as_ref(), bias.as_ref(), training, eps, finish)
        });
    /// Groups of channels of x (N, C, ...) scaled to mean 0 and variance 1, then times weight plus bias by channel.
    group_norm [] (x: Tensor, num_groups: i64, weight: Option<Tensor> = None, bias: Option<Tensor> = None, eps: f64 = 1e-5) {} -> Tensor
        = norm::group_norm(&x, num_groups, weight.as_ref(), bias.as_ref(), eps);
    /// Each channel of each sample of x (N, C, ...) scaled to mean 0 and variance 1.
    instance_norm [] (x: Tensor, running_mean: Option<Cell> = None, running_var: Option<Cell> = None, weight: Option<Tensor> = None, bias: Option<Tensor> = None, use_input_stats: bool = true, momentum: f64 = 0.1, eps: f64 = 1e-5) {} -> Tensor
        = with_running("instance_norm", &running_mean, &running_var, momentum, |running| {
            norm::instance_norm(&x, running, weight.as_ref(), bias.as_ref(), use_input_stats, eps)
        });
    /// The last axes of x scaled to mean 0 and variance 1, then times weight plus bias.
    layer_norm [] (x: Tensor, normalized_shape: Sizes, weight: Option<Tensor> = None, bias: Option<Tensor> = None, eps: f64 = 1e-5) {} -> Tensor
        = norm::layer_norm(&x, &normalized_shape.0, weight.as_ref(), bias.as_ref(), eps);
    /// The last axes of x divided by their root mean square, then times weight.
    rms_norm [] (x: Tensor, normalized_shape: Sizes, weight: Option<Tensor> = None, eps: Option<f64> = None) {} -> Tensor
        = norm::rms_norm(&x, &normalized_shape.0, weight.as_ref(), eps);
    /// x + residual, and its layer norm over the last axes: a residual connection and the norm behind it in one pass.
    add_layer_norm [] (x: Tensor, residual: Tensor, normalized_shape: Sizes, weight: Option<Tensor> = None, bias: Option<Tensor> = None, eps: f64 = 1e-5) {} -> (Tensor, Tensor)
        = norm::add_layer_norm(&x, &residual, &normalized_shape.0, weight.as_ref(), bias.as_ref(), eps);
    /// x + residual, and its RMS norm over the last axes, in one pass. eps defaults to the machine epsilon of the dtype.
    add_rms_norm [] (x: Tensor, residual: Tensor, normalized_shape: Sizes, weight: Option<Tensor> = None, eps: Option<f64> = None) {} -> (Tensor, Tensor)
        = norm::add_rms_norm(&x, &residual, &normalized_shape.0, weight.as_ref(), eps);
};

/// A dropout that is only on in training.
fn drop_in(training: bool, p: f64, x: Tensor, body: impl FnOnce(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    if !(0.0..=1.0).contains(&p) {
        return Err(Error::value("dropout", format!("expected a probability between 0 and 1, got {p}")));
    }
    if training { body(&x) } else { Ok(x) }
}

pub const LAYERS: &[Row] = rows! {
    /// Dropout that keeps mean 0 and variance 1 of SELU networks.
    alpha_dropout [] (x: Tensor, p: f64 = 0.5, training: bool = false) {} -> Tensor
        = drop_in(training, p, x, |x| dropout::alpha_dropout(x, p, default_generator().stream()));
    /// Elements zeroed with probability p, the rest scaled by 1 / (1 - p).
    dropout [] (x: Tensor, p: f64 = 0.5, training: bool = true) {} -> Tensor
        = drop_in(training, p, x, |x| dropout::dropout(x, p, default_generator().stream()));
    /// Whole channels of x (N, C, L) zeroed with probability p.
    dropout1d [] (x: Tensor, p: f64 = 0.5, training: bool = true) {} -> Tensor
        = drop_in(training, p, x, |x| dropout::feature_dropout(x, 1, p, default_generator().stream()));
    /// Whole channels of x (N, C, H, W) zeroed with probability p.
    dropout2d [] (x: Tensor, p: f64 = 0.5, training: bool = true) {} -> Tensor
        = drop_in(training, p, x, |x| dropout::feature_dropout(x, 2, p, default_generator().stream()));
    /// Whole channels of x (N, C, D, H, W) zeroed with probability p.
    dropout3d [] (x: Tensor, p: f64 = 0.5, training: bool = true) {} -> Tensor
        = drop_in(training, p, x, |x| dropout::feature_dropout(x, 3, p, default_generator().stream()));
    /// x @ weight.T + bias: x (..., in), weight (out, in), bias (out,).
    linear [] (x: Tensor, weight: Tensor, bias: Option<Tensor> = None) {} -> Tensor = matmul::linear(&x, &weight, bias.as_ref());
    /// Pairs of features of x (..., T, D) turned by angles with these cosines and sines, (..., T, D / 2).
    ///
    /// The pairs are (i, i + D / 2), as in Llama, or, if interleaved, (2 i, 2 i + 1), as in RoFormer (Su et al. 2021).
    rotate_positions [] (x: Tensor, cos: Tensor, sin: Tensor, interleaved: bool = false) {} -> Tensor
        = rotary::rotate_positions(&x, &cos, &sin, interleaved);
    /// softmax(query @ key.mT * scale + mask) @ value over (..., L, E), (..., S, E), (..., S, V).
    ///
    /// A row whose keys are all masked gives zeros. scale defaults to 1 / sqrt(E).
    scaled_dot_product_attention [] (query: Tensor, key: Tensor, value: Tensor, attn_mask: Option<Tensor> = None, dropout_p: f64 = 0.0, is_causal: bool = false, scale: Option<f64> = None, enable_gqa: bool = false) {} -> Tensor
        = {
            let options = attention::Options { mask: attn_mask.as_ref(), dropout_p, is_causal, scale, enable_gqa };
            let stream = (dropout_p > 0.0).then(|| default_generator().stream());
            attention::scaled_dot_product_attention(&query, &key, &value, &options, stream)
        };
};

pub const STEPS: &[Row] = rows! {
    /// One fused step of the optimizer rule over all parameters, in place.
    ///
    /// states holds a list of tensors for each state of the rule, empty where it is not kept. With rows (rising numbers,
    /// int64) only these rows of the one parameter change, and its gradient has only these.
    fused_step [rule: String, params: Cells, grads: Vec<Tensor>, states: CellLists, numbers: Numbers] (rows: Option<Tensor> = None) {} -> ()
        = {
            let rule = Rule::find(&rule)?;
            let lists: Vec<&Cells> = std::iter::once(&params).chain(states.iter()).collect();
            update(rule.name, &lists, |values| match values {
                [params, states @ ..] => optim::step(rule, &numbers.0, params, &grads, states, rows.as_ref()),
                [] => Ok(()),
            })
        };
    /// The Euclidean norm of all tensors together.
    global_norm [tensors: Vec<Tensor>] () {} -> f64 = optim::global_norm(&tensors);
};
