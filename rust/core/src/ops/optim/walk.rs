//! The loop behind all rules. States that are not kept take part as columns of zeros that cost no memory traffic.

use super::rule::{ROOM, STATES};

/// What the loop reads and writes at each place.
trait Column<T> {
    fn get(&self, i: usize) -> T;
    fn set(&mut self, i: usize, value: T);
}

impl<T: Copy> Column<T> for &mut [T] {
    #[inline(always)]
    fn get(&self, i: usize) -> T {
        self[i]
    }
    #[inline(always)]
    fn set(&mut self, i: usize, value: T) {
        self[i] = value;
    }
}

/// A state that is not kept.
struct Absent;

impl<T: Default> Column<T> for Absent {
    #[inline(always)]
    fn get(&self, _: usize) -> T {
        T::default()
    }
    #[inline(always)]
    fn set(&mut self, _: usize, _: T) {}
}

/// Whether state `i` has elements: always the first `REQUIRED`, never those from `ALL` on.
#[inline(always)]
fn kept<T, const REQUIRED: usize, const ALL: usize>(i: usize, state: &[T]) -> bool {
    i < REQUIRED || i < ALL && !state.is_empty()
}

/// Updates every place. There is one compiled loop for each choice of optional states.
#[inline(always)]
pub fn walk<T: Copy + Default, const REQUIRED: usize, const ALL: usize>(
    numbers: [T; ROOM],
    p: &mut [T],
    g: &[T],
    [a, b, c]: [&mut [T]; STATES],
    update: impl Fn([T; ROOM], T, T, [T; STATES]) -> (T, [T; STATES]),
) {
    let n = p.len();
    if kept::<T, REQUIRED, ALL>(0, a) {
        second::<T, REQUIRED, ALL>(numbers, p, g, &mut a[..n], b, c, update);
    } else {
        second::<T, REQUIRED, ALL>(numbers, p, g, Absent, b, c, update);
    }
}

#[inline(always)]
fn second<T: Copy + Default, const REQUIRED: usize, const ALL: usize>(
    numbers: [T; ROOM],
    p: &mut [T],
    g: &[T],
    a: impl Column<T>,
    b: &mut [T],
    c: &mut [T],
    update: impl Fn([T; ROOM], T, T, [T; STATES]) -> (T, [T; STATES]),
) {
    let n = p.len();
    if kept::<T, REQUIRED, ALL>(1, b) {
        third::<T, REQUIRED, ALL>(numbers, p, g, a, &mut b[..n], c, update);
    } else {
        third::<T, REQUIRED, ALL>(numbers, p, g, a, Absent, c, update);
    }
}

#[inline(always)]
fn third<T: Copy + Default, const REQUIRED: usize, const ALL: usize>(
    numbers: [T; ROOM],
    p: &mut [T],
    g: &[T],
    a: impl Column<T>,
    b: impl Column<T>,
    c: &mut [T],
    update: impl Fn([T; ROOM], T, T, [T; STATES]) -> (T, [T; STATES]),
) {
    let n = p.len();
    if kept::<T, REQUIRED, ALL>(2, c) {
        each(numbers, p, g, a, b, &mut c[..n], update);
    } else {
        each(numbers, p, g, a, b, Absent, update);
    }
}

#[inline(always)]
fn each<T: Copy>(
    numbers: [T; ROOM],
    p: &mut [T],
    g: &[T],
    mut a: impl Column<T>,
    mut b: impl Column<T>,
    mut c: impl Column<T>,
    update: impl Fn([T; ROOM], T, T, [T; STATES]) -> (T, [T; STATES]),
) {
    let n = p.len();
    let g = &g[..n];
    for i in 0..n {
        let (value, [x, y, z]) = update(numbers, p[i], g[i], [a.get(i), b.get(i), c.get(i)]);
        p[i] = value;
        a.set(i, x);
        b.set(i, y);
        c.set(i, z);
    }
}
