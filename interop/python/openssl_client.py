"""pyOpenSSL: the OpenSSL that PyPI's cryptography brings, newer than Debian's. Prints `version V`, `group G`, then `STATUS BODY`.

With PEER_USER it logs on by pyspnego's NTLM, bound to the channel's exporter (RFC 9266). PEER_VERSION: TLSv1_2 or TLSv1_3.
PEER_BINDINGS: `wrong` for another secret. PEER_NO_EMS: without the extended master secret.
"""

import http.client
import io
import os
import socket

import peer
from OpenSSL import SSL


class Stream(io.RawIOBase):
    """What http.client wants of a socket."""

    def __init__(self, connection):
        self.connection = connection

    def readable(self):
        return True

    def readinto(self, buffer):
        try:
            return self.connection.recv_into(buffer)
        except SSL.ZeroReturnError:
            return 0

    def makefile(self, mode):
        # Each answer closes its own.
        return io.BufferedReader(Stream(self.connection))

    def sendall(self, data):
        self.connection.sendall(data)


context = SSL.Context(SSL.TLS_CLIENT_METHOD)
context.load_verify_locations(os.environ["PEER_CA"])
context.set_verify(SSL.VERIFY_PEER)
if version := os.environ.get("PEER_VERSION"):
    number = {"TLSv1_2": SSL.TLS1_2_VERSION, "TLSv1_3": SSL.TLS1_3_VERSION}[version]
    context.set_min_proto_version(number)
    context.set_max_proto_version(number)
if os.environ.get("PEER_NO_EMS"):
    context.set_options(1)  # SSL_OP_NO_EXTENDED_MASTER_SECRET, which pyOpenSSL does not name
conversation = peer.Connection()
tls = SSL.Connection(context, socket.create_connection((conversation.host, conversation.http.port)))
tls.set_connect_state()
tls.do_handshake()
print("version", tls.get_protocol_version_name())
print("group", tls.get_group_name())
conversation.http = http.client.HTTPConnection(conversation.host, conversation.http.port)
conversation.http.sock = Stream(tls)

if not peer.USER:
    status, _, body = conversation.send()
else:
    import spnego
    from spnego.channel_bindings import GssChannelBindings

    secret = tls.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
    if os.environ.get("PEER_BINDINGS") == "wrong":
        secret = bytes([secret[0] ^ 1]) + secret[1:]
    client = spnego.client(
        peer.NAME,
        peer.PASSWORD,
        hostname=conversation.host,
        service="HTTP",
        protocol="ntlm",
        channel_bindings=GssChannelBindings(application_data=b"tls-exporter:" + secret),
        options=spnego.NegotiateOptions.use_ntlm,
    )
    _, challenge, _ = conversation.leg(client.step())
    status, _, body = conversation.leg(client.step(challenge))
peer.say(status, body)
