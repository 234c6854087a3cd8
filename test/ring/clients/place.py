"""Where python-memcached puts keys: its buckets asked without the step that connects."""
import json
import sys

import memcache

given = json.load(sys.stdin)
placed = {}
for name, servers in given["lists"].items():
    client = memcache.Client([(f"{s['host']}:{s['port']}", s["weight"]) for s in servers])
    placed[name] = [
        client.servers.index(client.buckets[memcache.serverHashFunction(key.encode()) % len(client.buckets)])
        for key in given["keys"]
    ]
json.dump(placed, sys.stdout)
