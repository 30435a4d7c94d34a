//! `sim proxy`, used as a person would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

/// How long a test waits for what must come.
const LONG: Duration = Duration::from_secs(60);

fn sim(args: &[&str]) -> Command {
    let mut sim = Command::new(env!("CARGO_BIN_EXE_sim"));
    sim.arg("proxy").args(args);
    sim
}

/// A server that gives back what each of its connections sends.
fn echo(connections: usize) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = move || {
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            // A client that is cut off is none of the server's concern.
            let _ = std::io::copy(&mut stream.try_clone().unwrap(), &mut stream);
        }
    };
    (address, thread::spawn(serve))
}

/// The proxy, listening, and where.
struct Started {
    child: Child,
    address: String,
    errors: Option<BufReader<std::process::ChildStderr>>,
}

fn start(to: SocketAddr, args: &[&str]) -> Started {
    let to = to.to_string();
    let args = [&["--listen", "127.0.0.1:0", "--to", &to], args].concat();
    let mut child = sim(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    errors.read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
    Started { child, address, errors: Some(errors) }
}

impl Started {
    /// What the server gives back for `text`.
    fn send(&self, text: &str) -> String {
        echoed(&self.address, text)
    }

    /// Waits for its end: its exit code, its record, and what it said on standard error.
    fn end(mut self) -> (Option<i32>, Vec<Value>, String) {
        let mut errors = String::new();
        if let Some(mut stderr) = self.errors.take() {
            stderr.read_to_string(&mut errors).unwrap();
        }
        let Output { status, stdout, .. } = self.child.wait_with_output().unwrap();
        (status.code(), objects(&String::from_utf8(stdout).unwrap()), errors)
    }

    /// Waits for its end while nobody reads its record: its exit code, and what it said on standard error.
    fn end_unread(&mut self) -> (Option<i32>, String) {
        let mut stderr = self.errors.take().unwrap();
        let (done, ended) = channel();
        thread::spawn(move || {
            let mut errors = String::new();
            stderr.read_to_string(&mut errors).unwrap();
            let _ = done.send(errors);
        });
        let errors = ended.recv_timeout(LONG).inspect_err(|_| self.child.kill().unwrap());
        (self.child.wait().unwrap().code(), errors.expect("it ends"))
    }

    fn terminate(&self) {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }
}

/// What comes back from there for `text`.
fn echoed(address: &str, text: &str) -> String {
    let mut client = TcpStream::connect(address).unwrap();
    // A test that hangs shall fail.
    client.set_read_timeout(Some(LONG)).unwrap();
    client.write_all(text.as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

fn objects(record: &str) -> Vec<Value> {
    record.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
}

fn types(record: &[Value]) -> Vec<&str> {
    record.iter().map(|line| line["type"].as_str().unwrap()).collect()
}

#[test]
fn one_fault_on_one_connection_ends_it_with_0_and_a_record() {
    let (target, served) = echo(1);
    let proxy = start(target, &["--fault", "Flip(in: ToServer, at: 4, bit: 0)", "--once"]);
    assert_eq!(proxy.send("is it you?"), "is iu you?");
    let (code, record, errors) = proxy.end();
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let kinds = ["opened", "fired", "delivered", "closed", "fault", "stopped"];
    assert_eq!(types(&record), kinds);
    let [opened, fired, delivered, closed, fault, stopped] = &record[..] else { panic!() };
    assert_eq!((&opened["connection"], &opened["listener"]), (&1.into(), &1.into()));
    assert_eq!(opened["target"], target.to_string());
    for (field, value) in
        [("fault", "Flip(in: ToServer, at: 4, bit: 0)"), ("flow", "to-server"), ("old", "74"), ("new", "75")]
    {
        assert_eq!(fired[field], value, "{field}");
    }
    assert_eq!((&fired["number"], &fired["offset"]), (&1.into(), &4.into()));
    assert_eq!((&delivered["number"], &delivered["flow"]), (&1.into(), &"to-server".into()));
    assert_eq!(closed["how"], "finished");
    let ten = serde_json::json!({"sent": 10, "delivered": 10});
    assert_eq!((&closed["to_server"], &closed["to_client"]), (&ten, &ten));
    assert_eq!((&fault["fired"], &fault["delivered"]), (&1.into(), &1.into()));
    assert_eq!((&stopped["connections"], &stopped["refused"]), (&1.into(), &0.into()));
    served.join().unwrap();
}

#[test]
fn a_fault_that_never_fires_exits_3_and_is_named() {
    let (target, served) = echo(1);
    let proxy = start(target, &["--fault", "Flip(in: ToClient, at: 40, bit: 0)", "--once"]);
    assert_eq!(proxy.send("short"), "short");
    let (code, record, errors) = proxy.end();
    assert_eq!(code, Some(3));
    assert_eq!(errors, "fault 1, Flip(in: ToClient, at: 40, bit: 0), never fired: nothing is proved\n");
    assert_eq!(types(&record), ["opened", "closed", "fault", "stopped"]);
    served.join().unwrap();
}

#[test]
fn faults_come_from_a_file_and_strike_the_connection_that_is_meant() {
    let dir = tempfile::tempdir().unwrap();
    let (file, record) = (dir.path().join("faults.ron"), dir.path().join("record"));
    std::fs::write(
        &file,
        "// Two.\n[Drop(in: ToServer, at: 0, bytes: 1), Insert(in: ToClient, at: 1, text: \"-\")]",
    )
    .unwrap();
    let (target, served) = echo(2);
    let (faults, to) = (file.to_str().unwrap(), record.to_str().unwrap());
    let proxy = start(target, &["--faults", faults, "--connection", "2", "--once", "--record", to]);
    assert_eq!(proxy.send("abc"), "abc");
    assert_eq!(proxy.send("abc"), "b-c");
    let (code, printed, errors) = proxy.end();
    assert_eq!((code, printed, errors.as_str()), (Some(0), vec![], ""));
    let record = objects(&std::fs::read_to_string(record).unwrap());
    let fired: Vec<_> = record.iter().filter(|line| line["type"] == "fired").collect();
    assert_eq!(fired.len(), 2);
    assert!(fired.iter().all(|line| line["connection"] == 2));
    assert_eq!(record.last().unwrap()["connections"], 2);
    served.join().unwrap();
}

#[test]
fn a_signal_ends_it_with_its_record_complete() {
    let (target, served) = echo(1);
    let proxy = start(target, &[]);
    let mut client = TcpStream::connect(&proxy.address).unwrap();
    client.write_all(b"abc").unwrap();
    let mut answer = [0; 3];
    client.read_exact(&mut answer).unwrap();
    proxy.terminate();
    let (code, record, errors) = proxy.end();
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(types(&record), ["opened", "closed", "stopped"]);
    assert_eq!(record[1]["how"], "stopped");
    assert_eq!(record[1]["to_client"]["delivered"], 3);
    served.join().unwrap();
}

#[test]
fn a_record_that_nobody_reads_holds_nothing_up_and_a_signal_ends_it_with_2() {
    // More than a pipe takes.
    const CONNECTIONS: usize = 600;
    let (target, served) = echo(CONNECTIONS);
    let mut proxy = start(target, &[]);
    for _ in 0..CONNECTIONS {
        assert_eq!(proxy.send("abc"), "abc");
    }
    served.join().unwrap();
    proxy.terminate();
    let (code, errors) = proxy.end_unread();
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.starts_with("error: the record is incomplete: nobody reads it, "), "{errors}");
    let (_, record, _) = proxy.end();
    assert!(types(&record[..record.len() - 1]).iter().all(|kind| ["opened", "closed"].contains(kind)));
}

#[test]
fn a_record_that_is_read_late_is_whole() {
    const CONNECTIONS: usize = 600;
    let (target, served) = echo(CONNECTIONS);
    let mut proxy = start(target, &[]);
    for _ in 0..CONNECTIONS {
        assert_eq!(proxy.send("abc"), "abc");
    }
    served.join().unwrap();
    let record = read(&mut proxy);
    proxy.terminate();
    let (code, _, errors) = proxy.end();
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let record = objects(&record.join().unwrap());
    let count = |kind: &str| types(&record).iter().filter(|of| **of == kind).count();
    assert_eq!((count("opened"), count("closed"), count("stopped")), (CONNECTIONS, CONNECTIONS, 1));
}

/// Reads the record to its end.
fn read(proxy: &mut Started) -> JoinHandle<String> {
    let mut out = proxy.child.stdout.take().unwrap();
    thread::spawn(move || {
        let mut record = String::new();
        out.read_to_string(&mut record).unwrap();
        record
    })
}

/// Faults that strike each connection: enough for a record to overflow with few connections.
const FAULTS: usize = 250;

/// How many connections these are.
const MANY: usize = 160;

/// A proxy whose queue of lines is full, because nobody reads; and what tells of each connection that has ended.
fn overflowing() -> (Started, Receiver<()>, JoinHandle<()>) {
    let (target, served) = echo(MANY);
    let faults: Vec<String> =
        (0..FAULTS).map(|at| format!("--fault=Flip(in: ToServer, at: {at}, bit: 0)")).collect();
    let args: Vec<&str> = faults.iter().map(String::as_str).chain(["--connection", "all"]).collect();
    let proxy = start(target, &args);
    let (address, (ended, ends)) = (proxy.address.clone(), channel());
    thread::spawn(move || {
        for _ in 0..MANY {
            assert_eq!(echoed(&address, &"a".repeat(FAULTS)), "`".repeat(FAULTS));
            ended.send(()).unwrap();
        }
    });
    // It stands still once the queue is full, which it has to be before the last connection.
    let passed = std::iter::from_fn(|| ends.recv_timeout(Duration::from_secs(1)).ok()).count();
    assert!((2..MANY).contains(&passed), "{passed}");
    (proxy, ends, served)
}

#[test]
fn when_too_much_is_unread_the_proxy_waits_and_loses_nothing() {
    let (mut proxy, ends, served) = overflowing();
    let record = read(&mut proxy);
    while ends.recv_timeout(LONG).is_ok() {}
    served.join().unwrap();
    proxy.terminate();
    let (code, _, errors) = proxy.end();
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let record = objects(&record.join().unwrap());
    let count = |kind: &str| types(&record).iter().filter(|of| **of == kind).count();
    assert_eq!(["opened", "closed", "stopped"].map(count), [MANY, MANY, 1]);
    assert_eq!(["fired", "delivered"].map(count), [MANY * FAULTS; 2]);
}

#[test]
fn a_signal_ends_even_a_proxy_that_waits_for_its_reader() {
    let (mut proxy, _ends, _served) = overflowing();
    proxy.terminate();
    let (code, errors) = proxy.end_unread();
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("the record is incomplete"), "{errors}");
}

#[test]
fn a_record_whose_reader_is_gone_ends_it_with_2() {
    let (target, _served) = echo(1);
    let mut proxy = start(target, &["--once"]);
    drop(proxy.child.stdout.take());
    // The proxy may be gone before it comes back.
    let _ = TcpStream::connect(&proxy.address).unwrap().write_all(b"abc");
    let (code, errors) = proxy.end_unread();
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.starts_with("error: the record cannot be written: "), "{errors}");
}

#[test]
fn a_target_that_is_down_is_recorded_and_exits_4() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    drop(listener);
    let proxy = start(target, &["--fault", "Stall(in: ToServer, at: 0)", "--once"]);
    assert!(TcpStream::connect(&proxy.address).unwrap().read(&mut [0]).is_err());
    let (code, record, _) = proxy.end();
    assert_eq!(code, Some(4));
    assert_eq!(types(&record), ["refused", "fault", "stopped"]);
    assert_eq!(
        (&record[0]["error"], &record[0]["message"]),
        (&"connection-refused".into(), &"connection refused".into())
    );
}

#[test]
fn of_many_that_are_refused_the_one_that_is_meant_counts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    drop(listener);
    let meant = faults::proxy::MAX_REFUSED + 1;
    let proxy = start(target, &["--connection", &meant.to_string(), "--once"]);
    for _ in 0..meant {
        assert!(TcpStream::connect(&proxy.address).unwrap().read(&mut [0]).is_err());
    }
    let (code, record, _) = proxy.end();
    assert_eq!((code, record.last().unwrap()["refused"].as_u64()), (Some(4), Some(meant as u64)));
}

#[test]
fn a_port_that_is_taken_exits_4() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = sim(&["--listen", &address, "--to", "127.0.0.1:1"]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{errors}");
    assert!(errors.starts_with(&format!("error: cannot listen at {address}: ")), "{errors}");
}

/// What is said to these arguments, which are wrong.
fn refused(args: &[&str]) -> String {
    let listen = ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:1"];
    let output = sim(&[&listen, args].concat()).env("NO_COLOR", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_mistake_in_an_option_is_underlined() {
    insta::assert_snapshot!(refused(&["--fault", "Flip(in: ToSever, at: 1, bit: 0)"]), @r#"
    error: unknown region "ToSever", did you mean "ToServer"?
     --> --fault:1:10
      |
    1 | Flip(in: ToSever, at: 1, bit: 0)
      |          ^^^^^^^
    "#);
    insta::assert_snapshot!(refused(&["--fault", "Flip(in: Upload, at: 1, bit: 0)"]), @r#"
    error: a proxy does not know where `Upload` is: that takes a scenario or an audit
     --> --fault:1:1
      |
    1 | Flip(in: Upload, at: 1, bit: 0)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: here `in` is ToServer or ToClient
    "#);
    insta::assert_snapshot!(refused(&["--fault", "Flip(in: ToServer, at: Percent(50), bit: 0)"]), @r#"
    error: a proxy does not know how long a stream will be, so `Percent(50)` is no place in it
     --> --fault:1:1
      |
    1 | Flip(in: ToServer, at: Percent(50), bit: 0)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: here `at` is an offset in bytes
    "#);
}

#[test]
fn a_fault_in_another_form_is_underlined() {
    insta::assert_snapshot!(refused(&["--fault", ""]), @r#"
    error: there is nothing here
     --> --fault:1:1
      |
    1 |
      | ^
      |
      = help: a fault is written as in Flip(in: ToServer, at: 1_000, bit: 3)
    "#);
    insta::assert_snapshot!(refused(&["--fault", "[Flip(in: ToServer, at: 1, bit: 0)]"]), @r#"
    error: this is a list: one fault is expected
     --> --fault:1:1
      |
    1 | [Flip(in: ToServer, at: 1, bit: 0)]
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: give --fault once for each fault; a list goes into a file of its own
    "#);
    insta::assert_snapshot!(refused(&["--fault", "Flip(in: ToServer, at: 1)"]), @r#"
    error: this `Flip` has no `bit`
     --> --fault:1:1
      |
    1 | Flip(in: ToServer, at: 1)
      | ^^^^
      |
      = help: it is written Flip(in: ToServer, at: 1_000, bit: 3)
    "#);
    insta::assert_snapshot!(refused(&["--fault", "Flip(in: ToServer"]), @r#"
    error: this `(` is never closed
     --> --fault:1:5
      |
    1 | Flip(in: ToServer
      |     ^
      |
      = help: a `)` is missing before line 1, column 18
    "#);
}

#[test]
fn a_mistake_in_a_file_has_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("faults.ron");
    std::fs::write(&file, "[\n    NoSpace(at: 5),\n    Flp(in: ToServer, at: 0, bit: 0),\n]").unwrap();
    let errors = refused(&["--faults", file.to_str().unwrap()]);
    assert!(errors.contains("faults.ron:3:5") && errors.contains("did you mean \"Flip\"?"), "{errors}");
    std::fs::write(&file, "[\n    NoSpace(at: 5),\n]").unwrap();
    let errors = refused(&["--faults", file.to_str().unwrap()]);
    assert!(errors.contains("faults.ron:2:5") && errors.contains("the server's disk"), "{errors}");
    std::fs::write(&file, "Flip(in: ToServer, at: 0, bit: 0)").unwrap();
    let errors = refused(&["--faults", file.to_str().unwrap()]);
    assert!(errors.contains("must be a list"), "{errors}");
    std::fs::write(&file, "[7, Flp()]").unwrap();
    let errors = refused(&["--faults", file.to_str().unwrap()]);
    assert!(errors.matches("Flip(in: ToServer, at: 1_000, bit: 3)").count() == 2, "{errors}");
    std::fs::write(&file, " ".repeat(1_048_577)).unwrap();
    let errors = refused(&["--faults", file.to_str().unwrap()]);
    assert!(errors.contains("the file has 1048577 bytes, and at most 1048576 are read"), "{errors}");
    assert!(!errors.contains("scenario") && !errors.contains("Noise"), "{errors}");
    assert!(refused(&["--faults", "nowhere.ron"]).contains("nowhere.ron"));
}

#[test]
fn other_bad_arguments_exit_2() {
    for (args, why) in [
        (&["--connection", "0"][..], "numbered from 1"),
        (&["--connection", "first"], "or `all`"),
        (&["--listen", "127.0.0.1:0"], "as many `--to` as `--listen`"),
        (&["--listen", "127.0.0.1:0", "--to", "localhost"], "expected HOST:PORT"),
        (
            &["--listen", "127.0.0.1:65536"],
            "'--listen <HOST:PORT>': `65536` is no port, which is a number from 0 to 65535",
        ),
        (&["--to", "127.0.0.1:0"], "'--to <HOST:PORT>': port 0 is nobody's"),
        (&["--record", "/nowhere/record"], "--record /nowhere/record: "),
    ] {
        let errors = refused(args);
        assert!(errors.contains(why), "{args:?}: {errors}");
    }
}
