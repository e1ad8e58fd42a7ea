"""Makes, renames and deletes an organization: the client "Create and delete an organization".

The calls are those of the vendor's sample of that name, on
https://kitewheel.atlassian.net/wiki/spaces/K2/pages/517308681/Journey+Hub+API
which speaks https alone: every body is JSON, `parentId` is a text, and the token stands in
`Authorization` as it is.

KW_HUB (host and port), KW_USERID and KW_SECRET say where and as whom.
"""

import hashlib
import os
import sys
import uuid

import requests

names = ("KW_HUB", "KW_USERID", "KW_SECRET")
if any(os.environ.get(name) is None for name in names):
    print("Set KW_HUB, KW_USERID and KW_SECRET first.")
    sys.exit(1)
hub, user, secret = (os.environ[name] for name in names)
url = "https://{}/api/v1/".format(hub)


def hash_secret(secret, nonce):
    return hashlib.sha256((secret + nonce).encode("utf-8")).hexdigest()


def checked(response):
    """An answer that must be a success."""
    if response.status_code != 200:
        raise Exception(response.text)
    return response


def first(response, key):
    return checked(response).json()[key][0]


def fresh(kind):
    return kind + "-" + str(uuid.uuid1())[:5]


nonce = str(uuid.uuid1())
credentials = {"userId": user, "nonce": nonce, "hash": hash_secret(secret, nonce)}
content = {"Content-Type": "application/json"}
token = first(requests.post(url + "token", headers=content, json=credentials), "tokens")["token"]
headers = {"Authorization": token}

wanted = {"name": fresh("neworg"), "parentId": "1"}
made = first(requests.post(url + "org", headers=headers, json=wanted), "organizations")
print(f"Created {made['name']} {made['id']}")

wanted = {"name": fresh("changed")}
renamed = requests.put(url + "org/" + made["id"], headers=headers, json=wanted)
renamed = first(renamed, "organizations")
print(f"Renamed {made['name']} to {renamed['name']} ({renamed['id']})")

checked(requests.delete(url + "org/" + renamed["id"], headers=headers))
print(f"Deleted {renamed['name']} ({renamed['id']})")
