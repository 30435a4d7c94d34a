//! The stores in memory and on disk behave alike, and contents read the same wherever they live.

use faults::Content;
use protocol::{Entry, FileId, FileName};
use transfer::endpoint::md5_of;
use transfer::storage::{CommitResult, DiskStore, Folder, MemoryStore, Store, StoreError};

const ID: FileId = FileId::from_bytes([7; 16]);

fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap()
}

fn put(store: &dyn Store, file: &str, id: FileId, bytes: &[u8]) -> Result<CommitResult, StoreError> {
    let mut incoming = store.create(bytes.len() as u64)?;
    for piece in bytes.chunks(3) {
        incoming.write(piece)?;
    }
    incoming.commit(&name(file), id)
}

fn read(content: &Content) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(content.len()).unwrap()];
    assert_eq!(content.read_at(0, &mut bytes).unwrap(), bytes.len());
    bytes
}

/// Runs a test on a store of each kind.
fn on_each(test: impl Fn(&dyn Store)) {
    test(&MemoryStore::default());
    let dir = tempfile::tempdir().unwrap();
    test(&DiskStore::open(dir.path()).unwrap());
}

#[test]
fn what_is_committed_is_listed_and_can_be_read() {
    on_each(|store| {
        assert_eq!(put(store, "b.txt", ID, b"hello world"), Ok(CommitResult::New));
        assert_eq!(put(store, "a.txt", ID, b"hello world"), Ok(CommitResult::New));
        let sizes = store.list().unwrap();
        assert_eq!(sizes.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["a.txt", "b.txt"]);
        assert_eq!(sizes[0], Entry { name: name("a.txt"), id: ID, size: 11 });
        assert_eq!(read(&store.open(ID).unwrap()), b"hello world");
    });
}

#[test]
fn what_is_dropped_leaves_nothing() {
    on_each(|store| {
        let mut incoming = store.create(5).unwrap();
        incoming.write(b"he").unwrap();
        assert_eq!(*store.list().unwrap(), []);
        drop(incoming);
        assert_eq!(*store.list().unwrap(), []);
        assert_eq!(store.open(ID).err(), Some(StoreError::NotFound));
    });
}

#[test]
fn other_content_under_the_same_id_is_refused_and_the_first_stays() {
    on_each(|store| {
        put(store, "one", ID, b"first").unwrap();
        assert_eq!(put(store, "two", ID, b"other"), Err(StoreError::Collision));
        assert_eq!(put(store, "one", ID, b"first, longer"), Err(StoreError::Collision));
        assert_eq!(read(&store.open(ID).unwrap()), b"first");
        assert_eq!(store.list().unwrap().len(), 1);
    });
}

#[test]
fn the_same_again_changes_nothing() {
    on_each(|store| {
        put(store, "one", ID, b"first").unwrap();
        assert_eq!(put(store, "one", ID, b"first"), Ok(CommitResult::Already));
        assert_eq!(store.list().unwrap().len(), 1);
    });
}

#[test]
fn one_name_can_stand_with_several_contents() {
    on_each(|store| {
        let other = FileId::from_bytes([8; 16]);
        put(store, "same", ID, b"first").unwrap();
        put(store, "same", other, b"second").unwrap();
        assert_eq!(store.list().unwrap().len(), 2);
        assert_eq!(read(&store.open(other).unwrap()), b"second");
    });
}

#[test]
fn a_discard_takes_one_name_and_the_content_with_the_last() {
    on_each(|store| {
        put(store, "one", ID, b"bytes").unwrap();
        put(store, "two", ID, b"bytes").unwrap();
        store.discard(ID, &name("one")).unwrap();
        assert_eq!(read(&store.open(ID).unwrap()), b"bytes");
        assert_eq!(store.discard(ID, &name("one")), Err(StoreError::NotFound));
        store.discard(ID, &name("two")).unwrap();
        assert_eq!(store.open(ID).err(), Some(StoreError::NotFound));
        assert_eq!(*store.list().unwrap(), []);
    });
}

/// A uploads, B uploads the same and is told that it is stored: A cannot take that away.
#[test]
fn a_discard_never_takes_what_another_was_told_is_stored() {
    on_each(|store| {
        assert_eq!(put(store, "one", ID, b"bytes"), Ok(CommitResult::New));
        assert_eq!(put(store, "one", ID, b"bytes"), Ok(CommitResult::Already));
        store.discard(ID, &name("one")).unwrap();
        assert_eq!(store.list().unwrap().len(), 1);
        assert_eq!(read(&store.open(ID).unwrap()), b"bytes");
        store.discard(ID, &name("one")).unwrap();
        assert_eq!(store.list().unwrap().len(), 0, "nobody is left who was told that it is stored");
        assert_eq!(put(store, "one", ID, b"bytes"), Ok(CommitResult::New));
    });
}

#[test]
fn a_download_has_its_name_only_when_it_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    for folder in [Folder::in_memory(), Folder::on_disk(dir.path()).unwrap()] {
        let mut incoming = folder.create().unwrap();
        incoming.write(b"half").unwrap();
        assert!(folder.get(&name("file")).unwrap().is_none());
        incoming.write(b" and half").unwrap();
        incoming.commit(&name("file"), ID).unwrap();
        assert_eq!(read(&folder.get(&name("file")).unwrap().unwrap()), b"half and half");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "a temporary file was left");
}

#[test]
fn noise_is_the_same_from_any_offset() {
    let noise = Content::Noise { seed: 5, len: 1000 };
    let whole = read(&noise);
    for offset in [0, 1, 63, 64, 65, 500, 999] {
        let mut part = [0; 200];
        let count = noise.read_at(offset, &mut part).unwrap();
        let start = usize::try_from(offset).unwrap();
        assert_eq!(part[..count], whole[start..(start + 200).min(1000)]);
    }
    assert_eq!(noise.read_at(1000, &mut [0; 8]).unwrap(), 0);
    assert_eq!(noise.read_at(u64::MAX, &mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_difference_is_found_where_it_is() {
    let content = |bytes: &[u8]| Content::Memory(bytes.into());
    let long = vec![1; 200_000];
    let mut changed = long.clone();
    changed[150_000] = 2;
    assert_eq!(content(&long).first_difference(&content(&changed)).unwrap(), Some(150_000));
    assert_eq!(content(&long).first_difference(&content(&long[..100])).unwrap(), Some(100));
    assert_eq!(content(&[]).first_difference(&content(b"x")).unwrap(), Some(0));
    assert_eq!(content(&long).first_difference(&content(&long.clone())).unwrap(), None);
}

#[test]
fn the_md5_is_that_of_the_rfc() {
    // The test suite of RFC 1321, A.5.
    let cases =
        [("", "d41d8cd98f00b204e9800998ecf8427e"), ("message digest", "f96b697d7cb7938d525a2f31aaf161d0")];
    for (text, digest) in cases {
        assert_eq!(md5_of(&Content::Memory(text.as_bytes().into())).unwrap().to_string(), digest);
    }
}
