//! Gradient descent, and the steps that look at signs only.

use super::rule::rules;

rules! {
    /// Gradient descent with momentum, Nesterov's too (Sutskever et al., 2013); `keep` is 1 - dampening.
    sgd(lr, momentum, keep, nesterov) [] [momentum_buffer] {}
    p, g => {
        momentum_buffer = momentum * momentum_buffer + keep * g;
        p -= lr * if nesterov != 0.0 { g + momentum * momentum_buffer } else { momentum_buffer };
    }

    /// Steps that grow while the gradient keeps its sign and shrink when it turns (Riedmiller and Braun, 1993).
    rprop(eta_minus, eta_plus, step_min, step_max) [prev, step_size] [] {}
    p, g => {
        let turn = g * prev;
        let factor = if_gt(turn, 0.0, eta_plus, if_lt(turn, 0.0, eta_minus, 1.0));
        step_size = minimum(maximum(step_size * factor, step_min), step_max);
        prev = if_lt(turn, 0.0, 0.0, g);
        p -= sign(prev) * step_size;
    }

    /// The sign of an interpolated momentum (Chen et al., 2023).
    lion(lr, beta1, beta2) [exp_avg] [] { rest1 = 1.0 - beta1; rest2 = 1.0 - beta2; }
    p, g => {
        p -= lr * sign(beta1 * exp_avg + rest1 * g);
        exp_avg = beta2 * exp_avg + rest2 * g;
    }
}
