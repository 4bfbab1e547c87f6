"""The two programs: sluiced with a state, a config and a port of its own, to be stopped, killed and started again;
sluice as a command."""

import json
import os
import signal
import subprocess
from pathlib import Path

import requests

from rig.store import free_port
from rig.wait import until

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SLUICE_BUILD", ROOT / "build-test"))
# What a sanitizer's build and a machine with two busy cores need more than a bare one.
SLOW = 4 if "asan" in BUILD.name or "tsan" in BUILD.name else 1


def program(name):
    found = [path for path in BUILD.glob(f"**/{name}") if path.is_file() and os.access(path, os.X_OK)]
    assert found, f"{name} is not built under {BUILD}"
    return str(found[0])


def sluice(*arguments, env=None, timeout=120, input=None):
    """Runs the command; gives the finished process with text output."""
    environment = dict(os.environ, **(env or {}))
    return subprocess.run([program("sluice"), *map(str, arguments)], env=environment, capture_output=True, text=True,
                          errors="surrogateescape", timeout=timeout * SLOW, input=input)


class Daemon:
    """`folder` holds everything: flow.yaml, sluiced.yaml, state/, log."""

    def __init__(self, folder, flow, parameters=None, secrets=None, config=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state = self.folder / "state"
        self.log = self.folder / "log"
        self.secrets = self.folder / "secrets"
        self.secrets.mkdir(exist_ok=True)
        for name, value in (secrets or {}).items():
            self.secret(name, value)
        self.flow_file = self.folder / "flow.yaml"
        self.write_flow(flow)
        self.name = next(line.split(":")[1].strip() for line in flow.splitlines() if line.startswith("name:"))
        self.config = dict(config or {}, secrets={"dir": str(self.secrets)})
        if parameters:
            self.config["parameters"] = {self.name: parameters}
        self.config_file = self.folder / "sluiced.yaml"
        self.write_config()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.environment = dict(os.environ)

    def write_flow(self, text):
        self.flow_file.write_text(text)

    def write_config(self):
        self.config_file.write_text(json.dumps(self.config))  # JSON is YAML

    def secret(self, name, value):
        path = self.secrets / name
        path.write_text(value)
        path.chmod(0o600)

    # ---- life ----------------------------------------------------------------------------------------

    def start(self, *arguments, wait=True):
        assert self.process is None, "it runs already"
        command = [program("sluiced"), "--config", self.config_file, "--flow", self.flow_file, "--state", self.state,
                   "--http", f"127.0.0.1:{self.port}", *arguments]
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(list(map(str, command)), env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        if wait:
            until(self.ready, 30 * SLOW, self.tail)
        return self

    def ready(self):
        assert self.process.poll() is None, f"sluiced ended with {self.process.returncode}:\n{self.tail()}"
        try:
            return requests.get(self.url + "/readyz", timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def ended(self, seconds=60):
        try:
            code = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"sluiced did not end:\n{self.tail()}") from None
        self.process = None
        return code

    def stop(self):
        """SIGTERM: drains; the exit code must be 0."""
        self.process.send_signal(signal.SIGTERM)
        code = self.ended()
        assert code == 0, f"sluiced ended with {code}:\n{self.tail()}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def hup(self):
        self.process.send_signal(signal.SIGHUP)

    def done(self):
        """For a fixture's end: also under a sanitizer, whose findings are an exit code and a log."""
        if self.process and self.process.poll() is None:
            self.stop()
        elif self.process:
            raise AssertionError(f"sluiced ended by itself with {self.process.returncode}:\n{self.tail()}")
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        for word in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer", "assertion failed"):
            assert word not in text, text[max(0, text.find(word) - 500):][:8000]

    def tail(self, size=6000):
        return self.log.read_text(errors="replace")[-size:] if self.log.exists() else ""

    # ---- what it says --------------------------------------------------------------------------------

    @property
    def token(self):
        return (self.state / "token").read_text().strip()

    def request(self, method, path, **options):
        options.setdefault("timeout", 60)
        options.setdefault("headers", {"Authorization": "Bearer " + self.token})
        return requests.request(method, self.url + path, **options)

    def get(self, path, **params):
        reply = self.request("GET", path, params=params)
        assert reply.status_code == 200, f"{path}: {reply.status_code} {reply.text}"
        return reply.json()

    def status(self):
        return self.get("/api/v1/status")

    def connection(self, name):
        return next(item for item in self.status()["connections"] if item["id"] == name)

    def queues(self):
        """What is queued, as the fold says it: FLOW/CONNECTION to number, those with none left out."""
        return {f'{item["flow"]}/{item["id"]}': item["objects"] for item in self.status()["connections"] if item["objects"]}

    def processor(self, name):
        return next(item for item in self.status()["processors"] if item["name"] == name)

    def bulletins(self):
        return self.get("/api/v1/bulletins")["bulletins"]

    @staticmethod
    def is_on_disk(status):
        return status["journal"]["durable_seq"] + 1 >= status["journal"]["next_seq"]

    def on_disk(self, seconds=60):
        """Until what it says of its queues is what a fold of its journal finds."""
        until(lambda: self.is_on_disk(self.status()), seconds * SLOW, self.tail)

    def settled(self, seconds=60):
        """Until all queues but hold are empty, every effect is done and every event of it is on disk, where events() finds it."""
        def quiet():
            status = self.status()
            return (self.is_on_disk(status)
                    and not any(item["objects"] for item in status["connections"] if not item["hold"])
                    and not any(item["pending_effects"] or item["active"] for item in status["processors"]))
        until(quiet, seconds * SLOW, lambda: json.dumps(self.status(), indent=1) + self.tail())

    def events(self, **filters):
        """All events of the filters, oldest first, page by page."""
        found, cursor = [], None
        while True:
            page = self.get("/api/v1/provenance", limit=1000, **filters, **({"cursor": cursor} if cursor else {}))
            found += page["events"]
            cursor = page.get("cursor")
            if not cursor:
                return sorted(found, key=lambda event: event["seq"])

    def command(self, *arguments, **options):
        return sluice(*arguments, env={"SLUICE_URL": self.url, "SLUICE_TOKEN": self.token}, **options)

