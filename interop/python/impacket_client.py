"""impacket's NTLM. PEER_V1 asks for NTLMv1."""

import os

import peer
from impacket import ntlm

v2 = "PEER_V1" not in os.environ
negotiate = ntlm.getNTLMSSPType1("", "", signingRequired=False, use_ntlmv2=v2)


def authenticate(challenge):
    message, _key = ntlm.getNTLMSSPType3(
        negotiate, challenge, peer.USER, peer.PASSWORD, peer.DOMAIN, use_ntlmv2=v2, service="HTTP"
    )
    return message.getData()


peer.log_on(negotiate.getData, authenticate)
