"""One face for the libraries that speak Kerberos: python-gssapi over MIT's, Heimdal by its C functions, pyspnego.

PEER_LIBRARY says which: `gssapi`, `heimdal` or `pyspnego`. PEER_MECHANISM: `spnego` (the default) or `krb5`, Kerberos' own
tokens. PEER_FLAGS: what an initiator asks for, by SSPI's names with commas between; a flag of GSS-API's is told by the
same name. An acceptor finds its keys in KRB5_KTNAME, an initiator its tickets in KRB5CCNAME.

A context has `step(token)` (the next token, or `None`), `complete`, `flags()`, `sign`, `verify`, `wrap(data, sealed)`,
`unwrap(token)`, `wrap_parts(head, data)` and `unwrap_parts(token, head, data)`, where the head stays readable.
"""

import os

FLAGS = {
    "DELEGATE": 0x1,
    "MUTUAL_AUTH": 0x2,
    "REPLAY_DETECT": 0x4,
    "SEQUENCE_DETECT": 0x8,
    "CONFIDENTIALITY": 0x10,
    "INTEGRITY": 0x20,
    "USE_DCE_STYLE": 0x1000,
    "IDENTIFY": 0x2000,
    "EXTENDED_ERROR": 0x4000,
    "DELEGATE_POLICY": 0x8000,
}
BOUND = 0x800  # GSS_C_CHANNEL_BOUND_FLAG
LIBRARY = os.environ.get("PEER_LIBRARY", "gssapi")
MECHANISM = os.environ.get("PEER_MECHANISM", "spnego")
# Without any flag python-gssapi would choose for itself.
ASKED = list(filter(None, os.environ.get("PEER_FLAGS", "").split(","))) or ["INTEGRITY"]


def names(bits):
    return [name for name, bit in FLAGS.items() if bits & bit]


class Gssapi:
    def __init__(self, target, bindings):
        import gssapi

        self.gssapi, self.delegated = gssapi, False
        channel = None if bindings is None else gssapi.raw.ChannelBindings(application_data=bindings)
        if target is None:
            self.context = gssapi.SecurityContext(usage="accept", channel_bindings=channel)
            return
        mechanism = "1.3.6.1.5.5.2" if MECHANISM == "spnego" else "1.2.840.113554.1.2.2"
        self.context = gssapi.SecurityContext(
            name=gssapi.Name(target, gssapi.NameType.hostbased_service),
            mech=gssapi.OID.from_int_seq(mechanism),
            flags=sum(FLAGS[name] for name in ASKED),
            usage="initiate",
            channel_bindings=channel,
        )

    @property
    def complete(self):
        return self.context.complete

    def step(self, token):
        answer = self.context.step(token)
        if self.context.usage == "accept" and self.context.complete:
            self.delegated = self.context.delegated_creds is not None
        return answer

    def flags(self):
        return names(int(self.context.actual_flags))

    def bound(self):
        return bool(int(self.context.actual_flags) & BOUND)

    def client(self):
        return str(self.context.initiator_name)

    def sign(self, data):
        return self.context.get_signature(data)

    def verify(self, data, token):
        self.context.verify_signature(data, token)

    def wrap(self, data, sealed):
        wrapped = self.context.wrap(data, sealed)
        assert wrapped.encrypted == sealed, "the library does not seal as asked"
        return wrapped.message

    def unwrap(self, token):
        opened = self.context.unwrap(token)
        return opened.message, opened.encrypted

    def parts(self, token, head, data):
        raw = self.gssapi.raw
        kinds, buffer = raw.IOVBufferType, raw.IOVBuffer
        first = buffer(kinds.header, True, None) if token is None else buffer(kinds.header, False, token)
        return raw.IOV(first, buffer(kinds.sign_only, False, head), buffer(kinds.data, False, data), std_layout=False)

    def wrap_parts(self, head, data):
        parts = self.parts(None, head, data)
        self.gssapi.raw.wrap_iov(self.context, parts, True)
        return parts[0].value, parts[2].value

    def unwrap_parts(self, token, head, data):
        parts = self.parts(token, head, data)
        assert self.gssapi.raw.unwrap_iov(self.context, parts).encrypted, "the message was not sealed"
        return parts[2].value


def heimdal(target, bindings):
    import gss_library

    class Heimdal(gss_library.Context):
        def flags(self):
            return names(self.granted)

        def bound(self):
            return bool(self.granted & BOUND)

    return Heimdal(target, MECHANISM, sum(FLAGS[name] for name in ASKED), bindings)


class Pyspnego:
    ASK = {"MUTUAL_AUTH": "mutual_auth", "USE_DCE_STYLE": "dce_style", "DELEGATE_POLICY": "delegate_policy"}

    def __init__(self, target, bindings):
        import spnego
        from spnego._context import ContextReq
        from spnego.channel_bindings import GssChannelBindings

        self.delegated = False
        channel = None if bindings is None else GssChannelBindings(application_data=bindings)
        protocol = "negotiate" if MECHANISM == "spnego" else "kerberos"
        if target is None:
            self.context = spnego.server(protocol=protocol, channel_bindings=channel)
            return
        asked = ContextReq.none
        for name in ASKED:
            asked |= getattr(ContextReq, self.ASK.get(name, name.lower()))
        service, _, host = target.partition("@")
        self.context = spnego.client(
            hostname=host, service=service, protocol=protocol, context_req=asked, channel_bindings=channel
        )

    @property
    def complete(self):
        return self.context.complete

    def step(self, token):
        return self.context.step(token)

    def flags(self):
        attributes = self.context.context_attr
        return [name for name in FLAGS if attributes & FLAGS[name]]

    def bound(self):
        return False  # it does not say

    def client(self):
        return self.context.client_principal

    def sign(self, data):
        return self.context.sign(data)

    def verify(self, data, token):
        self.context.verify(data, token)

    def wrap(self, data, sealed):
        return self.context.wrap(data, encrypt=sealed).data

    def unwrap(self, token):
        opened = self.context.unwrap(token)
        return opened.data, opened.encrypted

    def wrap_parts(self, head, data):
        from spnego.iov import BufferType

        parts = self.context.wrap_iov([BufferType.header, (BufferType.sign_only, head), data]).buffers
        return parts[0].data, parts[2].data

    def unwrap_parts(self, token, head, data):
        from spnego.iov import BufferType

        parts = [(BufferType.header, token), (BufferType.sign_only, head), data]
        return self.context.unwrap_iov(parts).buffers[2].data


def context(target, bindings=None):
    """A new context: an initiator's with `target` (`HTTP@localhost`), an acceptor's with `None`."""
    return {"gssapi": Gssapi, "heimdal": heimdal, "pyspnego": Pyspnego}[LIBRARY](target, bindings)
