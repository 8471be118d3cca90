//! Every flag of the command line has an environment variable.

use clap::CommandFactory as _;
use screenerd::cli::Cli;

/// Collects the flags of a command and its subcommands that have no environment variable.
fn without_variable(command: &clap::Command, path: &str, missing: &mut Vec<String>) {
    for argument in command.get_arguments() {
        let is_own = !["help", "version"].contains(&argument.get_id().as_str());
        if is_own && argument.get_long().is_some() {
            let variable = argument.get_env().and_then(|name| name.to_str()).unwrap_or_default();
            if !variable.starts_with("SCREENERD_") {
                missing.push(format!("{path} --{}", argument.get_long().unwrap_or_default()));
            }
        }
    }
    for child in command.get_subcommands() {
        without_variable(child, &format!("{path} {}", child.get_name()), missing);
    }
}

#[test]
fn every_flag_is_also_a_variable() {
    let mut missing = Vec::new();
    without_variable(&Cli::command(), "screenerd", &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}
