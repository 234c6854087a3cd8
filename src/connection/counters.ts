import { Histogram } from "../util/histogram.js";

/** What one server's connections have done since the client was made. */
export interface ConnectionStats {
  /** Whether a socket is open, of several connections any. */
  readonly connected: boolean;
  /** Operations that were sent, those without a reply included. */
  readonly operations: number;
  /** Keys that were read, and were there. */
  readonly hits: number;
  /** Keys that were read, and were not there. */
  readonly misses: number;
  /** Operations that failed here, for whatever reason. */
  readonly errors: number;
  /** Those of the `errors` whose deadline passed. */
  readonly timeouts: number;
  /** Bytes that came from the server. */
  readonly bytesRead: number;
  /** Bytes that went to the server. */
  readonly bytesWritten: number;
  /** Sockets that were opened; all but the first of each connection are reconnects. */
  readonly connects: number;
  /** Attempts to connect that failed. */
  readonly connectErrors: number;
  /** Operations that wait to be sent. */
  readonly waiting: number;
  /** Operations that were sent and wait for their reply. */
  readonly inFlight: number;
  /** Milliseconds from writing a request to reading its reply. */
  readonly latency: LatencyStats;
}

/** How long replies took, in milliseconds; percentiles are at most a sixteenth too high. */
export interface LatencyStats {
  /** How many replies were timed. */
  readonly count: number;
  /** The median. */
  readonly p50: number;
  /** Nine in ten took no longer. */
  readonly p90: number;
  /** 99 in a hundred took no longer. */
  readonly p99: number;
  /** 999 in a thousand took no longer. */
  readonly p999: number;
  /** The longest. */
  readonly max: number;
}

/** The numbers behind `client.stats()`, which outlive the sockets. */
export class Counters {
  operations = 0;
  hits = 0;
  misses = 0;
  errors = 0;
  timeouts = 0;
  bytesRead = 0;
  bytesWritten = 0;
  connects = 0;
  connectErrors = 0;
  /** In microseconds. */
  readonly latency: Histogram = new Histogram();

  /** The counters as they stand; `state` adds what is not counted. */
  snapshot(state: Pick<ConnectionStats, "connected" | "waiting" | "inFlight">): ConnectionStats {
    const { latency, ...counted } = this;
    const ms = (share: number) => latency.percentile(share) / 1000;
    return {
      ...state,
      ...counted,
      latency: {
        count: latency.count,
        p50: ms(0.5),
        p90: ms(0.9),
        p99: ms(0.99),
        p999: ms(0.999),
        max: latency.max / 1000,
      },
    };
  }
}
