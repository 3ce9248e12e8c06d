import { NtError } from '../../kernel/index.ts';
import type { KSSTATE } from '../../ks/index.ts';
import { KSPROPERTY_CONNECTION_STATE, KSPROPSETID_Connection, KSSTATE_STOP } from '../../ks/index.ts';
import type { KsObject } from '../requests/ks-object.ts';
import { encodeUlong } from '../requests/ks-object.ts';

/** An open pin that streams: its state. Failures throw an NtError. */
export class StreamingPin {
  readonly object: KsObject;
  #state: KSSTATE = KSSTATE_STOP;

  constructor(object: KsObject) {
    this.object = object;
  }

  get state(): KSSTATE {
    return this.#state;
  }

  /** Steps through the states between, up or down, as a client does. */
  setState(target: KSSTATE): void {
    while (this.#state !== target) {
      const next = (this.#state + (target > this.#state ? 1 : -1)) as KSSTATE;
      this.object.set(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, encodeUlong(next));
      this.#state = next;
    }
  }

  /** Stops, as far as the driver lets it, and closes. */
  close(): void {
    try {
      this.setState(KSSTATE_STOP);
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
    }
    this.object.close();
  }
}
