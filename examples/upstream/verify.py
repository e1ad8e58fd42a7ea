"""Verifies what Portcullis asserts of a request. Needs PyJWT: pip install "pyjwt[crypto]"."""

import os

import jwt

AUDIENCE = os.environ.get("PORTCULLIS_AUDIENCE", "my-api")  # the name of the guard
JWKS = os.environ.get("PORTCULLIS_JWKS", "http://127.0.0.1:8080/.well-known/jwks.json")
keys = jwt.PyJWKClient(JWKS, lifespan=300)


def verify(assertion, method, host, path):
    """The claims, if they are about this very request; else raises jwt.PyJWTError."""
    key = keys.get_signing_key_from_jwt(assertion)
    rules = {"audience": AUDIENCE, "issuer": "portcullis", "options": {"require": ["exp", "sub"]}}
    read = jwt.decode_complete(assertion, key, algorithms=["ES256"], **rules)
    claims = read["payload"]
    if read["header"].get("typ") != "portcullis+jwt":
        raise jwt.InvalidTokenError("not an assertion")
    if (claims.get("method"), claims.get("host"), claims.get("path")) != (method, host, path):
        raise jwt.InvalidTokenError("about another request")
    return claims
