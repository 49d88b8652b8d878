"""pyspnego with one thing wrong: what a relay, a downgrade or an old client would send.

PEER_ODD says what: none, mic-dropped, mic-altered, bindings, anonymous, replay, authenticate-first, after-failure,
glued, truncated, two-users. An answer is printed for each token that counts.
"""

import os

import peer
import spnego
from spnego._ntlm_raw.messages import Authenticate
from spnego.channel_bindings import GssChannelBindings

ODD = os.environ.get("PEER_ODD", "none")


def client(name=peer.NAME, password=peer.PASSWORD):
    bindings = None
    if ODD == "bindings":
        bindings = GssChannelBindings(application_data=b"tls-server-end-point:" + b"\x11" * 32)
    host = os.environ.get("PEER_TARGET", "127.0.0.1")
    return spnego.client(
        name,
        password,
        hostname=host,
        service="HTTP",
        protocol="ntlm",
        channel_bindings=bindings,
        options=spnego.NegotiateOptions.use_ntlm,
    )


def alter(token):
    if ODD == "mic-dropped":
        message = Authenticate.unpack(token)
        message.mic = bytes(16)
        return message.pack()
    if ODD == "mic-altered":
        message = Authenticate.unpack(token)
        message.mic = bytes([message.mic[0] ^ 1]) + message.mic[1:]
        return message.pack()
    if ODD == "anonymous":
        empty = Authenticate(Authenticate.unpack(token).flags, lm_challenge_response=b"\x00")
        return empty.pack()
    if ODD == "glued":
        return token + token
    if ODD == "truncated":
        return token[: int(os.environ["PEER_KEEP"])]
    return token


def answered(triple):
    peer.say(triple[0], triple[2])
    return triple


def handshake(connection, ours):
    _, challenge, _ = connection.leg(ours.step())
    token = alter(ours.step(challenge))
    answered(connection.leg(token))
    return token


connection = peer.Connection()
if ODD == "authenticate-first":
    elsewhere = peer.Connection()
    ours = client()
    _, challenge, _ = elsewhere.leg(ours.step())
    answered(connection.leg(ours.step(challenge)))
elif ODD == "replay":
    # The whole conversation once more, on another connection: the server's challenge is another one there.
    ours = client()
    negotiate = ours.step()
    _, challenge, _ = connection.leg(negotiate)
    authenticate = ours.step(challenge)
    answered(connection.leg(authenticate))
    again = peer.Connection()
    again.leg(negotiate)
    answered(again.leg(authenticate))
elif ODD == "after-failure":
    # A wrong password first; then the right one for the same challenge, without a new NEGOTIATE.
    wrong, right = client(password=peer.PASSWORD + "x"), client()
    right.step()
    _, challenge, _ = connection.leg(wrong.step())
    answered(connection.leg(wrong.step(challenge)))
    answered(connection.leg(right.step(challenge)))
elif ODD == "two-users":
    # One connection, first one user, then the other: whoever proved itself last is who it is.
    for name, password in [
        (peer.NAME, peer.PASSWORD),
        (os.environ["PEER_OTHER"], os.environ["PEER_OTHER_PASSWORD"]),
        (peer.NAME, peer.PASSWORD + "x"),
    ]:
        handshake(connection, client(name, password))
        answered(connection.send())
else:
    handshake(connection, client())
    for _ in range(peer.TIMES - 1):
        answered(connection.send())
