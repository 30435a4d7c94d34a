//! The rungs of the corruption ladder are what they are said to be: each change passes the check that it is meant
//! to pass. The checks are written here from their definitions.

use faults::{At, Chain, Effect, Injector, Ledger, Piece};
use sim::run::Plan;
use sim::scenario::TransportKind;
use sim::transcript::Line;
use transfer::record::{Action, Kind, Message};

use super::{load, workspace};

/// The file of a rung, as it is sent and as it arrives.
fn rung(name: &str) -> [Vec<u8>; 2] {
    let scenario = load(&workspace("scenarios/ladder").join(name));
    let content = Plan::new(&scenario).unwrap().uploads().remove(0);
    let mut sent = vec![0; usize::try_from(content.len()).unwrap()];
    content.read_at(0, &mut sent).unwrap();
    let injectors = scenario.faults.iter().map(|fault| {
        let At::Offset(at) = fault.value.at else { panic!("a rung has exact offsets") };
        let distance = if let Effect::Reorder { with, .. } = fault.value.effect { with - at } else { 0 };
        Injector::new(Ledger::default().enter(fault.value.clone(), None), at, distance)
    });
    let pieces = Chain::new(injectors.collect()).push(&sent);
    let bytes = pieces.into_iter().filter_map(|piece| match piece {
        Piece::Bytes { bytes, .. } => Some(bytes),
        _ => None,
    });
    let arrived: Vec<u8> = bytes.flatten().collect();
    assert_ne!(sent, arrived, "{name} changes nothing");
    [sent, arrived]
}

/// The plain sum of the bytes, and their exclusive or.
fn sum_and_xor(bytes: &[u8]) -> (u64, u8) {
    (bytes.iter().map(|byte| u64::from(*byte)).sum(), bytes.iter().fold(0, |xor, byte| xor ^ byte))
}

/// The sum of the bytes and the sum of those sums, to a modulus: Adler-32 begins with 1, Fletcher-16 with 0.
fn sums(bytes: &[u8], first: u32, modulus: u32) -> (u32, u32) {
    bytes.iter().fold((first, 0), |(sum, sums), byte| {
        let sum = (sum + u32::from(*byte)) % modulus;
        (sum, (sums + sum) % modulus)
    })
}

/// The CRC-16 of ARC and Modbus, without a twist, bit by bit.
fn crc_16(bytes: &[u8]) -> u16 {
    let step = |crc: u16| if crc & 1 == 1 { crc >> 1 ^ 0xa001 } else { crc >> 1 };
    bytes.iter().fold(0, |crc, byte| (0..8).fold(crc ^ u16::from(*byte), |crc, _| step(crc)))
}

/// RFC 1071: the complement of the one's complement sum of 16-bit words.
fn internet_checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}

/// The CRC-32 of Ethernet, zip and gzip, bit by bit.
fn crc_32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    let crc =
        bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)));
    !crc
}

#[test]
fn the_checks_are_the_known_ones() {
    assert_eq!(crc_32(b"123456789"), 0xcbf4_3926, "the check value of every CRC catalogue");
    assert_eq!(crc_16(b"123456789"), 0xbb3d, "the same");
    assert_eq!(sums(b"Wikipedia", 1, 65_521), (0x398, 0x11e6), "an example that is often given for Adler-32");
    assert_eq!(sums(b"abcde", 0, 255), (0xf0, 0xc8), "the same for Fletcher-16");
    assert_eq!(internet_checksum(b"\x00\x01\xf2\x03\xf4\xf5\xf6\xf7"), !0xddf2, "the example of RFC 1071");
}

#[test]
fn each_rung_passes_the_check_below_it_and_not_the_next() {
    let [sent, arrived] = rung("1_one_bit.ron");
    assert_eq!(sent.len(), arrived.len());
    assert_ne!(internet_checksum(&sent), internet_checksum(&arrived));

    let [sent, arrived] = rung("2_two_words.ron");
    assert_eq!(internet_checksum(&sent), internet_checksum(&arrived));
    assert_ne!(crc_32(&sent), crc_32(&arrived));

    let [sent, arrived] = rung("3_crc_kept.ron");
    assert_eq!(crc_32(&sent), crc_32(&arrived));
    assert_ne!(md5(&sent), md5(&arrived));

    let [sent, arrived] = rung("4_md5_collision.ron");
    assert_eq!(md5(&sent), md5(&arrived));
    assert_eq!(md5(&sent), "cee9a457e790cf20d4bdaa6d69f01e41");
}

#[test]
fn beside_the_ladder_each_change_passes_one_check() {
    let [sent, arrived] = rung("2_two_words.ron");
    assert_eq!(sum_and_xor(&sent), sum_and_xor(&arrived));
    assert_ne!(sums(&sent, 0, 255), sums(&arrived, 0, 255));
    assert_ne!(sums(&sent, 1, 65_521), sums(&arrived, 1, 65_521));

    let [sent, arrived] = rung("adler_kept.ron");
    for (first, modulus) in [(1, 65_521), (0, 255)] {
        assert_eq!(sums(&sent, first, modulus), sums(&arrived, first, modulus));
    }
    assert_eq!(sum_and_xor(&sent).0, sum_and_xor(&arrived).0);
    assert_ne!(crc_16(&sent), crc_16(&arrived));
    assert_ne!(crc_32(&sent), crc_32(&arrived));

    let [sent, arrived] = rung("crc16_kept.ron");
    assert_eq!(crc_16(&sent), crc_16(&arrived));
    assert_ne!(crc_32(&sent), crc_32(&arrived));
    let [sent, arrived] = rung("3_crc_kept.ron");
    assert_ne!(crc_16(&sent), crc_16(&arrived));

    let [sent, arrived] = rung("prefix_collision.ron").map(|letter| md5(&letter));
    assert_eq!(sent[..4], arrived[..4]);
    let [sent, arrived] = rung("suffix_collision.ron").map(|letter| md5(&letter));
    assert_eq!(sent[28..], arrived[28..]);
    let [sent, arrived] = rung("digits_reordered.ron").map(|letter| md5(&letter));
    assert_ne!(sent, arrived);
    let sorted = |digits: String| {
        let mut digits = digits.into_bytes();
        digits.sort_unstable();
        digits
    };
    assert_eq!(sorted(sent), sorted(arrived));
}

fn md5(bytes: &[u8]) -> String {
    transfer::endpoint::md5_of(&faults::Content::Memory(bytes.into())).unwrap().to_string()
}

#[test]
fn a_common_suffix_keeps_the_collision() {
    let [sent, arrived] = rung("4_md5_collision.ron");
    let [sent, arrived] = [sent, arrived].map(|block| [&block[..], b"any text at all"].concat());
    assert_eq!(md5(&sent), md5(&arrived));
}

#[test]
fn two_names_swapped_in_a_listing_pass_the_checksum_of_tcp() {
    let scenario = load(&workspace("scenarios/ladder/6_names_swapped.ron"));
    let outcome = super::run_on(TransportKind::Memory, &scenario);
    // As it was sent, and as it arrived.
    let text_of = |line: &Line| match &line.action {
        Action::Sent(Message::Text { kind: Kind::Listing(_), text })
        | Action::Received(Message::Text { kind: Kind::Listing(_), text }) => Some(text.clone()),
        _ => None,
    };
    let listings: Vec<String> = outcome.conversations[0].iter().filter_map(text_of).collect();
    let [sent, arrived] = &listings[..] else { panic!("{listings:?}") };
    assert_ne!(sent, arrived);
    let sum = |listing: &str, from: usize| internet_checksum(&[&vec![0; from], listing.as_bytes()].concat());
    // Wherever the listing stands in its segment.
    for from in 0..2 {
        assert_eq!(sum(sent, from), sum(arrived, from));
    }
    assert_ne!(crc_32(sent.as_bytes()), crc_32(arrived.as_bytes()));
}
