//! The memory that map outputs may hold.

use std::fmt;
use std::sync::Arc;

/// Where the shuffle's memory is accounted. `exec` implements it over DataFusion's memory pool.
///
/// Called from all threads that run tasks. What was granted is given back, in whatever portions, by the time that the
/// last map output is dropped.
pub trait MemoryBudget: Send + Sync {
    /// Asks for `bytes` more. Refused means that the shuffle spills, never that it fails.
    fn try_grow(&self, bytes: usize) -> bool;

    /// Gives `bytes` back.
    fn shrink(&self, bytes: usize);
}

/// Bytes granted by a budget; given back when dropped.
pub(super) struct Reservation {
    budget: Arc<dyn MemoryBudget>,
    bytes: usize,
}

impl Reservation {
    pub fn new(budget: Arc<dyn MemoryBudget>) -> Self {
        Reservation { budget, bytes: 0 }
    }

    /// Asks for what is missing to `bytes`. If refused, what was granted before stays.
    pub fn try_grow_to(&mut self, bytes: usize) -> bool {
        if bytes > self.bytes {
            if !self.budget.try_grow(bytes - self.bytes) {
                return false;
            }
            self.bytes = bytes;
        }
        true
    }

    /// Gives back what is over `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        if bytes < self.bytes {
            self.budget.shrink(self.bytes - bytes);
            self.bytes = bytes;
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes)
    }
}
