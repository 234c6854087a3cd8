/**
 * Reads a program's arguments. With `--help` among them the program prints its usage instead, and
 * ends; likewise, with what is wrong, if `read` throws a TypeError, as `parseArgs` does.
 * @template Result
 * @param {string} usage
 * @param {() => Result} read
 * @returns {Result}
 */
export function explained(usage, read) {
  if (process.argv.includes("--help")) {
    console.log(usage.trim());
    process.exit(0);
  }
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${usage.trim()}`);
    process.exit(2);
  }
}

/**
 * The value of an option that is a number.
 * @param {string} name
 * @param {string} text
 * @throws {TypeError} for anything but a number above 0
 */
export function positive(name, text) {
  const number = Number(text);
  if (number > 0) return number;
  throw new TypeError(`--${name} takes a number above 0`);
}
