//! Memory of the shuffle and of uploads, accounted in the same pool as the operators'.

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

/// What an upload may hold of DataFusion's memory pool. Dropped, it is free again.
#[derive(Debug)]
pub struct UploadMemory(MemoryReservation);

/// The steps in which less is asked for if there is not so much.
const UPLOAD_STEPS: u64 = 8;

impl UploadMemory {
    /// Takes `bytes_max`, or as many eighths of that as `pool` has left; maybe none.
    pub fn take(pool: &Arc<dyn MemoryPool>, bytes_max: u64) -> Self {
        let reservation = MemoryConsumer::new("upload").register(pool);
        let fits = |eighths: &u64| {
            let bytes = usize::try_from(bytes_max / UPLOAD_STEPS * eighths);
            bytes.is_ok_and(|bytes| reservation.try_grow(bytes).is_ok())
        };
        let _ = (1..=UPLOAD_STEPS).rev().find(fits);
        UploadMemory(reservation)
    }

    pub fn bytes(&self) -> u64 {
        self.0.size() as u64
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::FairSpillPool;

    use super::*;

    #[test]
    fn an_upload_takes_what_there_is() {
        for (pool_bytes, expect) in [(1 << 30, 64 << 20), (64 << 20, 64 << 20), (30 << 20, 24 << 20), (1 << 20, 0)] {
            let pool: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(pool_bytes));
            let memory = UploadMemory::take(&pool, 64 << 20);
            assert_eq!((memory.bytes(), pool.reserved()), (expect, expect as usize), "{pool_bytes}");
            drop(memory);
            assert_eq!(pool.reserved(), 0);
        }
    }
}
