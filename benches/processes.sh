#!/usr/bin/env bash
# The real programs as processes on loopback, in one run: `sim serve` with `put` and `get`, MD5 alone, the bare
# pipeline, and what others use for the same, as far as it is installed (rsync, nc, python3 with curl). A file of
# 1 GiB and 5 turns unless SIM_BENCH_MIB and SIM_BENCH_ROUNDS say otherwise; TMPDIR chooses the disk.
# With --install, the others are installed first (Debian and its like; needs root).
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ "${1:-}" == --install ]]; then
  apt-get update
  apt-get install -y --no-install-recommends rsync netcat-openbsd curl python3
fi
exec cargo bench -p benches --bench processes
