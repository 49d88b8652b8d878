"""Signs and seals by Kerberos, both ways, with a service over TCP: `kerberos_seal.py HOST PORT`, with PEER_TARGET and
what kerberos_contexts.py says. PEER_KINDS: which kinds of message, by their names below; all when it is empty.

The handshake's frames are bare tokens; the last answer is a byte, 0 for established or 1 for refused, and a status of 32
bits. Then, where a piece is its length (32 bits, big-endian) and its bytes:

    signed     `S` piece(signature) piece(text)
    sealed     `E` piece(wrap token of GSS-API, sealed)
    wrapped    `P` piece(wrap token of GSS-API, not sealed)
    in_parts   `M` piece(token) piece(head, signed only) piece(sealed data): the token holds what GSS-API has as header
               and trailer, as SSPI's SECBUFFER_TOKEN does

The answer has the same kind and form, and each text in it is reversed. `F` and a status is a refusal. Prints
`established`, a line for each kind with the number of messages, `forged` and the status of a wrong signature's refusal,
and `done`.
"""

import os
import sys

import kerberos_contexts
from framed import Framed, pack, unpack

SIZES = [0, 1, 7, 15, 16, 17, 100, 255, 256, 1000, 1024, 4096, 16384, 65535, 65536, 70000]


def text(size, salt):
    return bytes((at * 7 + salt) & 0xFF for at in range(size))


def ask(service, kind, *pieces):
    service.send(kind + pack(*pieces))
    answer = service.receive()
    if answer[:1] != kind:
        raise ValueError(f"asked {kind!r}, answered {answer[:5]!r}")
    return unpack(answer[1:], len(pieces))


def signed(ours, service, data):
    token, back = ask(service, b"S", ours.sign(data), data)
    assert back == data[::-1], "another text came back"
    ours.verify(back, token)


def sealed(ours, service, data):
    token = ours.wrap(data, True)
    assert len(data) < 16 or data not in token, "sealing left the text readable"
    (answer,) = ask(service, b"E", token)
    assert ours.unwrap(answer) == (data[::-1], True), "another text came back"


def wrapped(ours, service, data):
    (answer,) = ask(service, b"P", ours.wrap(data, False))
    assert ours.unwrap(answer) == (data[::-1], False), "another text came back"


def in_parts(ours, service, data):
    head, rest = data[: len(data) // 3], data[len(data) // 3 :]
    token, hidden = ours.wrap_parts(head, rest)
    assert len(rest) < 16 or hidden != rest, "sealing left the text readable"
    token, head_back, hidden = ask(service, b"M", token, head, hidden)
    assert head_back == head[::-1], "another head came back"
    assert ours.unwrap_parts(token, head_back, hidden) == rest[::-1], "another text came back"


def handshake(ours, service):
    service.send(ours.step(None))
    said = service.receive()
    while len(said) != 5:
        token = None if ours.complete else ours.step(said)
        if token:
            service.send(token)
        said = service.receive()
    if said[0] != 0:
        return said[1:].hex()
    assert ours.complete, "the client does not think that it is through"
    return None


def main():
    service = Framed.to(sys.argv[1], int(sys.argv[2]))
    ours = kerberos_contexts.context(os.environ["PEER_TARGET"])
    refused = handshake(ours, service)
    if refused is not None:
        print("refused", refused)
        return
    print("established")
    kinds = [signed, sealed, wrapped, in_parts]
    wanted = list(filter(None, os.environ.get("PEER_KINDS", "").split(",")))
    kinds = [kind for kind in kinds if not wanted or kind.__name__ in wanted]
    counts = {kind.__name__: 0 for kind in kinds}
    for salt in range(2):
        for size in SIZES:
            for kind in kinds:
                kind(ours, service, text(size, salt))
                counts[kind.__name__] += 1
    for name, count in counts.items():
        print(name, count)
    forged = text(100, 1)
    signature = bytearray(ours.sign(forged))
    signature[-1] ^= 1
    service.send(b"S" + pack(bytes(signature), forged))
    answer = service.receive()
    assert answer[:1] == b"F", f"a forged signature was answered {answer[:5]!r}"
    print("forged", answer[1:].hex())
    print("done")


main()
