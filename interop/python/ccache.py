"""Writes a Kerberos credential cache that holds one ticket, of a KDC that does not exist: `ccache.py FILE SERVICE`.

A client that finds it offers Kerberos first, and sends the ticket ahead. Nobody can read the ticket: its bytes are zero.
The format is version 4 (https://web.mit.edu/kerberos/krb5-devel/doc/formats/ccache_file_format.html), the ticket DER of
RFC 4120 section 5.3.
"""

import struct
import sys
import time

REALM = b"NOWHERE.EXAMPLE"


def counted(data):
    return struct.pack(">I", len(data)) + data


def principal(*names):
    return struct.pack(">II", 1, len(names)) + counted(REALM) + b"".join(counted(name) for name in names)


def der(tag, content):
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def ticket(service):
    names = der(0x30, b"".join(der(0x1B, part) for part in service))
    name = der(0x30, der(0xA0, der(0x02, b"\x03")) + der(0xA1, names))
    sealed = der(0x30, der(0xA0, der(0x02, b"\x12")) + der(0xA2, der(0x04, bytes(200))))
    fields = [der(0x02, b"\x05"), der(0x1B, REALM), name, sealed]
    return der(0x61, der(0x30, b"".join(der(0xA0 + number, field) for number, field in enumerate(fields))))


def main():
    path, service = sys.argv[1], sys.argv[2].encode().split(b"/")
    client = principal(b"ann")
    now = int(time.time())
    credential = client + principal(*service)
    credential += struct.pack(">H", 18) + counted(bytes(32))
    credential += struct.pack(">IIII", now - 60, now - 60, now + 3600, 0)
    credential += b"\0" + struct.pack(">I", 0) + struct.pack(">II", 0, 0)
    credential += counted(ticket(service)) + counted(b"")
    with open(path, "wb") as file:
        file.write(b"\x05\x04" + struct.pack(">H", 0) + client + credential)


main()
