"""pyspnego in the place of the C library's sample programs, which say what goes over the wire
(crates/capi/tests/c/sample_server.c).

    sample_peer.py client PORT        logs on to sample_server
    sample_peer.py server             serves one sample_client; prints `listening PORT` first

PEER_PACKAGE is NTLM or Negotiate; PEER_USER, PEER_DOMAIN and PEER_PASSWORD are the one account. Prints `established` and
the server's message (client) or `client NAME` (server), or `refused` and a reason.
"""

import os
import socket
import struct
import sys
import tempfile

import spnego

PACKAGE = os.environ["PEER_PACKAGE"]
USER, DOMAIN, PASSWORD = (os.environ[f"PEER_{name}"] for name in ("USER", "DOMAIN", "PASSWORD"))
OPTIONS = spnego.NegotiateOptions.use_ntlm if PACKAGE == "NTLM" else spnego.NegotiateOptions.use_negotiate
GREETING = b"This is pyspnego speaking"


def send(connection, payload):
    connection.sendall(struct.pack("<I", len(payload)) + payload)


def receive(connection):
    (length,) = struct.unpack("<I", exactly(connection, 4))
    return exactly(connection, length)


def exactly(connection, length):
    data = b""
    while len(data) < length:
        more = connection.recv(length - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def client(port):
    context = spnego.client(f"{DOMAIN}\\{USER}" if DOMAIN else USER, PASSWORD, protocol=PACKAGE.lower(), options=OPTIONS)
    connection = socket.create_connection(("127.0.0.1", port), 60)
    token = context.step()
    while token:
        send(connection, token)
        token = None if context.complete else context.step(receive(connection))
    message = receive(connection)
    (length,) = struct.unpack("<I", message[:4])
    # pyspnego takes a signature and what it belongs to as one piece.
    print("established")
    print(context.unwrap(message[4 : 4 + length] + message[4 + length :]).data.decode())


def server():
    with tempfile.NamedTemporaryFile("w") as users:
        users.write(f"{DOMAIN}:{USER}:{PASSWORD}\n")
        users.flush()
        os.environ["NTLM_USER_FILE"] = users.name
        listener = socket.create_server(("127.0.0.1", 0))
        print(f"listening {listener.getsockname()[1]}", flush=True)
        listener.settimeout(60)
        connection, _ = listener.accept()
        connection.settimeout(60)
        context = spnego.server(protocol=PACKAGE.lower(), options=OPTIONS)
        while not context.complete:
            answer = context.step(receive(connection))
            if answer:
                send(connection, answer)
    wrapped = context.wrap(GREETING).data
    send(connection, struct.pack("<I", 16) + wrapped)
    print(f"client {context.client_principal}")


try:
    client(int(sys.argv[2])) if sys.argv[1] == "client" else server()
except EOFError:
    print("refused closed")
    sys.exit(1)
except Exception as refused:
    print(f"refused {refused}")
    sys.exit(1)
