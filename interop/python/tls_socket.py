"""Python's ssl module: what a connection came to be, and what it says.

PEER_CA: the roots. PEER_VERSION: TLSv1_2 or TLSv1_3. PEER_ALPN: names between commas. PEER_CERTIFICATE, PEER_KEY: a
client certificate.
PEER_NAME: whom to ask for (SNI), and whose certificate is expected. PEER_TIMES: connections, each resuming the one before.
PEER_WAY: `get` (a request for each connection), `close` (one that the server shall close behind), `truncated` (half a
request, then TCP ends without close_notify).

For each connection: `version V`, `cipher C`, `alpn A`, `resumed True`, `endpoint HASH` (SHA-256 of the certificate);
then `STATUS BODY`, or `refused WHY`; behind `close`, `close_notify` or `torn`.
"""

import hashlib
import os
import socket
import ssl
import urllib.parse

URL = urllib.parse.urlsplit(os.environ["PEER_URL"])
WAY = os.environ.get("PEER_WAY", "get")


def tls():
    context = ssl.create_default_context(cafile=os.environ["PEER_CA"])
    if version := os.environ.get("PEER_VERSION"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    if alpn := os.environ.get("PEER_ALPN"):
        context.set_alpn_protocols(alpn.split(","))
    if certificate := os.environ.get("PEER_CERTIFICATE"):
        context.load_cert_chain(certificate, os.environ["PEER_KEY"])
    return context


def read_answer(connection):
    """Until the server closes, or the body is whole."""
    seen = b""
    while True:
        head, there, body = seen.partition(b"\r\n\r\n")
        if there and WAY == "get":
            lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            if len(body) >= int(lengths[0]):
                return int(head.split(b" ")[1]), body
        piece = connection.recv(65536)
        if not piece:
            if WAY == "close" and there:
                print("close_notify")
                return int(head.split(b" ")[1]), body
            raise ConnectionError("closed without an answer")
        seen += piece


def once(context, session):
    plain = socket.create_connection((URL.hostname, URL.port), timeout=30)
    connection = context.wrap_socket(
        plain,
        server_hostname=os.environ.get("PEER_NAME", URL.hostname),
        session=session,
        # An end without close_notify shall not look like one with it.
        suppress_ragged_eofs=False,
    )
    print("version", connection.version())
    print("cipher", connection.cipher()[0])
    print("alpn", connection.selected_alpn_protocol())
    print("resumed", connection.session_reused)
    print("endpoint", hashlib.sha256(connection.getpeercert(True)).hexdigest())
    if WAY == "truncated":
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        socket.socket(fileno=connection.detach()).close()
        return None
    more = "Connection: close\r\n" if WAY == "close" else ""
    request = f"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n{more}\r\n"
    connection.sendall(request.encode())
    status, body = read_answer(connection)
    print(status, " ".join(body.decode().split()))
    session = connection.session
    connection.close()
    return session


context, session = tls(), None
for _ in range(int(os.environ.get("PEER_TIMES", "1"))):
    try:
        session = once(context, session)
    except ssl.SSLEOFError:
        print("torn")
    except (OSError, ssl.SSLError) as why:
        print("refused", getattr(why, "reason", None) or why)
