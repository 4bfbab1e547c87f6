"""The main job: media into a store, a record of every file, and the record equal to what SQL finds in the segments."""

import hashlib
import json
import os
import shutil
from collections import Counter

import pytest
from rig import files, flows, fold
from rig.daemon import ROOT, SLOW, sluice
from rig.wait import until

MEDIA = ROOT / "flows" / "media-to-store.yaml"
SAMPLES = ROOT / "flows" / "samples"


def sample_hashes():
    return {str(path.relative_to(SAMPLES)): hashlib.sha256(path.read_bytes()).hexdigest() for path in SAMPLES.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["server", "folder"])
def test_samples_by_run_until_idle(kind, store, bucket, tmp_path, inbox):
    shutil.copytree(SAMPLES, inbox, dirs_exist_ok=True)
    endpoint = store.url if kind == "server" else f"file://{tmp_path}/store"
    secrets = {"SLUICE_SECRET_STORE_KEY_ID": store.key_id, "SLUICE_SECRET_STORE_KEY": store.secret}
    done = sluice("run", MEDIA, "--until-idle", "--timeout", "120s", "--state", tmp_path / "state", "--set", f"inbox={inbox}", "--set", "min_age=0s",
                  "--set", f"endpoint={endpoint}", "--set", f"bucket={bucket}", env=secrets)
    assert done.returncode == 0, done.stdout + done.stderr
    if kind == "server":
        found = store.hashes(bucket)
    else:
        folder = tmp_path / "store" / bucket
        found = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}
    assert {key.partition("/")[2]: value for key, value in found.items()} == sample_hashes()
    prefixes = {key.partition("/")[2]: key.partition("/")[0] for key in found}
    assert prefixes["photos/sunset.jpg"] == "image" and prefixes["sound/silence.mp3"] == "audio" and prefixes["video/rings.mp4"] == "video"
    assert prefixes["photos/sunset.json"] == "annotations" and prefixes["papers/delivery note.pdf"] == "documents"
    assert files.left_in(inbox) == []
    events = json.loads(sluice("provenance", "--state", tmp_path / "state", "--filename", "sunset.jpg", "--json").stdout)["events"]
    assert [event["type"] for event in sorted(events, key=lambda event: event["seq"])].count("SEND") == 1


def test_ten_thousand_files_or_fewer(store, bucket, inbox, make_daemon):
    """SLUICE_E2E_FILES=10000 is the full form: tests/e2e/run-full."""
    count = int(os.environ.get("SLUICE_E2E_FILES", 500 if SLOW == 1 else 100))
    made = files.make(inbox, count, count * 200_000)
    daemon = make_daemon(flows.delivery(inbox, store.url, bucket), secrets=flows.secrets(store)).start()
    until(lambda: not files.left_in(inbox), 60 + count / 4 * SLOW, daemon.tail)
    daemon.settled(60 + count / 10)
    assert store.hashes(bucket) == made

    name = sorted(made)[count // 2]
    shown = daemon.command("provenance", "--filename", name.rpartition("/")[2], "--json")
    assert shown.returncode == 0, shown.stderr
    events = sorted(json.loads(shown.stdout)["events"], key=lambda event: event["seq"])
    assert [event["type"] for event in events] == ["RECEIVE", "ROUTE", "SEND", "DROP"]
    receive, route, send, drop = events
    assert receive["transit_uri"] == f"file://{inbox}/{name}"
    assert route["relationship"] == ("image" if name.endswith(".jpg") else "note")
    assert send["transit_uri"] == f"{store.url}/{bucket}/{name}"
    etag = store.s3.head_object(Bucket=bucket, Key=name)["ETag"]
    assert send["details"]["etag"].strip('"') == etag.strip('"')
    assert send["attributes"]["s3.etag"].strip('"') == etag.strip('"')
    assert drop["attributes"]["filename"] == name.rpartition("/")[2]
    assert drop["content"]["sha256"] == made[name]
    assert len({event["flowfile"] for event in events}) == 1

    expected = {"RECEIVE": count, "ROUTE": count, "SEND": count, "DROP": count}
    assert Counter(event["type"] for event in daemon.events()) == expected
    daemon.stop()
    assert fold.types(daemon.state) == expected
    assert fold.queues(daemon.state) == {}


def test_multipart_in_parts(store, bucket, inbox, make_daemon):
    """Above the threshold: parts in parallel, ETag of parts, the bytes equal."""
    big = os.urandom(12_000_000)
    (inbox / "big.jpg").write_bytes(big)
    upload = "    multipart_threshold: 6MiB\n    part_size: 5MiB\n"
    daemon = make_daemon(flows.delivery(inbox, store.url, bucket, upload=upload), secrets=flows.secrets(store)).start()
    until(lambda: not files.left_in(inbox), 60, daemon.tail)
    daemon.settled()
    assert store.read(bucket, "big.jpg") == big
    assert store.s3.head_object(Bucket=bucket, Key="big.jpg")["ETag"].strip('"').endswith("-3")
    assert not store.s3.list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_lineage_and_content(inbox, tmp_path, make_daemon):
    (inbox / "a.txt").write_text("alpha")
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start()
    until(lambda: (tmp_path / "out" / "a.txt").exists(), 30, daemon.tail)
    daemon.settled()
    events = daemon.events(filename="a.txt")
    receive = next(event for event in events if event["type"] == "RECEIVE")
    lineage = daemon.get("/api/v1/lineage/" + receive["flowfile"])
    assert lineage["nodes"] and lineage["edges"]
    one = daemon.get(f"/api/v1/provenance/{receive['seq']}")
    assert one["flowfile"] == receive["flowfile"] and one["content"]["sha256"] == hashlib.sha256(b"alpha").hexdigest()
    content = daemon.request("GET", f"/api/v1/provenance/{receive['seq']}/content", params={"side": "output"})
    assert content.status_code == 200 and content.content == b"alpha"
    shown = daemon.command("content", receive["seq"])
    assert shown.returncode == 0 and shown.stdout == "alpha"
    assert daemon.command("lineage", receive["flowfile"]).returncode == 0
