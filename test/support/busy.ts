/** Keeps the program, and with it the event loop, from all else for so long. */
export function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
