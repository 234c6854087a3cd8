import { type TracingChannel, tracingChannel } from "node:diagnostics_channel";
import type { Operation } from "../../operation.js";

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

/** Who hears how a call ended. */
export interface Ends<Result> {
  resolve(result: Result): void;
  reject(error: unknown, operation?: Operation): void;
}

/** Whether somebody listens to commands; asked for each of them. */
export function tracesCommands(): boolean {
  return commands.hasSubscribers;
}

/** Begins a call's trace, which its ends will end, with the stores that are bound to it. */
export function traceCommand<Result>(
  trace: CommandTrace,
  ends: Ends<Result>,
  begin: (ends: Ends<Result>) => void,
): void {
  traced(commands, trace, ends, begin);
}

/** The same for a call on many keys or all servers, if somebody listens to those. */
export function traceBatch<Result>(trace: BatchTrace, ends: Ends<Result>): Ends<Result> {
  return batches.hasSubscribers ? traced(batches, trace, ends, () => {}) : ends;
}

function traced<Trace extends { error?: unknown }, Result>(
  channel: TracingChannel<unknown, Trace>,
  trace: Trace,
  ends: Ends<Result>,
  begin: (ends: Ends<Result>) => void,
): Ends<Result> {
  const told: Ends<Result> = {
    resolve(result) {
      if (result instanceof Promise) {
        result.then(told.resolve, told.reject); // a value that is still decoded
        return;
      }
      channel.asyncStart.publish(trace);
      ends.resolve(result);
      channel.asyncEnd.publish(trace);
    },
    reject(error, operation) {
      trace.error = error;
      channel.error.publish(trace);
      channel.asyncStart.publish(trace);
      ends.reject(error, operation);
      channel.asyncEnd.publish(trace);
    },
  };
  channel.start.runStores(trace, () => {
    channel.end.publish(trace); // first: a call may end while it is sent
    begin(told);
  });
  return told;
}
