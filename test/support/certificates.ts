import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate with its key, as files and as text. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** An authority of a test's own, made by the openssl command. */
export class Authority implements Disposable {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "certificates-"));
  readonly #key: string = join(this.#folder, "authority.key");
  /** What a client has to trust. */
  readonly file: string = join(this.#folder, "authority.pem");
  readonly cert: string;

  constructor(name: string) {
    this.#openssl(
      ...["req", "-x509", ...NEW_KEY, "-subj", `/CN=${name}`, "-days", "2"],
      ...["-keyout", this.#key, "-out", this.file],
    );
    this.cert = readFileSync(this.file, "utf8");
  }

  /**
   * Issues a certificate.
   * @param altNames - as openssl writes them, for instance `["DNS:localhost", "IP:127.0.0.1"]`
   * @param days - how long it is good for; negative for one that has expired
   */
  issue(name: string, altNames: readonly string[], days = 2): Certificate {
    const [certFile, keyFile, requestFile, extensions] = ["pem", "key", "csr", "ext"].map(
      (ending) => join(this.#folder, `${name}.${ending}`),
    ) as [string, string, string, string];
    writeFileSync(extensions, `subjectAltName=${altNames.join(",")}\n`);
    this.#openssl(
      "req",
      ...NEW_KEY,
      "-subj",
      `/CN=${name}`,
      "-keyout",
      keyFile,
      "-out",
      requestFile,
    );
    this.#openssl(
      ...["x509", "-req", "-in", requestFile, "-CA", this.file, "-CAkey", this.#key],
      ...["-CAcreateserial", "-days", String(days), "-extfile", extensions, "-out", certFile],
    );
    const [cert, key] = [readFileSync(certFile, "utf8"), readFileSync(keyFile, "utf8")];
    return { certFile, keyFile, cert, key };
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #openssl(...args: readonly string[]): void {
    execFileSync("openssl", args, { stdio: "pipe" });
  }
}
