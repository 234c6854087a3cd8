import {
  connect,
  getDefaultAutoSelectFamilyAttemptTimeout,
  type IpcNetConnectOpts,
  isIP,
  type LookupFunction,
  type OnReadOpts,
  type Socket,
  type TcpNetConnectOpts,
} from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { messageOf, OptionError } from "../errors.js";
import { builtin } from "../util/builtin.js";
import { LATE_MS } from "../util/sweep.js";
import { type Address, isUnix } from "./address.js";

const tls = builtin("node:tls");

/** What TLS is told: every option of `tls.connect` but those that say where the server is. */
export type TlsOptions = Omit<
  ConnectionOptions,
  "host" | "port" | "path" | "socket" | "session" | "lookup" | "timeout"
>;

/** How sockets are made. */
export interface SocketOptions {
  /** Sends what is written at once (TCP_NODELAY). @defaultValue true */
  readonly noDelay?: boolean | undefined;
  /** Lets the kernel ask now and then whether a silent server is still there. @defaultValue true */
  readonly keepAlive?: boolean | undefined;
  /** Milliseconds of silence before the kernel asks first. @defaultValue the kernel's own */
  readonly keepAliveIdleMs?: number | undefined;
  /** The address of this machine to connect from. */
  readonly localAddress?: string | undefined;
  /** Uses only IPv4 (4) or IPv6 (6) of what a name resolves to. @defaultValue 0, both */
  readonly family?: 0 | 4 | 6 | undefined;
  /** Resolves names, as `dns.lookup` does, which is what it replaces. */
  readonly lookup?: LookupFunction | undefined;
  /**
   * Bytes of datagrams that the kernel keeps until they are read; others are lost. For UDP
   * alone: Node cannot set it for TCP.
   * @defaultValue the kernel's own
   */
  readonly recvBufferSize?: number | undefined;
  /** The same for datagrams on their way out. @defaultValue the kernel's own */
  readonly sendBufferSize?: number | undefined;
}

/** Where a socket's bytes go. */
export interface Reader {
  /** Where the next chunk is to be read to, if the reader has memory ready for it. */
  readonly room: Buffer | undefined;
  /** A chunk that is over when the function returns: its memory is used for the next one. */
  receive(chunk: Buffer, length: number): void;
}

/** One read takes at most this much; larger gains nothing (docs/performance.md). */
const READ_BUFFER_BYTES = 64 * 1024;

/**
 * Opens sockets to one server, over TLS or not. Each reads into one buffer that is used
 * again for every chunk, unless its reader has a better place, and does not keep the
 * process alive. A name is resolved for each socket anew; of several addresses the next is
 * tried when one does not answer soon.
 */
export class Dialer {
  readonly #address: Address;
  readonly #socket: SocketOptions;
  readonly #tls: TlsOptions | undefined;
  /** What the last TLS connection agreed on; it makes the next handshake a short one. */
  #session: Buffer | undefined = undefined;
  #isResuming = false;
  /** Whether the last socket was ended for what the program's being busy did to it. */
  #isCut = false;
  /** Whether the server takes up sessions, as far as is known. */
  #resumes = true;

  constructor(address: Address, socket: SocketOptions, tls: TlsOptions | undefined) {
    this.#address = address;
    this.#socket = socket;
    this.#tls = tls;
  }

  /** Whether TLS is spoken. */
  get isSecure(): boolean {
    return this.#tls !== undefined;
  }

  /** Whether its sockets can be reset, as those of TCP itself alone can. */
  get resets(): boolean {
    return this.#tls === undefined && !isUnix(this.#address);
  }

  /**
   * Whether that the last socket has ended, if it has, may say nothing of the server. It may have
   * been offered to take up a session: memcached that asks for certificates and has no
   * `ssl_session_cache` gives sessions, and refuses every one.
   */
  get isInDoubt(): boolean {
    return this.#isResuming || this.#isCut;
  }

  /** @param opened - called when bytes can be sent, after TLS has seen the server's certificate */
  dial(reader: Reader, opened: () => void): Socket {
    const shared = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    const onread = {
      buffer: (): Buffer => reader.room ?? shared,
      callback: (length: number, buffer: Uint8Array): boolean => {
        reader.receive(buffer as Buffer, length);
        return true;
      },
    };
    const { host } = this.#address;
    const where = isUnix(this.#address) ? { path: host } : this.#tcp();
    const isFirst = !this.#isCut;
    this.#isCut = false;
    const socket =
      this.#tls === undefined
        ? connect({ ...where, onread }).once("connect", opened)
        : this.#dialTls(where, onread).once("secureConnect", opened);
    if (isFirst) this.#watchAttempts(socket);
    return socket.unref();
  }

  /**
   * Node leaves an address for the next one by a timer, and does not look before whether it has
   * answered meanwhile. After a timer that was late another socket tries all of them again.
   */
  #watchAttempts(socket: Socket): void {
    let dueAt = 0;
    socket
      .on("connectionAttempt", () => {
        dueAt = performance.now() + getDefaultAutoSelectFamilyAttemptTimeout();
      })
      .on("connectionAttemptTimeout", () => {
        this.#isCut = performance.now() - dueAt > LATE_MS;
        if (this.#isCut) socket.destroy();
      });
  }

  #dialTls(where: IpcNetConnectOpts | TcpNetConnectOpts, onread: OnReadOpts): Socket {
    const { host } = this.#address;
    if (this.#isResuming) this.#resumes = false;
    this.#isResuming = false;
    const session = this.#resumes ? this.#session : undefined;
    const socket = tlsConnect({
      // A certificate is for a name; by an address there is nothing to ask for by name.
      ...(isUnix(this.#address) || isIP(host) > 0 ? {} : { servername: host }),
      ...this.#tls,
      ...where,
      ...(session && { session }),
      ...{ onread },
    });
    return socket
      .once("connect", () => {
        this.#isResuming = session !== undefined;
      })
      .once("secureConnect", () => {
        this.#isResuming = false;
      })
      .on("session", (agreed) => {
        this.#session = agreed;
      });
  }

  #tcp(): TcpNetConnectOpts {
    const { noDelay = true, keepAlive = true, keepAliveIdleMs, ...others } = this.#socket;
    const { localAddress, family, lookup } = others;
    return {
      host: this.#address.host,
      port: this.#address.port,
      noDelay,
      keepAlive,
      autoSelectFamily: true,
      ...(keepAliveIdleMs !== undefined && { keepAliveInitialDelay: keepAliveIdleMs }),
      ...(localAddress !== undefined && { localAddress }),
      ...(family !== undefined && { family }),
      ...(lookup !== undefined && { lookup }),
    };
  }
}

/** @throws OptionError for what Node refuses: without the value, which it shows, and which may be a secret */
function tlsConnect(options: ConnectionOptions): TLSSocket {
  try {
    return tls().connect(options);
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    if (!code.startsWith("ERR_INVALID_ARG")) throw cause;
    throw new OptionError(messageOf(cause).replace(/ Received .*$/s, ""));
  }
}
