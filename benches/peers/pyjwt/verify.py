"""PyJWT: a case comes in on the first line, and each line after it asks for one turn of so many microseconds, which is
answered with the nanoseconds that one token took."""

import json
import sys
import time

import jwt

case = json.loads(sys.stdin.readline())
key = jwt.PyJWK(case["jwk"], algorithm=case["algorithm"]).key


def verify():
    return jwt.decode(
        case["token"],
        key,
        algorithms=[case["algorithm"]],
        issuer=case["origin"],
        audience=case["origin"],
        leeway=30,
        options={"require": ["exp", "iss", "aud", "sub"]},
    )


assert verify()["role"] == "user"
for line in sys.stdin:
    budget = int(line) * 1000
    began = now = time.perf_counter_ns()
    count = 0
    while now - began < budget:
        for _ in range(16):
            verify()
        count += 16
        now = time.perf_counter_ns()
    print((now - began) / count, flush=True)
