import {
  type Behaviors,
  Client,
  ClientPool,
  type Distribution,
  type HashFunction,
  type HashName,
  type ItemExplanation,
  type Reservation,
  ThreadMappedPool,
} from "tslibmc";
import { describe, expectTypeOf, test } from "vitest";

describe("behaviors", () => {
  const client = new Client("127.0.0.1", { behaviors: { tcp_nodelay: 1, "poll timeout": 5 } });

  test("are read as what is in effect", () => {
    expectTypeOf(client.behaviors).toEqualTypeOf<Behaviors>();
    expectTypeOf(client.behaviors.hash).toEqualTypeOf<HashName | HashFunction | undefined>();
    expectTypeOf(client.behaviors.distribution).toEqualTypeOf<Distribution | undefined>();
    expectTypeOf(client.behaviors.remove_failed).toEqualTypeOf<boolean>();
  });

  test("are set by known names to values of their own", () => {
    client.behaviors = { remove_failed: 4, hash: (key) => key.length };
    // @ts-expect-error a misspelt name
    client.behaviors = { ketma: true };
    // @ts-expect-error an unknown hash
    client.behaviors.hash = "md6";
    // @ts-expect-error text for a number
    client.behaviors.retry_timeout = "2";
  });
});

describe("pools", () => {
  class Mine extends Client<string> {}
  const pool = new ClientPool(new Mine("127.0.0.1"), 1);
  const mapped = new ThreadMappedPool(new Mine("127.0.0.1"));

  test("lend clients of their master's class, and give back what is done with them", () => {
    expectTypeOf(pool.reserve()).resolves.toEqualTypeOf<Reservation<Mine>>();
    expectTypeOf(pool.reserve((mc) => mc.get("k"))).resolves.toEqualTypeOf<string | undefined>();
    expectTypeOf(mapped.reserve((mc) => mc)).resolves.toEqualTypeOf<Mine>();
    expectTypeOf(mapped.relinquish()).toEqualTypeOf<Mine | undefined>();
  });
});

test("a class makes its own kind from a configuration", () => {
  class Mine extends Client<string> {}
  expectTypeOf(Mine.fromConfiguration("--SERVER=localhost")).toEqualTypeOf<Mine>();
  expectTypeOf(new Mine("127.0.0.1").clone()).toEqualTypeOf<Mine>();
});

test("an explanation has an item only if one was looked for and is there", async () => {
  const { item } = await new Client("127.0.0.1").explain("k", { look: true });
  expectTypeOf(item).toEqualTypeOf<ItemExplanation | undefined>();
  if (item?.exists) expectTypeOf(item.ttl).toEqualTypeOf<number>();
});
