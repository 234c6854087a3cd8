/**
 * A value that was not expected, in the words of a message: short, and without what it holds,
 * be it the user and the password of a URL.
 */
export function show(value: unknown): string {
  if (typeof value === "string")
    return value.includes("@") ? 'a string with "@"' : quote(value, 40);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? "an array" : withArticle(nameOfClass(value));
  }
  return typeof value === "function" ? "a function" : String(value);
}

/** The kind of a value that may be a secret, and so is not shown itself. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" || typeof value === "function"
    ? show(value)
    : `a ${typeof value}`;
}

/** A text in quotation marks, cut after `most` characters. */
export function quote(text: string, most: number): string {
  return JSON.stringify(shorten(text, most));
}

/** Somebody else's words in a message, cut after `most` characters. */
export function shorten(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

function nameOfClass(value: object): string {
  const { name } = value.constructor ?? {};
  return typeof name !== "string" || name === "" || name === "Object"
    ? "object"
    : shorten(name, 40);
}

export function withArticle(noun: string): string {
  return `${/^[aeio]/i.test(noun) ? "an" : "a"} ${noun}`;
}
