//! Outputs of several phases, put between each other.

use super::geometry::Axis;
use super::window::Part;
use crate::cpu::gemm::vector::Vector;

/// The outputs of one channel of an image: `positions` of each phase, phase after phase, to their places in a plane.
pub struct Scatter<'a, T> {
    pub axes: &'a [Axis; 3],
    /// Positions of one image.
    pub part: Part,
    pub from: *const T,
    /// From phase to phase.
    pub positions: usize,
    /// Where the plane begins.
    pub to: *mut T,
}

/// Copies line by line.
///
/// # Safety
/// All phases must be valid with a register behind them, the part's places in the plane the caller's alone; see
/// `Vector` for the instructions.
#[inline(always)]
pub unsafe fn scatter<V: Vector>(x: &Scatter<V::Element>) {
    let [z, y, columns] = x.axes;
    let [depth, height, width] = x.part.size;
    let start = x.part.start[2] * columns.stride;
    let count = ((x.part.start[2] + width) * columns.stride).min(columns.size) - start;
    for phase in 0..z.phases * y.phases {
        for line in 0..depth * height {
            let plane = (x.part.start[0] + line / height) * z.stride + phase / y.phases;
            let row = (x.part.start[1] + line % height) * y.stride + phase % y.phases;
            if plane >= z.size || row >= y.size {
                continue;
            }
            let from = x.from.wrapping_add(phase * columns.phases * x.positions + line * width);
            let to = x.to.wrapping_add((plane * y.size + row) * columns.size + start);
            // SAFETY: the line lies inside the part and the plane.
            unsafe { mix::<V>(from, x.positions, columns.phases, to, count) };
        }
    }
}

/// `to[i * phases + phase] = from[phase * step + i]`, so many in all.
#[inline(always)]
unsafe fn mix<V: Vector>(from: *const V::Element, step: usize, phases: usize, to: *mut V::Element, count: usize) {
    // SAFETY: the caller's promise; no more than `count` elements are written.
    unsafe {
        match phases {
            1 => {
                for at in (0..count).step_by(V::LANES) {
                    put(V::load(from.add(at)), to.add(at), count - at);
                }
            }
            2 => {
                for at in (0..count).step_by(2 * V::LANES) {
                    let from = from.add(at / 2);
                    let (first, second) = V::load(from).interleave(V::load(from.add(step)));
                    put(first, to.add(at), count - at);
                    if count - at > V::LANES {
                        put(second, to.add(at + V::LANES), count - at - V::LANES);
                    }
                }
            }
            phases => (0..count).for_each(|i| *to.add(i) = *from.add(i % phases * step + i / phases)),
        }
    }
}

/// Writes at most so many lanes.
#[inline(always)]
unsafe fn put<V: Vector>(x: V, to: *mut V::Element, count: usize) {
    // SAFETY: the caller's promise.
    unsafe { if count >= V::LANES { x.store(to) } else { x.store_part(to, V::mask(count)) } }
}
