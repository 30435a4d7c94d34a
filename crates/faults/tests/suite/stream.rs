//! The fault layer around a connection of somebody else's, with the readers that people have.

use std::time::Duration;

use faults::{At, Chain, Effect, Fault, Faulty, Flow, Injector, Ledger, Region, Wires};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

const SENT: &[u8] = b"0123456789";

fn flip_at(offset: u64) -> Fault {
    Fault { effect: Effect::Flip { bit: 0 }, region: Region::ToServer, at: At::Offset(offset) }
}

type Reader = Faulty<DuplexStream, fn() -> Duration>;

/// A reader behind these faults of the stream to it, the sender, and what the faults did.
fn connection(faults: &[Fault]) -> (Reader, DuplexStream, Ledger) {
    let ledger = Ledger::default();
    let injectors = faults.iter().map(|fault| {
        let At::Offset(at) = fault.at else { unreachable!("a test's fault has an offset") };
        Injector::new(ledger.enter(fault.clone(), None), at, 0)
    });
    let wires = Wires::new(Chain::new(injectors.collect()), Chain::default());
    let now: fn() -> Duration = || Duration::ZERO;
    let (sender, reader) = duplex(64);
    (wires.wrap(reader, Flow::ToServer, None, Arc::new(()), now), sender, ledger)
}

#[tokio::test]
async fn buffers_that_nobody_has_initialised_can_be_read_into() {
    for faults in [vec![], vec![flip_at(3)], vec![flip_at(9)]] {
        let (mut reader, mut sender, _) = connection(&faults);
        sender.write_all(SENT).await.unwrap();
        drop(sender);
        let mut all = Vec::new();
        reader.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), SENT.len(), "{faults:?}");

        let (mut reader, mut sender, _) = connection(&faults);
        sender.write_all(SENT).await.unwrap();
        let mut buffer = Vec::with_capacity(100);
        while buffer.len() < SENT.len() {
            assert!(reader.read_buf(&mut buffer).await.unwrap() > 0);
        }
        let changed = faults.first().map(|_| ());
        assert_eq!(changed.is_none(), buffer == SENT, "{faults:?}");
    }
}

#[tokio::test]
async fn a_change_has_reached_the_reader_when_it_was_read_and_not_before() {
    let (mut reader, mut sender, ledger) = connection(&[flip_at(3)]);
    sender.write_all(SENT).await.unwrap();
    let mut first = [0; 3];
    reader.read_exact(&mut first).await.unwrap();
    assert!(!ledger.records()[0].reached, "it is behind what was read");
    assert_eq!(reader.read_u8().await.unwrap(), b'3' ^ 1);
    assert!(ledger.records()[0].reached);
}

#[tokio::test]
async fn a_break_has_reached_the_reader_when_it_was_seen() {
    for (effect, is_error) in [(Effect::Reset, true), (Effect::Truncate, false), (Effect::HalfClose, false)] {
        let fault = Fault { effect, ..flip_at(3) };
        let (mut reader, mut sender, ledger) = connection(std::slice::from_ref(&fault));
        sender.write_all(SENT).await.unwrap();
        let mut first = [0; 3];
        reader.read_exact(&mut first).await.unwrap();
        assert!(!ledger.records()[0].reached, "{fault}");
        assert_eq!(reader.read(&mut first).await.is_err(), is_error, "{fault}");
        assert!(ledger.records()[0].reached, "{fault}");
    }
}
