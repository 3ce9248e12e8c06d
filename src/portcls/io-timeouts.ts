import {
  type DEVICE_OBJECT,
  KDPC,
  KTIMER,
  keCancelTimer,
  keSetTimerEx,
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_NOT_FOUND,
  STATUS_UNSUCCESSFUL,
  TICKS_PER_SECOND,
} from '../kernel/index.ts';
import type { AdapterDevice } from './adapter-device.ts';

/** An I/O-timer routine (PIO_TIMER_ROUTINE), at DISPATCH_LEVEL. */
export type IO_TIMER_ROUTINE = (deviceObject: DEVICE_OBJECT, context: unknown) => void;

const PERIOD_MS = 1000;

/** The once-a-second callbacks of pcRegisterIoTimeout: they run while the device is started. */
export class IoTimeouts {
  readonly #device: AdapterDevice;
  readonly #callbacks: { readonly routine: IO_TIMER_ROUTINE; readonly context: unknown }[] = [];
  #timer: KTIMER | null = null;
  readonly #dpc: KDPC;
  #running = false;

  constructor(device: AdapterDevice) {
    this.#device = device;
    this.#dpc = new KDPC(() => this.#tick(), null, 'PortCls I/O timer');
  }

  register(routine: IO_TIMER_ROUTINE, context: unknown): void {
    requireIrql(PASSIVE_LEVEL, 'PcRegisterIoTimeout');
    if (this.#find(routine, context) >= 0) {
      throw new NtError(STATUS_UNSUCCESSFUL, 'this routine and context are registered already');
    }
    this.#callbacks.push({ routine, context });
    this.#update();
  }

  unregister(routine: IO_TIMER_ROUTINE, context: unknown): void {
    requireIrql(PASSIVE_LEVEL, 'PcUnregisterIoTimeout');
    const index = this.#find(routine, context);
    if (index < 0) throw new NtError(STATUS_NOT_FOUND, 'this routine and context are not registered');
    this.#callbacks.splice(index, 1);
    this.#update();
  }

  /** The device started. */
  start(): void {
    this.#running = true;
    this.#update();
  }

  /** The device stopped; callbacks stay registered. */
  stop(): void {
    this.#running = false;
    this.#update();
  }

  clear(): void {
    this.#callbacks.length = 0;
    this.stop();
  }

  #find(routine: IO_TIMER_ROUTINE, context: unknown): number {
    return this.#callbacks.findIndex((entry) => entry.routine === routine && entry.context === context);
  }

  #update(): void {
    const wanted = this.#running && this.#callbacks.length > 0;
    if (wanted && this.#timer === null) {
      this.#timer = new KTIMER('NotificationTimer', 'PortCls I/O timer');
      keSetTimerEx(this.#timer, -TICKS_PER_SECOND, PERIOD_MS, this.#dpc);
    } else if (!wanted && this.#timer !== null) {
      keCancelTimer(this.#timer);
      this.#timer = null;
    }
  }

  #tick(): void {
    const { kernel, driverName, deviceObject } = this.#device;
    for (const { routine, context } of [...this.#callbacks]) {
      kernel.callOut(driverName, 'IoTimerRoutine', () => routine(deviceObject, context));
    }
  }
}
