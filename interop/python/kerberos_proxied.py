"""Logs on as PEER_USER with a service's own tickets: constrained delegation with protocol transition, by python-gssapi.

KRB5CCNAME holds the service's ticket-granting ticket, KRB5_CLIENT_KTNAME its keys; PEER_URL and PEER_REALM as ever.
"""

import os

import gssapi
import peer

peer.SCHEME = "Negotiate"


def main():
    realm = os.environ["PEER_REALM"]
    kerberos = gssapi.MechType.kerberos
    user = gssapi.Name(f"{peer.USER}@{realm}", gssapi.NameType.kerberos_principal)
    own = gssapi.Credentials(usage="both", mechs=[kerberos])
    acting = own.impersonate(user, mechs=[kerberos], usage="initiate")
    client = gssapi.SecurityContext(
        name=gssapi.Name("HTTP@localhost", gssapi.NameType.hostbased_service),
        creds=acting,
        mech=kerberos,
        flags=gssapi.RequirementFlag.mutual_authentication,
        usage="initiate",
    )
    peer.negotiate(lambda token: None if client.complete else client.step(token))


main()
