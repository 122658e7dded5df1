# shellcheck shell=bash disable=SC2034
# Shared by the tests of clusters: the experiment, the records of a plain run, and the comparison.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
downhill=${DOWNHILL:-${CARGO_TARGET_DIR:-$PWD/target}/release/downhill}
experiment=$PWD/tests/cluster/experiment.toml
say() { printf '%3s s  %s\n' "$SECONDS" "$*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
# needs "WHAT IT NEEDS" COMMAND...
needs() {
  local what=$1
  shift
  "$@" > /dev/null 2>&1 || fail "this test needs $what"
}
needs "the command downhill, not found at $downhill: cargo build --release, or DOWNHILL=PATH" test -x "$downhill"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$work/out

# wait_for SECONDS COMMAND...
wait_for() {
  local most=$1 end=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || fail "waited $most s for: $*"
    sleep 0.05
  done
}

# the process of a run, once it has recorded an epoch: process KEY
process() { pgrep -f -- "^$downhill run .*--out $out .*--only $1"; }
is_training() { process "$1" && [ "$(cat "$out"/runs/*"$1".part | wc -l)" -ge 3 ]; }

# the records without the time that they took
records() { (cd "$1/runs" && for file in *.jsonl; do echo "$file"; sed -E 's/"seconds":[0-9.e+-]+//g' "$file"; done); }
plain_run() {
  "$downhill" run "$experiment" --out "$work/plain" > "$work/plain.log" 2>&1 || { cat "$work/plain.log" >&2; fail 'the plain run failed'; }
}
compare() {
  [ -s "$out/index.html" ] || fail "no page"
  diff <(records "$work/plain") <(records "$out") || fail "the records differ from those of a plain run"
  say "$(find "$out/runs" -name '*.jsonl' | wc -l) records equal those of a plain run, and the page is there"
}
