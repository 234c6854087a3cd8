/** One line of `stats`: a name and what it says. */
export type Entry = readonly [name: string, value: string | number];

export function yesNo(value: boolean): string {
  return value ? "yes" : "no";
}
