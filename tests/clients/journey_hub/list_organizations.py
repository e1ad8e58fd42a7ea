"""Lists the organizations, and makes, renames and deletes one: the client "List the organisations".

The calls are those of the vendor's sample of that name, on
https://kitewheel.atlassian.net/wiki/spaces/K2/pages/517308681/Journey+Hub+API
with what Python 3 demands of it: every body is a form, `parentId` is a number, and the token
stands in `Authorization` as it is.

Run it as `list_organizations.py [DATA/quickstart.json]`; without a file, HUB_URL (it ends with
`/api/v1/`), HUB_USER_ID and HUB_SECRET say where and as whom.
"""

import hashlib
import json
import os
import sys
import uuid

import requests


def place():
    """The hub's address, the user's id and their secret."""
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            hub = json.load(file)["journey_hub"]
        return hub["url"], hub["user_id"], hub["secret"]
    return tuple(os.environ[name] for name in ("HUB_URL", "HUB_USER_ID", "HUB_SECRET"))


def hash_secret(secret, nonce):
    return hashlib.sha256((secret + nonce).encode("utf-8")).hexdigest()


def answered(response, key):
    """What stands under `key` of an answer that must be a success."""
    if response.status_code != 200:
        raise Exception(response.text)
    return response.json()[key]


def fresh(kind):
    return kind + "-" + str(uuid.uuid1())[:5]


url, user, secret = place()
nonce = str(uuid.uuid1())
credentials = {"userId": user, "nonce": nonce, "hash": hash_secret(secret, nonce)}
token = answered(requests.post(url + "token", data=credentials), "tokens")[0]["token"]
headers = {"Authorization": token}

organizations = answered(requests.get(url + "org", headers=headers), "organizations")
row = "%(name)20s\t%(id)20s\t%(parentId)20s"
print("\nList of organizations:\n")
print(row % {"name": "Organization name", "id": "Id", "parentId": "ParentId"})
for organization in sorted(organizations, key=lambda it: it["id"]):
    print(row % organization)

wanted = {"name": fresh("neworg"), "parentId": 1}
made = answered(requests.post(url + "org", headers=headers, data=wanted), "organizations")[0]
print("\nCreated %(name)s (%(id)s)" % made)

wanted = {"name": fresh("changed")}
renamed = requests.put(url + "org/" + made["id"], headers=headers, data=wanted)
renamed = answered(renamed, "organizations")[0]
print("\nRenamed %s to %s (%s)\n" % (made["name"], renamed["name"], renamed["id"]))

# The sample reads nothing of the last answer but its status.
gone = requests.delete(url + "org/" + renamed["id"], headers=headers)
if gone.status_code != 200:
    raise Exception(gone.text)
print("Deleted %(name)s (%(id)s)" % renamed)
