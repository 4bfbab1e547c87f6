"""A backup of a running state is the state as of one moment: whole, and all that was accepted by then is in it or delivered."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from rig import files, flows, fold
from rig.daemon import SLOW, program, sluice
from rig.wait import until


def backup(daemon, to, *options, **more):
    """By the command; gives what it says."""
    done = daemon.command("backup", to, "--json", *options, timeout=300, **more)
    assert done.returncode == 0, done.stdout + done.stderr + daemon.tail()
    return json.loads(done.stdout)


def restore(taken, state):
    done = sluice("restore", taken, "--state", state, "--json", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def names(state, kind):
    """Files with an event of the type, by the state's own provenance."""
    found, cursor = [], []
    while True:
        page = json.loads(sluice("provenance", "--state", state, "--type", kind, "--limit", 1000, "--json", *cursor).stdout)
        found += [event["attributes"]["path"] + event["attributes"]["filename"] for event in page["events"]]
        if not page.get("cursor"):
            assert len(set(found)) == len(found), "a file has two events"
            return set(found)
        cursor = ["--cursor", page["cursor"]]


def delivered(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def whole(state):
    done = sluice("doctor", "--state", state, "--json", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def run_to_its_end(make_daemon):
    """The restored state delivers what it has, with a source and a target of its own. Gives what it delivered."""
    def run(state, folder):
        source, target = folder / "inbox", folder / "out"
        source.mkdir(parents=True)
        daemon = make_daemon(flows.copy(source, target, conflict="replace"))
        daemon.state = state
        daemon.start()
        assert daemon.command("start", "park").returncode == 0
        daemon.settled(240)
        for queue in (item for item in daemon.status()["connections"] if item["objects"]):
            raise AssertionError(f'{queue["id"]} has {queue["objects"]}: {daemon.command("queue", "list", queue["id"], "--json").stdout}')
        daemon.stop()
        return delivered(target)
    return run


class Feeder:
    """Files, put into the inbox one after the other until it is told to stop."""

    def __init__(self, inbox, aside):
        self.inbox, self.aside, self.made = inbox, aside, {}
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        chance = random.Random(7)
        for number in range(100_000):
            data = chance.randbytes(chance.choice((300, 20_000, 90_000, 400_000)))
            name = f"file-{number:06}"
            (self.aside / name).write_bytes(data)
            self.made[name] = hashlib.sha256(data).hexdigest()
            os.rename(self.aside / name, self.inbox / name)
            if self.stopped.wait(0.01):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *what):
        self.stopped.set()
        self.thread.join()


@pytest.fixture
def aside(tmp_path):
    folder = tmp_path / "aside"
    folder.mkdir()
    return folder


def full(inbox, tmp_path, make_daemon, count=60, size=1_000_000, **options):
    """A daemon whose queue has `count` files that do not move: what delivers them is stopped."""
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out"), **options).start()
    assert daemon.command("stop", "park").returncode == 0
    chance = random.Random(3)
    made = {}
    for number in range(count):
        data = chance.randbytes(size)
        (inbox / f"large-{number:03}").write_bytes(data)
        made[f"large-{number:03}"] = hashlib.sha256(data).hexdigest()
    until(lambda: not files.left_in(inbox) and not daemon.processor("pickup")["pending_effects"], 120 * SLOW, daemon.tail)
    assert sum(daemon.queues().values()) == count
    return daemon, made


def copying(daemon):
    """A backup is under way, and has copied something."""
    def under_way():
        now = daemon.get("/api/v1/backup")
        assert now["state"] == "running", now
        return now["phase"] == "content" and now["bytes"] > 4_000_000
    until(under_way, 60 * SLOW, daemon.tail, every=0.001)


def begin(daemon, to):
    reply = daemon.request("POST", "/api/v1/backup", params={"to": str(to)})
    assert reply.status_code == 202, reply.text


def ended(daemon):
    return until(lambda: (now := daemon.get("/api/v1/backup"))["state"] != "running" and now, 120 * SLOW, daemon.tail)


# ---- under load


def test_five_backups_while_files_flow(inbox, aside, tmp_path, make_daemon, run_to_its_end):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out", conflict="replace")).start()
    taken = []
    with Feeder(inbox, aside) as feeder:
        for number in range(5):
            so_far = len(feeder.made)
            until(lambda: len(feeder.made) > so_far + 40 and len(list((tmp_path / "out").glob("*"))) > 5, 120 * SLOW, daemon.tail)
            if number == 2:  # something has to be queued at some moment
                daemon.command("stop", "park")
                until(lambda: sum(daemon.queues().values()) > 20, 60 * SLOW, daemon.tail)
            said = backup(daemon, tmp_path / f"backup-{number}")
            assert said["check"]["verdict"] == "whole"
            taken.append(said)
            if number == 3:
                daemon.command("start", "park")
    until(lambda: not files.left_in(inbox), 60 * SLOW, daemon.tail)
    daemon.settled(120)
    assert delivered(tmp_path / "out") == feeder.made
    daemon.stop()
    assert taken[2]["check"]["flowfiles"] > 20
    accepted = []
    for number, said in enumerate(taken):
        state, folder = tmp_path / f"restored-{number}", tmp_path / f"again-{number}"
        found = whole(tmp_path / f"backup-{number}")
        queues = fold.queues(tmp_path / f"backup-{number}")
        assert sum(queues.values()) == found["flowfiles"] == said["check"]["flowfiles"]
        came, went = names(tmp_path / f"backup-{number}", "RECEIVE"), names(tmp_path / f"backup-{number}", "SEND")
        assert len(came) == len(went) + found["flowfiles"]
        restore(tmp_path / f"backup-{number}", state)
        again = run_to_its_end(state, folder)
        assert names(state, "SEND") == came == names(state, "RECEIVE")
        assert not went & set(again) and all(feeder.made[name] == hash_of for name, hash_of in again.items())
        # One whose delivery had begun goes where that was said to go to; it is the same file there.
        assert len(came - went - set(again)) <= 8
        assert delivered(tmp_path / "out") == feeder.made
        whole(state)
        accepted.append(len(came))
    assert accepted == sorted(accepted) and accepted[0] < accepted[-1]


def test_retention_goes_on_meanwhile(inbox, aside, tmp_path, make_daemon):
    """Segments are made, filled, sealed and let go all the time; each backup is whole, and the space comes back."""
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out"), config={"retention": {"provenance": {"size": "2MB"}}}).start()
    journal = daemon.state / "journal"
    with Feeder(inbox, aside) as feeder:
        until(lambda: min(int(path.stem) for path in fold.segments(journal)) > 1, 240 * SLOW, daemon.tail)
        for number in range(5):
            so_far = len(feeder.made)
            backup(daemon, tmp_path / f"backup-{number}", "--no-check")
            until(lambda: len(feeder.made) > so_far + 20, 60 * SLOW)
    oldest = [min(int(path.stem) for path in fold.segments(tmp_path / f"backup-{number}" / "journal")) for number in range(5)]
    assert oldest == sorted(oldest) and oldest[0] > 1
    for number in range(5):
        whole(tmp_path / f"backup-{number}")
    daemon.settled(120)
    daemon.stop()
    whole(daemon.state)
    assert not list((daemon.state / "content" / "own").glob("*/*"))


def test_what_is_released_meanwhile_is_in_it_and_goes_afterwards(inbox, tmp_path, make_daemon, run_to_its_end):
    daemon, made = full(inbox, tmp_path, make_daemon)
    begin(daemon, tmp_path / "backup")
    copying(daemon)
    assert daemon.command("start", "park").returncode == 0
    daemon.settled(120)
    assert ended(daemon)["state"] == "done", daemon.tail()
    assert whole(tmp_path / "backup")["flowfiles"] == len(made)
    until(lambda: not list((daemon.state / "content" / "own").glob("*/*")), 60 * SLOW, daemon.tail)
    restore(tmp_path / "backup", tmp_path / "restored")
    assert run_to_its_end(tmp_path / "restored", tmp_path / "again") == made


# ---- cut short


def test_killed_in_the_middle(inbox, tmp_path, make_daemon):
    daemon, made = full(inbox, tmp_path, make_daemon, count=120)
    begin(daemon, tmp_path / "backup")
    copying(daemon)
    daemon.kill()
    partial = tmp_path / "backup.partial"
    assert partial.exists() and not (tmp_path / "backup").exists()
    done = subprocess.run([program("sluiced"), "--state", partial, "--flow", daemon.flow_file, "--http", "off", "--config", daemon.config_file],
                          capture_output=True, text=True, timeout=60 * SLOW)
    assert done.returncode != 0 and "cut short" in done.stderr
    assert sluice("restore", partial, "--state", tmp_path / "restored").returncode == 1
    assert not (tmp_path / "restored").exists()
    daemon.start()
    assert backup(daemon, tmp_path / "backup")["check"]["flowfiles"] == len(made)
    assert not partial.exists()
    assert any("cut short" in bulletin["message"] for bulletin in daemon.bulletins())
    daemon.command("start", "park")
    daemon.settled(120)
    assert delivered(tmp_path / "out") == made


def test_cancelled(inbox, tmp_path, make_daemon):
    daemon, made = full(inbox, tmp_path, make_daemon, count=120)
    begin(daemon, tmp_path / "backup")
    copying(daemon)
    reply = daemon.request("POST", "/api/v1/backup", params={"to": str(tmp_path / "other")})
    assert reply.status_code == 409 and "being made already" in reply.text
    assert daemon.request("DELETE", "/api/v1/backup").status_code == 200
    assert ended(daemon)["state"] == "cancelled"
    assert not list(tmp_path.glob("backup*"))
    command = subprocess.Popen([program("sluice"), "backup", tmp_path / "backup", "--url", daemon.url, "--state", daemon.state],
                               stderr=subprocess.PIPE, text=True)
    copying_or_none = lambda: daemon.get("/api/v1/backup")["state"] == "running"  # noqa: E731
    until(copying_or_none, 60 * SLOW, daemon.tail, every=0.001)
    copying(daemon)
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=60 * SLOW)
    assert command.returncode == 1 and "cancelled" in said
    assert not list(tmp_path.glob("backup*"))
    daemon.command("start", "park")
    daemon.settled(120)
    assert delivered(tmp_path / "out") == made


def test_whoever_began_it_is_gone(inbox, tmp_path, make_daemon):
    daemon, _ = full(inbox, tmp_path, make_daemon, count=120)
    reply = daemon.request("POST", "/api/v1/backup", params={"to": str(tmp_path / "backup"), "lease": "1ms"})
    assert reply.status_code == 202
    told = until(lambda: [b for b in daemon.bulletins() if "is not made" in b["message"]], 60 * SLOW, daemon.tail)
    assert "not asked for it" in told[0]["message"]
    assert not list(tmp_path.glob("backup*"))


def test_a_stop_ends_it(inbox, tmp_path, make_daemon):
    daemon, made = full(inbox, tmp_path, make_daemon, count=120)
    begin(daemon, tmp_path / "backup")
    copying(daemon)
    daemon.stop()
    assert not list(tmp_path.glob("backup*"))
    assert whole(daemon.state)["flowfiles"] == len(made)


@pytest.fixture
def disk(tmp_path):
    """disk(options): a small file system of its own."""
    mounted = []

    def mount(options):
        folder = tmp_path / f"disk-{len(mounted)}"
        folder.mkdir()
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True).returncode:
            pytest.skip("no file system can be mounted here")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


def test_a_full_target(inbox, tmp_path, make_daemon, disk, run_to_its_end):
    daemon, made = full(inbox, tmp_path, make_daemon, count=20)
    small, few = disk("size=8m"), disk("size=100m,nr_inodes=45")
    done = daemon.command("backup", small / "backup")
    assert done.returncode == 1 and "no room: it needs" in done.stderr
    done = daemon.command("backup", few / "backup")  # its room is seen, that it has no inodes is not
    assert done.returncode == 1 and "No space left" in done.stderr
    assert not list(small.iterdir()) and not list(few.iterdir())
    large = disk("size=100m")
    said = backup(daemon, large / "backup")  # nothing can be linked
    assert said["linked"] == 0 and said["check"]["flowfiles"] == len(made)
    restore(large / "backup", tmp_path / "restored")
    assert run_to_its_end(tmp_path / "restored", tmp_path / "again") == made


# ---- refused


def test_where_it_may_not_be(inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("x")
    (tmp_path / "plain").write_text("x")
    (tmp_path / "link").symlink_to(daemon.state)
    for to, words in (("taken", "not empty"), ("plain", "no folder"), ("none/backup", "No such file"), (daemon.state / "backup", "inside the state"),
                      ("link/backup", "inside the state")):
        done = daemon.command("backup", tmp_path / to)
        assert done.returncode == 1 and words in done.stderr, done.stderr
    assert daemon.request("POST", "/api/v1/backup", params={"to": "relative"}).status_code == 409
    assert daemon.request("POST", "/api/v1/backup", params={"to": ""}).status_code == 400
    assert daemon.request("POST", "/api/v1/backup", params={"to": "/x", "deadline": "soon"}).status_code == 400
    (tmp_path / "empty").mkdir()
    backup(daemon, tmp_path / "empty")
    assert (tmp_path / "taken" / "file").read_text() == "x"


def test_restores_that_are_refused(inbox, tmp_path, make_daemon):
    daemon, _ = full(inbox, tmp_path, make_daemon, count=3, size=100_000)
    backup(daemon, tmp_path / "backup")
    done = sluice("restore", tmp_path / "backup", "--state", daemon.state)
    assert done.returncode == 75 and "stop it first" in done.stderr
    daemon.stop()
    done = sluice("restore", tmp_path / "backup", "--state", daemon.state)
    assert done.returncode == 1 and "not empty" in done.stderr
    done = sluice("restore", daemon.state, "--state", tmp_path / "new")
    assert done.returncode == 1 and "no backup" in done.stderr
    content = next((tmp_path / "backup" / "content" / "own").glob("*/*"))
    content.write_bytes(content.read_bytes()[:-1])
    done = sluice("restore", tmp_path / "backup", "--state", tmp_path / "new")
    assert done.returncode == 1 and "not whole" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_restore_that_was_cut_short_is_begun_anew(inbox, tmp_path, make_daemon, run_to_its_end):
    daemon, made = full(inbox, tmp_path, make_daemon, count=3, size=100_000)
    backup(daemon, tmp_path / "backup")
    state = tmp_path / "restored"
    state.mkdir()
    (state / "incomplete").write_text("")
    shutil.copytree(tmp_path / "backup" / "journal", state / "journal")
    done = sluice("doctor", "--state", state)
    assert done.returncode == 1 and "cut short" in done.stderr
    restore(tmp_path / "backup", state)
    assert run_to_its_end(state, tmp_path / "again") == made


# ---- what it is


def test_a_stopped_state(inbox, tmp_path, make_daemon, run_to_its_end):
    daemon, made = full(inbox, tmp_path, make_daemon, count=5, size=100_000)
    done = sluice("backup", tmp_path / "running", "--state", daemon.state)  # held: the daemon is asked, at the usual address
    assert done.returncode == 69
    daemon.kill()
    done = sluice("backup", tmp_path / "backup", "--state", daemon.state, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["check"]["flowfiles"] == len(made) and not said["check"]["external"]
    (tmp_path / "restored").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "restored")
    restore(tmp_path / "backup", tmp_path / "link")
    assert run_to_its_end(tmp_path / "restored", tmp_path / "again") == made
    whole(tmp_path / "backup")


def test_files_that_stay_where_they_are(inbox, tmp_path, make_daemon):
    """External content is a reference: counted, not copied."""
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out", source="keep")).start()
    daemon.command("stop", "park")
    (inbox / "large").write_bytes(b"x" * 100_000)
    (inbox / "small").write_bytes(b"x" * 100)
    until(lambda: sum(daemon.queues().values()) == 2, 60 * SLOW, daemon.tail)
    assert backup(daemon, tmp_path / "backup")["check"]["external"] == 1
    (inbox / "large").write_bytes(b"y" * 100_000)
    done = sluice("doctor", "--state", tmp_path / "backup")
    assert done.returncode == 1 and "is not what was taken" in done.stdout


def frozen(path, yes):
    return subprocess.run(["chattr", "+i" if yes else "-i", path], capture_output=True).returncode == 0


def test_a_removal_that_was_still_to_be_done_spares_what_came_since(inbox, tmp_path, make_daemon):
    """A source is removed by the restored state only if it is still the file that was taken."""
    same, replaced = inbox / "same", inbox / "replaced"
    for path in (same, replaced):
        path.write_text("taken: " + path.name)
    if not (frozen(same, True) and frozen(replaced, True)):
        frozen(same, False)
        pytest.skip("files cannot be made immutable here")
    try:
        daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start()
        until(lambda: daemon.processor("pickup")["pending_effects"] == 2, 60 * SLOW, daemon.tail)
        until(lambda: len(delivered(tmp_path / "out")) == 2, 60 * SLOW, daemon.tail)
        backup(daemon, tmp_path / "backup")
        daemon.kill()
    finally:
        assert frozen(same, False) and frozen(replaced, False)
    replaced.unlink()
    replaced.write_text("it came since")
    restore(tmp_path / "backup", tmp_path / "restored")
    restored = make_daemon(flows.copy(inbox, tmp_path / "out", extra="    file_filter: none\n"))
    restored.state = tmp_path / "restored"
    restored.start()
    restored.settled(120)
    assert not same.exists() and replaced.read_text() == "it came since"


def test_ids_are_given_once(inbox, tmp_path, make_daemon):
    """What the original has made since the backup and what the restored one makes have different ids."""
    daemon, _ = full(inbox, tmp_path, make_daemon, count=3, size=1000)
    backup(daemon, tmp_path / "backup")
    (inbox / "original").write_text("x")
    until(lambda: sum(daemon.queues().values()) == 4, 60 * SLOW, daemon.tail)
    ids = {int(event["flowfile"].replace("-", ""), 16) & (1 << 44) - 1 for event in daemon.events(type="RECEIVE")}
    daemon.stop()
    said = restore(tmp_path / "backup", tmp_path / "restored")
    assert said["next_id"] > max(ids)
    (tmp_path / "again" / "inbox").mkdir(parents=True)
    restored = make_daemon(flows.copy(tmp_path / "again" / "inbox", tmp_path / "again" / "out"))
    restored.state = tmp_path / "restored"
    restored.start()
    (tmp_path / "again" / "inbox" / "restored").write_text("x")
    event = until(lambda: restored.events(type="RECEIVE", filename="restored"), 60 * SLOW, restored.tail)[0]
    assert int(event["flowfile"].replace("-", ""), 16) & (1 << 44) - 1 >= said["next_id"]


def test_what_is_not_in_it(inbox, tmp_path, make_daemon):
    daemon, _ = full(inbox, tmp_path, make_daemon, count=2, size=1000)
    backup(daemon, tmp_path / "backup")
    assert {path.name for path in (tmp_path / "backup").iterdir()} <= {"backup.json", "content", "flows", "history", "journal", "node"}
    assert (tmp_path / "backup" / "flows" / "copy.yaml").read_text() == daemon.flow_file.read_text()
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o700
    token = daemon.token
    assert not any(token.encode() in path.read_bytes() for path in Path(tmp_path / "backup").rglob("*") if path.is_file())


def test_provenance_of_before_is_searched_in_the_restored_one(inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start()
    (inbox / "needle").write_text("x")
    until(lambda: (tmp_path / "out" / "needle").exists(), 60 * SLOW, daemon.tail)
    daemon.settled()
    before = daemon.events(filename="needle")
    backup(daemon, tmp_path / "backup")
    restore(tmp_path / "backup", tmp_path / "restored")
    after = json.loads(sluice("provenance", "--state", tmp_path / "restored", "--filename", "needle", "--json").stdout)["events"]
    assert sorted(after, key=lambda event: event["seq"]) == before
