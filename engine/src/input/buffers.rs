//! What a reader leaves to the next one of its task, so that a small file costs no memory of its own.

use bytes::{Bytes, BytesMut};

use super::decoder::SpareDecoder;

/// Memory of a reader that has ended; none at first.
#[derive(Default)]
pub struct ReadBuffers {
    /// The whole buffer of the block that was handed out last.
    pub(super) block: Option<Bytes>,
    pub(super) decoder: Option<SpareDecoder>,
}

impl ReadBuffers {
    /// A buffer of at least `wanted` bytes, and of at most `block_bytes` if those are more. It is the last block's, if
    /// nobody holds a part of that any more: warm memory, no pages to fault in and none to clear.
    pub(super) fn take_buffer(&mut self, wanted: usize, block_bytes: usize) -> BytesMut {
        match self.block.take().and_then(|block| block.try_into_mut().ok()) {
            Some(mut last) if last.capacity() >= wanted => {
                let len = last.len().clamp(wanted, block_bytes.max(wanted));
                last.resize(len, 0);
                last
            }
            _ => BytesMut::zeroed(wanted),
        }
    }

    /// Keeps the buffer of a block for the next one, unless a long record made it grow.
    pub(super) fn keep_buffer(&mut self, block: Bytes, block_bytes: usize) {
        self.block = (block.len() <= block_bytes.saturating_mul(2)).then_some(block);
    }
}
