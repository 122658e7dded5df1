#!/bin/bash
# Submits the runs of {{ name }} to Slurm, written by `downhill plan --slurm`. Submit them again if
# runs are missing in the end: complete runs are not repeated.
#
# The second array trains the best settings, which are known only when the first has ended. Still all
# jobs are submitted now, since many clusters allow no `sbatch` on their nodes. The array has one task for
# each run that can follow ({{ seeds }}); the job `select` writes the list, and a task without a line ends
# at once. Each task takes its key from a list that does not change, so a task that is requeued continues
# its own run. A task that took the i-th missing run would get another one after each restart.
#
# The dependencies are `afterany`. With `afterok`, one lost task would leave all later jobs in the queue
# for ever. `select` and `report` make what was left over, so nothing is skipped. `afterany` waits for
# requeued tasks.
set -euo pipefail
cd {{ folder | word }}/slurm
# two submissions at a time would share the list of the second stage
if [ -s jobs.txt ] && [ -n "$(squeue --noheader --jobs="$(xargs < jobs.txt | tr ' ' ,)" 2> /dev/null)" ]; then
  echo "not submitted: jobs of an earlier submission are in the queue; this cancels them: scancel \$(cat '$PWD/jobs.txt')" >&2
  exit 2
fi
mkdir -p log
rm -f seeds.keys
submit() {
  local name=$1
  shift
  # on a federation of clusters the number is followed by ;CLUSTER
  sbatch --parsable --job-name={{ name | word }}-"$name" "$@" | cut -d ';' -f 1
}
first=(--output=log/%x.txt)
{% if settings %}
settings=$(submit settings --array=1-{{ settings }}{{ at_once }} --output=log/settings-%a.txt job.sh settings {{ settings }})
echo "$settings" > jobs.txt
first=(--output=log/%x.txt --dependency=afterany:"$settings")
{% else %}
: > jobs.txt
{% endif %}
{% if seeds %}
select=$(submit select "${first[@]}" job.sh select)
seeds=$(submit seeds --array=1-{{ seeds }}{{ at_once }} --output=log/seeds-%a.txt --dependency=afterany:"$select" job.sh seeds {{ seeds }})
echo "$select $seeds" >> jobs.txt
first=(--output=log/%x.txt --dependency=afterany:"$seeds")
{% endif %}
report=$(submit report "${first[@]}" job.sh report)
echo "$report" >> jobs.txt
echo "submitted jobs $(xargs < jobs.txt); the page will be "{{ page | word }}
echo "  squeue --me       shows them; their logs are in $PWD/log"
echo "  scancel \$(cat '$PWD/jobs.txt')       cancels them"
