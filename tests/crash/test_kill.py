import os

from kill import run


def test_nothing_is_lost(store, tmp_path):
    count, kills = int(os.environ.get("SLUICE_CRASH_FILES", 1000)), int(os.environ.get("SLUICE_CRASH_KILLS", 10))
    seed = int(os.environ.get("SLUICE_CRASH_SEED", 1))
    assert run(tmp_path, store, count, kills, seed) == count
