"""Queues: back pressure, hold and what an operator does with it, draining, stop and start."""

import os

from rig import files, flows
from rig.wait import until


def blocked(inbox, tmp_path, make_daemon, count=3, **options):
    """Files whose place is taken: each ends in hold."""
    (tmp_path / "out").mkdir()
    for number in range(count):
        (tmp_path / "out" / f"{number}.txt").write_text("in the way")
        (inbox / f"{number}.txt").write_text(f"new {number}")
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out", **options)).start()
    until(lambda: daemon.connection("park.failure.hold")["objects"] == count, 30, daemon.tail)
    daemon.settled()
    return daemon


def test_replay_gives_back_to_the_processor(inbox, tmp_path, make_daemon):
    daemon = blocked(inbox, tmp_path, make_daemon)
    held = daemon.connection("park.failure.hold")
    assert held["held"] == 3 and held["max_objects"] is None and held["oldest_queued_at"]
    again = daemon.command("queue", "replay", "park.failure.hold")
    assert again.returncode == 0 and "3" in again.stdout
    until(lambda: len(daemon.events(type="REPLAY")) == 3 and daemon.connection("park.failure.hold")["objects"] == 3, 30, daemon.tail)
    for path in (tmp_path / "out").iterdir():
        path.unlink()
    assert daemon.command("queue", "replay", "park.failure.hold").returncode == 0
    until(lambda: daemon.connection("park.failure.hold")["objects"] == 0, 30, daemon.tail)
    daemon.settled()
    assert sorted(path.read_text() for path in (tmp_path / "out").iterdir()) == ["new 0", "new 1", "new 2"]
    assert len(daemon.events(type="REPLAY")) == 6


def test_what_is_held_survives_a_restart_and_a_kill(inbox, tmp_path, make_daemon):
    daemon = blocked(inbox, tmp_path, make_daemon)
    daemon.stop()
    daemon.start()
    assert daemon.connection("park.failure.hold")["objects"] == 3
    daemon.kill()
    daemon.start()
    assert daemon.connection("park.failure.hold")["objects"] == 3


def test_empty_drops_and_says_so(inbox, tmp_path, make_daemon):
    daemon = blocked(inbox, tmp_path, make_daemon)
    listed = daemon.get("/api/v1/flows/copy/connections/park.failure.hold/flowfiles")
    assert [item["attributes"]["filename"] for item in listed["flowfiles"]] and len(listed["flowfiles"]) == 3
    first = listed["flowfiles"][0]
    reply = daemon.request("DELETE", "/api/v1/flows/copy/connections/park.failure.hold/flowfiles", params={"flowfile": first["flowfile"]})
    assert reply.status_code == 200
    until(lambda: daemon.connection("park.failure.hold")["objects"] == 2, 30, daemon.tail)
    assert daemon.command("queue", "empty", "park.failure.hold").returncode == 0
    until(lambda: daemon.connection("park.failure.hold")["objects"] == 0, 30, daemon.tail)
    drops = until(lambda: len(found := daemon.events(type="DROP")) == 3 and found, 30, daemon.tail)
    assert first["flowfile"] in {event["flowfile"] for event in drops}
    assert sorted(path.read_text() for path in (tmp_path / "out").iterdir()) == ["in the way"] * 3


def test_back_pressure_by_objects(inbox, tmp_path, make_daemon):
    """With the consumer stopped the queue fills to its bound and the source leaves the rest where it is."""
    connections = "connections:\n  pickup.success: {max_objects: 10}\n"
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out", extra="    batch: 5\n", connections=connections)).start()
    assert daemon.command("stop", "park").returncode in (0,)
    until(lambda: daemon.processor("park")["state"] == "stopped", 30, daemon.tail)
    for number in range(40):
        (inbox / f"{number}.txt").write_text("x")
    until(lambda: daemon.connection("pickup.success.park")["back_pressure"], 30, daemon.tail)
    # A source goes when its FlowFile's commit is on disk.
    until(lambda: len(os.listdir(inbox)) + daemon.connection("pickup.success.park")["objects"] == 40, 30, daemon.tail)
    assert 10 <= daemon.connection("pickup.success.park")["objects"] <= 15, "the bound is soft by one batch"
    assert daemon.processor("pickup")["back_pressure"]
    assert daemon.command("start", "park").returncode == 0
    until(lambda: len(os.listdir(tmp_path / "out")) == 40 if (tmp_path / "out").exists() else False, 60, daemon.tail)
    daemon.settled()
    assert not os.listdir(inbox)


def test_back_pressure_by_bytes(inbox, tmp_path, make_daemon):
    connections = "connections:\n  pickup.success: {max_bytes: 1MB}\n"
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out", extra="    batch: 1\n", connections=connections)).start()
    daemon.command("stop", "park")
    until(lambda: daemon.processor("park")["state"] == "stopped", 30, daemon.tail)
    for number in range(10):
        (inbox / f"{number}.bin").write_bytes(bytes(400_000))
    until(lambda: daemon.connection("pickup.success.park")["back_pressure"], 30, daemon.tail)
    assert daemon.connection("pickup.success.park")["bytes"] <= 1_600_000
    daemon.command("start", "park")
    until(lambda: not os.listdir(inbox), 60, daemon.tail)


def test_stopped_stays_stopped_after_a_restart(inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start()
    assert daemon.command("stop", "park").returncode == 0
    until(lambda: daemon.processor("park")["state"] == "stopped", 30, daemon.tail)
    daemon.stop()
    daemon.start()
    assert daemon.processor("park")["state"] == "stopped" and daemon.processor("park")["desired"] == "stopped"
    daemon.command("start", "park")
    (inbox / "a.txt").write_text("a")
    until(lambda: (tmp_path / "out" / "a.txt").exists(), 30, daemon.tail)


def test_paused_schedules_nothing(inbox, tmp_path, make_daemon):
    (inbox / "a.txt").write_text("a")
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start("--paused")
    status = daemon.status()
    assert status["daemon"]["state"] == "paused"
    assert all(item["total"]["tasks"] == 0 for item in status["processors"])
    daemon.stop()
    assert files.left_in(inbox) == ["a.txt"] and not (tmp_path / "out").exists()


def test_expired_ones_go_where_the_connection_says(inbox, tmp_path, make_daemon):
    connections = "connections:\n  pickup.success: {expire: {after: 500ms, since: queued, to: hold}}\n"
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out", connections=connections)).start()
    daemon.command("stop", "park")
    until(lambda: daemon.processor("park")["state"] == "stopped", 30, daemon.tail)
    (inbox / "a.txt").write_text("a")
    until(lambda: any(item["hold"] and item["objects"] for item in daemon.status()["connections"]), 30, daemon.tail)
    until(lambda: daemon.connection("pickup.success.park")["objects"] == 0, 30, daemon.tail)
    until(lambda: daemon.events(type="EXPIRE"), 30, daemon.tail)
