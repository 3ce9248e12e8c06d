import { type IUnknown, tryQueryInterface } from '../../com/index.ts';
import {
  BugcheckCode,
  type DEVICE_CAPABILITIES,
  type DEVICE_POWER_STATE,
  NtError,
  PowerDeviceD0,
  PowerDeviceD3,
  PowerDeviceUnspecified,
  PowerSystemWorking,
  STATUS_DEVICE_NOT_READY,
  STATUS_INVALID_PARAMETER,
  type SYSTEM_POWER_STATE,
  TraceKind,
} from '../../kernel/index.ts';
import type { AdapterDevice } from '../adapter-device.ts';
import {
  type IAdapterPowerManagement,
  type IAdapterPowerManagement2,
  type IAdapterPowerManagement3,
  IID_IAdapterPowerManagement,
  IID_IAdapterPowerManagement2,
  IID_IAdapterPowerManagement3,
  IID_IPowerNotify,
  type PC_EXIT_LATENCY,
  PcExitLatencyInstant,
  PcExitLatencyResponsive,
} from '../ddi/index.ts';
import type { PortPin } from '../ports/port-handle.ts';
import { IdleDetection } from './idle-detection.ts';

/** Stop 0xC4, parameter 1: misuse of the adapter power registration (devtest/audio-pcregisteradapterpower.md). */
const VERIFIER_POWER_REGISTRATION = 0x71006;

/**
 * The device's power: the adapter's interface and the documented order of a change.
 *
 * Down: active streams are paused, IPowerNotify tells every miniport and stream, then the adapter changes the hardware.
 * Up: the adapter first, then IPowerNotify, then the paused streams go on (implementing-ipowernotify.md).
 */
export class AdapterPower {
  readonly #device: AdapterDevice;
  /** Assumed to be D0 at the start, as miniports do (implementing-ipowernotify.md). */
  #deviceState: DEVICE_POWER_STATE = PowerDeviceD0;
  systemState: SYSTEM_POWER_STATE = PowerSystemWorking;
  #exitLatency: PC_EXIT_LATENCY = PcExitLatencyResponsive;
  #registered: IUnknown | null = null;
  #ofEarlierStart = false;
  #adapter: IAdapterPowerManagement | null = null;
  #adapter2: IAdapterPowerManagement2 | null = null;
  #adapter3: IAdapterPowerManagement3 | null = null;
  readonly #suspended = new Set<PortPin>();
  readonly idle: IdleDetection;
  /** Asks the power manager for a device power IRP and waits for it; set by the IRP side (power-irps.ts). */
  requestDeviceState: ((state: DEVICE_POWER_STATE) => void) | null = null;

  constructor(device: AdapterDevice) {
    this.#device = device;
    this.idle = new IdleDetection(device);
  }

  get deviceState(): DEVICE_POWER_STATE {
    return this.#deviceState;
  }

  get isRegistered(): boolean {
    return this.#registered !== null;
  }

  /**
   * See pcRegisterAdapterPowerManagement. Throws STATUS_INVALID_PARAMETER when the object has no IAdapterPowerManagement; a
   * second registration without unregistering is a bugcheck, as Driver Verifier makes it.
   */
  register(unknown: IUnknown): void {
    const { kernel, driverName } = this.#device;
    if (this.#registered !== null) {
      if (!this.#ofEarlierStart) this.#misuse('was registered already', 'PcRegisterAdapterPowerManagement');
      this.release();
    }
    this.#ofEarlierStart = false;
    const [v3, v2, v1] = kernel.callOut(
      driverName,
      'IUnknown::QueryInterface(IID_IAdapterPowerManagement)',
      () =>
        [
          tryQueryInterface(unknown, IID_IAdapterPowerManagement3),
          tryQueryInterface(unknown, IID_IAdapterPowerManagement2),
          tryQueryInterface(unknown, IID_IAdapterPowerManagement),
        ] as const,
    );
    const base = v1 ?? v2 ?? v3;
    if (base === null) {
      throw new NtError(STATUS_INVALID_PARAMETER, 'the object has no IAdapterPowerManagement interface');
    }
    unknown.addRef();
    this.#registered = unknown;
    this.#adapter = base;
    this.#adapter2 = v2;
    this.#adapter3 = v3;
    this.#found = [v1, v2, v3].filter((held) => held !== null);
  }

  /** The interfaces that were found, each with its reference (they may be one object). */
  #found: readonly IUnknown[] = [];

  /** See pcUnregisterAdapterPowerManagement. Without a registration: a bugcheck. */
  unregister(): void {
    if (this.#registered === null) {
      // PortCls let go of it itself at removal; an adapter object that unregisters in its destructor comes too late.
      if (this.#device.state === 'removed') return;
      this.#misuse('is not registered', 'PcUnregisterAdapterPowerManagement');
    }
    this.release();
  }

  /** The device stopped: the next StartDevice may register again without unregistering first. */
  noteStop(): void {
    this.#ofEarlierStart = true;
  }

  /** Lets go of the adapter's interface, if there is one: the device is removed. */
  release(): void {
    const { kernel, driverName } = this.#device;
    const held = [...this.#found, this.#registered];
    this.#adapter = null;
    this.#adapter2 = null;
    this.#adapter3 = null;
    this.#found = [];
    this.#registered = null;
    for (const object of held) {
      if (object !== null) kernel.callOut(driverName, 'IUnknown::Release', () => object.release());
    }
  }

  /** The adapter's veto: throws what IAdapterPowerManagement::QueryPowerChangeState threw. */
  queryChange(newState: DEVICE_POWER_STATE): void {
    const adapter = this.#adapter;
    if (adapter === null) return;
    const { kernel, driverName } = this.#device;
    kernel.callOut(driverName, 'IAdapterPowerManagement::QueryPowerChangeState', () =>
      adapter.queryPowerChangeState(newState),
    );
  }

  /**
   * Lets the adapter edit the map of system to device states. Only deeper states are taken over: a device may sleep deeper than
   * its bus asks, never lighter.
   */
  editCapabilities(capabilities: DEVICE_CAPABILITIES): void {
    const adapter = this.#adapter;
    if (adapter === null) return;
    const { kernel, driverName } = this.#device;
    const defaults = [...capabilities.deviceState];
    kernel.callOut(driverName, 'IAdapterPowerManagement::QueryDeviceCapabilities', () =>
      adapter.queryDeviceCapabilities(capabilities),
    );
    defaults.forEach((state, index) => {
      const edited = capabilities.deviceState[index];
      if (edited === undefined || edited < state || edited > PowerDeviceD3) {
        if (edited !== state) {
          kernel.trace.finding(
            'PortCls',
            'IAdapterPowerManagement::QueryDeviceCapabilities mapped a system state to a shallower device state; ignored',
            { driver: driverName, systemState: index, deviceState: edited ?? PowerDeviceUnspecified },
          );
        }
        capabilities.deviceState[index] = state;
      }
    });
  }

  /** Changes the device's state, in the documented order. Cannot fail; the same state again does nothing. PASSIVE_LEVEL. */
  setDeviceState(newState: DEVICE_POWER_STATE): void {
    const oldState = this.#deviceState;
    if (newState === oldState || newState === PowerDeviceUnspecified) return;
    this.#trace(oldState, newState);
    if (newState === PowerDeviceD0) {
      this.#changeAdapter(newState, oldState);
      this.#deviceState = newState;
      this.#notify(newState);
      this.#resume();
      this.idle.poweredUp();
    } else {
      if (oldState === PowerDeviceD0) this.#suspend();
      this.#notify(newState);
      this.#deviceState = newState;
      this.#changeAdapter(newState, oldState);
    }
  }

  /**
   * Makes sure that the device is in D0 before hardware is touched, and counts the access as activity. Throws
   * STATUS_DEVICE_NOT_READY while the system sleeps.
   */
  access(): void {
    if (this.#deviceState !== PowerDeviceD0) this.#wake();
    if (this.idle.enabled) this.idle.touch();
  }

  /** A stream was closed: nothing to resume. */
  forgetPin(pin: PortPin): void {
    this.#suspended.delete(pin);
  }

  /** How fast the device must leave D3; told at once while it is there (IAdapterPowerManagement3::D3ExitLatencyChanged). */
  setExitLatency(latency: PC_EXIT_LATENCY): void {
    if (latency === this.#exitLatency) return;
    this.#exitLatency = latency;
    const adapter3 = this.#adapter3;
    if (adapter3 === null || this.#deviceState !== PowerDeviceD3) return;
    const { kernel, driverName } = this.#device;
    kernel.callOut(driverName, 'IAdapterPowerManagement3::D3ExitLatencyChanged', () =>
      adapter3.d3ExitLatencyChanged(latency),
    );
  }

  #wake(): void {
    if (this.systemState !== PowerSystemWorking || this.requestDeviceState === null) {
      throw new NtError(STATUS_DEVICE_NOT_READY, 'the system is asleep');
    }
    this.requestDeviceState(PowerDeviceD0);
    if (this.#deviceState !== PowerDeviceD0)
      throw new NtError(STATUS_DEVICE_NOT_READY, 'the device stays powered down');
  }

  /** Only the latest version of the interface that the adapter has is called. */
  #changeAdapter(newState: DEVICE_POWER_STATE, oldState: DEVICE_POWER_STATE): void {
    const { kernel, driverName } = this.#device;
    const [v1, v2, v3] = [this.#adapter, this.#adapter2, this.#adapter3];
    const { systemState } = this;
    if (v3 !== null) {
      const latency =
        oldState === PowerDeviceD3 || newState === PowerDeviceD3 ? this.#exitLatency : PcExitLatencyInstant;
      this.#mustSucceed('IAdapterPowerManagement3::PowerChangeState3', () =>
        kernel.callOut(driverName, 'IAdapterPowerManagement3::PowerChangeState3', () =>
          v3.powerChangeState3(newState, systemState, latency),
        ),
      );
    } else if (v2 !== null) {
      this.#mustSucceed('IAdapterPowerManagement2::PowerChangeState2', () =>
        kernel.callOut(driverName, 'IAdapterPowerManagement2::PowerChangeState2', () =>
          v2.powerChangeState2(newState, systemState),
        ),
      );
    } else if (v1 !== null) {
      this.#mustSucceed('IAdapterPowerManagement::PowerChangeState', () =>
        kernel.callOut(driverName, 'IAdapterPowerManagement::PowerChangeState', () =>
          v1.powerChangeState(newState),
        ),
      );
    }
  }

  /** Every miniport, then every stream, that has IPowerNotify. */
  #notify(newState: DEVICE_POWER_STATE): void {
    const { kernel, driverName } = this.#device;
    for (const port of this.#device.ports()) {
      const notify = port.powerNotify;
      if (notify === null) continue;
      this.#mustSucceed('IPowerNotify::PowerChangeNotify', () =>
        kernel.callOut(driverName, 'IPowerNotify::PowerChangeNotify', () =>
          notify.powerChangeNotify(newState),
        ),
      );
    }
    for (const pin of [...this.#device.pins()]) {
      const stream = pin.stream;
      if (stream === null) continue;
      const notify = kernel.callOut(driverName, 'IUnknown::QueryInterface(IID_IPowerNotify)', () =>
        tryQueryInterface(stream, IID_IPowerNotify),
      );
      if (notify === null) continue;
      this.#mustSucceed('IPowerNotify::PowerChangeNotify', () =>
        kernel.callOut(driverName, 'IPowerNotify::PowerChangeNotify', () =>
          notify.powerChangeNotify(newState),
        ),
      );
      kernel.callOut(driverName, 'IUnknown::Release', () => notify.release());
    }
  }

  #suspend(): void {
    for (const pin of [...this.#device.pins()]) {
      if (!pin.active) continue;
      pin.suspend();
      this.#suspended.add(pin);
    }
  }

  #resume(): void {
    const paused = [...this.#suspended];
    this.#suspended.clear();
    for (const pin of paused) pin.resume();
  }

  /** These methods return nothing in the WDK: a status they throw has nowhere to go. */
  #mustSucceed(method: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      this.#device.kernel.trace.finding(
        'PortCls',
        `${method} failed, although it cannot report a failure; ignored`,
        {
          driver: this.#device.driverName,
          status: error.message,
        },
      );
    }
  }

  #misuse(what: string, ddi: string): never {
    this.#device.kernel.bugcheck(
      BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION,
      [VERIFIER_POWER_REGISTRATION, 0, 0, 0],
      `${ddi}: the adapter's power management interface ${what}.`,
      { driver: this.#device.driverName, method: ddi },
    );
  }

  #trace(from: DEVICE_POWER_STATE, to: DEVICE_POWER_STATE): void {
    const { kernel, driverName } = this.#device;
    if ((kernel.trace.mask & TraceKind.State) === 0) return;
    kernel.trace.emit(TraceKind.State, 'I', driverName, 'DevicePowerState', {
      from: `D${from - 1}`,
      to: `D${to - 1}`,
    });
  }
}
