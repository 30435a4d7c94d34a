//! Evidence belongs to its event, and a session to the client whose connection it was: whatever order things came in,
//! no program is accused with the bytes of another transfer. And a machine that has gone down talks to nobody.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use faults::{ConnectionId, Content, Direction, Truth, Verdict, Wires};
use protocol::{Entry, FileId, FileName};
use sim::run::{Inconclusive, Plan, RunOptions, RunOutcome, Site, run};
use sim::scenario::{Scenario, TransportKind};
use sim::transcript::{Line, Side, merge};
use sim::transport::{Job, LATENCY, Memory, Tcp, Transport, Turmoil};
use sim::verdict::{ClaimedTransfer, Condition, Sources, claims, judge};
use transfer::endpoint::{Client, ClientCommand, ClientConfig, ServerConfig, Sessions};
use transfer::record::{Action, Event, Failure, Message, Recorder, TransferOutcome};
use transfer::storage::{Folder, Incoming, MemoryStore, Store, StoreError};

use super::{LANES, basic_but, parse, run_on, text_of};

/// So many clients that all upload the same file, and this fault.
fn uploads(clients: usize, retries: u32, fault: &str) -> Scenario {
    let clients = vec!["[Upload(\"a\")]"; clients].join(", ");
    parse(&format!(
        r#"Scenario(about: "x", files: {{"a": Noise(100)}}, clients: [{clients}], retries: {retries},
                    faults: [{fault}])"#
    ))
}

/// What holds wherever nothing damages a byte: nobody is said to have got, or to have given, other bytes.
fn assert_nobody_is_accused(scenario: &Scenario, outcome: &RunOutcome, what: &str) {
    let text = text_of(scenario, outcome);
    assert_eq!(outcome.inconclusive, None, "{what}\n{text}");
    for judgement in &outcome.judgements {
        assert!(!matches!(judgement.verdict, Verdict::Silent | Verdict::Detected), "{what}\n{text}");
        assert!(matches!(judgement.truth, Truth::Same | Truth::Nothing), "{what}\n{text}");
    }
    assert!(outcome.aftermath.server.iter().all(|it| it.condition == Condition::Good), "{what}\n{text}");
}

/// Runs `scenario` on these lanes at the same time: on tcp a retry waits for a second.
fn run_on_each(lanes: &[TransportKind], scenario: &Scenario) -> Vec<(TransportKind, RunOutcome)> {
    thread::scope(|scope| {
        let start = |lane: &TransportKind| {
            let lane = *lane;
            scope.spawn(move || (lane, run_on(lane, scenario)))
        };
        let running: Vec<_> = lanes.iter().map(start).collect();
        running.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

#[test]
fn clients_that_try_again_keep_their_evidence_when_the_network_fails() {
    for (clients, retries) in [(2, 1), (2, 2), (3, 1), (3, 2)] {
        for fault in ["Crash", "Partition", "Hold"] {
            for lasts in ["0.5", "1", "2", "31", "32"] {
                let fault = format!("{fault}(in: Upload, at: 50, lasts: {lasts})");
                let scenario = uploads(clients, retries, &fault);
                let outcome = run_on(TransportKind::Turmoil, &scenario);
                let what = format!("{clients} clients, {retries} retries, {fault}");
                assert_nobody_is_accused(&scenario, &outcome, &what);
                assert_eq!(outcome.judgements.len(), clients, "{what}");
            }
        }
    }
}

#[test]
fn clients_that_try_again_after_a_crash_recover_on_every_lane() {
    for (clients, retries) in [(2, 1), (3, 2)] {
        for fault in ["CrashBeforeSync()", "CrashBeforeRename()", "CrashAfterRename()"] {
            let scenario = uploads(clients, retries, fault);
            for (lane, outcome) in run_on_each(&LANES, &scenario) {
                let what = format!("{clients} clients, {retries} retries, {fault} on {lane}");
                assert_nobody_is_accused(&scenario, &outcome, &what);
                // On tcp another may have been done before the machine went down.
                let ends_well = |verdict| matches!(verdict, Verdict::Recovered | Verdict::Intact);
                assert!(outcome.judgements.iter().all(|it| ends_well(it.verdict)), "{what}");
                assert!(outcome.judgements.iter().any(|it| it.verdict == Verdict::Recovered), "{what}");
            }
        }
    }
}

#[test]
fn a_retry_of_the_first_client_is_its_own_on_every_lane() {
    for fault in ["Reset(in: Upload, at: 50)", "Truncate(in: Upload, at: 50)"] {
        let scenario = uploads(3, 1, fault);
        for (lane, outcome) in run_on_each(&LANES, &scenario) {
            assert_nobody_is_accused(&scenario, &outcome, &format!("{fault} on {lane}"));
            let verdicts: Vec<_> = outcome.judgements.iter().map(|it| it.verdict).collect();
            assert_eq!(verdicts, [Verdict::Recovered, Verdict::Intact, Verdict::Intact], "{fault} on {lane}");
        }
    }
}

/// Whether an event is something that the server does or hears.
fn is_life(action: &Action) -> bool {
    !matches!(action, Action::Crashed | Action::Restarted | Action::Accepted | Action::Struck { .. })
}

/// The number of sessions that the machine took with it, having looked that none of them did anything after that.
fn fallen(outcome: &RunOutcome, what: &str) -> usize {
    let mut fallen = 0;
    for events in &outcome.trace {
        let mut is_dead = false;
        for Event { action, .. } in events {
            assert!(!(is_dead && is_life(action)), "{what}: after it went down: {action:?}");
            match action {
                Action::Crashed => (fallen, is_dead) = (fallen + 1, true),
                Action::Accepted => is_dead = false,
                _ => {}
            }
        }
    }
    fallen
}

#[test]
fn a_machine_that_goes_down_takes_every_session_with_it() {
    let two = r#"[Upload("a")], [Upload("a"), Upload("a")]"#;
    let three = format!(r#"{two}, [Upload("b"), Upload("a")]"#);
    let faults = ["CrashBeforeSync()", "CrashBeforeRename()", "CrashAfterRename()"];
    for (fault, clients) in faults.iter().flat_map(|fault| [(fault, two), (fault, &three)]) {
        let scenario = parse(&format!(
            r#"Scenario(about: "x", files: {{"a": Noise(10), "b": Noise(1_000_000)}}, faults: [{fault}],
                        clients: [{clients}])"#
        ));
        for (lane, outcome) in run_on_each(&LANES, &scenario) {
            let what = format!("{fault} on {lane}");
            assert_nobody_is_accused(&scenario, &outcome, &what);
            // The large one is under way when the small ones are done, of which the second may be done before.
            let (fallen, least) = (fallen(&outcome, &what), outcome.conversations.len() - 1);
            assert!(fallen >= least, "{what}: {fallen} sessions ended");
            for judgement in outcome.judgements.iter().filter(|it| it.file.as_str() == "b") {
                assert_eq!(judgement.verdict, Verdict::Aborted, "{what}");
            }
        }
    }
}

#[test]
fn a_host_that_goes_down_takes_every_session_with_it_and_refuses_new_ones_until_it_is_up() {
    let scenario = uploads(3, 1, "Crash(in: Upload, at: 50, lasts: 3)");
    let outcome = run_on(TransportKind::Turmoil, &scenario);
    assert_nobody_is_accused(&scenario, &outcome, "");
    assert_eq!(fallen(&outcome, ""), 3);
    let time = |wanted: &Action| {
        let events = outcome.trace.iter().flatten();
        let times: Vec<_> = events.filter(|event| event.action == *wanted).map(|event| event.at).collect();
        assert_eq!(times.len(), 3, "{wanted:?}");
        times
    };
    let refused = time(&Action::Failed(Failure::NotConnected));
    let (down, up) = (time(&Action::Crashed)[0], time(&Action::Restarted)[0]);
    assert_eq!(up - down, Duration::from_secs(3));
    assert!(refused.iter().all(|at| down < *at && *at < up), "{down:?} {refused:?} {up:?}");
}

#[test]
fn the_bytes_of_an_upload_that_comes_out_of_nowhere_are_no_evidence_for_another() {
    let scenario = basic_but(r#"faults: [Insert(in: Step(15), at: 0, text: "UPLOAD\nz;1\nq")]"#);
    for (lane, outcome) in run_on_each(&LANES, &scenario) {
        let text = text_of(&scenario, &outcome);
        let saved = outcome.conversations[0].iter().filter(|line| matches!(line.action, Action::Saved(_)));
        assert_eq!(saved.count(), 2, "on {lane}\n{text}");
        assert_eq!(outcome.judgements[0].verdict, Verdict::Intact, "on {lane}\n{text}");
    }
}

/// Carries what another lane carries, and a session that nobody asked for.
struct Haunted<T>(T, ConnectionId);

impl<T: Transport> Transport for Haunted<T> {
    fn run(&mut self, job: Job) -> io::Result<()> {
        drop(job.service.accept(Duration::ZERO, self.1));
        self.0.run(job)
    }
}

#[test]
fn a_session_that_is_no_clients_proves_nothing() {
    for (id, why) in [
        (ConnectionId::Number(77), "the server had a session with connection 77, which is no client's"),
        (ConnectionId::Number(1), "two connections came from connection 1"),
    ] {
        let plan = Plan::new(&basic_but("")).unwrap();
        let mut lane = Haunted(Memory::default(), id);
        let site = Site::for_plan(&plan).unwrap();
        let outcome = run(&plan, &mut lane, site, &RunOptions::default()).unwrap();
        assert_eq!(outcome.inconclusive, Some(Inconclusive::Unowned(why.into())));
        assert!(outcome.judgements.iter().all(|it| it.verdict == Verdict::Inconclusive));
        // With faults it is the control run that is spoiled first.
        let plan = Plan::new(&basic_but("faults: [Flip(in: Upload, at: 1, bit: 0)]")).unwrap();
        let outcome = run(&plan, &mut lane, Site::for_plan(&plan).unwrap(), &RunOptions::default()).unwrap();
        assert_eq!(outcome.inconclusive, Some(Inconclusive::ControlFailed(why.into())));
    }
}

/// A store that cannot read back the first file that it is sent.
struct Forgetful(MemoryStore, AtomicBool);

struct Forgotten(Box<dyn Incoming>);

const UNREADABLE: StoreError = StoreError::Io(io::ErrorKind::Other);

impl Store for Forgetful {
    fn list(&self) -> Result<Arc<[Entry]>, StoreError> {
        self.0.list()
    }
    fn create(&self, size: u64) -> Result<Box<dyn Incoming>, StoreError> {
        let incoming = self.0.create(size)?;
        let is_first = !self.1.swap(true, Ordering::Relaxed);
        Ok(if is_first { Box::new(Forgotten(incoming)) } else { incoming })
    }
    fn open(&self, id: FileId) -> Result<Content, StoreError> {
        self.0.open(id)
    }
    fn discard(&self, id: FileId, name: &FileName) -> Result<(), StoreError> {
        self.0.discard(id, name)
    }
}

impl Incoming for Forgotten {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.write(bytes)
    }
    fn content(&self) -> Result<Content, StoreError> {
        Err(UNREADABLE)
    }
    fn commit(
        self: Box<Self>,
        name: &FileName,
        id: FileId,
    ) -> Result<transfer::storage::CommitResult, StoreError> {
        self.0.commit(name, id)
    }
}

fn content(text: &str) -> Content {
    Content::Memory(text.as_bytes().into())
}

/// What a client and its session recorded of the upload of `a`, which cannot be read back, and of `b`.
fn upload_two(lane: &mut dyn Transport) -> (Vec<Event>, Vec<Event>) {
    let upload =
        |name| ClientCommand::Upload { name: FileName::parse(name).unwrap(), content: content(name) };
    let record = Recorder::default();
    let client = Client::new(ClientConfig {
        record: record.clone(),
        ..ClientConfig::new(vec![upload("a"), upload("b")], Folder::in_memory(), Duration::from_secs(30))
    });
    let store = Arc::new(Forgetful(MemoryStore::default(), AtomicBool::new(false)));
    let service = Arc::new(Sessions::new(ServerConfig::new(store, Duration::from_secs(60))));
    let (clients, wires): (Vec<Box<dyn transfer::endpoint::Endpoint>>, _) =
        (vec![Box::new(client)], Wires::default());
    lane.run(Job { seed: 1, service: service.clone(), clients, wires, latency: (LATENCY, LATENCY) }).unwrap();
    (record.take(), service.sessions()[0].take())
}

#[test]
fn the_bytes_of_a_file_travel_with_the_event_that_it_arrived() {
    let lanes: [Box<dyn Transport>; 3] =
        [Box::new(Memory::default()), Box::new(Turmoil), Box::new(Tcp::new().unwrap())];
    for mut lane in lanes {
        let (client, session) = upload_two(&mut *lane);
        let files = |wanted: fn(&Action) -> bool| -> Vec<_> {
            session.iter().filter(|event| wanted(&event.action)).map(|event| event.file.clone()).collect()
        };
        let received = files(|action| matches!(action, Action::Received(Message::Payload { .. })));
        assert_eq!(received, [Some(Err(UNREADABLE)), Some(Ok(content("b")))]);
        assert_eq!(files(|action| matches!(action, Action::Saved(_))), [Some(Ok(content("b")))]);
        let claims = claims(&merge(&[], &client, &[session]));
        let evidence: Vec<_> = claims.into_iter().map(|claim| claim.evidence).collect();
        assert_eq!(evidence, [Some(Err(UNREADABLE)), Some(Ok(content("b")))]);
    }
}

struct Sent;

impl Sources for Sent {
    fn upload(&mut self, _file: &FileName) -> Option<Content> {
        Some(content("a"))
    }
    fn download(&mut self, _file: &FileName, _id: Option<FileId>) -> Option<Content> {
        None
    }
}

#[test]
fn what_cannot_be_read_is_neither_right_nor_wrong() {
    let id = FileId::from_bytes([1; 16]);
    for (outcome, verdict) in [
        (TransferOutcome::Success { id }, Verdict::Inconclusive),
        (TransferOutcome::Fail { own: id, peer: id }, Verdict::Inconclusive),
        (TransferOutcome::Broken(Failure::Deadline), Verdict::Aborted),
    ] {
        let claimed = ClaimedTransfer {
            direction: Direction::Upload,
            file: FileName::parse("a").unwrap(),
            outcome,
            retried: false,
            evidence: Some(Err(UNREADABLE)),
            asked: None,
        };
        let judged = judge(vec![claimed], &mut Sent).unwrap();
        assert_eq!((judged[0].truth, judged[0].verdict), (Truth::Unreadable, verdict));
    }
}

#[test]
fn a_connection_that_the_server_never_took_shifts_no_other() {
    let (client, session) = (Recorder::default(), Recorder::default());
    let (first, second) = (ConnectionId::Number(1), ConnectionId::Number(2));
    client.record_connection(Duration::ZERO, Action::Connected, first);
    client.record(Duration::ZERO, Action::Failed(Failure::Deadline));
    client.record(Duration::ZERO, Action::Failed(Failure::NotConnected));
    client.record_connection(Duration::ZERO, Action::Connected, second);
    client.record(Duration::ZERO, Action::Disconnected);
    session.record_connection(Duration::ZERO, Action::Accepted, second);
    let forgot = Action::Forgot(FileId::from_bytes([1; 16]));
    session.record(Duration::ZERO, forgot.clone());
    session.record(Duration::ZERO, Action::PeerLeft);
    let lines = merge(&[], &client.take(), &[Vec::new(), session.take()]);
    let told: Vec<_> = lines.iter().map(|Line { side, action, .. }| (*side, action.clone())).collect();
    let expected = [
        (Side::Client, Action::Connected),
        (Side::Client, Action::Failed(Failure::Deadline)),
        (Side::Client, Action::Failed(Failure::NotConnected)),
        (Side::Client, Action::Connected),
        (Side::Client, Action::Disconnected),
        (Side::Server, forgot),
    ];
    assert_eq!(told, expected);
}
