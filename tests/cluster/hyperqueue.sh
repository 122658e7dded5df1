#!/usr/bin/env bash
# A real HyperQueue: a server and two workers, one of which is killed while it makes a run. The
# records have to equal those of a plain run. DOWNHILL=target/release/downhill tests/cluster/hyperqueue.sh
. "$(dirname "$0")/common.sh"
python3 -c 'import hyperqueue' 2> /dev/null && python=python3 || {
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install -q hyperqueue==0.27.0
  python=$work/venv/bin/python
}
started=()
stop() {
  for pid in "${started[@]}"; do kill "$pid" 2> /dev/null || true; done
  sleep 1
  rm -rf "$work"
}
trap stop EXIT

plain_run
say 'a plain run is made'
"$downhill" plan "$experiment" --out "$out" --hyperqueue > /dev/null 2>&1
hq() {
  "$python" "$out/hyperqueue/runs.py" "$@" --server-dir "$work/server" > "$work/log-${#started[@]}" 2>&1 &
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
kill -9 "$worker"
say 'a worker is killed while it makes a run'
wait "$submit" || { tail "$work/log-3"; fail 'the script has failed'; }
compare
