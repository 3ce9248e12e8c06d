import {
  type DEVICE_POWER_STATE,
  decodeDword,
  exQueueWorkItem,
  KDPC,
  KTIMER,
  keCancelTimer,
  keSetTimer,
  NtError,
  PowerDeviceD0,
  PowerDeviceD3,
  TICKS_PER_MILLISECOND,
  TICKS_PER_SECOND,
  WORK_QUEUE_ITEM,
} from '../../kernel/index.ts';
import type { AdapterDevice } from '../adapter-device.ts';

/** The idle settings below `PowerSettings` in the driver's key (portcls-registry-power-settings.md). */
export interface IdleSettings {
  /** Seconds on battery; 0 = off. */
  readonly conservationIdleTime: number;
  /** Seconds on mains; 0 = off. */
  readonly performanceIdleTime: number;
  readonly idlePowerState: DEVICE_POWER_STATE;
  readonly immediateIdle: boolean;
}

/** "At once" for ImmediateIdle: 1 ms, so that a burst of requests is one period of use. */
const IMMEDIATE_TICKS = TICKS_PER_MILLISECOND;

/** Values are REG_BINARY of four bytes; ImmediateIdle also appears as REG_DWORD. Absent values have the defaults. */
export function readIdleSettings(device: AdapterDevice): IdleSettings {
  const number = (name: string, absent: number) => {
    const value = device.readDriverValue('PowerSettings', name);
    return value === null || value.data.byteLength < 4 ? absent : (decodeDword(value.data) ?? absent);
  };
  // Registry 0…3 stand for D0…D3; the two pages disagree about 0, so it is accepted.
  const state = number('IdlePowerState', 3);
  return {
    conservationIdleTime: number('ConservationIdleTime', 0),
    performanceIdleTime: number('PerformanceIdleTime', 0),
    idlePowerState: (state > 3 ? PowerDeviceD3 : state + 1) as DEVICE_POWER_STATE,
    immediateIdle: number('ImmediateIdle', 0) !== 0,
  };
}

/**
 * The inactivity timer: when no stream is active and nothing accessed the device for the configured time, asks for the idle
 * power state. Accesses only note the time; the timer looks at it when it expires.
 */
export class IdleDetection {
  readonly #device: AdapterDevice;
  #settings: IdleSettings | null = null;
  /** IPortClsPower::SetIdlePowerManagement; null: as the registry says. */
  #override: boolean | null = null;
  #timer: KTIMER | null = null;
  #dpc: KDPC | null = null;
  #work: WORK_QUEUE_ITEM | null = null;
  #lastAccessTick = 0;
  #running = false;
  /** The machine runs on battery: the conservation time counts. */
  onBattery = false;

  constructor(device: AdapterDevice) {
    this.#device = device;
  }

  get settings(): IdleSettings | null {
    return this.#settings;
  }

  /** Is the timer on? */
  get enabled(): boolean {
    return this.#timer !== null;
  }

  /** The device started: reads the registry, once, and starts the timer. */
  start(): void {
    this.#settings ??= readIdleSettings(this.#device);
    this.#running = true;
    this.#update();
  }

  stop(): void {
    this.#running = false;
    this.#update();
  }

  /** ImmediateIdle = 1 in the registry stands above this. */
  setEnabled(enabled: boolean): void {
    this.#override = enabled;
    this.#update();
  }

  /** The device was used. */
  touch(): void {
    this.#lastAccessTick = this.#device.kernel.clock.now;
  }

  /** The device is in D0 again: the time begins anew. */
  poweredUp(): void {
    if (this.enabled) this.#update();
  }

  /** Ticks without access after which the device goes down; 0 = never. */
  get timeoutTicks(): number {
    const settings = this.#settings;
    if (settings === null) return 0;
    const seconds = this.onBattery ? settings.conservationIdleTime : settings.performanceIdleTime;
    if (settings.immediateIdle) return Math.max(IMMEDIATE_TICKS, seconds * TICKS_PER_SECOND);
    if (this.#override === false) return 0;
    return seconds * TICKS_PER_SECOND;
  }

  #update(): void {
    const timeout = this.#running ? this.timeoutTicks : 0;
    if (timeout > 0) {
      this.touch();
      this.#timer ??= new KTIMER('NotificationTimer', 'PortCls idle timer');
      this.#dpc ??= new KDPC(() => this.#expired(), null, 'PortCls idle timer');
      keSetTimer(this.#timer, -timeout, this.#dpc);
    } else if (this.#timer !== null) {
      keCancelTimer(this.#timer);
      this.#timer = null;
    }
  }

  /** At DISPATCH_LEVEL: not idle long enough means look again later; idle means a work item, since power IRPs need PASSIVE_LEVEL. */
  #expired(): void {
    const timer = this.#timer;
    if (timer === null || this.#dpc === null) return;
    const timeout = this.timeoutTicks;
    const idleTicks = this.#device.kernel.clock.now - this.#lastAccessTick;
    if (idleTicks < timeout || this.#streaming()) {
      const wait = this.#streaming() ? timeout : timeout - idleTicks;
      keSetTimer(timer, -Math.max(1, wait), this.#dpc);
      return;
    }
    // Not set again while the device is down; poweredUp does that.
    if (this.#device.power.deviceState !== PowerDeviceD0) return;
    this.#work ??= new WORK_QUEUE_ITEM(() => this.#powerDown(), 'PortCls idle power-down');
    if (!this.#work.queued) exQueueWorkItem(this.#work);
  }

  #streaming(): boolean {
    for (const pin of this.#device.pins()) if (pin.active) return true;
    return false;
  }

  #powerDown(): void {
    const { power } = this.#device;
    const settings = this.#settings;
    if (this.#timer === null || settings === null || power.deviceState !== PowerDeviceD0 || this.#streaming())
      return;
    try {
      power.requestDeviceState?.(settings.idlePowerState);
    } catch (error) {
      // A veto: the device stays up, and the next period asks again.
      if (!(error instanceof NtError)) throw error;
    }
  }
}
