#!/usr/bin/env python3
"""The runs of {{ name }} on HyperQueue, written by `downhill plan --hyperqueue`.

    python runs.py                    submits the runs, waits for them, writes the report
    python runs.py server             starts a server, like `hq server start`
    python runs.py worker --cpus 4    starts a worker on this machine, like `hq worker start`

It needs `python3 -m pip install {{ package }}`; the version is that of the server. A second start submits what is missing.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    import hyperqueue as hq
    from hyperqueue.cluster import Cluster
    from hyperqueue.ffi.protocol import ResourceRequest
except ImportError as error:
    sys.exit(f"{error}; this script needs a Python package: python3 -m pip install {{ package }}")

DOWNHILL = {{ program | python }}
ARGUMENTS = {{ arguments | python }}
REPORT = {{ report | python }}
START = {{ start | python }}  # the folder in which the commands are run
LOGS = Path({{ folder | python }}) / "hyperqueue" / "log"
CPUS = {{ cpus }}  # of each run
TRIES = 3  # of a run that fails
CRASHES = 50  # workers that a run may lose


def missing(stage):
    """The keys of the runs of a stage that can be made now."""
    command = [DOWNHILL, "plan", *ARGUMENTS, "--stage", stage]
    lines = subprocess.run(command, cwd=START, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [line.split("\t")[0] for line in lines.splitlines()]


def make(client, stage):
    """Makes the missing runs of a stage, one task each."""
    for _ in range(TRIES):
        keys = missing(stage)
        if not keys:
            return
        job = hq.Job(name=f"{{ name }}-{stage}", max_fails=None)
        for key in keys:
            # The process of a task is downhill itself, without a shell: if its worker is killed, it
            # receives SIGTERM and writes a checkpoint, from which another worker continues.
            job.program(
                [DOWNHILL, "run", *ARGUMENTS, "--jobs", "1", "--only", key],
                name=key,
                cwd=START,
                env={"RAYON_NUM_THREADS": str(CPUS)},
                stdout=LOGS / f"{key}.txt",
                stderr=LOGS / f"{key}.err",
                resources=ResourceRequest(cpus=CPUS),
                crash_limit=CRASHES,
            )
        submitted = client.submit(job)
        if not client.wait_for_jobs([submitted], raise_on_error=False):
            for task, failed in client.get_failed_tasks(submitted).items():
                print(f"run {keys[task]} failed: {failed.error}, see {failed.stderr}", file=sys.stderr)
    left = len(missing(stage))
    if left:
        sys.exit(f"{left} runs are missing; the same command makes them")


def submit(args):
    LOGS.mkdir(parents=True, exist_ok=True)
    client = hq.Client(args.server_dir)
    for stage in ["settings", "seeds"]:
        make(client, stage)
    sys.exit(subprocess.run([DOWNHILL, "report", *REPORT], cwd=START).returncode)


def server(args):
    Cluster(args.server_dir)
    signal.pause()


def worker(args):
    # The Python API starts workers only beside a server of the same process. So this starts a server
    # that stays unused, and a worker that finds the address of the other one in its place.
    with tempfile.TemporaryDirectory() as own:
        beside = Cluster(own)
        current = Path(own) / "hq-current"
        current.unlink()
        current.symlink_to((Path(args.server_dir) / "hq-current").resolve(strict=True))
        beside.add_worker(args.cpus)
        beside.stop()
        print(f"a worker with {args.cpus} cores", flush=True)
        while True:
            time.sleep(10)
            try:
                hq.Client(args.server_dir)
            except Exception:
                sys.exit("the server has ended")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="?", default="submit", choices=["submit", "server", "worker"])
    parser.add_argument("--server-dir", default=str(Path.home() / ".hq-server"))
    parser.add_argument("--cpus", type=int, default=os.cpu_count(), help="cores of a worker")
    args = parser.parse_args()
    {"submit": submit, "server": server, "worker": worker}[args.what](args)


main()
