import { type GUID, guid, IID, type IUnknown } from '../../com/index.ts';
import type {
  DEVICE_CAPABILITIES,
  DEVICE_OBJECT,
  DEVICE_POWER_STATE,
  SYSTEM_POWER_STATE,
} from '../../kernel/index.ts';

export {
  type DEVICE_CAPABILITIES,
  type DEVICE_POWER_STATE,
  PowerDeviceD0,
  PowerDeviceD1,
  PowerDeviceD2,
  PowerDeviceD3,
  PowerDeviceUnspecified,
  PowerSystemHibernate,
  PowerSystemShutdown,
  PowerSystemSleeping1,
  PowerSystemSleeping2,
  PowerSystemSleeping3,
  PowerSystemUnspecified,
  PowerSystemWorking,
  type SYSTEM_POWER_STATE,
} from '../../kernel/index.ts';

/** How fast a device must come back from D3 (DDI page PC_EXIT_LATENCY). Two pages give different times: opaque here. */
export const PcExitLatencyInstant = 0;
export const PcExitLatencyFast = 1;
export const PcExitLatencyResponsive = 2;
export type PC_EXIT_LATENCY = 0 | 1 | 2;

/** The adapter's part in power management (DDI page IAdapterPowerManagement). PASSIVE_LEVEL. */
export interface IAdapterPowerManagement extends IUnknown {
  /** Puts the device into the state; cannot fail. Not called when the adapter has a later version of the interface. */
  powerChangeState(newState: DEVICE_POWER_STATE): void;
  /** Throws NtError to veto. Not every change is asked for first. */
  queryPowerChangeState(newStateQuery: DEVICE_POWER_STATE): void;
  /** May map system states to deeper device states than the bus driver's defaults; shallower ones are ignored. */
  queryDeviceCapabilities(powerDeviceCaps: DEVICE_CAPABILITIES): void;
}

/** Windows 7: also tells the system's state (DDI page IAdapterPowerManagement2). */
export interface IAdapterPowerManagement2 extends IAdapterPowerManagement {
  powerChangeState2(newDeviceState: DEVICE_POWER_STATE, newSystemState: SYSTEM_POWER_STATE): void;
}

/** Windows 8: also tells how fast the device must come back (DDI page IAdapterPowerManagement3). */
export interface IAdapterPowerManagement3 extends IAdapterPowerManagement2 {
  /** `d3ExitLatency` is PcExitLatencyInstant unless the device goes to D3. */
  powerChangeState3(
    newDeviceState: DEVICE_POWER_STATE,
    newSystemState: SYSTEM_POWER_STATE,
    d3ExitLatency: PC_EXIT_LATENCY,
  ): void;
  /** Only while in D3. */
  d3ExitLatencyChanged(newD3ExitLatency: PC_EXIT_LATENCY): void;
}

/** Optional on miniports and streams: told around power changes (DDI page IPowerNotify). PASSIVE_LEVEL. */
export interface IPowerNotify extends IUnknown {
  /** Going down: before the adapter's power change, after streams were paused. Coming up: after it, before they resume. */
  powerChangeNotify(powerState: DEVICE_POWER_STATE): void;
}

/** From every port by queryInterface: power registration (DDI page IPortClsPower). PASSIVE_LEVEL. */
export interface IPortClsPower extends IUnknown {
  registerAdapterPowerManagement(unknown: IUnknown, deviceObject: DEVICE_OBJECT): void;
  unregisterAdapterPowerManagement(deviceObject: DEVICE_OBJECT): void;
  /** Overrides the registry's idle settings, except when ImmediateIdle is 1. */
  setIdlePowerManagement(deviceObject: DEVICE_OBJECT, enabled: boolean): void;
}

/** A callback of IPortClsRuntimePower, up to DISPATCH_LEVEL; returns the bytes written to `outBuffer`. */
export type PCPFNRUNTIME_POWER_CONTROL_CALLBACK = (
  powerControlCode: GUID,
  inBuffer: Uint8Array | null,
  outBuffer: Uint8Array | null,
  context: unknown,
) => number;
/** Private power controls between an audio driver and a platform extension (DDI page IPortClsRuntimePower). */
export interface IPortClsRuntimePower extends IUnknown {
  registerPowerControlCallback(
    deviceObject: DEVICE_OBJECT,
    callback: PCPFNRUNTIME_POWER_CONTROL_CALLBACK,
    context: unknown,
  ): void;
  unregisterPowerControlCallback(deviceObject: DEVICE_OBJECT): void;
  /** Returns the bytes written to `outBuffer`; throws STATUS_NOT_SUPPORTED where no platform extension listens. */
  sendPowerControl(
    deviceObject: DEVICE_OBJECT,
    powerControlCode: GUID,
    inBuffer: Uint8Array | null,
    outBuffer: Uint8Array | null,
  ): number;
}

export const IID_IAdapterPowerManagement = new IID<IAdapterPowerManagement>(
  'IID_IAdapterPowerManagement',
  guid('{793417D0-35FE-11D1-AD08-00A0C90AB1B0}'),
);
export const IID_IAdapterPowerManagement2 = new IID<IAdapterPowerManagement2>(
  'IID_IAdapterPowerManagement2',
  guid('{E0F92E5D-67F5-48EE-B57A-7D1E90C5F43D}'),
);
export const IID_IAdapterPowerManagement3 = new IID<IAdapterPowerManagement3>(
  'IID_IAdapterPowerManagement3',
  guid('{A8C7303E-F80C-4BC9-B2E3-FB2D08BE920F}'),
);
export const IID_IPowerNotify = new IID<IPowerNotify>(
  'IID_IPowerNotify',
  guid('{3DD648B8-969F-11D1-95A9-00C04FB925D3}'),
);
export const IID_IPortClsPower = new IID<IPortClsPower>(
  'IID_IPortClsPower',
  guid('{47BA0351-BC4B-4869-8134-B74FE17852D8}'),
);
export const IID_IPortClsRuntimePower = new IID<IPortClsRuntimePower>(
  'IID_IPortClsRuntimePower',
  guid('{E057C351-0430-4DBC-B172-C711D40A2373}'),
);
