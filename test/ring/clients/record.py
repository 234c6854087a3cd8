"""Records where other clients put keys, in test/vectors/placement-clients.json.

Run on Debian 12 with python3-memcache, ruby-dalli, libspymemcached-java, php-memcached,
php-memcache, libcache-memcached-perl, libcache-memcached-fast-perl, golang-go,
golang-github-bradfitz-gomemcache-dev and memcached installed:  python3 test/ring/clients/record.py
"""
import json
import os
import pathlib
import random
import subprocess
import socket
import tempfile
import time

here = pathlib.Path(__file__).parent
vectors = here.parent.parent / "vectors"
chance = random.Random(20240501)


def servers(*specs):
    return [dict(zip(("host", "port", "weight"), spec)) for spec in specs]


LISTS = {
    "two": servers(("10.0.0.1", 11211, 1), ("10.0.0.2", 11211, 1)),
    "three": servers(*((f"10.0.1.{i}", 11211, 1) for i in range(1, 4))),
    "ports": servers(*(("127.0.0.1", port, 1) for port in (11211, 11212, 22122, 10000, 10001))),
    "weights": servers(*((f"10.0.2.{i}", 11211 + i % 2, i) for i in range(1, 6))),
    "skewed": servers(("10.0.4.1", 11211, 1), ("10.0.4.2", 11311, 100), ("10.0.4.3", 11211, 7)),
    "twenty": servers(*((f"10.1.0.{i}", 11211, 1) for i in range(20))),
}
KEYS = [f"key{i}" for i in range(100)] + [
    "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789:_-/", k=chance.randint(1, 60)))
    for _ in range(200)
]
# CRC-32 with fifteen zeros where python-memcached looks, which it takes for 1.
KEYS += ["zero-5924", "zero-64320", "zero-137161"]
# Bytes from 0x80 on, for whoever takes a character for a byte, or a byte for a negative number.
KEYS += ["".join(chance.choices("aé€ßñ日本\U0001f600", k=chance.randint(1, 12))) for _ in range(40)]


# Debian's packages of Go are in its GOPATH.
GO = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}


def run(command, text, **env):
    env = {**os.environ, **env}
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, env=env).stdout


def lines():
    for name, members in LISTS.items():
        yield f"list {name}"
        for s in members:
            yield f"server {s['host']} {s['port']} {s['weight']}"
        for key in KEYS:
            yield f"key {key}"


def spymemcached():
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as given:
        given.write("\n".join(lines()))
        given.flush()
        jar = "/usr/share/java/spymemcached.jar"
        return json.loads(run(["java", "-cp", jar, str(here / "Place.java"), given.name], ""))


PORTS = range(22000, 22020)
PREFIX = "app:"


def local(members):
    return [{**member, "host": "127.0.0.1", "port": port} for member, port in zip(members, PORTS)]


def found(command, members, prefix=""):
    """Where a client puts keys that tells nobody, but by the servers that have them."""
    running = [
        subprocess.Popen(["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(port)])
        for port in PORTS[: len(members)]
    ]
    try:
        time.sleep(1)
        run(command, json.dumps({"servers": local(members), "keys": KEYS, "prefix": prefix}))
        held = [keys_at(port, prefix) for port in PORTS[: len(members)]]
        return [next(position for position, keys in enumerate(held) if key in keys) for key in KEYS]
    finally:
        for process in running:
            process.kill()
            process.wait()


def keys_at(port, prefix):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        stream = connection.makefile("rwb")
        stream.write(b"".join(b"get %s\r\n" % (prefix + key).encode() for key in KEYS))
        stream.flush()
        keys = set()
        for key in KEYS:
            if stream.readline() != b"END\r\n":
                keys.add(key)
                stream.readline()
                stream.readline()
        return keys


def version(package):
    return run(["dpkg-query", "-W", "-f", "${Version}", package], "")


given = json.dumps({"lists": LISTS, "keys": KEYS})
recorded = {
    "about": "Where other clients put keys: their own code, asked without contacting a server. A number is a server's position in its list.",
    "versions": {
        package: version(package)
        for package in ("php-memcached", "libmemcached11", "ruby-dalli", "python3-memcache", "libspymemcached-java",
                        "golang-github-bradfitz-gomemcache-dev", "libcache-memcached-perl",
                        "libcache-memcached-fast-perl", "php-memcache")
    },
    "lists": LISTS,
    "keys": KEYS,
    "placement": {
        "php": json.loads(run(["php", str(here / "place.php")], given)),
        "php-ketama": json.loads(run(["php", str(here / "place.php"), "ketama"], given)),
        "dalli": json.loads(run(["ruby", str(here / "place.rb")], given)),
        "python-memcached": json.loads(run(["/usr/bin/python3", str(here / "place.py")], given)),
        "spymemcached": spymemcached(),
        "gomemcache": json.loads(run(["go", "run", str(here / "place.go")], given, **GO)),
    },
    "prefixed": {
        "prefix": PREFIX,
        "servers": local(LISTS["weights"]),
        "placement": {
            "php": found(["php", str(here / "prefixed.php")], LISTS["weights"], PREFIX),
            "php-ketama": found(["php", str(here / "prefixed.php"), "ketama"], LISTS["weights"], PREFIX),
            "dalli": found(["ruby", str(here / "prefixed.rb")], LISTS["weights"], PREFIX),
            "python-memcached": found(
                ["/usr/bin/python3", str(here / "prefixed.py")], LISTS["weights"], PREFIX
            ),
        },
    },
    # Clients that have no preset of their own.
    "others": {
        "Cache::Memcached": json.loads(run(["perl", str(here / "place.pl")], given)),
        "Cache::Memcached::Fast": {
            name: found(["perl", str(here / "set.pl")], members) for name, members in LISTS.items()
        },
        "memcache, hash_strategy=standard": {
            name: found(["php", str(here / "set.php")], members) for name, members in LISTS.items()
        },
    },
}
target = vectors / "placement-clients.json"
target.write_text(json.dumps(recorded, separators=(",", ":")).replace('},"', '},\n"') + "\n")
print(f"{target}: {sum(len(l) for p in recorded['placement'].values() for l in p.values())} placements")
