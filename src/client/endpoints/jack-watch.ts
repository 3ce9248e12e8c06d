import type { UserProcess } from '../../kernel/index.ts';
import { NtError, ntSuccess } from '../../kernel/index.ts';
import {
  IOCTL_KS_DISABLE_EVENT,
  IOCTL_KS_ENABLE_EVENT,
  KSEVENT_PINCAPS_JACKINFOCHANGE,
  KSEVENT_TYPE_ENABLE,
  KSEVENTDATA,
  KSEVENTF_EVENT_HANDLE,
  KSEVENTSETID_PinCapsChange,
} from '../../ks/index.ts';
import type { JackModel } from '../inspect/model.ts';
import { readJacks } from '../inspect/read-filter.ts';
import { encodeProperty, KsObject } from '../requests/ks-object.ts';
import type { Endpoint } from './endpoint.ts';

/** An endpoint's jacks have changed: something was plugged in or pulled out. */
export interface JackChange {
  /** Machine time at which the application was told. */
  readonly tick: number;
  readonly endpointId: string;
  readonly endpointName: string;
  /** All jacks of the endpoint as they are now. */
  readonly jacks: readonly JackModel[];
  /** Places in {@link jacks} of those that are not as they were; empty when a driver only says that something is new. */
  readonly changed: readonly number[];
}

/** One endpoint's event, and the filter on which it is enabled. */
class WatchedEndpoint {
  readonly #process: UserProcess;
  readonly #filter: KsObject;
  readonly #event: number;
  /** Its place in memory is what the kernel knows the event by. */
  readonly #data: Uint8Array;
  readonly #wait: { arm(): void; cancel(): void };
  #jacks: readonly JackModel[];

  /** @throws NtError when the driver tells of no changes at this pin */
  constructor(
    process: UserProcess,
    endpoint: Endpoint,
    onChange: (change: JackChange) => void,
    now: () => number,
  ) {
    const { bridgeFilter, bridgePin } = endpoint.route;
    this.#process = process;
    this.#jacks = endpoint.jacks;
    this.#filter = new KsObject(process, process.createFile(bridgeFilter.path));
    this.#event = process.createEvent('SynchronizationEvent');
    const notificationType = KSEVENTF_EVENT_HANDLE;
    this.#data = KSEVENTDATA.encode({ notificationType, handle: this.#event, adjustment: 0 });
    const set = KSEVENTSETID_PinCapsChange;
    const request = encodeProperty(set, KSEVENT_PINCAPS_JACKINFOCHANGE, KSEVENT_TYPE_ENABLE, [
      bridgePin.id,
      0,
    ]);
    const { status } = process.deviceIoControl(
      this.#filter.handle,
      IOCTL_KS_ENABLE_EVENT,
      request,
      this.#data,
    );
    if (!ntSuccess(status)) {
      this.#closeHandles();
      throw new NtError(status);
    }
    this.#wait = process.whenSignaled(this.#event, () => {
      this.#wait.arm();
      const before = this.#jacks;
      this.#jacks = readJacks(this.#filter, bridgePin.id);
      const changed = [...this.#jacks.keys()].filter(
        (place) => this.#jacks[place]?.connected !== before[place]?.connected,
      );
      const { id: endpointId, name: endpointName } = endpoint;
      onChange({ tick: now(), endpointId, endpointName, jacks: this.#jacks, changed });
    });
  }

  close(): void {
    this.#wait.cancel();
    this.#process.deviceIoControl(this.#filter.handle, IOCTL_KS_DISABLE_EVENT, this.#data, null);
    this.#closeHandles();
  }

  #closeHandles(): void {
    this.#filter.close();
    this.#process.closeHandle(this.#event);
  }
}

/**
 * Hears of what is plugged in and pulled out, by KSEVENT_PINCAPS_JACKINFOCHANGE. `onChange` runs at PASSIVE_LEVEL from the machine's
 * outermost loop. Endpoints whose driver tells of no changes are left out.
 */
export class JackWatch {
  readonly #watched: WatchedEndpoint[] = [];

  constructor(
    process: UserProcess,
    endpoints: readonly Endpoint[],
    onChange: (change: JackChange) => void,
    now: () => number,
  ) {
    for (const endpoint of endpoints) {
      if (endpoint.jacks.length === 0) continue;
      try {
        this.#watched.push(new WatchedEndpoint(process, endpoint, onChange, now));
      } catch (error) {
        if (!(error instanceof NtError)) throw error;
      }
    }
  }

  /** Endpoints whose changes are told. */
  get count(): number {
    return this.#watched.length;
  }

  close(): void {
    for (const one of this.#watched) one.close();
    this.#watched.length = 0;
  }
}
