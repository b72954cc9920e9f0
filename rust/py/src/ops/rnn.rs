//! Recurrent layers: one layer in one direction over a whole sequence.

use crate::rows;
use crate::table::Row;
use ferrograd_core::Tensor;
use ferrograd_core::ops::rnn::{self, Layer};

pub const RECURRENT: &[Row] = rows! {
    /// A GRU layer (Cho et al. 2014) over x (T, B, input): outputs (T, B, hidden) and the final h (B, hidden).
    ///
    /// weight_ih is (3 * hidden, input), weight_hh (3 * hidden, hidden), gates r, z, n; h0 is (B, hidden), zero if None.
    /// lengths (B,) ends each row early: its outputs are zero from there on. reverse goes from the last step to the first.
    gru [] (x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Option<Tensor> = None, bias_hh: Option<Tensor> = None, h0: Option<Tensor> = None, lengths: Option<Tensor> = None, reverse: bool = false) {} -> (Tensor, Tensor)
        = {
            let layer = Layer {
                x: &x, w_ih: &weight_ih, w_hh: &weight_hh, b_ih: bias_ih.as_ref(), b_hh: bias_hh.as_ref(),
                h0: h0.as_ref(), lengths: lengths.as_ref(), reverse,
            };
            rnn::gru(&layer).map(|[y, h]| (y, h))
        };
    /// An LSTM layer (Hochreiter and Schmidhuber 1997) over x (T, B, input): outputs (T, B, hidden), the final h and c.
    ///
    /// weight_ih is (4 * hidden, input), weight_hh (4 * hidden, hidden), gates i, f, g, o; h0 and c0 are (B, hidden), zero if
    /// None. lengths (B,) ends each row early: its outputs are zero from there on. reverse goes from the last step to the first.
    lstm [] (x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Option<Tensor> = None, bias_hh: Option<Tensor> = None, h0: Option<Tensor> = None, c0: Option<Tensor> = None, lengths: Option<Tensor> = None, reverse: bool = false) {} -> (Tensor, Tensor, Tensor)
        = {
            let layer = Layer {
                x: &x, w_ih: &weight_ih, w_hh: &weight_hh, b_ih: bias_ih.as_ref(), b_hh: bias_hh.as_ref(),
                h0: h0.as_ref(), lengths: lengths.as_ref(), reverse,
            };
            rnn::lstm(&layer, c0.as_ref()).map(|[y, h, c]| (y, h, c))
        };
    /// A plain recurrent layer over x (T, B, input), h = act(W_ih x + b_ih + W_hh h + b_hh): outputs and the final h.
    ///
    /// nonlinearity is "tanh" or "relu", weight_ih (hidden, input), weight_hh (hidden, hidden), h0 (B, hidden), zero if None.
    /// lengths (B,) ends each row early: its outputs are zero from there on. reverse goes from the last step to the first.
    rnn [] (x: Tensor, weight_ih: Tensor, weight_hh: Tensor, bias_ih: Option<Tensor> = None, bias_hh: Option<Tensor> = None, h0: Option<Tensor> = None, lengths: Option<Tensor> = None, reverse: bool = false, nonlinearity: String = String::from("tanh")) {} -> (Tensor, Tensor)
        = {
            let layer = Layer {
                x: &x, w_ih: &weight_ih, w_hh: &weight_hh, b_ih: bias_ih.as_ref(), b_hh: bias_hh.as_ref(),
                h0: h0.as_ref(), lengths: lengths.as_ref(), reverse,
            };
            rnn::rnn(&layer, &nonlinearity).map(|[y, h]| (y, h))
        };
};
