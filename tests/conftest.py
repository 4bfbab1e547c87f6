import sys
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from rig.daemon import Daemon  # noqa: E402
from rig.proxy import Proxy  # noqa: E402
from rig.store import Store  # noqa: E402


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """moto, one for all tests; each has buckets of its own."""
    store = Store(tmp_path_factory.mktemp("store") / "moto.log")
    yield store
    store.stop()


@pytest.fixture
def bucket(store):
    name = "b-" + uuid.uuid4().hex[:16]
    store.s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def proxy(store):
    proxy = Proxy(store.port)
    yield proxy
    proxy.close()


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def make_daemon(tmp_path):
    """make_daemon(flow text, ...): a Daemon, not started; ended and looked through at the test's end."""
    made = []

    def make(flow, **options):
        made.append(Daemon(tmp_path / f"daemon-{len(made)}", flow, **options))
        return made[-1]

    yield make
    for daemon in made:
        daemon.done()
