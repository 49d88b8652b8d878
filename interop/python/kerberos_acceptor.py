"""An acceptor of Kerberos that nobody here wrote: it judges clients before they judge us, and judges our initiator.

PEER_SERVE: `http` (the default) or `tcp`, whose frames kerberos_seal.py describes. PEER_LIBRARY as kerberos_contexts.py
has it; the keys are those of KRB5_KTNAME. PEER_CERTIFICATE, PEER_KEY: HTTPS, to whose certificate clients may be bound.
PEER_DATA: the bindings' application data in hex, without HTTPS. PEER_LIBRARY `gssapi` alone says whether a client is bound.

Prints `listening PORT` and serves until it is ended. HTTP's answer is JSON with the names that the answers of
`portcullis serve` have: name, domain, package, mechanism, flags, channel_bindings (`matched` or `unchecked`), and
`delegated`. Over TCP the last frame of the handshake is a byte, 0 or 1, and four bytes; where PEER_NAME is set it is 0 and
the client's name, a blank, and flags with commas between (`BOUND` among them), or 1 and the reason. PEER_DEBUG: says on its standard error why it refused.
"""

import base64
import hashlib
import http.server
import json
import os
import socketserver
import ssl
import sys

import kerberos_contexts
from framed import Framed, pack, unpack

ALTERED, DENIED = bytes.fromhex("8009030f"), bytes.fromhex("8009030c")


def bindings():
    if os.environ.get("PEER_CERTIFICATE"):
        with open(os.environ["PEER_CERTIFICATE"]) as file:
            first = file.read().partition("-----END CERTIFICATE-----")
        der = ssl.PEM_cert_to_DER_cert(first[0][first[0].index("-----BEGIN") :] + first[1])
        return b"tls-server-end-point:" + hashlib.sha256(der).digest()
    return bytes.fromhex(os.environ["PEER_DATA"]) if os.environ.get("PEER_DATA") else None


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    context = None

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "negotiate":
            return self.reply(401, {"why": "no token"}, "Negotiate")
        try:
            # A connection's handshake may take several requests.
            self.context = self.context or kerberos_contexts.context(None, bindings())
            answer = self.context.step(base64.b64decode(token))
            name, _, realm = self.context.client().rpartition("@") if self.context.complete else ("", "", "")
        except Exception as refused:
            self.context = None
            return self.reply(401, {"why": str(refused)}, "Negotiate")
        offer = None if answer is None else "Negotiate " + base64.b64encode(answer).decode()
        if not self.context.complete:
            return self.reply(401, {"why": "more is to come"}, offer or "Negotiate")
        context, self.context = self.context, None
        who = {
            "name": name,
            "domain": realm,
            "package": "Negotiate",
            "mechanism": "Kerberos",
            "flags": context.flags(),
            "channel_bindings": "matched" if context.bound() else "unchecked",
            "delegated": context.delegated,
        }
        self.reply(200, who, offer)

    do_POST = do_GET

    def reply(self, status, who, offer):
        body = json.dumps(who).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if offer:
            self.send_header("WWW-Authenticate", offer)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Frames(socketserver.BaseRequestHandler):
    def handle(self):
        peer = Framed(self.request)
        ours = kerberos_contexts.context(None, bindings())
        named = os.environ.get("PEER_NAME")
        try:
            while not ours.complete:
                answer = ours.step(peer.receive())
                if answer:
                    peer.send(answer)
            peer.send(b"\0" + (self.who(ours).encode() if named else bytes(4)))
            while True:
                peer.send(self.answer(ours, peer.receive()))
        except EOFError:
            pass
        except Exception as refused:
            if os.environ.get("PEER_DEBUG"):
                print(repr(refused), file=sys.stderr)
            status = ALTERED if ours.complete else DENIED
            peer.send((b"F" if ours.complete else b"\1") + (str(refused).encode() if named else status))

    def who(self, ours):
        flags = ours.flags() + ["BOUND"] * ours.bound()
        # A flag says what was asked for; what counts is what came.
        flags = [flag for flag in flags if flag != "DELEGATE" or ours.delegated]
        return f"{ours.client()} {','.join(flags)}"

    def answer(self, ours, message):
        kind, rest = message[:1], message[1:]
        if kind == b"S":
            token, text = unpack(rest, 2)
            ours.verify(text, token)
            return kind + pack(ours.sign(text[::-1]), text[::-1])
        if kind in (b"E", b"P"):
            text, sealed = ours.unwrap(*unpack(rest, 1))
            assert sealed == (kind == b"E"), "it is not sealed as it is said to be"
            return kind + pack(ours.wrap(text[::-1], sealed))
        token, head, hidden = unpack(rest, 3)
        text = ours.unwrap_parts(token, head, hidden)
        token, hidden = ours.wrap_parts(head[::-1], text[::-1])
        return kind + pack(token, head[::-1], hidden)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


def main():
    server = Server(("127.0.0.1", 0), Frames if os.environ.get("PEER_SERVE") == "tcp" else Web)
    if os.environ.get("PEER_CERTIFICATE"):
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(os.environ["PEER_CERTIFICATE"], os.environ["PEER_KEY"])
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    print("listening", server.server_address[1], flush=True)
    server.serve_forever()


main()
