"""Frames over TCP: a length (32 bits, big-endian) and a payload. See kerberos_seal.py for what is in them."""

import socket
import struct


class Framed:
    def __init__(self, connection):
        self.socket = connection
        connection.settimeout(60)

    @classmethod
    def to(cls, host, port):
        return cls(socket.create_connection((host, port), timeout=30))

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
                raise EOFError("the other side closed the connection")
            data += more
        return data


def pack(*pieces):
    """Pieces, each behind its length."""
    return b"".join(struct.pack(">I", len(piece)) + piece for piece in pieces)


def unpack(data, count):
    """As many pieces, and nothing behind them."""
    pieces = []
    for _ in range(count):
        (length,) = struct.unpack_from(">I", data)
        assert len(data) >= 4 + length, "a piece is cut short"
        pieces.append(data[4 : 4 + length])
        data = data[4 + length :]
    assert not data, "something stands behind the pieces"
    return pieces
