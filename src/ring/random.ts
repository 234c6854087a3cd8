import { liveMembers, type RingBuilder } from "./ring.js";

/**
 * Any server, whatever the key: what was written is rarely found again.
 * @param next - the source of chance, 0 up to but not including 1
 */
export function random(next: () => number): RingBuilder {
  return (members) => {
    const positions = liveMembers(members).map(({ position }) => position);
    return { locate: () => positions[Math.floor(next() * positions.length)]! };
  };
}
