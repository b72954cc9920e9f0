//! How a batch of products is cut into tasks: by shapes alone, never by the number of threads.

/// Work below this is not worth another task (about 10 microseconds of one core).
const SMALL: usize = 1 << 20;
/// Work above this keeps an interrupt waiting (about a millisecond).
const LARGE: usize = 1 << 27;
/// Tasks wanted where there is enough work: many threads are busy, and the last one does not wait long.
const WANTED: usize = 16;
/// Tiles begin at multiples of this: whole registers and whole cache lines.
const ALIGN: usize = 16;
/// The least side of a tile, below which packing costs more than multiplying.
const LEAST: usize = 64;
/// The least part of the common axis worth a task.
const LEAST_DEPTH: usize = 4096;

/// A batch of `m x k` by `k x n` products as a grid of tiles.
#[derive(Debug, Clone, Copy)]
pub struct Split {
    pub batch: usize,
    pub m: usize,
    pub n: usize,
    k: usize,
    tile_rows: usize,
    tile_columns: usize,
    tile_depth: usize,
    /// Parts of the common axis; more than one only where the output is small.
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

fn flops(m: usize, n: usize, k: usize) -> usize {
    m.saturating_mul(n).saturating_mul(k).saturating_mul(2)
}

impl Split {
    /// All sizes are at least one.
    pub fn new(batch: usize, m: usize, n: usize, k: usize) -> Split {
        let total = flops(m, n, k).saturating_mul(batch);
        let most = (total / WANTED).clamp(SMALL, LARGE);
        let (mut rows, mut columns) = (m, n);
        while flops(rows, columns, k) > most && rows.max(columns) > LEAST {
            let side = if rows >= columns { &mut rows } else { &mut columns };
            *side = side.div_ceil(2).next_multiple_of(ALIGN);
        }
        let tiles = m.div_ceil(rows).saturating_mul(n.div_ceil(columns)).saturating_mul(batch);
        let slices = (WANTED / tiles.min(WANTED)).min(k / LEAST_DEPTH).min(total / SMALL).max(1);
        let tile_depth = k.div_ceil(slices);
        let group = (SMALL / flops(rows, columns, tile_depth).max(1)).max(1);
        let slices = k.div_ceil(tile_depth);
        Split { batch, m, n, k, tile_rows: rows, tile_columns: columns, tile_depth, slices, group }
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
            let split = Split::new(batch, m, n, k);
            let all: Vec<usize> = (0..split.tasks()).flat_map(|t| split.units_of(t)).collect();
            assert_eq!(all, (0..split.units()).collect::<Vec<_>>());
            let volume: usize = all.iter().map(|&u| split.tile(u)).map(|t| t.rows * t.columns * t.depths).sum();
            assert_eq!(volume, batch * m * n * k);
            assert!(all.iter().all(|&u| split.tile(u).depths > 0));
        }
    }
}
