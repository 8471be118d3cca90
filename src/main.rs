//! The `screenerd` binary: a command line in front of the library.

fn main() -> std::process::ExitCode {
    screenerd::cli::run()
}
