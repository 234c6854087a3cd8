import { ArgumentError, Client, type ClientOptions, OptionError } from "tslibmc";
import { expect, test } from "vitest";

test.each<[string, ClientOptions, typeof ArgumentError]>([
  ["no room at all", { maxQueueLength: 0 }, ArgumentError],
  ["a fraction", { maxQueueLength: 1.5 }, ArgumentError],
  ["a length as text", { maxQueueLength: "10" as never }, ArgumentError],
  ["no bytes", { maxQueueBytes: 0 }, ArgumentError],
  ["endless bytes", { maxQueueBytes: Number.POSITIVE_INFINITY }, ArgumentError],
  ["another choice", { whenQueueFull: "drop" as never }, OptionError],
])("%s is no limit", (_, options, errorClass) => {
  expect(() => new Client("127.0.0.1", options)).toThrow(errorClass);
});
