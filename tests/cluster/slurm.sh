#!/usr/bin/env bash
# A real Slurm with two nodes on this machine. One task reaches its time limit, the process of one is
# killed, one is cancelled, one node is drained and one goes down. The records have to equal those of
# a plain run. It takes about two minutes.
#   cargo build --release && sudo tests/cluster/slurm.sh
# It needs root, and the programs slurmctld, slurmd, sbatch and munged in PATH: on Debian and Ubuntu,
# apt-get install slurm-wlm munge. It starts daemons of its own, on ports 17110 to 17112, and ends
# them. DOWNHILL=PATH names another program than target/release/downhill.
. "$(dirname "$0")/common.sh"
needs 'root, since slurmd starts the tasks' test "$(id -u)" = 0
for program in slurmctld slurmd sbatch squeue scontrol munged; do
  needs "$program in PATH (apt-get install slurm-wlm munge)" command -v "$program"
done
slurm=$work/slurm
export SLURM_CONF=$slurm/slurm.conf
stop() {
  for pid in "$slurm"/*.pid; do [ -s "$pid" ] && kill "$(cat "$pid")" 2> /dev/null; done
  sleep 1
  rm -rf "$work"
}
# the logs of the tasks, if the test fails
logs() { tail -n 20 "$out"/slurm/log/*.txt; grep -E 'node|requeue|TIMEOUT' "$slurm/slurmctld.log" | tail -n 30; }
trap '[ $? = 0 ] || logs >&2; scancel --quiet --user=root 2> /dev/null; stop' EXIT

start_slurm() {
  local host
  host=$(hostname -s)
  mkdir -p "$slurm"/{state,n1,n2}
  # a job that is requeued waits for the end of its credential, two minutes by default; 5 is the least
  cat > "$SLURM_CONF" << C
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=17110
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=cred_expire=5
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=0
KillWait=5
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SchedulerParameters=sched_interval=2,bf_interval=5
StateSaveLocation=$slurm/state
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdSpoolDir=$slurm/%n
SlurmdPidFile=$slurm/%n.pid
SlurmdLogFile=$slurm/%n.log
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=17111 CPUs=1 State=UNKNOWN
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=17112 CPUs=1 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=120 State=UP
C
  if ! munge -n 2> /dev/null | unmunge > /dev/null 2>&1; then
    mkdir -p /run/munge && chown munge: /run/munge
    su -s /bin/bash munge -c /usr/sbin/munged
    sleep 1
    cp /run/munge/munged.pid "$slurm/munged.pid"
  fi
  slurmctld -f "$SLURM_CONF"
  sleep 1
  for node in n1 n2; do slurmd -f "$SLURM_CONF" -N "$node"; done
  wait_for 30 both_idle
}
both_idle() { [ "$(sinfo -h -o %t -N | grep -c idle)" = 2 ]; }
key() { sed -n "$1p" "$out/slurm/settings.keys"; }
logged() { grep -qs "$2" "$out/slurm/log/$1.txt"; }
# the node on which a task runs
node() { squeue -h -j "$1" -o %N; }

plain_run
say 'a plain run is made'
start_slurm
say 'slurmctld and two slurmd are up'
"$downhill" plan "$experiment" --out "$out" --slurm --tasks-at-once 2 > "$work/command" 2> /dev/null
[ "$(wc -l < "$out/slurm/settings.keys")" = 3 ] || fail 'expected three runs in the first stage'
# the shortest limit that Slurm knows; its signal comes 5 to 35 seconds after the start
export SBATCH_TIMELIMIT=1 SBATCH_SIGNAL=B:TERM@55
bash -c "$(cat "$work/command")"
unset SBATCH_TIMELIMIT SBATCH_SIGNAL
read -r settings < "$out/slurm/jobs.txt"

# task 1: its process is killed, and started again
wait_for 60 process "$(key 1)"
kill -9 "$(process "$(key 1)")"
wait_for 60 logged settings-1 'exit code 137'
say 'a killed process is started again'

# task 2: cancelled; the job `select` makes its run
wait_for 60 process "$(key 2)"
scancel --signal=KILL "${settings}_2"

# task 3: held at each event, so that the test does not depend on the speed
hold() {
  wait_for 90 is_training "$(key 3)"
  held=$(process "$(key 3)")
  kill -STOP "$held"
}
hold
wait_for 60 logged settings-3 'CANCELLED AT'
kill -CONT "$held"
wait_for 60 logged settings-3 'requeued'
say 'a task that reaches its time limit is requeued'
hold
# without the short limit from here on
for job in "${settings}_3" $(tail -n +2 "$out/slurm/jobs.txt"); do scontrol update JobId="$job" TimeLimit=60 > /dev/null; done
on=$(node "${settings}_3")
scontrol update NodeName="$on" State=DRAIN Reason=test
scontrol requeue "${settings}_3"
other=$([ "$on" = n1 ] && echo n2 || echo n1)
wait_for 120 logged settings-3 "on $other, start 3"
say "a task of the drained node $on continues on $other"
scontrol update NodeName="$on" State=RESUME
hold
scontrol update NodeName="$other" State=DOWN Reason=test
wait_for 120 logged settings-3 "on $on, start 4"
scontrol update NodeName="$other" State=RESUME
say "a task of the node $other, which went down, is requeued"

wait_for 400 test -s "$out/index.html"
wait_for 60 test -z "$(squeue -h)"
grep -q "$(key 2): finished" "$out/slurm/log/cluster-test-select.txt" || fail 'select did not make the cancelled run'
compare
