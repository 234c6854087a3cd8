/**
 * pylibmc's half: threads that make the calls of their scripts, each with a client of its own or
 * of a pool, and tell what came of each and when.
 */
export const PYTHON_PLAYER = `
import contextlib, threading, time
import pylibmc

def lender(kind, master, count):
    """What lends a thread its client for a call."""
    if kind == "ThreadMappedPool":
        return pylibmc.ThreadMappedPool(master).reserve
    if kind == "ClientPool":
        pool = pylibmc.ClientPool(master, count)
        return lambda: pool.reserve(block=True)
    own = threading.local()
    def lend():
        if not hasattr(own, "client"):
            own.client = master.clone()
        return contextlib.nullcontext(own.client)
    return lend

def gets(client, key):
    """Of a text pylibmc 1.6.3 makes bytes that are free again before it asks: another thread's key."""
    data = key.encode()
    return client.gets(data)

def found(call, *arguments):
    """What some calls raise on a miss, over one protocol or both."""
    try:
        return call(*arguments)
    except pylibmc.NotFound:
        return None

class Player:
    def __init__(self, by, lend, epoch):
        self.by, self.lend, self.epoch, self.steps = by, lend, epoch, []

    def now(self):
        return time.monotonic_ns() - self.epoch

    def note(self, kind, key, start, result, **more):
        end = self.now()
        self.steps.append(
            {"by": self.by, "kind": kind, "key": key, "result": result, "start": start, "end": end, **more})

    def play(self, script):
        time.sleep(max(0, -self.now()) / 1e9)
        for call in script:
            time.sleep(0.0005)  # on one processor the other half would have its turn when all is done
            with self.lend() as client:
                getattr(self, call["kind"], self.change)(client, **call)

    def get(self, client, kind, keys, value):
        start = self.now()
        self.note(kind, keys[0], start, client.get(keys[0]))

    def has(self, client, kind, keys, value):
        start = self.now()
        self.note(kind, keys[0], start, keys[0] in client)

    def getMulti(self, client, kind, keys, value):
        start = self.now()
        held = client.get_multi(keys)
        for key in keys:
            self.note("get", key, start, held.get(key))

    def setMulti(self, client, kind, keys, value):
        start = self.now()
        failed = client.set_multi({key: value for key in keys})
        for key in keys:
            self.note("set", key, start, key not in failed, value=value)

    def swap(self, client, kind, keys, value):
        start = self.now()
        held, token = gets(client, keys[0])
        token = None if held is None else str(token)
        self.note("gets", keys[0], start, held, token=token)
        if token is None:
            return
        start = self.now()
        done = found(client.cas, keys[0], value, int(token))
        self.note("cas", keys[0], start, bool(done), value=value, token=token)

    def count(self, client, kind, keys, value):
        start = self.now()
        self.note(kind, keys[0], start, found(getattr(client, kind), keys[0], value), value=value)

    incr = decr = count

    def delete(self, client, kind, keys, value):
        start = self.now()
        self.note(kind, keys[0], start, client.delete(keys[0]))

    def change(self, client, kind, keys, value):
        start = self.now()
        done = found(getattr(client, kind), keys[0], value)
        self.note(kind, keys[0], start, bool(done), value=value)

class Contestant:
    """The same as in contest.ts."""
    def __init__(self, by, lend, keys):
        self.by, self.lend, self.keys = by, lend, keys

    def play(self, times):
        for n in range(times):
            with self.lend() as client:
                self.swap(client)
                client.incr(self.keys["count"])
                client.append(self.keys["list"], "%s.%d," % (self.by, n))
                self.hold(client)

    def swap(self, client):
        while True:
            number, token = gets(client, self.keys["swap"])
            if client.cas(self.keys["swap"], number + 1, token):
                return

    def hold(self, client):
        while not client.add(self.keys["lock"], self.by):
            time.sleep(0.001)
        client.set(self.keys["held"], client.get(self.keys["held"]) + 1)
        client.delete(self.keys["lock"])

def run(players, scripts):
    failures = []
    def guarded(player, script):
        try:
            player.play(script)
        except BaseException as error:
            failures.append(error)
    threads = [threading.Thread(target=guarded, args=each) for each in zip(players, scripts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]

def answer(question):
    if "clock" in question:
        return time.monotonic_ns() - int(question["clock"])
    behaviors = dict(question["behaviors"])
    if "namespace" in behaviors:
        behaviors["namespace"] = behaviors["namespace"].encode()
    master = pylibmc.Client(question["servers"], binary=question["binary"], behaviors=behaviors)
    lend = lender(question["lends"], master, 2)
    names = ["python%d" % n for n in range(len(question["scripts"]))]
    if "keys" in question:
        run([Contestant(by, lend, question["keys"]) for by in names], question["scripts"])
        return None
    players = [Player(by, lend, int(question["epoch"])) for by in names]
    run(players, question["scripts"])
    return [step for player in players for step in player.steps]
`;
