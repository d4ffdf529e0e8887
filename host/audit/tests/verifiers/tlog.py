#!/usr/bin/env python3
"""Verifies an audit trail, its checkpoints, proofs and cosignatures. Python 3.9 or newer, standard library alone.

Written from the specifications and not from the code of pg-logstats, so that the two can disagree:

  RFC 8032   ed25519                     c2sp.org/signed-note       notes and their keys
  RFC 6962   Merkle trees                c2sp.org/tlog-checkpoint   what a log signs
  RFC 9162   checking Merkle proofs      c2sp.org/tlog-cosignature  what a witness signs
  DSSE       records                     c2sp.org/tlog-policy       how many witnesses it takes
                                         c2sp.org/tlog-proof        proofs as files
                                         c2sp.org/tlog-tiles        where entries and hashes lie
                                         c2sp.org/tlog-witness      what a witness answers

In: files, and the public keys that the reader trusts. Out: one line that says what was verified, and exit code 0; or why not,
and exit code 1. Exit code 2 is wrong usage.

  tlog.py checkpoint  --origin O --key KEY [--witness VKEY]... [--policy FILE] NOTE
  tlog.py consistency --origin O --key KEY OLD_NOTE NEW_NOTE PROOF      (PROOF: hashes in base64, one per line)
  tlog.py proof       --origin O --key KEY [--policy FILE] [--record FILE] PROOF
  tlog.py trail       --origin O --key KEY [--since NOTE] FOLDER
  tlog.py vectors     FOLDER

KEY is a PEM file (SPKI), or a verifier key `name+hash+base64`.
"""

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import sys
import unicodedata


class Refused(Exception):
    """What was looked at does not verify, and why."""


def need(condition, why):
    if not condition:
        raise Refused(why)


# --- ed25519: RFC 8032, section 5.1 -----------------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def recover_x(y, sign):
    """Section 5.1.3: the x coordinate of a point, or None."""
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if x2 == 0:
        return None if sign else 0
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * SQRT_M1 % P
    if (x * x - x2) % P:
        return None
    return P - x if x & 1 != sign else x


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)
NEUTRAL = (0, 1, 1, 0)


def add(a, b):
    """Section 5.1.4: extended homogeneous coordinates."""
    k = (a[1] - a[0]) * (b[1] - b[0]) % P
    m = (a[1] + a[0]) * (b[1] + b[0]) % P
    t = 2 * a[3] * b[3] * D % P
    z = 2 * a[2] * b[2] % P
    e, f, g, h = m - k, z - t, z + t, m + k
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar, point):
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def decode_point(data):
    """A point in its only spelling, or None."""
    value = int.from_bytes(data, "little")
    sign, y = value >> 255, value & (1 << 255) - 1
    if y >= P:
        return None
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def encode_point(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def is_small(point):
    """Whether anybody can sign for this key: its order divides eight."""
    return same(times(8, point), NEUTRAL)


def challenge(r, key, message):
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L


def ed25519_verifies(key, message, signature):
    """Section 5.1.7, without the cofactor; keys and commitments of small order are refused."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r = decode_point(key), decode_point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L or is_small(a) or is_small(r):
        return False
    # Is S·B - k·A the commitment? Both products in one pass, from the highest bit.
    minus_a = (P - a[0], a[1], 1, P - a[3])
    both, k = add(BASE, minus_a), challenge(signature[:32], key, message)
    result = NEUTRAL
    for bit in reversed(range(253)):
        result = add(result, result)
        pair = (s >> bit & 1, k >> bit & 1)
        if pair != (0, 0):
            result = add(result, {(1, 0): BASE, (0, 1): minus_a, (1, 1): both}[pair])
    return same(result, r)


# --- Text forms that all of C2SP's formats share ------------------------------------------------------------------------


def unbase64(text, what):
    """RFC 4648, section 4, in its only spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise Refused(f"{what} is not base64") from None
    need(base64.b64encode(data).decode() == text, f"{what} is not canonical base64")
    return data


def unhash(text, what):
    data = unbase64(text, what)
    need(len(data) == 32, f"{what} is not 32 bytes")
    return data


def decimal(text, what):
    need(re.fullmatch("0|[1-9][0-9]{0,19}", text, re.ASCII) and int(text) < 2**64, f"{what} is no canonical number")
    return int(text)


def text_of(data):
    """signed-note, "Format": UTF-8 and no control characters but the line feed."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("it is not UTF-8") from None
    need(not any(unicodedata.category(c) == "Cc" and c != "\n" for c in text), "it has control characters")
    return text


def is_key_name(name):
    return name != "" and not any(c.isspace() or c == "+" or unicodedata.category(c) == "Cc" for c in name)


# --- Keys: signed-note, "Verifier keys" and "Signatures" ----------------------------------------------------------------

LOG, WITNESS = 1, 4
SPKI_ED25519 = bytes.fromhex("302a300506032b6570032100")


def key_hash(name, kind, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def parse_vkey(text, kind):
    """Name and key of a verifier key of this signature type."""
    parts = text.split("+", 2)
    need(len(parts) == 3 and is_key_name(parts[0]), "a key is not name+hash+base64")
    name, stated, encoded = parts
    typed = unbase64(encoded, "a key")
    need(typed[:1] == bytes([kind]), f"the key of {name} has another signature type than {kind}")
    key = typed[1:]
    point = decode_point(key) if len(key) == 32 else None
    need(point is not None and not is_small(point), f"the key of {name} is no usable ed25519 key")
    need(stated == key_hash(name, kind, key).hex(), f"the hash of the key of {name} is wrong")
    return name, key


def read_public_key(argument):
    """The 32 bytes of a key from a PEM file or a verifier key."""
    if not os.path.exists(argument) and argument.count("+") >= 2:
        return parse_vkey(argument, LOG)[1]
    with open(argument, encoding="ascii") as file:
        return parse_pem(file.read())


def parse_pem(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    need(lines[:1] == ["-----BEGIN PUBLIC KEY-----"] and lines[-1:] == ["-----END PUBLIC KEY-----"], "no public key in PEM")
    der = unbase64("".join(lines[1:-1]), "the PEM block")
    need(len(der) == 44 and der.startswith(SPKI_ED25519), "the key is not ed25519")
    point = decode_point(der[12:])
    need(point is not None and not is_small(point), "the key is unusable")
    return der[12:]


def key_id(key):
    """How records name a key: SHA-256 of its SPKI DER."""
    return hashlib.sha256(SPKI_ED25519 + key).hexdigest()


# --- Notes and checkpoints: signed-note, tlog-checkpoint, tlog-cosignature -----------------------------------------------

MAX_SIGNATURES = 64


class Note:
    """A signed note taken apart. Nothing in it is verified."""

    def __init__(self, data):
        self.all = text_of(data)
        at = self.all.rfind("\n\n")
        need(at >= 0, "there is no blank line before the signatures")
        self.text, lines = self.all[: at + 1], self.all[at + 2 :]
        self.signatures = parse_signature_lines(lines)

    def checkpoint(self):
        """Origin, size and root. Extension lines are refused: no log of pg-logstats writes them."""
        lines = self.text.split("\n")
        need(len(lines) == 4 and lines[3] == "", "a checkpoint has three lines")
        origin, size, root = lines[:3]
        need(is_key_name(origin) and len(origin.encode()) <= 255, "the origin is no key name")
        return origin, decimal(size, "the size"), unhash(root, "the root")


def parse_signature_lines(lines):
    need(lines.endswith("\n"), "the last signature line does not end")
    parsed = []
    for line in lines[:-1].split("\n"):
        match = re.fullmatch("\u2014 ([^ ]+) ([^ ]+)", line)
        need(match and is_key_name(match.group(1)), "a signature line is not `\u2014 name base64`")
        data = unbase64(match.group(2), "a signature")
        need(len(data) >= 4, "a signature is too short")
        parsed.append((match.group(1), data[:4], data[4:]))
    need(len(parsed) <= MAX_SIGNATURES, "there are too many signatures")
    return parsed


def open_checkpoint(data, origin, keys):
    """The note, the size and the root, if one of the keys signed it for this origin."""
    note = Note(data)
    found, size, root = note.checkpoint()
    need(found == origin, f"it is of the log {found!r}, not {origin!r}")
    signers = []
    for name, hashed, signature in note.signatures:
        for key in keys:
            if name == origin and hashed == key_hash(origin, LOG, key):
                need(ed25519_verifies(key, note.text.encode(), signature), "a signature by a trusted key does not verify")
                need(key not in signers, "a key signed twice")
                signers.append(key)
    need(signers, "no trusted key signed it")
    return note, size, root, signers


def cosigned_by(note, name, key, lines=None):
    """The newest time at which this witness cosigned the note, or None (tlog-cosignature)."""
    newest = None
    for found, hashed, signature in note.signatures if lines is None else lines:
        if (found, hashed) != (name, key_hash(name, WITNESS, key)):
            continue
        need(len(signature) == 72, f"the cosignature of {name} is not 72 bytes")
        time = int.from_bytes(signature[:8], "big")
        need(0 < time < 2**63, f"the cosignature of {name} has an impossible time")
        message = f"cosignature/v1\ntime {time}\n{note.text}".encode()
        need(ed25519_verifies(key, message, signature[8:]), f"the cosignature of {name} does not verify")
        newest = time if newest is None else max(newest, time)
    return newest


# --- Merkle trees: RFC 6962, section 2.1; RFC 9162, sections 2.1.3.2 and 2.1.4.2 -----------------------------------------


def leaf_hash(leaf):
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = hashlib.sha256(b"").digest()


class Tree:
    """The root over leaves added one after the other: a stack of complete subtrees."""

    def __init__(self):
        self.size, self.stack = 0, []

    def add(self, hashed):
        height = 0
        while self.size >> height & 1:
            hashed = node_hash(self.stack.pop(), hashed)
            height += 1
        self.stack.append(hashed)
        self.size += 1

    def root(self):
        if not self.stack:
            return EMPTY_ROOT
        root = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            root = node_hash(left, root)
        return root


def check_inclusion(index, size, hashed, proof, root):
    need(index < size, f"entry {index} is not in a tree of {size}")
    fn, sn, r = index, size - 1, hashed
    for p in proof:
        need(sn != 0, "the inclusion proof is too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, "the inclusion proof is too short")
    need(r == root, "the inclusion proof leads to another root")


def check_consistency(old_size, old_root, new_size, new_root, proof):
    need(old_size <= new_size, f"the log shrank from {old_size} to {new_size} entries")
    if new_size == 0:
        need(new_root == EMPTY_ROOT, "the empty tree has another root")
    if old_size == 0:
        need(old_root == EMPTY_ROOT, "the empty tree has another root")
        need(not proof, "a proof from the empty tree must be empty")
        return
    if old_size == new_size:
        need(not proof, "a proof between equal sizes must be empty")
        need(old_root == new_root, "one size has two roots: the log forked")
        return
    need(proof, "the consistency proof is empty")
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        need(sn != 0, "the consistency proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, "the consistency proof is too short")
    need(fr == old_root, "the consistency proof leads to another old root")
    need(sr == new_root, "the consistency proof leads to another new root")


# --- Policies: tlog-policy -----------------------------------------------------------------------------------------------


class Policy:
    """A policy file. Names are bytes."""

    def __init__(self, data):
        self.line = 0
        self.logs, self.nodes, self.members, self.quorum = [], {}, set(), None
        need(len(data) <= 256 * 1024, "the policy is too large")
        need(data == b"" or data.endswith(b"\n"), "the last line does not end")
        for line in data.split(b"\n")[:-1]:
            self.line += 1
            need(not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", line), "a control character")
            items = [item for item in re.split(rb"[ \t]+", line) if item]
            if items and not items[0].startswith(b"#"):
                self.read(items)
        self.line += 1
        need(self.quorum is not None, "there is no line quorum")

    def read(self, items):
        keyword, count = items[0], len(items)
        if keyword == b"log" and count in (2, 3):
            origin, key = self.vkey(items[1], LOG)
            need(len(origin.encode()) <= 255, "the origin is too long")
            need(key not in [other for _, other in self.logs], "a log is there twice")
            self.logs.append((origin, key))
            self.url(items[2:])
        elif keyword == b"witness" and count in (3, 4):
            name, key = self.vkey(items[2], WITNESS)
            need(key not in [node[2] for node in self.nodes.values() if node[0] == "witness"], "a witness is there twice")
            self.url(items[3:])
            self.define(items[1], ("witness", name, key))
        elif keyword == b"group" and count >= 4:
            members = items[3:]
            for member in members:
                need(member in self.nodes, f"{member!r} is not defined before")
                need(member not in self.members, f"{member!r} is a member already")
                self.members.add(member)
            if items[2] == b"all":
                threshold = len(members)
            elif items[2] == b"any":
                threshold = 1
            else:
                need(re.fullmatch(rb"[1-9][0-9]{0,5}", items[2]), "the threshold is no number")
                threshold = int(items[2])
            need(1 <= threshold <= len(members), "the threshold is out of range")
            self.define(items[1], ("group", threshold, members))
        elif keyword == b"quorum" and count == 2:
            need(self.quorum is None, "there are two lines quorum")
            need(items[1] == b"none" or items[1] in self.nodes, f"{items[1]!r} is not defined before")
            self.quorum = items[1]
        else:
            raise Refused(f"the line {keyword!r} is not understood")

    def define(self, name, node):
        need(name != b"none" and name not in self.nodes, f"the name {name!r} is taken")
        self.nodes[name] = node
        need(sum(other[0] == node[0] for other in self.nodes.values()) <= 256, "too many lines of a kind")

    @staticmethod
    def vkey(data, kind):
        try:
            return parse_vkey(data.decode("utf-8"), kind)
        except UnicodeDecodeError:
            raise Refused("a key is not UTF-8") from None

    @staticmethod
    def url(rest):
        for url in rest:
            try:
                url.decode("utf-8")
            except UnicodeDecodeError:
                raise Refused("a URL is not UTF-8") from None

    def check(self, data, origin, keys):
        """Size and root of a checkpoint that a trusted key signed, a log of the policy too, and its quorum cosigned."""
        note, size, root, signers = open_checkpoint(data, origin, keys)
        listed = [key for name, key in self.logs if name == origin]
        need(not self.logs or any(key in listed for key in signers), "no log of the policy signed it")
        cosigned = {
            name: cosigned_by(note, node[1], node[2]) is not None
            for name, node in self.nodes.items()
            if node[0] == "witness"
        }
        need(self.quorum == b"none" or self.reached(self.quorum, cosigned), "the quorum is not reached")
        return note, size, root

    def reached(self, name, cosigned):
        kind, threshold, members = self.nodes[name]
        if kind == "witness":
            return cosigned[name]
        return sum(self.reached(member, cosigned) for member in members) >= threshold


# --- Records: DSSE, and the entries that stand for them ------------------------------------------------------------------


def unique(pairs):
    need(len({name for name, _ in pairs}) == len(pairs), "a field is there twice")
    return dict(pairs)


def open_envelope(data, keys):
    """Payload type and payload of a DSSE envelope that one of the keys signed."""
    try:
        envelope = json.loads(data.decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise Refused("it is no JSON") from None
    need(isinstance(envelope, dict) and set(envelope) == {"payloadType", "payload", "signatures"}, "it is no envelope")
    payload_type, signatures = envelope["payloadType"], envelope["signatures"]
    need(isinstance(payload_type, str) and isinstance(envelope["payload"], str), "it is no envelope")
    need(isinstance(signatures, list) and 1 <= len(signatures) <= 16, "it has no signatures, or too many")
    payload = unbase64(envelope["payload"], "the payload")
    try:
        kind = payload_type.encode()
    except UnicodeEncodeError:
        raise Refused("the payload type is no text") from None
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    named, signed = [], False
    for signature in signatures:
        need(isinstance(signature, dict) and set(signature) == {"keyid", "sig"}, "a signature has other fields")
        keyid, sig = signature["keyid"], signature["sig"]
        need(isinstance(keyid, str) and isinstance(sig, str), "a signature has other fields")
        need(keyid not in named, "a key is named twice")
        named.append(keyid)
        sig = unbase64(sig, "a signature")
        for key in keys:
            if keyid == key_id(key):
                need(ed25519_verifies(key, message, sig), "a signature by a trusted key does not verify")
                signed = True
    need(signed, "no trusted key signed it")
    return payload_type, payload


ID = "[a-z]{2,4}_[a-z0-9]{1,40}"
ENTRY = re.compile(
    "pg-logstats audit entry v1\n"
    "kind (?P<kind>[a-z][a-z0-9_]{0,39})\n"
    f"id (?P<id>{ID})\n"
    f"incident (?P<incident>-|{ID})\n"
    "created_us (?P<created_us>0|-?[1-9][0-9]{0,18})\n"
    "payload_type (?P<payload_type>[ -~]+)\n"
    "sha256 (?P<sha256>[0-9a-f]{64})\n",
    re.ASCII,
)


def parse_entry(leaf):
    """The fields of an entry, in its only spelling (docs/auditors.md)."""
    try:
        match = ENTRY.fullmatch(leaf.decode("utf-8"))
    except UnicodeDecodeError:
        match = None
    need(match, "the leaf is no entry")
    entry = match.groupdict()
    need(-(2**63) <= int(entry["created_us"]) < 2**63, "the time of the entry is out of range")
    need(entry["payload_type"] == f"application/vnd.pg-logstats.{entry['kind']}+json", "the payload type is not the kind's")
    return entry


def check_record(data, entry, keys):
    need(hashlib.sha256(data).hexdigest() == entry["sha256"], f"record {entry['id']} is not the one of its entry")
    payload_type, payload = open_envelope(data, keys)
    need(payload_type == entry["payload_type"], f"record {entry['id']} has another payload type")
    return payload


# --- The keys of a log: docs/auditors.md, "When the key changes" -----------------------------------------------------------

DETAILS = {
    "rotated": {"change": str, "from": str, "from_public_key": str, "to": str, "to_public_key": str, "reason": str},
    "compromised": {"change": str, "key_id": str, "since_index": int, "reason": str},
}


def parse_change(data):
    """The change of the log's key that a record states. Nothing of it is verified."""
    try:
        envelope = json.loads(data.decode("utf-8"), object_pairs_hook=unique)
        payload = json.loads(unbase64(envelope["payload"], "the payload"), object_pairs_hook=unique)
        detail = payload["body"]["detail"]
        fields = DETAILS[detail["change"]]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise Refused("it states no change of a key") from None
    need(set(detail) == set(fields), "the change has other fields")
    need(all(type(detail[name]) is kind for name, kind in fields.items()), "a field has another type")
    need(0 <= detail.get("since_index", 0) < 2**64, "the index is out of range")
    return detail


def signers(data, keys):
    """Which of the keys signed the envelope; every signature that names one of them verifies."""
    open_envelope(data, keys)
    found = []
    for key in keys:
        try:
            open_envelope(data, [key])
            found.append(key)
        except Refused:
            pass
    return found


class KeyChain:
    """Which keys count where, for a reader who trusts `keys`. `changes`: index and file of the records, in the order of the log."""

    def __init__(self, keys, changes):
        self.trusted, self.links, self.compromised = keys, [], {}
        rotations, declared = [], []
        for index, data in changes:
            try:
                change = parse_change(data)
                if change["change"] == "compromised":
                    declared.append((index, data, change))
                else:
                    rotations.append((index, *self.rotation(data, change)))
            except Refused:
                # It proves nothing, so it changes nothing.
                pass
        known = [at for at, (_, old, new) in enumerate(rotations) if old in keys or new in keys]
        if known:
            self.links = [rotations[known[0]]]
            for earlier in reversed(rotations[: known[0]]):
                if earlier[2] == self.links[0][1]:
                    self.links.insert(0, earlier)
            for later in rotations[known[0] + 1 :]:
                if later[1] == self.links[-1][2]:
                    self.links.append(later)
        every = keys + [key for _, old, new in self.links for key in (old, new)]
        for index, data, change in declared:
            about = [key for key in every if key_id(key) == change["key_id"]]
            try:
                by = signers(data, self.at(index))
            except Refused:
                continue
            # Nobody is believed about the key that signs.
            if about and about[0] not in by:
                since = self.compromised.get(about[0], change["since_index"])
                self.compromised[about[0]] = min(since, change["since_index"])

    @staticmethod
    def rotation(data, change):
        """The old key and the new one, both of which signed."""
        old, new = parse_pem(change["from_public_key"]), parse_pem(change["to_public_key"])
        need(key_id(old) == change["from"] and key_id(new) == change["to"], "the ids are of other keys")
        need(old != new and signers(data, [old, new]) == [old, new], "both keys sign a rotation")
        return old, new

    def at(self, index):
        """The keys that count for the record at this index."""
        return next(([old] for last, old, _ in self.links if index <= last), self.newest())

    def newest(self):
        """The keys that count for the newest checkpoint."""
        return [self.links[-1][2]] if self.links else self.trusted

    def open_record(self, index, data):
        """The payload of the record at this index."""
        _, payload = open_envelope(data, self.at(index))
        for key in signers(data, self.at(index)):
            need(index < self.compromised.get(key, 2**64), "it stands under a key that was declared compromised")
        return payload


# --- Proofs as files: tlog-proof -----------------------------------------------------------------------------------------


def check_proof(data, origin, keys, policy=None, record=None):
    """Index and entry of a proof; with a record, that it is the one."""
    need(len(data) <= 80 * 1024, "the proof is too large")
    text = text_of(data)
    head, blank, note = text.partition("\n\n")
    need(blank, "there is no blank line before the checkpoint")
    lines = head.split("\n")
    need(lines[0] == "c2sp.org/tlog-proof@v1", "it is no tlog-proof")
    need(len(lines) >= 3 and lines[1].startswith("extra ") and lines[2].startswith("index "), "extra or index is missing")
    leaf = unbase64(lines[1][6:], "the entry")
    index = decimal(lines[2][6:], "the index")
    hashes = [unhash(line, "a hash") for line in lines[3:]]
    need(len(hashes) <= 64, "there are too many hashes")
    if policy is None:
        _, size, root, _ = open_checkpoint(note.encode(), origin, keys)
    else:
        _, size, root = policy.check(note.encode(), origin, keys)
    check_inclusion(index, size, leaf_hash(leaf), hashes, root)
    entry = parse_entry(leaf)
    if record is not None:
        check_record(record, entry, keys)
    return index, entry, size


# --- Trails: tlog-tiles --------------------------------------------------------------------------------------------------


def tile_path(level, n, width):
    """tlog-tiles, "Merkle Tree": groups of three digits, all but the last after an x."""
    groups = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        groups.insert(0, f"x{n % 1000:03}")
    return "/".join(["tile", str(level), *groups]) + (f".p/{width}" if width < 256 else "")


def read(folder, path):
    try:
        with open(os.path.join(folder, path), "rb") as file:
            return file.read()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None


def entries(folder, size):
    """The leaves, from the bundles: each after its length, two bytes."""
    for n in range((size + 255) // 256):
        width = min(256, size - n * 256)
        path = tile_path("entries", n, width)
        data, at = read(folder, path), 0
        for _ in range(width):
            need(at + 2 <= len(data), f"{path}: an entry is missing")
            length = int.from_bytes(data[at : at + 2], "big")
            leaf = data[at + 2 : at + 2 + length]
            need(len(leaf) == length, f"{path}: an entry is cut off")
            yield leaf
            at += 2 + length
        need(at == len(data), f"{path}: there is more than {width} entries")


def changes_of(folder, size):
    """Index and file of the records that change the log's key."""
    for index, leaf in enumerate(entries(folder, size)):
        entry = parse_entry(leaf)
        if entry["kind"] == "log_key":
            yield index, read(folder, record_path(entry, index))


def record_path(entry, index):
    shard = hashlib.sha256(entry["id"].encode()).hexdigest()[:3]
    return f"records/{shard}/{entry['id']}.{index}.json"


def check_trail(folder, origin, keys, since=None):
    """Every entry, every hash tile, every record, each under the key that was in force; and that it continues an earlier checkpoint."""
    note = read(folder, "checkpoint")
    # How far to read. All that is found on the way is compared with the signed root below.
    stated = Note(note).checkpoint()[1]
    chain = KeyChain(keys, changes_of(folder, stated))
    _, size, root, _ = open_checkpoint(note, origin, chain.newest())
    earlier = None
    if since is not None:
        earlier_size = Note(since).checkpoint()[1]
        need(earlier_size <= size, f"the trail has {size} entries, and had {earlier_size}: it was cut or put back")
        _, _, earlier_root, _ = open_checkpoint(since, origin, chain.at(earlier_size))
        earlier = (earlier_size, earlier_root)
    tree, levels, records = Tree(), [[]], {}
    if earlier == (0, tree.root()):
        earlier = None
    for leaf in entries(folder, size):
        entry = parse_entry(leaf)
        records[record_path(entry, tree.size)] = entry
        hashed = leaf_hash(leaf)
        tree.add(hashed)
        levels[0].append(hashed)
        if earlier is not None and tree.size == earlier[0]:
            need(tree.root() == earlier[1], f"the first {earlier[0]} entries are not those of the earlier checkpoint")
            earlier = None
    need(earlier is None, "the earlier checkpoint was not met")
    need(tree.root() == root, "the entries lead to another root than the signed one")
    need(len({entry["id"] for entry in records.values()}) == size, "an id is there twice")
    while levels[-1]:
        check_tiles(folder, len(levels) - 1, levels[-1])
        full = len(levels[-1]) // 256
        levels.append([subtree(levels[-1][n * 256 : n * 256 + 256]) for n in range(full)])
    for shard in sorted(os.listdir(os.path.join(folder, "records"))):
        for name in sorted(os.listdir(os.path.join(folder, "records", shard))):
            path = f"records/{shard}/{name}"
            index = re.fullmatch(f"{ID}\\.([0-9]+)\\.json", name)
            # One whose append did not finish is beyond the checkpoint, and nobody was told of it.
            need(path in records or (index and int(index.group(1)) >= size), f"{path}: no entry names this file")
    # Last, because signatures take the time. They are in the order of the log.
    for index, (path, entry) in enumerate(records.items()):
        data = read(folder, path)
        check_record(data, entry, chain.at(index))
        chain.open_record(index, data)
    return size, root, chain


def subtree(hashes):
    tree = Tree()
    for hashed in hashes:
        tree.add(hashed)
    return tree.root()


def check_tiles(folder, level, hashes):
    for at in range(0, len(hashes), 256):
        tile = hashes[at : at + 256]
        path = tile_path(level, at // 256, len(tile))
        need(read(folder, path) == b"".join(tile), f"{path}: the hash tile is not that of the entries")


# --- Witnesses: tlog-witness, add-checkpoint ------------------------------------------------------------------------------


def witness_status(body, logs, stored):
    """The status that a witness of these logs answers, which cosigned `stored` last (a note, or None)."""
    try:
        text = text_of(body)
        head, blank, rest = text.partition("\n\n")
        need(blank and len(body) <= 68 * 1024, "no checkpoint")
        lines = head.split("\n")
        need(lines[0].startswith("old "), "no old size")
        old_size = decimal(lines[0][4:], "the old size")
        proof = [unhash(line, "a hash") for line in lines[1:]]
        need(len(proof) <= 63, "too many lines")
        origin, size, _ = Note(rest.encode()).checkpoint()
    except Refused:
        return 400
    keys = [key for name, key in logs if name == origin]
    if not keys:
        return 404
    try:
        _, size, root, _ = open_checkpoint(rest.encode(), origin, keys)
    except Refused:
        return 403
    if old_size > size:
        return 400
    known_size, known_root = 0, EMPTY_ROOT
    if stored is not None:
        _, known_size, known_root, _ = open_checkpoint(stored, origin, keys)
    if old_size != known_size or (size == known_size > 0 and root != known_root):
        return 409
    try:
        check_consistency(old_size, known_root, size, root, proof)
    except Refused:
        return 422
    return 200


# --- Vectors --------------------------------------------------------------------------------------------------------------


def given(case, name):
    """An input that is text, or bytes in base64 where it is no text."""
    if f"{name}_base64" in case:
        return base64.b64decode(case[f"{name}_base64"], validate=True)
    return case[name].encode() if name in case else None


def log_keys(case):
    return [parse_vkey(vkey, LOG)[1] for vkey in case["keys"]]


def hashes(case, name):
    return [unhash(text, name) for text in case[name]]


def vector_checkpoint(case):
    _, size, root, _ = open_checkpoint(given(case, "note"), case["origin"], log_keys(case))
    return {"size": size, "root": base64.b64encode(root).decode()}


def vector_cosignature(case):
    note = Note(given(case, "note"))
    witnesses = [parse_vkey(vkey, WITNESS) for vkey in case["witnesses"]]
    times = {name: cosigned_by(note, name, key) for name, key in witnesses}
    return {"cosigned": {name: time for name, time in times.items() if time is not None}}


def vector_policy(case):
    Policy(given(case, "policy"))
    return {}


def vector_witnessed(case):
    Policy(given(case, "policy")).check(given(case, "note"), case["origin"], log_keys(case))
    return {}


def vector_inclusion(case):
    leaf, root = unhash(case["leaf_hash"], "the leaf"), unhash(case["root"], "the root")
    check_inclusion(case["index"], case["tree_size"], leaf, hashes(case, "proof"), root)
    return {}


def vector_consistency(case):
    old_root, new_root = unhash(case["old_root"], "the old root"), unhash(case["new_root"], "the new root")
    check_consistency(case["old_size"], old_root, case["new_size"], new_root, hashes(case, "proof"))
    return {}


def vector_proof(case):
    policy = given(case, "policy")
    policy = None if policy is None else Policy(policy)
    index, entry, _ = check_proof(given(case, "proof"), case["origin"], log_keys(case), policy, given(case, "record"))
    return {"index": index, "id": entry["id"]}


def vector_envelope(case):
    keys = [unhash(key, "a key") for key in case["keys"]]
    _, payload = open_envelope(given(case, "envelope"), keys)
    return {"payload": payload.decode()}


def vector_keychain(case):
    keys = [unhash(key, "a key") for key in case["keys"]]
    chain = KeyChain(keys, [(change["index"], change["record"].encode()) for change in case["changes"]])
    payload = chain.open_record(case["index"], given(case, "record"))
    return {"payload": payload.decode(), "newest": [base64.b64encode(key).decode() for key in chain.newest()]}


def vector_entry(case):
    return {"id": parse_entry(given(case, "entry"))["id"]}


def vector_request(case):
    logs = [parse_vkey(vkey, LOG) for vkey in case["logs"]]
    status = witness_status(given(case, "body"), logs, given(case, "stored"))
    need(status == case["status"], f"the answer is {status}")
    return {}


def check_vectors(folder):
    """Every case of every file: accepted where it is valid, with the results that stand there, and refused where not."""
    wrong, count = [], 0
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".json"):
            continue
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            vectors = json.load(file)
        check = globals()[f"vector_{vectors['kind']}"]
        for case in vectors["cases"]:
            count += 1
            try:
                found = check(case)
                if not case["valid"]:
                    wrong.append(f"{name}: {case['name']}: accepted, though {case['reason']}")
                wrong += [f"{name}: {case['name']}: {key} is {found[key]!r}" for key in found if case["valid"] and found[key] != case[key]]
            except Refused as why:
                if case["valid"]:
                    wrong.append(f"{name}: {case['name']}: refused: {why}")
    need(not wrong, "\n".join(wrong))
    need(count > 0, "there are no vectors")
    return count


# --- Command line ---------------------------------------------------------------------------------------------------------


def slurp(path):
    with open(path, "rb") as file:
        return file.read()


def run(arguments):
    keys = [read_public_key(key) for key in getattr(arguments, "key", [])]
    policy = Policy(slurp(arguments.policy)) if getattr(arguments, "policy", None) else None
    if arguments.verb == "vectors":
        return f"{check_vectors(arguments.folder)} vectors hold"
    origin = arguments.origin
    if arguments.verb == "checkpoint":
        data = slurp(arguments.note)
        note, size, root, _ = open_checkpoint(data, origin, keys)
        if policy is not None:
            policy.check(data, origin, keys)
        for vkey in arguments.witness:
            name, key = parse_vkey(vkey, WITNESS)
            need(cosigned_by(note, name, key) is not None, f"{name} did not cosign it")
        return f"the log has {size} entries under the root {base64.b64encode(root).decode()}"
    if arguments.verb == "consistency":
        _, old_size, old_root, _ = open_checkpoint(slurp(arguments.old), origin, keys)
        _, new_size, new_root, _ = open_checkpoint(slurp(arguments.new), origin, keys)
        proof = [unhash(line, "a hash") for line in text_of(slurp(arguments.proof)).split("\n")[:-1]]
        check_consistency(old_size, old_root, new_size, new_root, proof)
        return f"the log of {new_size} entries continues that of {old_size}"
    if arguments.verb == "proof":
        record = slurp(arguments.record) if arguments.record else None
        index, entry, size = check_proof(slurp(arguments.proof), origin, keys, policy, record)
        return f"record {entry['id']} is entry {index} of the signed log of {size}"
    since = slurp(arguments.since) if arguments.since else None
    size, root, chain = check_trail(arguments.folder, origin, keys, since)
    turns = f", {len(chain.links) + 1} keys in turn" if chain.links else ""
    return f"{size} entries and records verify under the root {base64.b64encode(root).decode()}{turns}"


def main():
    parser = argparse.ArgumentParser(description="Verifies an audit trail from the specifications alone.")
    verbs = parser.add_subparsers(dest="verb", required=True)

    def verb(name, positional, policy=False):
        made = verbs.add_parser(name)
        if name != "vectors":
            made.add_argument("--origin", required=True, help="name of the log")
            made.add_argument("--key", required=True, action="append", help="PEM file or verifier key; may be repeated")
        if policy:
            made.add_argument("--policy", help="witness policy file")
        for argument in positional:
            made.add_argument(argument)
        return made

    verb("checkpoint", ["note"], policy=True).add_argument("--witness", action="append", default=[], help="must have cosigned")
    verb("consistency", ["old", "new", "proof"])
    verb("proof", ["proof"], policy=True).add_argument("--record", help="the record's file")
    verb("trail", ["folder"]).add_argument("--since", help="an earlier checkpoint")
    verb("vectors", ["folder"])
    try:
        print(run(parser.parse_args()))
    except Refused as why:
        print(f"NOT VERIFIED: {why}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
