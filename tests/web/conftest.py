"""One browser, and one daemon with everything to look at: the media flow into a folder, a flow whose store refuses (so
that a processor is paused and something is held), and a flow that is wrong."""

import shutil

import pytest
from rig import files, flows
from rig.browser import Browser
from rig.daemon import ROOT, Daemon
from rig.wait import until

MARKUP = "<img src=x onerror=alert(1)>.bad"
BROKEN = """sluice: 1
name: broken
processors:
  pickup:
    type: get-fil
    directory: /nowhere
    source: keep
    to: {success: end}
"""


def refused(inbox, folder, url):
    """Two stores: one that knows no such secret, one that takes no such key."""
    return f"""sluice: 1
name: refused
description: Its stores refuse, each in its way <b>really</b>.
services:
  server:
    type: s3
    endpoint: {url}
    access_key_id: {{secret: key_id}}
    secret_access_key: {{secret: key}}
  folder: {{type: s3, endpoint: "file://{folder}"}}
processors:
  pickup:
    type: get-file
    directory: {inbox}
    source: delete
    min_age: 0s
    batch: 1
    schedule: 100ms
    to: {{success: by-kind}}
  by-kind:
    type: route-on-attribute
    routes:
      bad: "${{filename:endsWith('.bad')}}"
    to: {{bad: upload-bad, unmatched: upload}}
  upload:
    type: put-s3
    service: server
    bucket: any
    key: "${{filename}}"
{flows.QUICK_RETRY}    to: {{success: end, failure: hold}}
  upload-bad:
    type: put-s3
    service: folder
    bucket: "bad"
    key: "../${{filename}}"
    to: {{success: end, failure: hold}}
connections:
  by-kind.unmatched: {{max_objects: 5}}
"""


class Scene:
    """The daemon, its folders, and the browser with the dashboard open."""

    def __init__(self, folder, browser, store):
        self.browser = browser
        self.media, self.refused, self.bucket = folder / "media", folder / "refused", folder / "store"
        for made in (self.media, self.refused):
            made.mkdir()
        self.daemon = Daemon(folder / "daemon", (ROOT / "flows" / "media-to-store.yaml").read_text(),
                             parameters={"inbox": str(self.media), "min_age": "0s", "endpoint": f"file://{self.bucket}", "bucket": "media"},
                             secrets={"store_key_id": "unused", "store_key": "unused", "key_id": store.key_id, "key": "wrong" * 8})
        others = {"refused": refused(self.refused, self.bucket, store.url), "broken": BROKEN}
        self.arguments = []
        for name, text in others.items():
            path = folder / f"{name}.yaml"
            path.write_text(text)
            self.arguments += ["--flow", path]
        self.start()

    def start(self):
        self.daemon.start(*self.arguments)

    def open(self, page=""):
        """The page behind the link with the token; a page of the session's own where there is one already."""
        self.browser.go("about:blank")
        self.browser.go(f"{self.daemon.url}/#token={self.daemon.token}")
        self.browser.shows("#link", "Live")
        if page:
            self.show(page)
        return self.browser

    def show(self, page):
        self.browser.run("location.hash = arguments[0]", page)

    def queue(self, flow, name):
        return next(item for item in self.daemon.status()["connections"] if item["flow"] == flow and item["id"] == name)

    def copy_samples(self):
        shutil.copytree(ROOT / "flows" / "samples", self.media, dirs_exist_ok=True)

    def refuse(self):
        """Three that the folder refuses; then, because a full queue holds back the way to the other, eight that the server does."""
        for name in ("a.bad", "b.bad", MARKUP):
            (self.refused / name).write_text("no store takes this key")
        until(lambda: self.queue("refused", "upload-bad.failure.hold")["objects"] == 3, 30, self.daemon.tail)
        for number in range(8):
            (self.refused / f"report-{number}.txt").write_text(f"report {number}\n" * 1000)
        until(lambda: self.queue("refused", "by-kind.unmatched.upload")["back_pressure"], 30, self.daemon.tail)
        until(lambda: any(item["state"] == "paused" for item in self.daemon.status()["processors"]), 30, self.daemon.tail)


@pytest.fixture(scope="session")
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def scene(tmp_path_factory, browser, store):
    scene = Scene(tmp_path_factory.mktemp("scene"), browser, store)
    scene.copy_samples()
    scene.refuse()
    # A file in its place is not yet an event.
    until(lambda: len(scene.daemon.events(type="DROP", flow="media-to-store")) == len(files.left_in(ROOT / "flows" / "samples")), 60, scene.daemon.tail)
    yield scene
    browser.go("about:blank")
    scene.daemon.done()
