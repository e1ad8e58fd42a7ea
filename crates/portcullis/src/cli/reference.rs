//! The reference of the command line, made from what it parses.

use clap::Command;

/// Every command with its help, as one page.
pub(super) fn markdown(root: &mut Command) -> String {
    root.build();
    let mut page = String::from("# The command line\n");
    describe(root, "portcullis", &mut page);
    page
}

fn describe(command: &mut Command, path: &str, page: &mut String) {
    let help = command.clone().term_width(100).render_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    page.push_str(&format!("\n## `{path}`\n\n```text\n{}\n```\n", lines.join("\n").trim_end()));
    for below in command.get_subcommands_mut() {
        if below.get_name() != "help" && !below.is_hide_set() {
            let path = format!("{path} {}", below.get_name());
            describe(below, &path, page);
        }
    }
}
