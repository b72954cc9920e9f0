// Positions of strided operands, for at most six dimensions (the host merges what can be merged).
// The host puts this file in the place of a shader's contiguous section `positions`.

const OPERANDS: u32 = 3u;

struct Params {
    count: u32,
    offsets: array<u32, OPERANDS>,
    // Outermost first, padded in front with 1. Strides are in elements; negative ones wrap around.
    shape: array<u32, 6>,
    strides: array<array<u32, 6>, OPERANDS>,
    // Numbers of a formula, as bits.
    constants: array<u32, 4>,
}

var<immediate> params: Params;

alias Positions = array<u32, OPERANDS>;

// Where each operand keeps the element with the row-major number i.
fn positions(i: u32) -> Positions {
    var at = params.offsets;
    var rest = i;
    // Ends as soon as all outer coordinates are zero: a matrix costs two divisions, not six.
    for (var d = 6u; d > 0u && rest != 0u; d--) {
        let extent = params.shape[d - 1u];
        let coordinate = rest % extent;
        rest /= extent;
        for (var operand = 0u; operand < OPERANDS; operand++) {
            at[operand] += coordinate * params.strides[operand][d - 1u];
        }
    }
    return at;
}
