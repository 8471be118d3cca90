//! `docs/configuration.md`: every command and flag, generated from the command line itself.

use std::fmt::Write as _;

use clap::CommandFactory as _;
use clap::{Arg, ArgAction, Command};
use screenerd::cli::Cli;

use super::compare_part;

/// Formats a text of the command line for a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn help(argument: &Arg) -> String {
    let text = argument.get_long_help().or_else(|| argument.get_help());
    cell(&text.map(ToString::to_string).unwrap_or_default())
}

/// Returns the notation of an argument: a flag with the name of its value, or that name alone.
fn form(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default().iter().map(ToString::to_string);
    let words = argument.get_possible_values();
    let value = if matches!(argument.get_action(), ArgAction::SetTrue) {
        String::new()
    } else if words.is_empty() {
        names.collect::<Vec<_>>().join(" ")
    } else {
        words.iter().map(clap::builder::PossibleValue::get_name).collect::<Vec<_>>().join("|")
    };
    let long = argument.get_long().map(|name| format!("--{name}"));
    let short = argument.get_short().map(|name| format!("-{name}, ")).unwrap_or_default();
    let text = match long {
        Some(long) if value.is_empty() => format!("{short}{long}"),
        Some(long) => format!("{short}{long} {value}"),
        None => value,
    };
    format!("`{}`", text.replace('|', "\\|"))
}

fn is_own(argument: &Arg) -> bool {
    !["help", "version"].contains(&argument.get_id().as_str())
}

fn table<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let code = |text: String| if text.is_empty() { "–".to_owned() } else { format!("`{text}`") };
    let rows = arguments.filter(|it| is_own(it)).map(|argument| {
        let variable = argument.get_env().unwrap_or_default().to_string_lossy().into_owned();
        let defaults = argument.get_default_values().iter().map(|it| it.to_string_lossy());
        let default = if argument.get_num_args().is_some_and(|it| it.takes_values()) {
            defaults.collect::<Vec<_>>().join(", ")
        } else {
            String::new()
        };
        let (variable, default) = (code(variable), code(default));
        format!("| {} | {variable} | {default} | {} |\n", form(argument), help(argument))
    });
    let rows: String = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("\n| argument | variable | default | meaning |\n|---|---|---|---|\n{rows}")
}

fn command(command: &Command, path: &str, page: &mut String) {
    let path = format!("{path} {}", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let own = command.get_arguments().filter(|argument| !argument.is_global_set());
    let _ = write!(page, "\n## {path}\n\n{about}\n{}", table(own));
    for child in command.get_subcommands() {
        self::command(child, &path, page);
    }
}

#[test]
fn the_documented_configuration_is_that_of_the_command_line() {
    let mut cli = Cli::command();
    cli.build();
    let globals = cli.get_arguments().filter(|argument| argument.is_global_set());
    let mut page = format!("## Every command\n{}", table(globals));
    for child in cli.get_subcommands().filter(|it| it.get_name() != "help") {
        command(child, "screenerd", &mut page);
    }
    compare_part("docs/configuration.md", "commands", page.trim_end());
}
