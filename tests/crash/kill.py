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


# Objects a second that moto takes here, about.
PACE = 150


def check_restart(daemon):
    daemon.start("--paused")
    daemon.on_disk()
    reported = daemon.queues()
    assert fold.queues(daemon.state) == reported, f"fold {fold.queues(daemon.state)}, reported {reported}"
    daemon.stop()
    assert fold.queues(daemon.state) == reported, f"after SIGTERM: fold {fold.queues(daemon.state)}, before {reported}"


def arrive(stage, inbox, names):
    """A share of the files comes with each round, so that a kill can hit the taking too."""
    for name in names:
        (inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (stage / name).rename(inbox / name)


def replay_held(daemon, say):
    """What was in flight at three kills in a row is held, as it must be; nothing else may be. How many were."""
    held = 0
    for item in daemon.status()["connections"]:
        if item["hold"] and item["objects"]:
            listed = daemon.get(f'/api/v1/flows/{item["flow"]}/connections/{item["id"]}/flowfiles')["flowfiles"]
            assert all(entry["attributes"].get("error.code") == "Crashed" for entry in listed), listed
            say(f'{item["objects"]} held in {item["id"]} after three kills in a row; replayed')
            assert daemon.command("queue", "replay", item["id"]).returncode == 0
            held += item["objects"]
    daemon.settled(120)
    return held


def run(folder, store, count, kills, seed, total=None, say=lambda text: None):
    chance = random.Random(seed)
    inbox, stage = folder / "inbox", folder / "stage"
    inbox.mkdir()
    made = files.make(stage, count, total or count * 60_000, seed)
    coming = sorted(made)
    chance.shuffle(coming)
    bucket = f"crash-{seed}-{count}-{int(time.time())}"
    store.s3.create_bucket(Bucket=bucket)
    daemon = Daemon(folder / "daemon", flows.delivery(inbox, store.url, bucket, pickup="    batch: 10\n"), secrets=flows.secrets(store))
    daemon.environment["SLUICE_SEGMENT_EVENTS"] = "1000"  # so that kills hit rolls, checkpoints and seals too
    for number in range(kills):
        arrive(stage, inbox, coming[number::kills])
        daemon.start(wait=False)
        # A random moment: while it recovers, scans, delivers; spread over the time that the whole takes.
        if chance.random() < 0.8:
            until(daemon.ready, 60 * SLOW, daemon.tail)
            time.sleep(chance.random() * 2 * count / PACE / kills)
        else:
            time.sleep(chance.random() * 0.05)
        assert daemon.process.poll() is None, daemon.tail()
        daemon.kill()
        check_restart(daemon)
        say(f"kill {number + 1}: {len(files.left_in(inbox))} files left, fold {sum(fold.queues(daemon.state).values())}")
    daemon.start()
    until(lambda: not files.left_in(inbox), 120 + count / 5 * SLOW, daemon.tail, 0.2)
    daemon.settled(120 + count / 10)
    replayed = replay_held(daemon, say)
    daemon.stop()
    assert fold.queues(daemon.state) == {}
    found = store.hashes(bucket)
    missing, extra = made.keys() - found.keys(), found.keys() - made.keys()
    wrong = [key for key in made.keys() & found.keys() if made[key] != found[key]]
    say(f"kills {kills}, accepted {len(made)}, delivered {len(made.keys() & found.keys())}, queued 0, held 0, lost {len(missing)}, "
        f"wrong {len(wrong) + len(extra)}; {replayed} were held for three kills in a row and replayed")
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
    print(f"seed {arguments.seed}", flush=True)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(folder / "moto.log")
        try:
            found = run(folder, store, arguments.files, arguments.kills, arguments.seed, arguments.bytes, lambda text: print(text, flush=True))
        finally:
            store.stop()
    print(f"{found} objects, each right, after {arguments.kills} kills in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
