//! Level 1: connects and lists.

use super::{Case, Check, Desk, QUIET, case};

pub(super) fn cases() -> Vec<Case<Desk>> {
    vec![
        case(
            1,
            "connect",
            &[5, 24],
            &[],
            "It takes a connection, and says nothing before the client does.",
            |desk| desk.connect()?.quiet(5, Some(3), "nothing before the first command"),
        ),
        case(
            1,
            "list",
            &[5, 10, 11, 15],
            &["connect"],
            "LIST_FILES brings a listing, its grammar exact.",
            |desk| desk.connect()?.list().map(drop),
        ),
        case(1, "list-with-a-blank", &[7], &["list"], "LIST FILES is the same command.", |desk| {
            list_by(desk, "LIST FILES\n")
        }),
        case(1, "list-file", &[7], &["list"], "LIST FILE is the same command.", |desk| {
            list_by(desk, "LIST FILE\n")
        }),
        case(
            1,
            "list-again",
            &[15],
            &["list"],
            "A session can ask for the listing again and again.",
            list_again,
        ),
        case(1, "list-ends", &[5], &["list"], "After the empty line nothing more comes.", |desk| {
            let mut talk = desk.connect()?;
            talk.list()?;
            talk.quiet(5, Some(5), "nothing after the empty line of the listing")
        }),
        case(
            1,
            "list-for-the-next",
            &[15],
            &["list"],
            "The next connection is served like the first.",
            |desk| {
                desk.connect()?.list()?;
                desk.connect()?.list().map(drop)
            },
        ),
        case(
            1,
            "leave",
            &[26],
            &["list"],
            "When the client closes between commands, the server closes.",
            |desk| {
                let mut talk = desk.connect()?;
                talk.list()?;
                talk.leave()
            },
        ),
        case(
            1,
            "leave-at-once",
            &[26],
            &["connect"],
            "A client that says nothing and closes is let go.",
            |desk| desk.connect()?.leave(),
        ),
    ]
}

fn list_by(desk: &Desk, command: &str) -> Check {
    desk.connect()?.list_by(command).map(drop)
}

fn list_again(desk: &mut Desk) -> Check {
    let mut talk = desk.connect()?;
    for _ in 0..3 {
        talk.list()?;
    }
    std::thread::sleep(QUIET);
    talk.list().map(drop)
}
