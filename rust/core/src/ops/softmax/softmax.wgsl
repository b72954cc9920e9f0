// Softmax, log-softmax and logsumexp of rows, forward and backward: one workgroup a row.
// The host adds gpu/math.wgsl, whose exp and log shadow the built-in ones.

alias Elem = f32;

const WIDTH: u32 = 256u;
const LOWEST: f32 = -3.4028234e38;

// 0 softmax, 1 log_softmax, 2 logsumexp.
override FUNCTION: u32 = 0u;

struct Params {
    rows: u32,
    columns: u32,
    // Where each input starts.
    offsets: array<u32, 3>,
}

var<immediate> params: Params;

@group(0) @binding(0) var<storage, read_write> out: array<Elem>;
// Forward: a = x. Backward: a = y, b = dy, c = x (logsumexp only).
@group(0) @binding(1) var<storage, read> a: array<Elem>;
@group(0) @binding(2) var<storage, read> b: array<Elem>;
@group(0) @binding(3) var<storage, read> c: array<Elem>;

var<workgroup> parts: array<f32, WIDTH>;

// The sum of one value per lane, always added in the same order.
fn row_sum(lane: u32, value: f32) -> f32 {
    parts[lane] = value;
    for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) { parts[lane] += parts[lane + half]; }
    }
    workgroupBarrier();
    let total = parts[0];
    workgroupBarrier();
    return total;
}

fn row_max(lane: u32, value: f32) -> f32 {
    parts[lane] = value;
    for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) { parts[lane] = max(parts[lane], parts[lane + half]); }
    }
    workgroupBarrier();
    let largest = parts[0];
    workgroupBarrier();
    return largest;
}

@compute @workgroup_size(WIDTH)
fn softmax_rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group.x + group.y * groups.x;
    if (row >= params.rows) { return; }
    let first = params.offsets[0] + row * params.columns;
    // max drops NaN; the sum of the exponentials brings it back.
    var largest = LOWEST;
    for (var i = lane; i < params.columns; i += WIDTH) { largest = max(largest, f32(a[first + i])); }
    largest = row_max(lane, largest);
    // An infinite shift would turn logsumexp into inf - inf.
    if (FUNCTION == 2u && !(abs(largest) <= -LOWEST)) { largest = 0.0; }
    var sum = 0.0;
    for (var i = lane; i < params.columns; i += WIDTH) { sum += exp(f32(a[first + i]) - largest); }
    sum = row_sum(lane, sum);
    if (FUNCTION == 2u) {
        if (lane == 0u) { out[row] = Elem(largest + log(sum)); }
        return;
    }
    let log_sum = log(sum);
    for (var i = lane; i < params.columns; i += WIDTH) {
        let shifted = f32(a[first + i]) - largest;
        out[row * params.columns + i] = Elem(select(shifted - log_sum, exp(shifted) / sum, FUNCTION == 0u));
    }
}

@compute @workgroup_size(WIDTH)
fn softmax_rows_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group.x + group.y * groups.x;
    if (row >= params.rows) { return; }
    let start = row * params.columns;
    let y = params.offsets[0] + start;
    let dy = params.offsets[1] + start;
    var sum = 0.0;
    for (var i = lane; i < params.columns; i += WIDTH) {
        sum += f32(b[dy + i]) * select(1.0, f32(a[y + i]), FUNCTION == 0u);
    }
    sum = row_sum(lane, sum);
    for (var i = lane; i < params.columns; i += WIDTH) {
        let y_i = f32(a[y + i]);
        let dy_i = f32(b[dy + i]);
        out[start + i] = Elem(select(dy_i - exp(y_i) * sum, y_i * (dy_i - sum), FUNCTION == 0u));
    }
}

// logsumexp has one y and one dy a row: dx = dy exp(x - y).
@compute @workgroup_size(WIDTH)
fn logsumexp_rows_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let row = group.x + group.y * groups.x;
    if (row >= params.rows) { return; }
    let row_y = f32(a[params.offsets[0] + row]);
    // A row of minus infinities has no slope, where the difference would be NaN.
    let y = select(row_y, 0.0, row_y < LOWEST);
    let dy = f32(b[params.offsets[1] + row]);
    let start = row * params.columns;
    for (var i = lane; i < params.columns; i += WIDTH) {
        let x = f32(c[params.offsets[2] + start + i]);
        out[start + i] = Elem(dy * exp(x - y));
    }
}
