let step = "";

/**
 * Shows where a long run is, on stderr: on a terminal in one line that changes, elsewhere a
 * line whenever the part in front of the colon is another one. `""` clears it.
 */
export function say(progress: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\x1b[K${progress}`);
    return;
  }
  const [next = ""] = progress.split(":");
  if (next !== step && next !== "") process.stderr.write(`${next}\n`);
  step = next;
}
