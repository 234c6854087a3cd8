import type { CipherGCMTypes, KeyObject } from "node:crypto";
import { CodecError, OptionError } from "../errors.js";
import { builtin } from "../util/builtin.js";
import { isUint8Array } from "../util/bytes.js";
import { checkBoolean } from "../util/check.js";
import { whenReady } from "../util/ready.js";
import { kindOf } from "../util/show.js";
import type { Codec, Encoded, EncodeOptions } from "./codec.js";
import { FLAG_ENCRYPTED } from "./flags.js";

const crypto = builtin("node:crypto");
const util = builtin("node:util");

/** A secret key, and the name by which items refer to it. */
export interface EncryptionKey {
  /** 1 to 32 ASCII characters, in the clear: which key an item needs. */
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Uint8Array | KeyObject;
}

/** AES-256-GCM of all values, bound to their keys. */
export interface EncryptionOptions {
  /** The first encrypts, all decrypt: put a new key in front, and drop an old one when its items are gone. */
  readonly keys: readonly EncryptionKey[];
  /**
   * Whether items that are not encrypted are read as well, while a cache is being refilled.
   * @defaultValue false
   */
  readonly allowPlaintext?: boolean | undefined;
}

const CIPHER: CipherGCMTypes = "aes-256-gcm";
const VERSION = 1;
const NONCE = 12;
const TAG = 16;
const FLAGS = 4;

/**
 * Seals what another codec writes with AES-256-GCM. The item's key, the key id and the
 * version are bound in, so that a value moved to another key is refused.
 *
 * ```
 *   version 1 | length of id 1 | id | nonce 12 | tag 16 | sealed( flags 4 | data )
 * ```
 */
export class EncryptedCodec implements Codec {
  readonly #inner: Codec;
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #id: string;
  readonly #secret: KeyObject;
  readonly #allowPlaintext: boolean;

  /** @throws OptionError for no keys, a wrong length, or an id that occurs twice */
  constructor(inner: Codec, options: EncryptionOptions) {
    const { allowPlaintext = false } = options;
    const keys = keysOf(options);
    const [first] = keys;
    if (first === undefined) {
      throw new OptionError("encryption.keys must have a key to encrypt with");
    }
    this.#inner = inner;
    this.#keys = keys;
    [this.#id, this.#secret] = first;
    this.#allowPlaintext = checkBoolean(allowPlaintext, "encryption.allowPlaintext");
  }

  encode(
    value: unknown,
    options: EncodeOptions | undefined,
    key?: string,
  ): Encoded | Promise<Encoded> {
    if (options?.part === true) {
      throw new CodecError(
        "An encrypted value is sealed as a whole; set it again instead of adding to it",
      );
    }
    const encoded = this.#inner.encode(value, options, key);
    return whenReady(encoded, (ready) => this.#seal(ready, key));
  }

  decode(
    bytes: Buffer,
    start: number,
    end: number,
    flags: number,
    owned: boolean,
    key?: string,
  ): unknown {
    if ((flags & FLAG_ENCRYPTED) === 0) {
      if (this.#allowPlaintext) return this.#inner.decode(bytes, start, end, flags, owned, key);
      throw new CodecError("The item is not encrypted; set encryption.allowPlaintext to read it");
    }
    const opened = this.#open(bytes.subarray(start, end), key);
    return this.#inner.decode(opened, FLAGS, opened.length, opened.readUInt32LE(0), true, key);
  }

  #seal({ data, flags }: Encoded, key: string | undefined): Encoded {
    const header = headerOf(this.#id);
    const { createCipheriv, randomBytes } = crypto();
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(CIPHER, this.#secret, nonce);
    cipher.setAAD(boundData(header, key));
    const inside = Buffer.allocUnsafe(FLAGS);
    inside.writeUInt32LE(flags);
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    const sealed = [cipher.update(inside), cipher.update(bytes), cipher.final()];
    return {
      data: Buffer.concat([header, nonce, cipher.getAuthTag(), ...sealed]),
      flags: FLAG_ENCRYPTED,
    };
  }

  /** The flags and the data, on four bytes of flags. */
  #open(item: Buffer, key: string | undefined): Buffer {
    const idEnd = 2 + (item[1] ?? 0);
    const tagEnd = idEnd + NONCE + TAG;
    if (item[0] !== VERSION || item.length < tagEnd + FLAGS) {
      throw new CodecError("The item is flagged as encrypted, but is not whole");
    }
    const id = item.toString("latin1", 2, idEnd);
    const secret = this.#keys.get(id);
    if (secret === undefined) {
      throw new CodecError(
        `The item needs the encryption key ${JSON.stringify(id)}, which is not given`,
      );
    }
    const decipher = crypto().createDecipheriv(
      CIPHER,
      secret,
      item.subarray(idEnd, idEnd + NONCE),
      {
        authTagLength: TAG,
      },
    );
    decipher.setAAD(boundData(item.subarray(0, idEnd), key));
    decipher.setAuthTag(item.subarray(idEnd + NONCE, tagEnd));
    try {
      return Buffer.concat([decipher.update(item.subarray(tagEnd)), decipher.final()]);
    } catch (cause) {
      throw new CodecError(
        "The item was not encrypted with this secret for this key, or has been changed since",
        { cause },
      );
    }
  }
}

/**
 * The keys by their ids, in their order. No message shows a part of one: what stands in the
 * wrong place may be the secret.
 */
function keysOf({ keys }: EncryptionOptions): Map<string, KeyObject> {
  if (!Array.isArray(keys)) throw notKeys(keys);
  const secrets = new Map<string, KeyObject>();
  for (const [place, key] of (keys as readonly EncryptionKey[]).entries()) {
    if (typeof key !== "object" || key === null) throw notKeys(key);
    const { id, secret } = key;
    if (typeof id !== "string" || !/^[!-~]{1,32}$/.test(id) || secrets.has(id)) {
      throw new OptionError("An encryption key's id must be its own, 1 to 32 characters of ASCII");
    }
    secrets.set(id, secretKey(secret, place));
  }
  return secrets;
}

function notKeys(given: unknown): OptionError {
  return new OptionError(
    `encryption.keys must be an array of { id, secret }, not ${kindOf(given)}`,
  );
}

function secretKey(secret: Uint8Array | KeyObject, place: number): KeyObject {
  const key = isUint8Array(secret) ? crypto().createSecretKey(secret) : secret;
  if (util().types.isKeyObject(key) && key.symmetricKeySize === 32) return key;
  throw new OptionError(
    `encryption.keys[${place}].secret must be 32 bytes, or a KeyObject of them`,
  );
}

function headerOf(id: string): Buffer {
  return Buffer.concat([Buffer.from([VERSION, id.length]), Buffer.from(id, "latin1")]);
}

/** What is authenticated though not encrypted: where the value belongs, and how it is sealed. */
function boundData(header: Buffer, key: string | undefined): Buffer {
  if (key === undefined) {
    throw new CodecError("Encryption binds a value to its key, and this command gives none");
  }
  return Buffer.concat([header, Buffer.from(key, "latin1")]);
}
