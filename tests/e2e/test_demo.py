"""./demo --exit, less the building: twice into a folder, once into a server, the objects then read by boto3."""

import hashlib
import os
import subprocess
import sys

import pytest
from rig.daemon import BUILD, ROOT
from rig.store import free_port

SAMPLES = ROOT / "flows" / "samples"


def demo(**more):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SLUICE_S3"))}
    environment.update(more, SLUICE_BUILD=str(BUILD), SLUICE_DEMO_HTTP=f"127.0.0.1:{free_port()}")
    return subprocess.run([sys.executable, ROOT / "flows" / "run-demo.py", "--exit"], env=environment, capture_output=True, text=True, timeout=300)


def hashes():
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in SAMPLES.rglob("*") if path.is_file())


@pytest.mark.parametrize("time", ["first", "second"])
def test_into_a_folder(time):
    done = demo()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "#token=" in done.stdout and "11 of 11 files" in done.stdout and "DIFFERENT" not in done.stdout
    store = BUILD / "demo" / "store" / "sluice-demo"
    assert sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in store.rglob("*") if path.is_file()) == hashes()


def test_into_a_server(store):
    done = demo(SLUICE_S3_ENDPOINT=store.url, AWS_ACCESS_KEY_ID=store.key_id, AWS_SECRET_ACCESS_KEY=store.secret)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(store.hashes("sluice-demo").values()) == hashes()
    assert store.secret not in done.stdout + done.stderr


def test_a_wrong_key_is_said(store):
    done = demo(SLUICE_S3_ENDPOINT=store.url, AWS_ACCESS_KEY_ID=store.key_id, AWS_SECRET_ACCESS_KEY="wrong" * 8)
    assert done.returncode == 1 and "403" in done.stderr
