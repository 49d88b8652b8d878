"""Kerberos tokens with one thing wrong, by python-gssapi: what a relay, an attacker or a broken clock would send.

PEER_ODD says what; PEER_URL, KRB5CCNAME and KRB5_CONFIG as ever; PEER_OTHER is a second credential cache. Prints a line for each request's answer.

    replay       the same token twice, on two connections: the first is good
    ticket       a bit of the ticket is turned over
    authenticator   a bit of the authenticator
    mixed        the ticket of one logon with the authenticator of another
    cut          the last byte is missing
    longer       a byte too many
    reply        the token claims to be an AP-REP
    completed    SPNEGO: a list of mechanisms without a token, then "accept-completed" and nothing else
    granting     the ticket-granting ticket itself
    skew:N       a client whose clock is N seconds ahead (or behind: a negative number)
"""

import os
import shutil
import struct
import tempfile

import gssapi
import kerberos_contexts
import peer

peer.SCHEME = "Negotiate"
ODD, _, NUMBER = os.environ["PEER_ODD"].partition(":")


def elements(data):
    """The elements of DER that stand side by side: (tag, start, start of the content, end)."""
    at = 0
    while at < len(data):
        length, content = data[at + 1], at + 2
        if length & 0x80:
            content += length & 0x7F
            length = int.from_bytes(data[at + 2 : content], "big")
        yield data[at], at, content, content + length
        at = content + length


def request(cache=None):
    """A bare token: what stands before the AP-REQ, and the AP-REQ."""
    os.environ["KRB5CCNAME"] = cache or os.environ["KRB5CCNAME"]
    kerberos_contexts.MECHANISM = "krb5"
    token = kerberos_contexts.context("HTTP@localhost").step(None)
    at = token.index(b"\x01\x00\x6e")
    return token[:at], token[at + 2 :]


def fields(message):
    """Where the ticket and the authenticator of an AP-REQ end (RFC 4120 section 5.5.1)."""
    ((_, _, inside, _),) = elements(message)
    ((_, _, sequence, end),) = ((t, s, inside + c, inside + e) for t, s, c, e in elements(message[inside:]))
    found = {tag: (sequence + start, sequence + stop) for tag, start, _, stop in elements(message[sequence:end])}
    return found[0xA3], found[0xA4]


def der(tag, content):
    length = len(content)
    digits = length.to_bytes(max(1, (length.bit_length() + 7) // 8), "big")
    return bytes([tag]) + (digits if length < 0x80 else bytes([0x80 | len(digits)]) + digits) + content


def turned(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def granting():
    realm = os.environ["PEER_REALM"]
    name = gssapi.Name(f"krbtgt/{realm}@{realm}", gssapi.NameType.kerberos_principal)
    return gssapi.SecurityContext(name=name, mech=gssapi.MechType.kerberos, usage="initiate").step()


def skewed():
    """A copy of the credential cache that says how far the clock is from the KDC's."""
    source = os.environ["KRB5CCNAME"].removeprefix("FILE:")
    folder = tempfile.mkdtemp()
    with open(source, "rb") as file:
        data = file.read()
    (length,) = struct.unpack_from(">H", data, 2)
    header = struct.pack(">HHHii", 12, 1, 8, int(NUMBER), 0)
    with open(f"{folder}/ccache", "wb") as file:
        file.write(data[:2] + header + data[4 + length :])
    os.environ["KRB5CCNAME"] = f"FILE:{folder}/ccache"
    # The client itself must not mind that its ticket is of the future.
    with open(f"{folder}/krb5.conf", "w") as file:
        file.write("[libdefaults]\nclockskew = 86400\n")
    os.environ["KRB5_CONFIG"] = f"{folder}/krb5.conf:{os.environ['KRB5_CONFIG']}"
    try:
        return b"\x01\x00".join(request())
    finally:
        shutil.rmtree(folder)


def send(token, connection=None):
    connection = connection or peer.Connection()
    status, answer, body = connection.leg(token)
    peer.say(status, body)
    return connection, answer


def main():
    if ODD == "completed":
        oids = bytes.fromhex("601b06062b0601050502a011300fa00d300b06092a864886f712010202")
        connection, _ = send(oids)
        send(bytes.fromhex("a1073005a0030a0100"), connection)
        return
    if ODD in ("granting", "skew"):
        send(granting() if ODD == "granting" else skewed())
        return
    head, message = request()
    ticket, authenticator = fields(message)
    if ODD == "replay":
        send(head + b"\x01\x00" + message)
    elif ODD == "ticket":
        message = turned(message, ticket[1] - 1)
    elif ODD == "authenticator":
        message = turned(message, authenticator[1] - 1)
    elif ODD == "mixed":
        # The other logon has another session key.
        _, other = request(os.environ["PEER_OTHER"])
        plain = message[message.index(b"\xa0\x03\x02\x01\x05") : ticket[0]]
        parts = plain + other[slice(*fields(other)[0])] + message[slice(*authenticator)]
        message = der(0x6E, der(0x30, parts))
        oid = bytes.fromhex("06092a864886f712010202")
        head = der(0x60, oid + b"\x01\x00" + message)[: -2 - len(message)]
    elif ODD == "cut":
        message = message[:-1]
    elif ODD == "longer":
        message += b"\x00"
    send(head + (b"\x02\x00" if ODD == "reply" else b"\x01\x00") + message)


main()
