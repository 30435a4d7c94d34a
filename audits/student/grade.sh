#!/usr/bin/env bash
# Marks many submissions: `grade.sh AUDIT.ron FOLDER...` prints one line for each folder, which has a server.py and a
# client.py, and leaves the reports in it. AUDIT.ron is copied into each, so that its {here} is that folder.
# SIM is how sim is run, LEVEL how far the conformance cases go.
set -uo pipefail

read -ra sim <<< "${SIM:-cargo run -q -p sim --}"
level=${LEVEL:-8}

# What an exit code of conform or audit says.
word() {
  case $1 in
    0) echo passed ;;
    1) echo FAILED ;;
    2) echo "cannot be run: see the report" ;;
    3) echo "open: see the report" ;;
    5) echo "a program is missing here" ;;
    *) echo "exit code $1" ;;
  esac
}

# mark FOLDER NAME ARGUMENTS...: one report.
mark() {
  local report=$1/$2.txt
  shift 2
  "${sim[@]}" "$@" > "$report" 2>&1
  word $?
}

[ $# -ge 2 ] || { echo "usage: grade.sh AUDIT.ron FOLDER..." >&2; exit 2; }
audit=$1
shift
for folder in "$@"; do
  dir=$(cd "$folder" && pwd) || continue
  cp "$audit" "$dir/audit.ron"
  # A command is split as a shell does it.
  quoted="'${dir//\'/\'\\\'\'}'"
  server=$(mark "$dir" server conform --level "$level" --server-command "python3 ${quoted%\'}/server.py' {host} {port} {server}")
  client=$(mark "$dir" client conform --level "$level" --client "python3 ${quoted%\'}/client.py' {host} {port} {file}")
  audited=$(mark "$dir" audit audit "$dir/audit.ron" --jobs "${JOBS:-4}")
  echo "$(basename "$dir"): server $server; client $client; audit $audited"
done
