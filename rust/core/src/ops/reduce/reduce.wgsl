// Reductions over the middle axis of (outer, n, inner), always in the same order: lanes, then a tree, then parts.
// Long axes are cut into parts that a second call folds; the host then sets In or Out to Acc.

alias In = f32;
alias Acc = f32;
alias Out = f32;

const WIDTH: u32 = 256u;

struct Params {
    outer: u32,
    n: u32,
    inner: u32,
    // The middle axis in so many parts of this length.
    parts: u32,
    length: u32,
    // Where x starts.
    offset: u32,
    // All that is folded into one result: what a mean divides by.
    count: f32,
}

var<immediate> params: Params;

@group(0) @binding(0) var<storage, read_write> out: array<Out>;
@group(0) @binding(1) var<storage, read> x: array<In>;

// begin fold
fn identity() -> Acc { return 0.0; }
fn load(x: In, place: u32) -> Acc { return Acc(x); }
fn merge(a: Acc, b: Acc) -> Acc { return a + b; }
fn finish(acc: Acc) -> Out { return Out(acc); }
// end fold

var<workgroup> lanes: array<Acc, WIDTH>;

// inner = 1: one workgroup for each part of each row.
@compute @workgroup_size(WIDTH)
fn reduce_rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group.x + group.y * groups.x;
    if (index >= params.outer * params.parts) { return; }
    let first = index % params.parts * params.length;
    let row = params.offset + index / params.parts * params.n;
    var acc = identity();
    for (var i = first + lane; i < min(first + params.length, params.n); i += WIDTH) {
        acc = merge(acc, load(x[row + i], i));
    }
    lanes[lane] = acc;
    for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) { lanes[lane] = merge(lanes[lane], lanes[lane + half]); }
    }
    if (lane == 0u) { out[index] = finish(lanes[0]); }
}

// Any inner: one thread for each part of each column, neighbours side by side.
@compute @workgroup_size(WIDTH)
fn reduce_columns(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = (group.x + group.y * groups.x) * WIDTH + lane;
    if (index >= params.outer * params.parts * params.inner) { return; }
    let column = index % params.inner;
    let part = index / params.inner % params.parts;
    let first = part * params.length;
    let start = params.offset + index / params.inner / params.parts * params.n * params.inner + column;
    var acc = identity();
    for (var i = first; i < min(first + params.length, params.n); i++) {
        acc = merge(acc, load(x[start + i * params.inner], i));
    }
    out[index] = finish(acc);
}
