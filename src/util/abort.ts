/** Something that fails when a signal is aborted. */
export interface Follower {
  fail(reason: unknown): void;
}

/**
 * The followers of one signal. They share a listener: a signal that ends a whole web
 * request has any number of operations, and Node warns of a leak from eleven listeners on.
 */
class Following {
  readonly followers = new Set<Follower>();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#abort);
  }

  end(): void {
    this.#signal.removeEventListener("abort", this.#abort);
  }

  #abort = (): void => {
    for (const follower of this.followers) follower.fail(this.#signal.reason);
  };
}

const followings = new WeakMap<AbortSignal, Following>();

/** Has `follower` fail with the signal's reason, at once if it is aborted already. */
export function follow(signal: AbortSignal, follower: Follower): void {
  if (signal.aborted) {
    follower.fail(signal.reason);
    return;
  }
  let following = followings.get(signal);
  if (following === undefined) {
    following = new Following(signal);
    followings.set(signal, following);
  }
  following.followers.add(follower);
}

/** The follower has ended; with the last one the listener goes. */
export function unfollow(signal: AbortSignal, follower: Follower): void {
  const following = followings.get(signal);
  if (following?.followers.delete(follower) && following.followers.size === 0) {
    following.end();
    followings.delete(signal);
  }
}
