"""Records where other clients put keys, in test/vectors/placement-clients.json.

Run on Debian 12 with python3-memcache, ruby-dalli, libspymemcached-java, php-memcached,
libcache-memcached-perl, golang-go and golang-github-bradfitz-gomemcache-dev installed:  python3 test/ring/clients/record.py
"""
import json
import os
import pathlib
import random
import subprocess
import tempfile

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


def version(package):
    return run(["dpkg-query", "-W", "-f", "${Version}", package], "")


given = json.dumps({"lists": LISTS, "keys": KEYS})
recorded = {
    "about": "Where other clients put keys: their own code, asked without contacting a server. A number is a server's position in its list.",
    "versions": {
        package: version(package)
        for package in ("php-memcached", "libmemcached11", "ruby-dalli", "python3-memcache", "libspymemcached-java",
                        "golang-github-bradfitz-gomemcache-dev", "libcache-memcached-perl")
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
    # No preset: libmemcached's crc and modula, where no server has a weight.
    "perl": json.loads(run(["perl", str(here / "place.pl")], given)),
}
target = vectors / "placement-clients.json"
target.write_text(json.dumps(recorded, separators=(",", ":")).replace('},"', '},\n"') + "\n")
print(f"{target}: {sum(len(l) for p in recorded['placement'].values() for l in p.values())} placements")
