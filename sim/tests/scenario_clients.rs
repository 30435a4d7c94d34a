//! Several clients: what each form means, and the mistakes in them, word for word.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail there")]

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use notation::Located;
use protocol::{FileId, FileName};
use sim::scenario::{Expect, MAX_CLIENTS, MAX_COMMANDS, Scenario, ScenarioCommand};

/// Two steps and what else is given.
fn scenario(fields: &str) -> Result<Scenario, String> {
    let text = format!(
        "Scenario(\n    about: \"x\",\n    steps: [Server(Listen), Client(Start)],\n    {fields},\n)"
    );
    Scenario::parse(&text, Path::new("test.ron")).map_err(|error| error.render(false))
}

/// A file and several clients.
fn clients(clients: &str) -> Result<Scenario, String> {
    let text = format!(
        "Scenario(\n    about: \"x\",\n    files: {{ \"a.txt\": Noise(1), \"v2\": Noise(2) }},\n    clients: {clients},\n)"
    );
    Scenario::parse(&text, Path::new("test.ron")).map_err(|error| error.render(false))
}

fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap()
}

fn values<T: Clone>(located: &[Located<T>]) -> Vec<T> {
    located.iter().map(|item| item.value.clone()).collect()
}

/// What `heir.ron` gives beside a base with a fault in step 2.
fn heir(fields: &str) -> Result<Scenario, String> {
    let folder = tempfile::tempdir().unwrap();
    let base = "Scenario(about: \"x\", retries: 3, files: { \"a\": Noise(1) },
    steps: [Server(Listen), Client(Upload(\"a\"))],
    faults: [Stall(in: Step(2), at: 0)],
    expect: [Upload(Aborted)],
)";
    fs::write(folder.path().join("base.ron"), base).unwrap();
    let path = folder.path().join("heir.ron");
    fs::write(&path, format!("Scenario(about: \"x\", base: \"base.ron\", {fields})")).unwrap();
    Scenario::load(&path)
        .map_err(|error| error.render(false).replace(&folder.path().display().to_string(), "DIR"))
}

#[test]
fn several_clients() {
    let text = r#"[
        [Upload("a.txt"), ListFiles, Download("not there"), Disconnect],
        [UploadAs("v2", "a.txt"), DownloadId("d41d8cd98f00b204e9800998ecf8427e")],
    ]"#;
    let scenario = clients(text).unwrap_or_else(|error| panic!("{error}"));
    assert!(scenario.steps.is_empty());
    let [first, second] = scenario.clients.as_slice() else { panic!("{:?}", scenario.clients) };
    for command in first.iter().chain(second) {
        assert_eq!(command.value.to_string(), command.place.text());
    }
    let upload = |file: &str| ScenarioCommand::Upload { file: name(file), name: name("a.txt") };
    let download = ScenarioCommand::Download { name: name("not there") };
    assert_eq!(
        values(first),
        [upload("a.txt"), ScenarioCommand::ListFiles, download, ScenarioCommand::Disconnect]
    );
    let id = FileId::parse("d41d8cd98f00b204e9800998ecf8427e").unwrap();
    assert_eq!(values(second), [upload("v2"), ScenarioCommand::DownloadId { id }]);
}

#[test]
fn clients_take_the_place_of_inherited_steps() {
    let with_clients = heir("faults: [], clients: [[Upload(\"a\")]]").unwrap();
    assert_eq!((with_clients.steps.len(), with_clients.clients.len()), (0, 1));
    // The other way round as well.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("base.ron"), "Scenario(about: \"x\", clients: [[ListFiles]])").unwrap();
    let path = folder.path().join("heir.ron");
    fs::write(&path, "Scenario(about: \"x\", base: \"base.ron\", steps: [Server(Listen)])").unwrap();
    let with_steps = Scenario::load(&path).unwrap();
    assert_eq!((with_steps.steps.len(), with_steps.clients.len()), (1, 0));
}

#[test]
fn inherited_clients_upload_files_that_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let base = "Scenario(about: \"x\", files: { \"a\": Noise(1) }, clients: [[Upload(\"a\")]])";
    fs::write(folder.path().join("base.ron"), base).unwrap();
    let path = folder.path().join("heir.ron");
    fs::write(&path, "Scenario(about: \"x\", base: \"base.ron\", files: { \"b\": Noise(1) })").unwrap();
    let said = Scenario::load(&path).unwrap_err().render(false);
    assert_snapshot!(said.replace(&folder.path().display().to_string(), "DIR"), @r#"
    error: `files` declares no "a"
     --> DIR/base.ron:1:66
      |
    1 | Scenario(about: "x", files: { "a": Noise(1) }, clients: [[Upload("a")]])
      |                                                                  ^^^
      |
      = help: a file is declared as in files: { "a": Noise(1_000) }
      = note: DIR/heir.ron takes its clients from here, but has `files` of its own
    "#);
}

#[test]
fn a_file_that_takes_the_place_of_another_does_so_everywhere() {
    let text = "Scenario(about: \"x\", files: { \"z\": Noise(1) }, expect: [Lists([\"c\", \"z\"])],
        clients: [[Upload(\"z\"), UploadAs(\"z\", \"c\"), Download(\"z\")]])";
    let mut scenario = Scenario::parse(text, Path::new("test.ron")).unwrap();
    scenario.replace_file(Path::new("/somewhere/b")).unwrap();
    let commands: Vec<String> = values(&scenario.clients[0]).iter().map(ScenarioCommand::to_string).collect();
    assert_eq!(commands, ["Upload(\"b\")", "UploadAs(\"b\", \"c\")", "Download(\"b\")"]);
    assert_eq!(scenario.expect[0].value, Expect::Lists(vec![name("b"), name("c")]));
}

#[test]
fn commands_that_are_none() {
    let items = "[
        [Uplaod(\"a.txt\"), UploadAs(\"v2\"), Upload(7), 5],
        [DownloadId(\"D41D8CD98F00B204E9800998ECF8427E\"), Download(\"..\")],
    ]";
    assert_snapshot!(clients(items).unwrap_err(), @r#"
    error: unknown command "Uplaod", did you mean "Upload"?
     --> test.ron:5:10
      |
    5 |         [Uplaod("a.txt"), UploadAs("v2"), Upload(7), 5],
      |          ^^^^^^
      |
      = help: a command is ListFiles, Upload("FILE"), UploadAs("FILE", "NAME"), Download("NAME"), DownloadId("ID") or Disconnect

    error: something is missing before this
     --> test.ron:5:40
      |
    5 |         [Uplaod("a.txt"), UploadAs("v2"), Upload(7), 5],
      |                                        ^
      |
      = help: a command is ListFiles, Upload("FILE"), UploadAs("FILE", "NAME"), Download("NAME"), DownloadId("ID") or Disconnect

    error: a file name must be text in double quotes, not the number 7
     --> test.ron:5:50
      |
    5 |         [Uplaod("a.txt"), UploadAs("v2"), Upload(7), 5],
      |                                                  ^

    error: a command cannot be the number 5
     --> test.ron:5:54
      |
    5 |         [Uplaod("a.txt"), UploadAs("v2"), Upload(7), 5],
      |                                                      ^
      |
      = help: a command is ListFiles, Upload("FILE"), UploadAs("FILE", "NAME"), Download("NAME"), DownloadId("ID") or Disconnect

    error: an id has 32 hexadecimal digits, in lower case
     --> test.ron:6:21
      |
    6 |         [DownloadId("D41D8CD98F00B204E9800998ECF8427E"), Download("..")],
      |                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: `.` and `..` name directories, not files
     --> test.ron:6:67
      |
    6 |         [DownloadId("D41D8CD98F00B204E9800998ECF8427E"), Download("..")],
      |                                                                   ^^^^
    "#);
}

#[test]
fn uploads_of_files_that_are_not_declared() {
    assert_snapshot!(clients("[[Upload(\"b.txt\")], [UploadAs(\"v3\", \"b.txt\")]]").unwrap_err(), @r#"
    error: `files` declares no "b.txt", did you mean "a.txt"?
     --> test.ron:4:23
      |
    4 |     clients: [[Upload("b.txt")], [UploadAs("v3", "b.txt")]],
      |                       ^^^^^^^
      |
      = help: a file is declared as in files: { "b.txt": Noise(1_000) }

    error: `files` declares no "v3", did you mean "v2"?
     --> test.ron:4:44
      |
    4 |     clients: [[Upload("b.txt")], [UploadAs("v3", "b.txt")]],
      |                                            ^^^^
      |
      = help: a file is declared as in files: { "v3": Noise(1_000) }
    "#);
}

#[test]
fn clients_that_do_nothing() {
    assert_snapshot!(clients("[]").unwrap_err(), @r"
    error: `clients` has at least one client
     --> test.ron:4:14
      |
    4 |     clients: [],
      |              ^^
    ");
    assert_snapshot!(clients("[[]]").unwrap_err(), @r"
    error: a client has at least one command
     --> test.ron:4:15
      |
    4 |     clients: [[]],
      |               ^^
    ");
    assert_snapshot!(clients("[ListFiles]").unwrap_err(), @r"
    error: the commands of a client must be a list in `[` and `]`, not `ListFiles`
     --> test.ron:4:15
      |
    4 |     clients: [ListFiles],
      |               ^^^^^^^^^
    ");
}

#[test]
fn clients_and_steps() {
    let fields = "clients: [[Upload(\"a\")]], files: { \"a\": Noise(1) }";
    assert_snapshot!(scenario(fields).unwrap_err(), @r#"
    error: a scenario has `steps` or `clients`, not both
     --> test.ron:4:14
      |
    4 |     clients: [[Upload("a")]], files: { "a": Noise(1) },
      |              ^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn clients_have_no_steps_to_name() {
    let fields = "[[ListFiles]], faults: [Stall(in: Step(1), at: 0)]";
    assert_snapshot!(clients(fields).unwrap_err(), @r"
    error: there is no step 1: this scenario has `clients`
     --> test.ron:4:53
      |
    4 |     clients: [[ListFiles]], faults: [Stall(in: Step(1), at: 0)],
      |                                                     ^
    ");
}

#[test]
fn too_many_clients_and_commands() {
    let many = |item: &str, count: usize| format!("[{}]", vec![item; count].join(", "));
    assert!(clients(&many("[ListFiles]", MAX_CLIENTS)).is_ok());
    assert!(clients(&format!("[{}]", many("ListFiles", MAX_COMMANDS))).is_ok());
    assert_snapshot!(clients(&many("\n[ListFiles]", MAX_CLIENTS + 1)).unwrap_err(), @r"
    error: `clients` can have at most 64 items, and here is one more
      --> test.ron:69:1
       |
    69 | [ListFiles]],
       | ^^^^^^^^^^^
    ");
    assert_snapshot!(clients(&format!("[{}]", many("\nListFiles", MAX_COMMANDS + 1))).unwrap_err(), @r"
    error: the commands of a client can have at most 1000 items, and here is one more
        --> test.ron:1005:1
         |
    1005 | ListFiles]],
         | ^^^^^^^^^
    ");
}
