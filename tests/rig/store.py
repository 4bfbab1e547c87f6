"""An S3 server that checks signatures: moto's, in a process of its own, with a user, a key and a policy made first."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.config

from rig.wait import until

# Requests until signatures are checked: the user, its policy, its key.
UNCHECKED = 3


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Store:
    def __init__(self, log):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = dict(os.environ, INITIAL_NO_AUTH_ACTION_COUNT=str(UNCHECKED), PYTHONWARNINGS="ignore")
        with open(log, "wb") as out:
            self.process = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
                                            env=environment, stdout=out, stderr=out)
        try:
            until(self.answers, 60)
            self.key_id, self.secret = self.make_user()
        except BaseException:
            self.stop()
            raise
        self.s3 = self.client(self.secret)

    def answers(self):
        try:
            urllib.request.urlopen(self.url + "/moto-api/", timeout=5).close()
            return True
        except (urllib.error.URLError, OSError):
            assert self.process.poll() is None, "moto did not start"
            return False

    def make_user(self):
        iam = boto3.client("iam", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.create_user(UserName="sluice")
        iam.put_user_policy(UserName="sluice", PolicyName="all", PolicyDocument=json.dumps(everything))
        key = iam.create_access_key(UserName="sluice")["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def client(self, secret):
        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=self.key_id, aws_secret_access_key=secret,
                            config=botocore.config.Config(max_pool_connections=8, retries={"max_attempts": 1}))

    def keys(self, bucket):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def read(self, bucket, key):
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def hashes(self, bucket):
        """Key to SHA-256 of every object, read back."""
        keys = self.keys(bucket)
        with ThreadPoolExecutor(4) as pool:
            return dict(zip(keys, pool.map(lambda key: hashlib.sha256(self.read(bucket, key)).hexdigest(), keys)))

    def stop(self):
        self.process.kill()
        self.process.wait()
