//! The store on the machine's disk: what it finds, what it refuses, what it costs, and many sessions at once.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use faults::Content;
use protocol::{FileId, FileName};
use transfer::endpoint::md5_of;
use transfer::storage::disk::{Disk, Opening, SimulatedDisk};
use transfer::storage::{CommitResult, DiskStore, Limits, OpenError, Store, StoreError};

fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap()
}

fn id_of(bytes: &[u8]) -> FileId {
    md5_of(&Content::Memory(bytes.into())).unwrap()
}

fn put(store: &dyn Store, file: &str, bytes: &[u8]) -> Result<CommitResult, StoreError> {
    let mut incoming = store.create(bytes.len() as u64)?;
    incoming.write(bytes)?;
    incoming.commit(&name(file), id_of(bytes))
}

fn listed(store: &dyn Store) -> Vec<String> {
    store.list().unwrap().iter().map(|entry| entry.name.to_string()).collect()
}

fn arriving(dir: &Path) -> usize {
    fs::read_dir(dir.join(".incoming")).unwrap().count()
}

#[test]
fn a_place_for_arriving_files_that_was_tidied_away_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = DiskStore::open(dir.path()).unwrap();
    fs::remove_dir(dir.path().join(".incoming")).unwrap();
    assert_eq!(put(&store, "one", b"first"), Ok(CommitResult::New));
    assert_eq!(listed(&store), ["one"]);
}

#[test]
fn it_is_found_again_as_it_was_left() {
    let dir = tempfile::tempdir().unwrap();
    let store = DiskStore::open(&dir.path().join("deep/in/store")).unwrap();
    put(&store, "one", b"first").unwrap();
    put(&store, "two", b"first").unwrap();
    put(&store, "one", b"second").unwrap();
    let before = store.list().unwrap();
    assert!(Arc::ptr_eq(&before, &store.list().unwrap()), "sessions share a snapshot");
    drop(store);
    let again = DiskStore::open(&dir.path().join("deep/in/store")).unwrap();
    assert_eq!(again.list().unwrap(), before);
    assert_eq!(*again.opening(), Opening::default());
    assert_eq!(put(&again, "one", b"first"), Ok(CommitResult::Already));
}

#[test]
fn leftovers_are_cleared_and_strays_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = DiskStore::open(dir.path()).unwrap();
    put(&store, "good", b"bytes").unwrap();
    drop(store);
    let id = dir.path().join(id_of(b"bytes").to_string());
    fs::write(dir.path().join(".incoming/17"), b"half").unwrap();
    fs::create_dir(dir.path().join("d41d8cd98f00b204e9800998ecf8427e")).unwrap();
    fs::write(dir.path().join("notes.txt"), b"mine").unwrap();
    fs::write(id.join("new\nline"), b"odd").unwrap();
    fs::create_dir(id.join("directory")).unwrap();
    let store = DiskStore::open(dir.path()).unwrap();
    assert_eq!(listed(&store), ["good"]);
    let Opening { leftovers, empty_directories, strays, stray_paths } = store.opening().clone();
    assert_eq!((leftovers, empty_directories, strays), (1, 1, 3));
    assert!(stray_paths.contains(&id.join("directory")) && stray_paths.iter().all(|path| path.exists()));
    assert_eq!(arriving(dir.path()), 0);
}

#[test]
fn a_second_server_is_told_that_the_store_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let first = DiskStore::open(dir.path()).unwrap();
    let error = DiskStore::open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::InUse(_)), "{error}");
    assert!(error.to_string().contains("in use"), "{error}");
    // A file that is still arriving keeps the store in use.
    let arriving = first.create(1).unwrap();
    drop(first);
    assert!(DiskStore::open(dir.path()).is_err());
    drop(arriving);
    DiskStore::open(dir.path()).unwrap();
}

#[cfg(unix)]
#[test]
fn no_symbolic_link_is_followed() {
    use std::os::unix::fs::symlink;
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = DiskStore::open(dir.path()).unwrap();
    put(&store, "file", b"bytes").unwrap();

    // For an id; and for a file that is listed.
    symlink(elsewhere.path(), dir.path().join(id_of(b"other").to_string())).unwrap();
    assert!(matches!(put(&store, "file", b"other"), Err(StoreError::Io(_))));
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    let path = dir.path().join(id_of(b"bytes").to_string()).join("file");
    fs::rename(&path, elsewhere.path().join("file")).unwrap();
    symlink(elsewhere.path().join("file"), &path).unwrap();
    assert!(matches!(store.open(id_of(b"bytes")), Err(StoreError::Io(_))));
    // For the directory of an id that is listed.
    put(&store, "file", b"more bytes").unwrap();
    let id = dir.path().join(id_of(b"more bytes").to_string());
    fs::rename(&id, elsewhere.path().join("id")).unwrap();
    symlink(elsewhere.path().join("id"), &id).unwrap();
    assert!(matches!(store.open(id_of(b"more bytes")), Err(StoreError::Io(_))));
    assert!(matches!(store.discard(id_of(b"more bytes"), &name("file")), Err(StoreError::Io(_))));
    assert_eq!(fs::read(elsewhere.path().join("id/file")).unwrap(), b"more bytes");
    drop(store);

    // All are strays to the next.
    let store = DiskStore::open(dir.path()).unwrap();
    assert_eq!((listed(&store).len(), store.opening().strays), (0, 3));
    assert!(matches!(put(&store, "file", b"bytes"), Err(StoreError::Io(_))), "a link has the name");
    drop(store);

    fs::remove_dir(dir.path().join(".incoming")).unwrap();
    symlink(elsewhere.path(), dir.path().join(".incoming")).unwrap();
    let error = DiskStore::open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::NotADirectory(_)), "{error}");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 2, "nothing was cleared there");
}

#[test]
fn limits_hold_from_the_announcement_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = DiskStore::open_with(dir.path(), Limits { max_file_size: 6, quota: 10, ..Limits::default() })
        .unwrap();
    assert_eq!(store.create(7).err(), Some(StoreError::TooLarge));
    put(&store, "five", b"12345").unwrap();
    let arriving = store.create(4).unwrap();
    assert_eq!(store.create(2).err(), Some(StoreError::NoSpace), "announced bytes are taken");
    drop(arriving);
    assert_eq!(put(&store, "again", b"12345"), Ok(CommitResult::New));
    assert_eq!(put(&store, "more", b"67890"), Ok(CommitResult::New), "a further name takes nothing");
    assert_eq!(store.create(1).err(), Some(StoreError::NoSpace));
    store.discard(id_of(b"67890"), &name("more")).unwrap();
    drop(store);
    let store = DiskStore::open_with(dir.path(), Limits { max_file_size: 6, quota: 10, ..Limits::default() })
        .unwrap();
    assert_eq!(store.create(6).err(), Some(StoreError::NoSpace));
    store.create(5).unwrap();
}

#[test]
fn a_listing_has_no_more_lines_than_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let store = DiskStore::open_with(dir.path(), Limits { max_files: 2, ..Limits::default() }).unwrap();
    put(&store, "one", b"1").unwrap();
    let arriving = store.create(1).unwrap();
    assert_eq!(store.create(1).err(), Some(StoreError::NoSpace));
    drop(arriving);
    put(&store, "two", b"1").unwrap();
    assert_eq!(store.create(1).err(), Some(StoreError::NoSpace));
    assert_eq!(Limits::default().max_files, protocol::wire::MAX_ENTRIES);
}

#[test]
fn a_listing_is_no_longer_than_it_may_be() {
    let longest = protocol::wire::MAX_ENTRY as u64;
    let line = format!("{};one;1\n", id_of(b"1")).len() as u64;
    let dir = tempfile::tempdir().unwrap();
    let store_with = |max_listing: u64| {
        DiskStore::open_with(dir.path(), Limits { max_listing, ..Limits::default() }).unwrap()
    };
    let store = store_with(longest - 1);
    assert_eq!(store.create(1).err(), Some(StoreError::NoSpace), "its name could be as long as that");
    drop(store);
    let store = store_with(line + longest);
    let arriving = store.create(1).unwrap();
    assert_eq!(store.create(1).err(), Some(StoreError::NoSpace));
    drop(arriving);
    put(&store, "one", b"1").unwrap();
    put(&store, "two", b"1").unwrap();
    assert_eq!(store.create(1).err(), Some(StoreError::NoSpace));
    store.discard(id_of(b"1"), &name("two")).unwrap();
    drop(store.create(1).unwrap());
    drop(store);
    store_with(line + longest).create(1).unwrap();
    assert_eq!(Limits::default().max_listing, protocol::wire::MAX_LISTING);
}

/// What is stored and what is arriving is one account: nothing slips through when the one becomes the other.
#[test]
fn whoever_asks_while_files_are_stored_gets_no_room_that_is_taken() {
    const FILES: u32 = 1_000;
    let limits = Limits { quota: 4 * u64::from(FILES), ..Limits::default() };
    let store = DiskStore::open_on(Arc::new(SimulatedDisk::default()), limits).unwrap();
    let begin = |number: u32| {
        let bytes = number.to_be_bytes();
        let mut incoming = store.create(4).unwrap();
        incoming.write(&bytes).unwrap();
        (incoming, id_of(&bytes))
    };
    let arriving: Vec<_> = (0..FILES).map(begin).collect();
    let stored = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stored.load(Ordering::Relaxed) {
                    assert_eq!(store.create(1).err(), Some(StoreError::NoSpace));
                }
            });
        }
        let committed = arriving.into_iter().map(|(incoming, id)| incoming.commit(&name("file"), id));
        let all = committed.filter(|committed| *committed == Ok(CommitResult::New)).count();
        stored.store(true, Ordering::Relaxed);
        assert_eq!(all, FILES as usize);
    });
    assert_eq!(store.create(1).err(), Some(StoreError::NoSpace));
    // All that was taken back is there again.
    for entry in store.list().unwrap().iter() {
        store.discard(entry.id, &entry.name).unwrap();
    }
    store.create(limits.quota).unwrap();
}

/// Where a file can have so many names only, a further one keeps a copy, which takes space.
#[test]
fn copies_beyond_the_links_that_a_file_can_have_count() {
    const LINKS: usize = 3;
    let content = [b'x'; 10];
    let limits = Limits { quota: 45, ..Limits::default() };
    let fill = |store: &DiskStore, disk: &SimulatedDisk, names: std::ops::Range<u32>| {
        let stored = names.filter(|number| put(store, &format!("name {number:02}"), &content).is_ok());
        let stored = stored.count();
        assert!(disk.used() <= limits.quota, "{} bytes for {stored} further names", disk.used());
        stored
    };
    let disk = SimulatedDisk::default();
    disk.limit_names(LINKS);
    let store = DiskStore::open_on(Arc::new(disk.clone()), limits).unwrap();
    // Whatever arrives needs its room first: of four copies that fit, the last one cannot be shared.
    assert_eq!(fill(&store, &disk, 0..30), 3 * LINKS + 1);
    assert_eq!(disk.used(), 40);
    drop(store);
    // It is the same when the store is opened again.
    let disk = disk.resume();
    let store = DiskStore::open_on(Arc::new(disk.clone()), limits).unwrap();
    assert_eq!(fill(&store, &disk, 30..60), 0);
    // A copy is gone with its last name, and no sooner.
    for number in 0..2 {
        // Those that were found cannot be taken back; they can be removed.
        disk.remove(&path(&format!("name {number:02}"), &content)).unwrap();
    }
    drop(store);
    let disk = disk.resume();
    let store = DiskStore::open_on(Arc::new(disk.clone()), limits).unwrap();
    assert_eq!(fill(&store, &disk, 30..60), 0);
    disk.remove(&path("name 02", &content)).unwrap();
    drop(store);
    let disk = disk.resume();
    let store = DiskStore::open_on(Arc::new(disk.clone()), limits).unwrap();
    assert_eq!(fill(&store, &disk, 30..60), LINKS, "beside the one that was alone, and then a copy");
}

fn path(file: &str, content: &[u8]) -> std::path::PathBuf {
    Path::new(&id_of(content).to_string()).join(file)
}

/// The store works in the directory that it opened, not in whatever stands under its path.
#[cfg(unix)]
#[test]
fn a_link_that_takes_the_place_of_the_store_diverts_nothing() {
    let outside = tempfile::tempdir().unwrap();
    let [dir, moved, elsewhere] = ["store", "moved", "elsewhere"].map(|name| outside.path().join(name));
    let store = DiskStore::open(&dir).unwrap();
    put(&store, "before", b"before").unwrap();
    put(&store, "gone", b"gone").unwrap();
    let mut incoming = store.create(4).unwrap();
    incoming.write(b"in the").unwrap();
    // A store like ours, that somebody else serves.
    let other = DiskStore::open(&elsewhere).unwrap();
    put(&other, "theirs", b"gone").unwrap();
    let theirs = || {
        let mut names: Vec<_> = walk(&elsewhere);
        names.sort();
        names
    };
    let before = theirs();
    fs::rename(&dir, &moved).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &dir).unwrap();

    incoming.write(b" midst").unwrap();
    assert_eq!(incoming.commit(&name("midst"), id_of(b"in the midst")), Ok(CommitResult::New));
    assert_eq!(put(&store, "after", b"after"), Ok(CommitResult::New));
    assert_eq!(put(&store, "beside", b"before"), Ok(CommitResult::New));
    assert_eq!(store.discard(id_of(b"gone"), &name("gone")), Ok(()));
    assert_eq!(store.open(id_of(b"after")).unwrap().len(), 5);
    assert_eq!(theirs(), before, "nothing was put there or taken away");
    let listing = listed(&store);
    drop(store);
    assert_eq!(listed(&DiskStore::open(&moved).unwrap()), listing);
    assert_eq!(listing, ["after", "before", "beside", "midst"]);
}

/// Everything below a directory.
#[cfg(unix)]
fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        }
        found.push(path);
    }
    found
}

#[test]
fn a_file_that_somebody_removed_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let store = DiskStore::open(dir.path()).unwrap();
    put(&store, "a", b"bytes").unwrap();
    put(&store, "b", b"bytes").unwrap();
    let id = dir.path().join(id_of(b"bytes").to_string());
    fs::remove_file(id.join("a")).unwrap();
    assert_eq!(store.open(id_of(b"bytes")).unwrap().len(), 5);
    assert_eq!(listed(&store), ["b"]);
    put(&store, "z", b"bytes").unwrap();
    fs::remove_file(id.join("z")).unwrap();
    assert_eq!(put(&store, "z", b"bytes"), Ok(CommitResult::New), "what is not there is not acknowledged");
    assert!(id.join("z").exists());
    fs::remove_dir_all(&id).unwrap();
    assert_eq!(store.open(id_of(b"bytes")).err(), Some(StoreError::NotFound));
    assert_eq!(put(&store, "c", b"bytes"), Ok(CommitResult::New));
    fs::remove_dir_all(&id).unwrap();
    assert_eq!(store.discard(id_of(b"bytes"), &name("c")), Ok(()));
    assert_eq!(put(&store, "c", b"bytes"), Ok(CommitResult::New), "the store still works");
}

/// What docs/store.md says.
#[test]
fn the_synchronisations_are_as_few_as_promised() {
    let dir = tempfile::tempdir().unwrap();
    let cost = |store: &DiskStore, work: &dyn Fn(&DiskStore)| {
        let before = store.syncs();
        work(store);
        store.syncs() - before
    };
    let upload = |file: &'static str| {
        move |store: &DiskStore| {
            put(store, file, b"bytes").unwrap();
        }
    };
    let discard = |store: &DiskStore| store.discard(id_of(b"bytes"), &name("two")).unwrap();
    let store = DiskStore::open(dir.path()).unwrap();
    assert_eq!(cost(&store, &upload("one")), 3, "new content");
    assert_eq!(cost(&store, &upload("two")), 1, "a further name");
    assert_eq!(cost(&store, &upload("two")), 0, "the same again");
    assert_eq!(cost(&store, &discard), 0, "taken back, while another upload of it stands");
    assert_eq!(cost(&store, &discard), 1, "removed");
    drop(store);
    let store = DiskStore::open(dir.path()).unwrap();
    assert_eq!(
        cost(&store, &upload("one")),
        1,
        "the same again, of which it is not known whether it is durable"
    );
    assert_eq!(cost(&store, &upload("one")), 0);
}

#[cfg(unix)]
#[test]
fn a_further_name_takes_no_further_space() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().unwrap();
    let store = DiskStore::open(dir.path()).unwrap();
    put(&store, "one", b"bytes").unwrap();
    put(&store, "two", b"bytes").unwrap();
    let id = dir.path().join(id_of(b"bytes").to_string());
    assert_eq!(fs::metadata(id.join("two")).unwrap().nlink(), 2);
    store.discard(id_of(b"bytes"), &name("one")).unwrap();
    assert_eq!(fs::read(id.join("two")).unwrap(), b"bytes");
    assert_eq!(arriving(dir.path()), 0);
}

#[test]
fn many_sessions_at_once_are_all_told_the_truth() {
    const SESSIONS: usize = 8;
    const ROUNDS: usize = 25;
    let dir = tempfile::tempdir().unwrap();
    let store = DiskStore::open(dir.path()).unwrap();
    let (new, kept) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for session in 0..SESSIONS {
            let (store, new, kept) = (&store, &new, &kept);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    // Each content is uploaded by all, under two names; every other session takes its upload back.
                    let bytes = format!("content {round}");
                    let file = if session < SESSIONS / 2 { "left" } else { "right" };
                    match put(store, file, bytes.as_bytes()).unwrap() {
                        CommitResult::New => new.fetch_add(1, Ordering::Relaxed),
                        CommitResult::Already => 0,
                    };
                    if session % 2 == 0 {
                        store.discard(id_of(bytes.as_bytes()), &name(file)).unwrap();
                    } else {
                        kept.fetch_add(1, Ordering::Relaxed);
                    }
                    let content = store.open(id_of(bytes.as_bytes()));
                    assert!(session % 2 == 0 || content.unwrap().len() == bytes.len() as u64);
                }
            });
        }
    });
    assert!(new.into_inner() >= 2 * ROUNDS);
    assert_eq!(store.list().unwrap().len(), 2 * ROUNDS, "each has an upload that was not taken back");
    let before = store.list().unwrap();
    drop(store);
    let store = DiskStore::open(dir.path()).unwrap();
    assert_eq!(store.list().unwrap(), before);
    for entry in before.iter() {
        assert_eq!(md5_of(&store.open_named(entry.id, &entry.name).unwrap()).unwrap(), entry.id);
    }
}
