"""libsoup, the HTTP library of GNOME (system Python, GObject introspection). PEER_SOUP chooses 2.4 or 3.0."""

import os

import gi
import peer

VERSION = os.environ.get("PEER_SOUP", "3.0")
gi.require_version("Soup", VERSION)
from gi.repository import Soup  # noqa: E402

session = Soup.Session()
session.add_feature_by_type(Soup.AuthNTLM)


def body_of(message):
    return peer.BODY.encode() if peer.BODY is not None else None


for _ in range(peer.TIMES):
    message = Soup.Message.new("GET" if peer.BODY is None else "POST", peer.URL)
    if VERSION == "3.0":
        from gi.repository import GLib

        def authenticate(_message, auth, retrying):
            if not retrying:
                auth.authenticate(peer.NAME, peer.PASSWORD)
            return not retrying

        message.connect("authenticate", authenticate)
        message.get_request_headers().append("Accept", "application/json")
        if peer.BODY is not None:
            message.set_request_body_from_bytes("text/plain", GLib.Bytes.new(peer.BODY.encode()))
        body = session.send_and_read(message).get_data()
        peer.say(int(message.get_status()), body)
    else:

        def authenticate(_session, _message, auth, retrying):
            if not retrying:
                auth.authenticate(peer.NAME, peer.PASSWORD)

        handler = session.connect("authenticate", authenticate)
        message.request_headers.append("Accept", "application/json")
        if peer.BODY is not None:
            message.set_request("text/plain", Soup.MemoryUse.COPY, peer.BODY.encode())
        session.send_message(message)
        session.disconnect(handler)
        peer.say(int(message.status_code), message.response_body.data)
