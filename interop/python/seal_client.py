"""Signs and seals both ways with a service that accepts NTLM over TCP, by pyspnego or Samba.

    seal_client.py HOST PORT, with PEER_USER, PEER_DOMAIN, PEER_PASSWORD, PEER_LIBRARY (pyspnego, samba or gssapi), and for
    pyspnego PEER_WITHOUT (flags that it shall not ask for: key_128,key_56,key_exch,…) and LM_COMPAT_LEVEL, for Samba
    PEER_SAMBA (settings of smb.conf: name=value,…). PEER_PACKAGE is NTLM, or Negotiate for SPNEGO around it, and
    PEER_SPNEGO what spnego_client.py says.

A frame is its length (32 bits, big-endian) and its payload. The handshake's frames are bare tokens; the last answer
is a byte, 0 for established or 1 for refused, and a status. Then `S` signature plaintext, `E` signature sealed data, or `M` count (length segment)... signature, whose first segment is signed only; the answer has the same form and
the plaintext reversed. `F` and a status is a refusal. Prints `established`, a line for each kind with the number of
messages, and `done`; a wrong signature or a wrong plaintext ends it with a traceback.
"""

import os
import socket
import struct
import sys


SIZES = [0, 1, 7, 15, 16, 17, 100, 255, 256, 1000, 1023, 1024, 1500, 4096, 8191, 16384, 32767, 65535, 65536, 70000]
PACKAGE = os.environ.get("PEER_PACKAGE", "NTLM")
ROUNDS = int(os.environ.get("PEER_ROUNDS", "3"))


class Pyspnego:
    def __init__(self, user, domain, password):
        import spnego
        from spnego._ntlm_raw.messages import NegotiateFlags

        self.context = spnego.client(
            f"{domain}\\{user}" if domain else user,
            password,
            protocol=PACKAGE.lower(),
            options=spnego.NegotiateOptions.use_ntlm if PACKAGE == "NTLM" else spnego.NegotiateOptions.use_negotiate,
        )
        ways = os.environ.get("PEER_SPNEGO", "").split(",")
        if PACKAGE == "Negotiate":
            import spnego_ways

            spnego_ways.apply(ways)
        for flag in filter(None, os.environ.get("PEER_WITHOUT", "").split(",")):
            self.context._context_req &= ~getattr(NegotiateFlags, flag)

    def step(self, token):
        return None if self.context.complete else self.context.step(token)

    def sign(self, data):
        return self.context.sign(data)

    def verify(self, data, signature):
        self.context.verify(data, self.without_pad(signature))

    def seal(self, data):
        wrapped = self.context.wrap(data).data
        return wrapped[:16], wrapped[16:]

    def unseal(self, sealed, signature):
        return self.context.unwrap(self.without_pad(signature) + sealed).data

    def seal_parts(self, head, data):
        from spnego.iov import BufferType

        parts = self.context.wrap_iov([BufferType.header, (BufferType.sign_only, head), data]).buffers
        return parts[0].data, parts[2].data

    def unseal_parts(self, head, sealed, signature):
        from spnego.iov import BufferType

        parts = [(BufferType.header, self.without_pad(signature)), (BufferType.sign_only, head), sealed]
        return self.context.unwrap_iov(parts).buffers[2].data


    def without_pad(self, signature):
        """Without extended session security four bytes are RandomPad, which a receiver ignores (MS-NLMP 2.2.2.9.1);
        pyspnego wants them zero."""
        if PACKAGE == "Negotiate" or self.context._context_attr & 0x80000:
            return signature
        return signature[:4] + bytes(4) + signature[8:]


class Samba:
    def __init__(self, user, domain, password):
        from samba import credentials, gensec, param

        loadparm = param.LoadParm()
        loadparm.load_default()
        for setting in filter(None, os.environ.get("PEER_SAMBA", "").split(",")):
            loadparm.set(*setting.split("="))
        account = credentials.Credentials()
        account.guess(loadparm)
        account.set_kerberos_state(credentials.DONT_USE_KERBEROS)
        account.set_domain(domain)
        account.set_username(user)
        account.set_password(password)
        self.context = gensec.Security.start_client({"lp_ctx": loadparm, "target_hostname": "127.0.0.1"})
        self.context.set_credentials(account)
        self.context.want_feature(gensec.FEATURE_SEAL)
        self.context.start_mech_by_name("ntlmssp" if PACKAGE == "NTLM" else "spnego")
        self.finished = False

    def step(self, token):
        if self.finished:
            return None
        self.finished, answer = self.context.update(token or b"")
        return answer

    def sign(self, data):
        return self.context.sign_packet(data, data)

    def verify(self, data, signature):
        self.context.check_packet(data, data, signature)

    def seal(self, data):
        wrapped = self.context.wrap(data)
        return wrapped[:16], wrapped[16:]

    def unseal(self, sealed, signature):
        return self.context.unwrap(signature + sealed)


class Gssapi:
    """MIT's library with gss-ntlmssp as a mechanism, which finds user and password in NTLM_USER_FILE."""

    LEAST = 1  # gss-ntlmssp does not sign nothing

    def __init__(self, user, domain, password):
        import gssapi

        spnego = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
        ntlm = gssapi.OID.from_int_seq("1.3.6.1.4.1.311.2.2.10")
        flags = gssapi.RequirementFlag
        name = gssapi.Name(f"{domain}\\{user}", gssapi.NameType.user)
        self.context = gssapi.SecurityContext(
            name=gssapi.Name("HTTP@127.0.0.1", gssapi.NameType.hostbased_service),
            creds=gssapi.Credentials(name=name, usage="initiate", mechs=[ntlm if PACKAGE == "NTLM" else spnego]),
            mech=ntlm if PACKAGE == "NTLM" else spnego,
            flags=flags.integrity | flags.confidentiality | flags.replay_detection | flags.out_of_sequence_detection,
            usage="initiate",
        )

    def step(self, token):
        return None if self.context.complete else self.context.step(token)

    def sign(self, data):
        return self.context.get_signature(data)

    def verify(self, data, signature):
        self.context.verify_signature(data, signature)

    def seal(self, data):
        wrapped = self.context.wrap(data, True).message
        return wrapped[:16], wrapped[16:]

    def unseal(self, sealed, signature):
        return self.context.unwrap(signature + sealed).message


class Service:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), timeout=30)

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
                raise EOFError("the service closed the connection")
            data += more
        return data

    def ask(self, kind, payload):
        self.send(kind + payload)
        answer = self.receive()
        if answer[:1] != kind:
            raise ValueError(f"asked {kind!r}, answered {answer[:5]!r}")
        return answer[1:]


def text(size, salt):
    return bytes((i * 7 + salt) & 0xFF for i in range(size))


def signed(ours, service, data):
    answer = service.ask(b"S", ours.sign(data) + data)
    signature, back = answer[:16], answer[16:]
    assert back == data[::-1], "another plaintext came back"
    ours.verify(back, signature)


def sealed(ours, service, data):
    signature, hidden = ours.seal(data)
    assert len(data) < 16 or hidden != data, "sealing left the text readable"
    answer = service.ask(b"E", signature + hidden)
    back = ours.unseal(answer[16:], answer[:16])
    assert back == data[::-1], "another plaintext came back"


def in_segments(ours, service, data):
    # Head readable, the rest sealed in two pieces: the cipher runs on over the cut.
    third = len(data) // 3
    head, rest = data[:third], data[third:]
    signature, hidden = ours.seal_parts(head, rest)
    cut = len(hidden) // 2
    segments = [head, hidden[:cut], hidden[cut:]]
    packed = b"".join(struct.pack(">I", len(s)) + s for s in segments)
    answer = service.ask(b"M", bytes([len(segments)]) + packed + signature)
    back, at = [], 1
    for _ in range(answer[0]):
        (length,) = struct.unpack_from(">I", answer, at)
        back.append(answer[at + 4 : at + 4 + length])
        at += 4 + length
    plain = ours.unseal_parts(back[0], back[1] + back[2], answer[at : at + 16])
    plain_cut = len(back[1])
    assert back[0] == head[::-1], "another head came back"
    assert plain[:plain_cut] == rest[:cut][::-1], "another first piece came back"
    assert plain[plain_cut:] == rest[cut:][::-1], "another second piece came back"


def main():
    service = Service(sys.argv[1], int(sys.argv[2]))
    library = {"pyspnego": Pyspnego, "samba": Samba, "gssapi": Gssapi}[os.environ.get("PEER_LIBRARY", "pyspnego")]
    ours = library(os.environ["PEER_USER"], os.environ.get("PEER_DOMAIN", ""), os.environ["PEER_PASSWORD"])
    service.send(ours.step(None))
    status = service.receive()
    while len(status) != 5:
        token = ours.step(status)
        if token:
            service.send(token)
        status = service.receive()
    if status[0] != 0:
        print(f"refused {status[1:].hex()}")
        return
    print("established")
    kinds = [signed, sealed]
    if hasattr(ours, "seal_parts"):
        kinds.append(in_segments)
    counts = {kind.__name__: 0 for kind in kinds}
    for salt in range(ROUNDS):
        for size in SIZES:
            for kind in kinds:
                kind(ours, service, text(max(size, getattr(ours, "LEAST", 0)), salt))
                counts[kind.__name__] += 1
    for name, count in counts.items():
        print(name, count)
    forged = text(100, 1)
    signature = bytearray(ours.sign(forged))
    signature[9] ^= 1  # in the checksum, with and without extended session security
    service.send(b"S" + bytes(signature) + forged)
    answer = service.receive()
    assert answer[:1] == b"F", f"a forged signature was answered {answer[:5]!r}"
    print(f"forged {answer[1:].hex()}")
    print("done")


main()
