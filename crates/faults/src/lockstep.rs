//! Moves both ends of a connection in lockstep, on one thread, without sockets, runtime or clock. Time is virtual and
//! jumps: when nothing can be delivered that *is* a stall, and time jumps to the next deadline. A run costs little more than
//! what the two machines do, and is the same each time.
//!
//! ```
//! use std::time::Duration;
//!
//! use faults::lockstep;
//! use faults::{Buffer, Effect, End, Fault, FaultyLink, Flow, Machine};
//!
//! /// Says five bytes, or hears them: a protocol of one message.
//! #[derive(Default)]
//! struct Peer { to_say: Vec<u8>, heard: Vec<u8>, over: bool }
//!
//! impl Machine for Peer {
//!     fn handle_input(&mut self, _now: Duration, input: &[u8]) -> usize {
//!         self.heard.extend_from_slice(input);
//!         self.over = self.heard.len() == 5;
//!         input.len()
//!     }
//!     fn handle_end(&mut self, _now: Duration, _end: End) { self.over = true; }
//!     fn poll_transmit(&mut self, _now: Duration, out: &mut Buffer) {
//!         self.over |= !self.to_say.is_empty();
//!         let count = out.push(&self.to_say);
//!         self.to_say.drain(..count);
//!     }
//!     fn is_closed(&self) -> bool { self.over }
//! }
//!
//! let link = FaultyLink::new([Fault::at(Flow::ToServer, 3, Effect::Flip { bit: 0 })])?;
//! let (mut client, mut server) = (Peer { to_say: b"hello".into(), ..Peer::default() }, Peer::default());
//! lockstep::pair(&mut client, &mut server, &link)?;
//! assert_eq!(server.heard, b"helmo");
//! assert!(link.all_reached());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod link;
mod rounds;

use std::io;
use std::time::Duration;

use crate::{Buffer, ConnectionId, End, FaultyLink, Machine, Wires};

pub use rounds::{Rounds, Spares};

/// How long a message takes where time is virtual and nothing else is said. Turmoil's tick is the same: finer
/// ticks cost time and coarser ones would lump messages together.
pub const LATENCY: Duration = Duration::from_millis(1);

/// Moves clients and the sessions of their server in lockstep. One value can carry any number of runs, one after the other.
#[derive(Debug, Default)]
pub struct Lockstep {
    /// Those of earlier runs.
    spares: Spares,
}

impl Lockstep {
    /// Connects `clients`, the first one first, each to the session that `accept` makes for it, and moves them all until
    /// each has come to its end. The faults of `wires` are between the two ends of the first connection.
    ///
    /// # Errors
    /// If they do not come to an end: there is always something more to move.
    pub fn run<'a>(
        &mut self,
        clients: Vec<Box<dyn Machine + 'a>>,
        accept: impl FnMut(Duration, ConnectionId) -> Box<dyn Machine + 'a>,
        wires: &Wires,
    ) -> io::Result<()> {
        let mut accept = accept;
        let mut rounds = Rounds::with_spares(wires.clone(), std::mem::take(&mut self.spares));
        for client in clients {
            rounds.connect(client, &mut accept);
        }
        let ended = rounds.run_to_end(None, &mut accept);
        self.spares = rounds.into_spares();
        ended
    }
}

/// Moves these two over `link` until both have come to their end. A client that wants another connection finds nobody there.
///
/// # Errors
/// If they do not come to an end: there is always something more to move.
pub fn pair(client: &mut dyn Machine, server: &mut dyn Machine, link: &FaultyLink) -> io::Result<()> {
    let mut server = Some(server);
    let accept = |now, connection| -> Box<dyn Machine + '_> {
        let Some(server) = server.take() else { return Box::new(Nobody) };
        server.handle_connected(now, connection);
        Box::new(server)
    };
    Lockstep::default().run(vec![Box::new(client)], accept, link.wires())
}

/// The other end of a connection that nobody has accepted.
struct Nobody;

impl Machine for Nobody {
    fn handle_input(&mut self, _now: Duration, input: &[u8]) -> usize {
        input.len()
    }

    fn handle_end(&mut self, _now: Duration, _end: End) {}

    fn poll_transmit(&mut self, _now: Duration, _out: &mut Buffer) {}

    fn is_closed(&self) -> bool {
        true
    }
}
