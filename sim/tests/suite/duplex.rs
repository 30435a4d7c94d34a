//! A server that refuses in the middle of a large upload, while the client is still writing: neither side may
//! wait for the other, on any lane. With a driver that writes everything before it reads, this hangs.

use std::sync::Arc;
use std::time::Duration;

use faults::{Content, Wires};
use protocol::{Entry, ErrorCode, FileId, FileName};
use sim::transport::{Job, LATENCY, Memory, Tcp, Transport, Turmoil};
use transfer::endpoint::{Client, ClientCommand, ClientConfig, ServerConfig, Sessions};
use transfer::record::{Action, Kind, Message, Recorder};
use transfer::storage::{CommitResult, Folder, Incoming, Store, StoreError};

/// More than all buffers on the way hold together.
const SIZE: u64 = 16 * 1024 * 1024;

/// A store whose disk is full after the first bytes.
struct FullDisk;

impl Store for FullDisk {
    fn list(&self) -> Result<Arc<[Entry]>, StoreError> {
        Ok(Arc::default())
    }
    fn create(&self, _size: u64) -> Result<Box<dyn Incoming>, StoreError> {
        Ok(Box::new(Self))
    }
    fn open(&self, _id: FileId) -> Result<Content, StoreError> {
        Err(StoreError::NotFound)
    }
    fn discard(&self, _id: FileId, _name: &FileName) -> Result<(), StoreError> {
        Err(StoreError::NotFound)
    }
}

impl Incoming for FullDisk {
    fn write(&mut self, _bytes: &[u8]) -> Result<(), StoreError> {
        Err(StoreError::NoSpace)
    }
    fn content(&self) -> Result<Content, StoreError> {
        Err(StoreError::NotFound)
    }
    fn commit(self: Box<Self>, _name: &FileName, _id: FileId) -> Result<CommitResult, StoreError> {
        Err(StoreError::NoSpace)
    }
}

fn upload_to_full_disk(transport: &mut dyn Transport) -> Vec<Action> {
    let record = Recorder::default();
    let upload = ClientCommand::Upload {
        name: FileName::parse("large").unwrap(),
        content: Content::Noise { seed: 1, len: SIZE },
    };
    let commands = vec![upload, ClientCommand::ListFiles];
    let client = Client::new(ClientConfig {
        record: record.clone(),
        ..ClientConfig::new(commands, Folder::in_memory(), Duration::from_secs(30))
    });
    let service = Arc::new(Sessions::new(ServerConfig::new(Arc::new(FullDisk), Duration::from_secs(60))));
    transport
        .run(Job {
            seed: 1,
            service,
            clients: vec![Box::new(client)],
            wires: Wires::default(),
            latency: (LATENCY, LATENCY),
        })
        .unwrap();
    record.take().into_iter().map(|event| event.action).collect()
}

#[test]
fn an_early_refusal_does_not_deadlock_and_the_session_goes_on() {
    let lanes: [Box<dyn Transport>; 4] = [
        Box::new(Memory::default()),
        Box::new(Turmoil),
        Box::new(Tcp::new().unwrap()),
        Box::new(Tcp::with_threads().unwrap()),
    ];
    for mut lane in lanes {
        let actions = upload_to_full_disk(&mut *lane);
        let refusals = actions.iter().filter(|action| {
            let kind = Kind::Refusal(ErrorCode::NoSpace);
            matches!(action, Action::Received(Message::Text { kind: got, .. }) if *got == kind)
        });
        assert_eq!(refusals.count(), 1, "{actions:?}");
        let listed = actions.iter().any(|action| {
            matches!(action, Action::Received(Message::Text { kind: Kind::Listing(names), .. }) if names.is_empty())
        });
        assert!(listed, "the session did not go on: {actions:?}");
        assert_eq!(actions.last(), Some(&Action::Disconnected));
    }
}
