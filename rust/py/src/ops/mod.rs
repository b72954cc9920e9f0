//! The bound functions by family. Adding an op's binding is one row in one of these tables.

mod creation;
mod elementwise;
mod index;
mod movement;
mod reduce;

use crate::table::Group;

/// Every table of the module.
pub fn groups() -> Vec<Group> {
    let standard = |rows| Group { rows, method: true, torch_names: false, top: true };
    let function = |rows| Group { rows, method: false, torch_names: false, top: true };
    let network = |rows| Group { rows, method: true, torch_names: true, top: true };
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
        Group { rows: index::LOOKUPS, method: false, torch_names: true, top: true },
    ]
}
