"""An acceptor that nobody here wrote, over TCP: what the project's own initiator logs on to.

PEER_LIBRARY is `pyspnego`, `gssapi` (MIT's library with gss-ntlmssp) or `ntlm_auth` (Samba's, which judges and protects no
messages); PEER_PACKAGE is NTLM or Negotiate; PEER_USER, PEER_DOMAIN and PEER_PASSWORD are the one account; PEER_CHANNEL is
the application data of the channel's bindings, where there is a channel (pyspnego alone).

Prints `listening PORT`, takes one connection and ends with it. A frame is its length (32 bits, big-endian) and its
payload. Tokens come and go as frames; the acceptor's last frame of the handshake is its status: a byte, 0 for
established or 1 for refused, the user's name or the reason. A token that goes with an established context comes before it.
Then `S` signature text or `E` signature sealed text; the answer has the same form and the text reversed.
"""

import base64
import os
import socket
import struct
import subprocess
import tempfile

PACKAGE = os.environ["PEER_PACKAGE"]
USER, DOMAIN, PASSWORD = (os.environ[f"PEER_{name}"] for name in ("USER", "DOMAIN", "PASSWORD"))


def users():
    file = tempfile.NamedTemporaryFile("w", delete=False)
    file.write(f"{DOMAIN}:{USER}:{PASSWORD}\n")
    file.close()
    os.environ["NTLM_USER_FILE"] = file.name


class Pyspnego:
    def __init__(self):
        users()
        import spnego
        from spnego.channel_bindings import GssChannelBindings

        channel = os.environ.get("PEER_CHANNEL")
        ntlm = PACKAGE == "NTLM"
        self.context = spnego.server(
            protocol=PACKAGE.lower(),
            options=spnego.NegotiateOptions.use_ntlm if ntlm else spnego.NegotiateOptions.use_negotiate,
            channel_bindings=GssChannelBindings(application_data=channel.encode()) if channel else None,
        )

    def step(self, token):
        return self.context.step(token)

    def complete(self):
        return self.context.complete

    def name(self):
        return self.context.client_principal

    def verify(self, text, signature):
        self.context.verify(text, signature)

    def sign(self, text):
        return self.context.sign(text)

    def unseal(self, sealed, signature):
        return self.context.unwrap(signature + sealed).data

    def seal(self, text):
        wrapped = self.context.wrap(text).data
        return wrapped[:16], wrapped[16:]


class Gssapi:
    def __init__(self):
        users()
        import gssapi

        oid = "1.3.6.1.4.1.311.2.2.10" if PACKAGE == "NTLM" else "1.3.6.1.5.5.2"
        credential = gssapi.Credentials(usage="accept", mechs=[gssapi.OID.from_int_seq(oid)])
        self.context = gssapi.SecurityContext(creds=credential, usage="accept")

    def step(self, token):
        return self.context.step(token)

    def complete(self):
        return self.context.complete

    def name(self):
        return str(self.context.initiator_name)

    def verify(self, text, signature):
        self.context.verify_signature(text, signature)

    def sign(self, text):
        return self.context.get_signature(text)

    def unseal(self, sealed, signature):
        return self.context.unwrap(signature + sealed).message

    def seal(self, text):
        wrapped = self.context.wrap(text, True).message
        return wrapped[:16], wrapped[16:]


class NtlmAuth:
    """Samba's helper. With a password it needs no domain controller, and judges by that."""

    def __init__(self):
        protocol = "squid-2.5-ntlmssp" if PACKAGE == "NTLM" else "gss-spnego"
        self.helper = subprocess.Popen(
            ["ntlm_auth", f"--helper-protocol={protocol}", f"--username={USER}", f"--password={PASSWORD}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.verb, self.user = b"YR", None

    def step(self, token):
        self.helper.stdin.write(self.verb + b" " + base64.b64encode(token) + b"\n")
        self.helper.stdin.flush()
        self.verb = b"KK"
        verdict, *rest = self.helper.stdout.readline().split()
        if verdict == b"TT":
            return base64.b64decode(rest[0])
        if verdict == b"AF":
            *token, self.user = rest
            return base64.b64decode(token[0]) if token and token[0] != b"*" else None
        raise ValueError(b" ".join([verdict, *rest]).decode())

    def complete(self):
        return self.user is not None

    def name(self):
        return self.user.decode()


class Peer:
    def __init__(self, connection):
        self.socket = connection

    def send(self, payload):
        self.socket.sendall(struct.pack(">I", len(payload)) + payload)

    def receive(self):
        (length,) = struct.unpack(">I", self.exactly(4))
        return self.exactly(length)

    def exactly(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise EOFError
            data += more
        return data


def main():
    library = {"pyspnego": Pyspnego, "gssapi": Gssapi, "ntlm_auth": NtlmAuth}[os.environ["PEER_LIBRARY"]]
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening {listener.getsockname()[1]}", flush=True)
    listener.settimeout(60)
    connection, _ = listener.accept()
    connection.settimeout(60)
    peer = Peer(connection)
    ours = library()
    try:
        while not ours.complete():
            answer = ours.step(peer.receive())
            if answer:
                peer.send(b"T" + answer)
    except EOFError:
        return
    except Exception as refused:
        peer.send(b"\1" + str(refused).encode())
        return
    peer.send(b"\0" + str(ours.name()).encode())
    while True:
        try:
            message = peer.receive()
        except EOFError:
            return
        kind, signature, text = message[:1], message[1:17], message[17:]
        try:
            if kind == b"S":
                ours.verify(text, signature)
                peer.send(b"S" + ours.sign(text[::-1]) + text[::-1])
            else:
                signature, sealed = ours.seal(ours.unseal(text, signature)[::-1])
                peer.send(b"E" + signature + sealed)
        except Exception as refused:
            peer.send(b"F" + str(refused).encode())
            return


main()
