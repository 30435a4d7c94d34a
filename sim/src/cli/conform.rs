//! Holds a program that is not ours against PROTOCOL.md and prints how it went.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use conform::{
    CaseInfo, ClientCommands, Conclusion, ConformOptions, LEVELS, ProgramCommand, Report, client_cases,
    server_cases, test_client, test_server, test_server_command,
};
use sim::report::Lines;
use sim::report::conform as report;

use super::args::{ConformArgs, ConformFormat};
use super::run::fail;
use super::{Exit, fail_in, print, signals};

/// The longest time that an answer may be waited for, in seconds.
const MAX_TIMEOUT: f64 = 3600.0;

/// Said when it is not known what to test.
const NOTHING_TO_TEST: &str = "\
say what is to be tested: a server that runs with --server, one that is started with --server-command; or a client with
--client, or with one or more of --put, --get and --ls; such as
  sim conform --server localhost:9999
  sim conform --server-command 'python3 server.py {host} {port} {server}'
  sim conform --client 'python3 client.py {host} {port} {file}'
  sim conform --put './client put {host} {port} {file}' --get './client get {host} {port} {id} {received}'";

/// Runs the conformance cases.
pub(super) fn conform(args: &ConformArgs) -> Exit {
    if args.list {
        return list(args);
    }
    let lines = (args.format == ConformFormat::Json).then(Lines::default);
    let lines = lines.as_ref();
    if !args.has_server() && !args.has_client() {
        return fail_in(NOTHING_TO_TEST, lines);
    }
    match prepare(args).and_then(|options| run(args, &options)) {
        Ok(_) if process::is_closed() => {
            print::warn("interrupted: nothing is concluded");
            Exit::Interrupted
        }
        Ok(report) => show(args, &report),
        Err(message) => fail_in(&message, lines),
    }
}

fn list(args: &ConformArgs) -> Exit {
    let client = args.has_client();
    if args.has_server() || !client {
        print::say(&format!("Servers\n\n{}", report::list(&server_cases())));
    }
    if client || !args.has_server() {
        print::say(&format!("\nClients\n\n{}", report::list(&client_cases())));
    }
    Exit::Met
}

fn prepare(args: &ConformArgs) -> Result<ConformOptions, String> {
    let known = if args.has_server() { server_cases() } else { client_cases() };
    args.case.iter().try_for_each(|name| check_name(name, &known))?;
    if let Some(level) = args.level.filter(|level| !(1..=LEVELS.len()).contains(&usize::from(*level))) {
        return Err(format!("there is no level {level}: there are 1 to {}", LEVELS.len()));
    }
    if !(args.timeout > 0.0 && args.timeout <= MAX_TIMEOUT) {
        return Err(format!("--timeout takes seconds, more than 0 and at most {MAX_TIMEOUT}"));
    }
    Ok(ConformOptions {
        timeout: Some(Duration::from_secs_f64(args.timeout)),
        level: args.level,
        cases: args.case.clone(),
        seed: args.seed,
    })
}

fn check_name(name: &str, known: &[CaseInfo]) -> Result<(), String> {
    if known.iter().any(|case| case.name == name) {
        return Ok(());
    }
    let near = known.iter().max_by(|a, b| strsim::jaro(a.name, name).total_cmp(&strsim::jaro(b.name, name)));
    let near = near.map(|case| format!(": did you mean {}?", case.name)).unwrap_or_default();
    Err(format!("there is no case {name}{near} --list shows them all"))
}

fn run(args: &ConformArgs, options: &ConformOptions) -> Result<Report, String> {
    if let Some(server) = &args.server {
        return Ok(test_server(&resolve(server)?, options));
    }
    signals::end_programs();
    if let Some(command) = &args.server_command {
        let command =
            ProgramCommand::parse_server(command).map_err(|error| format!("--server-command: {error}"))?;
        return Ok(test_server_command(&command, options));
    }
    let parse = |name: &str, template: &Option<String>| -> Result<Option<ProgramCommand>, String> {
        let command = template.as_ref().map(|template| ProgramCommand::parse(template)).transpose();
        command.map_err(|error| format!("--{name}: {error}"))
    };
    let templates = ClientCommands {
        whole: parse("client", &args.client)?,
        put: parse("put", &args.put)?,
        get: parse("get", &args.get)?,
        list: parse("ls", &args.ls)?,
    };
    Ok(test_client(Arc::new(templates), options))
}

fn resolve(server: &str) -> Result<Vec<SocketAddr>, String> {
    let addresses = server.to_socket_addrs();
    let addresses = addresses.map_err(|error| format!("--server {server}: {error}"))?;
    Ok(addresses.collect())
}

fn show(args: &ConformArgs, report: &Report) -> Exit {
    let replay = |name: &str| replay(args, name);
    print::say(&match args.format {
        ConformFormat::Text => report::text(report, &replay),
        ConformFormat::Json => report::json(report, &replay),
        ConformFormat::Junit => match report::junit(report, &replay) {
            Ok(text) => text,
            Err(error) => return fail(&format!("the report cannot be written: {error}")),
        },
    });
    match report.conclusion() {
        Conclusion::Passed => Exit::Met,
        Conclusion::Failed => Exit::NotMet,
        Conclusion::Inconclusive => Exit::Inconclusive,
    }
}

/// The command that runs only this case, fit to be pasted into a shell.
fn replay(args: &ConformArgs, name: &str) -> String {
    let mut words: Vec<String> = vec!["conform".into()];
    let options = [
        ("--server", &args.server),
        ("--server-command", &args.server_command),
        ("--client", &args.client),
        ("--put", &args.put),
        ("--get", &args.get),
        ("--ls", &args.ls),
    ];
    for (option, value) in options {
        words.extend(value.iter().flat_map(|value| [option.to_owned(), value.clone()]));
    }
    if args.timeout.to_string() != super::args::CONFORM_TIMEOUT {
        words.extend(["--timeout".into(), args.timeout.to_string()]);
    }
    words.extend(["--seed".into(), args.seed.to_string(), "--case".into(), name.into()]);
    print::command(&words)
}
