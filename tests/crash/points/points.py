#!/usr/bin/env python3
"""Kills `sluice run` at its durability calls, before and after each, and looks after a restart whether all is where it
belongs. points.py --full: every point of every scenario; without it about 60, spread."""

import argparse
import itertools
import shutil
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

from shared import preload  # noqa: E402
from shared.scenario import SCENARIOS, Account, Totals, Try  # noqa: E402

SHORT = 60


def calls_of(scenario, folder):
    """How many durability calls a run makes that nobody kills; it must itself be without fault."""
    attempt = Try(scenario, folder / f"count-{scenario.name}")
    ended = attempt.run(preload.environment(attempt.log))
    account = attempt.idle(attempt.account())
    assert ended is not None and '"ended":"idle"' in ended.stdout.replace(" ", ""), f"{scenario.name} without a kill: {ended}"
    assert account.good(), f"{scenario.name} without a kill: {account.problems()}"
    found = preload.count(attempt.log)
    attempt.done()
    return found


def try_point(scenario, number, when, folder):
    """(was it reached, what became of it)"""
    attempt = Try(scenario, folder / f"{scenario.name}-{number}-{when}")
    ended = attempt.run(preload.environment(attempt.log, kill=number, when=when))
    reached, account = preload.killed(attempt.log), Account()
    if ended is None:
        account.complaints.append("the run that was to be killed did not end")
    attempt.finish(account)
    attempt.idle(attempt.account(account))
    if account.good():
        attempt.done()
    return reached, account


def spread(points, most):
    """At most so many of them, evenly."""
    return points if len(points) <= most else [points[i * len(points) // most] for i in range(most)]


def run(folder, full=False, only=None, jobs=4, say=lambda text: None, most=SHORT):
    names = [only] if only else list(SCENARIOS)
    counts = {name: calls_of(SCENARIOS[name], folder) for name in names}
    say("durability calls: " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    # A run has a few more or fewer, as its threads meet: a little beyond the count is tried too.
    points = [(SCENARIOS[name], number, when) for name in names for number in range(1, counts[name] + 4) for when in ("before", "after")]
    if not full:
        points = spread(points, most)
    totals, lock, reached = Totals(), threading.Lock(), itertools.count()
    tried = 0

    def one(point):
        nonlocal tried
        killed, account = try_point(*point, folder)
        with lock:
            tried += 1
            if killed:
                next(reached)
            what = f"{point[0].name} {point[2]} {point[1]}"
            totals.add(account, what)
            if not account.good():
                say(f"FAILED {what}: {'; '.join(account.problems())}")
            elif account.strays:
                say(f"STRAY {what}: {'; '.join(account.problems())}")
            elif tried % 200 == 0:
                say(f"{tried} of {len(points)} points")

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, points))
    killed = next(reached)
    say(totals.line(points_tried=tried, kills=killed))
    if totals.strays:
        say("strays: " + ", ".join(f"{name} {count}" for name, count in totals.strays.items()))
    return totals, killed


def main():
    parser = argparse.ArgumentParser(description="Kills sluice at its durability calls.")
    parser.add_argument("--full", action="store_true", help="every point of every scenario")
    parser.add_argument("--scenario", choices=list(SCENARIOS))
    parser.add_argument("--point", type=int, help="only this one of --scenario, before and after")
    parser.add_argument("--points", type=int, default=SHORT, help="without --full: how many")
    parser.add_argument("--jobs", type=int, default=4)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sluice-points-"))
    if arguments.point:
        failed = 0
        for when in ("before", "after"):
            reached, account = try_point(SCENARIOS[arguments.scenario], arguments.point, when, folder)
            failed += not account.good()
            print(f"{when} {arguments.point}: {'killed' if reached else 'not reached'}; {account}")
    else:
        totals, _ = run(folder, arguments.full, arguments.scenario, arguments.jobs, lambda text: print(text, flush=True), arguments.points)
        failed = len(totals.failures)
    if failed:
        sys.exit(f"{failed} failed; their folders are kept in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
