"""The commands that need no daemon, and their exit codes."""

import json
import os

import pytest
from rig import flows
from rig.daemon import sluice


def flow_file(tmp_path, text, name="flow.yaml"):
    path = tmp_path / name
    path.write_text(text)
    return path


def run(tmp_path, flow, *arguments):
    return sluice("run", flow_file(tmp_path, flow), "--until-idle", "--state", tmp_path / "state", *arguments)


def test_done_is_0_and_the_next_run_goes_on(inbox, tmp_path):
    flow = flows.copy(inbox, tmp_path / "out", source="keep")
    (inbox / "a.txt").write_text("a")
    assert run(tmp_path, flow).returncode == 0
    assert (tmp_path / "out" / "a.txt").read_text() == "a" and (inbox / "a.txt").exists()
    (tmp_path / "out" / "a.txt").unlink()
    (inbox / "b.txt").write_text("b")
    done = run(tmp_path, flow)
    assert done.returncode == 0, done.stderr
    assert os.listdir(tmp_path / "out") == ["b.txt"], "a file that was kept is taken once, over restarts"


def test_held_is_1(inbox, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("in the way")
    (inbox / "a.txt").write_text("a")
    done = run(tmp_path, flows.copy(inbox, tmp_path / "out"))
    assert done.returncode == 1 and "held" in done.stdout + done.stderr
    listed = sluice("queue", "list", "park.failure.hold", "--state", tmp_path / "state")
    assert listed.returncode == 0 and "a.txt" in listed.stdout
    assert (tmp_path / "out" / "a.txt").read_text() == "in the way"


def test_ended_by_failure_is_1(inbox, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("in the way")
    (inbox / "a.txt").write_text("a")
    done = run(tmp_path, flows.copy(inbox, tmp_path / "out").replace("failure: hold", "failure: end"))
    assert done.returncode == 1


def test_timeout_is_1(inbox, tmp_path):
    (inbox / "a.txt").write_text("a")
    flow = flows.copy(inbox, tmp_path / "out").replace("min_age: 0s", "min_age: 1h")
    assert run(tmp_path, flow, "--timeout", "1s").returncode == 1
    assert (inbox / "a.txt").exists()


def test_it_waits_for_a_file_s_age(inbox, tmp_path):
    (inbox / "a.txt").write_text("a")
    flow = flows.copy(inbox, tmp_path / "out").replace("min_age: 0s", "min_age: 2s")
    assert run(tmp_path, flow, "--timeout", "60s").returncode == 0
    assert (tmp_path / "out" / "a.txt").exists()


ENDLESS = """sluice: 1
name: endless
processors:
  make:
    type: generate-flowfile
    to: {success: end}
"""


def test_endless_is_2_at_once(tmp_path):
    done = run(tmp_path, ENDLESS)
    assert done.returncode == 2 and "generate-flowfile" in done.stderr


def test_only_paused_work_left_is_1(store, inbox, tmp_path):
    (inbox / "a.jpg").write_text("a")
    secrets = {"SLUICE_SECRET_KEY_ID": store.key_id, "SLUICE_SECRET_KEY": "wrong"}
    path = flow_file(tmp_path, flows.delivery(inbox, store.url, "no-such-bucket"))
    done = sluice("run", path, "--until-idle", "--timeout", "60s", "--state", tmp_path / "state", env=secrets)
    assert done.returncode == 1 and "wrong" not in done.stdout + done.stderr


def test_usage_is_2_and_wrong_flow_is_78(tmp_path):
    assert sluice("banana").returncode == 2
    assert sluice("run").returncode == 2
    assert sluice("run", flow_file(tmp_path, "sluice: 1\n"), "--until-idle").returncode == 78
    assert sluice("validate", tmp_path / "absent.yaml").returncode in (1, 78)


def test_unreachable_is_69(tmp_path):
    assert sluice("status", "--url", "http://127.0.0.1:1", env={"SLUICE_TOKEN": "x"}).returncode == 69


def test_a_second_process_is_75(inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out")).start()
    done = sluice("run", daemon.flow_file, "--until-idle", "--state", daemon.state)
    assert done.returncode == 75, done.stderr
    assert (inbox / "x").exists() is False


def test_validate_the_flows_of_the_tree():
    from rig.daemon import ROOT
    for path in sorted((ROOT / "flows").glob("*.yaml")):
        done = sluice("validate", path)
        assert done.returncode == 0, done.stdout + done.stderr
    done = sluice("validate", "--complete", ROOT / "flows" / "media-to-store.yaml")
    assert done.returncode == 78 and "bucket" in done.stdout + done.stderr


def test_describe_every_type():
    types = json.loads(sluice("describe", "--json").stdout)
    names = {item["type"] for item in (types if isinstance(types, list) else types["types"])}
    assert {"get-file", "put-file", "put-s3", "identify-mime-type", "hash-content", "route-on-attribute", "update-attribute", "log-attribute",
            "generate-flowfile"} <= names
    for name in names:
        shown = sluice("describe", name)
        assert shown.returncode == 0 and name in shown.stdout


@pytest.mark.parametrize("expression, attributes, value", [
    ("${filename:toUpper():append('.bak')}", ["filename=a.png"], "A.PNG.bak"),
    ("${mime.type:substringBefore('/')}", ["mime.type=image/png"], "image"),
    ("$${literal} # 5$", [], "${literal} # 5$"),
])
def test_expr(expression, attributes, value):
    done = sluice("expr", expression, *[word for attribute in attributes for word in ("--attr", attribute)])
    assert done.returncode == 0 and done.stdout == value + "\n"


def test_expr_jsonl():
    asked = [{"expr": "${a:toUpper()}", "attributes": {"a": "x"}}, {"expr": "${a:banana()}", "attributes": {}}, {"expr": "#{p}", "parameters": {"p": "x"}}]
    done = sluice("expr", "--jsonl", input="".join(json.dumps(line) + "\n" for line in asked))
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert said[0] == {"value": "X"} and "banana" in said[1]["error"] and said[2] == {"value": "x"}


def test_doctor(inbox, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt").write_text("in the way")
    (inbox / "a.txt").write_text("a" * 5000)
    run(tmp_path, flows.copy(inbox, tmp_path / "out"))
    done = sluice("doctor", "--state", tmp_path / "state")
    assert done.returncode == 0, done.stdout + done.stderr
    content = [path for path in (tmp_path / "state" / "content").rglob("*") if path.is_file() and path.stat().st_size]
    assert content, "5,000 bytes are too many for the event's row"
    for path in content:
        path.write_bytes(b"\0" * path.stat().st_size)
    done = sluice("doctor", "--state", tmp_path / "state")
    assert done.returncode == 1, "bytes that changed on disk are found"


def test_help_and_version():
    for arguments in (["--help"], ["run", "--help"], ["--version"]):
        done = sluice(*arguments)
        assert done.returncode == 0 and done.stdout and not done.stderr
