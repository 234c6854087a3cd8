import { Histogram } from "../util/histogram.js";

/** What one server's connections have done since the client was made. */
export interface ConnectionStats {
  /** Whether a socket is open, of several connections any. */
  readonly connected: boolean;
  /** Operations that were sent, those without a reply included. */
  readonly operations: number;
  /** Keys that were read and there, or not. */
  readonly hits: number;
  readonly misses: number;
  /** Operations that failed here, for whatever reason. */
  readonly errors: number;
  /** Those of them whose deadline passed. */
  readonly timeouts: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Sockets that were opened; all but the first of each connection are reconnects. */
  readonly connects: number;
  /** Attempts to connect that failed. */
  readonly connectErrors: number;
  /** Operations that wait to be sent, and those that wait for their reply. */
  readonly waiting: number;
  readonly inFlight: number;
  /** Milliseconds from writing a request to reading its reply. */
  readonly latency: LatencyStats;
}

/** In milliseconds, of so many replies (`count`); percentiles are at most a sixteenth too high. */
export interface LatencyStats {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
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
