"""
pylibmc's own process: the same questions and answers as worker.ts, a JSON line each.

    python3 worker.py '{"name": "pylibmc", "servers": ["127.0.0.1:11211"]}'

It carries out one operation at a time; `set` with more in flight is set_multi of 100.
"""

import json
import re
import resource
import sys
import time

import pylibmc

BATCH = 100
FILLER = "the quick brown fox jumps over the lazy dog "

subject = json.loads(sys.argv[1])
client = pylibmc.Client(subject["servers"], **subject.get("options", {}))
loads = {}


def keys_of(workload):
    # Padded as load/data.ts pads the other clients' keys.
    prefix = re.sub(r"[^\w:@.-]", "_", f"{subject['name']:20}:{workload['name']}", flags=re.ASCII)
    return [f"{prefix}:{i}" for i in range(workload["keys"])]


def text_for(key, size):
    return (key + " " + FILLER * (size // len(FILLER) + 1))[:size]


def row_for(key, size):
    row = {
        "id": key,
        "name": "Ada Lovelace",
        "age": 36,
        "active": True,
        "score": 99.5,
        "tags": ["mathematics", "poetry", "engines"],
        "address": {"street": "St James's Square 12", "city": "London", "code": "SW1Y 4JH"},
        "orders": [],
    }
    while len(json.dumps(row, separators=(",", ":"))) < size:
        row["orders"].append({"number": len(row["orders"]), "item": "punched card", "price": 0.25})
    return row


def check(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what} is not what was set")


def prepare(workload):
    """The i-th operation of a workload as a function, once its values read back right."""
    kind, keys, size = workload["kind"], keys_of(workload), workload["size"]
    count = len(keys)
    if kind == "object":
        rows = [row_for(key, size) for key in keys]

        def store(i):
            client.set(keys[i % count], json.dumps(rows[i % count]))

        def load(i):
            return json.loads(client.get(keys[i % count]))

        for i, row in enumerate(rows):
            store(i)
            check(load(i), row, keys[i])
        return lambda i: load(i // 2) if i % 2 else store(i // 2)

    values = [text_for(key, size) for key in keys]
    if kind.endswith("Blob"):
        values = [value.encode() for value in values]
    for key, value in zip(keys, values):
        client.set(key, value)
        check(client.get(key), value, key)
    if kind in ("get", "getBlob"):
        return lambda i: client.get(keys[i % count])
    if kind in ("set", "setBlob"):
        return lambda i: client.set(keys[i % count], values[i % count])
    if kind == "getMulti":
        batches = [keys[i : i + BATCH] for i in range(0, count, BATCH)]
        for i, batch in enumerate(batches):
            wanted = dict(zip(batch, values[i * BATCH :]))
            check(client.get_multi(batch), wanted, f"get_multi of {batch[0]}")
        return lambda i: client.get_multi(batches[i % len(batches)])
    raise NotImplementedError(f"{kind} with several in flight at once")


def prepare_many_sets(workload):
    """set_multi of 100, the nearest thing to sets in flight together."""
    keys = keys_of(workload)
    values = [text_for(key, workload["size"]) for key in keys]
    batches = [dict(zip(keys[i : i + BATCH], values[i:])) for i in range(0, len(keys), BATCH)]
    for batch in batches:
        check(client.set_multi(batch), [], "set_multi")
        check(client.get_multi(list(batch)), batch, "get_multi")
    return lambda i: client.set_multi(batches[i % len(batches)])


def cpu_micros():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return (usage.ru_utime + usage.ru_stime) * 1e6


def run(operation, count, per_call, notes_latencies):
    clock = time.perf_counter
    latencies = []
    start, before = clock(), cpu_micros()
    if notes_latencies:
        for i in range(count):
            begin = clock()
            operation(i)
            latencies.append((clock() - begin) * 1e6)
    else:
        for i in range(-(-count // per_call)):
            operation(i)
    measured = {"cpuMicros": cpu_micros() - before, "seconds": clock() - start}
    if notes_latencies:
        latencies.sort()
        measured["p50"] = latencies[int(0.5 * (count - 1))]
        measured["p99"] = latencies[int(0.99 * (count - 1))]
    return measured


def answer(question):
    if question["ask"] == "prepare":
        workload = question["workload"]
        alone = workload["inFlight"] == 1
        many_sets = workload["kind"] == "set" and not alone
        operation = prepare_many_sets(workload) if many_sets else prepare(workload)
        loads[workload["name"]] = (operation, BATCH if many_sets else 1, alone)
        return {}
    operation, per_call, alone = loads[question["workload"]]
    return {"measured": run(operation, question["count"], per_call, alone)}


for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except Exception as error:
        reply = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(reply), flush=True)
