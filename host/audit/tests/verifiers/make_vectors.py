#!/usr/bin/env python3
"""Makes the vectors in `tests/vectors/` with the code of `tlog.py` and a signer of its own, always the same bytes.

  make_vectors.py FOLDER            writes them
  make_vectors.py --check FOLDER    exit code 1 unless they are there as they would be written

Each case has a reason: what a verifier that gets it wrong would believe. A case that is not valid differs from a valid one in
one thing; what is signed is signed properly, unless the signature is what is wrong.
"""

import base64
import hashlib
import json
import os
import sys

import tlog
from tlog import LOG, WITNESS, P

ORIGIN = "pg-logstats.example/audit"


def b64(data):
    return base64.b64encode(data).decode()


def flip(data, at, bit=0):
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


class Key:
    """A private key for tests: the seed is one byte, 32 times."""

    def __init__(self, seed):
        # RFC 8032, section 5.1.5.
        h = hashlib.sha512(bytes([seed]) * 32).digest()
        self.scalar = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
        self.prefix = h[32:]
        self.public = tlog.encode_point(tlog.times(self.scalar, tlog.BASE))

    def sign(self, message):
        # RFC 8032, section 5.1.6.
        r = int.from_bytes(hashlib.sha512(self.prefix + message).digest(), "little") % tlog.L
        commitment = tlog.encode_point(tlog.times(r, tlog.BASE))
        s = (r + tlog.challenge(commitment, self.public, message) * self.scalar) % tlog.L
        return commitment + s.to_bytes(32, "little")


def vkey(name, kind, key):
    return f"{name}+{tlog.key_hash(name, kind, key).hex()}+{b64(bytes([kind]) + key)}"


LOG_KEY, OTHER_KEY = Key(3), Key(4)
LOG_VKEY, OTHER_VKEY = vkey(ORIGIN, LOG, LOG_KEY.public), vkey(ORIGIN, LOG, OTHER_KEY.public)
WITNESSES = {f"w{n}.example": Key(10 + n) for n in (1, 2, 3)}
WITNESS_VKEYS = [vkey(name, WITNESS, key.public) for name, key in WITNESSES.items()]


def line(name, kind, key, signature):
    return f"\u2014 {name} {b64(tlog.key_hash(name, kind, key.public) + signature)}\n"


def body(size, root, origin=ORIGIN):
    return f"{origin}\n{size}\n{b64(root)}\n"


def signed(text, key=LOG_KEY, origin=ORIGIN):
    return f"{text}\n{line(origin, LOG, key, key.sign(text.encode()))}"


def cosignature(text, name, time=1700000000, key=None, signed_time=None):
    key = key or WITNESSES[name]
    signed_time = time if signed_time is None else signed_time
    message = f"cosignature/v1\ntime {signed_time}\n{text}".encode()
    return line(name, WITNESS, WITNESSES.get(name, key), time.to_bytes(8, "big") + key.sign(message))


# --- Trees, made from the definition of RFC 6962, section 2.1 -----------------------------------------------------------


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d):
    if len(d) < 2:
        return d[0] if d else tlog.EMPTY_ROOT
    k = split(len(d))
    return tlog.node_hash(mth(d[:k]), mth(d[k:]))


def path(m, d):
    if len(d) < 2:
        return []
    k = split(len(d))
    return path(m, d[:k]) + [mth(d[k:])] if m < k else path(m - k, d[k:]) + [mth(d[:k])]


def subproof(m, d, whole):
    if m == len(d):
        return [] if whole else [mth(d)]
    k = split(len(d))
    if m <= k:
        return subproof(m, d[:k], whole) + [mth(d[k:])]
    return subproof(m - k, d[k:], False) + [mth(d[:k])]


def consistency(m, d):
    return subproof(m, d, True) if 0 < m < len(d) else []


# --- Records and entries ---------------------------------------------------------------------------------------------------


def envelope(payload, kind, key=LOG_KEY):
    message = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    signature = {"keyid": tlog.key_id(key.public), "sig": b64(key.sign(message))}
    return {"payloadType": kind, "payload": b64(payload), "signatures": [signature]}


def compact(value):
    return json.dumps(value, separators=(",", ":")) + "\n"


TYPE = "application/vnd.pg-logstats.triage_report+json"


def entry(n, record, kind="triage_report"):
    return (
        f"pg-logstats audit entry v1\nkind {kind}\nid rp_{n}\nincident inc_1\ncreated_us {1766448000000000 + n}\n"
        f"payload_type application/vnd.pg-logstats.{kind}+json\nsha256 {hashlib.sha256(record.encode()).hexdigest()}\n"
    )


RECORDS = [compact(envelope(b'{"id":"rp_%d"}' % n, TYPE)) for n in range(11)]
ENTRIES = [entry(n, record) for n, record in enumerate(RECORDS)]
LEAVES = [tlog.leaf_hash(text.encode()) for text in ENTRIES]
ROOT = mth(LEAVES)
BODY = body(11, ROOT)
NOTE = signed(BODY)


class Vectors:
    """The cases of one kind."""

    def __init__(self, kind, about, **shared):
        self.kind, self.about, self.shared, self.cases = kind, about, shared, []

    def case(self, valid, name, reason, **inputs):
        assert name not in [case["name"] for case in self.cases], name
        made = {"name": name, "reason": reason, "valid": valid, **self.shared}
        for key, value in inputs.items():
            if value is None:
                made.pop(key, None)
            elif isinstance(value, bytes):
                made[f"{key}_base64"] = b64(value)
            else:
                made[key] = value
        self.cases.append(made)

    def good(self, name, reason, **inputs):
        self.case(True, name, reason, **inputs)

    def bad(self, name, reason, **inputs):
        self.case(False, name, reason, **inputs)

    def text(self):
        whole = {"format": "pg-logstats audit vectors v1", "kind": self.kind, "about": self.about, "cases": self.cases}
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def checkpoints():
    v = Vectors(
        "checkpoint",
        "Verify the signed note for `origin` with `keys` (verifier keys, type 0x01). A valid case gives `size` and `root`.",
        origin=ORIGIN,
        keys=[LOG_VKEY],
    )
    result = {"size": 11, "root": b64(ROOT)}
    v.good("as signed", "the form that the log writes", note=NOTE, **result)
    v.good("empty log", "the root of no leaves is SHA-256 of nothing", note=signed(body(0, tlog.EMPTY_ROOT)), size=0, root=b64(tlog.EMPTY_ROOT))
    v.good("largest size", "sizes have 64 bits", note=signed(body(2**64 - 1, ROOT)), size=2**64 - 1, root=b64(ROOT))
    v.good("unknown signature", "lines of unknown keys are ignored", note=NOTE + cosignature(BODY, "w1.example"), **result)
    v.good("unknown signature first", "the order of lines means nothing", note=f"{BODY}\n" + cosignature(BODY, "w1.example") + NOTE.split("\n\n")[1], **result)
    v.good("two trusted keys", "a log that changed its key signs with both", note=NOTE + line(ORIGIN, LOG, OTHER_KEY, OTHER_KEY.sign(BODY.encode())), keys=[LOG_VKEY, OTHER_VKEY], **result)
    other_name = f"\u2014 elsewhere.example {NOTE.split(' ')[-1]}"
    v.good("same hash under another name", "name and hash name a key together", note=NOTE + other_name, **result)
    for at, what in ((len(ORIGIN) + 1, "size"), (len(ORIGIN) + 5, "root"), (0, "origin")):
        v.bad(f"changed {what}", f"the {what} is signed", note=flip(NOTE.encode(), at).decode())
    signature = base64.b64decode(NOTE.split(" ")[-1])
    for at, what, reason in (
        (4, "commitment", "the first half of the signature counts"),
        (67, "scalar", "the second half of the signature counts"),
        (0, "key hash", "then no line is by a known key"),
    ):
        v.bad(f"changed {what}", reason, note=f"{BODY}\n\u2014 {ORIGIN} {b64(flip(signature, at))}\n")
    scalar = int.from_bytes(signature[36:], "little") + tlog.L
    v.bad("malleable signature", "a scalar above the order of the group is another spelling of the same signature (RFC 8032, 5.1.7)", note=f"{BODY}\n\u2014 {ORIGIN} {b64(signature[:36] + scalar.to_bytes(32, 'little'))}\n")
    v.bad("long signature", "64 bytes and no more", note=f"{BODY}\n\u2014 {ORIGIN} {b64(signature + b'x')}\n")
    v.bad("untrusted key", "a key under the right name that nobody trusts", note=signed(BODY, OTHER_KEY))
    v.bad("signature by another key under our hash", "the hash is a hint; the signature decides", note=f"{BODY}\n\u2014 {ORIGIN} {b64(signature[:4] + OTHER_KEY.sign(BODY.encode()))}\n")
    v.bad("one good and one bad signature", "a bad signature by a known key spoils the note", note=NOTE + line(ORIGIN, LOG, OTHER_KEY, LOG_KEY.sign(BODY.encode())), keys=[LOG_VKEY, OTHER_VKEY])
    v.bad("signed twice by one key", "one key is one signer", note=NOTE + NOTE.split("\n\n")[1])
    v.bad("another log", "a good checkpoint of another log", note=signed(body(11, ROOT, "elsewhere.example"), origin="elsewhere.example"))
    v.bad("signature under another name", "a log's key name is its origin", note=signed(BODY, origin="elsewhere.example"))
    cosigner = cosignature(BODY, "w1.example")
    v.bad("only a cosignature", "a witness does not sign for a log", note=f"{BODY}\n{cosigner}")
    for name, size in (("leading zero", "011"), ("sign", "+11"), ("space", "11 "), ("no size", ""), ("too large", str(2**64)), ("hexadecimal", "0xb"), ("other digits", "\u0661\u0661")):
        v.bad(f"size: {name}", "a size has one spelling", note=signed(body(size, ROOT)))
    root = b64(ROOT)
    for name, text in (("no padding", root[:-1]), ("spare bits", root[:-2] + chr(ord(root[-2]) + 1) + "="), ("url alphabet", root.replace("+", "-").replace("/", "_")), ("short", b64(ROOT[:31])), ("long", b64(ROOT + b"x")), ("hexadecimal", ROOT.hex())):
        if text != root:
            v.bad(f"root: {name}", "a root is 32 bytes and has one spelling", note=signed(f"{ORIGIN}\n11\n{text}\n"))
    v.bad("extension line", "allowed by tlog-checkpoint, and refused here: no log of ours writes one, and witnesses do not vouch for it", note=signed(BODY + "extension\n"))
    v.bad("carriage returns", "mail programs make them; signed are line feeds", note=NOTE.replace("\n", "\r\n"))
    v.bad("carriage return signed", "control characters are no text of a note", note=signed(BODY.replace("\n", "\r\n")))
    v.bad("no line feed at the end", "each line ends with a line feed", note=NOTE[:-1])
    v.bad("blank line at the end", "the last blank line stands before the signatures", note=NOTE + "\n")
    v.bad("no blank line", "text and signatures are apart", note=NOTE.replace("\n\n", "\n"))
    v.bad("no signature", "a note has a signature", note=f"{BODY}\n")
    v.bad("hyphen for dash", "the dash is U+2014", note=NOTE.replace("\u2014", "-"))
    v.bad("two spaces", "one space stands between the words", note=NOTE.replace(f"{ORIGIN} ", f"{ORIGIN}  "))
    v.bad("not UTF-8", "a note is UTF-8", note=NOTE.replace("\u2014", "X").encode().replace(b"X", b"\xff"))
    v.bad("empty", "nothing is no checkpoint", note="")
    v.bad("cut", "half a signature", note=NOTE[:-20] + "\n")
    small = bytes([1]) + bytes(31)
    forged = bytes([1]) + bytes(63)
    v.bad("key of small order", "with the neutral point as key and commitment, zero signs everything", keys=[vkey(ORIGIN, LOG, small)], note=f"{BODY}\n\u2014 {ORIGIN} {b64(tlog.key_hash(ORIGIN, LOG, small) + forged)}\n")
    noncanonical = (1 + P).to_bytes(32, "little")
    v.bad("key not canonical", "a y coordinate above the prime is another spelling of a point", keys=[vkey(ORIGIN, LOG, noncanonical)], note=f"{BODY}\n\u2014 {ORIGIN} {b64(tlog.key_hash(ORIGIN, LOG, noncanonical) + forged)}\n")
    for name, key, reason in (
        ("cosigner's key type", vkey(ORIGIN, WITNESS, LOG_KEY.public), "a key of type 0x04 signs no checkpoint for a log"),
        ("wrong hash", LOG_VKEY.replace(LOG_VKEY.split("+")[1], "00000000"), "the hash is computed, not believed"),
        ("capital hash", LOG_VKEY.replace(LOG_VKEY.split("+")[1], LOG_VKEY.split("+")[1].upper()), "one spelling: lower case"),
    ):
        if key != LOG_VKEY:
            v.bad(f"verifier key: {name}", reason, keys=[key], note=NOTE)
    return v


def cosignatures():
    v = Vectors(
        "cosignature",
        "Verify the cosignatures of `witnesses` (verifier keys, type 0x04) on the note. A valid case gives `cosigned`, the time of each witness that cosigned; lines of others are ignored. The signature of the log is not part of these cases.",
        witnesses=WITNESS_VKEYS,
    )
    w1, w2 = cosignature(BODY, "w1.example"), cosignature(BODY, "w2.example", 1800000000)
    t1, t2 = {"w1.example": 1700000000}, {"w2.example": 1800000000}
    v.good("one", "the form that a witness writes", note=NOTE + w1, cosigned=t1)
    v.good("two", "each counts for itself", note=NOTE + w1 + w2, cosigned={**t1, **t2})
    v.good("none", "a checkpoint nobody cosigned", note=NOTE, cosigned={})
    v.good("earliest and latest time", "times are from 1 to 2^63 - 1", note=NOTE + cosignature(BODY, "w1.example", 1) + cosignature(BODY, "w2.example", 2**63 - 1), cosigned={"w1.example": 1, "w2.example": 2**63 - 1})
    v.good("twice by one witness", "it counts once, with the later time", note=NOTE + w1 + cosignature(BODY, "w1.example", 1700000001), cosigned={"w1.example": 1700000001})
    v.good("unknown witness", "ignored", note=NOTE + w1 + w2, witnesses=WITNESS_VKEYS[:1], cosigned=t1)
    post_quantum = f"\u2014 w1.example {b64(hashlib.sha256(b'w1.example' + bytes([10, 6]) + bytes(1312)).digest()[:4] + bytes(2428))}\n"
    v.good("unknown signature type", "the same name with a key of type 0x06 is an unknown key", note=NOTE + post_quantum + w1, cosigned=t1)
    plain = line("w1.example", LOG, WITNESSES["w1.example"], WITNESSES["w1.example"].sign(BODY.encode()))
    v.good("a plain signature by a witness", "type 0x01 is no cosignature, though the key is the same", note=NOTE + plain, cosigned={})
    v.good("a line under another name", "name and hash name a key together", note=NOTE + w1.replace("w1.example", "w2.example"), cosigned={})
    data = base64.b64decode(w1.split(" ")[-1])
    relined = lambda changed: f"{NOTE}\u2014 w1.example {b64(changed)}\n"
    v.bad("changed time", "the time is signed", note=relined(flip(data, 11)))
    v.bad("changed signature", "a bad signature by a known key spoils the note", note=relined(flip(data, 40)))
    v.bad("zero time", "a witness may not leave out the time", note=NOTE + cosignature(BODY, "w1.example", 0))
    v.bad("time of 2^63", "times end at 2^63 - 1", note=NOTE + cosignature(BODY, "w1.example", 2**63))
    v.bad("short", "72 bytes after the hash", note=relined(data[:-1]))
    v.bad("long", "72 bytes after the hash", note=relined(data + b"x"))
    v.bad("without time", "a plain signature under the hash of a cosigner", note=relined(data[:4] + WITNESSES["w1.example"].sign(BODY.encode())))
    v.bad("of another checkpoint", "a cosignature moved from another size", note=NOTE + cosignature(body(12, ROOT), "w1.example"))
    v.bad("by another witness", "w2 signed, w1's hash stands before it", note=NOTE + cosignature(BODY, "w1.example", key=WITNESSES["w2.example"]))
    v.bad("one good and one bad", "a bad signature by a known key spoils the note", note=relined(flip(data, 40)) + w2)
    little = int(1700000000).to_bytes(8, "little")
    v.bad("time in little-endian", "the time is big-endian", note=relined(data[:4] + little + data[12:]))
    return v


def policies():
    v = Vectors("policy", "Read the policy file. Only a valid one loads; `line` is where the fault is.")
    a, b, c = WITNESS_VKEYS
    two = f"witness a {a}\nwitness b {b}\n"
    v.good("quorum none", "the shortest policy", policy="quorum none\n")
    v.good("one witness", "a quorum may be one witness", policy=f"witness a {a}\nquorum a\n")
    v.good("groups of groups", "the shape of the specification's example", policy=f"log {LOG_VKEY} https://log.example/\n{two}witness c {c}\n\n  # comment\ngroup g1 2 a b\ngroup g2\tall c g1 \nquorum g2\n")
    v.good("name that is not UTF-8", "names are bytes", policy=b"witness \xff " + a.encode() + b"\nquorum \xff\n")
    v.good("names that look alike", "K and the Kelvin sign are two names", policy=f"witness K {a}\nwitness \u212a {b}\ngroup g all K \u212a\nquorum g\n")
    v.good("unused witness", "a witness need not be in the quorum", policy=f"{two}quorum a\n")
    bad = (
        ("empty", 1, "there is exactly one quorum line", ""),
        ("no quorum", 3, "there is exactly one quorum line", two),
        ("two quorums", 4, "there is exactly one quorum line", f"{two}quorum a\nquorum b\n"),
        ("quorum before its witness", 1, "a name is defined before it is used", f"quorum a\n{two}"),
        ("unknown quorum", 3, "a name is defined before it is used", f"{two}quorum c\n"),
        ("unknown keyword", 1, "what is not understood is not passed over", f"monitor a {a}\nquorum none\n"),
        ("capital keyword", 1, "keywords are lower case", "Quorum none\n"),
        ("no line feed at the end", 1, "each line ends", "quorum none"),
        ("carriage return", 1, "no control characters but tab", "quorum none\r\n"),
        ("delete character", 1, "no control characters but tab", "quorum none\x7f\n"),
        ("witness named none", 1, "none is predefined", f"witness none {a}\nquorum none\n"),
        ("member none", 3, "none cannot be a member", f"{two}group g any a none\nquorum g\n"),
        ("name twice", 2, "one name is one thing", f"witness a {a}\nwitness a {b}\nquorum a\n"),
        ("group named as a witness", 3, "witnesses and groups share their names", f"{two}group a any b\nquorum a\n"),
        ("key twice", 2, "one key under two names would count twice", f"witness a {a}\nwitness b {a}\nquorum a\n"),
        ("key twice under two key names", 2, "the same key is the same witness, whatever its names", f"witness a {a}\nwitness b {vkey('other.example', WITNESS, WITNESSES['w1.example'].public)}\nquorum a\n"),
        ("log twice", 2, "one key is one log", f"log {LOG_VKEY}\nlog {LOG_VKEY}\nquorum none\n"),
        ("member twice", 3, "a witness contributes in one way", f"{two}group g any a a\nquorum g\n"),
        ("member of two groups", 4, "a witness contributes in one way", f"{two}group g any a\ngroup h any a b\nquorum h\n"),
        ("group of itself", 3, "no circles", f"{two}group g any g a\nquorum g\n"),
        ("group without members", 3, "at least one member", f"{two}group g any\nquorum g\n"),
        ("threshold zero", 3, "from 1 to the number of members", f"{two}group g 0 a b\nquorum g\n"),
        ("threshold above", 3, "from 1 to the number of members", f"{two}group g 3 a b\nquorum g\n"),
        ("threshold with a zero before", 3, "decimal, in one spelling", f"{two}group g 01 a b\nquorum g\n"),
        ("log key for a witness", 1, "a key of type 0x01 does not cosign", f"witness a {LOG_VKEY}\nquorum a\n"),
        ("witness key for a log", 1, "a key of type 0x04 signs for no log", f"log {a}\nquorum none\n"),
        ("key with a wrong hash", 1, "the hash is computed, not believed", f"witness a {a.replace(a.split('+')[1], '00000000')}\nquorum a\n"),
        ("too many words", 1, "what is not understood is not passed over", f"witness a {a} https://a.example/ more\nquorum a\n"),
    )
    for name, at, reason, text in bad:
        v.bad(name, reason, policy=text, line=at)
    return v


def witnessed():
    v = Vectors(
        "witnessed",
        "Verify the checkpoint with `keys` for `origin` and with the policy, which loads: signed by a trusted key and by a log of the policy, if it has any, and cosigned by its quorum. A case that is not valid names in `missing` who could make up for it.",
        origin=ORIGIN,
        keys=[LOG_VKEY],
    )
    names = list(WITNESSES)
    lines = {name: cosignature(BODY, name) for name in names}
    witnesses = "".join(f"witness {name[:2]} {key}\n" for name, key in zip(names, WITNESS_VKEYS))
    two = f"log {LOG_VKEY}\n{witnesses}group two 2 w1 w2 w3\nquorum two\n"
    nested = f"{witnesses}group any12 any w1 w2\ngroup both all any12 w3\nquorum both\n"
    some = lambda *of: NOTE + "".join(lines[name] for name in of)
    v.good("two of three", "enough", policy=two, note=some(names[0], names[2]))
    v.good("three of three", "more than enough", policy=two, note=some(*names))
    v.good("nested", "one of two, and the third", policy=nested, note=some(names[1], names[2]))
    v.good("quorum none", "the log's signature is enough", policy="quorum none\n", note=NOTE)
    v.good("no logs listed", "then the keys alone decide", policy=f"{witnesses}quorum w1\n", note=some(names[0]))
    v.bad("one of three", "too few", policy=two, note=some(names[1]), missing=["w1", "w3"])
    v.bad("one of three, twice", "a witness counts once", policy=two, note=some(names[1]) + cosignature(BODY, names[1], 1700000001), missing=["w1", "w3"])
    v.bad("nested without the third", "all means all", policy=nested, note=some(names[0], names[1]), missing=["w3"])
    v.bad("nested with the third alone", "any means one", policy=nested, note=some(names[2]), missing=["w1", "w2"])
    v.bad("cosignatures of another checkpoint", "they spoil the note", policy=two, note=NOTE + "".join(cosignature(body(12, ROOT), name) for name in names), missing=[])
    v.bad("plain signatures by witnesses", "type 0x01 is no cosignature", policy=two, note=NOTE + "".join(line(name, LOG, key, key.sign(BODY.encode())) for name, key in WITNESSES.items()), missing=["w1", "w2", "w3"])
    v.bad("log not listed", "the policy lists another log's key", policy=two.replace(LOG_VKEY, OTHER_VKEY), note=some(*names), missing=[])
    v.bad("log not signed", "witnesses cannot stand in for the log", policy=two, note=f"{BODY}\n" + "".join(lines.values()), missing=[])
    v.bad("enough, and one bad", "a bad cosignature of a known witness spoils the note", policy=two, note=some(names[0], names[1]) + cosignature(BODY, names[2], key=WITNESSES[names[0]]), missing=[])
    return v


def inclusions():
    v = Vectors("inclusion", "Verify the inclusion proof (RFC 9162, 2.1.3.2). Hashes are in base64.")

    def given(at, of, **changed):
        leaves = LEAVES[:of]
        made = {"index": at, "tree_size": of, "leaf_hash": leaves[at], "root": mth(leaves), "proof": path(at, leaves)}
        made.update(changed)
        return {name: b64(x) if isinstance(x, bytes) else [b64(h) for h in x] if isinstance(x, list) else x for name, x in made.items()}

    for index, size in ((0, 1), (0, 2), (1, 2), (2, 3), (0, 8), (5, 8), (6, 7), (10, 11), (8, 11), (4, 9)):
        v.good(f"leaf {index} of {size}", "as the log proves it", **given(index, size))
    proof = path(5, LEAVES)
    v.bad("another leaf", "the leaf is where the proof begins", **given(5, 11, leaf_hash=LEAVES[4]))
    v.bad("another root", "the root is where it ends", **given(5, 11, root=mth(LEAVES[:10])))
    v.bad("another index", "the index says which side each hash stands on", **given(5, 11, index=4))
    v.bad("index at the size", "indexes end before the size", **given(5, 11, index=11))
    v.bad("index above", "indexes end before the size", **given(5, 11, index=2**64 - 1))
    v.bad("no tree", "the empty tree has no leaves", **given(0, 1, tree_size=0))
    v.bad("short proof", "each level counts", **given(5, 11, proof=proof[:-1]))
    v.bad("long proof", "a hash too many", **given(5, 11, proof=proof + [ROOT]))
    v.bad("no proof", "the leaf is not the root", **given(5, 11, proof=[]))
    v.bad("swapped hashes", "their order counts", **given(5, 11, proof=[proof[1], proof[0], *proof[2:]]))
    v.bad("changed hash", "each bit counts", **given(5, 11, proof=[*proof[:-1], flip(proof[-1], 31, 7)]))
    v.bad("node for a leaf", "leaves and nodes are hashed apart: an inner node is no leaf", **given(0, 4, index=0, tree_size=2, leaf_hash=mth(LEAVES[:2]), proof=[tlog.leaf_hash(b"")], root=mth(LEAVES[:4])))
    v.bad("last leaf with a proof for a smaller tree", "the lonely leaf has fewer siblings, not none", **given(10, 11, tree_size=12))
    return v


def consistencies():
    v = Vectors("consistency", "Verify the consistency proof (RFC 9162, 2.1.4.2). Hashes are in base64. From the empty tree, and between equal sizes, the proof is empty.")

    def given(old, new, **changed):
        made = {"old_size": old, "old_root": mth(LEAVES[:old]), "new_size": new, "new_root": mth(LEAVES[:new]), "proof": consistency(old, LEAVES[:new])}
        made.update(changed)
        return {name: b64(x) if isinstance(x, bytes) else [b64(h) for h in x] if isinstance(x, list) else x for name, x in made.items()}

    for old, new in ((0, 0), (0, 5), (1, 1), (1, 2), (1, 8), (2, 5), (3, 7), (4, 7), (6, 8), (6, 11), (8, 11), (10, 11), (11, 11)):
        v.good(f"{old} to {new}", "as the log proves it", **given(old, new))
    fork = [tlog.leaf_hash(b"another entry"), *LEAVES[1:]]
    proof = consistency(6, LEAVES)
    v.bad("rewritten", "the first entry is another one now", **given(6, 11, old_root=mth(fork[:6])))
    v.bad("rewritten, with the proof of the new history", "a proof of another log", **given(6, 11, new_root=mth(fork), proof=consistency(6, fork)))
    v.bad("rewritten at a power of two", "there the old root is part of the computation, and still compared", **given(8, 11, old_root=mth(fork[:8])))
    v.bad("shrunk", "a log never gets smaller", **given(6, 11, old_size=11, old_root=ROOT, new_size=6, new_root=mth(LEAVES[:6])))
    v.bad("fork at one size", "one size has one root", **given(11, 11, old_root=mth(fork)))
    v.bad("equal sizes with a proof", "there is nothing to prove", **given(11, 11, proof=[ROOT]))
    v.bad("from the empty tree with a proof", "there is nothing to prove", **given(0, 11, proof=[ROOT]))
    v.bad("empty tree with a root", "the empty tree has one root", **given(0, 11, old_root=ROOT))
    v.bad("two empty trees with another root", "the empty tree has one root", **given(0, 0, old_root=ROOT, new_root=ROOT))
    v.bad("no proof", "growth is proven", **given(6, 11, proof=[]))
    v.bad("no proof at a power of two", "growth is proven", **given(8, 11, proof=[]))
    v.bad("old root alone", "the old root is no proof that it is still there", **given(8, 11, proof=[mth(LEAVES[:8])]))
    v.bad("short proof", "each level counts", **given(6, 11, proof=proof[:-1]))
    v.bad("long proof", "a hash too many", **given(6, 11, proof=proof + [ROOT]))
    v.bad("swapped hashes", "their order counts", **given(6, 11, proof=[proof[1], proof[0], *proof[2:]]))
    v.bad("changed hash", "each bit counts", **given(6, 11, proof=[flip(proof[0], 0, 7), *proof[1:]]))
    v.bad("another old size", "the size says which leaves", **given(6, 11, old_size=5))
    v.bad("another new size", "the size says which leaves", **given(6, 11, new_size=20))
    return v


def proof_text(at, note=NOTE, **changed):
    made = {"version": "c2sp.org/tlog-proof@v1\n", "extra": f"extra {b64(ENTRIES[at].encode())}\n", "index": f"index {at}\n", "hashes": "".join(f"{b64(h)}\n" for h in path(at, LEAVES)), "blank": "\n", "note": note}
    made.update(changed)
    return "".join(made.values())


def proofs():
    v = Vectors(
        "proof",
        "Verify the `.tlog-proof` with `keys` for `origin`, with `policy` where there is one, and with `record` where there is one: then the bytes are those of the record's file. A valid case gives the index and the id of the record.",
        origin=ORIGIN,
        keys=[LOG_VKEY],
    )
    v.good("alone", "the proof and the key say that the record stands in the log", proof=proof_text(5), index=5, id="rp_5")
    v.good("with its record", "and what it says", proof=proof_text(5), record=RECORDS[5], index=5, id="rp_5")
    v.good("last entry", "fewer hashes", proof=proof_text(10), index=10, id="rp_10")
    one = signed(body(1, LEAVES[0]))
    v.good("only entry", "no hashes", proof=proof_text(0, one, hashes=""), index=0, id="rp_0")
    names = list(WITNESSES)
    cosigned = NOTE + cosignature(BODY, names[0]) + cosignature(BODY, names[1])
    policy = "".join(f"witness {name[:2]} {key}\n" for name, key in zip(names, WITNESS_VKEYS)) + "group two 2 w1 w2 w3\nquorum two\n"
    v.good("cosigned", "the quorum of the policy", proof=proof_text(5, cosigned), policy=policy, index=5, id="rp_5")
    v.bad("not cosigned", "the policy asks for two", proof=proof_text(5), policy=policy)
    v.bad("another record", "a record of the log, but not this one", proof=proof_text(5), record=RECORDS[6])
    v.bad("changed record", "one byte of the file", proof=proof_text(5), record=RECORDS[5].replace('"payload"', '"Payload"'))
    v.bad("record with another spelling", "the digest is of the bytes, not of the meaning", proof=proof_text(5), record=RECORDS[5] + "\n")
    resealed = compact(envelope(b'{"id":"rp_5"}', TYPE, OTHER_KEY))
    leaves = [*LEAVES]
    leaves[5] = tlog.leaf_hash(entry(5, resealed).encode())
    other = signed(body(11, mth(leaves)))
    changed = {"extra": f"extra {b64(entry(5, resealed).encode())}\n", "hashes": "".join(f"{b64(h)}\n" for h in path(5, leaves))}
    v.bad("record by an untrusted key", "in the log, but signed by nobody we trust", proof=proof_text(5, other, **changed), record=resealed)
    v.bad("another entry", "the extra data is not signed: the proof is what ties it to the root", proof=proof_text(5, extra=f"extra {b64(ENTRIES[6].encode())}\n"))
    v.bad("another index", "the place is proven too", proof=proof_text(5, index="index 4\n"))
    v.bad("index with a zero before", "one spelling", proof=proof_text(5, index="index 05\n"))
    v.bad("no index", "the place is stated", proof=proof_text(5, index=""))
    v.bad("no entry", "without the leaf there is nothing to prove", proof=proof_text(5, extra=""))
    v.bad("entry without padding", "one spelling", proof=proof_text(5, extra=f"extra {b64(ENTRIES[5].encode()).rstrip('=')}\n") if b64(ENTRIES[5].encode()).endswith("=") else proof_text(5, extra=f"extra {b64(ENTRIES[5].encode())}=\n"))
    hashes = [f"{b64(h)}\n" for h in path(5, LEAVES)]
    v.bad("missing hash", "each level counts", proof=proof_text(5, hashes="".join(hashes[1:])))
    v.bad("hash twice", "each level counts once", proof=proof_text(5, hashes="".join(hashes[:1] + hashes)))
    v.bad("swapped hashes", "their order counts", proof=proof_text(5, hashes="".join([hashes[1], hashes[0], *hashes[2:]])))
    v.bad("short hash", "32 bytes each", proof=proof_text(5, hashes=f"{b64(bytes(31))}\n" + "".join(hashes[1:])))
    v.bad("too many hashes", "no tree has more than 64 levels", proof=proof_text(5, hashes=hashes[0] * 65))
    v.bad("no blank line", "the checkpoint is apart", proof=proof_text(5, blank=""))
    v.bad("another version", "a format that is not known", proof=proof_text(5, version="c2sp.org/tlog-proof@v2\n"))
    v.bad("carriage returns", "mail programs make them", proof=proof_text(5).replace("\n", "\r\n"))
    v.bad("untrusted checkpoint", "another key signed it", proof=proof_text(5, signed(BODY, OTHER_KEY)))
    v.bad("checkpoint of another size", "signed, and of this log, and with another root", proof=proof_text(5, signed(body(10, mth(LEAVES[:10])))))
    v.bad("checkpoint from before the entry", "the entry is not in it", proof=proof_text(5, signed(body(5, mth(LEAVES[:5])))))
    unknown = "some other leaf\n".encode()
    v.bad("leaf that is no entry", "in the log, but nothing we can read", proof=proof_text(0, signed(body(1, tlog.leaf_hash(unknown))), extra=f"extra {b64(unknown)}\n", hashes=""))
    v.bad("empty", "nothing is no proof", proof="")
    return v


def envelopes():
    v = Vectors(
        "envelope",
        "Open the DSSE envelope with `keys` (32 bytes each, in base64). A valid case gives the payload. One content has few spellings: other and repeated fields are refused.",
        keys=[b64(LOG_KEY.public)],
    )
    good = envelope(b'{"id":"rp_1"}', TYPE)
    payload = '{"id":"rp_1"}'
    v.good("as sealed", "the form of a record's file", envelope=compact(good), payload=payload)
    v.good("spaces in the JSON", "the signature is over the payload, not over the JSON around it", envelope=json.dumps(good, indent=2), payload=payload)
    v.good("other order of fields", "JSON has no order", envelope=compact(dict(reversed(good.items()))), payload=payload)
    v.good("empty payload", "lengths count from zero", envelope=compact(envelope(b"", TYPE)), payload="")
    unknown = envelope(b'{"id":"rp_1"}', TYPE, OTHER_KEY)["signatures"]
    v.good("with an unknown signature", "ignored", envelope=compact({**good, "signatures": unknown + good["signatures"]}), payload=payload)
    bad = (
        ("changed payload", "the payload is signed", {"payload": b64(b'{"id":"rp_2"}')}),
        ("changed type", "the type is signed", {"payloadType": TYPE.replace("triage_report", "run_sql_intent")}),
        ("payload without padding", "one spelling", {"payload": good["payload"].rstrip("=")}),
        ("payload in the url alphabet", "one spelling", {"payload": "-_-_"}),
        ("payload with a line feed", "one spelling", {"payload": good["payload"] + "\n"}),
        ("no signatures", "somebody signed", {"signatures": []}),
        ("too many signatures", "more than sixteen are not looked at", {"signatures": good["signatures"] + [{"keyid": f"{n:064x}", "sig": ""} for n in range(16)]}),
        ("only an unknown signature", "nobody we trust signed", {"signatures": unknown}),
        ("one key twice", "one key is one signature", {"signatures": good["signatures"] * 2}),
        ("unknown key twice", "whoever it is", {"signatures": good["signatures"] + unknown * 2}),
        ("capital key id", "key ids are lower case, so this one is unknown", {"signatures": [{**good["signatures"][0], "keyid": good["signatures"][0]["keyid"].upper()}]}),
        ("another's key id", "the id is a hint; the signature decides", {"signatures": [{**unknown[0], "keyid": good["signatures"][0]["keyid"]}]}),
        ("signature without padding", "one spelling", {"signatures": [{**good["signatures"][0], "sig": good["signatures"][0]["sig"].rstrip("=")}]}),
        ("empty signature", "64 bytes", {"signatures": [{**good["signatures"][0], "sig": ""}]}),
        ("additional field in a signature", "what is not known is refused", {"signatures": [{**good["signatures"][0], "cert": ""}]}),
        ("additional field", "what is not known is refused", {"extra": ""}),
        ("payload that is no text", "fields have their types", {"payload": 1}),
    )
    for name, reason, changed in bad:
        v.bad(name, reason, envelope=compact({**good, **changed}))
    raw = base64.b64decode(good["signatures"][0]["sig"])
    over_payload = LOG_KEY.sign(b'{"id":"rp_1"}')
    v.bad("signature over the payload alone", "signed is the encoding with the type", envelope=compact({**good, "signatures": [{**good["signatures"][0], "sig": b64(over_payload)}]}))
    malleable = raw[:32] + (int.from_bytes(raw[32:], "little") + tlog.L).to_bytes(32, "little")
    v.bad("malleable signature", "a scalar above the order of the group", envelope=compact({**good, "signatures": [{**good["signatures"][0], "sig": b64(malleable)}]}))
    text = compact(good)
    v.bad("field twice", "two readers may take two different ones", envelope=text.replace('"payload":', '"payload":"e30=","payload":', 1))
    v.bad("no payload", "all three fields", envelope=compact({k: x for k, x in good.items() if k != "payload"}))
    v.bad("two envelopes", "one file is one envelope", envelope=text + text)
    v.bad("cut", "half an envelope", envelope=text[: len(text) // 2])
    v.bad("not UTF-8", "JSON is UTF-8", envelope=text.encode().replace(b"triage", b"tri\xffge"))
    v.bad("empty", "nothing is no envelope", envelope="")
    v.bad("array", "an envelope is an object", envelope="[]\n")
    return v


def keychains():
    v = Vectors(
        "keychain",
        "Find the keys of the log from `keys`, which the reader trusts (32 bytes each, in base64), and from `changes`: index and file of the records of the kind `log_key`, in the order of the log. Then open the `record` at `index` with the key that counts there, and refuse it if that key was declared compromised from this index or an earlier one. A valid case gives the payload, and `newest`, the keys that count for the newest checkpoint. A change that proves nothing changes nothing.",
    )
    k1, k2, k3, stranger = LOG_KEY, OTHER_KEY, Key(5), Key(9)

    def countersigned(made, *keys):
        others = [envelope(base64.b64decode(made["payload"]), made["payloadType"], key)["signatures"][0] for key in keys]
        return {**made, "signatures": made["signatures"] + others}

    def change(detail, *keys):
        payload = json.dumps({"record_id": "lk_1", "body": {"kind": "log_key", "detail": detail}}, separators=(",", ":")).encode()
        made = envelope(payload, "application/vnd.pg-logstats.log_key+json", keys[0])
        return compact(countersigned(made, *keys[1:]))

    def pem(key):
        return f"-----BEGIN PUBLIC KEY-----\n{b64(tlog.SPKI_ED25519 + key.public)}\n-----END PUBLIC KEY-----\n"

    def detail(old, new, **changed):
        return {"change": "rotated", "from": tlog.key_id(old.public), "from_public_key": pem(old), "to": tlog.key_id(new.public), "to_public_key": pem(new), "reason": "yearly", **changed}

    def rotated(index, old, new):
        return {"index": index, "record": change(detail(old, new), old, new)}

    def compromised(index, key, since, by):
        stated = {"change": "compromised", "key_id": tlog.key_id(key.public), "since_index": since, "reason": "a laptop is gone"}
        return {"index": index, "record": change(stated, by)}

    def case(trusted, changes, index, by, newest=None):
        payload = '{"id":"rp_%d"}' % index
        made = {"keys": [b64(key.public) for key in trusted], "changes": changes, "index": index, "record": compact(envelope(payload.encode(), TYPE, by))}
        return made if newest is None else {**made, "payload": payload, "newest": [b64(key.public) for key in newest]}

    one, two = [rotated(10, k1, k2)], [rotated(10, k1, k2), rotated(20, k2, k3)]
    v.good("no rotation", "the keys that the reader trusts count everywhere", **case([k1], [], 11, k1, [k1]))
    v.good("before the rotation", "its record is the last one under the old key", **case([k1], one, 9, k1, [k2]))
    v.good("after the rotation", "both keys signed it, so the new one follows from the old one", **case([k1], one, 11, k2, [k2]))
    v.good("before the rotation, from the new key", "and the old one from the new one", **case([k2], one, 9, k1, [k2]))
    v.good("after the rotation, from the new key", "it is the one that is trusted", **case([k2], one, 11, k2, [k2]))
    both = {**case([k1], one, 10, k1, [k2]), "record": one[0]["record"]}
    both["payload"] = base64.b64decode(json.loads(both["record"])["payload"]).decode()
    v.good("the record of the rotation", "it stands under the old key, and the new one signed it too", **both)
    for name, trusted in (("first", k1), ("second", k2), ("third", k3)):
        for index, by in ((10, k1), (11, k2), (20, k2), (21, k3), (2**64 - 1, k3)):
            v.good(f"two rotations, from the {name} key: {index}", "any key of the chain gives the whole", **case([trusted], two, index, by, [k3]))
    v.good("another rotation by the old key", "its time was over, so it changes nothing", **case([k1], [one[0], rotated(15, k1, stranger)], 16, k2, [k2]))
    v.good("a rotation of strangers", "whoever can write records can make one; it does not link up", **case([k1], [rotated(5, stranger, k3), *one], 11, k2, [k2]))
    v.good("strangers alone", "nothing follows from keys that nobody trusts", **case([stranger], one, 11, stranger, [stranger]))
    v.good("rotation to the same key", "one key is one signature", **case([k1], [{"index": 10, "record": change(detail(k1, k1), k1)}], 11, k1, [k1]))
    gone = compromised(12, k1, 5, k2)
    v.good("before the compromise", "what was signed before it counts", **case([k1], [*one, gone], 4, k1, [k2]))
    v.good("after the compromise, under the new key", "the declaration is of the old one", **case([k1], [*one, gone], 13, k2, [k2]))
    for name, reason, declared in (
        ("by the key itself", "whoever has the key could declare it compromised from the beginning", compromised(8, k1, 5, k1)),
        ("by the key in force, of itself", "nobody is believed about the key that signs", compromised(12, k2, 5, k2)),
        ("by the old key", "its time was over: whoever stole it could take the new one away", compromised(12, k2, 5, k1)),
        ("by a stranger", "nobody trusts that key", compromised(12, k1, 5, stranger)),
    ):
        index, by = (11, k2) if "new" in reason or "in force" in name else (7, k1)
        v.good(f"declared compromised {name}", reason, **case([k1], [*one, declared], index, by, [k2]))

    v.bad("old key after the rotation", "a process that was not told, or who stole the old key, must not go on", **case([k1], one, 11, k1))
    v.bad("new key before the rotation", "it did not count yet", **case([k2], one, 9, k2))
    v.bad("rotation record under the new key alone", "its own place is the last one of the old key", **case([k1], one, 10, k2))
    v.bad("second key after it was replaced", "each key has one time", **case([k1], two, 21, k2))
    v.bad("first key in the time of the second", "each key has one time", **case([k3], two, 15, k1))
    forged = (
        ("rotation not signed by the old key", "whoever makes a key could give the log to it", change(detail(k1, k2), k2)),
        ("rotation signed by another old key", "the key that is named signs", change(detail(k1, k2), stranger, k2)),
    )
    for name, reason, record in forged:
        v.bad(name, reason, **case([k1], [{"index": 10, "record": record}], 11, k2))
    v.bad("rotation not signed by the new key", "a log could claim the history of whose key it is", **case([k2], [{"index": 10, "record": change(detail(k1, k2), k1)}], 9, k1))
    v.bad("rotation signed by the old key alone", "the new key says whom it succeeds", **case([k1], [{"index": 10, "record": change(detail(k1, k2), k1)}], 11, k2))
    spoiled = json.loads(one[0]["record"])
    for at, name in ((0, "old"), (1, "new")):
        signatures = [dict(signature) for signature in spoiled["signatures"]]
        signatures[at]["sig"] = b64(flip(base64.b64decode(signatures[at]["sig"]), 4))
        v.bad(f"rotation with a spoiled signature of the {name} key", "both signatures verify", **case([k1], [{"index": 10, "record": compact({**spoiled, "signatures": signatures})}], 11, k2))
    for name, reason, changed in (
        ("rotation with the id of another key", "id and key are of one key", {"to": tlog.key_id(stranger.public)}),
        ("rotation with another key under the id", "id and key are of one key", {"to_public_key": pem(k3)}),
        ("rotation with a field that is not known", "what is not known is refused", {"since_index": 0}),
        ("rotation with a number for a reason", "fields have their types", {"reason": 1}),
        ("rotation under another name", "a change that is not known changes nothing", {"change": "replaced"}),
    ):
        v.bad(name, reason, **case([k1], [{"index": 10, "record": change(detail(k1, k2, **changed), k1, k2)}], 11, k2))
    v.bad("rotations in the wrong order", "each begins where the one before it ends", **case([k1], [rotated(10, k2, k3), rotated(20, k1, k2)], 25, k3))
    v.bad("rotations in the wrong order, from the newest key", "each begins where the one before it ends", **case([k3], [rotated(10, k2, k3), rotated(20, k1, k2)], 5, k1))
    v.bad("a rotation is missing", "nothing leads over the gap", **case([k1], two[1:], 21, k3))
    v.bad("a rotation is missing, from the newest key", "nothing leads over the gap", **case([k3], two[:1], 9, k1))
    v.bad("no key of the chain", "nobody we trust signed", **case([stranger], one, 11, k2))
    v.bad("first record that is compromised", "from this index on", **case([k1], [*one, gone], 5, k1))
    v.bad("later record that is compromised", "until the rotation", **case([k1], [*one, gone], 10, k1))
    v.bad("compromised, from the new key", "the declaration counts for every reader", **case([k2], [*one, gone], 7, k1))
    v.bad("declared compromised twice", "the earlier index counts", **case([k1], [*one, compromised(12, k1, 7, k2), compromised(13, k1, 5, k2)], 6, k1))
    v.bad("declared compromised once more from later on", "nothing takes a declaration back", **case([k1], [*one, gone, compromised(13, k1, 9, k2)], 6, k1))
    v.bad("second key compromised", "each key for itself", **case([k1], [*two, compromised(22, k2, 15, k3)], 15, k2))
    return v


def entries():
    v = Vectors("entry", "Read the leaf as an entry. One entry has one spelling (docs/auditors.md). A valid case gives the id.")
    good = ENTRIES[1]
    v.good("as logged", "the form of an entry", entry=good, id="rp_1")
    v.good("no incident", "a hyphen says that it belongs to none", entry=good.replace("incident inc_1", "incident -"), id="rp_1")
    v.good("before 1970", "clocks may be wrong", entry=good.replace("created_us 1766448000000001", "created_us -1"), id="rp_1")
    v.good("earliest time", "64 bits with a sign", entry=good.replace("created_us 1766448000000001", f"created_us {-2**63}"), id="rp_1")
    lines = good.splitlines(keepends=True)
    bad = (
        ("another version", "a form that is not known", good.replace("entry v1", "entry v2")),
        ("no line feed at the end", "each line ends", good[:-1]),
        ("blank line at the end", "no more lines", good + "\n"),
        ("another line", "no more lines", good + "note x\n"),
        ("line missing", "all lines", "".join(lines[:3] + lines[4:])),
        ("line twice", "each once", "".join(lines[:3] + lines[2:])),
        ("lines swapped", "their order is fixed", "".join([*lines[:2], lines[3], lines[2], *lines[4:]])),
        ("carriage returns", "line feeds", good.replace("\n", "\r\n")),
        ("two spaces", "one space", good.replace("id rp_1", "id  rp_1")),
        ("capital id", "ids are lower case", good.replace("id rp_1", "id RP_1")),
        ("path for an id", "an id is never a path", good.replace("id rp_1", "id ../rp_1")),
        ("long id", "forty letters", good.replace("id rp_1", "id rp_" + "1" * 41)),
        ("empty incident", "a hyphen, or an id", good.replace("incident inc_1", "incident ")),
        ("kind with a capital", "kinds are lower case", good.replace("triage", "Triage")),
        ("type of another kind", "the type follows from the kind", good.replace("kind triage_report", "kind run_sql_intent")),
        ("time with a zero before", "one spelling", good.replace("created_us 1", "created_us 01")),
        ("time with a plus", "one spelling", good.replace("created_us 1", "created_us +1")),
        ("minus zero", "one spelling", good.replace("created_us 1766448000000001", "created_us -0")),
        ("time too large", "64 bits with a sign", good.replace("created_us 1766448000000001", f"created_us {2**63}")),
        ("capital digest", "lower case", good.replace(lines[6], "sha256 " + lines[6][7:].upper())),
        ("short digest", "64 digits", good[:-2] + "\n"),
        ("empty", "nothing is no entry", ""),
    )
    for name, reason, text in bad:
        v.bad(name, reason, entry=text)
    v.bad("not UTF-8", "an entry is text", entry=good.encode().replace(b"inc_1", b"inc_\xff"))
    return v


def requests():
    v = Vectors(
        "request",
        "The status that a witness of `logs` answers to `body` (add-checkpoint of tlog-witness), which cosigned the checkpoint `stored` last, or none. Every case is valid: the status is what is compared.",
        logs=[LOG_VKEY],
    )

    def body_of(begin, new, leaves=LEAVES, key=LOG_KEY, origin=ORIGIN, **changed):
        made = {"old": f"old {begin}\n", "proof": "".join(f"{b64(h)}\n" for h in consistency(begin, leaves[:new])), "blank": "\n", "note": signed(body(new, mth(leaves[:new]), origin), key, origin)}
        made.update(changed)
        return "".join(made.values())

    stored = {size: signed(body(size, mth(LEAVES[:size]))) for size in (4, 6)}
    fork = [tlog.leaf_hash(b"another entry"), *LEAVES[1:]]
    lines = "".join(f"{b64(h)}\n" for h in consistency(6, LEAVES))
    v.good("first", "a log is cosigned from the beginning", body=body_of(0, 11), status=200)
    v.good("first and empty", "an empty log may be cosigned", body=body_of(0, 0), status=200)
    v.good("growth", "it continues what was cosigned", body=body_of(6, 11), stored=stored[6], status=200)
    v.good("growth from a power of two", "it continues what was cosigned", body=body_of(4, 11), stored=stored[4], status=200)
    v.good("same again", "a log that lost the answer asks again", body=body_of(6, 6), stored=stored[6], status=200)
    v.good("unknown log", "the origin is not in the list", body=body_of(0, 11, origin="elsewhere.example"), status=404)
    v.good("untrusted key", "nobody we trust signed", body=body_of(0, 11, key=OTHER_KEY), status=403)
    note = signed(body(11, ROOT))
    v.good("bad signature", "a signature that says it is by the log's key and is not", body=body_of(0, 11, note=note.replace("\n11\n", "\n12\n")), status=403)
    v.good("backwards", "the old size is larger than the new one", body=body_of(0, 4, old="old 6\n"), stored=stored[6], status=400)
    v.good("behind", "the witness has seen more", body=body_of(4, 11), stored=stored[6], status=409)
    v.good("ahead", "the witness has seen less", body=body_of(6, 11), stored=stored[4], status=409)
    v.good("never seen", "the witness has seen nothing", body=body_of(6, 11), status=409)
    v.good("smaller than seen", "a log that was rolled back", body=body_of(4, 5), stored=stored[6], status=409)
    v.good("fork at the same size", "two roots for one size", body=body_of(6, 6, fork), stored=stored[6], status=409)
    v.good("fork that grew", "another history under the same name", body=body_of(6, 11, fork), stored=stored[6], status=422)
    v.good("fork at a power of two", "another history under the same name", body=body_of(4, 11, fork), stored=stored[4], status=422)
    v.good("no proof", "growth is proven", body=body_of(6, 11, proof=""), stored=stored[6], status=422)
    v.good("proof from nothing", "there is nothing to prove", body=body_of(0, 11, proof=lines), status=422)
    v.good("proof for the same size", "there is nothing to prove", body=body_of(6, 6, proof=lines), stored=stored[6], status=422)
    v.good("empty log with a root", "the empty tree has one root", body=body_of(0, 0, note=signed(body(0, ROOT))), status=422)
    v.good("64 lines of proof", "no more than 63", body=body_of(6, 11, proof=f"{b64(ROOT)}\n" * 64), stored=stored[6], status=400)
    v.good("63 lines of proof", "that many are read, and do not hold", body=body_of(6, 11, proof=f"{b64(ROOT)}\n" * 63), stored=stored[6], status=422)
    for name, old in (("leading zero", "old 06\n"), ("plus", "old +6\n"), ("no number", "old \n"), ("no line", ""), ("capital", "Old 6\n"), ("space at the end", "old 6 \n"), ("too large", f"old {2**64}\n")):
        v.good(f"old size: {name}", "the old size has one spelling", body=body_of(6, 11, old=old), stored=stored[6], status=400)
    v.good("line that is no hash", "32 bytes in base64", body=body_of(6, 11, proof="AAAA\n"), stored=stored[6], status=400)
    v.good("no checkpoint", "nothing to cosign", body="old 0\n\n", status=400)
    v.good("checkpoint without signature", "no note", body=f"old 0\n\n{body(11, ROOT)}", status=400)
    v.good("carriage returns", "line feeds", body=body_of(0, 11).replace("\n", "\r\n"), status=400)
    v.good("not UTF-8", "text", body=body_of(0, 11).encode().replace(b"old", b"\xff"), status=400)
    v.good("empty", "nothing", body="", status=400)
    return v


def files():
    made = (checkpoints(), cosignatures(), policies(), witnessed(), inclusions(), consistencies(), proofs(), envelopes(), keychains(), entries(), requests())
    return {f"{vectors.kind}.json": vectors.text() for vectors in made}


def main():
    arguments = sys.argv[1:]
    check = arguments[:1] == ["--check"]
    if len(arguments) != 1 + check:
        print(__doc__, file=sys.stderr)
        return 2
    folder, stale = arguments[-1], []
    for name, text in files().items():
        place = os.path.join(folder, name)
        if check:
            try:
                with open(place, encoding="utf-8") as file:
                    there = file.read()
            except OSError:
                there = None
            if there != text:
                stale.append(name)
        else:
            with open(place, "w", encoding="utf-8") as file:
                file.write(text)
    if stale:
        print(f"not as this script makes them: {', '.join(stale)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
