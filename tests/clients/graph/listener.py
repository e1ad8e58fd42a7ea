"""Calls a listener by each of its three schemes, and from an address that is not on its list.

The schemes are those of "API Authentication/Authorization" of the Xponent Graph API, © 2022 CSG:
https://xponent-knowledge-base.document360.io/docs/xponent-graph-api

Run it as `listener.py [DATA/quickstart.json]`; without a file, GRAPH_URL (scheme, host and port),
GRAPH_LISTENER (its id), GRAPH_USERNAME, GRAPH_PASSWORD and GRAPH_SECRET say where and as whom, and
GRAPH_ELSEWHERE an address of this machine that the listener must refuse, if there is one.
"""

import json
import os
import sys

import requests
from requests.adapters import HTTPAdapter

NAMES = ("URL", "LISTENER", "USERNAME", "PASSWORD", "SECRET")


def place():
    """The site, the listener, and what passes there."""
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            made = json.load(file)
        graph = made["graph"]
        fields = ("listener", "username", "password", "shared_secret")
        return made["base_url"], *(graph[field] for field in fields)
    return tuple(os.environ["GRAPH_" + name] for name in NAMES)


class Elsewhere(HTTPAdapter):
    """Calls from another address of this machine."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **options):
        super().init_poolmanager(*args, source_address=(self.address, 0), **options)


site, listener, username, password, secret = place()
url = f"{site}/api/v1/listener/{listener}"
message = {"message": "hi"}


def answered(response, status=200):
    """An answer that must have this status."""
    if response.status_code != status:
        sys.exit(f"{response.status_code} {response.text}")
    return response


signed_in = requests.post(site + "/login", json={"username": username, "password": password})
token = answered(signed_in).json()["token"]
ways = {
    "Basic": {"auth": (username, password), "json": message},
    "token in the headers": {"headers": {"Authorization": "Bearer " + token}, "json": message},
    "token in a form": {"data": message | {"access_token": token}},
    "token in JSON": {"json": message | {"access_token": token}},
    "x-auth-token": {"headers": {"x-auth-token": secret}, "json": message},
}

for way, options in ways.items():
    answer = answered(requests.post(url, **options))
    assert token not in answer.text and secret not in answer.text, answer.text
    print(f"{way}: {answer.status_code}")

stranger = requests.post(url, json=message)
print(f"nothing: {answered(stranger, 401).status_code} {stranger.json()['meta']['messages'][0]}")

elsewhere = os.environ.get("GRAPH_ELSEWHERE")
if elsewhere:
    for way, options in ways.items():
        # A connection of its own for each call, as above: a refusal may end the one it came on.
        with requests.Session() as session:
            session.mount("http://", Elsewhere(elsewhere))
            answer = answered(session.post(url, **options), 403)
        print(f"{way}, from elsewhere: {answer.status_code}")
