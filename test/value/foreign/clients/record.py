"""Records what clients store that no codec is made for, in test/vectors/values-clients.json.

Run on Debian 12 with memcached, php-memcache, libcache-memcached-perl, libcache-memcached-fast-perl and
python3-binary-memcached installed:  python3 test/value/foreign/clients/record.py
"""
import base64
import json
import pathlib
import socket
import subprocess
import time

here = pathlib.Path(__file__).parent
target = here.parent.parent.parent / "vectors" / "values-clients.json"
PORT = 21999


def ask(stream, line):
    stream.write(line.encode() + b"\r\n")
    stream.flush()


def items(stream):
    """Every item by its key, raw."""
    ask(stream, "lru_crawler metadump all")
    keys = []
    while (line := stream.readline()) != b"END\r\n":
        keys.append(line.split()[0].removeprefix(b"key=").decode())
    for key in sorted(keys):
        ask(stream, f"get {key}")
        _, _, flags, length = stream.readline().split()
        data = stream.read(int(length))
        assert stream.readline() + stream.readline() == b"\r\nEND\r\n"
        yield key, {"flags": int(flags), "base64": base64.b64encode(data).decode()}


def version(package):
    command = ["dpkg-query", "-W", "-f", "${Version}", package]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


server = subprocess.Popen(["memcached", "-u", "root", "-l", "127.0.0.1", "-p", str(PORT)])
try:
    time.sleep(1)
    address = f"127.0.0.1:{PORT}"
    for command in (
        ["perl", here / "write.pl", "Cache::Memcached", "perl", address],
        ["perl", here / "write.pl", "Cache::Memcached::Fast", "fast", address],
        ["php", here / "write.php", "memcache", "127.0.0.1", str(PORT)],
        ["/usr/bin/python3", here / "write.py", "bmemcached", address],
    ):
        subprocess.run(command, check=True)
    with socket.create_connection(("127.0.0.1", PORT)) as connection:
        recorded = dict(items(connection.makefile("rwb")))
finally:
    server.kill()
    server.wait()

about = "Values as clients store them for which there is no codec, written by the clients themselves to memcached 1.6.18 and read back raw; keys begin with the writer."
packages = ("libcache-memcached-perl", "libcache-memcached-fast-perl", "php-memcache", "python3-binary-memcached")
lines = ",\n".join(f"{json.dumps(key)}:{json.dumps(item, separators=(',', ':'))}" for key, item in recorded.items())
head = json.dumps({"about": about, "versions": {package: version(package) for package in packages}})
target.write_text(f'{head[:-1]}, "items": {{\n{lines}\n}}}}\n')
print(f"{target}: {len(recorded)} items")
