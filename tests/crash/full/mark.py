"""What full.py shows besides its cycles, with deliveries that fail for a while (their folder is a full disk of its own):

own doing   the flow itself fills the disk as far as the mark: sources stop there, no call on the state's disk is refused, and what
            is left outside is taken once the deliveries have made room
others      another program takes the last byte: what is in the flow is delivered on the full disk, its commits out of the reserve,
            while sources wait"""

import errno
import subprocess
from contextlib import contextmanager

from rig.wait import until
from shared import preload
from shared.scenario import KIB, below

LARGE, SMALL = 300_000, 20_000
OTHERS = 8_000 * KIB  # left free by others at first; the mark is at a twentieth of 24 MB
QUEUED, WAITING = 10, 3


@contextmanager
def deliveries_fail(out):
    """A full file system in the folder's place: what fails so is tried again."""
    out.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", out], check=True)
    try:
        (out / ".sluice-full").write_bytes(bytes(4096))
        yield
    finally:
        subprocess.run(["umount", "--lazy", out], check=True)


def add(attempt, chance, name, size):
    attempt.made[name] = chance.randbytes(size)
    path = attempt.inbox / name
    path.with_suffix(".coming").write_bytes(attempt.made[name])
    path.with_suffix(".coming").rename(path)


def outside(attempt):
    return [name for name in below(attempt.inbox) if not name.startswith(".")]


class Said:
    """What the log says from now on."""

    def __init__(self, daemon):
        self.daemon, self.begin = daemon, daemon.log.stat().st_size

    def __call__(self, text):
        with open(self.daemon.log, "rb") as log:
            log.seek(self.begin)
            return text.encode() in log.read()


def refused(attempt, disk):
    return sum(call.error == errno.ENOSPC and call.path.startswith(str(disk.folder)) for call in preload.calls(attempt.log))


def own_doing(daemon, attempt, disk, chance, settled):
    disk.fill(OTHERS)
    said, before, number = Said(daemon), refused(attempt, disk), 0
    with deliveries_fail(attempt.folder / "to/out"):

        def more():
            nonlocal number
            if not said("sources stop, what is in the flows"):
                add(attempt, chance, f"mark-{number:03}.json", LARGE)
                number += 1
                return False
            return True

        until(more, 60, daemon.tail, 0.1)
        free = disk.free()
        for extra in range(5):
            add(attempt, chance, f"mark-more-{extra}.json", LARGE)
        until(lambda: said("is tried again"), 60, daemon.tail)
        left = len(outside(attempt))
        assert left >= 5, f"{left} files were left outside, 5 came after sources had stopped"
        assert free > 0, "there was no room at all when sources stopped"
    until(settled, 90, daemon.tail, 0.05)
    assert said("sources go on"), daemon.tail()
    assert refused(attempt, disk) == before, "calls were refused though nobody else filled the disk"
    disk.empty()
    return {"own_doing_stopped_at_free_KiB": free // KIB, "left_outside": left}


def by_others(daemon, attempt, disk, chance, settled):
    out, said, reserve = attempt.folder / "to/out", Said(daemon), attempt.state / "reserve"
    whole = reserve.stat().st_size
    with deliveries_fail(out):
        for number in range(QUEUED):
            add(attempt, chance, f"others-{number:03}.json", SMALL)
        until(lambda: not outside(attempt), 60, daemon.tail)
        disk.fill(0)
        until(lambda: said("sources stop, what is in the flows"), 60, daemon.tail)
        for number in range(WAITING):
            add(attempt, chance, f"others-wait-{number}.json", SMALL)
    until(lambda: sum(name.startswith("others-") for name in below(out)) == QUEUED, 60, daemon.tail)
    given = whole - reserve.stat().st_size
    assert given > 0, f"no part of the reserve of {whole} bytes was given"
    waiting = len(outside(attempt))
    assert waiting == WAITING, f"{WAITING} files had to wait outside, {waiting} did"
    disk.empty()
    until(settled, 90, daemon.tail, 0.05)
    until(lambda: said("sources go on") and reserve.stat().st_size == whole, 30, daemon.tail)
    return {"reserve_given_KiB": given // KIB, "delivered_on_a_full_disk": QUEUED, "waited_outside": waiting}
