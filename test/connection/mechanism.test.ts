import { describe, expect, test } from "vitest";
import { saslAuthentication } from "../../src/connection/auth.js";
import type { Ask } from "../../src/connection/greeting.js";
import { chooseMechanism, startMechanism } from "../../src/connection/mechanism.js";
import { scram } from "../../src/connection/scram.js";
import type { SaslRequest } from "../../src/protocol/request.js";

describe("SCRAM-SHA-256, with the example of RFC 7677", () => {
  const credentials = { username: "user", password: "pencil" };
  const nonce = "rOprNGfwEbeRWgbNEkqO";
  const serverFirst = `r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
  const serverFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

  /** The dialogue up to our proof. */
  async function upToProof(first = serverFirst) {
    const dialogue = scram("sha256", credentials, nonce);
    expect((await dialogue.next("")).value).toBe(`n,,n=user,r=${nonce}`);
    return { dialogue, final: (await dialogue.next(first)).value };
  }

  test("the messages are those of the example", async () => {
    const { dialogue, final } = await upToProof();
    expect(final).toBe(
      `c=biws,r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,` +
        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    );
    expect(await dialogue.next(serverFinal)).toEqual({ done: false, value: "" });
    expect((await dialogue.next("Authenticated")).done).toBe(true);
  });

  test.each([
    ["another signature", serverFinal.replace("v=6", "v=7"), "does not show that it knows"],
    ["no signature", "Authenticated", "does not show that it knows"],
    ["an error", "e=invalid-proof", "invalid-proof"],
  ])("a server with %s is no server of ours", async (_, last, words) => {
    const { dialogue } = await upToProof();
    await expect(dialogue.next(last)).rejects.toThrow(words);
  });

  test.each([
    ["a nonce of its own", serverFirst.replace(nonce, "x"), "does not fit ours"],
    ["our nonce alone", serverFirst.replace(/%[^,]*/, ""), "does not fit ours"],
    ["no salt", serverFirst.replace(/s=[^,]*/, "s="), "does not fit ours"],
    ["a billion rounds", serverFirst.replace("i=4096", "i=1000000000"), "rounds of SCRAM"],
    ["no rounds", serverFirst.replace("i=4096", "i=0"), "rounds of SCRAM"],
    ["an extension", `m=new,${serverFirst}`, "does not fit ours"],
    ["too few rounds", serverFirst.replace("i=4096", "i=4095"), '"4095" rounds of SCRAM'],
    ["rounds that are no number", serverFirst.replace("i=4096", "i=5e3"), '"5e3" rounds of SCRAM'],
    ["rounds that are no words", serverFirst.replace("i=4096", "i=\x1b[2J"), '"\\u001b[2J" rounds'],
    ["consent instead of a challenge", "Authenticated", "does not fit ours"],
  ])("a server with %s is refused before any proof", async (_, first, words) => {
    await expect(upToProof(first)).rejects.toThrow(words);
  });

  test("a name with a comma or an equals sign is escaped", async () => {
    const dialogue = scram("sha256", { username: "a,b=c", password: "" }, nonce);
    expect((await dialogue.next("")).value).toBe(`n,,n=a=2Cb=3Dc,r=${nonce}`);
  });

  test("every dialogue has a nonce of its own", async () => {
    const [one, other] = [scram("sha1", credentials), scram("sha1", credentials)];
    expect((await one.next("")).value).not.toBe((await other.next("")).value);
  });
});

test.each([
  ["name", { username: "user\0admin", password: "pencil" }],
  ["password", { username: "user", password: "pen\0cil" }],
])(
  "PLAIN sends no %s with a NUL in it, at which the server would part it",
  async (_, credentials) => {
    await expect(startMechanism("PLAIN", credentials).next("")).rejects.toThrow("by NUL");
  },
);

test("CRAM-MD5, with the example of RFC 2195", async () => {
  const dialogue = startMechanism("CRAM-MD5", { username: "tim", password: "tanstaaftanstaaf" });
  expect((await dialogue.next("")).value).toBe("");
  const challenge = "<1896.697170952@postoffice.reston.mci.net>";
  expect((await dialogue.next(challenge)).value).toBe("tim b913a602c7eda7a495b4e6e7334d3890");
});

test("a server that consents before it has shown that it knows the password is refused", async () => {
  const ask: Ask = async (request) => {
    const { step, response } = request as SaslRequest;
    // Its first message, with the consent that belongs to its last.
    const nonce = response.slice(response.indexOf("r=") + 2);
    return { kind: "text", text: step === "list" ? "SCRAM-SHA-256" : `r=${nonce}x,s=cw==,i=4096` };
  };
  const authenticate = saslAuthentication(() => ({ username: "u", password: "p" }), undefined);
  await expect(authenticate(ask, "server")).rejects.toThrow(
    "Authentication at server failed: it consents before SCRAM-SHA-256 is over",
  );
});

test("the strongest mechanism is taken, or the one that was named", () => {
  const offered = ["PLAIN", "SCRAM-SHA-256", "CRAM-MD5", "SCRAM-SHA-1", "GSSAPI"];
  expect(chooseMechanism(offered, undefined)).toBe("SCRAM-SHA-256");
  expect(chooseMechanism(["LOGIN", "PLAIN", "CRAM-MD5"], undefined)).toBe("CRAM-MD5");
  expect(chooseMechanism(offered, "PLAIN")).toBe("PLAIN");
  expect(chooseMechanism(["SCRAM-SHA-256"], "PLAIN")).toBeUndefined();
  expect(chooseMechanism([""], undefined)).toBeUndefined();
});
