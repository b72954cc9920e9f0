pub mod arena {
    use crate::error::*;
    pub struct Block(Vec<u128>, usize);
    impl Block {
        pub fn new(b: usize) -> Result<Block> {
            Ok(Block(vec![0; b / 16 + 1], b))
        }
        pub fn zeroed(b: usize) -> Result<Block> {
            Self::new(b)
        }
        pub fn as_ptr(&self) -> *const u8 {
            self.0.as_ptr().cast()
        }
        pub fn as_mut_ptr(&self) -> *mut u8 {
            self.0.as_ptr() as *mut u8
        }
        pub fn len(&self) -> usize {
            self.1
        }
    }
}
pub mod pool {
    use crate::error::*;
    pub fn parallel_for(n: usize, f: &(dyn Fn(usize) + Sync)) -> Result<()> {
        for i in 0..n {
            f(i)
        }
        Ok(())
    }
    pub fn for_each_chunk<T: Send>(d: &mut [T], c: usize, f: impl Fn(usize, &mut [T]) + Sync) -> Result<()> {
        for (i, x) in d.chunks_mut(c).enumerate() {
            f(i, x)
        }
        Ok(())
    }
}
