#!/usr/bin/env bash
# A real HyperQueue: a server and two workers, one of which is killed while it makes a run. The
# records have to equal those of a plain run. It takes about 40 s.
#   cargo build --release && tests/cluster/hyperqueue.sh
# It needs python3 with the package hyperqueue==0.27.0 (no program `hq`); .ci/cluster installs it into
# a virtual environment of its own. DOWNHILL=PATH names another program than target/release/downhill.
. "$(dirname "$0")/common.sh"
needs 'python3 with the package hyperqueue (pip install hyperqueue==0.27.0, or start .ci/cluster)' \
  python3 -c 'import hyperqueue'
started=()
stop() {
  for pid in "${started[@]}"; do kill "$pid" 2> /dev/null || true; done
  sleep 1
  rm -rf "$work"
}
trap stop EXIT

plain_run
say 'a plain run is made'
"$downhill" plan "$experiment" --out "$out" --hyperqueue > "$work/plan.log" 2>&1 || { cat "$work/plan.log"; fail 'plan failed'; }
hq() {
  python3 "$out/hyperqueue/runs.py" "$@" --server-dir "$work/server" > "$work/log-${#started[@]}" 2>&1 &
  started+=($!)
}
hq server
wait_for 30 test -e "$work/server/hq-current"
hq worker --cpus 1
hq worker --cpus 1
worker=${started[1]}
wait_for 30 grep -q 'a worker with' "$work/log-1"
wait_for 30 grep -q 'a worker with' "$work/log-2"
say 'a server and two workers are up'
hq submit
submit=${started[3]}
has_run() { pgrep -P "$worker" -f -- '--only'; }
wait_for 60 has_run
sleep 1
disown "$worker" # bash would report the kill
kill -9 "$worker"
say 'a worker is killed while it makes a run'
wait "$submit" || { tail "$work/log-3"; fail 'the script has failed'; }
compare
