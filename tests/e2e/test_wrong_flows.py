"""Every wrong flow of tests/flows-wrong: its first lines say `# expect LINE:COL: error: FRAGMENT`."""

import re

import pytest
from rig import flows
from rig.daemon import ROOT, sluice
from rig.wait import until

WRONG = sorted((ROOT / "tests" / "flows-wrong").glob("*.yaml"))
EXPECT = re.compile(r"# expect (\d+):(\d+): (error|warning): (.*)")


def test_there_are_twenty():
    assert len(WRONG) >= 20


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_line_and_column(path):
    expected = [match.groups() for match in map(EXPECT.match, path.read_text(errors="replace").splitlines()) if match]
    assert expected, "the file says nothing of what to expect"
    # A parameter without a value is an error only of a flow that is to run.
    done = sluice("validate", *(["--complete"] if "parameter-without-value" in path.name else []), path)
    assert done.returncode == 78, done.stdout + done.stderr
    said = done.stdout + done.stderr
    for line, column, kind, fragment in expected:
        start = f"{path}:{line}:{column}: {kind}: "
        assert any(text.startswith(start) and fragment in text for text in said.splitlines()), f"expected {start}... {fragment}\nfound:\n{said}"
    errors = [text for text in said.splitlines() if re.match(rf"{re.escape(str(path))}:\d+:\d+: error: ", text)]
    assert len(errors) == sum(kind == "error" for _, _, kind, _ in expected), said


def test_a_running_daemon_keeps_the_old_flow(inbox, tmp_path, make_daemon):
    target = tmp_path / "out"
    daemon = make_daemon(flows.copy(inbox, target)).start()
    (inbox / "before.txt").write_text("1")
    until(lambda: (target / "before.txt").exists(), 30, daemon.tail)
    daemon.write_flow(flows.copy(inbox, target).replace("conflict: fail", "conflict: whatever"))
    daemon.hup()
    until(lambda: "error: " in daemon.tail() and f"{daemon.flow_file}:" in daemon.tail(), 30, daemon.tail)
    flow = until(lambda: next((flow for flow in daemon.status()["flows"] if flow["problem"]), None), 30, daemon.tail)
    assert "whatever" in flow["problem"] and flow["state"] == "running"
    (inbox / "after.txt").write_text("2")
    until(lambda: (target / "after.txt").exists(), 30, daemon.tail)
    done = daemon.command("reload")
    assert done.returncode == 78 and f"{daemon.flow_file}:" in done.stdout + done.stderr
    daemon.write_flow(flows.copy(inbox, target))
    daemon.hup()
    until(lambda: not any(flow["problem"] for flow in daemon.status()["flows"]), 30, daemon.tail)


def test_strict_ends_with_78(inbox, tmp_path, make_daemon):
    daemon = make_daemon(flows.copy(inbox, tmp_path / "out").replace("put-file", "put-flie"))
    daemon.start("--strict", wait=False)
    assert daemon.ended() == 78
    assert "put-file" in daemon.tail()
