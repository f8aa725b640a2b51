"""An independent receiver: verifies messages with the reference library of Standard Webhooks, and v1a with cryptography.

Usage: verify_webhook.py KEY...   < JSON lines {"headers": {...}, "body": "..."}
Every message must verify under every KEY (whsec_… or whpk_…), and no longer once a byte of it is changed.
"""

import base64
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def symmetric(key, headers, body):
    Webhook(key).verify(body, headers)


def asymmetric(key, headers, body):
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.removeprefix("whpk_")))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    for part in headers["webhook-signature"].split(" "):
        version, signature = part.split(",", 1)
        if version == "v1a":
            try:
                public.verify(base64.b64decode(signature), signed)
                return
            except InvalidSignature:
                pass
    raise InvalidSignature()


def main():
    messages = [json.loads(line) for line in sys.stdin if line.strip()]
    assert messages, "no message"
    for message in messages:
        for key in sys.argv[1:]:
            verify = symmetric if key.startswith("whsec_") else asymmetric
            headers, body = message["headers"], message["body"]
            verify(key, headers, body)
            for bad in (
                (headers, body.replace('"type"', '"typo"')),
                ({**headers, "webhook-id": headers["webhook-id"] + "x"}, body),
                ({**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}, body),
            ):
                try:
                    verify(key, *bad)
                except (InvalidSignature, WebhookVerificationError):
                    continue
                raise AssertionError("a changed message verifies")
    print(len(messages))


main()
