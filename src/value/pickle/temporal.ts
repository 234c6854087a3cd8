import { CodecError } from "../../errors.js";
import { quote } from "../../util/show.js";
import { broken } from "./broken.js";

const SECOND = 1000;
const DAY = 86_400 * SECOND;

/** `datetime.datetime`, ten bytes and perhaps a zone, as a Date; without a zone it is taken as UTC. */
export function readDatetime(state: unknown, zone: unknown): Date {
  const bytes = stateBytes(state, 10);
  const local = dayOf(bytes) + timeOf(bytes, 4);
  // The month's highest bit: the second of two equal hours when the clock is set back.
  const fold = bytes[2]! >= 0x80;
  if (zone === undefined || zone === null) return new Date(local);
  if (typeof zone === "number") return new Date(local - zone);
  if (typeof zone === "string") return new Date(instantOf(local, zone, fold));
  throw broken("the zone of a datetime is malformed");
}

/** `datetime.date`, four bytes, as a Date at midnight UTC. */
export function readDate(state: unknown): Date {
  return new Date(dayOf(stateBytes(state, 4)));
}

/** `datetime.time`, six bytes and perhaps a fixed zone, as ISO 8601 text. */
export function readTime(state: unknown, zone: unknown): string {
  const bytes = Buffer.from(stateBytes(state, 6));
  // The fold stands in the hour here.
  bytes[0] = bytes[0]! & 0x7f;
  timeOf(bytes, 0);
  const micros = bytes.readUIntBE(3, 3);
  let text = [bytes[0]!, bytes[1]!, bytes[2]!].map(twoDigits).join(":");
  if (micros > 0) text += `.${String(micros).padStart(6, "0")}`;
  return typeof zone === "number" ? text + offsetText(zone) : text;
}

/** `datetime.timedelta` in milliseconds. */
export function readTimedelta(days: unknown, seconds: unknown, micros: unknown): number {
  if (typeof days !== "number" || typeof seconds !== "number" || typeof micros !== "number") {
    throw broken("a timedelta is not of numbers");
  }
  // In whole microseconds, of which thousandths make a fraction once: -0.001, and not -0.000999….
  return ((days * 86_400 + seconds) * 1e6 + micros) / 1000;
}

/** The days from 1970 that year, month and day make, in milliseconds. */
function dayOf(bytes: Buffer): number {
  const year = bytes.readUInt16BE(0);
  const month = bytes[2]! & 0x7f;
  const day = bytes[3]!;
  const date = new Date(0);
  // Date.UTC would take the years to 99 for those of the last century.
  const time = date.setUTCFullYear(year, month - 1, day);
  if (year < 1 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) {
    throw broken("a date is malformed");
  }
  return time;
}

/** Milliseconds from midnight; Python's microseconds are cut. */
function timeOf(bytes: Buffer, at: number): number {
  const [hours, minutes, seconds] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!];
  const micros = bytes.readUIntBE(at + 3, 3);
  if (hours > 23 || minutes > 59 || seconds > 59 || micros > 999_999)
    throw broken("a time is malformed");
  return ((hours * 60 + minutes) * 60 + seconds) * SECOND + Math.floor(micros / 1000);
}

/** Python 2 gives the state as a string, which was read as text if it could be. */
function stateBytes(state: unknown, length: number): Buffer {
  const bytes = typeof state === "string" ? Buffer.from(state, "utf8") : state;
  if (!Buffer.isBuffer(bytes) || bytes.length !== length)
    throw broken("a date or time is malformed");
  return bytes;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** `+05:30`, as Python prints it. */
function offsetText(zone: number): string {
  const total = Math.abs(zone) / SECOND;
  const parts = [Math.floor(total / 3600), Math.floor(total / 60) % 60];
  if (total % 60 !== 0) parts.push(Math.floor(total % 60));
  return (zone < 0 ? "-" : "+") + parts.map(twoDigits).join(":");
}

/**
 * When a zone's clocks showed a local time. In the hour that a clock shows twice the
 * fold decides; in one that it skips, the fold says which offset goes on (PEP 495).
 */
function instantOf(local: number, zone: string, fold: boolean): number {
  const format = formatOf(zone);
  const early = local - offsetAt(local - DAY, format);
  const late = local - offsetAt(local + DAY, format);
  const isEarly = early + offsetAt(early, format) === local;
  const isLate = late + offsetAt(late, format) === local;
  if (isEarly !== isLate) return isEarly ? early : late;
  return fold ? late : early;
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = FORMATS.get(zone);
  if (format !== undefined) return format;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    throw new CodecError(`A pickle has the time zone ${quote(zone, 100)}, unknown here`);
  }
  // A name has many spellings in upper and lower case, with which a pickle could fill the memory.
  if (FORMATS.size < 1000) FORMATS.set(zone, format);
  return format;
}

/** Before this no zone had rules that changed, and years are not told apart from others by their digits. */
const FIRST_RULES = Date.UTC(1000, 0);

/** How far a zone is east of UTC at an instant, in milliseconds. */
function offsetAt(time: number, format: Intl.DateTimeFormat): number {
  const instant = Math.max(time, FIRST_RULES);
  const fields = new Map<string, number>();
  for (const { type, value } of format.formatToParts(instant)) fields.set(type, Number(value));
  const field = (name: string): number => fields.get(name) ?? 0;
  const local = Date.UTC(
    field("year"),
    field("month") - 1,
    field("day"),
    field("hour"),
    field("minute"),
    field("second"),
  );
  return local - Math.floor(instant / SECOND) * SECOND;
}

/** An instant as the state of a `datetime.datetime` in UTC, if Python has its year. */
export function datetimeState(date: Date): Buffer | undefined {
  const year = date.getUTCFullYear();
  // An invalid date has NaN for a year.
  if (!(year >= 1 && year <= 9999)) return undefined;
  const state = Buffer.alloc(10);
  state.writeUInt16BE(year, 0);
  state[2] = date.getUTCMonth() + 1;
  state[3] = date.getUTCDate();
  state[4] = date.getUTCHours();
  state[5] = date.getUTCMinutes();
  state[6] = date.getUTCSeconds();
  state.writeUIntBE(date.getUTCMilliseconds() * 1000, 7, 3);
  return state;
}
