//! Extends `--help`: two examples of each command, and the global options only in `screenerd --help`.

use std::io::{self, Write as _};

use clap::{ArgMatches, Command, CommandFactory as _, Id};

use super::Cli;
use super::failure::Failure;

/// Two examples of each command.
const EXAMPLES: &[(&str, [&str; 2])] = &[
    (
        "serve",
        [
            "serve --demo",
            "serve --listen :8080 --public-url https://surveys.example.com --database sqlite:///srv/screenerd.db",
        ],
    ),
    ("import", ["import team.ndjson", "import team.ndjson --trust-links"]),
    (
        "export",
        [
            "export --format csv --bom --output answers.csv",
            "export --format parquet --screener scr_123 --output answers.parquet",
        ],
    ),
    (
        "copy",
        [
            "copy --from sqlite://screenerd.db --to postgres://screenerd@db.example.com/screenerd",
            "copy --from postgres://screenerd@db.example.com/screenerd --to sqlite://copy.db",
        ],
    ),
    ("tenants", ["tenants create Research --id acct_research", "tenants list"]),
    ("tenants create", ["tenants create Research", "tenants create Research --id acct_research"]),
    ("tenants disable", ["tenants disable acct_research", "tenants disable acct_research --json"]),
    ("tenants enable", ["tenants enable acct_research", "tenants enable acct_research --json"]),
    ("tenants list", ["tenants list", "tenants list --json"]),
    (
        "keys",
        ["keys create --tenant acct_research --kind service", "keys list --tenant acct_research"],
    ),
    (
        "keys create",
        [
            "keys create --tenant acct_research --kind service",
            "keys create --tenant acct_research --kind spot --scope sessions:read --expires-in 90d",
        ],
    ),
    ("keys list", ["keys list --tenant acct_research", "keys list --tenant acct_research --json"]),
    ("keys revoke", ["keys revoke key_123", "keys revoke key_123 --json"]),
    (
        "generate",
        [
            "generate --sessions 10000 --database sqlite://trial.db",
            "generate --sessions 100 --responses-per-session 20 --seed 7",
        ],
    ),
    ("healthcheck", ["healthcheck", "healthcheck --listen 127.0.0.1:9090"]),
    ("version", ["version", "version --json"]),
];

/// Reads the command line of this process, or ends the process with the help that it requests.
pub(super) fn matches() -> ArgMatches {
    command().try_get_matches().unwrap_or_else(|error| {
        // Help that cannot be printed is a failure, as any output is.
        let unprinted = match error.print() {
            Err(unprinted) if !error.use_stderr() => unprinted,
            Ok(()) | Err(_) => std::process::exit(error.exit_code()),
        };
        let Failure { text, code } = Failure::to_print(&unprinted);
        if !text.is_empty() {
            let _ = writeln!(io::stderr(), "screenerd: {text}");
        }
        std::process::exit(code.into())
    })
}

fn command() -> Command {
    let mut command = Cli::command();
    // Only now do the commands have the global options.
    command.build();
    let global = |argument: &&clap::Arg| argument.is_global_set();
    let globals: Vec<Id> =
        command.get_arguments().filter(global).map(|it| it.get_id().clone()).collect();
    command.mut_subcommands(|child| described(child, "", &globals))
}

fn described(command: Command, parent: &str, globals: &[Id]) -> Command {
    let path = format!("{parent}{}", command.get_name());
    let Some((_, examples)) = EXAMPLES.iter().find(|(of, _)| *of == path) else { return command };
    let [first, second] = examples;
    let help = format!(
        "Examples:\n  screenerd {first}\n  screenerd {second}\n\n\
         Options of every command: screenerd --help"
    );
    let below = format!("{path} ");
    command
        .mut_args(|argument| {
            let is_global = globals.contains(argument.get_id());
            argument.hide(is_global)
        })
        .mut_subcommands(|child| described(child, &below, globals))
        .after_help(help)
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches as _;

    use super::*;

    fn check(command: &mut Command, path: &str, seen: &mut Vec<String>) {
        let help = command.render_help().to_string();
        assert!(!help.contains("--log-format"), "{path}");
        assert_eq!(help.matches("\n  screenerd ").count(), 2, "{path}: {help}");
        seen.push(path.to_owned());
        let children = command.get_subcommands_mut().filter(|it| it.get_name() != "help");
        for child in children {
            let path = format!("{path} {}", child.get_name());
            check(child, &path, seen);
        }
    }

    #[test]
    fn every_command_has_two_examples_and_the_global_options_are_printed_once() {
        let mut whole = command();
        assert!(whole.render_help().to_string().contains("--log-format"));
        let mut seen = Vec::new();
        for child in whole.get_subcommands_mut().filter(|it| it.get_name() != "help") {
            let path = child.get_name().to_owned();
            check(child, &path, &mut seen);
        }
        let named: Vec<_> = EXAMPLES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(seen, named);
    }

    #[test]
    fn every_example_is_a_command_line() {
        for (path, examples) in EXAMPLES {
            for example in examples {
                assert!(example.starts_with(path), "{example}");
                let words = std::iter::once("screenerd").chain(example.split_whitespace());
                let matches = command().try_get_matches_from(words).expect(example);
                Cli::from_arg_matches(&matches).expect(example);
            }
        }
    }
}
