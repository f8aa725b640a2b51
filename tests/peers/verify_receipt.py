"""An independent reader of receipts: PyJWT for the signature, and a canonical form (RFC 8785) of its own.

Usage: verify_receipt.py < {"jws": JWS, "keys": JWK set, "referral": the record as a side reads it, "issuer": URL}
Writes the claims to standard output; fails where the signature, the type or the hash is wrong.
"""

import base64
import hashlib
import json
import sys

import jwt

MINE = {"ensure_ascii": False, "sort_keys": True, "separators": (",", ":")}


def main():
    given = json.load(sys.stdin)
    header = jwt.get_unverified_header(given["jws"])
    assert (header["typ"], header["alg"]) == ("referral-receipt+jwt", "ES256"), header
    keys = jwt.PyJWKSet.from_dict(given["keys"])
    claims = jwt.decode(
        given["jws"], keys[header["kid"]].key, algorithms=["ES256"], issuer=given["issuer"],
        options={"require": ["iss", "iat", "jti", "sub"]},
    )
    content, referral = claims["content"], given["referral"]
    assert (content["alg"], content["canonical"]) == ("SHA-256", "RFC 8785"), content
    # Names are ASCII and numbers integers: then Python's sorted form is the canonical one.
    form = json.dumps({name: referral[name] for name in content["members"]}, **MINE)
    digest = base64.urlsafe_b64encode(hashlib.sha256(form.encode()).digest()).rstrip(b"=").decode()
    assert digest == content["value"], "the content is not the one that was signed"
    assert claims["sub"] == referral["id"], claims
    print(json.dumps(claims))


if __name__ == "__main__":
    main()
