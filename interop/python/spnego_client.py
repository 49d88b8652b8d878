"""pyspnego: SPNEGO around NTLM.

PEER_SPNEGO says what it shall do besides, names between commas: `raw` (NTLM's own tokens), `nomic` (NTLM without MIC, and
so without a signed list), `noflags` (neither signing nor sealing asked for), `other` (an unknown mechanism listed first,
so that the server asks for a signed list).
"""

import os

import peer
import spnego
from spnego._context import ContextReq, GSSMech

WAYS = set(filter(None, os.environ.get("PEER_SPNEGO", "").split(",")))


def unsigned():
    """A client that never heard of the NTLM MIC: what announces it is left out of the response."""
    from spnego._ntlm_raw import crypto, messages
    import spnego._ntlm as ntlm

    ntlm._get_credential_file = ntlm._get_credential_file  # the module is there as expected
    compute = ntlm.compute_response_v2

    def without_flags(nt_hash, server, client, time, target):
        target.pop(messages.AvId.flags, None)
        return compute(nt_hash, server, client, time, target)

    ntlm.compute_response_v2 = without_flags
    return crypto


def main():
    if "nomic" in WAYS:
        unsigned()
    wanted = ContextReq.none if "noflags" in WAYS else ContextReq.default
    client = spnego.client(
        peer.NAME,
        peer.PASSWORD,
        protocol="ntlm" if "raw" in WAYS else "negotiate",
        options=spnego.NegotiateOptions.use_ntlm if "raw" in WAYS else spnego.NegotiateOptions.use_negotiate,
        context_req=wanted,
    )

    def step(token):
        if client.complete:
            return None
        return client.step(token)

    peer.negotiate(step)
    if not client.complete:
        print("the client does not think that it is through")


main()
