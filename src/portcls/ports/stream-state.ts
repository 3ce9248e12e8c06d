import { NtError, STATUS_INVALID_PARAMETER } from '../../kernel/index.ts';
import { isKsState, type KSSTATE, KSSTATE_STOP } from '../../ks/index.ts';

/**
 * A stream's place in STOP – ACQUIRE – PAUSE – RUN (DDI pages I…Stream::SetState). A client may ask for any state; the stream
 * is led there in single steps, so that a miniport only ever sees a neighbour of the state it is in. The state it is in already
 * is not told again.
 *
 * Upwards, the first failure ends the way and the state reached stays. Downwards there is no such thing as failing (a stream
 * whose device is gone must still be brought to STOP): a step that fails counts as done, is reported, and the way goes on.
 */
export class StreamState {
  readonly #enter: (state: KSSTATE) => void;
  readonly #downwardFailure: (state: KSSTATE, error: NtError) => void;
  #current: KSSTATE = KSSTATE_STOP;

  /**
   * @param enter tells the stream one step; throws NtError when the stream refuses
   * @param downwardFailure is told of a refused downward step, before the next one
   */
  constructor(enter: (state: KSSTATE) => void, downwardFailure: (state: KSSTATE, error: NtError) => void) {
    this.#enter = enter;
    this.#downwardFailure = downwardFailure;
  }

  /** The state that was reached. */
  get current(): KSSTATE {
    return this.#current;
  }

  /**
   * Leads the stream to `target`. Throws STATUS_INVALID_PARAMETER for a number that is no state; on the way up the status of
   * the step that failed; on the way down that of the first step that failed, after `target` was reached. PASSIVE_LEVEL.
   */
  moveTo(target: number): void {
    if (!isKsState(target)) throw new NtError(STATUS_INVALID_PARAMETER, `KSSTATE ${target}`);
    while (this.#current < target) {
      const next = (this.#current + 1) as KSSTATE;
      this.#enter(next);
      this.#current = next;
    }
    const failure = this.lowerTo(target);
    if (failure !== null) throw failure;
  }

  /** Leads the stream down to `target` if it is above it, whatever the steps say. Returns the first failure. PASSIVE_LEVEL. */
  lowerTo(target: KSSTATE): NtError | null {
    let failure: NtError | null = null;
    while (this.#current > target) {
      const next = (this.#current - 1) as KSSTATE;
      try {
        this.#enter(next);
      } catch (error) {
        if (!(error instanceof NtError)) throw error;
        this.#downwardFailure(next, error);
        failure ??= error;
      }
      this.#current = next;
    }
    return failure;
  }
}
