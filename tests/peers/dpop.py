"""An independent holder of a key: makes proofs of possession (RFC 9449) with PyJWT and computes thumbprints by itself.

Usage: dpop.py BASE ISSUER CLIENT_ID SECRET ALG
"""

import base64
import hashlib
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import jwt
from jwt.algorithms import get_default_algorithms
from private_key_jwt import KEYS

MEMBERS = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def send(method, url, headers, data=None):
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read()


def main(base, issuer, client_id, secret, alg):
    private = KEYS[alg]()
    public = get_default_algorithms()[alg].to_jwk(private.public_key(), as_dict=True)
    jwk = {name: public[name] for name in MEMBERS[public["kty"]]}
    # RFC 7638: the required members in order, without spaces.
    thumbprint = b64(hashlib.sha256(json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()).digest())

    def proof(method, path, **more):
        claims = dict(jti=str(uuid.uuid4()), htm=method, htu=issuer + path, iat=int(time.time()), **more)
        return jwt.encode(claims, private, algorithm=alg, headers={"typ": "dpop+jwt", "jwk": jwk})

    basic = "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    form = urllib.parse.urlencode({"grant_type": "client_credentials"}).encode()
    headers = {"Authorization": basic, "Content-Type": "application/x-www-form-urlencoded"}
    status, _, body = send("POST", base + "/oauth/token", dict(headers, DPoP=proof("POST", "/oauth/token")), form)
    answer = json.loads(body)
    assert status == 200 and answer["token_type"] == "DPoP", answer
    token = answer["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["cnf"] == {"jkt": thumbprint}
    ath = b64(hashlib.sha256(token.encode()).digest())
    bound = {"Authorization": "DPoP " + token}
    status, _, body = send("GET", base + "/v1/cases?limit=2", dict(bound, DPoP=proof("GET", "/v1/cases", ath=ath)))
    assert status == 200 and json.loads(body)["items"] == [], body
    status, headers, body = send("GET", base + "/v1/cases", {"Authorization": "Bearer " + token})
    assert status == 401 and headers["WWW-Authenticate"].startswith("DPoP algs="), (status, headers)
    status, _, body = send("GET", base + "/v1/cases", dict(bound, DPoP=proof("GET", "/v1/referrals", ath=ath)))
    assert status == 401 and json.loads(body)["code"] == "invalid_dpop_proof", body


if __name__ == "__main__":
    main(*sys.argv[1:])
