"""requests with requests-ntlm2 (ntlm-auth underneath). PEER_LEVEL is the LmCompatibilityLevel: 0 to 2 are NTLMv1."""

import hashlib
import os

import peer
import requests
from Cryptodome.Hash import MD4
from requests_ntlm2 import HttpNtlmAuth

# ntlm-auth takes MD4 from hashlib, and OpenSSL 3 has it no longer: lend it pycryptodome's.
from_openssl = hashlib.new
hashlib.new = lambda name, *rest, **options: MD4.new(*rest) if name == "md4" else from_openssl(name, *rest, **options)

session = requests.Session()
session.trust_env = False
session.auth = HttpNtlmAuth(peer.NAME, peer.PASSWORD, ntlm_compatibility=int(os.environ.get("PEER_LEVEL", "3")))
session.headers["Accept"] = "application/json"
for _ in range(peer.TIMES):
    answer = session.get(peer.URL) if peer.BODY is None else session.post(peer.URL, data=peer.BODY)
    peer.say(answer.status_code, answer.text)
