//! What multiplies two stripes. A tile unit does; so may anything else that reads operands as its registers hold them.

use super::source::{STRIPE, Source};
use super::unit::{ROW, ROWS, TILE, Unit};

/// Both registers of a stripe: 32 rows of a left operand, or twice 16 groups of rows of a right one.
pub type Registers = [u8; 2 * TILE];

pub trait Engine<S: Source> {
    /// Makes the engine ready for use on this thread.
    ///
    /// # Safety
    /// The machine must have what it takes.
    unsafe fn configure() -> Self;

    /// Adds the product of two stripes in `P` parts to a square of sums, whose rows lie `sums.1` apart. Each part is
    /// smaller than the one before by 2^-8: products of the `P` largest kinds are summed.
    ///
    /// # Safety
    /// Both stripes must hold so many steps; of the left one and of the sums only so many rows are used.
    unsafe fn add_product<const P: usize>(
        &mut self,
        rows_and_steps: [usize; 2],
        a: *const [Registers; P],
        b: *const [Registers; P],
        sums: (*mut S::Sum, usize),
    );
}

#[repr(align(64))]
struct Aligned<T>(T);

impl<U: Unit, S: Source> Engine<S> for U {
    unsafe fn configure() -> U {
        // SAFETY: the caller's promise.
        unsafe { <U as Unit>::configure() }
    }

    unsafe fn add_product<const P: usize>(
        &mut self,
        [rows, steps]: [usize; 2],
        a: *const [Registers; P],
        b: *const [Registers; P],
        (sums, width): (*mut S::Sum, usize),
    ) {
        let mut out = Aligned([[S::Sum::default(); STRIPE]; STRIPE]);
        // SAFETY: the caller's promise; sums take 4 bytes each, so that a register holds a quarter of the square.
        unsafe {
            self.zero::<0>();
            self.zero::<1>();
            self.zero::<2>();
            self.zero::<3>();
            for step in 0..steps {
                for i in 0..P {
                    let a: *const u8 = a.add(step).cast::<Registers>().add(i).cast();
                    self.load::<4>(a, ROW);
                    self.load::<5>(a.add(TILE), ROW);
                    for j in 0..P - i {
                        let b: *const u8 = b.add(step).cast::<Registers>().add(j).cast();
                        self.load::<6>(b, ROW);
                        self.load::<7>(b.add(TILE), ROW);
                        S::dot::<U, 0, 4, 6>(self);
                        S::dot::<U, 1, 4, 7>(self);
                        S::dot::<U, 2, 5, 6>(self);
                        S::dot::<U, 3, 5, 7>(self);
                    }
                }
            }
            let (to, row) = (out.0.as_mut_ptr().cast::<u8>(), size_of::<[S::Sum; STRIPE]>());
            self.store::<0>(to, row);
            self.store::<1>(to.add(ROW), row);
            self.store::<2>(to.add(ROWS * row), row);
            self.store::<3>(to.add(ROWS * row + ROW), row);
            // Not by the unit, which takes denormal sums for zeros.
            for (i, product) in out.0.iter().enumerate().take(rows) {
                let sums = &mut *sums.add(i * width).cast::<[S::Sum; STRIPE]>();
                for j in 0..STRIPE {
                    sums[j] = S::plus(sums[j], product[j]);
                }
            }
        }
    }
}
