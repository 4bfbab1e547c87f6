#!/usr/bin/env python3
"""Kills sluiced again and again while it delivers, and looks after each restart whether anything is missing.

After each kill -9 the daemon is started --paused: an SQL fold of the segments must equal the queues that it reports,
and after a SIGTERM the fold must still be that. Then it goes on. At the end the bucket holds every file with the right
hash and nothing else, and the source folder is empty.

The full form: tests/crash/run-full.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rig import files, flows, fold  # noqa: E402
from rig.daemon import SLOW, Daemon, sluice  # noqa: E402
from rig.store import Store  # noqa: E402
from rig.wait import until  # noqa: E402


def check_restart(daemon):
    daemon.start("--paused")
    reported = daemon.queues()
    assert fold.queues(daemon.state) == reported, f"fold {fold.queues(daemon.state)}, reported {reported}"
    daemon.stop()
    assert fold.queues(daemon.state) == reported, f"after SIGTERM: fold {fold.queues(daemon.state)}, before {reported}"


def replay_held(daemon, say):
    """What was in flight at three kills in a row is held, as it must be; nothing else may be."""
    for item in daemon.status()["connections"]:
        if item["hold"] and item["objects"]:
            listed = daemon.get(f'/api/v1/flows/{item["flow"]}/connections/{item["id"]}/flowfiles')["flowfiles"]
            assert all("crash" in entry["attributes"].get("error.message", "") for entry in listed), listed
            say(f'{item["objects"]} held in {item["id"]} after three kills in a row; replayed')
            assert daemon.command("queue", "replay", item["id"]).returncode == 0
    daemon.settled(120)


def run(folder, store, count, kills, seed, total=None, say=lambda text: None):
    chance = random.Random(seed)
    inbox = folder / "inbox"
    inbox.mkdir()
    made = files.make(inbox, count, total or count * 60_000, seed)
    bucket = f"crash-{seed}-{count}-{int(time.time())}"
    store.s3.create_bucket(Bucket=bucket)
    daemon = Daemon(folder / "daemon", flows.delivery(inbox, store.url, bucket), secrets=flows.secrets(store))
    for number in range(kills):
        daemon.start(wait=False)
        # A random moment: at once (recovery), while it scans, while it delivers.
        if chance.random() < 0.8:
            until(daemon.ready, 60 * SLOW, daemon.tail)
        time.sleep(chance.random() ** 2 * 0.6 * SLOW)
        assert daemon.process.poll() is None, daemon.tail()
        daemon.kill()
        check_restart(daemon)
        say(f"kill {number + 1}: {len(files.left_in(inbox))} files left, fold {sum(fold.queues(daemon.state).values())}")
    daemon.start()
    until(lambda: not files.left_in(inbox), 120 + count / 5 * SLOW, daemon.tail, 0.2)
    daemon.settled(120 + count / 10)
    replay_held(daemon, say)
    daemon.stop()
    assert fold.queues(daemon.state) == {}
    found = store.hashes(bucket)
    missing, extra = made.keys() - found.keys(), found.keys() - made.keys()
    wrong = [key for key in made.keys() & found.keys() if made[key] != found[key]]
    assert not missing and not extra and not wrong, f"missing {sorted(missing)[:5]}, extra {sorted(extra)[:5]}, wrong {wrong[:5]}"
    doctor = sluice("doctor", "--state", daemon.state)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    daemon.done()
    return len(found)


def main():
    parser = argparse.ArgumentParser(description="Kills sluiced while it delivers.")
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--bytes", type=int, help="in all; default 60 KB a file")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(folder / "moto.log")
        try:
            found = run(folder, store, arguments.files, arguments.kills, arguments.seed, arguments.bytes, lambda text: print(text, flush=True))
        finally:
            store.stop()
    print(f"{found} objects, each right, after {arguments.kills} kills")


if __name__ == "__main__":
    main()
