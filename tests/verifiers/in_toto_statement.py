"""Verifies a runbook's signatures with code that is not ours: securesystemslib for DSSE, in-toto-attestation for the statement.

usage: in_toto_statement.py COMPONENT ENVELOPE PUBLIC_KEY...     every key has to have signed; prints what the statement says
"""

import hashlib
import json
import sys

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey


def key(path):
    with open(path, "rb") as file:
        public = load_pem_public_key(file.read())
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SSlibKey.from_crypto(public, keyid=hashlib.sha256(spki).hexdigest())


def main(component, envelope, *keys):
    with open(envelope, encoding="utf-8") as file:
        envelope = Envelope.from_dict(json.load(file))
    envelope.verify([key(path) for path in keys], len(keys))
    assert envelope.payload_type == "application/vnd.in-toto+json", envelope.payload_type
    message = json_format.Parse(envelope.payload.decode(), statement_pb2.Statement())
    statement = Statement.copy_from_pb(message)
    statement.validate()
    [subject] = message.subject
    with open(component, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    assert subject.digest["sha256"] == digest, "the statement is about another component"
    predicate = json_format.MessageToDict(message.predicate)
    print(json.dumps({"subject": subject.name, **predicate}))


if __name__ == "__main__":
    main(*sys.argv[1:])
