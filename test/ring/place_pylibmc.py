"""Places keys with the real pylibmc: a JSON array of {specs, behaviors, keys} in, of positions out."""
import json
import sys

import pylibmc


def place(case):
    behaviors = dict(case["behaviors"])
    if "namespace" in behaviors:
        behaviors["namespace"] = behaviors["namespace"].encode()
    client = pylibmc.Client(case["specs"], behaviors=behaviors)
    # `hash` answers with libmemcached's own position; under _sort_hosts that is the sorted one.
    return [client.hash(key) for key in case["keys"]]


json.dump([place(case) for case in json.load(sys.stdin)], sys.stdout)
