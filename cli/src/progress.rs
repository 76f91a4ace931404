//! The job observer of the command: bars, lines or JSON while a job runs, and everything else on standard error.
//!
//! The only place that writes to standard error while a session lives, so that bars and lines do not tear each other.
//! Bars and cursor codes appear on a terminal only.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use logq_engine::id::StageId;
use logq_engine::observer::{JobEvent, JobObserver, StageInfo, StageKind, StageProgress};
use serde_json::json;

use crate::diagnostics::{self, Style};
use crate::{secrets, stderr};

/// What is shown while a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    Nothing,
    /// One bar for each running stage. For terminals.
    Bars,
    /// One line for each running stage every few seconds.
    Lines,
    /// One object for each event, and for warnings and summaries.
    Json,
}

/// How much is said besides errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loudness {
    /// Errors only.
    Silent,
    Normal,
    /// Statements and stages too.
    Verbose,
}

/// How things are said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Objects carry their time.
    pub with_time: bool,
    /// Hive's lines are said, too.
    pub speaks_hive: bool,
}

/// Work that is done sooner gets no bar.
const BAR_DELAY: Duration = Duration::from_millis(500);

/// Time between two lines of one stage.
const LINE_INTERVAL: Duration = Duration::from_secs(2);

/// Observes jobs and writes to standard error.
pub struct Progress {
    show: Show,
    manner: Manner,
    style: Style,
    bars: MultiProgress,
    state: Mutex<State>,
}

struct State {
    loudness: Loudness,
    job_started: Instant,
    /// Rows are being printed on the same terminal: no bars any more.
    rows_began: bool,
    known: Vec<StageInfo>,
    running: Vec<RunningStage>,
    /// Warnings that the user saw, since the summary repeats them.
    said: BTreeSet<String>,
}

struct RunningStage {
    stage: StageId,
    started: Instant,
    last_line: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub fn new(show: Show, manner: Manner, loudness: Loudness, style: Style) -> Self {
        let target = match show {
            Show::Bars => ProgressDrawTarget::stderr(),
            Show::Nothing | Show::Lines | Show::Json => ProgressDrawTarget::hidden(),
        };
        let state = State {
            loudness,
            job_started: Instant::now(),
            rows_began: false,
            known: Vec::new(),
            running: Vec::new(),
            said: BTreeSet::new(),
        };
        Progress { show, manner, style, bars: MultiProgress::with_draw_target(target), state: Mutex::new(state) }
    }

    pub fn show(&self) -> Show {
        self.show
    }

    pub fn loudness(&self) -> Loudness {
        self.state().loudness
    }

    /// Changes how much is said, and returns what it was.
    pub fn set_loudness(&self, loudness: Loudness) -> Loudness {
        std::mem::replace(&mut self.state().loudness, loudness)
    }

    /// Writes to standard error, above the bars. A closed standard error is no reason to stop.
    pub fn say(&self, text: &str) {
        self.bars.suspend(|| stderr::say(text));
    }

    /// Shows a statement that is about to run.
    pub fn say_statement(&self, text: &str) {
        match self.show {
            Show::Json => self.say_json(json!({"event": "statement", "text": text})),
            _ => self.say(&format!("{}\n", diagnostics::printable(text))),
        }
    }

    /// Whether this warning was shown during the statement.
    pub fn has_said(&self, warning: &str) -> bool {
        self.state().said.contains(warning)
    }

    /// Rows are about to be printed: bars would tear them.
    pub fn rows_begin(&self) {
        let mut state = self.state();
        if !state.rows_began {
            state.rows_began = true;
            self.clear_bars(&mut state);
        }
    }

    /// A statement begins or ends: whatever was shown for the last one is gone.
    pub fn reset(&self) {
        let mut state = self.state();
        self.clear_bars(&mut state);
        state.rows_began = false;
        state.known.clear();
        state.running.clear();
        state.said.clear();
    }

    fn clear_bars(&self, state: &mut State) {
        for running in &mut state.running {
            if let Some(bar) = running.bar.take() {
                bar.finish_and_clear();
                self.bars.remove(&bar);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says a JSON object in a line of its own, with the time if these are log lines.
    pub fn say_json(&self, event: serde_json::Value) {
        // Before quotes and backslashes in a secret are escaped.
        let event = secrets::mask_json(event);
        match self.manner.with_time {
            true => self.say(&diagnostics::log_line(event)),
            false => self.say(&format!("{event}\n")),
        }
    }

    /// Says a warning that no job tells of. To be called from any thread: it waits for nobody.
    pub fn say_warning(&self, text: &str) {
        match self.show {
            Show::Json => self.say_json(json!({"event": "warning", "message": text})),
            _ => self.say(&diagnostics::warning(text, self.style)),
        }
    }

    /// Says a line of Hive's, if these are wanted.
    pub fn say_as_hive(&self, text: impl FnOnce() -> String) {
        if self.manner.speaks_hive && self.show != Show::Json && self.loudness() != Loudness::Silent {
            self.say(&text());
        }
    }

    fn warn(&self, state: &State, text: &str) {
        if state.loudness == Loudness::Silent {
            return;
        }
        self.say_warning(text);
    }

    fn stage_progress(&self, state: &mut State, stage: StageId, progress: StageProgress) {
        let (began, started) = (state.rows_began, state.job_started);
        let kind = state.kind(stage);
        let Some(running) = state.running.iter_mut().find(|running| running.stage == stage) else { return };
        let elapsed = running.started.elapsed();
        match self.show {
            Show::Bars if !began && started.elapsed() >= BAR_DELAY => {
                let bar = running.bar.get_or_insert_with(|| self.bars.add(new_bar(stage, kind)));
                bar.set_position(permille(progress));
                bar.set_message(rates(progress, elapsed));
            }
            Show::Lines if running.last_line.elapsed() >= LINE_INTERVAL => {
                running.last_line = Instant::now();
                self.say(&format!("{}\n", line(stage, kind, progress, elapsed)));
            }
            _ => {}
        }
    }

    fn observe_as_json(&self, event: &JobEvent<'_>) {
        let at = |name: &str, stage: &StageId, progress: &StageProgress| {
            json!({
                "event": name,
                "stage": stage.0,
                "tasks_done": progress.tasks_done,
                "tasks_total": progress.tasks_total,
                "rows": progress.rows,
                "bytes": progress.bytes,
                "bytes_total": progress.bytes_total,
                "attempts": progress.attempts,
            })
        };
        let value = match event {
            JobEvent::JobStarted { job, stages } => {
                let stages: Vec<_> = stages
                    .iter()
                    .map(|info| json!({"stage": info.stage.0, "kind": kind_name(info.kind), "label": info.label}))
                    .collect();
                json!({"event": "job_started", "job": job.to_string(), "stages": stages})
            }
            JobEvent::StageStarted { stage, tasks } => {
                json!({"event": "stage_started", "stage": stage.0, "tasks": tasks})
            }
            JobEvent::StageProgress { stage, progress } => at("stage_progress", stage, progress),
            JobEvent::StageFinished { stage, progress, elapsed } => {
                let mut value = at("stage_finished", stage, progress);
                value["elapsed_ms"] = json!(elapsed.as_millis() as u64);
                value
            }
            JobEvent::TaskRetried { stage, task, attempt, error } => json!({
                "event": "task_retried",
                "stage": stage.0,
                "task": task.0,
                "attempt": attempt.0,
                "code": error.code().to_string(),
                "message": error.message(),
            }),
            JobEvent::JobFinished { job, elapsed } => {
                json!({"event": "job_finished", "job": job.to_string(), "elapsed_ms": elapsed.as_millis() as u64})
            }
            // Said by `warn`, which knows whether warnings are wanted.
            JobEvent::Warning(_) => return,
        };
        self.say_json(value);
    }
}

impl State {
    fn kind(&self, stage: StageId) -> StageKind {
        self.known.iter().find(|info| info.stage == stage).map_or(StageKind::Map, |info| info.kind)
    }
}

impl JobObserver for Progress {
    fn observe(&self, event: JobEvent<'_>) {
        if self.show == Show::Json {
            self.observe_as_json(&event);
        }
        if let JobEvent::JobStarted { job, .. } = &event {
            self.say_as_hive(|| diagnostics::hive::launched(&job.to_string()));
        }
        let mut state = self.state();
        let is_verbose = state.loudness == Loudness::Verbose && self.show != Show::Json;
        match event {
            JobEvent::JobStarted { stages, .. } => {
                state.job_started = Instant::now();
                state.known = stages.to_vec();
                if is_verbose {
                    for info in stages {
                        self.say(&format!("Stage-{} {}\n", info.stage, diagnostics::printable(&info.label)));
                    }
                }
            }
            JobEvent::StageStarted { stage, .. } => {
                let now = Instant::now();
                state.running.push(RunningStage { stage, started: now, last_line: now, bar: None });
            }
            JobEvent::StageProgress { stage, progress } => self.stage_progress(&mut state, stage, progress),
            JobEvent::StageFinished { stage, progress, elapsed } => {
                if let Some(idx) = state.running.iter().position(|running| running.stage == stage)
                    && let Some(bar) = state.running.swap_remove(idx).bar
                {
                    bar.finish_and_clear();
                    self.bars.remove(&bar);
                }
                if is_verbose || self.show == Show::Lines {
                    let kind = state.kind(stage);
                    let took = diagnostics::duration(elapsed);
                    self.say(&format!("{}, done in {took}\n", line(stage, kind, progress, elapsed)));
                }
            }
            JobEvent::TaskRetried { stage, task, attempt, error } => {
                let tried = attempt.0 + 1;
                self.warn(&state, &format!("task {task} of Stage-{stage} failed in attempt {tried}, again: {error}"));
            }
            JobEvent::Warning(text) => {
                if state.said.insert(text.to_owned()) {
                    self.warn(&state, text);
                }
            }
            JobEvent::JobFinished { .. } => self.clear_bars(&mut state),
        }
    }
}

fn new_bar(stage: StageId, kind: StageKind) -> ProgressBar {
    // No colours: a bar is no error, and some terminals have a white ground.
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3}% {wide_msg}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ");
    ProgressBar::new(1000).with_style(style).with_prefix(format!("Stage-{stage} {:<6}", kind_name(kind)))
}

/// `Stage-1 map 45 % (3 of 12 tasks): 1,234,567 rows, 2.1 M rows/s, 210.0 MB/s`
fn line(stage: StageId, kind: StageKind, progress: StageProgress, elapsed: Duration) -> String {
    let StageProgress { tasks_done, tasks_total, .. } = progress;
    format!(
        "Stage-{stage} {} {} % ({tasks_done} of {tasks_total} tasks): {}, {}",
        kind_name(kind),
        permille(progress) / 10,
        diagnostics::plural(progress.rows, "row"),
        rates(progress, elapsed)
    )
}

fn rates(progress: StageProgress, elapsed: Duration) -> String {
    let bytes_per_second = progress.bytes as f64 / elapsed.as_secs_f64().max(0.001);
    format!("{} rows/s, {}/s", diagnostics::rate(progress.rows, elapsed), diagnostics::bytes(bytes_per_second as u64))
}

/// How far a stage is: by bytes, or by tasks where nobody knows how many bytes there are.
fn permille(progress: StageProgress) -> u64 {
    let (done, total) = match progress.bytes_total {
        0 => (progress.tasks_done.into(), progress.tasks_total.into()),
        total => (progress.bytes, total),
    };
    if total == 0 { 0 } else { (u128::from(done) * 1000 / u128::from(total)).min(1000) as u64 }
}

fn kind_name(kind: StageKind) -> &'static str {
    match kind {
        StageKind::Map => "map",
        StageKind::Reduce => "reduce",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_fast() {
        let progress = StageProgress {
            tasks_done: 3,
            tasks_total: 12,
            rows: 1_234_567,
            bytes: 450_000_000,
            bytes_total: 1_000_000_000,
            attempts: 5,
        };
        assert_eq!(
            line(StageId(1), StageKind::Map, progress, Duration::from_secs(2)),
            "Stage-1 map 45 % (3 of 12 tasks): 1,234,567 rows, 617.3 k rows/s, 225.0 MB/s"
        );
        assert_eq!(permille(StageProgress { bytes_total: 0, ..progress }), 250);
        assert_eq!(permille(StageProgress::default()), 0);
    }

    #[test]
    fn a_warning_is_said_once() {
        let progress = Progress::new(Show::Nothing, Manner::default(), Loudness::Silent, Style::new(false));
        progress.observe(JobEvent::Warning("x"));
        assert!(progress.has_said("x"));
        progress.reset();
        assert!(!progress.has_said("x"));
    }
}
