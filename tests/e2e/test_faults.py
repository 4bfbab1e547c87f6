"""The store fails in every way that can be arranged; nothing is lost, nothing is parked that could still arrive."""

import threading

import pytest
from rig import files, flows
from rig.daemon import SLOW
from rig.proxy import Answer, LoseReply, Reset, Stall, Truncate
from rig.wait import until

COUNT = 20


@pytest.fixture
def made(inbox):
    return files.make(inbox, COUNT, COUNT * 150_000)


def uploads(request):
    return request.method == "PUT"


def first(count, fault, matches=uploads):
    """The first `count` requests that match get the fault."""
    left = [count]

    def decide(request):
        if left[0] and matches(request):
            left[0] -= 1
            return fault
        return None
    return decide


def finish(daemon, inbox, store, bucket, made, seconds=60):
    until(lambda: not files.left_in(inbox), seconds * SLOW, daemon.tail)
    daemon.settled(seconds)
    assert store.hashes(bucket) == made
    assert not daemon.connection("upload.failure.hold")["objects"]


def test_down_for_a_while(store, bucket, proxy, inbox, made, make_daemon):
    proxy.down()
    daemon = make_daemon(flows.delivery(inbox, proxy.url, bucket), secrets=flows.secrets(store)).start()
    until(lambda: daemon.processor("upload")["last_error"], 30, daemon.tail)
    error = daemon.processor("upload")["last_error"]
    assert error["class"] == "transient" and error["message"] and error["at"]
    until(lambda: daemon.processor("upload")["retrying"], 30, daemon.tail)
    proxy.up()
    finish(daemon, inbox, store, bucket, made)


FAULTS = {
    "503": (Answer(), COUNT),
    "503 with Retry-After": (Answer(headers={"Retry-After": "1"}), 3),
    "500": (Answer("500 Internal Server Error", body=b"<Error><Code>InternalError</Code><Message>x</Message></Error>"), COUNT),
    "reset before the body": (Reset(0), COUNT),
    "reset in the middle of the body": (Reset(700), COUNT),
    "reply lost": (LoseReply(), COUNT),
    "reply cut": (Truncate(12), COUNT),
    "reply that is no HTTP": (Answer("banana"), 3),
}


@pytest.mark.parametrize("name", FAULTS)
def test_goes_on_by_itself(name, store, bucket, proxy, inbox, made, make_daemon):
    fault, times = FAULTS[name]
    proxy.fault = first(times, fault)
    daemon = make_daemon(flows.delivery(inbox, proxy.url, bucket), secrets=flows.secrets(store)).start()
    finish(daemon, inbox, store, bucket, made)
    assert len(proxy.done) == times


def test_a_stalled_upload_is_given_up_and_repeated(store, bucket, proxy, inbox, made, make_daemon):
    release = threading.Event()
    proxy.fault = first(2, Stall(release))
    flow = flows.delivery(inbox, proxy.url, bucket).replace(f"endpoint: {proxy.url}", f"endpoint: {proxy.url}\n    stall_timeout: 1s\n    reply_timeout: 2s")
    daemon = make_daemon(flow, secrets=flows.secrets(store)).start()
    finish(daemon, inbox, store, bucket, made)
    release.set()


def test_every_third_request_fails_differently(store, bucket, proxy, inbox, make_daemon):
    made = files.make(inbox, 60, 60 * 150_000, seed=7)
    faults = [Answer(), Reset(500), LoseReply(), Truncate(5), Reset(0)]
    seen = [0]

    def decide(request):
        seen[0] += 1
        return faults[seen[0] // 3 % len(faults)] if seen[0] % 3 == 0 and seen[0] < 150 else None
    proxy.fault = decide
    daemon = make_daemon(flows.delivery(inbox, proxy.url, bucket), secrets=flows.secrets(store)).start()
    finish(daemon, inbox, store, bucket, made, 120)


def test_multipart_survives_resets_and_a_lost_completion(store, bucket, proxy, inbox, make_daemon):
    made = files.make(inbox, 1, 5_000_000)
    (inbox / "big.jpg").write_bytes(b"x" * 17_000_000)
    upload = "    multipart_threshold: 6MiB\n    part_size: 5MiB\n"
    parts = first(2, Reset(100_000), lambda request: "partNumber=" in request.path)
    completion = first(1, LoseReply(), lambda request: request.method == "POST" and "uploadId=" in request.path)
    proxy.fault = lambda request: parts(request) or completion(request)
    daemon = make_daemon(flows.delivery(inbox, proxy.url, bucket, upload=upload), secrets=flows.secrets(store)).start()
    until(lambda: not files.left_in(inbox), 60 * SLOW, daemon.tail)
    daemon.settled()
    assert store.read(bucket, "big.jpg") == b"x" * 17_000_000
    assert set(store.keys(bucket)) == {"big.jpg", *made}
    assert len(proxy.done) == 3
    assert not store.s3.list_multipart_uploads(Bucket=bucket).get("Uploads")


def paused(daemon, fragment):
    """The processor is paused, status and a bulletin say why, its FlowFiles are queued and none is held."""
    until(lambda: daemon.processor("upload")["state"] == "paused", 30 * SLOW, daemon.tail)
    error = daemon.processor("upload")["last_error"]
    assert error["class"] == "configuration" and fragment in error["message"]
    assert any(fragment in bulletin["message"] for bulletin in daemon.bulletins()), daemon.bulletins()
    assert daemon.connection("upload.failure.hold")["objects"] == 0
    said = daemon.command("bulletins")
    assert said.returncode == 0 and fragment in said.stdout


def queued(daemon):
    return sum(item["objects"] for item in daemon.status()["connections"] if item["to"] == "upload")


def test_wrong_secret_pauses_until_it_is_mended(store, bucket, inbox, made, make_daemon):
    daemon = make_daemon(flows.delivery(inbox, store.url, bucket), secrets={"key_id": store.key_id, "key": "wrong" * 8}).start()
    paused(daemon, "SignatureDoesNotMatch")
    until(lambda: queued(daemon) == COUNT, 30, daemon.tail)
    daemon.secret("key", store.secret)
    daemon.hup()
    finish(daemon, inbox, store, bucket, made)
    assert daemon.processor("upload")["state"] == "running"
    assert store.secret not in daemon.tail(1 << 20) and "wrongwrong" not in daemon.tail(1 << 20)


def test_no_such_bucket_pauses_until_it_is_there(store, inbox, made, make_daemon):
    bucket = f"later-{store.port}"
    daemon = make_daemon(flows.delivery(inbox, store.url, bucket), secrets=flows.secrets(store)).start()
    paused(daemon, "NoSuchBucket")
    store.s3.create_bucket(Bucket=bucket)
    finish(daemon, inbox, store, bucket, made)


def test_a_refused_key_is_held_and_delivered_after_replay(store, bucket, proxy, inbox, made, make_daemon):
    refused = sorted(made)[0]
    answer = Answer("400 Bad Request", body=b"<Error><Code>InvalidArgument</Code><Message>Key is not to my taste</Message></Error>")
    proxy.fault = lambda request: answer if request.path.endswith(refused) else None
    daemon = make_daemon(flows.delivery(inbox, proxy.url, bucket), secrets=flows.secrets(store)).start()
    until(lambda: daemon.connection("upload.failure.hold")["objects"] == 1, 60 * SLOW, daemon.tail)
    until(lambda: not files.left_in(inbox), 60 * SLOW, daemon.tail)
    daemon.settled()
    held = daemon.get("/api/v1/flows/delivery/connections/upload.failure.hold/flowfiles")["flowfiles"]
    assert len(held) == 1
    attributes = held[0]["attributes"]
    assert attributes["error.class"] == "permanent" and attributes["error.component"].endswith("upload")
    assert attributes["error.relationship"] == "failure" and attributes["error.code"] == "InvalidArgument"
    assert "not to my taste" in attributes["error.message"]
    assert attributes["s3.statusCode"] == "400" and attributes["s3.key"] == refused
    shown = daemon.command("queue", "list", "upload.failure.hold")
    assert shown.returncode == 0 and refused.rpartition("/")[2] in shown.stdout
    assert store.hashes(bucket) == {name: value for name, value in made.items() if name != refused}
    proxy.fault = None
    replayed = daemon.command("queue", "replay", "upload.failure.hold")
    assert replayed.returncode == 0, replayed.stderr
    daemon.settled()
    assert store.hashes(bucket) == made and daemon.connection("upload.failure.hold")["objects"] == 0


def test_versions_of_one_key_arrive_in_order(store, bucket, proxy, inbox, make_daemon):
    """Version 1 is refused for a while; version 2 waits for it, and other keys do not."""
    gate = threading.Event()
    proxy.fault = lambda request: Answer() if uploads(request) and request.path.endswith("/one.jpg") and not gate.is_set() else None
    flow = flows.delivery(inbox, proxy.url, bucket).replace("directory: ", "batch: 1\n    directory: ")
    daemon = make_daemon(flow, secrets=flows.secrets(store)).start()
    (inbox / "one.jpg").write_bytes(b"version 1")
    until(lambda: proxy.done, 30 * SLOW, daemon.tail)
    until(lambda: not files.left_in(inbox), 30 * SLOW, daemon.tail)
    (inbox / "one.jpg").write_bytes(b"version 2, longer")
    (inbox / "two.jpg").write_bytes(b"another key")
    until(lambda: "two.jpg" in store.keys(bucket), 30 * SLOW, daemon.tail)
    until(lambda: not files.left_in(inbox), 30 * SLOW, daemon.tail)
    assert "one.jpg" not in store.keys(bucket)
    gate.set()
    daemon.settled()
    assert store.read(bucket, "one.jpg") == b"version 2, longer"
    sends = [event for event in daemon.events(filename="one.jpg") if event["type"] == "SEND"]
    assert [event["content"]["size"] for event in sends] == [9, 17]


def test_kill_while_a_reply_is_lost_makes_no_second_object(store, bucket, proxy, inbox, make_daemon):
    """Keys with ${UUID()} are evaluated once: whatever happens, one object for a file."""
    made = files.make(inbox, 10, 10 * 50_000)
    proxy.fault = first(10, LoseReply())
    daemon = make_daemon(flows.delivery(inbox, proxy.url, bucket, key="${UUID()}/${filename}"), secrets=flows.secrets(store)).start()
    until(lambda: len(proxy.done) >= 3, 30 * SLOW, daemon.tail)
    daemon.kill()
    daemon.start()
    until(lambda: not files.left_in(inbox), 60 * SLOW, daemon.tail)
    daemon.settled()
    assert sorted(store.hashes(bucket).values()) == sorted(made.values())
