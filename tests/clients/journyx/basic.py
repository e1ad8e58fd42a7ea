"""Reads with HTTP Basic: the client "Python example of Base64 encoding".

The steps are those of the vendor's sample of that name, on
https://docs.journyx.com/docs/authentication

Run it as `basic.py [DATA/quickstart.json]`; without a file, JX_URL (the address of a GET),
JX_USERNAME and JX_PASSWORD (a password or an API key) say where and as whom.
"""

import base64
import json
import os
import sys

import requests


def place():
    """The address, the user's name and their password or key."""
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            made = json.load(file)
        journyx = made["journyx"]
        return made["base_url"] + journyx["endpoint"], journyx["username"], journyx["api_key"]
    return tuple(os.environ[name] for name in ("JX_URL", "JX_USERNAME", "JX_PASSWORD"))


url, username, password = place()
credentials = f"{username}:{password}"
encoded = base64.b64encode(credentials.encode("utf-8")).decode("utf-8")
headers = {"Authorization": f"Basic {encoded}"}

response = requests.get(url, headers=headers)
print(response.status_code)
print(response.text)
if response.status_code != 200:
    sys.exit(1)
