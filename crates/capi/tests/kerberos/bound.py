"""Logs on to kerberos_peer with channel bindings of PEER_CHANNEL (none where it is not set): `bound.py PORT`."""

import os
import sys

import kerberos_contexts
from framed import Framed

channel = os.environ.get("PEER_CHANNEL")
service = Framed.to("127.0.0.1", int(sys.argv[1]))
ours = kerberos_contexts.context(os.environ["PEER_TARGET"], channel.encode() if channel is not None else None)
service.send(ours.step(None))
said = service.receive()
while len(said) != 5:
    if not ours.complete:
        ours.step(said)
    said = service.receive()
print("established" if said == bytes(5) else "refused " + said[1:].hex())
