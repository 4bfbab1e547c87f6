"""SIGHUP and `sluice reload`: checked whole, drained, swapped; what is queued stays queued."""

from rig import files, flows
from rig.wait import until


def revision(daemon):
    return daemon.status()["flows"][0]["revision"]


def test_a_changed_flow_is_swapped_in(inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "one")).start()
    (inbox / "a.txt").write_text("a")
    until(lambda: (tmp_path / "one" / "a.txt").exists(), 30, daemon.tail)
    before = revision(daemon)
    daemon.write_flow(flows.copy(inbox, tmp_path / "two"))
    daemon.hup()
    until(lambda: revision(daemon) != before, 30, daemon.tail)
    (inbox / "b.txt").write_text("b")
    until(lambda: (tmp_path / "two" / "b.txt").exists(), 30, daemon.tail)
    assert not (tmp_path / "one" / "b.txt").exists()
    daemon.settled()  # the file is there before the commit that says so
    revisions = {event["flow_revision"] for event in daemon.events(component="park")}
    assert len(revisions) == 2


def test_queued_ones_survive_a_reload(inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "one")).start()
    daemon.command("stop", "park")
    until(lambda: daemon.processor("park")["state"] == "stopped", 30, daemon.tail)
    for number in range(20):
        (inbox / f"{number}.txt").write_text("x")
    until(lambda: daemon.connection("pickup.success.park")["objects"] == 20, 30, daemon.tail)
    before = revision(daemon)
    daemon.write_flow(flows.copy(inbox, tmp_path / "two"))
    done = daemon.command("reload", "copy")
    assert done.returncode == 0, done.stderr
    assert revision(daemon) != before
    assert daemon.connection("pickup.success.park")["objects"] == 20
    daemon.command("start", "park")
    until(lambda: (tmp_path / "two").exists() and len(files.left_in(tmp_path / "two")) == 20, 30, daemon.tail)


def test_a_queue_that_is_no_longer_there_keeps_the_old_flow(inbox, tmp_path, make_daemon):
    """Its FlowFiles would be nobody's."""
    daemon = make_daemon(flows.copy(inbox, tmp_path / "one")).start()
    daemon.command("stop", "park")
    until(lambda: daemon.processor("park")["state"] == "stopped", 30, daemon.tail)
    (inbox / "a.txt").write_text("x")
    until(lambda: daemon.connection("pickup.success.park")["objects"] == 1, 30, daemon.tail)
    daemon.write_flow(flows.copy(inbox, tmp_path / "two").replace("success: park", "success: place").replace("  park:", "  place:"))
    done = daemon.command("reload", "copy")
    assert done.returncode != 0 and "pickup.success.park" in done.stdout + done.stderr
    assert daemon.processor("park") and daemon.connection("pickup.success.park")["objects"] == 1


def test_reload_under_load_loses_nothing(store, bucket, inbox, make_daemon):
    made = files.make(inbox, 150, 150 * 60_000)
    flow = flows.delivery(inbox, store.url, bucket)
    daemon = make_daemon(flow, secrets=flows.secrets(store)).start()
    for number in range(4):
        before = revision(daemon)
        daemon.write_flow(flow.replace("concurrency: 8", f"concurrency: {3 + number}"))
        daemon.hup()
        until(lambda: revision(daemon) != before, 60, daemon.tail)
    until(lambda: not files.left_in(inbox), 120, daemon.tail)
    daemon.settled()
    assert store.hashes(bucket) == made
