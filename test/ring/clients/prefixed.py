"""Sets keys by python-memcached with a prefix."""
import json
import sys

import memcache

given = json.load(sys.stdin)
client = memcache.Client([(f"{s['host']}:{s['port']}", s["weight"]) for s in given["servers"]])
assert client.set_multi(dict.fromkeys(given["keys"], 1), key_prefix=given["prefix"]) == []
