import { type TracingChannel, tracingChannel } from "node:diagnostics_channel";

/** The message of a call about one key on the tracing channel `tslibmc:command`. */
export interface CommandTrace {
  /** The client's method. */
  readonly command: string;
  /** The key in wire form, with its prefix: each character is a byte. */
  readonly key: string;
  /** The name of the key's server. */
  readonly server: string;
  /** What the call rejected with, once it has. */
  error?: unknown;
}

/** The message of a call on many keys or all servers on the tracing channel `tslibmc:batch`. */
export interface BatchTrace {
  /** The client's method. */
  readonly command: string;
  /** How many requests it makes. */
  readonly size: number;
  /** What the call rejected with, once it has. */
  error?: unknown;
}

const commands = tracingChannel<unknown, CommandTrace>("tslibmc:command");
const batches = tracingChannel<unknown, BatchTrace>("tslibmc:batch");

type Resolve<Result> = (result: Result) => void;
type Reject = (error: unknown) => void;

interface Ends<Result> {
  readonly resolve: Resolve<Result>;
  readonly reject: Reject;
}

/** Whether somebody listens to commands; asked for each of them. */
export function tracesCommands(): boolean {
  return commands.hasSubscribers;
}

/** Begins a call's trace, which its ends will end. */
export function traceCommand<Result>(
  trace: CommandTrace,
  resolve: Resolve<Result>,
  reject: Reject,
): Ends<Result> {
  return traced(commands, trace, resolve, reject);
}

/** The same for a call on many keys or all servers, if somebody listens to those. */
export function traceBatch<Result>(
  trace: BatchTrace,
  resolve: Resolve<Result>,
  reject: Reject,
): Ends<Result> {
  return batches.hasSubscribers ? traced(batches, trace, resolve, reject) : { resolve, reject };
}

function traced<Trace extends { error?: unknown }, Result>(
  channel: TracingChannel<unknown, Trace>,
  trace: Trace,
  resolve: Resolve<Result>,
  reject: Reject,
): Ends<Result> {
  channel.start.publish(trace);
  channel.end.publish(trace);
  return {
    resolve(result) {
      channel.asyncStart.publish(trace);
      resolve(result);
      channel.asyncEnd.publish(trace);
    },
    reject(error) {
      trace.error = error;
      channel.error.publish(trace);
      channel.asyncStart.publish(trace);
      reject(error);
      channel.asyncEnd.publish(trace);
    },
  };
}
