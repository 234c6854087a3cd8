"""Writes values with python-binary-memcached: write.py PREFIX HOST:PORT"""
import sys

import bmemcached

_, prefix, server = sys.argv
client = bmemcached.Client([server])
values = {
    "text": "text", "utf8": "héé €", "empty": "", "bytes": b"\0\xff\r\n", "ascii": b"12", "int": 7, "negative": -42,
    "big": 2**64, "float": 1.5, "true": True, "none": None, "list": [1, "a"], "map": {"a": 1},
    "long": "spam " * 1000, "longList": ["spam"] * 1000,
}
for name, value in values.items():
    assert client.set(f"{prefix}-{name}", value), name
