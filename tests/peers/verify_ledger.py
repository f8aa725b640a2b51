"""An independent check of the ledger: reads what `sistra ledger export` and the proofs over HTTP say, shares no code with it.

Usage: verify_ledger.py export [KEY …] < EXPORT    lines of entries, then {"entries", "checkpoints", "keys"}
       verify_ledger.py proofs KEY < PROOFS        {"inclusion": [PROOF …], "consistency": [PROOF …], "checkpoints": [NOTE …]}

Exit code 0 and a JSON object with what was checked, or 1 and what is wrong. RFC 6962, RFC 9162, C2SP tlog-checkpoint.
"""

import base64
import hashlib
import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MEMBERS = [
    "action", "agency_code", "at", "bucket", "client_id", "id", "payload", "purpose", "request_id", "resource_id",
    "resource_type", "user_ref", "v", "version",
]


class Wrong(Exception):
    """What is wrong."""


def check(holds, what):
    if not holds:
        raise Wrong(what)


def leaf_hash(data):
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def canonical(line):
    """The leaf of an entry is one line of canonical JSON with exactly these members."""
    entry = json.loads(line)
    members = [m for m in entry if m != "payload_text"]
    check(members == MEMBERS and entry["v"] == 1, "members of an entry: " + line[:200])
    again = json.dumps(entry, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    check(again == line, "an entry that is not canonical: " + line[:200])
    bits = int(entry["id"].replace("-", "")[13:16], 16)
    check(entry["bucket"] == bits, "an entry in another bucket: " + entry["id"])
    return entry


class Tree:
    """Adds leaves; a list of (height, hash), as a binary counter."""

    def __init__(self):
        self.peaks, self.size = [], 0

    def add(self, leaf):
        height = 0
        while self.peaks and self.peaks[-1][0] == height:
            leaf = node_hash(self.peaks.pop()[1], leaf)
            height += 1
        self.peaks.append((height, leaf))
        self.size += 1

    def root(self):
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        root = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            root = node_hash(left, root)
        return root


class Key:
    """A verifying key of a C2SP signed note: name+id+base64."""

    def __init__(self, text):
        self.name, key_id, key = text.split("+", 2)
        data = base64.b64decode(key, validate=True)
        check(len(data) == 33 and data[0] == 1, "not an Ed25519 key: " + text)
        self.id = hashlib.sha256(self.name.encode() + b"\n" + data).digest()[:4]
        check(self.id.hex() == key_id, "the id of a key is not its own: " + text)
        self.public = Ed25519PublicKey.from_public_bytes(data[1:])

    def open(self, note):
        """Size and root of a checkpoint that this key signed."""
        text, signatures = note.split("\n\n", 1)
        text += "\n"
        origin, size, root = text.splitlines()
        check(origin == self.name, "a checkpoint of another log: " + origin)
        for line in signatures.splitlines():
            dash, name, value = line.split(" ")
            value = base64.b64decode(value, validate=True)
            if (dash, name, value[:4]) == ("\u2014", self.name, self.id):
                try:
                    self.public.verify(value[4:], text.encode())
                except InvalidSignature:
                    raise Wrong("a signature that does not hold: " + origin + " " + size) from None
                return int(size), base64.b64decode(root, validate=True)
        raise Wrong("a checkpoint without a signature of " + self.name)


def export(lines, given):
    end = json.loads(lines.pop())
    entries = [line for line in lines if line]
    check(end["entries"] == len(entries), "entries: %d, announced: %d" % (len(entries), end["entries"]))
    keys = {key.name: key for key in map(Key, given or end["keys"])}
    claims = {}
    for note in end["checkpoints"]:
        origin = note.split("\n", 1)[0]
        check(origin in keys, "no key for " + origin)
        size, root = keys[origin].open(note)
        claims.setdefault(size, []).append(root)
    tree, seen = Tree(), set()
    for line in entries:
        entry = canonical(line)
        check(entry["id"] not in seen, "an entry twice: " + entry["id"])
        seen.add(entry["id"])
        tree.add(leaf_hash(line.encode()))
        for root in claims.pop(tree.size, []):
            check(root == tree.root(), "the checkpoint over %d entries is of another record" % tree.size)
    check(not claims, "checkpoints over more entries than there are: %s" % sorted(claims))
    return {"size": tree.size, "root": base64.b64encode(tree.root()).decode(), "checkpoints": len(end["checkpoints"])}


def included(leaf, index, size, path):
    """The root that an inclusion proof leads to, by the recursive definition of RFC 6962 section 2.1.1."""
    if size == 1:
        check(not path, "an inclusion proof that is too long")
        return leaf
    check(path, "an inclusion proof that is too short")
    middle = 1 << ((size - 1).bit_length() - 1)
    if index < middle:
        return node_hash(included(leaf, index, middle, path[:-1]), path[-1])
    return node_hash(path[-1], included(leaf, index - middle, size - middle, path[:-1]))


def extended(old, new, path, root, whole):
    """Roots of the old and the new tree, by the recursive definition of RFC 6962 section 2.1.2."""
    if old == new:
        if whole:
            check(not path, "a consistency proof that is too long")
            return root, root
        check(len(path) == 1, "a consistency proof of the wrong length")
        return path[0], path[0]
    check(path, "a consistency proof that is too short")
    middle = 1 << ((new - 1).bit_length() - 1)
    if old <= middle:
        left_old, left_new = extended(old, middle, path[:-1], root, whole)
        return left_old, node_hash(left_new, path[-1])
    right_old, right_new = extended(old - middle, new - middle, path[:-1], root, False)
    return node_hash(path[-1], right_old), node_hash(path[-1], right_new)


def proofs(given, key):
    b64 = lambda text: base64.b64decode(text, validate=True)
    key = Key(key)
    signed = [key.open(note) for note in given["checkpoints"]]
    for proof in given["inclusion"]:
        entry = canonical(proof["leaf"])
        check(entry["id"] == proof["entry_id"], "the proof of another entry")
        leaf = leaf_hash(proof["leaf"].encode())
        check(leaf == b64(proof["leaf_hash"]), "the hash of a leaf")
        root = included(leaf, proof["position"], proof["size"], list(map(b64, proof["hashes"])))
        check(root == b64(proof["root"]), "an inclusion proof that does not hold: " + proof["entry_id"])
        if proof["checkpoint"] is not None:
            check(key.open(proof["checkpoint"]) == (proof["size"], root), "a checkpoint that is not of the proof")
    for proof in given["consistency"]:
        old, new = b64(proof["from_root"]), b64(proof["to_root"])
        found = extended(proof["from"], proof["to"], list(map(b64, proof["hashes"])), old, True)
        check(found == (old, new), "a consistency proof that does not hold: %(from)d %(to)d" % proof)
        for size, root in signed:
            check(size != proof["from"] or root == old, "the earlier root is not the one that was signed")
            check(size != proof["to"] or root == new, "the later root is not the one that was signed")
    return {"inclusion": len(given["inclusion"]), "consistency": len(given["consistency"])}


def main(mode, *arguments):
    text = sys.stdin.read()
    try:
        found = export(text.split("\n")[:-1], arguments) if mode == "export" else proofs(json.loads(text), *arguments)
    except Wrong as wrong:
        print("verify_ledger: %s" % wrong, file=sys.stderr)
        sys.exit(1)
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
