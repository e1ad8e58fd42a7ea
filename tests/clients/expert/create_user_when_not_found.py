"""Makes a user on their first visit, as an integration does that signs people on.

It asks who is meant (`users/current`), and where that is nobody, has the exchange make them; then it
reads on as them, with the token of the session as cookie, quoted and bare, and as bearer token. One
signature serves all of it, in the header and in the query at once.

Run it as `create_user_when_not_found.py [DATA/quickstart.json]`; without a file, EX_BASE, EX_KEY,
EX_SECRET and EX_USER say where and for whom.
"""

import hashlib
import hmac
import json
import os
import sys
import time

import requests

NAME = "first visitor"


def place():
    """The address, the key, its secret, and the user."""
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            made = json.load(file)
        expert = made["expert"]
        return made["base_url"], expert["key"], expert["secret"], f"={NAME}"
    return tuple(os.environ[name] for name in ("EX_BASE", "EX_KEY", "EX_SECRET", "EX_USER"))


def sign(key, secret, user):
    epoch = int(time.time())
    message = f"{key}_{epoch}_{user}"
    digest = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    return f"tkn_{message}_{digest}"


def read(response):
    if response.status_code != 200:
        print(f"Error: {response.status_code} - {response.text}")
        sys.exit(1)
    return response


base, key, secret, user = place()
token = sign(key, secret, user)
api = f"{base}/@api/deki"
headers = {"X-Deki-Token": token}
json_format = {"dream.out.format": "json"}

current = read(requests.get(f"{api}/users/current", headers=headers, params=json_format)).json()
if current["@anonymous"] != "false":
    print("not found")
    found = requests.get(f"{api}/users/authenticate", headers=headers,
                         params={"x-deki-token": token})
    authtoken = read(found).text
    assert found.cookies["authtoken"].strip('"') == authtoken, "the cookie is another"
    assert found.headers["X-Deki-Session"], "no session for whoever counts visits"
    for value in (f'"{authtoken}"', authtoken):
        me = read(requests.get(f"{api}/users/current", params=json_format,
                               cookies={"authtoken": value})).json()
        print(f"cookie: {me['username']}")
    bearer = {"Authorization": f"Bearer {authtoken}"}
    me = read(requests.get(f"{api}/users/current", headers=bearer, params=json_format)).json()
    print(f"bearer: {me['username']}")
    # The jar of a session keeps the quotes.
    session = requests.Session()
    read(session.get(f"{api}/users/authenticate", headers=headers))
    me = read(session.get(f"{api}/users/current", params=json_format)).json()
    print(f"jar: {me['username']}")
current = read(requests.get(f"{api}/users/current", headers={"X-Deki-Token": sign(key, secret, user)},
                            params=json_format)).json()
print(f"found: {current['username']}, role {current['permissions.user']['role']['#text']}")
