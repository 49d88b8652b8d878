"""requests with requests-ntlm (pyspnego underneath)."""

import peer
import requests
from requests_ntlm import HttpNtlmAuth

session = requests.Session()
session.trust_env = False
session.auth = HttpNtlmAuth(peer.NAME, peer.PASSWORD)
session.headers["Accept"] = "application/json"
for _ in range(peer.TIMES):
    answer = session.get(peer.URL) if peer.BODY is None else session.post(peer.URL, data=peer.BODY)
    peer.say(answer.status_code, answer.text)
