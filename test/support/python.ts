import { execFile } from "node:child_process";

/** The interpreter that has pylibmc: Debian's, unless PYTHON names another. */
export const PYTHON: string = process.env["PYTHON"] ?? "/usr/bin/python3";

/**
 * What surrounds a script: `input` is there for it to read, and whatever it assigns to
 * `output` comes back. Bytes go both ways as `{"$bytes": "<base64>"}`.
 */
const FRAME = `
import base64, json, sys

def thaw(object):
    return base64.b64decode(object["$bytes"]) if "$bytes" in object else object

def freeze(value):
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot go back as JSON: {value!r}")

call = json.load(sys.stdin, object_hook=thaw)
names = {"input": call["input"], "output": None}
exec(compile(call["source"], "script", "exec"), names)
json.dump(names["output"], sys.stdout, default=freeze)
`;

const LIMIT_MS = 30_000;

/**
 * Runs a Python script, which finds `input` and leaves its result in `output`. Uint8Arrays
 * arrive there as bytes, and bytes come back as Buffers. Rejects with Python's traceback.
 */
export function runPython<Output = unknown>(
  source: string,
  input: unknown = null,
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      PYTHON,
      ["-c", FRAME],
      { timeout: LIMIT_MS, maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error !== null) reject(new Error(stderr.trim() || error.message, { cause: error }));
        else resolve(JSON.parse(stdout, thaw) as Output);
      },
    );
    child.stdin?.on("error", () => {}); // a script that fails early does not read its input
    child.stdin?.end(JSON.stringify({ source: dedent(source), input }, freeze));
  });
}

/** Takes off the indentation that the first line has, so that scripts can stand in template strings. */
function dedent(source: string): string {
  const lines = source.replace(/^\s*\n/, "").split("\n");
  const indent = /^ */.exec(lines[0] ?? "")?.[0].length ?? 0;
  return lines.map((line) => (line.trim() === "" ? "" : line.slice(indent))).join("\n");
}

function freeze(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key]; // a Buffer's toJSON has run on `value` already
  if (!(original instanceof Uint8Array)) return value;
  return { $bytes: Buffer.from(original).toString("base64") };
}

function thaw(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("$bytes" in value)) return value;
  return Buffer.from(String(value.$bytes), "base64");
}
