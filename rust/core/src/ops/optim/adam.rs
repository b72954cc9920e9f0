//! Adam and its relatives: running means of the gradient and of its square, corrected for their start at zero.

use super::rule::rules;

rules! {
    /// Adam (Kingma and Ba, 2015); with `max_exp_avg_sq` kept it is AMSGrad (Reddi et al., 2018).
    adam(lr, beta1, beta2, eps, step) [exp_avg, exp_avg_sq] [max_exp_avg_sq] {
        rest1 = 1.0 - beta1;
        rest2 = 1.0 - beta2;
        size = lr / (1.0 - beta1.powf(step));
        correction = 1.0 / (1.0 - beta2.powf(step)).sqrt();
    }
    p, g => {
        exp_avg = beta1 * exp_avg + rest1 * g;
        exp_avg_sq = beta2 * exp_avg_sq + rest2 * (g * g);
        max_exp_avg_sq = maximum(max_exp_avg_sq, exp_avg_sq);
        p -= size * (exp_avg / (sqrt(max_exp_avg_sq) * correction + eps));
    }

    /// Adam with the largest recent gradient in place of the root (Kingma and Ba, 2015, section 7).
    adamax(lr, beta1, beta2, eps, step) [exp_avg, exp_inf] [] {
        rest1 = 1.0 - beta1;
        size = lr / (1.0 - beta1.powf(step));
    }
    p, g => {
        exp_avg = beta1 * exp_avg + rest1 * g;
        exp_inf = maximum(beta2 * exp_inf, abs(g) + eps);
        p -= size * (exp_avg / exp_inf);
    }

    /// Adam with Nesterov's momentum (Dozat, 2016). `mu` and `mu_next` are the momenta of this step and the next,
    /// `mu_product` that of all steps so far, this one included.
    nadam(lr, beta1, beta2, eps, step, mu, mu_next, mu_product) [exp_avg, exp_avg_sq] [] {
        rest1 = 1.0 - beta1;
        rest2 = 1.0 - beta2;
        correction = 1.0 / (1.0 - beta2.powf(step)).sqrt();
        along = lr * (1.0 - mu) / (1.0 - mu_product);
        ahead = lr * mu_next / (1.0 - mu_product * mu_next);
    }
    p, g => {
        exp_avg = beta1 * exp_avg + rest1 * g;
        exp_avg_sq = beta2 * exp_avg_sq + rest2 * (g * g);
        p -= (along * g + ahead * exp_avg) / (sqrt(exp_avg_sq) * correction + eps);
    }

    /// Adam whose adaptive rate is rectified, and left out while its variance is unknown (Liu et al., 2020).
    radam(lr, beta1, beta2, eps, step) [exp_avg, exp_avg_sq] [] {
        rest1 = 1.0 - beta1;
        rest2 = 1.0 - beta2;
        size = lr / (1.0 - beta1.powf(step));
        longest = 2.0 / (1.0 - beta2) - 1.0;
        length = longest - 2.0 * step * beta2.powf(step) / (1.0 - beta2.powf(step));
        adaptive = if length > 5.0 { 1.0 } else { 0.0 };
        rectified = ((length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length)
            * (1.0 - beta2.powf(step))).sqrt();
    }
    p, g => {
        exp_avg = beta1 * exp_avg + rest1 * g;
        exp_avg_sq = beta2 * exp_avg_sq + rest2 * (g * g);
        p -= size * exp_avg * if adaptive != 0.0 { rectified / (sqrt(exp_avg_sq) + eps) } else { 1.0 };
    }

    /// The direction of LAMB (You et al., 2020), left in `update`; its length is that of the tensor's norm.
    lamb(beta1, beta2, eps, decay, step) [exp_avg, exp_avg_sq, update] [] {
        rest1 = 1.0 - beta1;
        rest2 = 1.0 - beta2;
        unbias = 1.0 / (1.0 - beta1.powf(step));
        correction = 1.0 / (1.0 - beta2.powf(step)).sqrt();
    }
    p, g => {
        exp_avg = beta1 * exp_avg + rest1 * g;
        exp_avg_sq = beta2 * exp_avg_sq + rest2 * (g * g);
        update = unbias * exp_avg / (sqrt(exp_avg_sq) * correction + eps) + decay * p;
    }
}
