/** Changing a value that others change too: read with a token, write only if nobody was faster. */
import { Client } from "tslibmc";

await using client = new Client<readonly string[]>("127.0.0.1:11211");

async function addMember(key: string, member: string): Promise<readonly string[]> {
  for (;;) {
    const current = await client.gets(key);
    const changed = [...(current?.value ?? []), member];
    const stored = current
      ? await client.cas(key, changed, current.cas)
      : await client.add(key, changed);
    if (stored) return changed;
  }
}

await Promise.all(["Ada", "Grace", "Edsger"].map((member) => addMember("team", member)));
console.log((await client.get("team"))?.length); // 3
