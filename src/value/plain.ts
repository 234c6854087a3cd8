/** Sets a property as data, whatever its name. */
export function setProperty(object: object, name: string, value: unknown): void {
  if (name === "__proto__") {
    Object.defineProperty(object, name, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  } else {
    (object as Record<string, unknown>)[name] = value;
  }
}

/** What has these entries: an object, or a Map if a key is not a string. */
export function dictionaryOf(entries: readonly (readonly [unknown, unknown])[]): object {
  const object = {};
  for (const [key, value] of entries) {
    if (typeof key !== "string") return new Map(entries);
    setProperty(object, key, value);
  }
  return object;
}

/** Whether a value is an object of string keys and nothing else: no array, no instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

/** What a value calls itself, as `"Map"` or `"Date"`. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}
