//! What the server does with its files, and its mistakes there.

use std::sync::Arc;
use std::time::Duration;

use super::{Ends, Session, Stored, md5};

/// Two digits as a program writes a byte that forgets the zero of a small one.
fn hex(pair: &[u8]) -> String {
    let pair = std::str::from_utf8(pair).unwrap();
    pair.strip_prefix('0').unwrap_or(pair).to_owned()
}

impl Session {
    pub(super) fn store(&mut self, name: &str, bytes: Vec<u8>) -> Ends<()> {
        if self.bug("looks-at-payload") && bytes.starts_with(b"LIST_FILES") {
            return self.refuse("unknown-command");
        }
        let id = self.hash(name, &bytes);
        let mut files = self.shared.files.lock().unwrap();
        let is_new = !files.iter().any(|file| file.0 == id && file.1 == name);
        let collides = files.iter().any(|file| file.0 == id && file.2 != bytes);
        if collides && !self.bug("takes-collisions") {
            drop(files);
            return self.refuse("collision");
        }
        if self.bug("one-name-per-content") {
            files.retain(|file| file.0 != id);
        }
        if self.bug("one-content-per-name") {
            files.retain(|file| file.1 != name);
        }
        let banned = self.bug("bans") && self.shared.banned.lock().unwrap().contains(&id);
        if (is_new || self.bug("lists-twice")) && !self.bug("lists-nothing") && !banned {
            files.push((id.clone(), name.into(), bytes));
        }
        drop(files);
        if self.bug("ends-after-upload") {
            self.die();
        }
        self.uploaded.push((id.clone(), name.into(), is_new));
        self.mine.push(id.clone());
        self.say(format!("{id}\n"))
    }

    fn hash(&self, name: &str, bytes: &[u8]) -> String {
        let files = self.shared.files.lock().unwrap();
        let like =
            |is: &dyn Fn(&Stored) -> bool| files.iter().find(|file| is(file)).map(|file| file.0.clone());
        let known = match self.shared.bug {
            "hash-by-start" => {
                like(&|file| file.2.len() == bytes.len() && file.2.get(..100) == bytes.get(..100))
            }
            "hash-by-name" => like(&|file| file.1 == name),
            _ => None,
        };
        let hashed = match self.shared.bug {
            "hashes-the-name" => name.as_bytes(),
            "hashes-nothing" => b"",
            "hashes-64k" => &bytes[..bytes.len().min(65536)],
            "hashes-few" if self.uploaded.len() > 5 => b"",
            "crlf-to-lf" if bytes.ends_with(b"\r\n") => &bytes[..bytes.len() - 1],
            "strips-lf" => bytes.strip_suffix(b"\n").unwrap_or(bytes),
            "ends-at-nul" => bytes.split(|byte| *byte == 0).next_back().unwrap(),
            "misses-whole-chunks" if bytes.len().is_multiple_of(1024) && !bytes.is_empty() => &bytes[1..],
            _ => bytes,
        };
        let id = known.unwrap_or_else(|| md5(hashed));
        let is_number = id.bytes().all(|byte| byte.is_ascii_digit());
        match self.shared.bug {
            "strips-zeros" => id.trim_start_matches('0').to_owned(),
            "drops-zeros" => id.as_bytes().chunks(2).map(hex).collect(),
            "counts-hashes" if is_number => format!("{:e}", id.parse::<f64>().unwrap()),
            _ => id,
        }
    }

    pub(super) fn download(&mut self, id: &str) -> Ends<()> {
        self.downloads += 1;
        let any_case = if self.bug("any-case-of-ids") { id.to_lowercase() } else { id.to_owned() };
        let by_name = self.bug("finds-by-name");
        let is_id = any_case.len() == 32 && any_case.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_id && !by_name {
            return self.refuse(if self.bug("bad-id-not-found") { "not-found" } else { "bad-id" });
        }
        let is_number = id.bytes().all(|byte| byte.is_ascii_digit());
        let strange = (self.bug("looks-up-without-zeros") && (id.starts_with('0') || id.contains("00")))
            || (self.bug("looks-up-numbers") && is_number)
            || (self.bug("per-session-downloads") && !self.mine.contains(&any_case))
            || (self.bug("downloads-twice") && self.downloads > 2);
        let is = |file: &&Stored| file.0 == any_case || (by_name && file.1 == id);
        let found = self.shared.files.lock().unwrap().iter().find(is).cloned();
        let found = found.or_else(|| self.shared.hidden.lock().unwrap().iter().find(is).cloned());
        let found = found.filter(|file| !self.bug("no-command-files") || !file.2.starts_with(b"LIST_FILES"));
        let Some((_, _, mut bytes)) = found.filter(|_| !strange) else {
            return self.refuse(if self.bug("not-found-is-other") { "other" } else { "not-found" });
        };
        match self.shared.bug {
            "seven-bits" if bytes.starts_with(b"\0\r\n\x01\r\n") => {
                bytes.iter_mut().filter(|byte| **byte == 0xff).for_each(|byte| *byte = 0x7f);
            }
            "64k-downloads" => bytes.iter_mut().skip(65536).for_each(|byte| *byte = 0),
            "damages-the-middle" => bytes.iter_mut().skip(500).take(1).for_each(|byte| *byte ^= 1),
            "unlists-downloads" => self.shared.files.lock().unwrap().retain(|file| file.0 != any_case),
            _ => {}
        }
        let size = match bytes.len() {
            0 if self.bug("no-size-of-nothing") => String::new(),
            _ if self.bug("no-size") => "here it comes".into(),
            size if self.bug("pads-sizes") => format!("{size:010}"),
            size => size.to_string(),
        };
        if self.bug("refuses-in-payload") && bytes.len() > 1 << 20 {
            self.say([format!("{size}\n").as_bytes(), &bytes[..100_000]].concat())?;
            let files = self.shared.files.lock().unwrap();
            let is_there = |files: &mut Vec<Stored>| files.iter().any(|file| file.0 == any_case);
            drop(self.shared.discarded.wait_timeout_while(files, Duration::from_secs(30), is_there).unwrap());
            return self.refuse("not-found");
        }
        self.say([format!("{size}\n").as_bytes(), &bytes].concat())?;
        if self.bug("sends-twice") {
            self.say(&bytes)?;
        }
        if self.bug("more-after-download") { self.say("\n") } else { Ok(()) }
    }

    pub(super) fn discard(&mut self, id: &str) -> Ends<()> {
        if id.len() != 32 || !id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return self.refuse(if self.bug("discards-bad-ids") { "not-found" } else { "bad-id" });
        }
        let shared = Arc::clone(&self.shared);
        let mut files = shared.files.lock().unwrap();
        let is_there = files.iter().any(|file| file.0 == id);
        let find = |upload: &(String, String, bool)| upload.0 == id;
        let latest = if self.bug("discards-the-first") {
            self.uploaded.iter().position(find)
        } else {
            self.uploaded.iter().rposition(find)
        };
        let Some(latest) = latest else {
            let lax = (self.bug("discards-unknown") && !is_there)
                || (self.bug("discards-twice") && self.mine.contains(&id.to_owned()))
                || (self.bug("discards-of-others") && is_there);
            return match (lax, is_there) {
                (true, _) => self.say("Discarded\n"),
                (false, true) => self.refuse("not-yours"),
                (false, false) => self.refuse("not-found"),
            };
        };
        let (_, name, is_new) = self.uploaded.remove(latest);
        let gone = |file: &Stored| file.1 == name && (file.0 == id || self.bug("discards-by-name"));
        if (is_new || self.bug("discards-what-was")) && !self.bug("discards-nothing") {
            if self.bug("only-unlists") {
                shared.hidden.lock().unwrap().extend(files.iter().filter(|file| gone(file)).cloned());
            }
            files.retain(|file| !gone(file));
            shared.discarded.notify_all();
        }
        shared.banned.lock().unwrap().push(id.into());
        self.say("Discarded\n")
    }
}
