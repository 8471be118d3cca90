//! The `screenerd` binary: a command line for the library.

fn main() -> std::process::ExitCode {
    screenerd::cli::run()
}
