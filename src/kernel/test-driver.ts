import {
  type DEVICE_OBJECT,
  DO_DEVICE_INITIALIZING,
  type DRIVER_OBJECT,
  FILE_DEVICE_KS,
  IRP_MJ_CLEANUP,
  IRP_MJ_CLOSE,
  IRP_MJ_CREATE,
  IRP_MJ_DEVICE_CONTROL,
  IRP_MJ_PNP,
  IRP_MJ_POWER,
  ioAttachDeviceToDeviceStack,
  ioCreateDevice,
  ioDeleteDevice,
  ioDetachDevice,
} from './device.ts';
import { ioRegisterDeviceInterface, ioSetDeviceInterfaceState } from './device-interface.ts';
import {
  type IRP,
  ioCallDriver,
  ioCompleteRequest,
  ioCopyCurrentIrpStackLocationToNext,
  ioForwardIrpSynchronously,
  ioGetCurrentIrpStackLocation,
  ioMarkIrpPending,
  ioSetCompletionRoutine,
  ioSkipCurrentIrpStackLocation,
} from './irp.ts';
import { NtError } from './nt-error.ts';
import {
  type NTSTATUS,
  ntSuccess,
  STATUS_MORE_PROCESSING_REQUIRED,
  STATUS_PENDING,
  STATUS_SUCCESS,
} from './ntstatus.ts';
import { poCallDriver, poRequestPowerIrp, poSetPowerState, poStartNextPowerIrp } from './pnp-power.ts';
import {
  type BUS_INTERFACE_STANDARD,
  type DEVICE_POWER_STATE,
  DevicePowerState,
  type DriverPackage,
  GUID_BUS_INTERFACE_STANDARD,
  GUID_BUS_TYPE_PCI,
  IRP_MN_CANCEL_STOP_DEVICE,
  IRP_MN_FILTER_RESOURCE_REQUIREMENTS,
  IRP_MN_QUERY_CAPABILITIES,
  IRP_MN_QUERY_PNP_DEVICE_STATE,
  IRP_MN_REMOVE_DEVICE,
  IRP_MN_SET_POWER,
  IRP_MN_START_DEVICE,
  IRP_MN_SURPRISE_REMOVAL,
  irpMinorName,
  type PnpBus,
  type PnpChild,
  PowerDeviceD0,
  PowerDeviceD3,
  PowerSystemSleeping3,
  PowerSystemWorking,
  SystemPowerState,
} from './pnp-types.ts';
import { type CM_RESOURCE_LIST, type IO_RESOURCE_REQUIREMENTS_LIST, makeResourceList } from './resources.ts';
import { exQueueWorkItem, WORK_QUEUE_ITEM } from './work-item.ts';
/** KSCATEGORY_AUDIO in registry form. */
export const KSCATEGORY_AUDIO = '{6994ad04-93ef-11d0-a3cc-00a0c9223196}';
/** KSCATEGORY_RENDER in registry form. */
export const KSCATEGORY_RENDER = '{65E8773E-8F56-11D0-A3B9-00A0C9223196}';

/** What {@link FakeBus} assigns to every device. */
export const raw: CM_RESOURCE_LIST = makeResourceList(
  [
    { type: 'Port', shareDisposition: 'DeviceExclusive', flags: 1, start: 0xc000, length: 256 },
    { type: 'Interrupt', shareDisposition: 'Shared', flags: 0, level: 5, vector: 5, affinity: 1 },
  ],
  'PCIBus',
  0,
);
/** The same, translated. */
export const translated: CM_RESOURCE_LIST = makeResourceList(
  [
    { type: 'Port', shareDisposition: 'DeviceExclusive', flags: 1, start: 0xc000, length: 256 },
    { type: 'Interrupt', shareDisposition: 'Shared', flags: 0, level: 10, vector: 0x35, affinity: 1 },
  ],
  'PCIBus',
  0,
);

/** A PCI bus without hardware. */
export class FakeBus implements PnpBus {
  readonly name = 'pci';
  readonly children: PnpChild[] = [];
  readonly log: string[] = [];
  assign: (requirements: IO_RESOURCE_REQUIREMENTS_LIST | null) => void = () => undefined;

  add(device: number, more: Partial<PnpChild> = {}): string {
    const busDevice = `pci:00:0${device}.0`;
    const busInterface: BUS_INTERFACE_STANDARD = {
      size: 40,
      version: 1,
      interfaceReference: () => this.log.push(`${busDevice} reference`),
      interfaceDereference: () => undefined,
      setBusData: () => 0,
      getBusData: (_type, buffer, _offset, length) => {
        buffer.fill(0x86, 0, length);
        return length;
      },
    };
    this.children.push({
      busDevice,
      deviceId: 'PCI\\VEN_8086&DEV_2415',
      instanceId: `3&0&${(device * 8).toString(16)}`,
      hardwareIds: ['PCI\\VEN_8086&DEV_2415&REV_01', 'PCI\\VEN_8086&DEV_2415'],
      compatibleIds: ['PCI\\VEN_8086&CC_0401', 'PCI\\CC_0401'],
      description: 'Multimedia Audio Controller',
      location: `PCI bus 0, device ${device}, function 0`,
      bus: { busTypeGuid: GUID_BUS_TYPE_PCI, legacyBusType: 'PCIBus', busNumber: 0 },
      capabilities: { address: device << 16, deviceD1: true },
      assignResources: (requirements) => {
        this.assign(requirements);
        return { raw, translated };
      },
      queryInterface: (type) => (type === GUID_BUS_INTERFACE_STANDARD ? busInterface : null),
      start: () => this.log.push(`${busDevice} start`),
      stop: () => this.log.push(`${busDevice} stop`),
      setPowerState: (state: DEVICE_POWER_STATE) => this.log.push(`${busDevice} D${state - 1}`),
      ...more,
    });
    return busDevice;
  }

  enumerate(): readonly PnpChild[] {
    return this.children;
  }

  unplug(busDevice: string): void {
    this.children.splice(
      this.children.findIndex((child) => child.busDevice === busDevice),
      1,
    );
  }
}

/** Its device extension. */
export interface Extension {
  readonly pdo: DEVICE_OBJECT;
  readonly lower: DEVICE_OBJECT;
  wave: string;
}

/** A function driver that notes what it is asked and can be told to refuse. */
export class FakeDriver {
  readonly log: string[] = [];
  /** AddDevice and state requests, device by device. */
  readonly transitions = new Map<DEVICE_OBJECT, string[]>();
  readonly refuse = new Map<number, NTSTATUS>();
  readonly refusePower = new Map<number, NTSTATUS>();
  readonly pdos: DEVICE_OBJECT[] = [];
  started: { raw: CM_RESOURCE_LIST | null; translated: CM_RESOURCE_LIST | null } | null = null;
  entryStatus: NTSTATUS = STATUS_SUCCESS;
  addStatus: NTSTATUS = STATUS_SUCCESS;
  attach = true;
  forgetToDetach = false;
  deviceState = 0;
  onStart: (extension: Extension) => void = () => undefined;
  onFilter: (list: IO_RESOURCE_REQUIREMENTS_LIST | null) => IO_RESOURCE_REQUIREMENTS_LIST | null = (list) =>
    list;

  package(more: Partial<DriverPackage> = {}): DriverPackage {
    return {
      name: 'fakeaudio',
      hardwareIds: ['pci\\ven_8086&dev_2415'],
      driverEntry: (driver: DRIVER_OBJECT, path: string) => this.#entry(driver, path),
      description: 'Fake Audio',
      manufacturer: 'Fakes',
      ...more,
    };
  }

  #entry(driver: DRIVER_OBJECT, path: string): NTSTATUS {
    this.log.push(`DriverEntry ${path.slice(path.lastIndexOf('\\') + 1)}`);
    driver.driverExtension.addDevice = (d: DRIVER_OBJECT, pdo: DEVICE_OBJECT) => this.#addDevice(d, pdo);
    driver.driverUnload = () => {
      this.log.push('Unload');
    };
    driver.majorFunction[IRP_MJ_PNP] = (device, irp) => this.#pnp(device, irp);
    driver.majorFunction[IRP_MJ_POWER] = (device, irp) => this.#power(device, irp);
    for (const major of [IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE, IRP_MJ_DEVICE_CONTROL]) {
      driver.majorFunction[major] = (_device, irp) => {
        const file = ioGetCurrentIrpStackLocation(irp).fileObject;
        this.log.push(
          `${['create', '', 'close'][major] ?? (major === IRP_MJ_CLEANUP ? 'cleanup' : 'control')} ${file?.fileName}`,
        );
        irp.ioStatus.status = STATUS_SUCCESS;
        ioCompleteRequest(irp);
        return STATUS_SUCCESS;
      };
    }
    return this.entryStatus;
  }

  #addDevice(driver: DRIVER_OBJECT, pdo: DEVICE_OBJECT): void {
    this.log.push('AddDevice');
    this.#transition(pdo, 'AddDevice');
    if (!ntSuccess(this.addStatus)) throw new NtError(this.addStatus);
    if (!this.attach) return;
    this.pdos.push(pdo);
    const device = ioCreateDevice(driver, null, null, FILE_DEVICE_KS);
    const lower = ioAttachDeviceToDeviceStack(device, pdo);
    const wave = ioRegisterDeviceInterface(pdo, KSCATEGORY_AUDIO, 'Wave');
    const extension: Extension = { pdo, lower, wave };
    device.deviceExtension = extension;
    device.flags &= ~DO_DEVICE_INITIALIZING;
  }

  #transition(pdo: DEVICE_OBJECT, name: string): void {
    const seen = this.transitions.get(pdo);
    if (seen === undefined) this.transitions.set(pdo, [name]);
    else seen.push(name);
  }

  #extension(device: DEVICE_OBJECT): Extension {
    return device.deviceExtension as Extension;
  }

  #pnp(device: DEVICE_OBJECT, irp: IRP): NTSTATUS {
    const stack = ioGetCurrentIrpStackLocation(irp);
    const extension = this.#extension(device);
    const quiet = ![0, 1, 2, 3, 4, 5, 6, IRP_MN_SURPRISE_REMOVAL].includes(stack.minorFunction);
    if (!quiet) {
      const name = irpMinorName(IRP_MJ_PNP, stack.minorFunction).slice(7);
      this.log.push(name);
      this.#transition(extension.pdo, name);
    }
    const refusal = this.refuse.get(stack.minorFunction);
    if (refusal !== undefined) {
      irp.ioStatus.status = refusal;
      ioCompleteRequest(irp);
      return refusal;
    }
    switch (stack.minorFunction) {
      case IRP_MN_START_DEVICE: {
        this.started = {
          raw: stack.parameters.allocatedResources,
          translated: stack.parameters.allocatedResourcesTranslated,
        };
        ioForwardIrpSynchronously(extension.lower, irp);
        this.onStart(extension);
        ioSetDeviceInterfaceState(extension.wave, true);
        poSetPowerState(device, DevicePowerState, PowerDeviceD0);
        ioCompleteRequest(irp);
        return irp.ioStatus.status;
      }
      case IRP_MN_FILTER_RESOURCE_REQUIREMENTS: {
        irp.ioStatus.informationPointer = this.onFilter(stack.parameters.ioResourceRequirementList);
        irp.ioStatus.status = STATUS_SUCCESS;
        break;
      }
      case IRP_MN_QUERY_PNP_DEVICE_STATE: {
        irp.ioStatus.information = this.deviceState;
        irp.ioStatus.status = STATUS_SUCCESS;
        break;
      }
      case IRP_MN_QUERY_CAPABILITIES: {
        ioForwardIrpSynchronously(extension.lower, irp);
        const { capabilities } = stack.parameters;
        if (capabilities !== null) capabilities.deviceState[PowerSystemSleeping3] = PowerDeviceD3;
        ioCompleteRequest(irp);
        return irp.ioStatus.status;
      }
      case IRP_MN_SURPRISE_REMOVAL:
        ioSetDeviceInterfaceState(extension.wave, false);
        irp.ioStatus.status = STATUS_SUCCESS;
        break;
      case IRP_MN_REMOVE_DEVICE: {
        irp.ioStatus.status = STATUS_SUCCESS;
        ioSkipCurrentIrpStackLocation(irp);
        const status = ioCallDriver(extension.lower, irp);
        if (this.forgetToDetach) return status;
        ioDetachDevice(extension.lower);
        ioDeleteDevice(device);
        return status;
      }
      default:
        if (stack.minorFunction <= IRP_MN_CANCEL_STOP_DEVICE) irp.ioStatus.status = STATUS_SUCCESS;
    }
    ioSkipCurrentIrpStackLocation(irp);
    return ioCallDriver(extension.lower, irp);
  }

  /** As a power policy owner: a system power request becomes a device power request first. */
  #power(device: DEVICE_OBJECT, irp: IRP): NTSTATUS {
    const stack = ioGetCurrentIrpStackLocation(irp);
    const { lower } = this.#extension(device);
    const { powerType, powerState } = stack.parameters;
    const kind = powerType === SystemPowerState ? `S${powerState - 1}` : `D${powerState - 1}`;
    this.log.push(`${irpMinorName(IRP_MJ_POWER, stack.minorFunction).slice(7)} ${kind}`);
    const refusal = this.refusePower.get(stack.minorFunction);
    if (refusal !== undefined && powerType === SystemPowerState) {
      irp.ioStatus.status = refusal;
      ioCompleteRequest(irp);
      return refusal;
    }
    poStartNextPowerIrp(irp);
    if (powerType !== SystemPowerState) {
      if (stack.minorFunction === IRP_MN_SET_POWER) poSetPowerState(device, DevicePowerState, powerState);
      ioSkipCurrentIrpStackLocation(irp);
      return poCallDriver(lower, irp);
    }
    const minor = stack.minorFunction;
    ioMarkIrpPending(irp);
    ioCopyCurrentIrpStackLocationToNext(irp);
    ioSetCompletionRoutine(
      irp,
      (_own, system) => {
        const wanted = powerState === PowerSystemWorking ? PowerDeviceD0 : PowerDeviceD3;
        poRequestPowerIrp(
          device,
          minor,
          wanted,
          (_device, _minor, _state, context, ioStatus) => {
            const waiting = context as IRP;
            waiting.ioStatus.status = ioStatus.status;
            // The system request goes on later, as with hardware that needs its time.
            exQueueWorkItem(new WORK_QUEUE_ITEM(() => ioCompleteRequest(waiting), 'power'));
          },
          system,
        );
        return STATUS_MORE_PROCESSING_REQUIRED;
      },
      null,
    );
    poCallDriver(lower, irp);
    return STATUS_PENDING;
  }

  take(): string[] {
    return this.log.splice(0);
  }
}
