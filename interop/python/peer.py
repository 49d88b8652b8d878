"""What every Python client here is told (the environment) and says (a line per answer). See ../README.md."""

import base64
import http.client
import os
import urllib.parse

URL = os.environ["PEER_URL"]
USER = os.environ.get("PEER_USER", "")
DOMAIN = os.environ.get("PEER_DOMAIN", "")
PASSWORD = os.environ.get("PEER_PASSWORD", "")
TIMES = int(os.environ.get("PEER_TIMES", "1"))
BODY = os.environ.get("PEER_BODY")
SCHEME = os.environ.get("PEER_SCHEME", "NTLM")
NAME = f"{DOMAIN}\\{USER}" if DOMAIN else USER


def say(status, body):
    """One answer, on one line."""
    text = body.decode() if isinstance(body, bytes) else body
    print(status, " ".join(text.split()), flush=True)


class Connection:
    """One keep-alive connection on which a library that knows NTLM but no HTTP sends its tokens."""

    def __init__(self):
        url = urllib.parse.urlsplit(URL)
        self.http = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
        self.host, self.path = url.hostname, url.path or "/"

    def send(self, authorization=None):
        """One request; gives status, the server's token if any, and the body."""
        headers = {"Accept": "application/json"}
        if authorization is not None:
            headers["Authorization"] = authorization
        method = "GET" if BODY is None else "POST"
        self.http.request(method, self.path, body=BODY, headers=headers)
        answer = self.http.getresponse()
        body = answer.read()
        if answer.status == 401 and not answer.headers.get_all("WWW-Authenticate"):
            raise ValueError("401 that offers nothing")
        for offer in answer.headers.get_all("WWW-Authenticate") or []:
            scheme, _, token = offer.partition(" ")
            if scheme.lower() == SCHEME.lower() and token:
                return answer.status, base64.b64decode(token), body
        return answer.status, None, body

    def leg(self, token):
        """One request that carries a token."""
        return self.send(SCHEME + " " + base64.b64encode(token).decode())

    def close(self):
        self.http.close()


def log_on(first, second):
    """The NTLM dance: `first()` makes NEGOTIATE, `second(challenge)` AUTHENTICATE; then more requests as asked."""
    connection = Connection()
    status, challenge, body = connection.leg(first())
    if challenge is None:
        say(status, body)
        return
    status, _, body = connection.leg(second(challenge))
    say(status, body)
    for _ in range(TIMES - 1):
        status, _, body = connection.send()
        say(status, body)
    connection.close()


def negotiate(step):
    """Any number of legs: `step(token)` makes the next token from the server's, `None` first, and gives `None` when
    there is nothing more to say. The last token of the server is given to it too."""
    connection = Connection()
    token = step(None)
    while True:
        status, answer, body = connection.leg(token)
        token = step(answer) if answer is not None else None
        if status != 401 or token is None:
            break
    say(status, body)
    for _ in range(TIMES - 1):
        status, _, body = connection.send()
        say(status, body)
    connection.close()
