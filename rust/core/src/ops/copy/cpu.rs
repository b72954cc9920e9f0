//! Strided to strided copies of raw elements, split over threads by rows, transposes by tiles.

use crate::cpu::pool;
use crate::dispatch;
use crate::dtype::Element;
use crate::error::Result;
use crate::plan::Plan;
use crate::shape::Layout;
use crate::storage::Output;
use crate::tensor::Tensor;

/// Elements per task: enough work to be worth a hand-off between threads.
const GRAIN: usize = 64 * 1024;
/// Side of a tile in a transposed copy: two tiles of f32 fit the first-level cache.
const TILE: usize = 32;

/// Writes `from` into the places of `to` that `region` describes.
pub fn copy(from: &Tensor, to: &mut Output, region: &Layout) -> Result<()> {
    dispatch!(from.dtype(), "copy", [any], T => typed::<T>(from, to, region))
}

/// A raw pointer that several threads may write through, each to rows of its own.
struct Shared<T>(*mut T);
// SAFETY: rows of a plan over a non-overlapping output layout are disjoint, and each is written by one task.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}

fn typed<T: Element>(from: &Tensor, to: &mut Output, region: &Layout) -> Result<()> {
    let source = from.elements::<T>()?;
    let target = to.slice_mut::<T>()?;
    let plan = Plan::new("copy", [region, from.layout()], [target.len(), source.len()])?;
    if plan.numel() == 0 {
        return Ok(());
    }
    let (target, source) = (Shared(target.as_mut_ptr()), source.as_ptr());
    let source = Shared(source.cast_mut());
    if let [rows, columns] = *plan.shape()
        && plan.strides(1)[0] == 1
        && plan.strides(0)[1] == 1
    {
        let bands = rows.div_ceil(TILE);
        let (to_step, from_step) = (plan.strides(0)[0], plan.strides(1)[1]);
        let (to0, from0) = (plan.offset(0) as isize, plan.offset(1) as isize);
        return pool::parallel_for(bands, &|band| {
            let (first, last) = (band * TILE, ((band + 1) * TILE).min(rows));
            for start in (0..columns).step_by(TILE) {
                for i in first..last {
                    for j in start..(start + TILE).min(columns) {
                        let (i, j) = (i as isize, j as isize);
                        // SAFETY: the plan proved every (i, j) of both operands in bounds; bands are disjoint.
                        unsafe {
                            let value = *source.get().offset(from0 + i + j * from_step);
                            *target.get().offset(to0 + i * to_step + j) = value;
                        }
                    }
                }
            }
        });
    }
    let (n, steps) = (plan.row_len(), plan.row_strides());
    let (rows, per_task) = (plan.rows(), (GRAIN / n.max(1)).max(1));
    if rows == 1 && steps == [1, 1] {
        return copy_flat(&target, &source, plan.offset(0), plan.offset(1), n);
    }
    pool::parallel_for(rows.div_ceil(per_task), &|task| {
        let range = task * per_task..((task + 1) * per_task).min(rows);
        plan.for_rows(range, |_, [to, from]| {
            // SAFETY: the plan proved both rows in bounds; source and target are different storages.
            unsafe { copy_row(target.get().add(to), source.get().add(from), n, steps) }
        });
    })
}

fn copy_flat<T: Element>(target: &Shared<T>, source: &Shared<T>, to: usize, from: usize, n: usize) -> Result<()> {
    pool::parallel_for(n.div_ceil(GRAIN), &|task| {
        let start = task * GRAIN;
        let len = GRAIN.min(n - start);
        // SAFETY: the plan proved the whole row in bounds of both; tasks cover disjoint parts.
        unsafe { target.get().add(to + start).copy_from_nonoverlapping(source.get().add(from + start), len) }
    })
}

/// # Safety
/// Both rows of `n` elements at these steps must be in bounds and not overlap.
unsafe fn copy_row<T: Element>(to: *mut T, from: *const T, n: usize, steps: [isize; 2]) {
    // SAFETY: the caller's promise covers every access below.
    unsafe {
        match steps {
            [1, 1] => to.copy_from_nonoverlapping(from, n),
            [1, 0] => std::slice::from_raw_parts_mut(to, n).fill(*from),
            [a, b] => (0..n as isize).for_each(|i| *to.offset(i * a) = *from.offset(i * b)),
        }
    }
}
