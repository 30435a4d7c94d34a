//! What holds the house up: which crate may use which, and that every file of it is compiled.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::workspace;

/// Every package that `package` is built with, tests and build scripts left out.
fn built_with(package: &str, more: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "tree",
        "--offline",
        "--locked",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--package",
        package,
    ]);
    let output = cargo.args(more).current_dir(workspace(".")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    text.lines().filter_map(|line| line.split(' ').next()).skip(1).map(str::to_owned).collect()
}

#[test]
fn each_crate_sees_only_what_it_may() {
    let rules: [(&str, &[&str]); 6] = [
        (
            "faults",
            &[
                "audit", "conform", "notation", "process", "protocol", "sim", "transfer", "turmoil", "clap",
                "ron",
            ],
        ),
        ("notation", &["audit", "conform", "process", "protocol", "sim", "transfer", "turmoil", "clap"]),
        (
            "process",
            &[
                "audit", "conform", "faults", "notation", "protocol", "sim", "transfer", "turmoil", "clap",
                "ron",
            ],
        ),
        // A judge that shares a mistake with the judged does not see it.
        ("audit", &["conform", "protocol", "sim", "transfer", "turmoil", "clap"]),
        ("conform", &["audit", "notation", "sim", "transfer", "turmoil", "clap", "ron"]),
        ("transfer", &["audit", "conform", "notation", "process", "sim", "turmoil", "clap", "ron"]),
    ];
    for (package, forbidden) in rules {
        let found = built_with(package, &[]);
        assert!(!found.is_empty(), "{package}");
        let wrong: Vec<&&str> = forbidden.iter().filter(|name| found.contains(**name)).collect();
        assert!(wrong.is_empty(), "{package} is built with {wrong:?}");
    }
    assert_eq!(built_with("protocol", &[]), BTreeSet::new(), "the protocol is built with nothing else");
}

#[test]
fn the_library_does_without_the_command_line() {
    let library = built_with("sim", &["--no-default-features"]);
    for name in ["anstream", "bytesize", "clap", "ctrlc", "indicatif", "rlimit", "tracing-subscriber"] {
        assert!(!library.contains(name), "{name}");
        assert!(built_with("sim", &[]).contains(name), "{name} is no dependency any more");
    }
}

/// All files with the tests of the two large binaries.
fn test_files() -> Vec<PathBuf> {
    let folders = ["sim/tests/suite", "sim/tests/real"].map(|folder| rust_files(&workspace(folder)));
    folders.into_iter().flatten().collect()
}

/// The tests of a file, each with its attributes.
fn tests_of(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let whole = text.split("\n}\n").filter_map(|item| item.find("#[test]\n").map(|at| item[at..].to_owned()));
    whole.collect()
}

#[test]
fn no_test_ends_early_and_passes() {
    for file in test_files() {
        for test in tests_of(&file) {
            let early =
                test.lines().find(|line| *line == "        return;" || line.ends_with(" else { return };"));
            assert_eq!(
                early,
                None,
                "{}: what a test needs is in its name, see .ci/run\n{test}",
                file.display()
            );
        }
    }
}

#[test]
fn a_test_that_needs_what_is_not_everywhere_is_ignored_and_ci_runs_it() {
    let ci = fs::read_to_string(workspace(".ci/run")).unwrap();
    let mut count = 0;
    for test in test_files().iter().flat_map(|file| tests_of(file)) {
        let need = test
            .lines()
            .find_map(|line| line.strip_prefix("fn needs_"))
            .map(|name| name.split_once('_').unwrap().0);
        assert_eq!(test.contains("\n#[ignore = \"needs "), need.is_some(), "{test}");
        if let Some(need) = need {
            count += 1;
            assert!(
                ci.lines().any(|line| line.starts_with(&format!("needs {need} "))),
                "no step of .ci/run: {test}"
            );
        }
    }
    assert!(count > 10, "{count}");
}

/// The first arms of the `match`es in `text` that take every effect which no other arm names. The arms of a `match` are
/// indented by one step more than its end, as rustfmt has it.
fn undecided(text: &str) -> Vec<String> {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, head) in
        lines.iter().enumerate().filter(|(_, line)| line.contains("match ") && line.ends_with('{'))
    {
        let body = lines[start + 1..].iter().take_while(|line| line.is_empty() || depth(line) > depth(head));
        let arms: Vec<&str> =
            body.filter(|line| depth(line) == depth(head) + 4).map(|line| line.trim()).collect();
        let names_effects = arms
            .iter()
            .any(|arm| ["Effect::", "Self::Flip", "Self::Latency"].iter().any(|name| arm.starts_with(name)));
        let takes_all = |arm: &&&str| {
            let pattern = arm.split_once(" =>").map_or("", |(pattern, _)| pattern);
            !pattern.is_empty() && pattern.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        };
        found.extend(arms.iter().filter(|_| names_effects).find(takes_all).map(|arm| (*arm).to_owned()));
    }
    found
}

#[test]
fn a_new_fault_does_not_compile_without_a_decision() {
    let bad = "fn f() {\n    match effect {\n        Effect::Stall => 1,\n        other => 2,\n    }\n}\n";
    assert_eq!(undecided(bad), ["other => 2,"]);
    assert_eq!(undecided(&bad.replace("other", "_")), ["_ => 2,"]);
    assert_eq!(undecided(&bad.replace("other", "Effect::Reset")), [""; 0]);
    let mut folders = vec![workspace("sim/src")];
    folders.extend(fs::read_dir(workspace("crates")).unwrap().map(|entry| entry.unwrap().path().join("src")));
    for file in folders.iter().flat_map(|folder| rust_files(folder)) {
        let found = undecided(&fs::read_to_string(&file).unwrap());
        assert!(found.is_empty(), "{}: name the effects instead of {found:?}", file.display());
    }
}

/// The files that `file` declares as its modules, and theirs.
fn modules(file: &Path, found: &mut BTreeSet<PathBuf>) {
    if !found.insert(file.to_owned()) {
        return;
    }
    let text = fs::read_to_string(file).unwrap();
    let (parent, stem) = (file.parent().unwrap(), file.file_stem().unwrap());
    let is_root = ["mod", "lib", "main"].iter().any(|name| stem == *name) || found.len() == 1;
    let folder = if is_root { parent.to_owned() } else { parent.join(stem) };
    for line in text.lines() {
        let Some(name) = line.trim().strip_suffix(';').and_then(|line| line.split_once("mod ")) else {
            continue;
        };
        let (before, name) = name;
        let is_declared = before.is_empty() || before.starts_with("pub");
        if is_declared && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let paths = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
            paths.iter().filter(|path| path.exists()).for_each(|path| modules(path, found));
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn every_package_is_whole_without_the_others() {
    let manifest = fs::read_to_string(workspace("Cargo.toml")).unwrap();
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = ")).unwrap();
    let others = manifest.lines().filter(|line| line.contains("{ path = "));
    let mut count = 0;
    for line in others {
        assert!(line.contains(&format!("version = {version}")), "{line}");
        count += 1;
    }
    assert!(count >= 8, "{count}");
    let mut packages: Vec<PathBuf> = ["protocol", "sim"].map(workspace).into();
    packages.extend(fs::read_dir(workspace("crates")).unwrap().map(|entry| entry.unwrap().path()));
    for package in packages.iter().map(|package| package.canonicalize().unwrap()) {
        for file in rust_files(&package.join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            let parts = text.split("include_").skip(1).filter_map(|rest| rest.split('"').nth(1));
            for path in parts.filter(|path| path.starts_with("../")) {
                let included = file.parent().unwrap().join(path).canonicalize().unwrap();
                assert!(included.starts_with(&package), "{} includes {path}", file.display());
            }
        }
    }
}

#[test]
fn no_file_is_longer_than_a_person_reads() {
    const MOST: usize = 500;
    for folder in ["benches", "crates", "fuzz/fuzz_targets", "fuzz/src", "protocol", "sim"] {
        for file in rust_files(&workspace(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= MOST, "{} has {lines} lines", file.display());
        }
    }
}

/// A `mod` line is easily lost in a merge, and its tests with it.
#[test]
fn every_file_is_a_part_of_some_target() {
    let mut packages: Vec<PathBuf> = ["protocol", "sim", "benches"].map(workspace).into();
    packages.extend(fs::read_dir(workspace("crates")).unwrap().map(|entry| entry.unwrap().path()));
    let mut count = 0;
    for package in packages {
        let mut reached = BTreeSet::new();
        let mut roots = vec![package.join("src/lib.rs"), package.join("src/main.rs")];
        for folder in ["tests", "benches", "examples"] {
            let Ok(entries) = fs::read_dir(package.join(folder)) else { continue };
            let paths = entries.map(|entry| entry.unwrap().path());
            roots.extend(paths.map(|path| if path.is_dir() { path.join("main.rs") } else { path }));
        }
        for root in roots.iter().filter(|root| root.exists()) {
            let mut found = BTreeSet::new();
            modules(root, &mut found);
            reached.extend(found);
        }
        for folder in ["src", "tests", "benches", "examples"] {
            for file in rust_files(&package.join(folder)) {
                assert!(reached.contains(&file), "no target compiles {}", file.display());
                count += 1;
            }
        }
    }
    assert!(count > 250, "{count}");
}
