//! Whose each session of the server is. Both ends of a connection recorded which one it was, so that nothing has to be
//! inferred from an order; what cannot be told by that is not told at all.

use std::collections::{BTreeMap, BTreeSet};

use faults::ConnectionId;
use transfer::record::Event;

/// The sessions of every client.
pub(super) struct OwnedSessions {
    /// Of each client, one for each of its connections, in their order. Empty if the server never took it.
    pub(super) sessions: Vec<Vec<Vec<Event>>>,
    /// Why it is not known of some session whose it is.
    pub(super) doubt: Option<String>,
}

/// Gives the sessions to the clients whose connections they were.
pub(super) fn owned(clients: &[Vec<Event>], sessions: Vec<Vec<Event>>) -> OwnedSessions {
    let mut doubt = None;
    let mut free = BTreeMap::new();
    for session in sessions {
        let id = connections(&session).next();
        match id {
            Some(id) if free.insert(id, session).is_some() => doubt = Some(twice(id)),
            Some(_) => {}
            None => doubt = Some("a session does not know its connection".into()),
        }
    }
    let mut made = BTreeSet::new();
    let mut sessions = Vec::new();
    for client in clients {
        let mut own = Vec::new();
        for id in connections(client) {
            if !made.insert(id) {
                doubt = Some(twice(id));
            }
            own.push(free.remove(&id).unwrap_or_default());
        }
        sessions.push(own);
    }
    let stray = free.into_keys().next();
    OwnedSessions {
        sessions,
        doubt: doubt.or(stray.map(|id| format!("the server had a session with {id}, which is no client's"))),
    }
}

/// The connections that one side recorded.
fn connections(events: &[Event]) -> impl Iterator<Item = ConnectionId> {
    events.iter().filter_map(|event| event.connection)
}

fn twice(id: ConnectionId) -> String {
    format!("two connections came from {id}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use transfer::record::{Action, Recorder};

    /// What a side recorded that had these connections.
    fn events(action: &Action, connections: &[u64]) -> Vec<Event> {
        let record = Recorder::default();
        for connection in connections {
            record.record_connection(Duration::ZERO, action.clone(), ConnectionId::Number(*connection));
        }
        record.take()
    }

    /// How many events each client has of each of its connections.
    fn shared(clients: &[&[u64]], sessions: &[u64]) -> (Vec<Vec<usize>>, Option<String>) {
        let clients: Vec<_> = clients.iter().map(|it| events(&Action::Connected, it)).collect();
        let sessions = sessions.iter().map(|it| events(&Action::Accepted, &[*it])).collect();
        let OwnedSessions { sessions, doubt } = owned(&clients, sessions);
        (sessions.iter().map(|own| own.iter().map(Vec::len).collect()).collect(), doubt)
    }

    #[test]
    fn a_session_is_its_connections_in_whatever_order_they_came() {
        assert_eq!(shared(&[&[1, 4], &[2, 3]], &[3, 1, 4, 2]), (vec![vec![1, 1], vec![1, 1]], None));
    }

    #[test]
    fn a_connection_that_was_never_taken_shifts_no_other() {
        assert_eq!(shared(&[&[1, 3], &[2, 4]], &[2, 3]), (vec![vec![0, 1], vec![1, 0]], None));
    }

    #[test]
    fn what_cannot_be_told_is_not_guessed() {
        let doubt = |clients: &[&[u64]], sessions: &[u64]| shared(clients, sessions).1.unwrap_or_default();
        assert_eq!(
            doubt(&[&[1]], &[1, 7]),
            "the server had a session with connection 7, which is no client's"
        );
        assert_eq!(doubt(&[&[1], &[1]], &[1]), "two connections came from connection 1");
        assert_eq!(doubt(&[&[1, 2]], &[1, 1, 2]), "two connections came from connection 1");
    }
}
