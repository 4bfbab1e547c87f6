#!/usr/bin/env python3
"""The second half of ./demo: runs the built daemon on a copy of the samples. Needs Python's standard library alone; it
reads the stored objects back by itself, with a signature of its own making, and compares their SHA-256."""

import datetime
import hashlib
import hmac
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("SLUICE_BUILD", ROOT / "build"))
FOLDER = BUILD / "demo"
SLUICE, SLUICED = (str(BUILD / "daemon" / name) for name in ("sluice", "sluiced"))
SAMPLES = ROOT / "flows" / "samples"
HTTP = os.environ.get("SLUICE_DEMO_HTTP", "127.0.0.1:8470")
BUCKET = os.environ.get("SLUICE_S3_BUCKET") or "sluice-demo"
ENDPOINT = (os.environ.get("SLUICE_S3_ENDPOINT") or f"file://{urllib.parse.quote(str(FOLDER / 'store'))}").rstrip("/")
GIVE_UP = 300


def fail(text):
    sys.exit(f"demo: {text}")


# ---- the store, read without any code of the daemon's -----------------------------------------------------

class Server:
    """An S3 server: just enough of Signature Version 4 to make a bucket and to read an object."""

    def __init__(self):
        self.key, self.secret = os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", "")
        if not self.key or not self.secret:
            fail("SLUICE_S3_ENDPOINT is set: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY too")
        self.token = os.environ.get("AWS_SESSION_TOKEN", "")
        self.region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or self.region_of_host()

    @staticmethod
    def region_of_host():
        parts = urllib.parse.urlsplit(ENDPOINT).netloc.split(".")
        return parts[1] if len(parts) > 3 and parts[0] == "s3" else "us-east-1"

    def request(self, method, url, body=b""):
        parts = urllib.parse.urlsplit(url)
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        digest = hashlib.sha256(body).hexdigest()
        headers = {"host": parts.netloc, "x-amz-content-sha256": digest, "x-amz-date": stamp}
        if self.token:
            headers["x-amz-security-token"] = self.token
        names = ";".join(sorted(headers))
        canonical = "\n".join([method, parts.path, "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, digest])
        scope = f"{day}/{self.region}/s3/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret).encode()
        for word in (day, self.region, "s3", "aws4_request"):
            key = hmac.digest(key, word.encode(), "sha256")
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, SignedHeaders={names}, Signature={signature}"
        del headers["host"]
        with urllib.request.urlopen(urllib.request.Request(url, body or None, headers, method=method), timeout=60) as reply:
            return reply.read()

    def make_bucket(self):
        try:
            self.request("HEAD", f"{ENDPOINT}/{BUCKET}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                fail(f"the bucket {BUCKET} cannot be looked at: {error.code} {error.reason}; are the key and the region ({self.region}) right?")
            self.request("PUT", f"{ENDPOINT}/{BUCKET}")
        except OSError as error:
            fail(f"{ENDPOINT} does not answer: {error}")

    def read(self, url):
        return self.request("GET", url)


class Folder:
    def make_bucket(self):
        pass

    def read(self, url):
        return Path(urllib.parse.unquote(urllib.parse.urlsplit(url).path)).read_bytes()


# ---- the daemon ---------------------------------------------------------------------------------------------

def prepare():
    if FOLDER.exists():
        shutil.rmtree(FOLDER)
    for name in ("inbox", "store", "state", "secrets"):
        (FOLDER / name).mkdir(parents=True, mode=0o700)
    flow = (ROOT / "flows" / "media-to-store.yaml").read_text()
    given = {"store_key_id": os.environ.get("AWS_ACCESS_KEY_ID") or "none", "store_key": os.environ.get("AWS_SECRET_ACCESS_KEY") or "none"}
    if os.environ.get("AWS_SESSION_TOKEN"):
        line = "    secret_access_key: {secret: store_key}\n"
        flow = flow.replace(line, line + "    session_token: {secret: store_token}\n")
        given["store_token"] = os.environ["AWS_SESSION_TOKEN"]
    for name, value in given.items():
        path = FOLDER / "secrets" / name
        path.touch(mode=0o600)
        path.write_text(value)
    (FOLDER / "media-to-store.yaml").write_text(flow)
    parameters = {"inbox": str(FOLDER / "inbox"), "min_age": "0s", "endpoint": ENDPOINT, "bucket": BUCKET,
                  "region": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""}
    # JSON is YAML.
    (FOLDER / "sluiced.yaml").write_text(json.dumps({"parameters": {"media-to-store": parameters}, "secrets": {"dir": str(FOLDER / "secrets")}}))


class Daemon:
    def __init__(self):
        self.log = FOLDER / "sluiced.log"
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen([SLUICED, "--config", FOLDER / "sluiced.yaml", "--flow", FOLDER / "media-to-store.yaml",
                                             "--state", FOLDER / "state", "--http", HTTP], stdout=out, stderr=out)
        self.url = f"http://{HTTP}"
        self.environment = dict(os.environ, SLUICE_URL=self.url, SLUICE_TOKEN_FILE=str(FOLDER / "state" / "token"))
        self.wait(self.ready, 30, "the daemon is not ready")

    def wait(self, what, seconds, otherwise):
        end = time.monotonic() + seconds
        while not what():
            if self.process.poll() is not None:
                fail(f"sluiced ended with {self.process.returncode}:\n{self.log.read_text(errors='replace')}")
            if time.monotonic() > end:
                self.stop()
                fail(f"{otherwise}:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.05)

    def ready(self):
        try:
            return urllib.request.urlopen(self.url + "/readyz", timeout=5).status == 200
        except OSError:
            return False

    def ask(self, *arguments):
        return subprocess.run([SLUICE, *arguments], env=self.environment, capture_output=True, text=True, check=True, timeout=60).stdout

    def json(self, *arguments):
        return json.loads(self.ask(*arguments, "--json"))

    def sends(self):
        return self.json("provenance", "--type", "SEND", "--limit", "1000")["events"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def delivered(daemon, count):
    for processor in daemon.json("status")["processors"]:
        if processor["state"] == "paused":
            reason = processor["last_error"]["message"]
            daemon.stop()
            fail(f"{processor['name']} is paused: {reason}")
    return len(daemon.sends()) >= count and not any(path.is_file() for path in (FOLDER / "inbox").rglob("*"))


def report(daemon, store, sums):
    """Where each went, and whether its bytes are those of the sample."""
    wrong = 0
    print(f"\nEvery file, where it is now, and whether its bytes there have the sample's SHA-256 (store: {ENDPOINT})\n")
    for event in sorted(daemon.sends(), key=lambda event: event["attributes"]["path"] + event["attributes"]["filename"]):
        name = event["attributes"]["path"] + event["attributes"]["filename"]
        found = hashlib.sha256(store.read(event["transit_uri"])).hexdigest()
        same = sums.pop(name, None) == found
        wrong += not same
        print(f"  {name:28} {found[:12]}  {'same' if same else 'DIFFERENT'}  {event['transit_uri']}")
    for name in sums:
        wrong += 1
        print(f"  {name:28} NOT DELIVERED")
    return wrong


def show_one(daemon, name):
    print(f"\nWhat the record says of {name}: sluice provenance --filename {name}\n")
    print(daemon.ask("provenance", "--filename", name))


def show_lines(daemon):
    token = (FOLDER / "state" / "token").read_text().strip()
    print(f"Dashboard: {daemon.url}/#token={token}\n\nTo look further, paste:\n")
    print(f"  export SLUICE_URL={daemon.url} SLUICE_TOKEN_FILE={FOLDER}/state/token PATH={BUILD}/daemon:$PATH")
    for line in ("status", "provenance --type SEND", "provenance --filename rings.mp4 --json", "queue list upload.failure.hold", "describe put-s3"):
        print(f"  sluice {line}")
    print(f"  cp SOMETHING {FOLDER}/inbox/      # goes the same way\n")


def main():
    leave = "--exit" in sys.argv[1:]
    store = Server() if ENDPOINT.startswith("http") else Folder()
    prepare()
    store.make_bucket()
    sums = {str(path.relative_to(SAMPLES)): hashlib.sha256(path.read_bytes()).hexdigest() for path in SAMPLES.rglob("*") if path.is_file()}
    daemon = Daemon()
    try:
        show_lines(daemon)
        stage = FOLDER / f"stage-{secrets.token_hex(4)}"
        shutil.copytree(SAMPLES, stage)
        for folder in stage.iterdir():
            folder.rename(FOLDER / "inbox" / folder.name)
        stage.rmdir()
        daemon.wait(lambda: delivered(daemon, len(sums)), GIVE_UP, "not everything was delivered")
        count = len(sums)
        wrong = report(daemon, store, sums)
        show_one(daemon, "sunset.jpg")
        print(f"{count - wrong} of {count} files are in the store with the right bytes." if not wrong else f"{wrong} of {count} files are NOT right.")
        if leave:
            code = daemon.stop()
            sys.exit(1 if wrong or code else 0)
        show_lines(daemon)
        print("The daemon runs until Ctrl-C.")
        daemon.process.wait()
    except KeyboardInterrupt:
        sys.exit(daemon.stop())
    finally:
        if daemon.process.poll() is None:
            daemon.stop()


if __name__ == "__main__":
    main()
