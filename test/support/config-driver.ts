import { PCI_WHICHSPACE_ROM } from '../../src/hal/index.ts';
import {
  type BUS_INTERFACE_STANDARD,
  BugcheckError,
  type DEVICE_OBJECT,
  DISPATCH_LEVEL,
  type DriverPackage,
  GUID_BUS_INTERFACE_STANDARD,
  type INTERFACE,
  IO_STATUS_BLOCK,
  IRP_MJ_PNP,
  IRP_MN_READ_CONFIG,
  IRP_MN_WRITE_CONFIG,
  ioBuildSynchronousFsdRequest,
  ioCallDriver,
  ioGetAttachedDevice,
  ioGetNextIrpStackLocation,
  KEVENT,
  keLowerIrql,
  keRaiseIrql,
  keWaitForSingleObject,
  ntStatusName,
  PCI_WHICHSPACE_CONFIG,
  pnpQueryInterface,
  STATUS_NOT_SUPPORTED,
  STATUS_PENDING,
} from '../../src/kernel/index.ts';
import { pcAddAdapterDevice, pcInitializeAdapterDriver } from '../../src/portcls/index.ts';

/** What a request for configuration space came to. */
export interface ConfigAnswer {
  readonly status: string;
  readonly information: number;
}

export interface ConfigRequest {
  readonly buffer: Uint8Array | null;
  readonly offset: number;
  readonly length?: number;
  readonly whichSpace?: number;
  /** IRQL at which the request is sent, PASSIVE_LEVEL unless given. */
  readonly irql?: 0 | 1 | 2;
}

/** An adapter driver that does nothing but look into its card's configuration space, in both documented ways. */
export class ConfigDriver {
  pdo: DEVICE_OBJECT | null = null;
  bus: BUS_INTERFACE_STANDARD | null = null;
  readonly package: DriverPackage;
  readonly #onStart: (driver: ConfigDriver) => void;

  /** @param onStart runs in StartDevice, with the interface at hand */
  constructor(hardwareId: string, onStart: (driver: ConfigDriver) => void = () => {}) {
    this.#onStart = onStart;
    this.package = {
      name: 'configdrv',
      hardwareIds: [hardwareId],
      driverEntry: (driverObject, registryPath) =>
        pcInitializeAdapterDriver(driverObject, registryPath, (driver, pdo) => {
          this.pdo = pdo;
          pcAddAdapterDevice(driver, pdo, () => this.#start(pdo), 1, 0);
        }),
    };
  }

  #start(pdo: DEVICE_OBJECT): void {
    this.bus = pnpQueryInterface(pdo, GUID_BUS_INTERFACE_STANDARD, isBusInterface);
    try {
      this.#onStart(this);
    } finally {
      this.bus.interfaceDereference();
      this.bus = null;
    }
  }

  read(request: ConfigRequest): ConfigAnswer {
    return this.#send(IRP_MN_READ_CONFIG, request);
  }

  write(request: ConfigRequest): ConfigAnswer {
    return this.#send(IRP_MN_WRITE_CONFIG, request);
  }

  /** To the top of the device's own stack, PortCls first, which passes it down to the bus. */
  #send(
    minorFunction: number,
    { buffer, offset, length, whichSpace, irql = 0 }: ConfigRequest,
  ): ConfigAnswer {
    if (this.pdo === null) throw new Error('the driver has no device');
    const event = new KEVENT('NotificationEvent');
    const block = new IO_STATUS_BLOCK();
    const top = ioGetAttachedDevice(this.pdo);
    const irp = ioBuildSynchronousFsdRequest(IRP_MJ_PNP, top, event, block);
    const stack = ioGetNextIrpStackLocation(irp);
    stack.minorFunction = minorFunction;
    stack.parameters.whichSpace = whichSpace ?? PCI_WHICHSPACE_CONFIG;
    stack.parameters.buffer = buffer;
    stack.parameters.offset = offset;
    stack.parameters.length = length ?? buffer?.byteLength ?? 0;
    irp.ioStatus.status = STATUS_NOT_SUPPORTED;
    const old = irql > 0 ? keRaiseIrql(irql) : null;
    const status = ioCallDriver(top, irp);
    if (old !== null) keLowerIrql(old);
    if (status === STATUS_PENDING) keWaitForSingleObject(event);
    return { status: ntStatusName(block.status), information: block.information };
  }
}

function isBusInterface(value: INTERFACE): value is BUS_INTERFACE_STANDARD {
  return 'getBusData' in value && 'setBusData' in value;
}

const REVISION_ID = 0x08;
const INTERRUPT_LINE = 0x3c;

/** What both ways to configuration space must do on any machine with this card; returns what does not hold. */
export function checkConfigAccess(driver: ConfigDriver, vendorId: number, deviceId: number): string[] {
  const problems: string[] = [];
  const expect = (what: string, got: unknown, right: unknown) => {
    if (JSON.stringify(got) !== JSON.stringify(right))
      problems.push(`${what}: ${JSON.stringify(got)} instead of ${JSON.stringify(right)}`);
  };
  const { bus } = driver;
  if (bus === null) return ['there is no BUS_INTERFACE_STANDARD'];
  const ids = [vendorId & 0xff, vendorId >> 8, deviceId & 0xff, deviceId >> 8];

  const header = new Uint8Array(64);
  expect('header by IRP', driver.read({ buffer: header, offset: 0 }), {
    status: 'STATUS_SUCCESS',
    information: 64,
  });
  expect('ids by IRP', [...header.subarray(0, 4)], ids);
  const whole = new Uint8Array(300);
  expect('the whole space', driver.read({ buffer: whole, offset: 0, length: 300 }), {
    status: 'STATUS_SUCCESS',
    information: 256,
  });
  expect('the same bytes', [...whole.subarray(0, 4), whole[REVISION_ID]], [...ids, header[REVISION_ID]]);

  // Every level that the interface may be used at: the bytes are the same.
  const bytes = new Uint8Array(4);
  expect('bytes by interface', bus.getBusData(PCI_WHICHSPACE_CONFIG, bytes, 0, 4), 4);
  expect('ids by interface', [...bytes], ids);
  const old = keRaiseIrql(DISPATCH_LEVEL);
  bytes.fill(0);
  const atDispatch = bus.getBusData(PCI_WHICHSPACE_CONFIG, bytes, 0, 4);
  keLowerIrql(old);
  expect('bytes at DISPATCH_LEVEL', atDispatch, 4);
  expect('ids at DISPATCH_LEVEL', [...bytes], ids);
  const device = keRaiseIrql(10);
  bytes.fill(0);
  const atDirql = bus.getBusData(PCI_WHICHSPACE_CONFIG, bytes, 2, 2);
  keLowerIrql(device);
  expect('bytes at DIRQL', atDirql, 2);
  expect('id at DIRQL', [...bytes.subarray(0, 2)], ids.slice(2));

  // A register that can be written, and one that cannot.
  const line = header[INTERRUPT_LINE] ?? 0;
  expect('a write by IRP', driver.write({ buffer: Uint8Array.of(0x5a), offset: INTERRUPT_LINE }), {
    status: 'STATUS_SUCCESS',
    information: 1,
  });
  bus.getBusData(PCI_WHICHSPACE_CONFIG, bytes, INTERRUPT_LINE, 1);
  expect('what was written by IRP', bytes[0], 0x5a);
  expect(
    'a write by interface',
    bus.setBusData(PCI_WHICHSPACE_CONFIG, Uint8Array.of(line), INTERRUPT_LINE, 1),
    1,
  );
  driver.read({ buffer: bytes, offset: INTERRUPT_LINE, length: 1 });
  expect('what was written by interface', bytes[0], line);
  driver.write({ buffer: Uint8Array.of(0, 0), offset: 0 });
  driver.read({ buffer: bytes, offset: 0 });
  expect('ids after a write', [...bytes], ids);

  // Ends and nonsense.
  expect('the last byte and beyond', driver.read({ buffer: new Uint8Array(8), offset: 0xff }), {
    status: 'STATUS_SUCCESS',
    information: 1,
  });
  expect('nothing', driver.read({ buffer: new Uint8Array(0), offset: 0 }), {
    status: 'STATUS_SUCCESS',
    information: 0,
  });
  const refused = (status: string) => ({ status, information: 0 });
  expect(
    'beyond the end',
    driver.read({ buffer: bytes, offset: 256 }),
    refused('STATUS_INVALID_PARAMETER_3'),
  );
  expect('before it', driver.write({ buffer: bytes, offset: -4 }), refused('STATUS_INVALID_PARAMETER_3'));
  expect('no buffer', driver.read({ buffer: null, offset: 0 }), refused('STATUS_INVALID_PARAMETER_2'));
  expect(
    'a short buffer',
    driver.read({ buffer: bytes, offset: 0, length: 5 }),
    refused('STATUS_INVALID_PARAMETER_2'),
  );
  expect(
    'a ROM that there is not',
    driver.read({ buffer: bytes, offset: 0, whichSpace: PCI_WHICHSPACE_ROM }),
    refused('STATUS_INVALID_PARAMETER_1'),
  );
  expect('the same by interface', bus.getBusData(PCI_WHICHSPACE_ROM, bytes, 0, 4), 0);
  expect('beyond the end by interface', bus.setBusData(PCI_WHICHSPACE_CONFIG, bytes, 256, 4), 0);
  expect('at APC_LEVEL', driver.read({ buffer: bytes, offset: 0, irql: 1 }), {
    status: 'STATUS_SUCCESS',
    information: 4,
  });
  return problems;
}

/** The sentence of the bugcheck that `action` ends its machine in; null when it does not. */
export function bugcheckText(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    if (error instanceof BugcheckError) return `${error.bugcheck.name}: ${error.message}`;
    throw error;
  }
}
