//! Level 1: connects and lists.

use super::{Check, Desk, QUIET};

cases! { Desk:
    1 "connect" [5 24] after []
        "It takes a connection, and says nothing before the client does."
        => connect;
    1 "list" [5 10 11 14 15 34] after ["connect"]
        "LIST_FILES brings a listing, its grammar exact."
        => list;
    1 "list-with-a-blank" [7] after ["list"]
        "LIST FILES is the same command."
        => |desk| list_by(desk, "LIST FILES\n");
    1 "list-file" [7] after ["list"]
        "LIST FILE is the same command."
        => |desk| list_by(desk, "LIST FILE\n");
    1 "list-again" [15] after ["list"]
        "A session can ask for the listing again and again."
        => list_again;
    1 "list-ends" [5 34] after ["list"]
        "After the empty line nothing more comes."
        => list_ends;
    1 "list-for-the-next" [15] after ["list"]
        "The next connection is served like the first."
        => list_for_the_next;
    1 "leave" [26] after ["list"]
        "When the client closes between commands, the server closes."
        => leave;
    1 "leave-at-once" [26] after ["connect"]
        "A client that says nothing and closes is let go."
        => |desk| desk.connect()?.leave();
}

fn connect(desk: &mut Desk) -> Check {
    desk.connect()?.says_nothing()
}

fn list(desk: &mut Desk) -> Check {
    let listed = desk.connect()?.list()?;
    desk.pass_over(&listed);
    Ok(())
}

fn list_ends(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    talk.list()?;
    talk.quiet(5, Some(5), "nothing after the empty line of the listing")
}

fn list_for_the_next(desk: &mut Desk) -> Check {
    desk.connect()?.list()?;
    desk.connect()?.list().map(drop)
}

fn leave(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    talk.list()?;
    talk.leave()
}

fn list_by(desk: &Desk, command: &str) -> Check {
    desk.connect()?.list_by(command).map(drop)
}

fn list_again(desk: &mut Desk) -> Check {
    let mut talk = desk.session()?;
    for _ in 0..3 {
        talk.list()?;
    }
    std::thread::sleep(QUIET);
    talk.list().map(drop)
}
