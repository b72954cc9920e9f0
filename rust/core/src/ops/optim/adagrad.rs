//! Rates divided by the root of summed or averaged squared gradients.

use super::rule::rules;

rules! {
    /// The sum over all steps (Duchi et al., 2011).
    adagrad(lr, lr_decay, eps, step) [sum] [] { size = lr / (1.0 + (step - 1.0) * lr_decay); }
    p, g => {
        sum += g * g;
        p -= size * (g / (sqrt(sum) + eps));
    }

    /// The running mean, in units of the parameter (Zeiler, 2012).
    adadelta(lr, rho, eps) [square_avg, acc_delta] [] { rest = 1.0 - rho; }
    p, g => {
        square_avg = rho * square_avg + rest * (g * g);
        let delta = sqrt(acc_delta + eps) / sqrt(square_avg + eps) * g;
        acc_delta = rho * acc_delta + rest * (delta * delta);
        p -= lr * delta;
    }

    /// The running mean, less the squared mean if `centered` (Hinton, 2012; Graves, 2013).
    rmsprop(lr, alpha, eps, momentum, centered) [square_avg] [grad_avg, momentum_buffer] { rest = 1.0 - alpha; }
    p, g => {
        square_avg = alpha * square_avg + rest * (g * g);
        grad_avg = alpha * grad_avg + rest * g;
        let variance = if centered != 0.0 { square_avg - grad_avg * grad_avg } else { square_avg };
        momentum_buffer = momentum * momentum_buffer + g / (sqrt(variance) + eps);
        p -= lr * momentum_buffer;
    }
}
