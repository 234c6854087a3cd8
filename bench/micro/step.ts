/** Something small, done over and over; a call of it costs a few nanoseconds by itself. */
export interface Step {
  readonly name: string;
  readonly run: (i: number) => unknown;
  /** How many of what is named one call does. @defaultValue 1 */
  readonly times?: number;
}
