//! The server and the command line. Holds no rule of who may what.

mod actions;
mod becoming;
mod body_room;
mod certificate;
mod cli;
mod clock;
mod config;
mod control;
mod demo;
mod dialects;
mod doors;
mod exchange;
mod face;
mod gate;
mod http;
mod logs;
mod password_pool;
mod refusal;
mod roots;
mod sent;
mod serve;
mod source;
mod streamed;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
