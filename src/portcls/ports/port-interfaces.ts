import { CUnknown, type GUID, type IID, type IUnknown } from '../../com/index.ts';
import {
  type DEVICE_OBJECT,
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_NOT_SUPPORTED,
  TraceKind,
} from '../../kernel/index.ts';
import { adapterDevice } from '../adapter-device.ts';
import {
  IID_IPortClsEtwHelper,
  IID_IPortClsPnp,
  IID_IPortClsPower,
  IID_IPortClsRuntimePower,
  IID_IPortClsVersion,
  IID_IUnregisterPhysicalConnection,
  IID_IUnregisterSubdevice,
  type IPortClsEtwHelper,
  type IPortClsPnp,
  type IPortClsPower,
  type IPortClsRuntimePower,
  type IPortClsVersion,
  type IUnregisterPhysicalConnection,
  type IUnregisterSubdevice,
  kVersionWinServer2003_UAAQFE,
  type PCPFNRUNTIME_POWER_CONTROL_CALLBACK,
} from '../ddi/index.ts';
import type { PortBase } from './port-base.ts';

const INTERFACES: readonly IID<unknown>[] = [
  IID_IPortClsVersion,
  IID_IUnregisterSubdevice,
  IID_IUnregisterPhysicalConnection,
  IID_IPortClsPower,
  IID_IPortClsPnp,
  IID_IPortClsRuntimePower,
  IID_IPortClsEtwHelper,
];

/** What every port offers besides its own interfaces: an object aggregated by the port, made when first asked for. */
export class PortInterfaces
  extends CUnknown
  implements
    IPortClsVersion,
    IUnregisterSubdevice,
    IUnregisterPhysicalConnection,
    IPortClsPower,
    IPortClsPnp,
    IPortClsRuntimePower,
    IPortClsEtwHelper
{
  readonly #port: PortBase;

  constructor(port: PortBase) {
    super(`${port.unknownName} interfaces`, port);
    this.#port = port;
  }

  /** This object for one of its interfaces, else null. */
  find(iid: IID<unknown>): object | null {
    return INTERFACES.some((known) => known.equals(iid)) ? this : null;
  }

  // IPortClsVersion

  /** The newest version that portcls.h has a number for. */
  getVersion(): number {
    requireIrql(PASSIVE_LEVEL, 'IPortClsVersion::GetVersion');
    return kVersionWinServer2003_UAAQFE;
  }

  // IUnregisterSubdevice

  unregisterSubdevice(deviceObject: DEVICE_OBJECT, unknown: IUnknown): void {
    adapterDevice(deviceObject).unregisterSubdevice(unknown);
  }

  // IUnregisterPhysicalConnection

  unregisterPhysicalConnection(
    deviceObject: DEVICE_OBJECT,
    fromUnknown: IUnknown,
    fromPin: number,
    toUnknown: IUnknown,
    toPin: number,
  ): void {
    requireIrql(PASSIVE_LEVEL, 'IUnregisterPhysicalConnection::UnregisterPhysicalConnection');
    adapterDevice(deviceObject).connections.unregister(fromUnknown, fromPin, toUnknown, toPin);
  }

  unregisterPhysicalConnectionToExternal(
    deviceObject: DEVICE_OBJECT,
    fromUnknown: IUnknown,
    fromPin: number,
    toSymbolicLink: string,
    toPin: number,
  ): void {
    requireIrql(PASSIVE_LEVEL, 'IUnregisterPhysicalConnection::UnregisterPhysicalConnectionToExternal');
    adapterDevice(deviceObject).connections.unregister(fromUnknown, fromPin, toSymbolicLink, toPin);
  }

  unregisterPhysicalConnectionFromExternal(
    deviceObject: DEVICE_OBJECT,
    fromSymbolicLink: string,
    fromPin: number,
    toUnknown: IUnknown,
    toPin: number,
  ): void {
    requireIrql(PASSIVE_LEVEL, 'IUnregisterPhysicalConnection::UnregisterPhysicalConnectionFromExternal');
    adapterDevice(deviceObject).connections.unregister(fromSymbolicLink, fromPin, toUnknown, toPin);
  }

  // IPortClsPower

  registerAdapterPowerManagement(unknown: IUnknown, deviceObject: DEVICE_OBJECT): void {
    requireIrql(PASSIVE_LEVEL, 'IPortClsPower::RegisterAdapterPowerManagement');
    adapterDevice(deviceObject).power.register(unknown);
  }

  unregisterAdapterPowerManagement(deviceObject: DEVICE_OBJECT): void {
    requireIrql(PASSIVE_LEVEL, 'IPortClsPower::UnregisterAdapterPowerManagement');
    adapterDevice(deviceObject).power.unregister();
  }

  setIdlePowerManagement(deviceObject: DEVICE_OBJECT, enabled: boolean): void {
    requireIrql(PASSIVE_LEVEL, 'IPortClsPower::SetIdlePowerManagement');
    adapterDevice(deviceObject).power.idle.setEnabled(enabled);
  }

  // IPortClsPnp

  registerAdapterPnpManagement(unknown: IUnknown, deviceObject: DEVICE_OBJECT): void {
    requireIrql(PASSIVE_LEVEL, 'IPortClsPnp::RegisterAdapterPnpManagement');
    adapterDevice(deviceObject).registerPnpManagement(unknown);
  }

  unregisterAdapterPnpManagement(deviceObject: DEVICE_OBJECT): void {
    requireIrql(PASSIVE_LEVEL, 'IPortClsPnp::UnregisterAdapterPnpManagement');
    adapterDevice(deviceObject).unregisterPnpManagement();
  }

  // IPortClsRuntimePower

  registerPowerControlCallback(
    deviceObject: DEVICE_OBJECT,
    callback: PCPFNRUNTIME_POWER_CONTROL_CALLBACK,
    context: unknown,
  ): void {
    requireIrql(PASSIVE_LEVEL, 'IPortClsRuntimePower::RegisterPowerControlCallback');
    adapterDevice(deviceObject).runtimePower.register(callback, context);
  }

  unregisterPowerControlCallback(deviceObject: DEVICE_OBJECT): void {
    requireIrql(PASSIVE_LEVEL, 'IPortClsRuntimePower::UnregisterPowerControlCallback');
    adapterDevice(deviceObject).runtimePower.unregister();
  }

  /** There is no platform extension plug-in to talk to. */
  sendPowerControl(
    _deviceObject: DEVICE_OBJECT,
    powerControlCode: GUID,
    _inBuffer: Uint8Array | null,
    _outBuffer: Uint8Array | null,
  ): number {
    throw new NtError(STATUS_NOT_SUPPORTED, `no platform extension takes power control ${powerControlCode}`);
  }

  // IPortClsEtwHelper

  miniportWriteEtwEvent(eventType: number, data1: number, data2: number, data3: number, data4: number): void {
    const { trace } = this.#port.kernel;
    if ((trace.mask & TraceKind.State) === 0) return;
    trace.emit(TraceKind.State, 'I', this.#port.driverName, 'MiniportWriteEtwEvent', {
      eventType,
      data1,
      data2,
      data3,
      data4,
    });
  }
}
