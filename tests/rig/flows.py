"""The flows of the scenarios, short."""


def s3(url, region=None):
    region = f"\n    region: {region}" if region else ""
    return f"""services:
  store:
    type: s3
    endpoint: {url}{region}
    access_key_id: {{secret: key_id}}
    secret_access_key: {{secret: key}}
"""


def secrets(store):
    return {"key_id": store.key_id, "key": store.secret}


def delivery(inbox, url, bucket, name="delivery", source="delete", key="${path}${filename}", upload="", retry="", connections="", concurrency=8, pickup=""):
    """Files, routed by their kind, into a bucket."""
    return f"""sluice: 1
name: {name}
{s3(url)}processors:
  pickup:
    type: get-file
    directory: {inbox}
    source: {source}
    min_age: 0s
    schedule: 100ms
{pickup}    to: {{success: by-kind}}
  by-kind:
    type: route-on-attribute
    routes:
      image: "${{filename:endsWith('.jpg')}}"
      note: "${{filename:endsWith('.json')}}"
    to: {{image: upload, note: upload, unmatched: upload}}
  upload:
    type: put-s3
    service: store
    bucket: {bucket}
    key: "{key}"
    concurrency: {concurrency}
{upload}{retry or QUICK_RETRY}    to: {{success: end, failure: hold}}
{connections}"""


# The default begins with a second and goes to ten minutes, which no test wants to wait for.
QUICK_RETRY = "    retry: {failure: {transient: forever, permanent: 0, backoff: 50ms, max_backoff: 500ms}}\n"


def copy(inbox, target, name="copy", source="delete", conflict="fail", extra="", connections=""):
    """Files from one folder to another; needs no store."""
    return f"""sluice: 1
name: {name}
processors:
  pickup:
    type: get-file
    directory: {inbox}
    source: {source}
    min_age: 0s
    schedule: 100ms
{extra}    to: {{success: park}}
  park:
    type: put-file
    directory: "{target}/${{path}}"
    conflict: {conflict}
    to: {{success: end, failure: hold}}
{connections}"""
