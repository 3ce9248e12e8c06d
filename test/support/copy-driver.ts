import {
  type CommonBuffer,
  type DMA_ADAPTER,
  interruptLineOfVector,
  ioGetDmaAdapter,
  mmMapIoSpace,
  mmUnmapIoSpace,
  READ_PORT_ULONG,
  READ_REGISTER_ULONG,
  WRITE_PORT_ULONG,
  WRITE_REGISTER_ULONG,
} from '../../src/hal/index.ts';
import {
  type CM_PARTIAL_RESOURCE_DESCRIPTOR,
  type DEVICE_OBJECT,
  DO_DEVICE_INITIALIZING,
  type DriverPackage,
  IRP_MJ_PNP,
  IRP_MJ_POWER,
  IRP_MN_REMOVE_DEVICE,
  IRP_MN_START_DEVICE,
  IRP_MN_STOP_DEVICE,
  IRP_MN_SURPRISE_REMOVAL,
  ioAttachDeviceToDeviceStack,
  ioCallDriver,
  ioCompleteRequest,
  ioConnectInterrupt,
  ioCreateDevice,
  ioDeleteDevice,
  ioDetachDevice,
  ioDisconnectInterrupt,
  ioForwardIrpSynchronously,
  ioGetCurrentIrpStackLocation,
  ioSkipCurrentIrpStackLocation,
  KDPC,
  type KINTERRUPT,
  keInsertQueueDpc,
  type NTSTATUS,
  resourceDescriptors,
  STATUS_SUCCESS,
} from '../../src/kernel/index.ts';
import {
  COPY_CTRL,
  COPY_DST,
  COPY_DST_HIGH,
  COPY_INTEN,
  COPY_LEN,
  COPY_SRC,
  COPY_SRC_HIGH,
  COPY_STATUS,
  CopyCard,
} from './copy-card.ts';

/** The card's registers, wherever its window is. */
interface RegisterWindow {
  read(offset: number): number;
  write(offset: number, value: number): void;
  unmap(): void;
}

function openWindow(resource: CM_PARTIAL_RESOURCE_DESCRIPTOR | undefined): RegisterWindow {
  if (resource?.type === 'Port') {
    const { start } = resource;
    return {
      read: (offset) => READ_PORT_ULONG(start + offset),
      write: (offset, value) => WRITE_PORT_ULONG(start + offset, value),
      unmap: () => {},
    };
  }
  if (resource?.type !== 'Memory') throw new Error('The card has no window.');
  const { start, length } = resource;
  const base = mmMapIoSpace(start, length);
  return {
    read: (offset) => READ_REGISTER_ULONG(base + offset),
    write: (offset, value) => WRITE_REGISTER_ULONG(base + offset, value),
    unmap: () => mmUnmapIoSpace(base, length),
  };
}

/** One device of the driver; tests look into it and give it work. */
export class CopyDevice {
  readonly pdo: DEVICE_OBJECT;
  readonly lower: DEVICE_OBJECT;
  readonly fdo: DEVICE_OBJECT;
  resources: readonly CM_PARTIAL_RESOURCE_DESCRIPTOR[] = [];
  rawResources: readonly CM_PARTIAL_RESOURCE_DESCRIPTOR[] = [];
  adapter: DMA_ADAPTER | null = null;
  buffer: CommonBuffer | null = null;
  window: RegisterWindow | null = null;
  interrupt: KINTERRUPT | null = null;
  /** Status as the service routine read it, one entry an interrupt of its own; and how often it was asked. */
  readonly statuses: number[] = [];
  asked = 0;
  copiesDone = 0;
  #dma64 = false;
  readonly #dpc = new KDPC(() => {
    this.copiesDone++;
  }, null);

  constructor(pdo: DEVICE_OBJECT, lower: DEVICE_OBJECT, fdo: DEVICE_OBJECT) {
    this.pdo = pdo;
    this.lower = lower;
    this.fdo = fdo;
  }

  start(bufferBytes: number, dma64BitAddresses: boolean): void {
    this.#dma64 = dma64BitAddresses;
    this.adapter = ioGetDmaAdapter(this.pdo, {
      master: true,
      scatterGather: true,
      dma32BitAddresses: true,
      dma64BitAddresses,
      interfaceType: 'PCIBus',
      maximumLength: 0x1_0000,
    });
    this.buffer = this.adapter.allocateCommonBuffer(bufferBytes, false);
    this.window = openWindow(this.resources.find(({ type }) => type !== 'Interrupt'));
    const interrupt = this.resources.find((resource) => resource.type === 'Interrupt');
    if (!interrupt) throw new Error('The card has no interrupt.');
    this.interrupt = ioConnectInterrupt({
      serviceRoutine: () => this.#serviceInterrupt(),
      serviceContext: null,
      vector: interrupt.vector,
      irql: interrupt.level,
      synchronizeIrql: interrupt.level,
      interruptMode: 'LevelSensitive',
      shareVector: true,
      line: interruptLineOfVector(interrupt.vector),
    });
    this.window.write(COPY_INTEN, 1);
  }

  stop(): void {
    if (this.interrupt) ioDisconnectInterrupt(this.interrupt);
    this.interrupt = null;
    this.window?.unmap();
    this.window = null;
    if (this.buffer) this.adapter?.freeCommonBuffer(this.buffer);
    this.buffer = null;
    this.adapter?.putDmaAdapter();
    this.adapter = null;
  }

  /** Tells the card to copy; addresses are bus addresses. */
  copy(source: number, destination: number, length: number): void {
    this.window?.write(COPY_SRC, source % 2 ** 32);
    this.window?.write(COPY_DST, destination % 2 ** 32);
    if (this.#dma64) {
      this.window?.write(COPY_SRC_HIGH, Math.floor(source / 2 ** 32));
      this.window?.write(COPY_DST_HIGH, Math.floor(destination / 2 ** 32));
    }
    this.window?.write(COPY_LEN, length);
    this.window?.write(COPY_CTRL, 1);
  }

  #serviceInterrupt(): boolean {
    this.asked++;
    const status = this.window?.read(COPY_STATUS) ?? 0;
    if (status === 0 || status === 0xffff_ffff) return false;
    this.window?.write(COPY_STATUS, status);
    this.statuses.push(status);
    keInsertQueueDpc(this.#dpc);
    return true;
  }
}

/** A WDM function driver for {@link CopyCard}; `devices` lists those it has, `events` what happened to them. */
export class CopyDriver {
  readonly devices: CopyDevice[] = [];
  readonly events: string[] = [];
  readonly package: DriverPackage;
  readonly #bufferBytes: number;
  readonly #dma64: boolean;

  /** @param dma64 the driver says that its card drives 64 address bits */
  constructor(name = 'copydrv', bufferBytes = 256, dma64 = false) {
    this.#bufferBytes = bufferBytes;
    this.#dma64 = dma64;
    const { vendorId, deviceId } = new CopyCard();
    const hex = (value: number) => value.toString(16).toUpperCase().padStart(4, '0');
    this.package = {
      name,
      hardwareIds: [`PCI\\VEN_${hex(vendorId)}&DEV_${hex(deviceId)}`],
      driverEntry: (driverObject) => {
        driverObject.driverExtension.addDevice = (driver, pdo) => {
          const fdo = ioCreateDevice(driver, null, null, 0x22);
          const lower = ioAttachDeviceToDeviceStack(fdo, pdo);
          const device = new CopyDevice(pdo, lower, fdo);
          fdo.deviceExtension = device;
          this.devices.push(device);
          fdo.flags &= ~DO_DEVICE_INITIALIZING;
        };
        driverObject.driverUnload = () => {
          this.events.push('unload');
        };
        driverObject.majorFunction[IRP_MJ_PNP] = (fdo, irp) => this.#dispatchPnp(fdo, irp);
        driverObject.majorFunction[IRP_MJ_POWER] = (fdo, irp) => {
          ioSkipCurrentIrpStackLocation(irp);
          return ioCallDriver(deviceOf(fdo).lower, irp);
        };
      },
    };
  }

  /** The device there is when there is one. */
  get device(): CopyDevice {
    const [device] = this.devices;
    if (!device) throw new Error('The driver has no device.');
    return device;
  }

  #dispatchPnp(fdo: DEVICE_OBJECT, irp: Parameters<typeof ioCallDriver>[1]): NTSTATUS {
    const device = deviceOf(fdo);
    const { minorFunction, parameters } = ioGetCurrentIrpStackLocation(irp);
    switch (minorFunction) {
      case IRP_MN_START_DEVICE:
        device.resources = resourceDescriptors(parameters.allocatedResourcesTranslated);
        device.rawResources = resourceDescriptors(parameters.allocatedResources);
        ioForwardIrpSynchronously(device.lower, irp);
        device.start(this.#bufferBytes, this.#dma64);
        this.events.push('start');
        irp.ioStatus.status = STATUS_SUCCESS;
        ioCompleteRequest(irp);
        return STATUS_SUCCESS;
      case IRP_MN_STOP_DEVICE:
        device.stop();
        this.events.push('stop');
        break;
      case IRP_MN_SURPRISE_REMOVAL:
        device.stop();
        this.events.push('surprise removal');
        break;
      case IRP_MN_REMOVE_DEVICE: {
        device.stop();
        this.events.push('remove');
        this.devices.splice(this.devices.indexOf(device), 1);
        irp.ioStatus.status = STATUS_SUCCESS;
        ioSkipCurrentIrpStackLocation(irp);
        const status = ioCallDriver(device.lower, irp);
        ioDetachDevice(device.lower);
        ioDeleteDevice(fdo);
        return status;
      }
      default:
        ioSkipCurrentIrpStackLocation(irp);
        return ioCallDriver(device.lower, irp);
    }
    irp.ioStatus.status = STATUS_SUCCESS;
    ioSkipCurrentIrpStackLocation(irp);
    return ioCallDriver(device.lower, irp);
  }
}

function deviceOf(fdo: DEVICE_OBJECT): CopyDevice {
  if (!(fdo.deviceExtension instanceof CopyDevice)) throw new Error('This is no device of the copy driver.');
  return fdo.deviceExtension;
}
