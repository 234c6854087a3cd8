import { expect, test } from "vitest";
import { Interpreter } from "./interpreter.js";

const SCRIPT = `
total = 0

def answer(question):
    global total
    total += question["add"]
    return {"total": total}
`;

test("one question after the other finds what the last has left", async () => {
  await using python = new Interpreter(SCRIPT);
  expect(await python.ask({ add: 2 })).toEqual({ total: 2 });
  expect(await python.ask({ add: 3 })).toEqual({ total: 5 });
});

test("what Python raises ends it, and comes with its traceback", async () => {
  await using python = new Interpreter(SCRIPT);
  await expect(python.ask({ add: "text" })).rejects.toThrow(/Traceback[\s\S]*TypeError/);
  await expect(python.ask({ add: 1 })).rejects.toThrow("Python has ended");
});
