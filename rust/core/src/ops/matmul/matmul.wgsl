// out = a b (+ bias) for batches of matrices of any strides, accumulated in Acc.

alias Elem = f32;
alias Acc = f32;

// A workgroup of 16 x 16 threads makes a tile of TILE x TILE elements, 4 x 4 a thread, in steps of DEPTH along k.
const TILE: u32 = 64u;
const DEPTH: u32 = 16u;
const WIDTH: u32 = 256u;

// Whether a matrix is contiguous along k: decides which lanes load which elements, so that loads coalesce.
override A_ALONG_K: u32 = 1u;
override B_ALONG_K: u32 = 0u;

struct Params {
    m: u32,
    n: u32,
    k: u32,
    batches: u32,
    // Row and column strides.
    a_strides: array<u32, 2>,
    b_strides: array<u32, 2>,
    // Offsets of a, b and bias.
    offsets: array<u32, 3>,
    // Axes of the batch, outermost first, padded in front with 1.
    batch: array<u32, 3>,
    a_batch: array<u32, 3>,
    b_batch: array<u32, 3>,
}

var<immediate> params: Params;

@group(0) @binding(0) var<storage, read_write> out: array<Elem>;
@group(0) @binding(1) var<storage, read> a: array<Elem>;
@group(0) @binding(2) var<storage, read> b: array<Elem>;

// begin epilogue
fn finish(value: Acc, column: u32) -> Elem {
    return Elem(value);
}
// end epilogue

// Where the matrices of a batch start.
fn starts(batch: u32) -> vec2<u32> {
    var at = vec2(params.offsets[0], params.offsets[1]);
    var rest = batch;
    for (var d = 3u; d > 0u && rest != 0u; d--) {
        let coordinate = rest % params.batch[d - 1u];
        rest /= params.batch[d - 1u];
        at += coordinate * vec2(params.a_batch[d - 1u], params.b_batch[d - 1u]);
    }
    return at;
}

fn a_at(start: u32, row: u32, k: u32) -> Acc {
    if (row >= params.m || k >= params.k) { return Acc(0); }
    return Acc(a[start + row * params.a_strides[0] + k * params.a_strides[1]]);
}

fn b_at(start: u32, k: u32, column: u32) -> Acc {
    if (column >= params.n || k >= params.k) { return Acc(0); }
    return Acc(b[start + k * params.b_strides[0] + column * params.b_strides[1]]);
}

var<workgroup> a_tile: array<Acc, DEPTH * TILE>;
var<workgroup> b_tile: array<Acc, DEPTH * TILE>;

@compute @workgroup_size(WIDTH)
fn matmul_tiles(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let tile_columns = (params.n + TILE - 1u) / TILE;
    let tiles = tile_columns * ((params.m + TILE - 1u) / TILE);
    let index = group.x + group.y * groups.x;
    let batch = index / tiles;
    if (batch >= params.batches) { return; }
    let first_row = (index % tiles) / tile_columns * TILE;
    let first_column = index % tile_columns * TILE;
    let start = starts(batch);
    let row = lane / 16u * 4u;
    let column = lane % 16u * 4u;
    var sums: array<vec4<Acc>, 4>;
    for (var k0 = 0u; k0 < params.k; k0 += DEPTH) {
        for (var load = lane; load < DEPTH * TILE; load += WIDTH) {
            let k_major = vec2(load % DEPTH, load / DEPTH);
            let k_minor = vec2(load / TILE, load % TILE);
            let to_a = select(k_minor, k_major, A_ALONG_K == 1u);
            a_tile[to_a.x * TILE + to_a.y] = a_at(start.x, first_row + to_a.y, k0 + to_a.x);
            let to_b = select(k_minor, k_major, B_ALONG_K == 1u);
            b_tile[to_b.x * TILE + to_b.y] = b_at(start.y, k0 + to_b.x, first_column + to_b.y);
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
            let at_a = k * TILE + row;
            let at_b = k * TILE + column;
            let b_four = vec4(b_tile[at_b], b_tile[at_b + 1u], b_tile[at_b + 2u], b_tile[at_b + 3u]);
            sums[0] += a_tile[at_a] * b_four;
            sums[1] += a_tile[at_a + 1u] * b_four;
            sums[2] += a_tile[at_a + 2u] * b_four;
            sums[3] += a_tile[at_a + 3u] * b_four;
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i++) {
        for (var j = 0u; j < 4u; j++) {
            let to_row = first_row + row + i;
            let to_column = first_column + column + j;
            if (to_row < params.m && to_column < params.n) {
                out[(batch * params.m + to_row) * params.n + to_column] = finish(sums[i][j], to_column);
            }
        }
    }
}

var<workgroup> parts: array<Acc, WIDTH>;

// For a product with a single row or column: one workgroup an element, its lanes along k.
@compute @workgroup_size(WIDTH)
fn matmul_dots(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let index = group.x + group.y * groups.x;
    let batch = index / (params.m * params.n);
    if (batch >= params.batches) { return; }
    let row = index / params.n % params.m;
    let column = index % params.n;
    let start = starts(batch);
    var sum = Acc(0);
    for (var k = lane; k < params.k; k += WIDTH) { sum += a_at(start.x, row, k) * b_at(start.y, k, column); }
    parts[lane] = sum;
    for (var half = WIDTH / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) { parts[lane] += parts[lane + half]; }
    }
    if (lane == 0u) { out[index] = finish(parts[0], column); }
}

// The same where the matrix is contiguous across k: 64 neighbouring elements a workgroup, four lanes along k for each.
@compute @workgroup_size(WIDTH)
fn matmul_columns(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let size = params.m * params.n;
    let strips = (size + TILE - 1u) / TILE;
    let index = group.x + group.y * groups.x;
    let batch = index / strips;
    if (batch >= params.batches) { return; }
    let element = index % strips * TILE + lane % TILE;
    let start = starts(batch);
    var sum = Acc(0);
    if (element < size) {
        for (var k = lane / TILE; k < params.k; k += WIDTH / TILE) {
            sum += a_at(start.x, element / params.n, k) * b_at(start.y, k, element % params.n);
        }
    }
    parts[lane] = sum;
    workgroupBarrier();
    if (lane < TILE && element < size) {
        let total = (parts[lane] + parts[lane + TILE]) + (parts[lane + 2u * TILE] + parts[lane + 3u * TILE]);
        out[batch * size + element] = finish(total, element % params.n);
    }
}
