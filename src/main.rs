//! The program: parse, start logging, dispatch.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn,sistra=info")).init();
    match sistra::cli::run(sistra::cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            for line in message.lines() {
                eprintln!("sistra: {line}");
            }
            ExitCode::FAILURE
        }
    }
}
