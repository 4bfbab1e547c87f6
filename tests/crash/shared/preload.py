"""preload.c from Python: builds it, makes the environment that sets it up, reads the calls that it wrote."""

import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from rig.daemon import BUILD

SOURCE = Path(__file__).resolve().parents[1] / "points" / "preload.c"
LIBRARY = BUILD / "crash-preload.so"
lock = threading.Lock()


def library():
    """Built anew when its source is newer; under another name first, since a test beside this one may have it open."""
    with lock:
        if not LIBRARY.exists() or LIBRARY.stat().st_mtime < SOURCE.stat().st_mtime:
            fresh = LIBRARY.with_suffix(f".{os.getpid()}")
            subprocess.run(["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o", fresh, SOURCE, "-ldl"], check=True)
            fresh.rename(LIBRARY)
    return str(LIBRARY)


def environment(log=None, **settings):
    """environment(log, kill=7, when="after"): CRASH_KILL=7, CRASH_WHEN=after."""
    made = {"LD_PRELOAD": library(), **{f"CRASH_{name.upper()}": str(value) for name, value in settings.items() if value is not None}}
    if log:
        made["CRASH_LOG"] = str(log)
    return made


@dataclass
class Call:
    number: int
    op: str
    result: int
    error: int
    inode: str
    size: int
    path: str


def calls(log):
    """The calls in the order in which they ended; what a kill cut off is left out."""
    found = []
    for line in Path(log).read_bytes().decode(errors="surrogateescape").split("\n")[:-1]:
        number, op, result, error, inode, size, path = line.split(" ", 6)
        found.append(Call(int(number), op, int(result), int(error), inode, int(size), path))
    return found


def count(log):
    return max((call.number for call in calls(log)), default=0)


def allocations(log):
    return max((call.result for call in calls(log) if call.op == "allocations"), default=0)


def killed(log):
    return any(call.op.startswith("killed") for call in calls(log))


def failed(log):
    """Calls that failed with an error of a fault's, on paths of the run."""
    return [call for call in calls(log) if call.error in (4, 5, 28, 122)]


SYNCS = ("fsync", "fdatasync", "sync_file_range")


def synced_again(log):
    """Paths of files (folders have no pages of their own that could be taken for clean) whose sync failed and was tried
    again though nothing was written anew: neither a file made or cut at that path, nor its bytes since."""
    failed_syncs, again = set(), []
    for call in calls(log):
        if call.op in SYNCS and not os.path.isdir(call.path):
            if call.result < 0:
                failed_syncs.add((call.inode, call.path))
            elif (call.inode, call.path) in failed_syncs:
                again.append(call.path)
        elif call.op == "open":
            failed_syncs = {pair for pair in failed_syncs if pair[0] != call.inode}
    return again
