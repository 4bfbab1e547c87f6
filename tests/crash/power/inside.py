"""Inside the virtual machine: makes the files when the disk is new, runs the flow until idle, gives the account of it.
Each line for the rig outside begins with POWER."""

import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

from shared.scenario import SCENARIOS, Account, Try  # noqa: E402

DISK = Path("/mnt/disk")
SCENARIO = replace(SCENARIOS["deliver"], name="power", count=int(os.environ["POWER_FILES"]), events=200)


def prepared():
    """The files are on the disk, or made again from the beginning."""
    mark, attempt = DISK / "prepared", Try(SCENARIO, DISK / "try", make=False)
    if not mark.exists():
        attempt.make()
        os.sync()
        mark.touch()
        os.sync()
    return attempt


def main():
    attempt = prepared()
    print("POWER ready", flush=True)
    preload = {"LD_PRELOAD": os.environ["POWER_PRELOAD"], "CRASH_NO_SYNC": "1"} if os.environ.get("POWER_PRELOAD") else {}
    ended = attempt.run(preload, timeout=120)
    account = Account()
    if ended is None or '"ended":"idle"' not in ended.stdout.replace(" ", ""):
        account.complaints.append(f"the run did not end idle: {ended}"[:3000])
    attempt.idle(attempt.account(account))
    print("POWER account " + json.dumps(asdict(account)), flush=True)


main()
