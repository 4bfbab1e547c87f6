"""The scenarios of the crash rigs: files of every kind of claim (inline, packed, adopted or copied) from a folder, by their
names into a store in a directory, into a folder, into both or into a hold; and the account of what became of them."""

import hashlib
import json
import os
import random
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rig.daemon import program

KIB = 1024
# Around the limits of inline (2 KiB) and packed claims (256 KiB; 64 for a source's file, which is linked or copied above).
SIZES = (0, 1, 700, 2 * KIB, 2 * KIB + 1, 9000, 60_000, 256 * KIB, 256 * KIB + 1, 300_000, 500_000)
FOLDERS = ("", "", "sub/", "sub/deep/", "with space/")
KINDS = ("jpg", "json", "both", "txt", "bad", "png")
# Where the FlowFile of each kind ends; a kind with two places is cloned.
PLACES = {"jpg": ("store",), "png": ("store",), "json": ("out",), "both": ("store", "out"), "txt": ("held",), "bad": ("held",)}

HASH = """  hash:
    type: hash-content
    attribute: content.hash
    to: {success: by-kind, failure: hold}
"""
PROCESSORS = """  by-kind:
    type: route-on-attribute
    routes:
      image: "${filename:endsWith('.jpg'):or(${filename:endsWith('.png')})}"
      note: "${filename:endsWith('.json')}"
      both: "${filename:endsWith('.both')}"
      bad: "${filename:endsWith('.bad')}"
    to: {image: upload, note: park, both: [upload, park], bad: wrong, unmatched: hold}
  upload:
    type: put-s3
    service: store
    bucket: bucket
    key: "${path}${filename}"
    retry: {failure: {transient: forever, permanent: 0, backoff: 20ms, max_backoff: 100ms}}
    to: {success: end, failure: hold}
  wrong:
    type: put-s3
    service: store
    bucket: bucket
    key: "../${filename}"
    to: {success: end, failure: hold}
  park:
    type: put-file
    directory: "OUT/${path}"
    conflict: CONFLICT
    retry: {failure: {transient: forever, permanent: 0, backoff: 20ms, max_backoff: 100ms}}
    to: {success: end, failure: hold}
"""


@dataclass
class Scenario:
    """`source` as get-file has it; `inbox` may lie on another file system; `events` fill a segment; `hashed`: all content
    has been read once, so that its SHA-256 is known (an adopted file has none before)."""
    name: str
    count: int = 18
    source: str = "delete"
    conflict: str = "fail"
    inbox_root: str = ""
    events: int = 0
    seed: int = 1
    hashed: bool = False

    def flow(self, inbox, folder):
        move = f"\n    move_to: {folder}/moved" if self.source == "move" else ""
        return f"""sluice: 1
name: crash
services:
  store: {{type: s3, endpoint: "file://{folder}/to/store"}}
processors:
  pickup:
    type: get-file
    directory: {inbox}
    source: {self.source}{move}
    min_age: 0s
    batch: 5
    schedule: 20ms
    to: {{success: {"hash" if self.hashed else "by-kind"}}}
""" + (HASH if self.hashed else "") + PROCESSORS.replace("OUT", f"{folder}/to/out").replace("CONFLICT", self.conflict)

    def files(self):
        """Relative path to bytes; the same for the same seed."""
        chance, made = random.Random(self.seed), {}
        for number in range(self.count):
            kind = KINDS[number % len(KINDS)]
            size = SIZES[(number * 7 + number // len(SIZES)) % len(SIZES)]
            made[f"{chance.choice(FOLDERS)}f{number:03}.{kind}"] = chance.randbytes(size)
        return made


SCENARIOS = {scenario.name: scenario for scenario in (
    Scenario("deliver"),
    Scenario("move", source="move", conflict="rename"),
    Scenario("elsewhere", inbox_root="/dev/shm", conflict="replace"),
    Scenario("move-elsewhere", source="move", inbox_root="/dev/shm"),
    Scenario("keep", source="keep"),
    Scenario("segments", count=24, events=50),
)}


@dataclass
class Account:
    """What became of the items; an item is a file in one place that it belongs to."""
    accepted: int = 0
    delivered: int = 0
    queued: int = 0
    held: int = 0
    left: int = 0
    lost: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    extra: list = field(default_factory=list)
    strays: list = field(default_factory=list)
    complaints: list = field(default_factory=list)

    def good(self):
        return not (self.lost or self.wrong or self.extra or self.complaints)

    def problems(self):
        return [f"{name} {value}" for name, value in (("lost", self.lost), ("wrong", self.wrong), ("extra", self.extra),
                                                      ("stray", self.strays), ("", self.complaints)) if value]


class Totals:
    """Sums over all tries, printed as one line."""

    def __init__(self):
        self.counts = Counter()
        self.strays, self.failures = Counter(), []

    def add(self, account, what):
        for name in ("accepted", "delivered", "queued", "held"):
            self.counts[name] += getattr(account, name)
        self.counts["lost"] += len(account.lost)
        self.counts["wrong"] += len(account.wrong) + len(account.extra)
        for stray in account.strays:
            self.strays[stray.split(":")[0]] += 1
        if not account.good():
            self.failures.append(f"{what}: {'; '.join(account.problems())}")

    def line(self, **first):
        counted = {name.replace("_", " "): value for name, value in first.items()}
        counted.update({name: self.counts[name] for name in ("accepted", "delivered", "queued", "held", "lost", "wrong")})
        return ", ".join(f"{name} {value}" for name, value in counted.items())


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def below(folder):
    """Relative path to Path of every plain file, hidden ones too."""
    folder = Path(folder)
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if not path.is_dir()} if folder.exists() else {}


class Try:
    """One folder of a scenario: the source's files, the flow, the state; run, killed, run again."""

    def __init__(self, scenario, folder, make=True):
        self.scenario, self.folder = scenario, Path(folder)
        self.inbox = self.folder / "in"
        if scenario.inbox_root:
            self.inbox = Path(scenario.inbox_root) / f"sluice-crash-{os.getpid()}-{self.folder.name}"
        self.state, self.log = self.folder / "state", self.folder / "calls"
        self.made = scenario.files()
        self.flow = self.folder / "crash.yaml"
        if make:
            self.make()

    def make(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, data in self.made.items():
            path = self.inbox / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self.flow.write_text(self.scenario.flow(self.inbox, self.folder))

    def done(self):
        shutil.rmtree(self.inbox, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- running ---------------------------------------------------------------------------------------

    def environment(self, more=None):
        events = {"SLUICE_SEGMENT_EVENTS": str(self.scenario.events)} if self.scenario.events else {}
        return dict(os.environ, SLUICE_MODULES="", **events, **(more or {}))

    def run(self, environment=None, timeout=60, limit="30s"):
        """`sluice run --until-idle`; a finished process, or None when it had to be killed after `timeout`."""
        environment = {name: value for name, value in self.environment(environment).items() if value or name != "SLUICE_MODULES"}
        command = [program("sluice"), "run", str(self.flow), "--state", str(self.state), "--until-idle", "--timeout", limit, "--json"]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None
        return subprocess.CompletedProcess(command, process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))

    def finish(self, account=None):
        """Run until idle without any fault; complaints go into the account."""
        account = account or Account()
        ended = self.run()
        if ended is None:
            account.complaints.append("the run after it did not end")
        elif '"ended":"idle"' not in ended.stdout.replace(" ", ""):
            account.complaints.append(f"the run after it ended with {ended.returncode}: {(ended.stdout + ended.stderr)[-1500:]}")
        return account

    def command(self, *arguments):
        return subprocess.run([program("sluice"), *map(str, arguments), "--state", str(self.state), "--json"], capture_output=True,
                              text=True, errors="replace", timeout=120)

    # ---- the account ------------------------------------------------------------------------------------

    def queues(self, account):
        """(queue, path and filename, sha256, size, hold) of what the state has queued."""
        listed = self.command("queue", "list")
        if listed.returncode:
            account.complaints.append(f"queue list: {listed.stderr[-500:]}")
            return []
        found = []
        for queue in json.loads(listed.stdout):
            if not queue["objects"]:
                continue
            reply = self.command("queue", "list", f'{queue["flow"]}/{queue["id"]}')
            if reply.returncode:
                account.complaints.append(f"queue list {queue['id']}: {reply.stderr[-500:]}")
                continue
            for item in json.loads(reply.stdout)["flowfiles"]:
                if "attributes" not in item:
                    account.complaints.append(f"queue list {queue['id']}: attributes of {item['flowfile']} are not told")
                    continue
                attributes = item["attributes"]
                found.append((queue["id"], attributes.get("path", "") + attributes.get("filename", "?"), item.get("sha256"), item["size"],
                              queue["hold"]))
        return found

    def place_of(self, queue):
        return {"upload": "store", "park": "out"}.get(queue.split(".")[0 if queue.endswith(".hold") else -1], "held")

    def expected(self):
        """(place, name) to SHA-256 of every item."""
        return {(place, name): sha256(data) for name, data in self.made.items() for place in PLACES[name.rsplit(".", 1)[1]]}

    def account(self, account=None, doctor=True):
        """Each item is delivered once with its bytes, or queued or held once, or still in the source."""
        account = account or Account()
        expected = self.expected()
        account.accepted += len(expected)
        queued = self.queues(account)
        seen = Counter()
        self.count_delivered(account, expected, seen)
        for queue, name, digest, size, hold in queued:
            self.count_queued(account, expected, seen, queue, name, digest, size, hold)
        self.count_left(account, expected, seen)
        for item in expected:
            if not seen[item]:
                account.lost.append("/".join(item))
        self.look_for_strays(account, queued)
        if doctor:
            self.doctor(account)
        return account

    def count_delivered(self, account, expected, seen):
        for place, folder in (("store", self.folder / "to/store/bucket"), ("out", self.folder / "to/out")):
            for name, path in below(folder).items():
                if path.name.startswith(".sluice-"):
                    account.strays.append(f"{place}'s temporary: {name}")
                elif (place, name) not in expected:
                    account.extra.append(f"{place}/{name}")
                elif sha256(path.read_bytes()) != expected[place, name]:
                    account.wrong.append(f"{place}/{name}")
                else:
                    seen[place, name] += 1
                    account.delivered += 1

    def count_queued(self, account, expected, seen, queue, name, digest, size, hold):
        """A held FlowFile's place is that of the processor which it waits for; one that waits before the routing
        stands for all of its file's places."""
        place = self.place_of(queue)
        items = [item for item in expected if item[1] == name and (item[0] == place or place == "held")]
        if not items or (place == "held" and hold and "held" not in PLACES[name.rsplit(".", 1)[1]]):
            account.extra.append(f"{queue}: {name}")
            return
        for item in items:
            seen[item] += 1
            if seen[item] > 1:
                account.extra.append(f"{queue}: {name}, delivered too")
        if digest is not None and digest != expected[items[0]]:
            account.wrong.append(f"{queue}: {name}")
        account.held += hold
        account.queued += not hold

    def count_left(self, account, expected, seen):
        """Source delete: the folder is empty in the end. keep: all is there. move: all has gone to move_to."""
        there = below(self.inbox)
        for name in there:
            if Path(name).name.startswith(".sluice-"):
                account.strays.append(f"source's temporary: {name}")
        left = {name for name in there if not Path(name).name.startswith(".sluice-")}
        if self.scenario.source == "keep":
            account.complaints += [f"gone from the source: {name}" for name in self.made.keys() - left]
            return
        for name in left:
            account.left += 1
            if name in self.made:
                for place in PLACES[name.rsplit(".", 1)[1]]:
                    seen[place, name] += 1
        if self.scenario.source == "move":
            self.count_moved(account, left)

    def count_moved(self, account, left):
        moved = below(self.folder / "moved")
        for name, path in moved.items():
            if path.name.startswith(".sluice-"):
                account.strays.append(f"move_to's temporary: {name}")
            elif name not in self.made:
                account.extra.append(f"moved/{name}")
            elif path.read_bytes() != self.made[name]:
                account.wrong.append(f"moved/{name}")
        account.lost += [f"moved/{name}" for name in self.made.keys() - left - moved.keys()]

    def idle(self, account):
        """What more is true once all has been done."""
        if account.left:
            account.complaints.append(f"{account.left} files left in the source")
        if account.queued:
            account.complaints.append(f"{account.queued} still queued")
        return account

    def look_for_strays(self, account, queued):
        account.strays += [f"store's temporary: {name}" for name in below(self.folder / "to/store/.sluice/tmp")]
        account.strays += [f"quarantined: {name}" for name in below(self.state / "content" / "quarantine")]
        account.strays += [f"state: {name}" for name in below(self.state) if name.endswith((".new", "-journal"))]
        own, packs = below(self.state / "content" / "own"), below(self.state / "content" / "pack")
        large = sum(1 for item in queued if item[3] > 64 * KIB)
        if len(own) > large:
            account.strays.append(f"own contents: {len(own)} where {large} are held")
        if packs and not any(2 * KIB < item[3] <= 64 * KIB for item in queued):
            account.strays.append(f"packs: {sorted(packs)} where none is needed")

    def doctor(self, account):
        found = self.command("doctor")
        if found.returncode != 0:
            account.complaints.append(f"doctor: {(found.stdout + found.stderr)[-1500:]}")
