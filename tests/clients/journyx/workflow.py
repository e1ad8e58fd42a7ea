"""Signs in with a cookie, reads, makes a key if it may, and signs out: the "Example Workflow".

The requests are those of the vendor's page, with its three headers on each POST:
https://docs.journyx.com/docs/authentication

Run it as `workflow.py [DATA/quickstart.json]`; without a file, JX_BASE (scheme, host and port),
JX_USERNAME and JX_PASSWORD (a password or an API key) say where and as whom.
"""

import json
import os
import sys
from urllib.parse import urlsplit

import requests


def place():
    """The site, the user's name and their password or key."""
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            made = json.load(file)
        journyx = made["journyx"]
        return made["base_url"], journyx["username"], journyx["api_key"]
    return tuple(os.environ[name] for name in ("JX_BASE", "JX_USERNAME", "JX_PASSWORD"))


def answered(response):
    """The body of an answer that must be a success."""
    if response.status_code != 200:
        sys.exit(f"{response.status_code} {response.text}")
    body = response.json()
    assert body["success"] is True, body
    return body


base, username, password = place()
required = {
    "Origin": urlsplit(base).netloc,
    "Accept": "application/json",
    "X-Requested-With": "XMLHttpRequest",
}

session = requests.Session()
credentials = {"username": username, "password": password}
signed_in = session.post(base + "/api/v1/login", json=credentials, headers=required)
auth = answered(signed_in)["auth"]
token = signed_in.headers["X-Session-Id"]
assert session.cookies["wtsession"] == token
assert token not in signed_in.text
epoch, date, seconds = signed_in.headers["X-Session-Expires"].split(", ")
assert abs(float(epoch) - auth["expires"]) < 0.01, epoch
print("Signed in as", auth["username"], "for", auth["expiresSeconds"], "seconds")

# The cookie comes along by itself, and no other header is needed to read.
for project in answered(session.get(base + "/api/v1/projects"))["results"]:
    print("Project", project["pname"])

wanted = {"pname": "made by a script", "read_only": True, "expires_days": 1}
generate = base + "/api/v1/api_keys/generate_api_key"
made = session.post(generate, json=wanted, headers=required)
if made.status_code == 403:
    print("May not make a key")
else:
    key = answered(made)["results"]
    print("Made a key for", key["expires_days"], "day")
    own = f"{base}/api/v1/api_keys/{key['id_api_key']}"
    assert answered(session.get(own))["results"]["display_key"] == key["display_key"]
    assert requests.get(base + "/api/v1/projects", auth=(username, key["display_key"])).ok
    answered(session.delete(own, headers=required))
    print("Deleted it")

answered(session.post(base + "/api/v1/logout", headers=required))
after = requests.get(base + "/api/v1/projects", cookies={"wtsession": token})
again = requests.post(
    base + "/api/v1/logout", headers=required, cookies={"wtsession": token}
)
print("Signed out:", after.status_code, again.status_code)
