"""Samba's own NTLMSSP, alone or in its SPNEGO (python3-samba, so the system's Python), as smbclient and a domain member
use it."""

import peer
from samba import credentials, gensec, param

loadparm = param.LoadParm()
loadparm.load_default()
account = credentials.Credentials()
account.guess(loadparm)
account.set_kerberos_state(credentials.DONT_USE_KERBEROS)
account.set_domain(peer.DOMAIN)
account.set_username(peer.USER)
account.set_password(peer.PASSWORD)
account.set_workstation("SAMBACLIENT")

client = gensec.Security.start_client({"lp_ctx": loadparm, "target_hostname": "127.0.0.1"})
client.set_credentials(account)
if peer.SCHEME == "NTLM":
    client.start_mech_by_name("ntlmssp")
    peer.log_on(lambda: client.update(b"")[1], lambda challenge: client.update(challenge)[1])
else:
    client.start_mech_by_name("spnego")
    finished = False

    def step(token):
        global finished
        if finished:
            return None
        finished, answer = client.update(token or b"")
        return answer

    peer.negotiate(step)
    if not finished:
        raise SystemExit("the client does not think that it is through")
