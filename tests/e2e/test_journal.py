"""The journal is the truth: its fold by SQL equals the queues, before and after every kind of end."""

import json
import sqlite3

from rig import files, flows, fold
from rig.daemon import sluice
from rig.wait import until


def stable(store, bucket, proxy, inbox, make_daemon, count=40):
    """A daemon with something in its queues that does not move: the store is away and retries are far apart."""
    made = files.make(inbox, count, count * 30_000)
    proxy.down()
    retry = "    retry: {failure: {transient: forever, permanent: 0, backoff: 1h, max_backoff: 1h}}\n"
    daemon = make_daemon(flows.delivery(inbox, proxy.url, bucket, retry=retry), secrets=flows.secrets(store)).start()
    until(lambda: not files.left_in(inbox), 60, daemon.tail)
    until(lambda: daemon.processor("upload")["retrying"] == count, 60, daemon.tail)
    daemon.on_disk()
    return daemon, made


def test_fold_equals_the_queues_over_a_term(store, bucket, proxy, inbox, make_daemon):
    daemon, made = stable(store, bucket, proxy, inbox, make_daemon)
    before = daemon.queues()
    assert sum(before.values()) == len(made)
    daemon.stop()
    assert fold.queues(daemon.state) == before
    daemon.start("--paused")
    daemon.on_disk()
    assert daemon.queues() == before
    assert fold.queues(daemon.state) == before
    daemon.stop()
    doctor = sluice("doctor", "--state", daemon.state)
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert fold.queues(daemon.state) == before


def test_fold_equals_the_queues_after_a_kill(store, bucket, proxy, inbox, make_daemon):
    daemon, made = stable(store, bucket, proxy, inbox, make_daemon)
    before = daemon.queues()
    daemon.kill()
    assert fold.queues(daemon.state) == before
    daemon.start("--paused")
    assert daemon.queues() == before
    proxy.up()
    daemon.stop()


def test_three_crashes_in_flight_are_held(store, bucket, proxy, inbox, make_daemon):
    """A FlowFile that a processor had each time the process died may be what kills it."""
    import threading
    from rig.proxy import Stall
    made = files.make(inbox, 2, 20_000)
    release = threading.Event()
    proxy.fault = lambda request: Stall(release) if request.method == "PUT" else None
    daemon = make_daemon(flows.delivery(inbox, proxy.url, bucket), secrets=flows.secrets(store)).start()
    for crash in range(3):
        until(lambda: len(proxy.done) >= 2 * (crash + 1), 60, daemon.tail)
        daemon.kill()
        daemon.start()
    until(lambda: sum(item["objects"] for item in daemon.status()["connections"] if item["hold"]) == 2, 30, daemon.tail)
    assert any("crash" in bulletin["message"] for bulletin in daemon.bulletins())
    held = [item["id"] for item in daemon.status()["connections"] if item["hold"] and item["objects"]]
    release.set()
    proxy.fault = None
    for name in held:
        assert daemon.command("queue", "replay", name).returncode == 0
    daemon.settled()
    assert store.hashes(bucket) == made


def test_offline_commands_say_what_the_daemon_said(inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start()
    (inbox / "a.txt").write_text("alpha")
    until(lambda: (tmp_path / "out" / "a.txt").exists(), 30, daemon.tail)
    daemon.settled()
    online = json.loads(daemon.command("provenance", "--filename", "a.txt", "--json").stdout)["events"]
    daemon.stop()
    offline = json.loads(sluice("provenance", "--filename", "a.txt", "--json", "--state", daemon.state).stdout)["events"]
    assert offline == online and [event["type"] for event in sorted(online, key=lambda event: event["seq"])][0] == "RECEIVE"


def test_a_flipped_bit_is_found(inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start()
    (inbox / "needle.txt").write_text("alpha")
    until(lambda: (tmp_path / "out" / "needle.txt").exists(), 30, daemon.tail)
    daemon.settled()
    daemon.stop()
    # Into the pages, which have no checksum of SQLite's; the log beside them has.
    path = daemon.state / "journal" / "000001.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    data = path.read_bytes()
    assert b"needle.txt" in data
    path.write_bytes(data.replace(b"needle.txt", b"noodle.txt"))
    done = sluice("doctor", "--state", daemon.state)
    assert done.returncode == 1, done.stdout + done.stderr
