/**
 * The device's global lock (usepositionlock.md: property, position and state requests of the whole device are serialised by
 * it). There is one processor and no preemption, so only code that runs nested inside a wait of the holder can find it held;
 * such code cannot wait for it without waiting forever, and so its work is put off until the holder leaves.
 */
export class DeviceLock {
  #held = false;
  readonly #deferred: (() => void)[] = [];

  get held(): boolean {
    return this.#held;
  }

  /** Takes the lock if it is free. */
  tryEnter(): boolean {
    if (this.#held) return false;
    this.#held = true;
    return true;
  }

  /** Gives the lock back and runs what was put off meanwhile, each piece under the lock. */
  leave(): void {
    this.#held = false;
    while (this.#deferred.length > 0 && !this.#held) {
      this.#held = true;
      try {
        this.#deferred.shift()?.();
      } finally {
        this.#held = false;
      }
    }
  }

  /** Puts work off until the lock is free. */
  defer(work: () => void): void {
    this.#deferred.push(work);
  }

  /**
   * Runs `work` under the lock. Work that must happen now although an outer frame holds the lock (closing a handle, removal)
   * runs inside the outer frame's hold.
   */
  run<T>(work: () => T): T {
    if (!this.tryEnter()) return work();
    try {
      return work();
    } finally {
      this.leave();
    }
  }
}
