/** The codes of warnings, each with what a warning says beside its message. */
const DETAILS = {
  MEMCACHED_BEHAVIOR: { detail: "docs/behaviors.md has a row for each behavior." },
  MEMCACHED_PLAINTEXT_CREDENTIALS: {},
} as const;

const warned = new Set<string>();

/** One warning a subject and process, so that a program that makes many clients is not flooded. */
export function warnOnce(
  subject: string,
  what: string,
  code: keyof typeof DETAILS = "MEMCACHED_BEHAVIOR",
): void {
  if (warned.has(subject)) return;
  warned.add(subject);
  process.emitWarning(`${subject} ${what}`, { type: "MemcachedWarning", code, ...DETAILS[code] });
}
