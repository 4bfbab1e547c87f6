"""The measurements of tests/bench/run. Python's standard library alone."""

import argparse
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from common import BUILD, CONCURRENCY, HOPS, ROOT, SECRETS, SLUICE, Daemon, Peak, Sink, line, memory, run
from length import length

# ---- hops --------------------------------------------------------------------------------------------------


def hops(folder, count):
    print(f"\nHops: {count:,} FlowFiles, generate -> route -> update -> end; a hop is one taken (or made) and transferred, its event on disk")
    flow = folder / "hops.yaml"
    flow.write_text(HOPS.format(name="hops", count=count))
    peak = Peak()
    took, cpu = run([SLUICE, "run", flow, "--until-idle", "--state", folder / "hops"], peak=peak)
    events = made = 0
    first, last = [], []
    for path in (folder / "hops" / "journal").glob("*.db"):
        db = sqlite3.connect(path)
        n, t0, t1 = db.execute("SELECT count(*), min(time), max(time) FROM event WHERE type < 32").fetchone()
        made += db.execute("SELECT count(*) FROM provenance WHERE relationship IS NOT NULL AND type <> 'DROP'").fetchone()[0]
        events += n
        if n:  # a segment that was just begun may have none
            first.append(t0), last.append(t1)
        db.close()
    span = (max(last) - min(first)) / 1e6
    line("events on disk", f"{events:,} in {span:.2f} s from the first to the last, {took:.2f} s with start and end")
    line("hops/s (transfers: generate, route, update)", f"{made / span:,.0f}")
    line("events/s (with the drop)", f"{events / span:,.0f}")
    line("CPU an event", f"{cpu / events * 1e6:.2f} us")
    line("memory at its peak", peak)


# ---- deliveries -------------------------------------------------------------------------------------------

DELIVERY = """sluice: 1
name: bench
services:
  store: {{type: s3, endpoint: "{url}", access_key_id: {{secret: key_id}}, secret_access_key: {{secret: key}}}}
processors:
  pickup:
    type: get-file
    directory: {inbox}
    source: {source}
    min_age: 0s
    to: {{success: upload}}
  upload:
    type: put-s3
    service: store
    bucket: bench
    key: "${{path}}${{filename}}"
    concurrency: {concurrency}
    to: {{success: end, failure: hold}}
"""


def fill(folder, count, size):
    data = os.urandom(size)
    for number in range(count):
        path = folder / f"d{number % 50:02}" / f"{number:06}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            file.write(number.to_bytes(8, "big"))
            file.write(data[8:])


def rates(count, size, took, cpu):
    total = count * size
    return f"{count / took:9,.0f} files/s {total / took / 1e6:8,.0f} MB/s   {took:6.2f} s, CPU {cpu:6.2f} s"


def delivery(folder, count, size):
    print(f"\nDeliveries: {count:,} files of {size:,} bytes, {CONCURRENCY} at a time, into a sink that computes each body's MD5")
    sink = Sink()
    inbox = folder / f"inbox-{size}"
    fill(inbox, count, size)
    line("the sink's own limit", rates(count, size, sink.limit(count, size), 0))
    for source in ("keep", "delete"):
        flow = folder / "bench.yaml"
        flow.write_text(DELIVERY.format(url=sink.url, inbox=inbox, source=source, concurrency=CONCURRENCY))
        state = folder / f"state-{size}-{source}"
        if source == "delete":
            line("rclone copy", rclone(folder, sink, inbox, count, size))
        peak = Peak()
        os.sync()
        took, cpu = run([SLUICE, "run", flow, "--until-idle", "--timeout", "5m", "--state", state], SECRETS, peak)
        line(f"sluice, source: {source}", rates(count, size, took, cpu))
        line("  memory at its peak", peak)
        shutil.rmtree(state)
    shutil.rmtree(inbox)
    sink.stop()


def rclone(folder, sink, inbox, count, size):
    config = folder / "rclone.conf"
    config.write_text(f"[sink]\ntype = s3\nprovider = Other\nenv_auth = false\naccess_key_id = bench\nsecret_access_key = bench-bench\nendpoint = {sink.url}\n"
                      "no_check_bucket = true\n")
    os.sync()
    took, cpu = run(["rclone", "--config", config, "copy", inbox, "sink:bench", "--transfers", CONCURRENCY, "--checkers", CONCURRENCY, "--s3-no-head",
                     "--s3-upload-cutoff", "5G", "--retries", "1"])
    return rates(count, size, took, cpu)


# ---- the daemon: start, idle, latency ------------------------------------------------------------------------

def daemon(folder):
    print("\nThe daemon with flows/media-to-store.yaml loaded")
    inbox = folder / "media"
    inbox.mkdir()
    parameters = {"inbox": str(inbox), "bucket": "bench", "endpoint": f"file://{folder}/store", "min_age": "0s"}
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "store_key_id").write_text("x"), (secrets / "store_key").write_text("x")
    config = {"parameters": {"media-to-store": parameters}, "secrets": {"dir": str(secrets)}}
    starts = []
    for _ in range(11):
        d = Daemon(folder, [ROOT / "flows" / "media-to-store.yaml"], config)
        starts.append(d.start * 1000)
        d.stop()
    line("from exec to /readyz 200 (11 starts)", f"median {statistics.median(starts):.0f} ms, most {max(starts):.0f} ms")
    d = Daemon(folder, [ROOT / "flows" / "media-to-store.yaml"], config)
    time.sleep(2)
    line("memory idle, 2 s after the start", "{:.1f} MB anonymous, {:.1f} MB RSS".format(*memory(d.process.pid)))
    for path in (ROOT / "flows" / "samples").rglob("*"):
        if path.is_file():
            shutil.copy(path, inbox / path.name)
    while any(inbox.iterdir()):
        time.sleep(0.05)
    time.sleep(1)
    line("memory idle, after the samples went through", "{:.1f} MB anonymous, {:.1f} MB RSS".format(*memory(d.process.pid)))
    d.stop()


def latency(folder, count):
    print("\nFrom a file's appearance (rename into the folder) to its PUT at the sink, one at a time")
    log = folder / "puts.log"
    sink = Sink(log)
    inbox, stage = folder / "latency", folder / "stage"
    inbox.mkdir(), stage.mkdir()
    flow = folder / "latency.yaml"
    flow.write_text(DELIVERY.format(url=sink.url, inbox=inbox, source="delete", concurrency=CONCURRENCY))
    shutil.rmtree(folder / "daemon-state", ignore_errors=True)
    d = Daemon(folder, [flow], {})
    waits = []
    for number in range(count):
        (stage / f"{number}.bin").write_bytes(os.urandom(4096))
        began = time.monotonic_ns()
        (stage / f"{number}.bin").rename(inbox / f"{number}.bin")
        while len(lines := log.read_text().splitlines()) <= number:
            time.sleep(0.001)
        waits.append((int(lines[number].split()[0]) - began) / 1e6)
        while (inbox / f"{number}.bin").exists():
            time.sleep(0.001)
    d.stop()
    sink.stop()
    waits.sort()
    line(f"{count} files", f"median {statistics.median(waits):.1f} ms, p95 {waits[int(count * 0.95)]:.1f} ms, most {waits[-1]:.1f} ms")


def journal(folder, events):
    print(f"\nThe journal alone: {events:,} events, then searches beside the writer")
    subprocess.run([BUILD / "tests" / "bench" / "bench-journal", folder / "journal", str(events)], check=True)


def main():
    parser = argparse.ArgumentParser(description="Prints what this machine measures; asserts nothing.")
    parser.add_argument("parts", nargs="*", help="hops delivery daemon latency journal length; all of them unless said")
    parser.add_argument("--flowfiles", type=int, default=500_000, help="for hops")
    parser.add_argument("--queued", type=int, nargs="+", default=[1_000_000, 10_000_000], help="for length")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; default: build/")
    arguments = parser.parse_args()
    parts = arguments.parts or ["hops", "delivery", "daemon", "latency", "journal", "length"]
    print(f"{os.cpu_count()} cores, {platform_name()}")
    with tempfile.TemporaryDirectory(dir=arguments.folder or BUILD) as name:
        folder = Path(name)
        if "hops" in parts:
            hops(folder, arguments.flowfiles)
        if "delivery" in parts:
            for count, size in ((10_000, 4096), (3_000, 262_144), (8, 134_217_728)):
                delivery(folder, count, size)
        if "daemon" in parts:
            daemon(folder)
        if "latency" in parts:
            latency(folder, 40)
        if "journal" in parts:
            journal(folder, 10_000_000)
        if "length" in parts:
            length(folder, arguments.queued, arguments.flowfiles)


def platform_name():
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    return (model[1] if model else "unknown processor") + ", " + os.uname().release


if __name__ == "__main__":
    main()
