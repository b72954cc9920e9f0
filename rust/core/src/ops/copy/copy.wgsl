// y[...] = x[...] for any strides of both.

alias Elem = f32;

@group(0) @binding(0) var<storage, read_write> y: array<Elem>;
@group(0) @binding(1) var<storage, read> x: array<Elem>;

// begin positions
struct Params {
    count: u32,
}

var<immediate> params: Params;

alias Positions = array<u32, 2>;

fn positions(i: u32) -> Positions {
    return Positions(i, i);
}
// end positions

@compute @workgroup_size(256)
fn copy_elements(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first = (group.x + group.y * groups.x) * 1024u + lane;
    for (var i = first; i < min(first + 1024u, params.count); i += 256u) {
        let at = positions(i);
        y[at[0]] = x[at[1]];
    }
}
