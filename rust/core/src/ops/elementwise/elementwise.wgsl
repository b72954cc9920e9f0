// y[i] = formula(a[i], b[i], ...): the loop that serves every declared row, for any strides.

alias Y = f32;
alias A = f32;
alias B = f32;
alias C = f32;
alias D = f32;

@group(0) @binding(0) var<storage, read_write> y: array<Y>;
@group(0) @binding(1) var<storage, read> a: array<A>;
@group(0) @binding(2) var<storage, read> b: array<B>;
@group(0) @binding(3) var<storage, read> c: array<C>;
@group(0) @binding(4) var<storage, read> d: array<D>;

// begin positions
struct Params {
    count: u32,
    // Numbers of the formula, as bits.
    constants: array<u32, 4>,
}

var<immediate> params: Params;

alias Positions = array<u32, 4>;

fn positions(i: u32) -> Positions {
    return Positions(i, i, i, i);
}
// end positions

// begin formula
fn element(at: Positions) -> Y {
    return Y(a[at[0]]);
}
// end formula

// 256 threads with four elements each, neighbours side by side.
@compute @workgroup_size(256)
fn elementwise(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = (group.x + group.y * groups.x) * 1024u + lane;
    for (var i = first; i < min(first + 1024u, params.count); i += 256u) {
        y[i] = element(positions(i));
    }
}
