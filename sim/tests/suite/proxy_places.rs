//! Where faults strike in a proxy, and which have no place.

use std::io::Write;

use faults::Flow;
use faults::proxy::{Connections, PlacedFault, place};
use faults::{At, Lengths, NoPlace, Region};

use super::proxy::{LONG, closed, connect, fault, proxy, read_all, server};

#[test]
fn a_place_is_a_byte_of_what_was_sent_whatever_others_do_before_it() {
    let cases = [
        ("Insert(in: ToServer, at: 1, text: \"--\"); Flip(in: ToServer, at: 3, bit: 5)", "a--bcDefgh"),
        ("Insert(in: ToServer, at: 3, text: \"-\"); Flip(in: ToServer, at: 3, bit: 5)", "abc-Defgh"),
        ("Drop(in: ToServer, at: 0, bytes: 3); Insert(in: ToServer, at: 3, text: \"-\")", "-defgh"),
        ("Drop(in: ToServer, at: 3, bytes: 1); Reorder(in: ToServer, at: 1, bytes: 1, with: 6)", "agcefbh"),
        ("Duplicate(in: ToServer, at: 0, bytes: 2); Truncate(in: ToServer, at: 4)", "ababcd"),
        ("Flip(in: ToServer, at: 6, bit: 5); Duplicate(in: ToServer, at: 2, bytes: 2)", "abcdcdefGh"),
    ];
    for (faults, expected) in cases {
        let (target, served) = server(1, |mut stream| read_all(&mut stream).0);
        let faults: Vec<_> = faults.split("; ").map(|fault| (Connections::Nth(1), fault)).collect();
        let (proxy, events) = proxy(target, &faults);
        connect(proxy.local_addr()).write_all(b"abcdefgh").unwrap();
        closed(&events, 1);
        assert_eq!(String::from_utf8(served.join().unwrap().remove(0)).unwrap(), expected, "{faults:?}");
        assert_eq!(proxy.finish(LONG).unwrap().unproved(), None, "{faults:?}");
    }
}

#[test]
fn places_in_a_stream_of_unknown_length_are_offsets() {
    let place_one = |text, lengths| place(&[(Connections::All, fault(text))], lengths, 1);
    for (text, why) in [
        ("Flip(in: ToServer, at: Last, bit: 0)", NoPlace::NoLength(At::Last)),
        ("Flip(in: ToServer, at: Percent(50), bit: 0)", NoPlace::NoLength(At::Percent(50))),
        ("Flip(in: ToClient, at: Random, bit: 0)", NoPlace::NoLength(At::Random)),
        ("Flip(in: Upload, at: 0, bit: 0)", NoPlace::NoPhase(Region::Upload)),
        ("Flip(in: Step(3), at: 0, bit: 0)", NoPlace::NoPhase(Region::Step(3))),
        ("Rot(at: 0, bit: 0)", NoPlace::NotOfStream(faults::Layer::Disk)),
        ("Latency(min: 0, max: 1)", NoPlace::NotOfStream(faults::Layer::Network)),
    ] {
        assert_eq!(place_one(text, None), Err((0, why)), "{text}");
    }
    let lengths = Some(Lengths { to_server: 101, to_client: 7 });
    let at = |text| place_one(text, lengths).map(|placed| placed[0].strike.at);
    assert_eq!(at("Flip(in: ToServer, at: Percent(50), bit: 0)"), Ok(50));
    assert_eq!(at("Flip(in: ToClient, at: Last, bit: 0)"), Ok(6));
    assert!(at("Flip(in: ToClient, at: 7, bit: 0)").is_err());
    assert!(at("Flip(in: ToClient, at: Random, bit: 0)").is_ok());
}

#[test]
fn faults_on_the_same_bytes_of_the_same_connection_have_no_place() {
    let flip = || fault("Flip(in: ToServer, at: 5, bit: 0)");
    for (one, other, clash) in [
        (Connections::Nth(1), Connections::Nth(1), true),
        (Connections::Nth(1), Connections::Nth(2), false),
        (Connections::Nth(1), Connections::All, true),
        (Connections::All, Connections::All, true),
    ] {
        assert_eq!(place(&[(one, flip()), (other, flip())], None, 0).is_err(), clash, "{one:?} {other:?}");
    }
    let placed = PlacedFault::new(Connections::Nth(7), Flow::ToClient, 99, flip()).unwrap();
    assert_eq!(placed.fault.to_string(), "Flip(in: ToClient, at: 99, bit: 0)");
    assert_eq!((placed.strike.flow, placed.strike.at), (Flow::ToClient, 99));
    assert_eq!(PlacedFault::new(Connections::All, Flow::ToClient, 0, fault("NoSpace(at: 0)")), None);
}
