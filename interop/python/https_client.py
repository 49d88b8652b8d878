"""Logs on over HTTPS, bound to the channel as told.

PEER_LIBRARY: pyspnego, requests_ntlm, impacket or gssapi (MIT's SPNEGO over gss-ntlmssp). PEER_SCHEME: NTLM or
Negotiate. PEER_CA: the roots. PEER_BINDINGS: `right` (over the server's certificate, RFC 5929 §4.1), `wrong`, `absent`,
`zero`, or the file of another certificate. PEER_CERTIFICATE, PEER_KEY: a client certificate. PEER_WEAK: take the server's certificate however it is signed.
"""

import hashlib
import http.client
import os
import ssl
import sys

import peer

LIBRARY = os.environ["PEER_LIBRARY"]
BINDINGS = os.environ["PEER_BINDINGS"]


def tls():
    context = ssl.create_default_context(cafile=os.environ["PEER_CA"])
    if os.environ.get("PEER_WEAK"):
        context.set_ciphers("DEFAULT@SECLEVEL=0")
    if os.environ.get("PEER_CERTIFICATE"):
        context.load_cert_chain(os.environ["PEER_CERTIFICATE"], os.environ["PEER_KEY"])
    return context


def end_point(der):
    """The certificate's hash by its signature's hash function; SHA-256 for MD5, SHA-1, and where there is none."""
    name = "sha256"
    if LIBRARY != "gssapi":  # Debian's Python, whose test certificate is one of SHA-256
        from cryptography import x509

        algorithm = x509.load_der_x509_certificate(der).signature_hash_algorithm
        if algorithm is not None and algorithm.name not in ("md5", "sha1"):
            name = algorithm.name
    return b"tls-server-end-point:" + hashlib.new(name, der).digest()


def bindings(sock):
    """The application data, `None` for no bindings."""
    if BINDINGS in ("absent", "zero"):
        return None
    if BINDINGS == "wrong":
        return b"tls-server-end-point:" + b"\x11" * 32
    if BINDINGS == "right":
        return end_point(sock.getpeercert(True))
    with open(BINDINGS) as file:
        return end_point(ssl.PEM_cert_to_DER_cert(file.read()))


def with_pyspnego(data):
    import spnego
    import spnego._ntlm
    from spnego.channel_bindings import GssChannelBindings

    given = None if data is None else GssChannelBindings(application_data=data)
    if BINDINGS == "zero":
        # As Windows does where there is no channel: the pair is there, and its sixteen bytes are zero.
        class Zero(GssChannelBindings):
            def pack(self):
                return "zero"

        real = spnego._ntlm.md5
        spnego._ntlm.md5 = lambda text: bytes(16) if text == "zero" else real(text)
        given = Zero()
    raw = peer.SCHEME == "NTLM"
    return spnego.client(
        peer.NAME,
        peer.PASSWORD,
        hostname="127.0.0.1",
        service="HTTP",
        protocol="ntlm" if raw else "negotiate",
        channel_bindings=given,
        options=spnego.NegotiateOptions.use_ntlm if raw else spnego.NegotiateOptions.use_negotiate,
    )


def with_gssapi(data):
    import gssapi

    given = None if data is None else gssapi.raw.ChannelBindings(application_data=data)
    return gssapi.SecurityContext(
        name=gssapi.Name("HTTP@127.0.0.1", gssapi.NameType.hostbased_service),
        mech=gssapi.OID.from_int_seq("1.3.6.1.5.5.2"),
        usage="initiate",
        channel_bindings=given,
    )


class Impacket:
    """Its NTLM takes the bindings' hash."""

    complete = False

    def __init__(self, data):
        import struct

        self.value = b""
        if data is not None:
            self.value = hashlib.md5(struct.pack("<IIIII", 0, 0, 0, 0, len(data)) + data).digest()
        if BINDINGS == "zero":
            self.value = bytes(16)

    def step(self, token):
        from impacket import ntlm

        if token is None:
            self.first = ntlm.getNTLMSSPType1("", "", True)
            return self.first.getData()
        third, _ = ntlm.getNTLMSSPType3(
            self.first,
            token,
            peer.USER,
            peer.PASSWORD,
            peer.DOMAIN,
            use_ntlmv2=True,
            channel_binding_value=self.value,
            service="HTTP",
        )
        self.complete = True
        return third.getData()


def with_requests_ntlm():
    import requests
    import requests_ntlm
    import requests_ntlm.requests_ntlm as inside
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *arguments, **named):
            super().init_poolmanager(*arguments, ssl_context=tls(), **named)

    if BINDINGS not in ("right", "absent"):
        # What it would send on a connection to the owner of another certificate.
        inside._get_certificate_hash = lambda der: bindings(None).partition(b":")[2]
    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ["PEER_CA"]
    session.mount("https://", Adapter())
    session.auth = requests_ntlm.HttpNtlmAuth(peer.NAME, peer.PASSWORD, send_cbt=BINDINGS != "absent")
    session.headers["Accept"] = "application/json"
    answer = session.get(peer.URL)
    peer.say(answer.status_code, answer.text)


def main():
    if LIBRARY == "requests_ntlm":
        return with_requests_ntlm()
    connection = peer.Connection()
    connection.http = http.client.HTTPSConnection(connection.host, connection.http.port, timeout=30, context=tls())
    connection.http.connect()
    data = bindings(connection.http.sock)
    client = {"pyspnego": with_pyspnego, "gssapi": with_gssapi, "impacket": Impacket}[LIBRARY](data)
    token = client.step(None)
    while True:
        status, answer, body = connection.leg(token)
        token = client.step(answer) if answer is not None and not client.complete else None
        if status != 401 or token is None:
            break
    peer.say(status, body)


sys.exit(main())
