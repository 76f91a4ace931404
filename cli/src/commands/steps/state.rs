//! What became of a step, and how `aws emr describe-step` would say it.
//!
//! Source: EMR's API reference, Step, StepStatus and StepTimeline; aws-cli 2 writes times as ISO 8601.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::config::StepConfig;
use super::program::Program;

/// A step of this run.
#[derive(Debug)]
pub struct Step {
    /// `s-` and letters and digits, as EMR makes them.
    pub id: String,
    pub config: StepConfig,
    /// What runs it; none if it is skipped.
    pub program: Option<Program>,
    pub state: State,
    pub created: Timestamp,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub failure: Option<Failure>,
}

/// EMR's states of a step, but CANCEL_PENDING, which nothing here can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Pending,
    Running,
    Completed,
    /// Never ran: it was skipped, or one before it failed.
    Cancelled,
    Failed,
    /// Was stopped while it ran.
    Interrupted,
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the exit code means.
    pub reason: &'static str,
    /// The error's own line, if the step said one.
    pub message: Option<String>,
    /// Where its standard error is kept.
    pub log_file: Option<String>,
}

impl Step {
    /// A step that waits.
    pub fn new(config: StepConfig, program: Option<Program>) -> Self {
        Step {
            id: new_id(),
            config,
            program,
            state: State::Pending,
            created: Timestamp::now(),
            started: None,
            ended: None,
            failure: None,
        }
    }

    /// The step as an answer of describe-step has it.
    pub fn describe(&self) -> Value {
        let config = &self.config;
        let properties: serde_json::Map<_, _> =
            config.properties.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        let mut described = json!({"Jar": config.jar, "Properties": properties, "Args": config.args});
        if let Some(main_class) = &config.main_class {
            described["MainClass"] = json!(main_class);
        }
        let mut timeline = json!({"CreationDateTime": time(self.created)});
        for (name, at) in [("StartDateTime", self.started), ("EndDateTime", self.ended)] {
            if let Some(at) = at {
                timeline[name] = json!(time(at));
            }
        }
        let mut status = json!({"State": self.state.name(), "StateChangeReason": {}, "Timeline": timeline});
        if let Some(failure) = &self.failure {
            let mut details = json!({"Reason": failure.reason});
            if let Some(message) = &failure.message {
                details["Message"] = json!(message);
            }
            if let Some(file) = &failure.log_file {
                details["LogFile"] = json!(file);
            }
            status["FailureDetails"] = details;
        }
        json!({
            "Id": self.id,
            "Name": config.name,
            "Config": described,
            "ActionOnFailure": config.action_on_failure.name(),
            "Status": status,
        })
    }
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Pending => "PENDING",
            State::Running => "RUNNING",
            State::Completed => "COMPLETED",
            State::Cancelled => "CANCELLED",
            State::Failed => "FAILED",
            State::Interrupted => "INTERRUPTED",
        }
    }
}

/// What an exit code of logq means, as the reason of a failure.
pub fn reason(exit_code: u8) -> &'static str {
    match exit_code {
        1 => "The query failed while it ran.",
        2 => "An argument or a setting cannot be used.",
        3 => "The script does not parse, or means nothing.",
        4 => "Input is missing or may not be read.",
        5 => "Input is corrupt, or changed while it was read.",
        6 => "Another run writes the same output, or the commit failed.",
        7 => "Memory, disk, time or another limit was reached.",
        130 | 143 => "The step was stopped.",
        _ => "Unknown Error.",
    }
}

/// `s-1TH7MISIFN3YU`: thirteen letters and digits of 128 random bits.
fn new_id() -> String {
    const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut bits = uuid::Uuid::new_v4().as_u128();
    let digits = (0..13).map(|_| {
        let digit = DIGITS[(bits % 36) as usize];
        bits /= 36;
        char::from(digit)
    });
    format!("s-{}", digits.collect::<String>())
}

/// `2026-11-22T22:10:01.123000+00:00`
fn time(at: Timestamp) -> String {
    format!("{}+00:00", at.strftime("%Y-%m-%dT%H:%M:%S.%6f"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_described() {
        let config = super::super::config::read("x", r#"{"Type": "HIVE", "Args": ["-f", "x.q"]}"#).unwrap().remove(0);
        let mut step = Step::new(config, None);
        step.created = Timestamp::from_second(1).unwrap();
        step.ended = Some(Timestamp::from_millisecond(2500).unwrap());
        step.state = State::Failed;
        let message = Some("error[LQ0400]: no such file".to_owned());
        step.failure = Some(Failure { reason: reason(4), message, log_file: None });
        let described = step.describe();
        assert_eq!(described["Id"], step.id.as_str());
        assert_eq!(described["Config"]["Jar"], "command-runner.jar");
        assert_eq!(
            described["Status"],
            json!({
                "State": "FAILED",
                "StateChangeReason": {},
                "FailureDetails": {"Reason": "Input is missing or may not be read.", "Message": "error[LQ0400]: no such file"},
                "Timeline": {
                    "CreationDateTime": "1970-01-01T00:00:01.000000+00:00",
                    "EndDateTime": "1970-01-01T00:00:02.500000+00:00",
                },
            })
        );
    }

    #[test]
    fn ids_look_like_those_of_emr() {
        let (a, b) = (new_id(), new_id());
        assert_ne!(a, b);
        assert!(a.len() == 15 && a.starts_with("s-"));
        assert!(a[2..].bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()), "{a}");
    }
}
