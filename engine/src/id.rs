//! The ids of jobs, stages, tasks and attempts: newtypes, so that they cannot be mixed up.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A plan cut at its shuffles; counted from 1 as Hive's EXPLAIN does.
    StageId
}
id! {
    /// A stage over one split group or one range of shuffle partitions; counted from 0.
    TaskId
}
id! {
    /// One try of a task; counted from 0.
    AttemptId
}
id! {
    /// One part of a map output; counted from 0.
    ShufflePartitionId
}

/// A run's id: a UUID, since jobs that start in the same second must not share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct JobId(uuid::Uuid);

impl JobId {
    /// Makes a new one.
    #[allow(clippy::new_without_default, reason = "two new ids differ, a default would not")]
    pub fn new() -> Self {
        JobId(uuid::Uuid::new_v4())
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
