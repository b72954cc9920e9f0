//! Where a convolution's taps fall: sizes of image and output, and the passes as correlations along each axis.

/// Numbers for depth, height and width; absent axes have size one and come first.
pub type Axes3 = [usize; 3];

/// Sizes of all sides; `inputs` and `outputs` are channels of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    pub batch: usize,
    pub groups: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub geometry: Geometry,
}

impl Problem {
    /// One image channel a group and few outputs: their weights fill no registers.
    pub fn is_depthwise(&self) -> bool {
        self.inputs == 1 && self.outputs <= 4
    }

    /// Numbers of image, output and weight elements.
    pub fn sizes(&self) -> [usize; 3] {
        let (images, filters) = (self.batch * self.groups, self.groups * self.outputs);
        let g = &self.geometry;
        [images * self.inputs * g.pixels(), images * self.outputs * g.positions(), filters * self.inputs * g.taps()]
    }
}

/// A correlation along one axis: output `o` sees the source at `o * step + low + above`, one `above` for each tap.
/// Outputs of several phases lie between each other: the real position is `o * stride + phase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    pub source: usize,
    /// Outputs of every phase; the last of some phases may lie beyond `size`.
    pub outputs: usize,
    pub step: usize,
    pub kernel: usize,
    /// The smallest shift of all taps in all phases, and how far the largest is above it.
    pub low: isize,
    pub extent: usize,
    /// All shifts above the smallest are multiples of this.
    pub unit: usize,
    pub phases: usize,
    pub stride: usize,
    /// Of the real output axis.
    pub size: usize,
    before: usize,
    dilation: usize,
    backward: bool,
}

/// The taps of one phase of an axis: how many, which of the kernel, and what they add to the smallest shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taps {
    pub count: usize,
    first: usize,
    every: usize,
    above: [isize; 2],
}

impl Taps {
    /// Place in the kernel, and shift above the smallest.
    pub fn get(&self, i: usize) -> (usize, usize) {
        let [first, step] = self.above;
        (self.first + i * self.every, (first + i as isize * step) as usize)
    }
}

impl Axis {
    pub fn taps(&self, phase: usize) -> Taps {
        let Taps { above: [first, step], .. } = self.shifts(phase);
        Taps { above: [first - self.low, step], ..self.shifts(phase) }
    }

    /// The taps with shifts that are not yet above the smallest.
    fn shifts(&self, phase: usize) -> Taps {
        if !self.backward {
            let above = [-(self.before as isize), self.dilation as isize];
            return Taps { count: self.kernel, first: 0, every: 1, above };
        }
        // A tap reaches a pixel of the phase if it leads to a whole output position.
        let from = |tap: usize| (phase + self.before) as isize - (tap * self.dilation) as isize;
        let every = self.stride / gcd(self.stride, self.dilation);
        let Some(first) = (0..every.min(self.kernel)).find(|&tap| from(tap) % self.stride as isize == 0) else {
            return Taps { count: 0, first: 0, every, above: [0; 2] };
        };
        let above = [from(first) / self.stride as isize, -((self.dilation * every / self.stride) as isize)];
        Taps { count: (self.kernel - first).div_ceil(every), first, every, above }
    }

    /// Finds the smallest and the largest shift, and what lies between shifts.
    fn spanned(mut self) -> Axis {
        let mut span: Option<(isize, isize)> = None;
        for phase in 0..self.phases {
            let Taps { count, above: [first, step], .. } = self.shifts(phase);
            if count > 0 {
                let last = first + (count - 1) as isize * step;
                let (low, high) = span.unwrap_or((first, first));
                span = Some((low.min(first).min(last), high.max(first).max(last)));
            }
        }
        let (low, high) = span.unwrap_or((0, 0));
        (self.low, self.extent) = (low, (high - low) as usize);
        let live = (0..self.phases).map(|phase| self.taps(phase)).filter(|taps| taps.count > 0);
        let between = |Taps { count, above: [first, step], .. }: Taps| match count {
            1 => first.unsigned_abs(),
            _ => gcd(first.unsigned_abs(), step.unsigned_abs()),
        };
        self.unit = live.fold(0, |unit, taps| gcd(unit, between(taps))).max(1);
        self
    }
}

/// Sizes and steps along the three spatial axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    pub image: Axes3,
    pub kernel: Axes3,
    pub output: Axes3,
    pub stride: Axes3,
    /// Zeros in front of the image; those behind follow from the output size.
    pub before: Axes3,
    pub dilation: Axes3,
}

impl Geometry {
    pub fn taps(&self) -> usize {
        self.kernel.iter().product()
    }
    pub fn pixels(&self) -> usize {
        self.image.iter().product()
    }
    pub fn positions(&self) -> usize {
        self.output.iter().product()
    }

    /// Every output position sees exactly the pixel of the same index.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == [1; 3] && self.stride == [1; 3] && self.before == [0; 3] && self.image == self.output
    }

    /// The output as a correlation of the image.
    pub fn forward(&self) -> [Axis; 3] {
        std::array::from_fn(|a| self.axis(a, false))
    }

    /// The image as a correlation of the output.
    pub fn backward(&self) -> [Axis; 3] {
        std::array::from_fn(|a| self.axis(a, true))
    }

    fn axis(&self, a: usize, backward: bool) -> Axis {
        let (image, output, every) = (self.image[a], self.output[a], self.stride[a]);
        let (source, size) = if backward { (output, image) } else { (image, output) };
        let (step, stride) = if backward { (1, every) } else { (every, 1) };
        let axis = Axis {
            source,
            outputs: size.div_ceil(stride),
            step,
            kernel: self.kernel[a],
            low: 0,
            extent: 0,
            unit: 1,
            phases: stride.min(size),
            stride,
            size,
            before: self.before[a],
            dilation: self.dilation[a],
            backward,
        };
        axis.spanned()
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Size of the output along one axis, or `None` where the kernel does not fit.
pub fn output_size(image: usize, padding: usize, kernel: usize, stride: usize, dilation: usize) -> Option<usize> {
    let reach = (kernel.checked_sub(1)?).checked_mul(dilation)?.checked_add(1)?;
    Some(image.checked_add(padding)?.checked_sub(reach)? / stride + 1)
}
