"""What the daemon says over HTTP, and to whom."""

import json
import os
import re
import stat

import pytest
import requests
from openapi_spec_validator import OpenAPIV31SpecValidator
from rig import flows
from rig.wait import until


@pytest.fixture
def daemon(inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start()
    (inbox / "a.txt").write_text("alpha")
    until(lambda: (tmp_path / "out" / "a.txt").exists(), 30, daemon.tail)
    daemon.settled()
    return daemon


def test_open_and_closed_routes(daemon):
    assert requests.get(daemon.url + "/healthz", timeout=10).status_code == 200
    assert requests.get(daemon.url + "/readyz", timeout=10).status_code == 200
    for path in ("/metrics", "/api/v1/status", "/api/v1/bulletins", "/api/v1/provenance", "/api/v1/events", "/api/v1/openapi.json"):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer " + daemon.token + "x"}, {"Authorization": "Basic x"}):
            reply = requests.get(daemon.url + path, headers=headers, timeout=10)
            assert reply.status_code == 401, (path, headers)
            assert reply.headers["Content-Type"].startswith("application/problem+json") and reply.json()["status"] == 401
    assert stat.S_IMODE(os.stat(daemon.state / "token").st_mode) == 0o600


def test_problems(daemon):
    for method, path, status in (("GET", "/api/v1/nowhere", 404), ("DELETE", "/api/v1/status", 405), ("GET", "/api/v1/provenance?type=BANANA", 400),
                                 ("GET", "/api/v1/provenance/999999", 404), ("GET", "/api/v1/lineage/not-a-uuid", 400)):
        reply = daemon.request(method, path)
        assert reply.status_code == status, (path, reply.status_code, reply.text)
        problem = reply.json()
        assert reply.headers["Content-Type"].startswith("application/problem+json")
        assert problem["status"] == status and problem["title"] and problem["detail"]


METRIC = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*\})? (-?[0-9.eE+]+|NaN|[+-]Inf)$')


def test_metrics_parse(daemon):
    reply = daemon.request("GET", "/metrics")
    assert reply.status_code == 200 and reply.headers["Content-Type"].startswith("text/plain")
    types, names, seen = {}, set(), set()
    for line in reply.text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types and kind in ("counter", "gauge", "histogram", "summary", "untyped")
            types[name] = kind
        elif line.startswith("# HELP ") or not line:
            continue
        else:
            match = METRIC.match(line)
            assert match, line
            assert match[1].startswith("sluice_") and (match[1], match[2]) not in seen
            seen.add((match[1], match[2]))
            names.add(match[1])
    assert names and names <= set(types) | {name + end for name in types for end in ("_bucket", "_sum", "_count", "_total")}
    assert all(name.endswith("_total") for name, kind in types.items() if kind == "counter")
    assert 'connection="pickup.success.park"' in reply.text and 'processor="park"' in reply.text


def test_metrics_as_openmetrics(daemon):
    reply = daemon.request("GET", "/metrics", headers={"Authorization": "Bearer " + daemon.token,
                                                       "Accept": "application/openmetrics-text; version=1.0.0"})
    assert reply.headers["Content-Type"].startswith("application/openmetrics-text") and reply.text.endswith("# EOF\n")


def test_openapi_is_valid_and_true(daemon):
    document = daemon.get("/api/v1/openapi.json")
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()
    values = {"flow": "copy", "processor": "park", "connection": "pickup.success.park", "seq": "1", "type": "put-file", "file": "app.js", "component": "park",
              "flowfile": daemon.events(filename="a.txt")[0]["flowfile"]}
    for path, methods in document["paths"].items():
        concrete = re.sub(r"\{(\w+)\}", lambda match: values[match[1]], path)
        if "get" in methods and path != "/api/v1/events":
            query = "&".join(f"{p['name']}={values[p['name']]}" for p in methods["get"].get("parameters", []) if p["in"] == "query" and p["required"])
            assert daemon.request("GET", concrete + ("?" + query if query else "")).status_code in (200, 204, 404) or path in ("/ui/{file}",), path
        for method in ("get", "put", "post", "delete", "patch"):
            if method not in methods:
                assert daemon.request(method.upper(), concrete).status_code == 405, (method, path)


def test_status(daemon):
    status = daemon.status()
    processor = daemon.processor("park")
    for key in ("desired", "state", "active", "last_success_at", "last_error", "retrying"):
        assert key in processor
    connection = daemon.connection("pickup.success.park")
    for key in ("id", "objects", "bytes", "max_objects", "max_bytes", "oldest_queued_at", "back_pressure", "held"):
        assert key in connection
    assert connection["max_objects"] == 10_000 and connection["max_bytes"] == 1_000_000_000
    assert status["flows"][0]["name"] == "copy"
    shown = daemon.command("status")
    assert shown.returncode == 0 and "pickup.success.park" in shown.stdout
    assert json.loads(daemon.command("status", "--json").stdout)["flows"]


def test_provenance_filters_and_cursor(daemon, inbox, tmp_path):
    for number in range(7):
        (inbox / f"n{number}.txt").write_text(str(number))
    until(lambda: len(list((tmp_path / "out").glob("n*.txt"))) == 7, 30, daemon.tail)
    daemon.settled()
    whole = daemon.events()
    assert [event["seq"] for event in whole] == sorted({event["seq"] for event in whole})
    page = daemon.get("/api/v1/provenance", limit=3)
    assert len(page["events"]) == 3 and page["cursor"]
    assert {event["type"] for event in daemon.events(type="DROP")} == {"DROP"} and len(daemon.events(type="DROP")) == 8
    assert {event["component"].rpartition("/")[2] for event in daemon.events(component="park")} == {"park"}
    one = daemon.events(filename="n3.txt")
    assert one and {event["attributes"]["filename"] for event in one} == {"n3.txt"}
    assert daemon.events(**{"attr.filename": "n3.txt"}) == one
    assert {event["seq"] for event in daemon.events(flowfile=one[0]["flowfile"])} == {event["seq"] for event in one}
    with_hash = next(event for event in one if event["content"] and event["content"]["sha256"])
    assert one[0]["flowfile"] in {event["flowfile"] for event in daemon.events(sha256=with_hash["content"]["sha256"])}
    middle = one[0]["time"]
    assert all(event["time"] >= middle for event in daemon.events(**{"from": middle}))
    for key in ("seq", "time", "type", "flowfile", "flow", "flow_revision", "component", "component_type", "relationship", "connection", "attributes",
                "changed", "content", "parents", "children", "transit_uri", "duration_us", "details"):
        assert key in one[0], key


def test_events_stream(daemon, inbox):
    reply = daemon.request("GET", "/api/v1/events", stream=True)
    assert reply.status_code == 200 and reply.headers["Content-Type"].startswith("text/event-stream")
    assert any(line.startswith(b"data:") for line in reply.iter_lines())
    reply.close()


def test_dashboard_is_served(daemon):
    page = requests.get(daemon.url + "/", timeout=10)
    assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html")
    assert "default-src" in page.headers.get("Content-Security-Policy", "")
    linked = re.findall(r'(?:src|href)="(/?[^"#:]+)"', page.text)
    assert linked
    for name in linked:
        assert requests.get(daemon.url + "/" + name.lstrip("/"), timeout=10).status_code == 200, name


def test_a_socket_is_an_address_too(inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out"))
    path = tmp_path / "api.sock"
    daemon.start("--http", f"unix:{path}", wait=False)
    until(path.exists, 30, daemon.tail)
    from rig.daemon import sluice
    until(lambda: sluice("status", "--url", f"unix:{path}", "--state", daemon.state).returncode == 0, 30, daemon.tail)
