#!/usr/bin/env python3
"""Power cuts: a flow runs in user-mode-linux on a virtual disk (ext4 and xfs in turn), the virtual machine is killed at a
random moment, booted again, and so on; in the end all must be where it belongs. What the machine had not synced is gone
with it. power.py --full: 100 cuts; without it 5. --control: fsync does nothing, and the rig must fail.

Needs root (a PID namespace, in which the virtual machine runs as nobody), Debian's user-mode-linux and xfsprogs."""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

from rig.daemon import BUILD  # noqa: E402
from shared import preload  # noqa: E402
from shared.scenario import Account, Totals  # noqa: E402

HERE = Path(__file__).resolve().parent
NOBODY = 65534
FILES = 60
CUTS_PER_DISK = 5
# Extended registers are not kept: see launch.c.
NO_AVX = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=" + ",".join("-" + name for name in (
    "AVX_Fast_Unaligned_Load", "AVX", "AVX2", "AVX512F", "AVX512VL", "AVX512BW", "AVX512DQ", "ERMS", "XSAVEC", "XSAVE")),
    "OPENSSL_ia32cap": "~0x1000000000000000:0", "LD_BIND_NOW": "1"}


def missing():
    """Why this machine cannot, or None."""
    if os.geteuid() != 0:
        return "it needs root"
    absent = [name for name in ("linux.uml", "mkfs.xfs", "mkfs.ext4", "unshare", "setpriv") if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    return f"{', '.join(absent)} missing" if absent else None


def launcher(folder):
    path = folder / "launch"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", path, HERE / "launch.c"], check=True)
    return path


class Machine:
    def __init__(self, folder, launch, fs, no_sync=False):
        self.folder, self.launch, self.fs, self.no_sync = folder, launch, fs, no_sync
        folder.mkdir()
        self.image = folder / "disk"
        with open(self.image, "wb") as file:
            file.truncate(400 << 20)
        environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        subprocess.run([f"mkfs.{fs}", "-q", self.image], check=True, env=environment)
        os.chown(self.image, NOBODY, NOBODY)
        os.chown(folder, NOBODY, NOBODY)
        self.process = None

    def boot(self):
        inside = {"POWER_FS": self.fs, "POWER_PYTHON": sys.executable, "POWER_INSIDE": HERE / "inside.py", "POWER_FILES": FILES, "SLUICE_BUILD": BUILD,
                  "PYTHONDONTWRITEBYTECODE": "1", **NO_AVX, **({"POWER_PRELOAD": preload.library()} if self.no_sync else {})}
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig", "KILL",
                   self.launch, "linux.uml", "mem=384M", "rootfstype=hostfs", "rootflags=/", "ro", f"init={HERE / 'init.sh'}", f"ubd0={self.image}",
                   f"uml_dir={self.folder}/", "con=null", "con0=null,fd:1", "ssl=null", *(f"{name}={value}" for name, value in inside.items())]
        self.process = subprocess.Popen(list(map(str, command)), env=dict(os.environ, HOME=str(self.folder)), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def wait_for(self, word, seconds):
        """The rest of the line that begins with POWER WORD; None: the time is over. All it said goes into `said`."""
        found, self.said = [], []

        def read():
            for line in self.process.stdout:
                text = line.decode(errors="replace").strip()
                self.said.append(text)
                if text.startswith("POWER " + word):
                    found.append(text[len("POWER " + word):].strip())
                    return

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        thread.join(seconds)
        return found[0] if found else None

    def cut(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def one_disk(folder, launch, fs, cuts, chance, no_sync):
    machine, account = Machine(folder, launch, fs, no_sync), Account()
    for _ in range(cuts):
        machine.boot()
        ready = machine.wait_for("ready", 60)
        if ready is None:
            account.complaints.append(f"it did not boot: {machine.said[-5:]}")
        else:
            time.sleep(chance.random() ** 2 * 4)
        machine.cut()
    machine.boot()
    text = machine.wait_for("account", 180)
    machine.cut()
    if text is None:
        account.complaints.append(f"it did not come to an account: {machine.said[-8:]}")
        return account
    found = Account(**json.loads(text))
    found.complaints += account.complaints
    return found


def run(folder, cuts, seed=1, jobs=2, no_sync=False, say=lambda text: None):
    launch, totals, lock = launcher(folder), Totals(), threading.Lock()
    preload.library()
    os.chmod(folder, 0o755)
    disks = [(number, min(CUTS_PER_DISK, cuts - first)) for number, first in enumerate(range(0, cuts, CUTS_PER_DISK))]
    if cuts <= CUTS_PER_DISK:
        disks = [(0, cuts - cuts // 2), (1, cuts // 2)]  # both file systems in the short form too

    def work(disk):
        number, count = disk
        fs = ("ext4", "xfs")[number % 2]
        account = one_disk(folder / f"disk-{number}", launch, fs, count, random.Random(seed * 1000 + number), no_sync)
        with lock:
            totals.add(account, f"seed {seed} disk {number} ({fs})")
            if not account.good() or account.strays:
                say(f"{'STRAY' if account.good() else 'FAILED'} seed {seed} disk {number} ({fs}): {'; '.join(account.problems())}")
        if account.good():
            shutil.rmtree(folder / f"disk-{number}")

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, disks))
    say(totals.line(power_cuts=cuts, disks=len(disks)))
    if totals.strays:
        say("strays: " + ", ".join(f"{name} {count}" for name, count in totals.strays.items()))
    return totals


def main():
    parser = argparse.ArgumentParser(description="Cuts the power while sluice works.")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--cuts", type=int)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--control", action="store_true")
    arguments = parser.parse_args()
    why = missing()
    if why:
        print(f"skipped: {why}")
        sys.exit(77)
    folder = Path(tempfile.mkdtemp(prefix="sluice-power-"))
    cuts = arguments.cuts or (100 if arguments.full else 10 if arguments.control else 5)
    totals = run(folder, cuts, arguments.seed, arguments.jobs, arguments.control, lambda text: print(text, flush=True))
    if arguments.control:
        shutil.rmtree(folder, ignore_errors=True)
        sys.exit(0 if totals.failures else "the rig found nothing wrong where fsync does nothing")
    if totals.failures:
        sys.exit(f"{len(totals.failures)} failed; their disks are kept in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
