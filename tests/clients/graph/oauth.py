"""Gets tokens by client credentials with Authlib and with requests-oauthlib, and uses and ends them.

What it does is in no sample of the vendor's: its page names OAuth and RFC 6750, and this is how
programs that speak OAuth 2.0 ask for a token (RFC 6749, section 4.4).

Run it as `oauth.py [DATA/quickstart.json]`; without a file, GRAPH_URL (scheme, host and port),
GRAPH_LISTENER (its id), GRAPH_USERNAME and GRAPH_PASSWORD (a password or an API key) say where and as
whom.
"""

import json
import os
import sys

# Both libraries insist on https unless they are told that this is a trial.
os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")
os.environ.setdefault("OAUTHLIB_INSECURE_TRANSPORT", "1")

import authlib.integrations.requests_client as authlib
import requests
import requests_oauthlib
from authlib.integrations.base_client.errors import OAuthError
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error

NAMES = ("URL", "LISTENER", "USERNAME", "PASSWORD")


def place():
    """The site, the listener, and the client's id and secret."""
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="utf-8") as file:
            made = json.load(file)
        graph = made["graph"]
        return made["base_url"], *(graph[name.lower()] for name in NAMES[1:])
    return tuple(os.environ["GRAPH_" + name] for name in NAMES)


site, listener, username, password = place()
url = f"{site}/api/v1/listener/{listener}"

metadata = requests.get(site + "/.well-known/oauth-authorization-server").json()
# Authlib takes an empty list for a missing one; with no authorization endpoint there is no other.
assert metadata["response_types_supported"] == [], metadata
AuthorizationServerMetadata(metadata | {"response_types_supported": ["none"]}).validate()
assert metadata["issuer"] == site, metadata
print("Metadata:", ", ".join(metadata["grant_types_supported"]))


def status(session):
    """How the listener answers."""
    return session.post(url, json={"message": "hi"}).status_code


def with_authlib(method):
    """Everything with Authlib, where the client proves itself by `method`."""
    session = authlib.OAuth2Session(
        username, password, scope=listener, token_endpoint_auth_method=method
    )

    def fetch():
        token = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
        assert token["token_type"] == "Bearer" and token["scope"] == listener, token["scope"]
        return token["access_token"]

    def introspect(token):
        answer = session.introspect_token(metadata["introspection_endpoint"], token=token)
        assert answer.status_code == 200, answer.text
        return answer.json()

    first = fetch()
    assert status(session) == 200
    # There is no refresh token: whoever needs another asks again.
    second = fetch()
    assert second != first and status(session) == 200
    told = introspect(first)
    assert told["active"] and told["aud"] == [listener] and told["username"] == username, told
    hint = {"token": first, "token_type_hint": "access_token"}
    assert session.revoke_token(metadata["revocation_endpoint"], **hint).status_code == 200
    assert introspect(first) == {"active": False}
    assert introspect(second)["active"] and status(session) == 200
    session.token = {"access_token": first, "token_type": "Bearer"}
    return status(session)


def with_oauthlib(**options):
    """Everything with requests-oauthlib, where the client proves itself as `options` say."""
    session = requests_oauthlib.OAuth2Session(client=BackendApplicationClient(username))

    def fetch():
        token = session.fetch_token(metadata["token_endpoint"], client_secret=password, **options)
        return token["access_token"]

    def ask(endpoint, token):
        data, auth = {"token": token}, (username, password)
        answer = requests.post(metadata[endpoint], data=data, auth=auth)
        assert answer.status_code == 200, answer.text
        return answer.json()

    first = fetch()
    assert status(session) == 200
    second = fetch()
    assert second != first and status(session) == 200
    assert ask("introspection_endpoint", first)["active"]
    ask("revocation_endpoint", first)
    assert ask("introspection_endpoint", first) == {"active": False}
    assert status(session) == 200
    session.token = {"access_token": first, "token_type": "Bearer"}
    return status(session)


try:
    for method in ("client_secret_basic", "client_secret_post"):
        print(f"Authlib, {method}: revoked {with_authlib(method)}")
    print(f"requests-oauthlib, Basic: revoked {with_oauthlib()}")
    print(f"requests-oauthlib, form: revoked {with_oauthlib(include_client_id=True, auth=None)}")
except (OAuthError, OAuth2Error) as error:
    sys.exit(f"{error.error}: {error.description}")
