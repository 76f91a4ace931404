//! One file for each verb.

pub mod copy;
pub mod explain_error;
pub mod gc;
pub mod hive;
pub mod run;
pub mod script;
mod shell_command;
pub mod steps;
