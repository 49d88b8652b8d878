"""Ends TLS with a certificate of its own and passes every byte on: someone in the middle, or a terminator.

PEER_URL is what is behind, `http://HOST:PORT` or `https://HOST:PORT`, trusted by PEER_CA; PEER_CERTIFICATE and PEER_KEY
are what clients see. Prints `listening PORT`, and for each AUTHENTICATE that comes by `bindings absent`,
`bindings zero` or `bindings HASH`.
"""

import base64
import os
import re
import select
import socket
import ssl
import struct
import threading
import urllib.parse

BEHIND = urllib.parse.urlsplit(os.environ["PEER_URL"])


def say_bindings(token):
    start = token.find(b"NTLMSSP\0\3\0\0\0")
    if start < 0:
        return
    message = token[start:]
    length, _, offset = struct.unpack_from("<HHI", message, 20)
    # NTLMv2_RESPONSE: the proof (16 bytes), then NTLMv2_CLIENT_CHALLENGE, whose AV pairs begin at its 28th byte.
    pairs = message[offset : offset + length][44:]
    while len(pairs) >= 4:
        kind, size = struct.unpack_from("<HH", pairs)
        value, pairs = pairs[4 : 4 + size], pairs[4 + size :]
        if kind == 10:
            print("bindings", value.hex() if any(value) else "zero", flush=True)
            return
        if kind == 0:
            break
    print("bindings absent", flush=True)


def receive(source):
    """What has come, None when that is nothing yet, b"" at the end."""
    source.setblocking(False)
    try:
        return source.recv(65536)
    except (BlockingIOError, ssl.SSLWantReadError):
        return None
    except OSError:
        return b""
    finally:
        source.setblocking(True)


def relay(client, behind):
    # One thread for both ways: Python lets two threads into one OpenSSL connection, which OpenSSL does not allow.
    other = {client: behind, behind: client}
    seen = b""
    ended = False
    while not ended:
        waiting = [end for end in other if getattr(end, "pending", lambda: 0)()]
        ready = waiting or select.select([client, behind], [], [])[0]
        for source in ready:
            piece = receive(source)
            if piece is None:
                continue
            if not piece:
                ended = True
                break
            if source is client:
                seen += piece
                for found in re.finditer(rb"(?i)authorization: (?:ntlm|negotiate) ([A-Za-z0-9+/=]+)\r\n", seen):
                    say_bindings(base64.b64decode(found[1]))
                seen = seen[seen.rfind(b"\n") + 1 :]
            try:
                other[source].sendall(piece)
            except OSError:
                ended = True
    for end in other:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(plain, context):
    try:
        client = context.wrap_socket(plain, server_side=True)
        behind = socket.create_connection((BEHIND.hostname, BEHIND.port))
        if BEHIND.scheme == "https":
            behind = ssl.create_default_context(cafile=os.environ["PEER_CA"]).wrap_socket(
                behind, server_hostname=BEHIND.hostname
            )
    except OSError as why:
        print("refused", why, flush=True)
        plain.close()
        return
    relay(client, behind)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.environ["PEER_CERTIFICATE"], os.environ["PEER_KEY"])
listener = socket.create_server(("127.0.0.1", 0))
print("listening", listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection, context), daemon=True).start()
