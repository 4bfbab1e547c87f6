"""Long queues: what a queued FlowFile costs in memory, how soon a start has them all again, what a hop costs beside them."""

import json
import os
import shutil
import statistics
import time
import urllib.request

from common import HOPS, Daemon, line, memory, until

FEW = 1_000
ROUNDS = 5

WAITING = """sluice: 1
name: waiting
processors:
  make:
    type: generate-flowfile
    count: {count}
    batch: 1000
    size: 16B
    to: {{success: wait}}
  wait:
    type: update-attribute
    enabled: false
    attributes: {{seen: "yes"}}
    to: {{success: end, failure: hold}}
connections:
  make.success: {{max_objects: {room}, max_bytes: 1TB}}
"""

HOPS_EACH = 3  # of a FlowFile in common.HOPS: made, routed, updated


def status(daemon):
    token = (daemon.state / "token").read_text().strip()
    request = urllib.request.Request(f"http://127.0.0.1:{daemon.port}/api/v1/status", headers={"Authorization": f"Bearer {token}"})
    return json.load(urllib.request.urlopen(request, timeout=60))


def queued(daemon):
    return sum(item["objects"] for item in status(daemon)["connections"] if item["flow"] == "waiting")


def cpu(daemon):
    fields = open(f"/proc/{daemon.process.pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def until_at_rest(daemon):
    """What a start leaves to a worker (whose content does anybody hold?) is over. Seconds of CPU that it took."""
    began = before = cpu(daemon)
    while True:
        time.sleep(1)
        now = cpu(daemon)
        if now - before < 0.05:
            return now - began
        before = now


def fill(folder, count):
    flow = folder / "waiting.yaml"
    flow.write_text(WAITING.format(count=count, room=count + 10_000))
    daemon = Daemon(folder, [flow], {})
    began = time.monotonic()
    until(lambda: queued(daemon) >= count, f"{count:,} FlowFiles in the queue")
    took = time.monotonic() - began
    line(f"{count:,} queued", f"in {took:.1f} s")
    line("memory with them", "{:.1f} MB anonymous, {:.1f} MB RSS".format(*memory(daemon.process.pid)))
    daemon.stop()
    return flow


def recover(folder, flow, count):
    starts = []
    for _ in range(3):
        daemon = Daemon(folder, [flow], {})
        starts.append(daemon.start)
        found = queued(daemon)
        if found != count:
            raise SystemExit(f"bench: expected {count} FlowFiles after a start, found {found}")
        after = memory(daemon.process.pid)
        rest = until_at_rest(daemon)
        daemon.stop()
    line("from exec to /readyz 200, all of them queued (3 starts)", f"median {statistics.median(starts):.2f} s, most {max(starts):.2f} s")
    line("memory then; CPU of the look at whose content is held", "{:.1f} MB anonymous, {:.1f} MB RSS; {:.1f} s".format(*after, rest))


def all_went(daemon, flow, count):
    of_flow = [item for item in status(daemon)["processors"] if item["flow"] == flow]
    return all(item["total"]["out" if item["name"] == "make" else "in"] >= count for item in of_flow)


def hop_cost(folder, flow, count, turn):
    """(us of wall clock, us of CPU) a hop beside what waits."""
    hops = folder / f"hops-{turn}.yaml"
    hops.write_text(HOPS.format(name=f"hops-{turn}", count=count))
    quiet = Daemon(folder, [flow], {})
    until_at_rest(quiet)
    quiet.stop()
    daemon = Daemon(folder, [flow, hops], {})
    began, before = time.monotonic(), cpu(daemon)
    until(lambda: all_went(daemon, f"hops-{turn}", count), f"{count:,} FlowFiles to hop")
    took, used = time.monotonic() - began, cpu(daemon) - before
    daemon.stop()
    return took / count / HOPS_EACH * 1e6, used / count / HOPS_EACH * 1e6


def beside(folders, flows, names, count):
    figures = {name: [] for name in names}
    for turn in range(ROUNDS):
        for name in names:
            figures[name].append(hop_cost(folders[name], flows[name], count, turn))
    medians = {}
    for name in names:
        medians[name] = [statistics.median(values) for values in zip(*figures[name])]
        line(f"a hop beside {name} queued (median of {ROUNDS} times {count:,} FlowFiles)", "{:.2f} us, {:.2f} us of CPU".format(*medians[name]))
    few, many = (medians[name] for name in names)
    line("ratio", f"{many[0] / few[0]:.2f}, of CPU {many[1] / few[1]:.2f}")


def length(folder, counts, hop_count):
    print("\nLong queues")
    folders, flows = {}, {}
    for count in (FEW, *counts):
        name = f"{count:,}"
        folders[name] = folder / f"waiting-{count}"
        folders[name].mkdir()
        flows[name] = fill(folders[name], count)
        if count != FEW:
            recover(folders[name], flows[name], count)
    beside(folders, flows, [f"{FEW:,}", f"{counts[-1]:,}"], hop_count)
    for path in folders.values():
        shutil.rmtree(path)
