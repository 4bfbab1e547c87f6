#!/usr/bin/env python3
"""Flips single bits of a stopped state: in rows and checkpoints (segments and their logs), search indexes, contents and
packs. Each must be detected (the start refused with a reason, a finding of doctor, a FlowFile held as damaged) or be
harmless, and nothing wrong may be delivered. flips.py --full: 1,000; without it 60.

--control builds the programs with the check of rows' CRCs taken out, and succeeds when the rig then fails."""

import argparse
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

from shared import preload  # noqa: E402
from shared.control import build_with  # noqa: E402
from shared.scenario import SCENARIOS, Account, Totals, Try, below  # noqa: E402

SHORT, FULL = 60, 1000
# Sealed segments and checkpoints; and one open segment, all of it in its log.
USED = (replace(SCENARIOS["segments"], name="flips", count=24, events=60, hashed=True), replace(SCENARIOS["deliver"], count=24, hashed=True))
# What is said of damage that is met on the way.
NAME = re.compile(rb"f\d{3}\.(?:jpg|json|both|txt|bad|png)")
WORDS = ("ContentChanged", "ContentUnreadable", "CRC", "malformed", "SHA-256")


class State:
    """A stopped state with everything queued, to be damaged and restored again and again. Adopted contents are known by
    their inodes, so they stay the same files: second names of them are kept beside."""

    def __init__(self, scenario, folder, checkpointed=False):
        self.attempt = Try(scenario, folder)
        self.kept = folder / "kept"
        # Where nothing can be delivered, everything waits for its retry. Again until the source is empty.
        account = Account(left=1)
        for _ in range(100):
            if not account.left:
                break
            ended = self.attempt.run(preload.environment(self.attempt.log, fail="mkdir", path=f"{folder}/to", error="EIO", times=0), limit="300ms")
            account = self.attempt.account()
        assert ended is not None and account.good() and account.queued and not account.left, f"the state to damage: {ended} {account.problems()}"
        self.attempt.state.rename(self.kept)
        if checkpointed:
            self.checkpoint()
        self.files = {name: path for name, path in below(self.kept).items() if path.stat().st_size and not name.endswith(("-shm", "lock", "in-flight"))}
        self.rows = [(name, match.start()) for name, path in self.files.items() if name.endswith(".db") for match in NAME.finditer(path.read_bytes())]

    def checkpoint(self):
        """The open segment's rows are in the file itself then, where no checksum of SQLite's covers them."""
        for path in sorted((self.kept / "journal").glob("*.db")):
            db = sqlite3.connect(path)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.close()

    def choose(self, chance, only=None):
        """(kind, file, bit). Kinds evenly, so that the largest does not get them all: then a bit of a file of that kind. A
        row: a low bit of a FlowFile's name, so that the name stays one."""
        kinds = {}
        for name, path in sorted(self.files.items()):
            kinds.setdefault(kind_of(name), []).append((name, path.stat().st_size))
        kind = only or chance.choice(sorted(kinds) + (["row"] if self.rows else []))
        if kind == "row":
            name, at = chance.choice(self.rows)
            return kind, name, (at + chance.randrange(1, 4)) * 8 + chance.randrange(3)
        names, sizes = zip(*kinds[kind])
        name = chance.choices(names, sizes)[0]
        return kind, name, chance.randrange(dict(kinds[kind])[name] * 8)

    def restore(self):
        attempt = self.attempt
        for folder in (attempt.state, attempt.folder / "to"):
            shutil.rmtree(folder, ignore_errors=True)
        for path in self.kept.rglob("*"):
            to = attempt.state / path.relative_to(self.kept)
            if path.is_dir():
                to.mkdir(parents=True, exist_ok=True)
            elif "own" in path.parts:
                to.parent.mkdir(parents=True, exist_ok=True)
                os.link(path, to)
            elif not path.name.endswith("-shm"):
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, to)

    def flip(self, name, bit):
        """A disk that forgets tells no time of it."""
        path = self.attempt.state / name
        before = path.stat()
        with open(path, "r+b") as file:
            file.seek(bit // 8)
            byte = file.read(1)[0]
            file.seek(bit // 8)
            file.write(bytes([byte ^ (1 << bit % 8)]))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def try_flip(self, name, bit):
        """(detected how, account)"""
        self.restore()
        self.flip(name, bit)
        doctor, account = Account(), Account()
        self.attempt.doctor(doctor)
        ended = self.attempt.run(timeout=60, limit="4s")
        told = Counter()
        if doctor.complaints:
            told["doctor"] += 1
        if ended is None:
            account.complaints.append("the run did not end")
        elif ended.returncode < 0:
            account.complaints.append(f"the run ended by signal {-ended.returncode}: {ended.stderr[-500:]}")
        elif '"ended":"idle"' not in ended.stdout.replace(" ", ""):
            told["refused"] += 1
        if not account.complaints and not told["refused"]:
            self.judge(ended, account, told)
        elif not account.complaints:
            self.attempt.count_delivered(account, self.attempt.expected(), Counter())
        account.strays = []
        if "own" in name:
            self.flip_kept_back(name, bit)
        return told, account

    def judge(self, ended, account, told):
        """It went on until idle. What it or a look at it says of damage counts as detected; what is then not to be seen
        is not lost without a word."""
        self.attempt.account(account, doctor=False)
        if any(word in ended.stderr for word in WORDS):
            told["FlowFile refused"] += 1
        seen = [text for text in account.complaints if any(word in text for word in WORDS) or (told and text.startswith("queue list"))]
        if seen:
            told["look refused"] += 1
            account.complaints = [text for text in account.complaints if text not in seen]
        if told:
            account.lost = []

    def flip_kept_back(self, name, bit):
        """The damaged file is the kept one too."""
        state, self.attempt.state = self.attempt.state, self.kept
        self.flip(name, bit)
        self.attempt.state = state

    def done(self):
        self.attempt.done()


def kind_of(name):
    for ending, kind in ((".db", "segment"), ("-wal", "log"), (".idx", "index"), (".pack", "pack")):
        if name.endswith(ending):
            return kind
    return "content" if "own/" in name else "other"


def run(folder, flips, seed=1, jobs=4, say=lambda text: None, only=None):
    states = [State(USED[number % len(USED)], folder / f"state-{number}", number % 4 == 3 or only == "row") for number in range(jobs)]
    say(f"a state of {sum(path.stat().st_size for path in states[0].files.values())} bytes in {len(states[0].files)} files")
    totals, lock, how = Totals(), threading.Lock(), Counter()

    def work(job):
        state, chance = states[job], random.Random(seed * 1000 + job)
        for _ in range(job, flips, jobs):
            kind, name, bit = state.choose(chance, only)
            told, account = state.try_flip(name, bit)
            with lock:
                for way in told or ["harmless" if account.good() else "BAD"]:
                    how[kind, way] += 1
                totals.add(account, f"{name} bit {bit}")
                if not account.good():
                    say(f"FAILED seed {seed} job {job}: {name} bit {bit}: {'; '.join(account.problems())}")

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, range(jobs)))
    for (kind, way), count in sorted(how.items()):
        say(f"{kind:8} {way:16} {count}")
    say(totals.line(bits_flipped=flips))
    for state in states:
        state.done()
    return totals


def main():
    parser = argparse.ArgumentParser(description="Flips bits of a stopped state.")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--flips", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--only", choices=("content", "index", "log", "other", "pack", "row", "segment"), help="bits of this kind")
    parser.add_argument("--control", action="store_true")
    arguments = parser.parse_args()
    if arguments.control:
        unchecked = [("if ((uint32_t)sqlite3_column_int64(row, 20) == sl_event_crc(ret)) return 0;", "return 0;")]
        build = build_with("no-crc", {"daemon/journal/segment.c": unchecked})
        failed = subprocess.run([sys.executable, __file__, "--flips", "40", "--only", "row"], env=dict(os.environ, SLUICE_BUILD=str(build))).returncode
        sys.exit(0 if failed else "the rig found nothing wrong with rows whose CRC nobody checks")
    folder = Path(tempfile.mkdtemp(prefix="sluice-flips-"))
    totals = run(folder, arguments.flips or (FULL if arguments.full else SHORT), arguments.seed, arguments.jobs, lambda text: print(text, flush=True), arguments.only)
    shutil.rmtree(folder)
    if totals.failures:
        sys.exit(f"{len(totals.failures)} failed")


if __name__ == "__main__":
    main()
