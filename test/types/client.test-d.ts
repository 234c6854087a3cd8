import { Client, type Key, PartialError, type Stats, type ValueWithCas } from "tslibmc";
import { serverFile } from "tslibmc/discovery";
import { describe, expectTypeOf, test } from "vitest";

interface User {
  readonly name: string;
}

describe("values", () => {
  const untyped = new Client("127.0.0.1");
  const users = new Client<User>("127.0.0.1");

  test("a value is unknown unless it is said what it is", () => {
    expectTypeOf(untyped.get("k")).resolves.toEqualTypeOf<unknown>();
    expectTypeOf(untyped.get<User>("k")).resolves.toEqualTypeOf<User | undefined>();
    expectTypeOf(users.get("k")).resolves.toEqualTypeOf<User | undefined>();
    expectTypeOf(users.get<string>("k")).resolves.toEqualTypeOf<string | undefined>();
  });

  test("a client of a type stores only that type", () => {
    expectTypeOf(users.set).parameter(1).toEqualTypeOf<User>();
    // @ts-expect-error a number is no User
    void users.set("k", 5);
    // @ts-expect-error neither is one of many
    void users.setMulti({ k: 5 });
    expectTypeOf(untyped.set).parameter(1).toEqualTypeOf<unknown>();
  });

  test("gets has the token, and a miss has nothing", () => {
    expectTypeOf(users.gets("k")).resolves.toEqualTypeOf<ValueWithCas<User> | undefined>();
    expectTypeOf<ValueWithCas<User>["cas"]>().toEqualTypeOf<bigint>();
  });

  test("many keys keep their type", () => {
    expectTypeOf(users.getMulti(["a", "b"])).resolves.toEqualTypeOf<Map<string, User>>();
    const bytes = [new Uint8Array(1)];
    expectTypeOf(users.getMulti(bytes)).resolves.toExtend<ReadonlyMap<Uint8Array, User>>();
    expectTypeOf(users.getsMulti(["a"])).resolves.toEqualTypeOf<Map<string, ValueWithCas<User>>>();
    expectTypeOf(users.deleteMulti(["a"])).resolves.toEqualTypeOf<string[]>();
  });

  test("a text is one key, and not many", () => {
    // @ts-expect-error
    void users.getMulti("ab");
    // @ts-expect-error
    void users.getsMulti("ab");
    // @ts-expect-error
    void users.deleteMulti("ab");
    // @ts-expect-error
    void users.touchMulti("ab", 1);
    // @ts-expect-error
    void users.incrMulti("ab");
  });

  test("many keys may be any iterable object", () => {
    const map = new Map([["a", 1]]);
    const tuple = ["a", "b"] as const;
    const either = tuple as readonly string[] | ReadonlySet<string>;
    const iterable: Iterable<string> = map.keys();
    expectTypeOf(users.getMulti(iterable)).resolves.toEqualTypeOf<Map<string, User>>();
    expectTypeOf(users.getMulti(either)).resolves.toEqualTypeOf<Map<string, User>>();
    expectTypeOf(users.getMulti(tuple)).resolves.toEqualTypeOf<Map<string, User>>();
    expectTypeOf(users.deleteMulti(map.keys())).resolves.toEqualTypeOf<string[]>();
    expectTypeOf(users.touchMulti(tuple, 1)).resolves.toEqualTypeOf<string[]>();
    expectTypeOf(users.incrMulti(iterable)).resolves.toEqualTypeOf<Map<string, number>>();
    expectTypeOf(users.getMulti([])).resolves.toEqualTypeOf<Map<string, User>>();
  });

  test("a value's type may be said with the keys left to themselves", () => {
    const keys: Key[] = ["a", new Uint8Array(1)];
    expectTypeOf(untyped.getMulti<User>(["a"])).resolves.toEqualTypeOf<Map<string, User>>();
    expectTypeOf(untyped.getMulti<User>(keys)).resolves.toEqualTypeOf<Map<Key, User>>();
    expectTypeOf(untyped.getsMulti<User>(new Set(["a"]))).resolves.toEqualTypeOf<
      Map<string, ValueWithCas<User>>
    >();
  });

  test("the keys that were not stored have the type of those given", () => {
    const ada = { name: "A" };
    const bytes = new Map([[new Uint8Array(1), ada]]);
    expectTypeOf(users.setMulti({ a: ada })).resolves.toEqualTypeOf<string[]>();
    expectTypeOf(users.setMulti([["a", ada]])).resolves.toEqualTypeOf<string[]>();
    expectTypeOf(users.addMulti(new Map([["a", ada]]))).resolves.toEqualTypeOf<string[]>();
    expectTypeOf(users.addMulti(bytes)).resolves.items.toExtend<Uint8Array>();
  });
});

describe("counting", () => {
  const client = new Client("127.0.0.1");

  test("the result has the delta's type", () => {
    expectTypeOf(client.incr("k")).resolves.toEqualTypeOf<number | undefined>();
    expectTypeOf(client.incr("k", 5)).resolves.toEqualTypeOf<number | undefined>();
    expectTypeOf(client.incr("k", 5n)).resolves.toEqualTypeOf<bigint | undefined>();
    expectTypeOf(client.incrMulti(["a"])).resolves.toEqualTypeOf<Map<string, number>>();
    expectTypeOf(client.incrMulti(new Map([["a", 1]]))).resolves.toEqualTypeOf<
      Map<string, number>
    >();
  });
});

describe("options and results", () => {
  const client = new Client("127.0.0.1");

  test("each call takes its own options", () => {
    void client.set("k", 1, 60);
    void client.set("k", 1, new Date());
    void client.set("k", 1, { ttl: 60, flags: 1, noreply: true, timeoutMs: 5, groupKey: "g" });
    // @ts-expect-error get has no ttl
    void client.get("k", { ttl: 60 });
    // @ts-expect-error append keeps the item's ttl
    void client.append("k", "x", { ttl: 60 });
    // @ts-expect-error a value to append is text or bytes
    void client.append("k", 5);
    // @ts-expect-error cas is a bigint
    void client.cas("k", 1, 5);
    // @ts-expect-error a key is text or bytes
    void client.get(5);
    // @ts-expect-error an option that does not exist
    new Client("127.0.0.1", { timeout: 5 });
  });

  test("servers answer by their names", () => {
    expectTypeOf(client.getStats()).resolves.toEqualTypeOf<Map<string, Stats>>();
    expectTypeOf(client.version()).resolves.toEqualTypeOf<Map<string, string>>();
    expectTypeOf(client.close()).resolves.toBeVoid();
    expectTypeOf(client).toExtend<AsyncDisposable>();
  });

  test("a partial error has the results in the call's form", () => {
    expectTypeOf<PartialError<Map<string, User>>["results"]>().toEqualTypeOf<Map<string, User>>();
    expectTypeOf(PartialError).instance.toExtend<Error>();
  });

  test("a clone is of the same class", () => {
    class Mine extends Client<User> {
      readonly mine = true;
    }
    expectTypeOf(new Mine("127.0.0.1").clone()).toEqualTypeOf<Mine>();
  });
});

describe("sources of servers", () => {
  class Mine extends Client<User> {
    readonly mine = true;
  }

  test("a client that is discovered is of the class that was asked", () => {
    const source = serverFile("servers");
    expectTypeOf(Client.discover(source)).resolves.toEqualTypeOf<Client>();
    expectTypeOf(Mine.discover(source)).resolves.toEqualTypeOf<Mine>();
    // @ts-expect-error a list is no source
    void Client.discover(["127.0.0.1"]);
    const numbers = (async function* () {
      yield 1;
    })();
    // @ts-expect-error neither is what gives numbers
    new Client("127.0.0.1").follow(numbers);
  });
});
