//! The shuffle's memory, accounted in the same pool as the operators'.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

use crate::shuffle::MemoryBudget;

/// A share of DataFusion's memory pool that the shuffle may hold, with a ceiling of its own.
pub struct PoolBudget {
    reservation: Mutex<MemoryReservation>,
    /// What is committed stays, so operators must have a share that the shuffle cannot take.
    bytes_max: u64,
}

impl PoolBudget {
    /// Registers the shuffle with `pool`.
    pub fn new(pool: &Arc<dyn MemoryPool>, bytes_max: u64) -> Self {
        let consumer = MemoryConsumer::new("shuffle").with_can_spill(true);
        PoolBudget { reservation: Mutex::new(consumer.register(pool)), bytes_max }
    }
}

impl MemoryBudget for PoolBudget {
    fn try_grow(&self, bytes: usize) -> bool {
        let reservation = self.reservation.lock().unwrap_or_else(PoisonError::into_inner);
        (reservation.size() + bytes) as u64 <= self.bytes_max && reservation.try_grow(bytes).is_ok()
    }

    fn shrink(&self, bytes: usize) {
        self.reservation.lock().unwrap_or_else(PoisonError::into_inner).shrink(bytes);
    }
}
