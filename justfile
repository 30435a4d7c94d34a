# The steps of .ci/run, one by one. `just` is a convenience: each recipe is one command.

# Everything that CI does
ci:
    bash .ci/run

# The main command
basic *ARGS:
    cargo run -p sim -- scenarios/basic.ron {{ARGS}}

fmt:
    cargo fmt --all --check

lint:
    cargo clippy --workspace --all-targets -- -D warnings

test:
    cargo test

# The longer runs against the built program
soak:
    cargo test -p sim --test real -- --ignored --skip needs_

# The tests that need a thing that not every machine has: python, isolation, mounts, queue, user
needs NAME:
    cargo test -p sim --tests -- --ignored needs_{{NAME}}_

# Scenarios by chance from a new seed, 20,000 unless told otherwise
random COUNT="20000":
    RANDOM_COUNT={{COUNT}} cargo test -p sim --test suite random::many -- --ignored --nocapture

# Every single fault of the 22 steps, and scenarios by chance
explore COUNT="20000":
    cargo run --release -p sim -- sweep scenarios/basic.ron
    cargo run --release -p sim -- swarm --runs {{COUNT}}

# The audits of other people's programs, as far as they are installed
audits:
    cargo test -p sim --test suite shipped_audits -- --ignored --skip needs_

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Every benchmark once, without measuring
bench-smoke:
    cargo bench -p benches -- --test

# The benchmarks with their table
bench:
    cargo bench -p benches

# Accept the transcripts as they are now; look at the diff before you commit it
accept:
    INSTA_UPDATE=always cargo test
