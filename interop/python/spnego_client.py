"""pyspnego: SPNEGO around NTLM.

PEER_SPNEGO says what it shall do besides, names between commas: `raw` (NTLM's own tokens), `noflags` (neither signing nor
sealing asked for), and what spnego_ways.py has.
"""

import os

import peer
import spnego
import spnego_ways
from spnego._context import ContextReq

WAYS = os.environ.get("PEER_SPNEGO", "").split(",")


def main():
    raw = "raw" in WAYS
    client = spnego.client(
        peer.NAME,
        peer.PASSWORD,
        protocol="ntlm" if raw else "negotiate",
        options=spnego.NegotiateOptions.use_ntlm if raw else spnego.NegotiateOptions.use_negotiate,
        context_req=ContextReq.none if "noflags" in WAYS else ContextReq.default,
    )
    if not raw:
        spnego_ways.apply(WAYS)

    peer.negotiate(lambda token: None if client.complete else client.step(token))
    if not client.complete:
        raise SystemExit("the client does not think that it is through")


main()
