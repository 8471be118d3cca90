//! The abort of the process after a panic of the writer.

/// How long the log may take for its last line before the process aborts.
const LAST_LINE_MS: u64 = 100;

/// Aborts the process if the writer's thread ends in a panic. Without a writer the process would
/// refuse every write and still report that it is ready; a supervisor restarts one that ends. A
/// store that is closed ends its writer without a panic.
pub(super) struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the store's writer ended in a panic: the process aborts");
            // The log has a thread of its own, which may be stuck, so the wait is bounded.
            std::thread::sleep(std::time::Duration::from_millis(LAST_LINE_MS));
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;
    use std::thread;

    use super::AbortOnPanic;

    /// The variable that is set in the aborting process.
    const VICTIM: &str = "SCREENERD_TEST_WRITER_PANICS";

    #[test]
    fn a_writer_that_panics_takes_the_process_with_it_and_one_that_ends_does_not() {
        thread::spawn(|| drop(AbortOnPanic)).join().expect("it ends");
        if std::env::var_os(VICTIM).is_some() {
            let panicking = thread::spawn(|| {
                let _guard = AbortOnPanic;
                panic!("planted");
            });
            let _ = panicking.join();
            return;
        }
        let name = "store::engine::sqlite::abort::tests::\
                    a_writer_that_panics_takes_the_process_with_it_and_one_that_ends_does_not";
        let itself = std::env::current_exe().expect("this program");
        let output = Command::new(itself)
            .args(["--exact", name])
            .env(VICTIM, "1")
            .output()
            .expect("it runs");
        let aborted = rustix::process::Signal::ABORT.as_raw();
        assert_eq!(output.status.signal(), Some(aborted), "{output:?}");
    }
}
