//! Level 1: connects and lists.

use super::{Check, QUIET, ServerBench};

cases! { ServerBench:
    1 "connect" [5 24] after []
        "It takes a connection, and says nothing before the client does."
        => connect;
    1 "list" [5 10 11 14 15 34] after ["connect"]
        "LIST_FILES brings a listing, its grammar exact."
        => list;
    1 "list-with-a-blank" [7] after ["list"]
        "LIST FILES is the same command."
        => |bench| list_by(bench, "LIST FILES\n");
    1 "list-file" [7] after ["list"]
        "LIST FILE is the same command."
        => |bench| list_by(bench, "LIST FILE\n");
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
        => |bench| bench.connect()?.leave();
}

fn connect(bench: &mut ServerBench) -> Check {
    bench.connect()?.says_nothing()
}

fn list(bench: &mut ServerBench) -> Check {
    let listed = bench.connect()?.list()?;
    bench.pass_over(&listed);
    Ok(())
}

fn list_ends(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.list()?;
    conversation.quiet(5, Some(5), "nothing after the empty line of the listing")
}

fn list_for_the_next(bench: &mut ServerBench) -> Check {
    bench.connect()?.list()?;
    bench.connect()?.list().map(drop)
}

fn leave(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.connect()?;
    conversation.list()?;
    conversation.leave()
}

fn list_by(bench: &ServerBench, command: &str) -> Check {
    bench.connect()?.list_by(command).map(drop)
}

fn list_again(bench: &mut ServerBench) -> Check {
    let mut conversation = bench.session()?;
    for _ in 0..3 {
        conversation.list()?;
    }
    std::thread::sleep(QUIET);
    conversation.list().map(drop)
}
