//! The proxy between plain sockets: bytes pass unchanged, every fault does to a stream what its chain says, ends
//! and breaks are passed on, and nothing is claimed that did not reach the reader.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use faults::proxy::{
    ConnectionEnd, Connections, Event, EventKind, MAX_REFUSED, PlacedFault, Proxy, ProxyOutcome, Running,
    Settings, Traffic, place,
};
use faults::{At, Chain, Effect, Fault, Flow, Injector, Ledger, Piece, Region};
use notation::parse_fault;
use proptest::prelude::*;

/// How long a test waits for what must come: as long as a slow machine may need.
pub(super) const LONG: Duration = Duration::from_secs(60);

/// Pseudo-random bytes, others for another seed.
pub(super) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// A server that gives each of its connections to `serve`, one after the other.
pub(super) fn server<T: Send + 'static>(
    connections: usize,
    serve: impl Fn(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<Vec<T>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let accept = move || (0..connections).map(|_| serve(listener.accept().unwrap().0)).collect();
    (address, thread::spawn(accept))
}

/// A proxy to `target` with these faults, and what it tells.
pub(super) fn proxy(target: SocketAddr, faults: &[(Connections, &str)]) -> (Running, Receiver<Event>) {
    let settings = Settings { faults: placed(faults), recording: Some(1 << 24), once: None };
    start(Proxy::bind("127.0.0.1:0", target, settings).unwrap())
}

fn start(proxy: Proxy) -> (Running, Receiver<Event>) {
    let (sender, events) = channel();
    let sink = move |event| drop(sender.send(event));
    (proxy.spawn(sink).unwrap(), events)
}

pub(super) fn fault(text: &str) -> Fault {
    parse_fault(text, "test").unwrap_or_else(|error| panic!("{}", error.render(false))).value
}

fn placed(faults: &[(Connections, &str)]) -> Vec<PlacedFault> {
    let faults: Vec<_> = faults.iter().map(|(which, text)| (*which, fault(text))).collect();
    place(&faults, None, 0).unwrap()
}

pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    // A test that hangs shall fail.
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream.set_write_timeout(Some(LONG)).unwrap();
    stream
}

/// All that comes, and how it ended.
pub(super) fn read_all(stream: &mut TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).err().map(|error| error.kind());
    (bytes, end)
}

/// Waits for the end of this connection.
pub(super) fn closed(events: &Receiver<Event>, connection: u64) -> (ConnectionEnd, Traffic, Traffic) {
    loop {
        let event = events.recv_timeout(LONG).expect("the connection ends");
        if let EventKind::Closed { how, to_server, to_client } = event.what
            && event.connection == connection
        {
            return (how, to_server, to_client);
        }
    }
}

const fn all(count: u64) -> Traffic {
    Traffic { sent: count, delivered: count }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_pass_unchanged_both_ways_at_the_same_time(
        up in 0usize..600_000, down in 0usize..600_000, client_first: bool,
    ) {
        let sent_down = noise(2, down);
        let (target, served) = server(1, move |mut stream| {
            let mut writer = stream.try_clone().unwrap();
            let bytes = sent_down.clone();
            if client_first {
                let read = read_all(&mut stream);
                writer.write_all(&bytes).unwrap();
                read
            } else {
                let writing = thread::spawn(move || {
                    writer.write_all(&bytes).unwrap();
                    writer.shutdown(Shutdown::Write).unwrap();
                });
                let read = read_all(&mut stream);
                writing.join().unwrap();
                read
            }
        });
        let (proxy, events) = proxy(target, &[]);
        let mut client = connect(proxy.local_addr());
        let mut writer = client.try_clone().unwrap();
        let bytes = noise(1, up);
        let writing = thread::spawn(move || {
            writer.write_all(&bytes).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        prop_assert!(read_all(&mut client) == (noise(2, down), None));
        writing.join().unwrap();
        prop_assert!(served.join().unwrap() == [(noise(1, up), None)]);
        prop_assert_eq!(closed(&events, 1), (ConnectionEnd::Finished, all(up as u64), all(down as u64)));
        let outcome = proxy.finish(LONG).unwrap();
        let [recording] = &outcome.recordings[..] else { panic!("{} recordings", outcome.recordings.len()) };
        prop_assert!(recording.whole && recording.to_server == noise(1, up) && recording.to_client == noise(2, down));
    }
}

/// What a chain of this fault makes of `stream`, and how that ends.
fn reference(fault: &Fault, stream: &[u8]) -> (Vec<u8>, Option<Piece>) {
    let At::Offset(at) = fault.at else { panic!("a live stream has only offsets") };
    let distance = if let Effect::Reorder { with, .. } = fault.effect { with - at } else { 0 };
    let mut chain =
        Chain::new(vec![Injector::new(Ledger::default().enter(fault.clone(), None), at, distance)]);
    let mut pieces = chain.push(stream);
    pieces.extend(chain.finish());
    let mut out = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bytes { bytes, .. } => out.extend(bytes),
            Piece::End | Piece::Cut | Piece::Reset | Piece::Stall => return (out, Some(piece)),
            _ => {}
        }
    }
    (out, None)
}

/// Every kind of fault of a stream, with `DIR` for the direction.
const FAULTS: [&str; 15] = [
    "Flip(in: DIR, at: 70_000, bit: 3)",
    "Xor(in: DIR, at: 0, hex: \"0400ff\")",
    "Drop(in: DIR, at: 16_000, bytes: 1_000)",
    "Truncate(in: DIR, at: 99_999)",
    "Insert(in: DIR, at: 10, text: \"extra\")",
    "Duplicate(in: DIR, at: 1_000, bytes: 70_000)",
    "Reorder(in: DIR, at: 1_000, bytes: 100, with: 50_000)",
    "Overwrite(in: DIR, at: 65_530, text: \"twelve bytes\")",
    "Stall(in: DIR, at: 5_000)",
    "Delay(in: DIR, at: 7, lasts: 0.01)",
    "Throttle(in: DIR, at: 99_000, rate: 100_000)",
    "Slice(in: DIR, at: 99_000, bytes: 7)",
    "Coalesce(in: DIR, at: 50_000, lasts: 0.005)",
    "Reset(in: DIR, at: 50_000)",
    "HalfClose(in: DIR, at: 30_000)",
];

/// One side sends `sent`, the other says what it got of it, through a proxy with `fault`. What the reader got, how
/// that ended, and what the proxy says of it.
fn strike(fault: &Fault, sent: Vec<u8>) -> (Vec<u8>, Option<ErrorKind>, ConnectionEnd, ProxyOutcome) {
    let expected = reference(fault, &sent).0.len();
    let up = fault.region == Region::ToServer;
    let stalls = fault.effect == Effect::Stall;
    let write = move |mut stream: TcpStream| {
        // A reader that is cut off may be gone before everything is sent.
        let _ = stream.write_all(&sent);
        let _ = stream.shutdown(Shutdown::Write);
        read_all(&mut stream);
    };
    let read = move |mut stream: TcpStream| {
        if stalls {
            // Nothing comes behind these, and no end.
            let mut bytes = vec![0; expected];
            stream.read_exact(&mut bytes).unwrap();
            (bytes, None)
        } else {
            read_all(&mut stream)
        }
    };
    let (to_server, strikes) = (placed(&[(Connections::Nth(1), &fault.to_string())]), Settings::default());
    let settings = Settings { faults: to_server, ..strikes };
    let (running, events, got) = if up {
        let (target, served) = server(1, read);
        let (running, events) = start(Proxy::bind("127.0.0.1:0", target, settings).unwrap());
        let client = connect(running.local_addr());
        write(client);
        (running, events, served.join().unwrap().remove(0))
    } else {
        let (target, served) = server(1, write);
        let (running, events) = start(Proxy::bind("127.0.0.1:0", target, settings).unwrap());
        let got = read(connect(running.local_addr()));
        served.join().unwrap();
        (running, events, got)
    };
    let (how, ..) = closed(&events, 1);
    (got.0, got.1, how, running.finish(LONG).unwrap())
}

#[test]
fn every_fault_does_to_a_stream_what_its_chain_does() {
    for direction in ["ToServer", "ToClient"] {
        for text in FAULTS {
            let fault = fault(&text.replace("DIR", direction));
            let sent = noise(5, 100_000);
            let (expected, end) = reference(&fault, &sent);
            let (got, error, how, outcome) = strike(&fault, sent);
            let broken = end == Some(Piece::Reset);
            assert_eq!(error, broken.then_some(ErrorKind::ConnectionReset), "{fault}");
            assert!(got == expected, "{fault}: {} bytes in place of {}", got.len(), expected.len());
            assert_eq!(how, if broken { ConnectionEnd::Reset } else { ConnectionEnd::Finished }, "{fault}");
            assert_eq!((outcome.faults[0].fired, outcome.faults[0].delivered), (1, 1), "{fault}");
        }
    }
}

#[test]
fn only_the_connection_that_is_meant_is_struck() {
    let (target, served) = server(4, |mut stream| read_all(&mut stream).0);
    let faults = [
        (Connections::All, "Insert(in: ToServer, at: 2, text: \"-\")"),
        (Connections::Nth(2), "Flip(in: ToServer, at: 1, bit: 0)"),
        (Connections::Nth(3), "Drop(in: ToServer, at: 0, bytes: 1)"),
    ];
    let (proxy, events) = proxy(target, &faults);
    for number in 1..=4 {
        connect(proxy.local_addr()).write_all(b"abc").unwrap();
        closed(&events, number);
    }
    let got: Vec<_> =
        served.join().unwrap().into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
    assert_eq!(got, ["ab-c", "ac-c", "b-c", "ab-c"]);
    let outcome = proxy.finish(LONG).unwrap();
    let proofs: Vec<_> = outcome.faults.iter().map(|proof| (proof.fired, proof.delivered)).collect();
    assert_eq!(proofs, [(4, 4), (1, 1), (1, 1)]);
    assert_eq!((outcome.connections, outcome.unproved()), (4, None));
}

#[test]
fn a_fault_is_told_when_it_fires_and_when_the_reader_has_it() {
    let (target, served) = server(1, |mut stream| read_all(&mut stream).0);
    let (proxy, events) = proxy(target, &[(Connections::Nth(1), "Flip(in: ToServer, at: 2, bit: 5)")]);
    connect(proxy.local_addr()).write_all(b"abcd").unwrap();
    let told: Vec<_> = std::iter::from_fn(|| events.recv_timeout(LONG).ok()).take(4).collect();
    assert_eq!(served.join().unwrap(), [b"abCd"]);
    assert!(told.iter().all(|event| event.connection == 1));
    assert!(told.is_sorted_by_key(|event| event.at));
    assert!(matches!(told[0].what, EventKind::Opened { target: to, listener: 0, .. } if to == target));
    let fault = fault("Flip(in: ToServer, at: 2, bit: 5)");
    let (old, new) = (b"c".to_vec(), b"C".to_vec());
    let fired = EventKind::Fired { number: 0, fault, flow: Flow::ToServer, offset: 2, old, new };
    assert_eq!(told[1].what, fired);
    assert!(
        matches!(told[2].what, EventKind::Delivered { number: 0, flow: Flow::ToServer, bytes } if bytes >= 3),
        "{:?}",
        told[2]
    );
    let (how, to_server, to_client) = (ConnectionEnd::Finished, all(4), all(0));
    assert_eq!(told[3].what, EventKind::Closed { how, to_server, to_client });
}

#[test]
fn a_fault_whose_place_does_not_come_is_not_proved() {
    let (target, served) = server(1, |mut stream| read_all(&mut stream).0);
    let (proxy, events) = proxy(target, &[(Connections::Nth(1), "Flip(in: ToServer, at: 4, bit: 5)")]);
    connect(proxy.local_addr()).write_all(b"abcd").unwrap();
    closed(&events, 1);
    served.join().unwrap();
    assert_eq!(proxy.finish(LONG).unwrap().unproved(), Some(0));
}

/// Closes a connection on which something is still unread, which breaks it.
fn break_off(stream: TcpStream) {
    stream.peek(&mut [0]).unwrap();
    drop(stream);
}

#[test]
fn a_break_by_the_server_breaks_the_client_behind_the_last_words() {
    let (target, served) = server(1, |mut stream| {
        stream.write_all(b"no more").unwrap();
        break_off(stream);
    });
    let (proxy, events) = proxy(target, &[]);
    let mut client = connect(proxy.local_addr());
    client.write_all(b"unread").unwrap();
    assert_eq!(read_all(&mut client), (b"no more".to_vec(), Some(ErrorKind::ConnectionReset)));
    assert_eq!(closed(&events, 1).0, ConnectionEnd::Reset);
    served.join().unwrap();
}

#[test]
fn a_break_by_the_client_breaks_the_server() {
    let (target, served) = server(1, |mut stream| {
        stream.write_all(b"unread").unwrap();
        read_all(&mut stream)
    });
    let (proxy, events) = proxy(target, &[]);
    let mut client = connect(proxy.local_addr());
    client.write_all(b"some").unwrap();
    break_off(client);
    let (_, end) = served.join().unwrap().remove(0);
    assert_eq!(end, Some(ErrorKind::ConnectionReset));
    assert_eq!(closed(&events, 1).0, ConnectionEnd::Reset);
}

#[test]
fn a_refusal_in_the_middle_of_a_large_upload_is_heard() {
    let (target, served) = server(1, |mut stream| {
        stream.read_exact(&mut [0; 1_000]).unwrap();
        stream.write_all(b"too large").unwrap();
    });
    let (proxy, events) = proxy(target, &[]);
    let mut client = connect(proxy.local_addr());
    let mut writer = client.try_clone().unwrap();
    // More than all buffers on the way can hold.
    let writing = thread::spawn(move || writer.write_all(&vec![7; 64 << 20]).is_err());
    let mut answer = [0; 9];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"too large");
    assert!(writing.join().unwrap(), "the writer is told too");
    assert_eq!(closed(&events, 1).0, ConnectionEnd::Reset);
    served.join().unwrap();
}

#[test]
fn a_reader_that_waits_holds_the_writer_up_and_nothing_else() {
    // More than all buffers on the way can hold.
    const SIZE: usize = 48 << 20;
    let (answered, go_on) = channel();
    let (target, served) = server(1, move |mut stream| {
        stream.write_all(b"first this").unwrap();
        go_on.recv_timeout(LONG).unwrap();
        read_all(&mut stream).0
    });
    let (proxy, events) = start(Proxy::bind("127.0.0.1:0", target, Settings::default()).unwrap());
    let mut client = connect(proxy.local_addr());
    let mut writer = client.try_clone().unwrap();
    let writing = thread::spawn(move || {
        writer.write_all(&noise(1, SIZE)).unwrap();
        writer.shutdown(Shutdown::Write).unwrap();
    });
    let mut answer = [0; 10];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"first this");
    answered.send(()).unwrap();
    assert!(served.join().unwrap().remove(0) == noise(1, SIZE));
    writing.join().unwrap();
    assert_eq!(closed(&events, 1), (ConnectionEnd::Finished, all(SIZE as u64), all(10)));
}

#[test]
fn a_break_is_seen_through_a_stall() {
    let (target, served) = server(1, |mut stream| {
        stream.write_all(b"unread").unwrap();
        read_all(&mut stream)
    });
    let (proxy, events) = proxy(target, &[(Connections::Nth(1), "Stall(in: ToServer, at: 2)")]);
    let mut client = connect(proxy.local_addr());
    client.write_all(b"some").unwrap();
    break_off(client);
    assert_eq!(closed(&events, 1).0, ConnectionEnd::Reset);
    assert_eq!(served.join().unwrap()[0].1, Some(ErrorKind::ConnectionReset));
}

#[test]
fn a_target_that_is_down_resets_the_client_and_the_proxy_goes_on() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    drop(listener);
    let (proxy, events) = proxy(target, &[]);
    for number in 1..=2 {
        let mut client = connect(proxy.local_addr());
        assert_eq!(read_all(&mut client), (vec![], Some(ErrorKind::ConnectionReset)));
        let event = events.recv_timeout(LONG).unwrap();
        let error = ErrorKind::ConnectionRefused;
        assert!(matches!(event.what, EventKind::Refused { error: told, .. } if told == error), "{event:?}");
        assert_eq!(event.connection, number);
    }
    let outcome = proxy.finish(LONG).unwrap();
    assert_eq!((outcome.connections, outcome.refused, outcome.first_refused), (2, 2, vec![1, 2]));
}

#[test]
fn what_is_told_of_refused_connections_does_not_grow_with_them() {
    let many = MAX_REFUSED as u64 + 5;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    drop(listener);
    let (running, _events) = proxy(target, &[]);
    for _ in 0..many {
        read_all(&mut connect(running.local_addr()));
    }
    let outcome = running.finish(LONG).unwrap();
    assert_eq!((outcome.connections, outcome.refused), (many, many));
    assert_eq!(outcome.first_refused, (1..=MAX_REFUSED as u64).collect::<Vec<_>>());
}

#[test]
fn a_hundred_connections_are_carried_at_once() {
    const COUNT: usize = 100;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    // All are open before the first gets an answer.
    let serving = thread::spawn(move || {
        let open: Vec<_> = (0..COUNT).map(|_| listener.accept().unwrap().0).collect();
        for mut stream in open {
            let mut bytes = [0; 1_000];
            stream.read_exact(&mut bytes).unwrap();
            bytes.reverse();
            stream.write_all(&bytes).unwrap();
        }
    });
    let (proxy, _events) = proxy(target, &[]);
    let clients: Vec<_> = (0..COUNT).map(|_| connect(proxy.local_addr())).collect();
    for (seed, mut client) in (0..).zip(&clients) {
        client.write_all(&noise(seed, 1_000)).unwrap();
    }
    for (seed, mut client) in (0..).zip(clients) {
        let mut expected = noise(seed, 1_000);
        expected.reverse();
        assert!(read_all(&mut client) == (expected, None), "connection {seed}");
    }
    serving.join().unwrap();
    let outcome = proxy.finish(LONG).unwrap();
    assert_eq!((outcome.connections, outcome.recordings.len()), (100, 100));
}

#[test]
fn connections_are_numbered_over_all_listeners() {
    let (control, controlled) = server(1, |mut stream| read_all(&mut stream).0);
    let (data, carried) = server(1, |mut stream| read_all(&mut stream).0);
    let faults = placed(&[(Connections::Nth(2), "Flip(in: ToServer, at: 0, bit: 0)")]);
    let settings = Settings { faults, ..Settings::default() };
    let mut proxy = Proxy::bind("127.0.0.1:0", control, settings).unwrap();
    let second = proxy.also("127.0.0.1:0", data).unwrap();
    let (proxy, events) = start(proxy);
    assert_eq!(proxy.local_addrs()[1], second);
    for (number, address) in [(1, proxy.local_addr()), (2, second)] {
        connect(address).write_all(b"a").unwrap();
        closed(&events, number);
    }
    assert_eq!((controlled.join().unwrap(), carried.join().unwrap()), (vec![b"a".into()], vec![b"`".into()]));
}

#[test]
fn a_stop_cuts_what_is_open_and_patience_lets_it_end() {
    for patience in [Duration::ZERO, LONG] {
        let (target, served) = server(1, |mut stream| read_all(&mut stream));
        let (proxy, events) = proxy(target, &[]);
        let mut client = connect(proxy.local_addr());
        client.write_all(b"abc").unwrap();
        assert!(matches!(events.recv_timeout(LONG).unwrap().what, EventKind::Opened { .. }));
        let stopping = thread::spawn(move || proxy.finish(patience).unwrap());
        if patience.is_zero() {
            assert_eq!(closed(&events, 1).0, ConnectionEnd::Stopped);
            assert_eq!(served.join().unwrap()[0].1, Some(ErrorKind::ConnectionReset));
        } else {
            client.shutdown(Shutdown::Write).unwrap();
            assert_eq!(closed(&events, 1), (ConnectionEnd::Finished, all(3), all(0)));
            assert_eq!(served.join().unwrap(), [(b"abc".to_vec(), None)]);
        }
        let outcome = stopping.join().unwrap();
        assert_eq!(outcome.recordings[0].whole, !patience.is_zero());
    }
}

#[test]
fn no_more_is_kept_than_there_is_space_for() {
    let (target, served) = server(2, |mut stream| read_all(&mut stream).0.len());
    let settings = Settings { recording: Some(1_500), ..Settings::default() };
    let (proxy, events) = start(Proxy::bind("127.0.0.1:0", target, settings).unwrap());
    for number in 1..=2 {
        connect(proxy.local_addr()).write_all(&noise(number, 1_000)).unwrap();
        assert_eq!(closed(&events, number).1, all(1_000));
    }
    assert_eq!(served.join().unwrap(), [1_000, 1_000]);
    let outcome = proxy.finish(LONG).unwrap();
    assert!(outcome.recordings[0].to_server == noise(1, 1_000) && outcome.recordings[0].whole);
    assert!(outcome.recordings[1].to_server == noise(2, 1_000)[..500] && !outcome.recordings[1].whole);
}
