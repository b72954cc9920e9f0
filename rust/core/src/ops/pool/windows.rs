//! Which image elements each output position of a pool sees, axis by axis: regular and adaptive pools differ only here.

use crate::cpu::conv::Geometry;
use crate::cpu::scratch::Scratch;
use crate::error::{Error, Result};
use crate::ops::spatial::{Axes3, per_axis};
use bytemuck::{Pod, Zeroable};

/// Elements `start, start + step, ...` below `end`; `cover` counts those an average divides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Window {
    pub start: usize,
    pub end: usize,
    pub cover: usize,
}

/// One window an output position, for each of the three axes.
#[derive(Debug)]
pub struct Windows {
    pub image: Axes3,
    pub step: Axes3,
    pub axes: [Scratch<Window>; 3],
    /// Where all windows look alike.
    pub geometry: Option<Geometry>,
}

/// Arguments of a regular pool; the stride is the kernel size where it is not given.
#[derive(Debug, Clone, Copy)]
pub struct Regular<'a> {
    pub kernel: &'a [i64],
    pub stride: Option<&'a [i64]>,
    pub padding: &'a [i64],
    pub dilation: &'a [i64],
    pub ceil_mode: bool,
    pub count_include_pad: bool,
}

fn table(op: &str, count: usize, window: impl Fn(usize) -> Window) -> Result<Scratch<Window>> {
    let mut windows = Scratch::new(op, count)?;
    windows.iter_mut().enumerate().for_each(|(o, slot)| *slot = window(o));
    Ok(windows)
}

/// One table for each of three axes.
fn tables(mut of: impl FnMut(usize) -> Result<Scratch<Window>>) -> Result<[Scratch<Window>; 3]> {
    Ok([of(0)?, of(1)?, of(2)?])
}

impl Windows {
    pub fn regular(op: &str, image: Axes3, spatial: usize, options: &Regular) -> Result<Windows> {
        let kernel = per_axis(op, "kernel_size", options.kernel, spatial, 1, 1)?;
        let stride = match options.stride.filter(|stride| !stride.is_empty()) {
            Some(stride) => per_axis(op, "stride", stride, spatial, 1, 1)?,
            None => kernel,
        };
        let padding = per_axis(op, "padding", options.padding, spatial, 0, 0)?;
        let step = per_axis(op, "dilation", options.dilation, spatial, 1, 1)?;
        let axes = tables(|a| {
            let (n, k, s, p, d) = (image[a], kernel[a], stride[a], padding[a], step[a]);
            let reach = (k - 1) * d + 1;
            if p > reach / 2 {
                return Err(Error::value(
                    op,
                    format!("expected padding of at most half the kernel ({reach}), got {p}"),
                ));
            }
            let room = (n + 2 * p).checked_sub(reach).filter(|_| n > 0).ok_or_else(|| {
                Error::shape(
                    op,
                    format!("a kernel of {k} (dilation {d}) does not fit an input of {n} with padding {p}"),
                )
            })?;
            let mut count = if options.ceil_mode { room.div_ceil(s) } else { room / s } + 1;
            // A window must begin inside the image or the padding in front of it.
            if options.ceil_mode && (count - 1) * s >= n + p {
                count -= 1;
            }
            let windows = table(op, count, |o| {
                let (first, past) = (o * s, o * s + reach);
                let start = if first >= p { first - p } else { (d - (p - first) % d) % d };
                let end = (past - p.min(past)).min(n);
                let cover = if options.count_include_pad { past.min(n + 2 * p) - first } else { end - start.min(end) };
                Window { start, end, cover }
            })?;
            match windows.iter().position(|w| w.start >= w.end) {
                Some(o) => Err(Error::shape(op, format!("window {o} of axis {a} sees nothing but padding"))),
                None => Ok(windows),
            }
        })?;
        let output = axes.each_ref().map(|axis| axis.len());
        let geometry = Geometry { image, kernel, output, stride, before: padding, dilation: step };
        Ok(Windows { image, step, axes, geometry: Some(geometry) })
    }

    /// Windows of nearly equal size that share the image among `output` positions (`None`: as many as the image has).
    pub fn adaptive(op: &str, image: Axes3, spatial: usize, output: &[Option<i64>]) -> Result<Windows> {
        if output.len() != 1 && output.len() != spatial {
            return Err(Error::value(op, format!("expected output_size of 1 or {spatial} numbers, got {output:?}")));
        }
        let axes = tables(|a| {
            let n = image[a];
            let wanted = match a.checked_sub(3 - spatial) {
                Some(i) => output[if output.len() == 1 { 0 } else { i }],
                None => Some(1),
            };
            let count = match wanted {
                None => n,
                Some(count) => usize::try_from(count)
                    .map_err(|_| Error::value(op, format!("expected an output_size >= 0, got {count}")))?,
            };
            if n == 0 && count > 0 {
                return Err(Error::shape(op, "expected an input without empty axes"));
            }
            let at = |o: usize| (o as u128 * n as u128 / count as u128) as usize;
            table(op, count, |o| {
                let end = ((o as u128 + 1) * n as u128).div_ceil(count as u128) as usize;
                Window { start: at(o), end, cover: end - at(o) }
            })
        })?;
        Ok(Windows { image, step: [1; 3], axes, geometry: None })
    }

    pub fn output(&self) -> Axes3 {
        self.axes.each_ref().map(|axis| axis.len())
    }
    pub fn positions(&self) -> usize {
        self.output().iter().product()
    }
    pub fn pixels(&self) -> usize {
        self.image.iter().product()
    }

    /// The windows of every output position, in order.
    pub fn iter(&self) -> impl Iterator<Item = [Window; 3]> {
        let [depth, height, width] = &self.axes;
        depth.iter().flat_map(move |&d| height.iter().flat_map(move |&h| width.iter().map(move |&w| [d, h, w])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(windows: &Windows) -> Vec<(usize, usize, usize)> {
        windows.axes[2].iter().map(|w| (w.start, w.end, w.cover)).collect()
    }

    fn regular(n: usize, k: i64, s: i64, p: i64, d: i64, ceil_mode: bool) -> Result<Windows> {
        let (kernel, stride, padding, dilation) = (&[k][..], Some(&[s][..]), &[p][..], &[d][..]);
        let options = Regular { kernel, stride, padding, dilation, ceil_mode, count_include_pad: true };
        Windows::regular("t", [1, 1, n], 1, &options)
    }

    #[test]
    fn regular_windows_clip_at_the_image() {
        assert_eq!(spans(&regular(5, 3, 2, 1, 1, false).unwrap()), [(0, 2, 3), (1, 4, 3), (3, 5, 3)]);
        assert_eq!(spans(&regular(6, 3, 2, 0, 1, true).unwrap()), [(0, 3, 3), (2, 5, 3), (4, 6, 2)]);
        assert_eq!(
            spans(&regular(5, 2, 1, 1, 2, false).unwrap()),
            [(1, 2, 3), (0, 3, 3), (1, 4, 3), (2, 5, 3), (3, 5, 3)]
        );
    }

    #[test]
    fn impossible_windows_are_errors() {
        assert!(regular(5, 3, 2, 2, 1, false).is_err());
        assert!(regular(2, 3, 1, 0, 1, false).is_err());
        assert!(regular(1, 2, 1, 1, 2, false).is_err());
        assert!(regular(5, 0, 1, 0, 1, false).is_err());
        assert!(regular(5, 2, 0, 0, 1, false).is_err());
    }

    #[test]
    fn adaptive_windows_share_the_image() {
        let windows = Windows::adaptive("t", [1, 1, 7], 1, &[Some(3)]).unwrap();
        assert_eq!(spans(&windows), [(0, 3, 3), (2, 5, 3), (4, 7, 3)]);
        assert_eq!(Windows::adaptive("t", [1, 1, 7], 1, &[None]).unwrap().positions(), 7);
        assert!(Windows::adaptive("t", [1, 1, 7], 1, &[Some(-1)]).is_err());
    }
}
