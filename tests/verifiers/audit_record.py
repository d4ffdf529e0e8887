"""Verifies a record of the audit log with code that is not ours: securesystemslib for DSSE.

usage: audit_record.py RECORD PUBLIC_KEY...     every key has to have signed; prints the payload
"""

import json
import sys

from in_toto_statement import key
from securesystemslib.dsse import Envelope


def main(record, *keys):
    with open(record, encoding="utf-8") as file:
        envelope = Envelope.from_dict(json.load(file))
    envelope.verify([key(path) for path in keys], len(keys))
    print(json.dumps({"type": envelope.payload_type, "payload": json.loads(envelope.payload)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
