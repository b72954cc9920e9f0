//! How a batch of products is cut into tasks: by shapes and layout alone, never by the number of threads.

use super::table::Grain;

/// Work below this is not worth another task (about 10 microseconds of one core), in floating-point operations.
const SMALL: usize = 1 << 21;
/// Work above this keeps an interrupt waiting (a few milliseconds).
const LARGE: usize = 1 << 28;
/// What it costs to touch an element, in the same measure.
const TOUCH: usize = 32;
/// Tasks wanted where there is enough work: many threads are busy, and the last one does not wait long.
const WANTED: usize = 8;
/// The least rows of a tile: what a panel of the right operand costs to fetch is spread over them.
const LEAST_ROWS: usize = 96;
/// Rows and columns that no tile needs more of: whatever is fetched for it is used often enough.
const ENOUGH: usize = 256;
/// The least part of the common axis worth a task.
const LEAST_DEPTH: usize = 256;

/// What the cut is made from; every size is at least one.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub batch: usize,
    pub m: usize,
    pub n: usize,
    pub k: usize,
    /// Rows and columns that kernels compute at once: tiles are multiples of them.
    pub grain: Grain,
    /// Whether the right operand is contiguous along the common axis.
    pub by_columns: bool,
    /// Whether partial products may be summed.
    pub exact: bool,
}

/// A batch of `m x k` by `k x n` products as a grid of tiles.
#[derive(Debug, Clone, Copy)]
pub struct Split {
    pub batch: usize,
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub tile_rows: usize,
    pub tile_columns: usize,
    tile_depth: usize,
    /// Parts of the common axis, summed afterwards; more than one only where that sum is a small part of the work.
    pub slices: usize,
    /// Units done by one task.
    group: usize,
}

/// One unit of work: a tile of one matrix, over one slice of the common axis.
#[derive(Debug, PartialEq, Eq)]
pub struct Tile {
    pub matrix: usize,
    pub slice: usize,
    pub row: usize,
    pub rows: usize,
    pub column: usize,
    pub columns: usize,
    pub depth: usize,
    pub depths: usize,
}

/// Operations of a product, memory access included.
fn cost(m: usize, n: usize, k: usize) -> usize {
    let flops = m.saturating_mul(n).saturating_mul(k).saturating_mul(2);
    let touched = m.saturating_mul(k).saturating_add(k.saturating_mul(n)).saturating_add(m.saturating_mul(n));
    flops.saturating_add(touched.saturating_mul(TOUCH))
}

impl Split {
    pub fn new(shape: Shape) -> Split {
        let Shape { batch, m, n, k, grain, by_columns, exact } = shape;
        let total = cost(m, n, k).saturating_mul(batch);
        if total < 2 * SMALL && batch == 1 {
            let (tile_rows, tile_columns) = (m.next_multiple_of(grain.rows), n.next_multiple_of(grain.columns));
            return Split { batch, m, n, k, tile_rows, tile_columns, tile_depth: k, slices: 1, group: 1 };
        }
        // Tiles are as large as is useful, if that leaves enough of them.
        let tiles = m.div_ceil(ENOUGH).saturating_mul(n.div_ceil(ENOUGH)).max(WANTED.div_ceil(batch));
        let cuts = (total / SMALL).clamp(1, WANTED).max(total / LARGE).div_ceil(batch);
        let panels = n.div_ceil(grain.columns);
        // Slices are worth it where their sum is small; whole rows of the right operand are read as one stream.
        let gain = k.saturating_mul(m.saturating_add(n)) / m.saturating_mul(n).saturating_mul(4);
        let whole = !exact || (by_columns && panels >= cuts);
        let slices = if whole { 1 } else { cuts.min(k / LEAST_DEPTH).min(gain).max(1) };
        let cuts = cuts.div_ceil(slices).min(tiles);
        // Square tiles use most often what they fetch.
        let most = (m / LEAST_ROWS).max(1);
        let across = cuts.div_ceil((cuts.saturating_mul(m) / n).isqrt().clamp(1, most)).min(panels);
        let down = cuts.div_ceil(across).min(most);
        let tile_rows = m.div_ceil(down).next_multiple_of(grain.rows);
        let tile_columns = panels.div_ceil(across) * grain.columns;
        let tile_depth = k.div_ceil(slices);
        let group = (SMALL / cost(tile_rows.min(m), tile_columns.min(n), tile_depth)).max(1);
        let slices = k.div_ceil(tile_depth);
        Split { batch, m, n, k, tile_rows, tile_columns, tile_depth, slices, group }
    }

    /// Whether several tiles use the same columns of the right operand.
    pub fn shares_columns(&self) -> bool {
        self.slices == 1 && self.down() > 1
    }

    /// Whether several tiles use the same rows of the left operand.
    pub fn shares_rows(&self) -> bool {
        self.slices == 1 && self.across() > 1
    }

    /// Tiles of one matrix.
    pub fn tiles(&self) -> usize {
        self.down() * self.across()
    }

    fn across(&self) -> usize {
        self.n.div_ceil(self.tile_columns)
    }
    fn down(&self) -> usize {
        self.m.div_ceil(self.tile_rows)
    }
    fn units(&self) -> usize {
        self.slices * self.batch * self.down() * self.across()
    }

    pub fn tasks(&self) -> usize {
        self.units().div_ceil(self.group)
    }

    pub fn units_of(&self, task: usize) -> std::ops::Range<usize> {
        task * self.group..((task + 1) * self.group).min(self.units())
    }

    pub fn tile(&self, unit: usize) -> Tile {
        let (column, rest) = (unit % self.across() * self.tile_columns, unit / self.across());
        let (row, rest) = (rest % self.down() * self.tile_rows, rest / self.down());
        let (matrix, slice) = (rest % self.batch, rest / self.batch);
        let depth = slice * self.tile_depth;
        Tile {
            matrix,
            slice,
            row,
            rows: self.tile_rows.min(self.m - row),
            column,
            columns: self.tile_columns.min(self.n - column),
            depth,
            depths: self.tile_depth.min(self.k - depth),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_cover_every_product_once() {
        for (batch, m, n, k) in [(1, 1, 1, 1), (3, 70, 65, 5), (1, 1000, 300, 200), (1, 3, 5, 100_000), (700, 8, 8, 8)]
        {
            let grain = Grain { rows: 8, columns: 48 };
            for by_columns in [false, true] {
                let split = Split::new(Shape { batch, m, n, k, grain, by_columns, exact: true });
                let all: Vec<usize> = (0..split.tasks()).flat_map(|t| split.units_of(t)).collect();
                assert_eq!(all, (0..split.units()).collect::<Vec<_>>());
                let volume: usize = all.iter().map(|&u| split.tile(u)).map(|t| t.rows * t.columns * t.depths).sum();
                assert_eq!(volume, batch * m * n * k);
                assert!(all.iter().all(|&u| split.tile(u).depths > 0));
            }
        }
    }
}
