import type { Client, ValueWithCas } from "tslibmc";
import type { Migration } from "tslibmc/migration";
import { expectTypeOf, test } from "vitest";

interface User {
  readonly name: string;
}

/** What an application that is to move may ask of its cache. */
type Cache = Pick<Client<User>, "get" | "getMulti" | "gets" | "set" | "cas" | "delete" | "incr">;

declare const migration: Migration<User>;

test("a migration stands where a client stood", () => {
  expectTypeOf(migration).toExtend<Cache>();
  expectTypeOf(migration.get("k")).resolves.toEqualTypeOf<User | undefined>();
  expectTypeOf(migration.get<number>("k")).resolves.toEqualTypeOf<number | undefined>();
  expectTypeOf(migration.gets("k")).resolves.toEqualTypeOf<ValueWithCas<User> | undefined>();
  expectTypeOf(migration.getMulti(["k"])).resolves.toEqualTypeOf<Map<string, User>>();
  expectTypeOf(migration.deleteMulti(["k"])).resolves.toEqualTypeOf<string[]>();
  expectTypeOf(migration.incr("n", 1n)).resolves.toEqualTypeOf<bigint | undefined>();
  expectTypeOf(migration.to).toEqualTypeOf<Client<User>>();
});

test("and stores only its type", () => {
  // @ts-expect-error a number is no User
  void migration.set("k", 5);
  // @ts-expect-error there is no such step
  migration.reads = "nowhere";
});
