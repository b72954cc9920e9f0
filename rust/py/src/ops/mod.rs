//! The bound functions by family. Adding an op's binding is one row in one of these tables.

mod conv;
mod creation;
mod elementwise;
mod fft;
mod index;
mod linalg;
mod loss;
mod matmul;
mod movement;
mod nn;
pub mod random;
mod reduce;
mod rnn;

use crate::table::Group;

/// Every table of the module.
pub fn groups() -> Vec<Group> {
    let standard = |rows| Group { rows, method: true, torch_names: false, top: true };
    let function = |rows| Group { rows, method: false, torch_names: false, top: true };
    let network = |rows| Group { rows, method: true, torch_names: true, top: true };
    let plain = |rows| Group { rows, method: false, torch_names: true, top: true };
    let layer = |rows| Group { rows, method: false, torch_names: true, top: false };
    vec![
        standard(elementwise::standard()),
        standard(elementwise::CHOICES),
        function(elementwise::FUNCTIONS),
        network(elementwise::activations()),
        network(elementwise::ACTIVATIONS),
        function(creation::FUNCTIONS),
        standard(creation::METHODS),
        standard(movement::STANDARD),
        network(movement::TORCH),
        function(movement::FUNCTIONS),
        standard(reduce::STANDARD),
        function(reduce::FUNCTIONS),
        network(reduce::NETWORK),
        standard(index::STANDARD),
        function(index::FUNCTIONS),
        network(index::NETWORK),
        plain(index::LOOKUPS),
        standard(matmul::STANDARD),
        network(matmul::NETWORK),
        function(matmul::FUNCTIONS),
        network(nn::SOFTMAX),
        layer(nn::NORMS),
        layer(nn::LAYERS),
        layer(rnn::RECURRENT),
        layer(nn::STEPS),
        layer(conv::CONVOLUTIONS),
        layer(conv::POOLS),
        layer(conv::RESAMPLING),
        layer(loss::LOSSES),
        layer(linalg::LINALG),
        layer(fft::TRANSFORMS),
        plain(random::DRAWS),
    ]
}
