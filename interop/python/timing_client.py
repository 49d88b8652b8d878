"""Times the last leg of refused logons: a wrong password and an unknown user in turn, over one connection each.

Prints the medians in microseconds, their ratio, and the median of the ratios of neighbours, which a busy machine moves
less. The client's own work is done before the clock starts.
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
    # Side by side, so that what else the machine does falls on both; each goes first as often as the other.
    pair = [
        (wrong, first, peer.NAME, peer.PASSWORD + "x"),
        (unknown, second, "zzz" if i % 4 < 2 else "nobody", peer.PASSWORD),
    ]
    for times, connection, name, password in pair if i % 2 else reversed(pair):
        times.append(refusal(connection, name, password))
warm = peer.TIMES // 10
wrong, unknown = wrong[warm:], unknown[warm:]
print(f"wrong password {statistics.median(wrong) * 1e6:.1f}")
print(f"unknown user {statistics.median(unknown) * 1e6:.1f}")
print(f"medians' ratio {statistics.median(unknown) / statistics.median(wrong):.4f}")
print(f"ratio {statistics.median(u / w for w, u in zip(wrong, unknown)):.4f}")
