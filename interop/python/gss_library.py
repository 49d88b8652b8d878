"""GSS-API by its C functions (RFC 2744), for a library that Python has no module for: Heimdal's, unpacked, at PEER_GSS.

The class below is one context, of an initiator or an acceptor. What it needs beside the functions of RFC 2744 is
`gss_wrap_iov`, which Heimdal and MIT have alike.
"""

import ctypes
import os
from ctypes import POINTER, Structure, byref, c_int, c_size_t, c_uint32, c_void_p

COMPLETE, CONTINUE = 0, 1
FAILED = 0xFFFF0000


class Buffer(Structure):
    _fields_ = [("length", c_size_t), ("value", c_void_p)]

    @classmethod
    def of(cls, data):
        made = cls(len(data), ctypes.cast(ctypes.create_string_buffer(data, len(data) or 1), c_void_p))
        made.keep = data
        return made

    def bytes(self):
        return ctypes.string_at(self.value, self.length) if self.length else b""


class Oid(Structure):
    _fields_ = [("length", c_uint32), ("elements", c_void_p)]

    @classmethod
    def of(cls, data):
        return cls(len(data), ctypes.cast(ctypes.create_string_buffer(data, len(data)), c_void_p))

    def bytes(self):
        return ctypes.string_at(self.elements, self.length)


class Bindings(Structure):
    _fields_ = [
        ("initiator_type", c_uint32),
        ("initiator", Buffer),
        ("acceptor_type", c_uint32),
        ("acceptor", Buffer),
        ("data", Buffer),
    ]


class Part(Structure):
    _fields_ = [("kind", c_uint32), ("buffer", Buffer)]


DATA, HEADER, SIGN_ONLY = 1, 2, 11
ALLOCATE = 0x10000
KERBEROS = bytes.fromhex("2a864886f712010202")
SPNEGO = bytes.fromhex("2b0601050502")
HOSTBASED = bytes.fromhex("2a864886f71201020104")


class Library:
    def __init__(self, path):
        self.c = ctypes.CDLL(path)

    def call(self, name, *arguments):
        """Calls a function whose first argument is the minor status; a failure is an exception with its words."""
        minor = c_uint32()
        function = getattr(self.c, name)
        function.restype = c_uint32
        major = function(byref(minor), *arguments)
        if major & FAILED:
            raise RuntimeError(f"{name}: {self.words(major, 1)}; {self.words(minor.value, 2)}")
        return major

    def words(self, status, kind):
        minor, more, text = c_uint32(), c_uint32(), Buffer()
        self.c.gss_display_status(byref(minor), c_uint32(status), c_int(kind), None, byref(more), byref(text))
        return text.bytes().decode(errors="replace")


class Context:
    """One context. `target` is a host-based name (`HTTP@localhost`), or `None` for an acceptor."""

    def __init__(self, target, mechanism, flags, bindings, path=None):
        self.library = Library(path or os.environ["PEER_GSS"])
        self.handle, self.complete, self.granted = c_void_p(), False, 0
        self.asked, self.target, self.source = flags, c_void_p(), c_void_p()
        self.mechanism = Oid.of(SPNEGO if mechanism == "spnego" else KERBEROS)
        self.bindings = None
        if bindings is not None:
            none = Buffer(0, None)
            self.bindings = Bindings(0, none, 0, none, Buffer.of(bindings))
        if target is not None:
            name, kind = Buffer.of(target.encode()), Oid.of(HOSTBASED)
            self.library.call("gss_import_name", byref(name), byref(kind), byref(self.target))
        self.accepts = target is None

    def step(self, token):
        given, answer, granted = Buffer.of(token or b""), Buffer(), c_uint32()
        channel = None if self.bindings is None else byref(self.bindings)
        if self.accepts:
            delegated = c_void_p()
            major = self.library.call(
                *("gss_accept_sec_context", byref(self.handle), None, byref(given), channel, byref(self.source)),
                *(None, byref(answer), byref(granted), None, byref(delegated)),
            )
            self.delegated = bool(delegated.value)
        else:
            major = self.library.call(
                *("gss_init_sec_context", None, byref(self.handle), self.target, byref(self.mechanism)),
                *(c_uint32(self.asked), c_uint32(0), channel, byref(given), None, byref(answer), byref(granted), None),
            )
        self.granted = granted.value
        self.complete = major & CONTINUE == 0
        return answer.bytes() or None

    def client(self):
        """The initiator's name, as an acceptor has it."""
        text = Buffer()
        self.library.call("gss_display_name", self.source, byref(text), None)
        return text.bytes().decode()

    def sign(self, data):
        token = Buffer()
        self.library.call("gss_get_mic", self.handle, c_int(0), byref(Buffer.of(data)), byref(token))
        return token.bytes()

    def verify(self, data, token):
        self.library.call("gss_verify_mic", self.handle, byref(Buffer.of(data)), byref(Buffer.of(token)), None)

    def wrap(self, data, sealed):
        token, was = Buffer(), c_int()
        self.library.call(
            "gss_wrap", self.handle, c_int(sealed), c_int(0), byref(Buffer.of(data)), byref(was), byref(token)
        )
        assert bool(was.value) == sealed, "the library does not seal as asked"
        return token.bytes()

    def unwrap(self, token):
        data, sealed = Buffer(), c_int()
        self.library.call("gss_unwrap", self.handle, byref(Buffer.of(token)), byref(data), byref(sealed), None)
        return data.bytes(), bool(sealed.value)

    def wrap_parts(self, head, data):
        parts = (Part * 3)(Part(HEADER | ALLOCATE), Part(SIGN_ONLY, Buffer.of(head)), Part(DATA, Buffer.of(data)))
        self.library.call("gss_wrap_iov", self.handle, c_int(1), c_int(0), None, byref(parts), c_int(3))
        return parts[0].buffer.bytes(), parts[2].buffer.bytes()

    def unwrap_parts(self, token, head, data):
        parts = (Part * 3)(Part(HEADER, Buffer.of(token)), Part(SIGN_ONLY, Buffer.of(head)), Part(DATA, Buffer.of(data)))
        sealed = c_int()
        self.library.call("gss_unwrap_iov", self.handle, byref(sealed), None, byref(parts), c_int(3))
        assert sealed.value, "the message was not sealed"
        return parts[2].buffer.bytes()
