//! One file for each verb.

pub mod explain_error;
pub mod gc;
pub mod run;
pub mod script;
