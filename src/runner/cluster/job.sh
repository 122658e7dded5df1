#!/bin/bash
# One task of {{ name }} on Slurm. `downhill plan --slurm` wrote it, submit.sh submits it:
#   job.sh settings N   task of an array of N tasks: runs of every setting, with the seeds that select
#   job.sh select       runs that the array left over; then the list of the runs of the best settings
#   job.sh seeds N      task of an array of N tasks: runs of that list
#   job.sh report       runs that the arrays left over; then the verdicts and the page
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@60
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={{ cpus }}
{% if time %}
#SBATCH --time={{ time }}
{% endif %}
{% for line in sbatch %}
#SBATCH {{ line }}
{% endfor %}
set -uo pipefail
cd {{ start | word }} || exit 2
lists={{ folder | word }}/slurm
downhill={{ program | word }}
arguments=({{ arguments | words }})
export RAYON_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
restarts=${SLURM_RESTART_COUNT:-0}
echo "$(date '+%F %T') $1 ${SLURM_ARRAY_TASK_ID:-} on ${SLURMD_NODENAME:-?}, start $((restarts + 1))"

# Slurm sends TERM to this script 60 seconds before the time limit. downhill stops at its next step
# and writes a checkpoint.
child='' stopping=''
trap 'stopping=yes; [ -z "$child" ] || kill -TERM "$child" 2> /dev/null' TERM

# Puts this task into the queue again, since Slurm does not requeue a task that reaches its time
# limit. A cancelled task is not RUNNING any more and stays cancelled. Of an array, the number of
# the job alone would requeue every task.
requeue() {
  local job=$SLURM_JOB_ID
  [ -z "${SLURM_ARRAY_TASK_ID:-}" ] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
  local state
  state=$(squeue --noheader --jobs="$job" --states=all --format=%T)
  if [ "$state" = RUNNING ] && [ "$restarts" -lt 100 ] && scontrol requeue "$job"; then
    echo 'stopped before the time limit, requeued'
    sleep 300 # Slurm ends this script
  else
    echo "stopped, not requeued: the task is $state and was restarted $restarts times" >&2
  fi
  exit 143
}

# Makes the run of a key. A complete run ends at once, another one continues from its checkpoint. A
# process that was killed is started again.
make() {
  local code=1
  for _ in 1 2 3; do
    [ -z "$stopping" ] || requeue
    "$downhill" run "${arguments[@]}" --jobs 1 --only "$1" &
    child=$!
    wait "$child"; code=$?
    # the trap ends `wait` before the process has ended
    while kill -0 "$child" 2> /dev/null; do wait "$child"; code=$?; done
    child=''
    [ "$code" -ne 0 ] || return 0
    [ -z "$stopping" ] || requeue
    [ "$code" -gt 128 ] || break
    echo "the process was ended with exit code $code" >&2
  done
  echo "the run $1 failed with exit code $code" >&2
  failed=$code
}

missing() { "$downhill" plan "${arguments[@]}" --stage "$1" | cut -f 1; }

failed=0
case $1 in
  settings | seeds)
    # task i makes the runs in lines i, i + N, i + 2 N, ...
    for key in $(sed -n "$SLURM_ARRAY_TASK_ID~$2p" "$lists/$1.keys"); do make "$key"; done ;;
  select)
    for key in $(missing settings); do make "$key"; done
    missing seeds > "$lists/seeds.new" && mv "$lists/seeds.new" "$lists/seeds.keys" || failed=2 ;;
  report)
    for stage in settings seeds; do
      for key in $(missing "$stage"); do make "$key"; done
    done
    "$downhill" report {{ report | words }} || failed=$? ;;
esac
exit "$failed"
