//! One file for each verb.

pub mod explain_error;
pub mod hive;
pub mod run;
pub mod script;
