"""What the measurements share: programs to start, their memory, lines to print."""

import atexit
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SLUICE_BUILD", ROOT / "build"))
SLUICE, SLUICED, SINK = BUILD / "daemon" / "sluice", BUILD / "daemon" / "sluiced", BUILD / "sink"
CONCURRENCY = 8
SECRETS = {"SLUICE_SECRET_KEY_ID": "bench", "SLUICE_SECRET_KEY": "bench-bench"}

# What a hop is measured by; update is its last, and the drop is no hop.
HOPS = """sluice: 1
name: {name}
processors:
  make:
    type: generate-flowfile
    count: {count}
    batch: 1000
    size: 16B
    to: {{success: route}}
  route:
    type: route-on-attribute
    routes:
      yes: "${{filename:length():gt(0)}}"
    to: {{yes: update, unmatched: end}}
  update:
    type: update-attribute
    attributes: {{seen: "${{filename:toUpper()}}"}}
    to: {{success: end, failure: hold}}
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def line(what, value):
    print(f"  {what:58} {value}", flush=True)


def memory(pid):
    """(anonymous, RSS) in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return tuple(int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]) / 1024 for name in ("Anonymous", "Rss"))


def until(true, what, seconds=600, rest=0.02):
    """Looks again and again; a measurement that does not come to its end says so instead of hanging."""
    ends = time.monotonic() + seconds
    while not true():
        if time.monotonic() > ends:
            raise SystemExit(f"bench: after {seconds} s still waits for {what}")
        time.sleep(rest)


class Peak:
    """The largest memory that a process had, looked at while it runs."""

    def __init__(self):
        self.anonymous = self.rss = 0.0

    def watch(self, process):
        while process.poll() is None:
            try:
                anonymous, rss = memory(process.pid)
                self.anonymous, self.rss = max(self.anonymous, anonymous), max(self.rss, rss)
            except (OSError, TypeError):
                pass
            time.sleep(0.05)
        return process.returncode

    def __str__(self):
        return f"{self.anonymous:.1f} MB anonymous, {self.rss:.1f} MB RSS"


def run(command, environment=None, peak=None):
    """Seconds of wall clock and of CPU."""
    before = os.times()
    began = time.monotonic()
    with tempfile.TemporaryFile() as out:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        process = subprocess.Popen(list(map(str, command)), env=dict(ours, **(environment or {})), stdout=out, stderr=out)
        code = (peak or Peak()).watch(process)
        took = time.monotonic() - began
        if code:
            out.seek(0)
            raise SystemExit(f"bench: {command[0]} ended with {code}:\n{out.read().decode(errors='replace')[-3000:]}")
    after = os.times()
    return took, after.children_user + after.children_system - before.children_user - before.children_system


class Sink:
    def __init__(self, log=None):
        self.port = free_port()
        self.process = subprocess.Popen([SINK, "serve", str(self.port), *([str(log)] if log else [])], stdout=subprocess.PIPE)
        self.process.stdout.readline()
        self.url = f"http://127.0.0.1:{self.port}"

    def limit(self, count, size):
        return float(subprocess.run([SINK, "load", str(self.port), str(CONCURRENCY), str(count), str(size)], check=True, capture_output=True, text=True).stdout)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Daemon:
    """sluiced with these flows, ready. Its state and log are in the folder."""

    def __init__(self, folder, flows, config):
        self.port, self.state = free_port(), folder / "daemon-state"
        file = folder / "sluiced.yaml"
        file.write_text(json.dumps(config))
        self.began = time.monotonic()
        self.log = open(folder / "daemon.log", "ab")
        self.process = subprocess.Popen(list(map(str, [SLUICED, "--config", file, *(word for flow in flows for word in ("--flow", flow)),
                                                       "--state", self.state, "--http", f"127.0.0.1:{self.port}"])), env=dict(os.environ, **SECRETS), stdout=self.log, stderr=self.log)
        atexit.register(self.process.kill)  # a measurement that gives up leaves nothing running
        while not self.ready():
            if self.process.poll() is not None:
                raise SystemExit("bench: sluiced ended:\n" + (folder / "daemon.log").read_text())
            time.sleep(0.0005)
        self.start = time.monotonic() - self.began

    def ready(self):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status == 200
        except OSError:
            return False

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()
