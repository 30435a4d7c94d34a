//! Finding a payload in what was recorded: every byte that is said to be found stands there, and enough are.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::thread;
use std::time::Duration;

use faults::proxy::locate::{Location, Search, Spot, Stream, locate};
use faults::proxy::{Connections, PlacedFault, Proxy, Settings, place};
use faults::{Flow, Lengths};
use notation::parse_fault;
use proptest::collection::vec;
use proptest::prelude::*;

use super::proxy::noise;

const fn stream(connection: u64, bytes: &[u8]) -> Stream<'_> {
    Stream { connection, flow: Flow::ToServer, bytes }
}

/// A stream with the payload in pieces of these sizes, with what stands before each, and where each piece is.
fn framed(payload: &[u8], parts: &[(Vec<u8>, usize)]) -> (Vec<u8>, Vec<(Range<usize>, usize)>) {
    let (mut stream, mut places, mut from) = (Vec::new(), Vec::new(), 0);
    for (frame, size) in parts.iter().cycle() {
        if from == payload.len() {
            break;
        }
        let to = payload.len().min(from + size);
        stream.extend(frame);
        places.push((from..to, stream.len()));
        stream.extend(&payload[from..to]);
        from = to;
    }
    stream.extend(b"the end");
    (stream, places)
}

/// Where the byte at `offset` of the payload really stands.
fn truth(places: &[(Range<usize>, usize)], offset: usize) -> u64 {
    let (range, at) = places.iter().find(|(range, _)| range.contains(&offset)).unwrap();
    (at + offset - range.start) as u64
}

fn spot(offset: u64) -> Spot {
    Spot { connection: 1, flow: Flow::ToServer, offset }
}

/// Asserts that whatever is found is the truth.
fn check(location: &Location, places: &[(Range<usize>, usize)], length: usize) {
    let mut known = 0;
    for offset in 0..length {
        if let Some(found) = location.spot(offset as u64) {
            assert_eq!(found, spot(truth(places, offset)), "byte {offset}");
            known += 1;
        }
    }
    assert_eq!(location.covered(), known);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_payload_in_frames_is_found_where_it_is(
        // Pieces too short to be told from chance are not what this is about: they stay a small share.
        seed in 1u64..1_000, length in 2_000usize..20_000,
        parts in vec((vec(any::<u8>(), 1..12), 160usize..3_000), 1..8),
    ) {
        let payload = noise(seed, length);
        let (bytes, places) = framed(&payload, &parts);
        let location = locate(&[stream(1, &bytes)], &payload, &Search::default()).unwrap();
        check(&location, &places, length);
    }

    #[test]
    fn a_payload_without_frames_is_one_piece(
        seed in 1u64..1_000, length in 1usize..5_000, before in vec(any::<u8>(), 0..300), behind in vec(any::<u8>(), 0..300),
    ) {
        let payload = noise(seed, length);
        let bytes = [&before[..], &payload, &behind].concat();
        let location = locate(&[stream(1, &bytes)], &payload, &Search::default()).unwrap();
        prop_assert_eq!(location.pieces().len(), 1);
        prop_assert_eq!(location.covered(), length as u64);
        let at = usize::try_from(location.spot(0).unwrap().offset).unwrap();
        prop_assert_eq!(&bytes[at..at + length], &payload[..]);
    }

    #[test]
    fn what_is_not_there_is_not_found(seed in 1u64..1_000, length in 1usize..20_000) {
        // As good as encrypted: other noise.
        let bytes = noise(seed + 1_000, 2 * length);
        prop_assert_eq!(locate(&[stream(1, &bytes)], &noise(seed, length.max(100)), &Search::default()), None);
    }
}

#[test]
fn a_frame_that_begins_as_the_payload_goes_on_is_not_taken_for_it() {
    let payload = noise(3, 1_003);
    // The last piece is too short to be recognised, and its frame begins with its first two bytes.
    let frame = [&payload[1_000..1_002], b"frame"].concat();
    let bytes = [&payload[..1_000], &frame, &payload[1_000..]].concat();
    let location = locate(&[stream(1, &bytes)], &payload, &Search::default()).unwrap();
    check(&location, &[(0..1_000, 0), (1_000..1_003, 1_007)], 1_003);
    assert_eq!(location.spot(991), Some(spot(991)));
}

#[test]
fn a_part_that_is_missing_counts_against_the_coverage() {
    let payload = noise(3, 10_000);
    // The foreign bytes begin and end as the payload would go on.
    let foreign = [&payload[4_000..4_003], b"and so on", &payload[5_997..6_000]].concat();
    let bytes = [&payload[..4_000], &foreign, &payload[6_000..]].concat();
    let search = |coverage| Search { coverage, ..Search::default() };
    assert_eq!(locate(&[stream(1, &bytes)], &payload, &search(80)), None);
    let location = locate(&[stream(1, &bytes)], &payload, &search(79)).unwrap();
    check(&location, &[(0..4_000, 0), (4_000..6_000, usize::MAX / 2), (6_000..10_000, 4_015)], 10_000);
    assert_eq!(location.spot(5_000), None);
    let next = location.known_from(5_000).unwrap();
    assert!((6_000..6_020).contains(&next), "{next}");
    assert_eq!(location.known_from(10_000), None);
}

#[test]
fn pieces_can_be_on_several_connections_in_any_order() {
    let payload = noise(4, 9_000);
    let (one, two) = ([&b"x"[..], &payload[6_000..]].concat(), [&payload[..3_000], b"yy"].concat());
    let three = [&payload[3_000..6_000], b"z"].concat();
    let streams = [stream(1, &one), stream(2, &two), stream(3, &three)];
    let location = locate(&streams, &payload, &Search::default()).unwrap();
    let ends: Vec<_> =
        location.pieces().iter().map(|piece| (piece.connection, piece.payload.start)).collect();
    let expected = [(2, 0), (3, 3_000), (1, 6_000)];
    assert_eq!(ends.len(), 3);
    for ((connection, start), (wanted, near)) in ends.into_iter().zip(expected) {
        assert!(connection == wanted && (near..near + 20).contains(&start), "{connection} {start}");
    }
    assert_eq!(location.spot(6_500).unwrap().offset, 501);
}

#[test]
fn of_two_copies_the_fuller_one_counts() {
    let payload = noise(5, 5_000);
    let (part, _) = framed(&payload[..3_000], &[(b"--".to_vec(), 500)]);
    let (full, places) = framed(&payload, &[(b"--".to_vec(), 700)]);
    let location = locate(&[stream(9, &part), stream(1, &full)], &payload, &Search::default()).unwrap();
    check(&location, &places, 5_000);
}

#[test]
fn a_long_payload_is_found_in_seconds() {
    let payload = noise(6, 8 << 20);
    let (bytes, places) = framed(&payload, &[(b"1f40\r\n".to_vec(), 8_000)]);
    let location = locate(&[stream(1, &bytes)], &payload, &Search::default()).unwrap();
    assert!(location.covered() > 8_300_000, "{}", location.covered());
    for offset in [0, 1_000_000, 8_000_000] {
        assert_eq!(location.spot(offset as u64), Some(spot(truth(&places, offset))));
    }
    assert_eq!(locate(&[stream(1, &bytes)], &noise(7, 8 << 20), &Search::default()), None);
}

/// Sends `payload` in chunks through a proxy with these faults to a server that puts it together again.
fn send(payload: &[u8], settings: Settings) -> (Vec<u8>, faults::proxy::ProxyOutcome) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut whole, mut size) = (Vec::new(), [0; 4]);
        while stream.read_exact(&mut size).is_ok() {
            let mut chunk = vec![0; u32::from_be_bytes(size).try_into().unwrap()];
            stream.read_exact(&mut chunk).unwrap();
            whole.extend(chunk);
        }
        whole
    });
    let proxy = Proxy::bind("127.0.0.1:0", target, settings).unwrap().spawn(drop).unwrap();
    let mut client = TcpStream::connect(proxy.local_addr()).unwrap();
    for chunk in payload.chunks(1_000) {
        client.write_all(&u32::try_from(chunk.len()).unwrap().to_be_bytes()).unwrap();
        client.write_all(chunk).unwrap();
    }
    drop(client);
    (serving.join().unwrap(), proxy.finish(Duration::from_secs(60)).unwrap())
}

#[test]
fn a_fault_is_addressed_inside_the_payload_of_a_foreign_protocol() {
    let payload = noise(8, 20_000);
    let (whole, control) = send(&payload, Settings { recording: Some(1 << 20), ..Settings::default() });
    assert!(whole == payload);
    let recording = &control.recordings[0];
    let streams = [stream(1, &recording.to_server)];
    let spot = locate(&streams, &payload, &Search::default()).unwrap().spot(12_345).unwrap();

    let flip = parse_fault("Flip(in: ToServer, at: 0, bit: 7)", "test").unwrap().value;
    let placed =
        PlacedFault::new(Connections::Nth(spot.connection), spot.flow, spot.offset, flip.clone()).unwrap();
    let (struck, outcome) = send(&payload, Settings { faults: vec![placed], ..Settings::default() });
    let mut expected = payload.clone();
    expected[12_345] ^= 0x80;
    assert!(struck == expected);
    assert_eq!(outcome.unproved(), None);

    // Without a location, by share: the length is that of the control run.
    let lengths = Lengths { to_server: recording.to_server.len() as u64, to_client: 0 };
    let half = faults::Fault { at: faults::At::Percent(50), ..flip };
    let faults = place(&[(Connections::All, half)], Some(lengths), 0).unwrap();
    let (struck, outcome) = send(&payload, Settings { faults, ..Settings::default() });
    assert!(struck != payload && struck.len() == payload.len());
    assert_eq!(outcome.unproved(), None);
}
