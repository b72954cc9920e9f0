use crate::error::{Error, Result};
pub struct Buffer;
impl Buffer {
    pub fn len(&self) -> usize {
        0
    }
    pub fn is_empty(&self) -> bool {
        true
    }
    pub fn device(&self) -> u8 {
        0
    }
}
pub fn alloc(_: u8, _: usize) -> Result<Buffer> {
    Err(Error::device("gpu", "none"))
}
pub fn upload(_: u8, _: &[u8]) -> Result<Buffer> {
    Err(Error::device("gpu", "none"))
}
pub fn download(_: &Buffer, _: usize, _: &mut [u8]) -> Result<()> {
    Err(Error::device("gpu", "none"))
}
