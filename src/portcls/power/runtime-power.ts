import type { GUID } from '../../com/index.ts';
import { NtError, STATUS_INVALID_DEVICE_REQUEST, STATUS_NOT_SUPPORTED } from '../../kernel/index.ts';
import type { AdapterDevice } from '../adapter-device.ts';
import type { PCPFNRUNTIME_POWER_CONTROL_CALLBACK } from '../ddi/index.ts';

/** The one callback of IPortClsRuntimePower that a device may have (portcls-private-pep-context-sharing.md). */
export class RuntimePower {
  readonly #device: AdapterDevice;
  #callback: PCPFNRUNTIME_POWER_CONTROL_CALLBACK | null = null;
  #context: unknown = null;

  constructor(device: AdapterDevice) {
    this.#device = device;
  }

  /** Throws STATUS_INVALID_DEVICE_REQUEST when there is one already. */
  register(callback: PCPFNRUNTIME_POWER_CONTROL_CALLBACK, context: unknown): void {
    if (this.#callback !== null)
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'a power control callback is registered');
    this.#callback = callback;
    this.#context = context;
  }

  unregister(): void {
    this.#callback = null;
    this.#context = null;
  }

  /**
   * A power control for the driver, as the platform would send it; returns the bytes in `outBuffer`. Throws
   * STATUS_NOT_SUPPORTED without a callback. Up to DISPATCH_LEVEL.
   */
  deliver(powerControlCode: GUID, inBuffer: Uint8Array | null, outBuffer: Uint8Array | null): number {
    const callback = this.#callback;
    if (callback === null)
      throw new NtError(STATUS_NOT_SUPPORTED, 'the driver registered no power control callback');
    const context = this.#context;
    return this.#device.kernel.callOut(this.#device.driverName, 'RuntimePowerControlCallback', () =>
      callback(powerControlCode, inBuffer, outBuffer, context),
    );
  }
}
