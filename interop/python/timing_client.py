"""Times the last leg of refused logons: a wrong password and an unknown user in turn, over one connection each.

Prints the medians in microseconds and their ratio. The client's own work is done before the clock starts.
"""

import statistics
import time

import peer
import spnego


def refusal(connection, name, password):
    client = spnego.client(name, password, protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
    _, challenge, _ = connection.leg(client.step())
    token = client.step(challenge)
    begun = time.perf_counter()
    status, _, _ = connection.leg(token)
    taken = time.perf_counter() - begun
    if status != 401:
        raise ValueError(f"{name} was answered {status}")
    return taken


wrong, unknown = [], []
first, second = peer.Connection(), peer.Connection()
for i in range(peer.TIMES):
    wrong.append(refusal(first, peer.NAME, peer.PASSWORD + "x"))
    unknown.append(refusal(second, "zzz" if i % 2 else "nobody", peer.PASSWORD))
warm = peer.TIMES // 10
medians = [statistics.median(times[warm:]) for times in (wrong, unknown)]
print(f"wrong password {medians[0] * 1e6:.1f}")
print(f"unknown user {medians[1] * 1e6:.1f}")
print(f"ratio {medians[1] / medians[0]:.4f}")
