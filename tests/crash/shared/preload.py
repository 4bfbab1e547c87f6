"""preload.c and drop.c from Python: builds them, makes the environment that sets them up, reads the calls that they wrote."""

import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from rig.daemon import BUILD

SOURCES = [Path(__file__).resolve().parents[1] / "points" / name for name in ("preload.c", "drop.c", "drop.h")]
LIBRARY = BUILD / "crash-preload.so"
lock = threading.Lock()


def library():
    """Built anew when a source is newer; under another name first, since a test beside this one may have it open."""
    with lock:
        if not LIBRARY.exists() or LIBRARY.stat().st_mtime < max(path.stat().st_mtime for path in SOURCES):
            fresh = LIBRARY.with_suffix(f".{os.getpid()}")
            units = [path for path in SOURCES if path.suffix == ".c"]
            subprocess.run(["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-o", fresh, *units, "-ldl"], check=True)
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


FAULTS = (4, 5, 28, 122)  # EINTR EIO ENOSPC EDQUOT


def failed(log):
    """Calls that failed with an error of a fault's."""
    return [call for call in calls(log) if call.error in FAULTS]


def dropped(log):
    """Bytes that failed syncs took away."""
    return sum(call.result for call in calls(log) if call.op == "dropped")


SYNCS = ("fsync", "fdatasync", "sync_file_range")


def synced_again(log):
    """Paths of files whose sync failed and was tried again, though they were neither made nor cut since: the kernel may
    call clean what it could not write. (Folders have no pages of that kind.)"""
    failed_syncs, again = set(), []
    for call in calls(log):
        if call.op in SYNCS and call.result < 0 and not os.path.isdir(call.path):
            if call.inode in failed_syncs:
                again.append(call.path)
            failed_syncs.add(call.inode)
        elif call.op in SYNCS and call.inode in failed_syncs:
            again.append(call.path)
        elif call.op in ("open", "ftruncate", "mkdir"):
            failed_syncs.discard(call.inode)
    return again


def synced_sizes(log, ending):
    """Path to its size at its last sync that succeeded, of those whose last sync failed."""
    sizes, broken = {}, set()
    for call in calls(log):
        if call.op in SYNCS and call.path.endswith(ending):
            broken.discard(call.path) if call.result == 0 else broken.add(call.path)
            if call.result == 0:
                sizes[call.path] = call.size
    return {path: sizes.get(path, 0) for path in broken}
