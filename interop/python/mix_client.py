"""Twenty connections of two users by pyspnego, on four threads, their legs and requests in random order.

Prints `connection expected-user status user` for each answer. Half of the connections change hands in the middle.
"""

import json
import os
import random
import threading

import peer
import spnego

COUNT, THREADS = 20, 4
USERS = [(peer.NAME, peer.PASSWORD), (os.environ["PEER_OTHER"], os.environ["PEER_OTHER_PASSWORD"])]
LOCK = threading.Lock()


def new_client(user):
    name, password = USERS[user]
    return spnego.client(name, password, protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)


def answered(number, user, triple):
    status, _, body = triple
    name = json.loads(body).get("name") if status == 200 else "-"
    with LOCK:
        print(number, USERS[user][0], status, name, flush=True)


def work(numbers):
    connections = {n: peer.Connection() for n in numbers}
    users = {n: n // THREADS % 2 for n in numbers}
    todo = [n for n in numbers for _ in range(peer.TIMES)]

    def log_on(which):
        clients = {n: new_client(users[n]) for n in which}
        challenges = {n: connections[n].leg(clients[n].step())[1] for n in random.sample(which, len(which))}
        for n in random.sample(which, len(which)):
            answered(n, users[n], connections[n].leg(clients[n].step(challenges[n])))

    def ask(turns):
        random.shuffle(turns)
        for n in turns:
            answered(n, users[n], connections[n].send())

    log_on(numbers)
    ask(todo[::2])
    changing = [n for n in numbers if n % THREADS < 2]
    for n in changing:
        users[n] = 1 - users[n]
    log_on(changing)
    ask(todo[1::2])


threads = [threading.Thread(target=work, args=(list(range(t, COUNT, THREADS)),)) for t in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
