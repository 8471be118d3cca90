//! The log: lines for the standard error output, written by a separate thread.
//!
//! The log must not block or end the process. Its reader may have exited, its disk may be full, or
//! its pipe may be full because the reader is stuck. So a caller queues its line and never waits. A
//! line that does not fit into the queue or cannot be written is lost and counted, and the next
//! line that can be written is preceded by a line with that count.
//!
//! The panic hook writes here without `tracing`, whose thread-local buffers may have been destroyed
//! when an exiting thread panics. A panic inside the hook would abort the process.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};

/// The most bytes of queued lines, about 5 000 lines. A burst fits while the reader is busy, and a
/// stuck reader costs no more than this.
const LOG_QUEUE_MAX_BYTES: usize = 1024 * 1024;
/// How long the process waits at its end for queued lines. A working reader reads them in
/// milliseconds; a stuck one must not keep the process from ending.
const LOG_FLUSH_MAX_MS: u64 = 1_000;

/// How lines are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(super) enum Form {
    Text,
    Json,
}

/// The log of this process. Dropping it writes the queued lines, within [`LOG_FLUSH_MAX_MS`].
#[derive(Debug)]
pub(super) struct Log(Arc<Queue>);

/// The queue of lines to be written.
#[derive(Debug)]
pub(super) struct Queue {
    form: Form,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Line>,
    bytes: usize,
    /// Lines that were lost since the last queued one.
    lost: u64,
    is_closed: bool,
    /// Whether the thread has finished writing.
    has_ended: bool,
}

#[derive(Debug)]
struct Line {
    text: Vec<u8>,
    /// The number of lines that were lost before this one.
    lost_before: u64,
}

impl Log {
    /// Starts the thread that writes to the standard error output.
    pub(super) fn to_stderr(form: Form) -> io::Result<Self> {
        Self::start(form, io::stderr())
    }

    fn start(form: Form, output: impl Write + Send + 'static) -> io::Result<Self> {
        let queue = Queue { form, state: Mutex::default(), changed: Condvar::new() };
        let queue = Arc::new(queue);
        let writing = Arc::clone(&queue);
        thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || writing.write_out(Output { writer: output, is_torn: false }))?;
        Ok(Self(queue))
    }

    /// Returns the queue, for `tracing` and for a panic hook.
    pub(super) fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.0)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_closed = true;
        self.0.changed.notify_all();
        let deadline = Duration::from_millis(LOG_FLUSH_MAX_MS);
        // Unwritten lines are lost with the process.
        let _ = self.0.changed.wait_timeout_while(state, deadline, |state| !state.has_ended);
    }
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a line that ends with a newline, or counts it as lost if the queue is full.
    pub(super) fn push(&self, text: Vec<u8>) {
        let mut state = self.state();
        if state.is_closed {
            return;
        }
        if state.bytes + text.len() > LOG_QUEUE_MAX_BYTES {
            state.lost += 1;
            return;
        }
        state.bytes += text.len();
        let lost_before = std::mem::take(&mut state.lost);
        state.lines.push_back(Line { text, lost_before });
        self.changed.notify_all();
    }

    /// Queues a line that reports a panic only by its place: its message may quote an answer or a
    /// secret.
    pub(super) fn push_panic(&self, panic: &std::panic::PanicHookInfo<'_>) {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        self.push(self.form.line("ERROR", "a panic", "panic.place", &json!(place)));
    }

    /// Waits for the next line; `None` once the queue is closed and empty.
    fn next(&self) -> Option<Line> {
        let mut state = self.state();
        loop {
            if let Some(line) = state.lines.pop_front() {
                state.bytes -= line.text.len();
                return Some(line);
            }
            if state.is_closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lost_lines(&self, count: u64) -> Vec<u8> {
        match count {
            0 => Vec::new(),
            _ => self.form.line("WARN", "log lines were lost", "log.lost", &json!(count)),
        }
    }

    fn write_out(&self, mut output: Output<impl Write>) {
        while let Some(Line { text, lost_before }) = self.next() {
            let mut bytes = self.lost_lines(lost_before);
            bytes.extend(text);
            if !output.write_lines(bytes) {
                self.state().lost += lost_before + 1;
            }
        }
        let lost = self.state().lost;
        if lost > 0 {
            // A failure can be ignored, because the process is about to end.
            output.write_lines(self.lost_lines(lost));
        }
        self.state().has_ended = true;
        self.changed.notify_all();
    }
}

/// `tracing` formats a line first and then writes it at once.
impl Write for &Queue {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.push(text.to_vec());
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Form {
    /// Formats a line with one field in the same way as `tracing`.
    fn line(self, level: &str, message: &str, field: &str, value: &serde_json::Value) -> Vec<u8> {
        let mut time = String::new();
        // A time that cannot be formatted is omitted.
        let _ = SystemTime.format_time(&mut Writer::new(&mut time));
        let target = module_path!();
        let mut line = match self {
            Self::Text => format!("{time} {level:>5} {target}: {message} {field}={value}"),
            Self::Json => json!({
                "timestamp": time,
                "level": level,
                "fields": { "message": message, field: value },
                "target": target,
            })
            .to_string(),
        };
        line.push('\n');
        line.into_bytes()
    }
}

/// The destination of lines, and whether the last one is incomplete.
struct Output<W> {
    writer: W,
    is_torn: bool,
}

impl<W: Write> Output<W> {
    /// Writes whole lines. Returns `false` if some bytes could not be written.
    fn write_lines(&mut self, mut bytes: Vec<u8>) -> bool {
        if self.is_torn {
            bytes.insert(0, b'\n');
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            match self.writer.write(rest) {
                Ok(0) => break,
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        if rest.len() < bytes.len() {
            self.is_torn = !rest.is_empty();
        }
        rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// An output that writes as planned, and passes on all that it has written.
    struct Planned {
        /// The bytes that each write accepts; an error once there are no more.
        plan: mpsc::Receiver<usize>,
        written: mpsc::Sender<Vec<u8>>,
    }

    impl Write for Planned {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = self.plan.recv().unwrap_or(0).min(bytes.len());
            if taken == 0 {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let _ = self.written.send(bytes[..taken].to_vec());
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn planned(form: Form) -> (Log, mpsc::Sender<usize>, mpsc::Receiver<Vec<u8>>) {
        let (allow, plan) = mpsc::channel();
        let (written, bytes) = mpsc::channel();
        (Log::start(form, Planned { plan, written }).expect("a thread"), allow, bytes)
    }

    fn text_of(log: Log, bytes: mpsc::Receiver<Vec<u8>>) -> String {
        // Dropping the log would not wait long enough.
        while !log.queue().state().lines.is_empty() {
            thread::yield_now();
        }
        drop(log);
        String::from_utf8(bytes.into_iter().flatten().collect()).expect("text")
    }

    const ALL: usize = usize::MAX;

    #[test]
    fn lines_that_cannot_be_written_are_counted_at_the_next_one_that_can() {
        let (log, allow, bytes) = planned(Form::Text);
        for allowed in [ALL, 0, 0, ALL] {
            allow.send(allowed).expect("the thread runs");
        }
        for text in ["one\n", "two\n", "three\n"] {
            log.queue().push(text.into());
        }
        // The losses are counted once the third line has failed, when a fourth one is requested.
        while log.queue().state().lost < 2 {
            thread::yield_now();
        }
        log.queue().push("four\n".into());
        drop(allow);
        let text = text_of(log, bytes);
        let lines: Vec<_> = text.lines().collect();
        let [one, note, four] = lines[..] else { panic!("{lines:?}") };
        assert_eq!((one, four), ("one", "four"));
        assert!(
            note.ends_with(" WARN screenerd::cli::log: log lines were lost log.lost=2"),
            "{note}"
        );
    }

    #[test]
    fn a_line_that_was_cut_short_spoils_no_other() {
        let (log, allow, bytes) = planned(Form::Json);
        for allowed in [2, 0, ALL] {
            allow.send(allowed).expect("the thread runs");
        }
        log.queue().push("long\n".into());
        while log.queue().state().lost < 1 {
            thread::yield_now();
        }
        log.queue().push("next\n".into());
        drop(allow);
        let text = text_of(log, bytes);
        let lines: Vec<_> = text.lines().collect();
        let [torn, note, next] = lines[..] else { panic!("{lines:?}") };
        assert_eq!((torn, next), ("lo", "next"));
        let note: serde_json::Value = serde_json::from_str(note).expect("JSON");
        assert_eq!(note["fields"], json!({ "message": "log lines were lost", "log.lost": 1 }));
        assert_eq!(
            (&note["level"], &note["target"]),
            (&json!("WARN"), &json!("screenerd::cli::log"))
        );
    }

    #[test]
    fn nobody_waits_for_an_output_that_stands_still_and_the_queue_is_bounded() {
        let (log, allow, bytes) = planned(Form::Text);
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        let fitting = LOG_QUEUE_MAX_BYTES / line.len();
        for _ in 0..fitting + 100 {
            log.queue().push(line.clone());
        }
        let lost = log.queue().state().lost;
        // The thread may have taken one line already.
        assert!((99..=100).contains(&lost), "{lost} lines are lost");
        assert!(log.queue().state().bytes <= LOG_QUEUE_MAX_BYTES);
        for _ in 0..fitting + 100 {
            allow.send(ALL).expect("the thread runs");
        }
        drop(allow);
        let text = text_of(log, bytes);
        assert_eq!(
            text.lines().filter(|line| line.starts_with('x')).count() as u64 + lost,
            fitting as u64 + 100
        );
        let warning = text.lines().last().expect("a line");
        assert!(warning.ends_with(&format!("log.lost={lost}")), "{warning}");
    }

    #[test]
    fn the_process_ends_although_its_log_stands_still() {
        let (log, allow, bytes) = planned(Form::Text);
        log.queue().push("one\n".into());
        drop(log);
        drop(allow);
        assert_eq!(bytes.into_iter().count(), 0);
    }
}
