#!/usr/bin/env python3
"""Lets the system's calls fail while `sluice run` works, once and for ever, and memory run out; then takes the fault away,
starts it again and looks whether all is where it belongs. faults.py --full: every kind of call in every area with every
error at many places; without it about 60 of them, spread.

Besides: a process that a fault ends says so and is not killed by a signal; a sync that failed is never tried again on the
same file; what a failed sync refused does not come back with the next start; a stopped state is whole to `sluice doctor`.
Syncs fail in two ways: what they were to write is there all the same, or it is gone and the next sync says 0 (dropped).

--control links a `sluice` that trusts a file again after a failed sync (of the journal's log, a pack, a file of its own),
and succeeds when the rig then fails with each of them, and does not with the true one."""

import argparse
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

from shared import preload  # noqa: E402
from shared.control import build_with  # noqa: E402
from shared.scenario import SCENARIOS, Account, Totals, Try  # noqa: E402

SHORT = 60
AREAS = ("/state/journal", "/state/content", "/store", "/out", "/in", "/moved")
ERRORS = ("EIO", "ENOSPC", "EDQUOT", "EINTR", "SHORT")
WRITES = ("write", "pwrite")
USED = {name: replace(SCENARIOS[name], name=name, count=12) for name in ("segments", "move-elsewhere")}
SIGNALS_OF_BUGS = (-11, -7, -8, -4)  # SEGV BUS FPE ILL


@dataclass(frozen=True)
class Fault:
    scenario: str
    op: str = "malloc"
    area: str = ""
    error: str = ""
    at: int = 1
    times: int = 1
    drop: bool = False

    def environment(self, log):
        if self.op == "malloc":
            return preload.environment(log, malloc=self.at, malloc_times=self.times)
        return preload.environment(log, fail=self.op, path=self.area, error=self.error, **{"from": self.at}, times=self.times,
                                   drop=1 if self.drop else None)

    def __str__(self):
        words = (f"{self.scenario}:", self.op, self.area, self.error, f"at {self.at}", "once" if self.times else "for ever", self.drop and "dropped")
        return " ".join(filter(None, words))


# ---- which ---------------------------------------------------------------------------------------------------


def clean_run(scenario, folder):
    """Count of calls by (operation, area), and of allocations."""
    attempt = Try(scenario, folder / f"count-{scenario.name}")
    ended = attempt.run(preload.environment(attempt.log))
    account = attempt.idle(attempt.account())
    assert ended is not None and account.good(), f"{scenario.name} without a fault: {account.problems()}"
    counts = Counter()
    for call in preload.calls(attempt.log):
        area = next((area for area in AREAS if area in call.path or call.path.startswith(area[1:])), None)
        if area and call.number:
            counts[call.op, area] += 1
    allocations = preload.allocations(attempt.log)
    attempt.done()
    return counts, allocations


def places(count, most):
    return sorted({1 + i * (count - 1) // max(most - 1, 1) for i in range(most)}) if count else []


def faults_of(name, folder):
    """All faults of the full form."""
    counts, allocations = clean_run(USED[name], folder)
    found = []
    for (op, area), count in sorted(counts.items()):
        for error in ERRORS:
            if error == "SHORT" and op not in WRITES:
                continue
            where = area.lstrip("/") if area.startswith("/state") else area
            for drop in (False, True) if op in preload.SYNCS and error != "EINTR" else (False,):
                found += [Fault(name, op, where, error, at, 1, drop) for at in places(count, 8)]
                found += [Fault(name, op, where, error, at, 0, drop) for at in places(count, 3)]
    for times in (1, 0):
        found += [Fault(name, at=at, times=times) for at in places(allocations, 120)]
    return found


# ---- one -----------------------------------------------------------------------------------------------------


def check_end(fault, ended, account, begun):
    if ended is None:
        account.complaints.append("it did not end")
    elif ended.returncode in SIGNALS_OF_BUGS and not begun:
        pass  # libcrypto 3.0 does not survive it while it sets itself up, which is while the flow is read
    elif ended.returncode in SIGNALS_OF_BUGS:
        account.complaints.append(f"it ended by signal {-ended.returncode}: {ended.stderr[-800:]}")
    elif ended.returncode != 0 and not (ended.stderr + ended.stdout).strip():
        account.complaints.append(f"it ended with {ended.returncode} and no word")


def events_of(journal):
    """Sequence numbers by segment, and each segment's first number, of a copy that may be opened for writing."""
    found = {}
    for path in sorted(journal.glob("[0-9]*.db")):
        db = sqlite3.connect(path)
        try:
            numbers = {row[0] for row in db.execute("SELECT seq FROM event")}
            first = db.execute("SELECT value FROM meta WHERE key = 'first'").fetchone()
            found[path.name] = (numbers, int(first[0]) if first else None)
        except sqlite3.OperationalError:
            found[path.name] = (set(), None)  # half made
        db.close()
    return found


def refused_that_came_back(attempt, folder):
    """Events that stand in a log beyond what was ever synced, and that no later segment overrules."""
    sizes = preload.synced_sizes(attempt.log, "-wal")
    if not sizes:
        return []
    views = []
    for name in ("as it is", "acknowledged"):
        copy = folder / name
        shutil.copytree(attempt.state / "journal", copy, ignore=shutil.ignore_patterns("*-shm", "lock"))
        if name == "acknowledged":
            for path, size in sizes.items():
                log = copy / Path(path).name
                if log.exists():
                    with open(log, "r+b") as file:
                        file.truncate(min(size, log.stat().st_size))
        views.append(events_of(copy))
    there, acknowledged = views
    back = []
    for name, (numbers, _) in there.items():
        later = [first for other, (_, first) in there.items() if other > name and first]
        overruled = min(later, default=1 << 62)
        back += [number for number in numbers - acknowledged[name][0] if number < overruled]
    return sorted(back)


def try_fault(fault, folder):
    attempt = Try(USED[fault.scenario], folder)
    account = Account()
    ended = attempt.run(fault.environment(attempt.log), timeout=60, limit="3s")
    check_end(fault, ended, account, attempt.state.exists())
    injected = len(preload.failed(attempt.log)) if fault.op != "malloc" else 1
    again = preload.synced_again(attempt.log)
    if again:
        account.complaints.append(f"synced again after a failed sync: {sorted(set(again))[:3]}")
    if (attempt.state / "node").exists():
        back = refused_that_came_back(attempt, folder)
        if back:
            account.complaints.append(f"refused, and there at the next start: events {back[0]} to {back[-1]}")
        doctor = Account()
        attempt.doctor(doctor)
        account.complaints += [f"before the start: {text}" for text in doctor.complaints]
    attempt.finish(account)
    attempt.idle(attempt.account(account))
    if account.good():
        attempt.done()
    return injected, account


# ---- all -----------------------------------------------------------------------------------------------------


def spread(faults, most):
    return faults if len(faults) <= most else [faults[i * len(faults) // most] for i in range(most)]


def kind_of(text):
    return re.sub(r"[0-9a-f]{16}|\d+|/tmp/\S*", "N", text)[:160]


def run(folder, faults, jobs=6, say=lambda text: None):
    totals, lock, injected, kinds = Totals(), threading.Lock(), [0, 0], Counter()

    def one(pair):
        number, fault = pair
        count, account = try_fault(fault, folder / str(number))
        with lock:
            injected[0] += count
            injected[1] += 1
            totals.add(account, f"{number} {fault}")
            if not account.good():
                kinds[kind_of("; ".join(account.problems()))] += 1
                say(f"FAILED {number} {fault}: {'; '.join(account.problems())}")
            elif injected[1] % 200 == 0:
                say(f"{injected[1]} of {len(faults)}")

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, enumerate(faults)))
    say(totals.line(faults_tried=len(faults), faults_injected=injected[0]))
    if totals.strays:
        say("strays: " + ", ".join(f"{name} {count}" for name, count in totals.strays.items()))
    if kinds:
        say("failures by kind:\n" + "\n".join(f"{count:5} {kind}" for kind, count in kinds.most_common()))
    return totals


# ---- the negative control --------------------------------------------------------------------------------------

# Whose sync fails, in which scenario, and what the rig must then say of a sluice that goes on with the file.
AGAIN = "synced again after a failed sync"
UNTRUSTED = {
    "-wal": ("segments", (AGAIN, "refused, and there at the next start")),
    "/content/pack/": ("segments", (AGAIN, '"verdict":"damaged"')),
    "/content/own/#": ("move-elsewhere", (AGAIN, '"verdict":"damaged"')),
}
# The rule is not in one place: the latch itself, the fresh segment, the cut of what was refused; the end where a pack fails.
TRUSTING = {
    "daemon/journal/vfs.c": [("if (result != SQLITE_OK) atomic_store(&((shim_file *)file)->latched, true);", "(void)file;")],
    "daemon/journal/writer.c": [
        ("    if (group->content_fails) return", "    if (group->content_fails && full) return"),
        ("    return journal->proven && renew(journal, rest, error) == 0;",
         "    (void)rest, (void)renew;\n    bool again = journal->proven;\n    journal->proven = false;\n    return again;"),
        ("    sl_segment_cut(journal->segment);", "    sl_segment_undo(journal->segment);"),
    ],
    "daemon/content/pack.c": [("    if (pack->refused) return sl_pack_replace(store, pack, error);", "")],
    "daemon/content/writer.c": [("sl_sys_now->fsync(fd) < 0 ||", "(sl_sys_now->fsync(fd) < 0 && sl_sys_now->fsync(fd) < 0) ||")],
}


def syncs():
    return [Fault(scenario, "fsync,fdatasync", area, "EIO", at, times, drop)
            for area, (scenario, _) in UNTRUSTED.items() for times, drop in ((1, True), (0, False)) for at in ((4, 6) if area == "-wal" else (1, 2))]


def control(folder, jobs, say):
    totals = run(folder, syncs(), jobs, say)
    if totals.failures:
        return "the true sluice fails with the faults that the one of the control has to fail with"
    build = build_with("no-latch", TRUSTING)
    done = subprocess.run([sys.executable, __file__, "--syncs", "--jobs", str(jobs)], env=dict(os.environ, SLUICE_BUILD=str(build)), capture_output=True, text=True)
    say(done.stdout)
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    unseen = [f"{area}: {word}" for area, (_, words) in UNTRUSTED.items() for word in words if not any(area in line and word in line for line in failed)]
    return f"the rig does not see that a file is trusted again after a failed sync: {unseen}" if unseen else None


def main():
    parser = argparse.ArgumentParser(description="Lets calls of sluice fail.")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--op", help="only this kind of call, or malloc")
    parser.add_argument("--faults", type=int, default=SHORT, help="without --full: how many")
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--drop", action="store_true", help="with --one: failed syncs lose what was written")
    parser.add_argument("--syncs", action="store_true", help="only the syncs that the control is made of")
    parser.add_argument("--control", action="store_true")
    parser.add_argument("--one", nargs=6, metavar=("SCENARIO", "OP", "AREA", "ERROR", "AT", "TIMES"), help="this one only")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sluice-faults-"))

    def say(text):
        print(text, flush=True)

    if arguments.control:
        unseen = control(folder, arguments.jobs, say)
        shutil.rmtree(folder)
        sys.exit(unseen)
    if arguments.one:
        *names, at, times = arguments.one
        injected, account = try_fault(Fault(*names, int(at), int(times), arguments.drop), folder / "one")
        print(f"{injected} injected; {account}")
        failed = not account.good()
    else:
        faults = syncs() if arguments.syncs else [fault for name in USED for fault in faults_of(name, folder) if arguments.op in (None, fault.op)]
        failed = len(run(folder, faults if arguments.full else spread(faults, arguments.faults), arguments.jobs, say).failures)
    if failed:
        sys.exit(f"{failed} failed; their folders are kept in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
