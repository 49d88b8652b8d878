"""Logs on by Kerberos with the tickets that KRB5CCNAME holds; kerberos_contexts.py says by which library, and how.

PEER_TARGET: the service (`HTTP@` and the URL's host). PEER_BINDINGS: for HTTPS, as https_client.py has it: `right`,
`wrong` or `absent`; PEER_CA: the roots. Prints, beside the answers, `granted` and the flags that the client ended with.
"""

import hashlib
import http.client
import os
import ssl
import urllib.parse

import kerberos_contexts
import peer

peer.SCHEME = "Negotiate"


def secure():
    """The connection, where the URL is one of HTTPS, and the bindings to it."""
    connection = peer.Connection()
    if not peer.URL.startswith("https:"):
        return connection, None
    tls = ssl.create_default_context(cafile=os.environ["PEER_CA"])
    connection.http = http.client.HTTPSConnection(connection.host, connection.http.port, timeout=30, context=tls)
    connection.http.connect()
    bindings = {
        "absent": None,
        "wrong": b"tls-server-end-point:" + b"\x11" * 32,
        # The tests' certificates are signed with SHA-256 (RFC 5929 section 4.1).
        "right": b"tls-server-end-point:" + hashlib.sha256(connection.http.sock.getpeercert(True)).digest(),
    }
    return connection, bindings[os.environ.get("PEER_BINDINGS", "absent")]


def main():
    connection, bindings = secure()
    target = os.environ.get("PEER_TARGET") or "HTTP@" + urllib.parse.urlsplit(peer.URL).hostname
    for number in range(peer.TIMES):
        client = kerberos_contexts.context(target, bindings)
        token = client.step(None)
        while True:
            status, answer, body = connection.leg(token)
            token = client.step(answer) if answer is not None and not client.complete else None
            if status != 401 or token is None:
                break
        peer.say(status, body)
        if status == 200 and not client.complete:
            raise SystemExit("the client does not think that it is through")
        if client.complete:
            print("granted", *client.flags())


main()
