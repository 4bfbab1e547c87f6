#!/usr/bin/env python3
"""A state on a file system of 24 MB that is filled up and emptied again while sluiced takes and delivers: 50 cycles with
--full, 3 without; in the first half sources stop at no mark before it is full, in the second at the usual one. After each,
all that came meanwhile is delivered by itself; refused calls and a daemon that had to be started again are counted. Then
mark.py. The file system is a tmpfs in a mount namespace of its own, which goes with this process."""

import argparse
import errno
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

from rig.daemon import program  # noqa: E402
from rig.wait import until  # noqa: E402
import mark  # noqa: E402
from shared import preload  # noqa: E402
from shared.scenario import KIB, PLACES, SCENARIOS, Try, Totals, below  # noqa: E402

MOUNTED = "SLUICE_FULL_MOUNTED"
SIZE = 24 * KIB * KIB
PER_CYCLE = 24


def in_namespace():
    """Starts this program anew where it may mount."""
    if os.environ.get(MOUNTED):
        return
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*own, "true"], stderr=subprocess.DEVNULL).returncode != 0:
        print("skipped: no mount namespace can be made here")
        sys.exit(77)
    os.execvpe("unshare", own + [sys.executable, *sys.argv], dict(os.environ, **{MOUNTED: "1"}))


class Disk:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], check=True)
        self.filler = folder / "filler"

    def free(self):
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, leave):
        try:
            with open(self.filler, "ab") as file:
                while self.free() > leave:  # the daemon takes of it too
                    file.write(bytes(min(self.free() - leave, KIB * KIB)))
                    file.flush()
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise

    def empty(self):
        self.filler.unlink(missing_ok=True)

    def done(self):
        subprocess.run(["umount", self.folder], check=True)


class Daemon:
    """sluiced of one flow, started again when it ends. `disk`: how full its sources may make the disk, None: as usual."""

    def __init__(self, attempt, say, disk=None):
        self.attempt, self.say, self.ends, self.process = attempt, say, 0, None
        self.log, self.config = attempt.folder / "log", attempt.folder / "sluiced.yaml"
        self.set(disk)
        self.start()

    def set(self, disk):
        self.config.write_text(f'retention: {{content: {{disk: "{disk}"}}}}\n' if disk else "")

    def start(self):
        command = [program("sluiced"), "--config", self.config, "--flow", self.attempt.flow, "--state", self.attempt.state, "--http", "off"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(list(map(str, command)), env=self.attempt.environment(preload.environment(self.attempt.log)), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def keep(self):
        """As systemd would."""
        if self.process.poll() is None:
            return
        assert self.process.returncode in (1, 75), f"sluiced ended with {self.process.returncode}: {self.tail()}"
        self.ends += 1
        self.say(f"sluiced ended: {self.tail().splitlines()[-1]}")
        time.sleep(0.2)
        self.start()

    def tail(self):
        return self.log.read_text(errors="replace")[-3000:]

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)


def add_files(attempt, chance, cycle):
    sizes = (1, 700, 2 * KIB + 1, 20_000, 100_000, 256 * KIB + 1, 700_000)
    for number in range(PER_CYCLE):
        kind = ("jpg", "json", "both")[number % 3]
        name, data = f"c{cycle:03}-{number:03}.{kind}", chance.randbytes(chance.choice(sizes))
        attempt.made[name] = data
        path = attempt.inbox / name
        path.with_suffix(".coming").write_bytes(data)
        path.with_suffix(".coming").rename(path)


def settled(attempt):
    if any(not name.startswith(".") for name in below(attempt.inbox)):
        return False
    there = len(below(attempt.folder / "to/store/bucket")) + len([n for n in below(attempt.folder / "to/out") if ".sluice-" not in n])
    return there == sum(len([p for p in PLACES[name.rsplit(".", 1)[1]] if p != "held"]) for name in attempt.made)


def run(folder, cycles, seed=1, say=lambda text: None):
    disk = Disk(folder / "disk")
    attempt = Try(replace(SCENARIOS["deliver"], name="full", count=0, events=1000), folder / "try")
    attempt.inbox.mkdir(exist_ok=True)
    attempt.state = disk.folder / "state"
    # Each retry is an event: a tenth of a second would be what fills so small a disk.
    attempt.flow.write_text(attempt.flow.read_text().replace("max_backoff: 100ms", "max_backoff: 2s"))
    chance, totals, slowest = random.Random(seed), Totals(), 0
    daemon = Daemon(attempt, say, "100%")
    for cycle in range(cycles):
        if cycle == (cycles + 1) // 2:
            code = daemon.stop()
            assert code == 0, f"sluiced ended with {code}: {daemon.tail()}"
            daemon.set(None)
            daemon.start()
        leave = chance.choice((0, 4 * KIB, 100 * KIB, 500 * KIB, 2000 * KIB))
        full_first = chance.random() < 0.5
        greedy = chance.random() < 0.5 or cycle == 0  # who fills the disk takes the daemon's reserve too, as it is given
        if cycle == 0:  # whatever the dice and the machine's speed say, once there is no room at all when files come
            leave, full_first = 0, True
        if full_first:
            disk.fill(leave)
        add_files(attempt, chance, cycle)
        if not full_first:
            time.sleep(chance.random() * 0.2)
            disk.fill(leave)
        end = time.monotonic() + 0.3 + chance.random()
        while time.monotonic() < end:
            daemon.keep()
            if greedy:
                disk.fill(leave)
            time.sleep(0.05)
        disk.empty()
        begun = time.monotonic()

        def all_there():
            daemon.keep()
            return settled(attempt)

        until(all_there, 90, lambda: f"cycle {cycle}, {leave} bytes left: {len(below(attempt.inbox))} files in the source; {daemon.tail()}", 0.05)
        slowest = max(slowest, time.monotonic() - begun)
    marks = {}
    for show in (mark.own_doing, mark.by_others):
        marks.update(show(daemon, attempt, disk, chance, lambda: settled(attempt)))
    for part in ("journal", "content"):
        say(f"{part}: {sum(path.stat().st_blocks * 512 for path in below(attempt.state / part).values()) // KIB} KiB in {len(below(attempt.state / part))} files")
    code = daemon.stop()
    account = attempt.idle(attempt.account())
    if code != 0:
        account.complaints.append(f"sluiced ended with {code}: {daemon.tail()}")
    totals.add(account, "all")
    refusals = sum(call.error == errno.ENOSPC for call in preload.calls(attempt.log))
    if not refusals:
        totals.failures.append("the disk was never full for the daemon: this run shows nothing")
    say(totals.line(cycles=cycles, refusals=refusals, ended_and_started_again=daemon.ends, slowest_seconds=round(slowest, 1), **marks))
    for failure in totals.failures:
        say(f"FAILED {failure}")
    attempt.done()
    disk.done()
    return totals


def main():
    parser = argparse.ArgumentParser(description="Fills a state's disk and empties it again.")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--cycles", type=int)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    in_namespace()
    folder = Path(tempfile.mkdtemp(prefix="sluice-full-"))
    totals = run(folder, arguments.cycles or (50 if arguments.full else 3), arguments.seed, lambda text: print(text, flush=True))
    if totals.failures:
        sys.exit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
