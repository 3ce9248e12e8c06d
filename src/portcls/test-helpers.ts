/** A fake adapter on a machine without hardware, for tests of PortCls. */
import { CUnknown, type GUID, GUID_NULL, type IID, type IUnknown } from '../com/index.ts';
import {
  type CM_RESOURCE_LIST,
  type DEVICE_NODE,
  type DEVICE_OBJECT,
  type DEVICE_POWER_STATE,
  type IRP,
  Kernel,
  makeResourceList,
  type RegistryAddition,
  TestPlatform,
  Trace,
  TraceKind,
  UserProcess,
} from '../kernel/index.ts';
import {
  audioDataRange,
  decodeDataFormat,
  IOCTL_KS_PROPERTY,
  KSCATEGORY_AUDIO,
  type KSDATAFORMAT,
  type KSDATARANGE,
  KSNODETYPE_SPEAKER,
  KSNODETYPE_VOLUME,
  KSPIN_COMMUNICATION_NONE,
  KSPIN_COMMUNICATION_SINK,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
  KSPROPERTY_TYPE_TOPOLOGY,
  type KSSTATE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  pinCreateName,
  standardPinConnect,
} from '../ks/index.ts';
import {
  IID_IMiniport,
  IID_IMiniportTopology,
  type IMiniport,
  type IMiniportTopology,
  type IPort,
  type IPortTopology,
  type IResourceList,
  type PCFILTER_DESCRIPTOR,
  PCFILTER_NODE,
} from './ddi/index.ts';
import { pcAddAdapterDevice, pcInitializeAdapterDriver } from './index.ts';
import { PortBase } from './ports/port-base.ts';
import { type PinCreate, PortPin } from './ports/port-handle.ts';
import { StreamState } from './ports/stream-state.ts';

export const FAKE_BUS_DEVICE = 'fake:1';
const FAKE_HARDWARE_ID = 'FAKE\\ADAPTER';

/** Resources of the fake device: ports 400h…43Fh and interrupt line 5. */
export function fakeResources(): { raw: CM_RESOURCE_LIST; translated: CM_RESOURCE_LIST } {
  const list = (level: number, vector: number) =>
    makeResourceList([
      { type: 'Port', shareDisposition: 'DeviceExclusive', flags: 1, start: 0x400, length: 0x40 },
      { type: 'Interrupt', shareDisposition: 'Shared', flags: 0, level, vector, affinity: 1 },
    ]);
  return { raw: list(5, 5), translated: list(6, 0x36) };
}

export interface FakeMachineOptions {
  readonly startDevice: (deviceObject: DEVICE_OBJECT, irp: IRP, resourceList: IResourceList) => void;
  readonly maxObjects?: number;
  readonly deviceExtensionSize?: number;
  /** Runs after pcAddAdapterDevice. */
  readonly onAddDevice?: (deviceObject: DEVICE_OBJECT) => void;
  /** Runs after pcInitializeAdapterDriver: for drivers that overwrite dispatch entries. */
  readonly onDriverEntry?: (driverObject: DEVICE_OBJECT['driverObject']) => void;
  /** AddReg of the driver's software key. */
  readonly driverRegistry?: readonly RegistryAddition[];
  readonly traceMask?: number;
}

/** A kernel on a {@link TestPlatform} with one fake device whose driver is given by the test. */
export class FakeMachine implements Disposable {
  readonly platform = new TestPlatform({ ramBytes: 0x40_0000 });
  readonly kernel: Kernel;
  readonly process: UserProcess;
  deviceObject!: DEVICE_OBJECT;
  /** Power states that the bus was told to set. */
  readonly busPowerStates: DEVICE_POWER_STATE[] = [];

  constructor(options: FakeMachineOptions) {
    this.kernel = new Kernel(this.platform, {
      trace: new Trace({ mask: options.traceMask ?? TraceKind.Finding, keep: 4096 }),
    });
    this.kernel.enter(() => {
      this.kernel.pnp.addBus({
        name: 'fakebus',
        enumerate: () => [
          {
            busDevice: FAKE_BUS_DEVICE,
            deviceId: FAKE_HARDWARE_ID,
            instanceId: '1',
            hardwareIds: [FAKE_HARDWARE_ID],
            compatibleIds: [],
            description: 'Fake Audio Device',
            location: 'fake bus, slot 1',
            bus: { busTypeGuid: GUID_NULL.toString(), legacyBusType: 'Internal', busNumber: 0 },
            assignResources: () => fakeResources(),
            setPowerState: (state) => {
              this.busPowerStates.push(state);
            },
          },
        ],
      });
      this.kernel.pnp.installDriver({
        name: 'fake',
        hardwareIds: [FAKE_HARDWARE_ID],
        driverEntry: (driverObject, registryPath) => {
          pcInitializeAdapterDriver(driverObject, registryPath, (driver, pdo) => {
            pcAddAdapterDevice(
              driver,
              pdo,
              options.startDevice,
              options.maxObjects ?? 8,
              options.deviceExtensionSize ?? 0,
            );
            const fdo = driver.deviceObjects[driver.deviceObjects.length - 1];
            if (fdo === undefined) throw new Error('PcAddAdapterDevice made no device');
            this.deviceObject = fdo;
            options.onAddDevice?.(fdo);
          });
          options.onDriverEntry?.(driverObject);
        },
        ...(options.driverRegistry === undefined ? {} : { registry: { driver: options.driverRegistry } }),
      });
      this.kernel.pnp.start();
    });
    this.process = new UserProcess(this.kernel, 'test');
  }

  get node(): DEVICE_NODE {
    const node = this.kernel.pnp.findDevice(FAKE_BUS_DEVICE);
    if (node === null) throw new Error('the fake device is not there');
    return node;
  }

  /** Symbolic link of the interface of a class whose reference string is `name`. */
  link(name: string, category: GUID = KSCATEGORY_AUDIO): string {
    const links = this.kernel.enter(() =>
      this.kernel.deviceInterfaces.list(category.toString(), null, false),
    );
    const found = links.find((candidate) => candidate.toLowerCase().endsWith(`\\${name.toLowerCase()}`));
    if (found === undefined) throw new Error(`no interface '${name}' among ${links.join(', ')}`);
    return found;
  }

  openFilter(name: string): number {
    return this.process.createFile(this.link(name));
  }

  openPin(filter: number, pinId: number, format: KSDATAFORMAT): number {
    return this.process.createFile(pinCreateName(standardPinConnect(pinId, format)), filter);
  }

  /** IOCTL_KS_PROPERTY with a KSPROPERTY, or a KSNODEPROPERTY when `node` is given, and `instance` behind it. */
  property(
    handle: number,
    set: GUID,
    id: number,
    verb: number,
    output: Uint8Array | null,
    options: { node?: number; instance?: Uint8Array } = {},
  ) {
    return this.process.deviceIoControl(
      handle,
      IOCTL_KS_PROPERTY,
      propertyBytes(set, id, verb, options),
      output,
    );
  }

  findings(): string[] {
    return this.kernel.trace.findings.map((finding) => finding.text);
  }

  /** Ends the machine: closes the process's handles, removes the device, and says what is still alive. */
  end(): string[] {
    this.process.terminate();
    this.kernel.enter(() => this.kernel.pnp.removeAll());
    this.kernel.drain();
    return this.kernel.leakReport().leaks.map((leak) => `${leak.kind} '${leak.name}'`);
  }

  [Symbol.dispose](): void {
    this.kernel.dispose();
    this.platform.dispose();
  }
}

/** The input buffer of a property request. */
export function propertyBytes(
  set: GUID,
  id: number,
  verb: number,
  options: { node?: number; instance?: Uint8Array } = {},
): Uint8Array {
  const instance = options.instance ?? new Uint8Array(0);
  const header = options.node === undefined ? 24 : 32;
  const bytes = new Uint8Array(header + instance.byteLength);
  const view = new DataView(bytes.buffer);
  set.write(view, 0);
  view.setUint32(16, id, true);
  view.setUint32(20, (options.node === undefined ? verb : verb | KSPROPERTY_TYPE_TOPOLOGY) >>> 0, true);
  if (options.node !== undefined) view.setUint32(24, options.node, true);
  bytes.set(instance, header);
  return bytes;
}

/** ULONGs as little-endian bytes. */
export function ulongs(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    view.setUint32(index * 4, value, true);
  });
  return bytes;
}

export function readUlong(bytes: Uint8Array, offset = 0): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
}

/** A topology miniport that counts what is done to it. */
export class FakeTopology extends CUnknown implements IMiniportTopology {
  port: IPortTopology | null = null;
  adapter: IUnknown | null = null;
  readonly calls: string[] = [];
  readonly #descriptor: PCFILTER_DESCRIPTOR;
  /** Further interfaces by IID name, for IPinName, IPowerNotify …: objects of the test's own. */
  readonly extra = new Map<string, object>();

  constructor(descriptor: PCFILTER_DESCRIPTOR = TOPOLOGY_FILTER) {
    super('FakeTopology');
    this.#descriptor = descriptor;
  }

  init(unknownAdapter: IUnknown | null, _resourceList: IResourceList, port: IPortTopology): void {
    this.calls.push('init');
    this.adapter = unknownAdapter;
    this.port = port;
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    this.calls.push('getDescription');
    return this.#descriptor;
  }

  dataRangeIntersection(
    _pinId: number,
    _clientDataRange: KSDATARANGE,
    _myDataRange: KSDATARANGE,
    _outputBufferLength: number,
    _resultantFormat: Uint8Array | null,
  ): number {
    throw new Error('a topology filter has no formats to intersect');
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    if (iid.equals(IID_IMiniportTopology) || iid.equals(IID_IMiniport)) return this;
    return this.extra.get(iid.name) ?? super.nonDelegatingQueryInterface(iid);
  }
}

export const ANALOG_RANGE: KSDATARANGE = {
  flags: 0,
  sampleSize: 0,
  majorFormat: GUID_NULL,
  subFormat: GUID_NULL,
  specifier: GUID_NULL,
};

/** Two wiring pins with a volume node between them. */
export const TOPOLOGY_FILTER: PCFILTER_DESCRIPTOR = {
  pins: [
    {
      maxGlobalInstanceCount: 0,
      maxFilterInstanceCount: 0,
      minFilterInstanceCount: 0,
      kspinDescriptor: {
        dataRanges: [ANALOG_RANGE],
        dataFlow: KSPIN_DATAFLOW_IN,
        communication: KSPIN_COMMUNICATION_NONE,
        category: KSCATEGORY_AUDIO,
        name: null,
      },
    },
    {
      maxGlobalInstanceCount: 0,
      maxFilterInstanceCount: 0,
      minFilterInstanceCount: 0,
      kspinDescriptor: {
        dataRanges: [ANALOG_RANGE],
        dataFlow: KSPIN_DATAFLOW_OUT,
        communication: KSPIN_COMMUNICATION_NONE,
        category: KSNODETYPE_SPEAKER,
        name: null,
      },
    },
  ],
  nodes: [{ type: KSNODETYPE_VOLUME, name: null }],
  connections: [
    { fromNode: PCFILTER_NODE, fromNodePin: 0, toNode: 0, toNodePin: 1 },
    { fromNode: 0, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: 1 },
  ],
};

/** A stream object that notes its states. */
export class FakeStream extends CUnknown {
  readonly states: KSSTATE[] = [];
  readonly extra = new Map<string, object>();

  constructor() {
    super('FakeStream');
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return this.extra.get(iid.name) ?? super.nonDelegatingQueryInterface(iid);
  }
}

/** A port with streams, as the wave ports are: for tests of what PortBase does for them. */
export class FakeWavePort extends PortBase implements IPort {
  override readonly miniportName = 'IMiniportFake';
  override readonly supportsRebalance = true;
  readonly log: string[];
  readonly streams: FakeStream[] = [];

  constructor(log: string[] = []) {
    super('FakeWavePort');
    this.log = log;
  }

  override defaultCategories(): readonly GUID[] {
    return [KSCATEGORY_AUDIO];
  }

  protected override bindMiniport(unknownMiniport: IUnknown): IMiniport {
    return unknownMiniport.queryInterface(IID_IMiniport);
  }

  override createPin(create: PinCreate): PortPin {
    const stream = new FakeStream();
    this.streams.push(stream);
    return new FakePin(create, stream, this.log);
  }
}

export class FakePin extends PortPin {
  stream: FakeStream | null;
  readonly log: string[];
  readonly #state: StreamState;
  #suspendedFrom: KSSTATE | null = null;
  allowsRebalance = true;

  constructor(create: PinCreate, stream: FakeStream, log: string[]) {
    super(create);
    this.stream = stream;
    this.log = log;
    this.#state = new StreamState(
      (state) => {
        log.push(`stream state ${state}`);
        stream.states.push(state);
      },
      () => {},
    );
  }

  get state(): KSSTATE {
    return this.#state.current;
  }

  moveTo(state: KSSTATE): void {
    this.#state.moveTo(state);
  }

  suspend(): void {
    this.log.push('suspend');
    if (this.#state.current === KSSTATE_RUN) {
      this.#suspendedFrom = KSSTATE_RUN;
      this.#state.lowerTo(KSSTATE_PAUSE);
    }
  }

  resume(): void {
    this.log.push('resume');
    if (this.#suspendedFrom !== null) this.#state.moveTo(this.#suspendedFrom);
    this.#suspendedFrom = null;
  }

  stop(): void {
    this.log.push('stop');
    this.#state.lowerTo(KSSTATE_STOP);
  }

  close(): void {
    this.log.push('close');
    this.#state.lowerTo(KSSTATE_STOP);
    this.stream?.release();
    this.stream = null;
  }
}

/** A miniport for {@link FakeWavePort}. */
export class FakeWave extends CUnknown implements IMiniport {
  readonly descriptor: PCFILTER_DESCRIPTOR;
  readonly extra = new Map<string, object>();
  intersection: IMiniport['dataRangeIntersection'] | null = null;

  constructor(descriptor: PCFILTER_DESCRIPTOR) {
    super('FakeWave');
    this.descriptor = descriptor;
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return this.descriptor;
  }

  dataRangeIntersection(
    pinId: number,
    clientDataRange: KSDATARANGE,
    myDataRange: KSDATARANGE,
    outputBufferLength: number,
    resultantFormat: Uint8Array | null,
  ): number {
    if (this.intersection === null) throw new Error('no intersection handler given');
    return this.intersection(pinId, clientDataRange, myDataRange, outputBufferLength, resultantFormat);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniport)
      ? this
      : (this.extra.get(iid.name) ?? super.nonDelegatingQueryInterface(iid));
  }
}

export const WAVE_RANGE = audioDataRange({
  maximumChannels: 2,
  minimumBitsPerSample: 8,
  maximumBitsPerSample: 16,
  minimumSampleFrequency: 8000,
  maximumSampleFrequency: 48000,
});

/** A sink pin for streams (0) and a bridge pin (1). */
export function waveFilter(maxInstances = 1, extra: Partial<PCFILTER_DESCRIPTOR> = {}): PCFILTER_DESCRIPTOR {
  return {
    pins: [
      {
        maxGlobalInstanceCount: maxInstances,
        maxFilterInstanceCount: maxInstances,
        minFilterInstanceCount: 0,
        kspinDescriptor: {
          dataRanges: [WAVE_RANGE],
          dataFlow: KSPIN_DATAFLOW_IN,
          communication: KSPIN_COMMUNICATION_SINK,
          category: KSCATEGORY_AUDIO,
          name: null,
        },
      },
      {
        maxGlobalInstanceCount: 0,
        maxFilterInstanceCount: 0,
        minFilterInstanceCount: 0,
        kspinDescriptor: {
          dataRanges: [ANALOG_RANGE],
          dataFlow: KSPIN_DATAFLOW_OUT,
          communication: KSPIN_COMMUNICATION_NONE,
          category: KSCATEGORY_AUDIO,
          name: null,
        },
      },
    ],
    nodes: [],
    connections: [{ fromNode: PCFILTER_NODE, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: 1 }],
    ...extra,
  };
}

export { decodeDataFormat };
