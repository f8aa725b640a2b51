"""An independent client: signs an assertion with PyJWT, takes a token, verifies it against the published keys.

Usage: private_key_jwt.py make ALG             writes {"private": PEM, "jwk": JWK} to standard output
       private_key_jwt.py use BASE ISSUER CLIENT_ID ALG < PEM
"""

import json
import sys
import time
import urllib.parse
import urllib.request
import uuid

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

KEYS = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "PS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=3072),
}


def make(alg):
    private = KEYS[alg]()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    jwk = get_default_algorithms()[alg].to_jwk(private.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    print(json.dumps({"private": pem.decode(), "jwk": dict(jwk, kid="peer-1")}))


def get(url, data=None, headers=None):
    with urllib.request.urlopen(urllib.request.Request(url, data, headers or {}), timeout=20) as answer:
        return json.load(answer)


def use(base, issuer, client_id, alg):
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": issuer, "iat": now, "exp": now + 60, "jti": str(uuid.uuid4())}
    headers = {"kid": "peer-1", "typ": "client-authentication+jwt"}
    assertion = jwt.encode(claims, sys.stdin.read(), algorithm=alg, headers=headers)
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
        "scope": "cases:read",
    }
    token = get(base + "/oauth/token", urllib.parse.urlencode(form).encode())["access_token"]
    metadata = get(base + "/.well-known/oauth-authorization-server")
    assert metadata["issuer"] == issuer, metadata
    keys = jwt.PyJWKSet.from_dict(get(base + "/.well-known/jwks.json"))
    header = jwt.get_unverified_header(token)
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256"), header
    required = ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"]
    seen = jwt.decode(
        token, keys[header["kid"]].key, algorithms=["ES256"], audience=issuer, issuer=issuer,
        options={"require": required},
    )
    assert seen["client_id"] == seen["sub"] == client_id, seen
    page = get(base + "/v1/cases", headers={"Authorization": "Bearer " + token})
    assert page == {"items": [], "next_cursor": None}, page


if __name__ == "__main__":
    {"make": make, "use": use}[sys.argv[1]](*sys.argv[2:])
