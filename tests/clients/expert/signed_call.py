"""Calls with a signature: the vendor's sample in Python 3.

The steps are those of the sample of that name, on
https://expert-help.nice.com/Integrations_and_Extending_Content/API/Authorization_Tokens/Use_a_Server_API_Token_With_an_Integration
but for `verify=False`, which nobody should copy.

Run it as `signed_call.py [DATA/quickstart.json]`; without a file, EX_BASE (scheme, host and port),
EX_KEY, EX_SECRET and EX_USER (a number, or `=` and a login name) say where and on whose behalf.
"""

import hashlib
import hmac
import json
import os
import sys
import time

import requests


def place():
    """The address, the key, its secret, and the user."""
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            made = json.load(file)
        expert = made["expert"]
        return made["base_url"], expert["key"], expert["secret"], expert["user"]
    return tuple(os.environ[name] for name in ("EX_BASE", "EX_KEY", "EX_SECRET", "EX_USER"))


base, key, secret, user = place()

# hash time, key, user with secret
epoch = str(int(time.time()))
message_bytes = f'{key}_{epoch}_{user}'.encode('utf-8')
secret_bytes = secret.encode('utf-8')
hash = hmac.new(secret_bytes, message_bytes, digestmod=hashlib.sha256).hexdigest().lower()
token = f'tkn_{key}_{epoch}_{user}_{hash}'

# send signature as X-Deki-Token HTTP header to MindTouch API (Python Requests is used)
headers = {
   'X-Deki-Token': token,
}
response = requests.get(f'{base}/@api/deki/pages/home/info', headers=headers)

# Handling the response
if response.status_code == 200:
    # Success
    print(response.text)
else:
    # Error
    print(f"Error: {response.status_code} - {response.text}")
    sys.exit(1)
