//! What a reader leaves to the next one, so that neither a small file nor a task costs memory of its own.

use bytes::{Bytes, BytesMut};

use super::decoder::SpareDecoder;

/// As many as a reader has at a time: it reads into one while rows of another are looked at.
const BLOCKS_MAX: usize = 2;

/// Memory of a reader that has ended; none at first.
#[derive(Default)]
pub struct ReadBuffers {
    /// The whole buffers of the blocks that were handed out last, in that order.
    blocks: Vec<Bytes>,
    pub(super) decoder: Option<SpareDecoder>,
}

impl ReadBuffers {
    /// A buffer of `wanted` bytes. It is that of a block, if nobody holds a part of it any more: warm memory, no pages to
    /// fault in and none to clear. Never a longer one, or blocks would be cut by what other tasks have left.
    pub(super) fn take_buffer(&mut self, wanted: usize) -> BytesMut {
        let free = self.blocks.iter().rposition(Bytes::is_unique).map(|idx| self.blocks.remove(idx));
        match free.and_then(|block| block.try_into_mut().ok()) {
            Some(mut last) if last.capacity() >= wanted => {
                last.resize(wanted, 0);
                last
            }
            _ => BytesMut::zeroed(wanted),
        }
    }

    /// Keeps the buffer of a block for a later one, unless a long record made it grow.
    pub(super) fn keep_buffer(&mut self, block: Bytes, block_bytes: usize) {
        if block.len() > block_bytes.saturating_mul(2) {
            return;
        }
        if self.blocks.len() == BLOCKS_MAX {
            self.blocks.remove(0);
        }
        self.blocks.push(block);
    }

    /// Whether there is no memory for a block.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}
