// Running sums and products along the middle axis of (outer, n, inner): one thread a line.

alias In = f32;
alias Acc = f32;
alias Out = f32;

override PRODUCT: u32 = 0u;
// Whether the result begins with the neutral element.
override INITIAL: u32 = 0u;

struct Params {
    outer: u32,
    n: u32,
    inner: u32,
    // Where x starts.
    offset: u32,
}

var<immediate> params: Params;

@group(0) @binding(0) var<storage, read_write> out: array<Out>;
@group(0) @binding(1) var<storage, read> x: array<In>;

@compute @workgroup_size(64)
fn scan_lines(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let line = (group.x + group.y * groups.x) * 64u + lane;
    if (line >= params.outer * params.inner) { return; }
    let block = line / params.inner;
    let column = line % params.inner;
    let start = params.offset + block * params.n * params.inner + column;
    var to = block * (params.n + INITIAL) * params.inner + column;
    var acc = Acc(PRODUCT);
    if (INITIAL == 1u) {
        out[to] = Out(acc);
        to += params.inner;
    }
    for (var i = 0u; i < params.n; i++) {
        let value = Acc(x[start + i * params.inner]);
        acc = select(acc + value, acc * value, PRODUCT == 1u);
        out[to + i * params.inner] = Out(acc);
    }
}
