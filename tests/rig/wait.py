import time


def until(what, seconds=60.0, why=None, every=0.02):
    """The first true value of what(); fails with why() (or its last value) after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {seconds} s: {why() if why else value!r}")
        time.sleep(every)
