//! Every scenario file, found by itself: the same transcript on every lane, and the one in `snapshots/`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sim::scenario::Scenario;

use super::{LANES, run_on, text_of, workspace};

/// Snapshots of other tests than these.
const OTHERS: [&str; 3] = ["client_table", "mutants", "server_table"];

/// Every `.ron` file in `scenarios/`, in order.
pub(crate) fn scenario_files() -> Vec<PathBuf> {
    let files = sim::scenario::scenario_files(&workspace("scenarios")).unwrap();
    assert!(!files.is_empty(), "no scenario was found");
    files
}

/// `stream/flip.ron` is snapshotted as `stream__flip`.
fn snapshot_name(path: &Path) -> String {
    let name = path.strip_prefix(workspace("scenarios")).unwrap().with_extension("");
    name.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("__")
}

#[test]
fn every_scenario_gives_its_snapshot_on_every_lane() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(workspace("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for path in scenario_files() {
        let scenario = Scenario::load(&path).unwrap_or_else(|error| panic!("{}", error.render(false)));
        let texts = LANES.map(|lane| text_of(&scenario, &run_on(lane, &scenario)));
        for (lane, text) in LANES.iter().zip(&texts) {
            assert_eq!(*text, texts[0], "{} goes otherwise on {lane}", path.display());
        }
        insta::assert_snapshot!(snapshot_name(&path), texts[0]);
    }
}

#[test]
fn no_snapshot_is_left_without_its_scenario() {
    let mut expected: BTreeSet<_> = scenario_files().iter().map(|path| snapshot_name(path)).collect();
    expected.extend(OTHERS.map(String::from));
    for entry in std::fs::read_dir(workspace("snapshots")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let stem = name.strip_suffix(".snap").unwrap_or(&name);
        assert!(expected.contains(stem), "snapshots/{name} belongs to no scenario: remove it");
    }
}
