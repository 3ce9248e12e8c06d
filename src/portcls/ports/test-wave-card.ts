import type { IID, IUnknown } from '../../com/index.ts';
import {
  type DEVICE_OBJECT,
  type DriverPackage,
  type IRP,
  type TestPlatform,
  TICKS_PER_MILLISECOND,
} from '../../kernel/index.ts';
import {
  audioDataRange,
  KSCATEGORY_AUDIO,
  KSNODETYPE_SPEAKER,
  KSPIN_COMMUNICATION_NONE,
  KSPIN_COMMUNICATION_SINK,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
} from '../../ks/index.ts';
import {
  pcAddAdapterDevice,
  pcInitializeAdapterDriver,
  pcNewPort,
  pcRegisterSubdevice,
} from '../adapter-functions.ts';
import {
  type IInterruptSync,
  InterruptSyncModeNormal,
  type IPort,
  type IResourceList,
  type PCFILTER_DESCRIPTOR,
  PCFILTER_NODE,
} from '../ddi/index.ts';
import { pcNewInterruptSync } from '../helpers/interrupt-sync.ts';

export const BUS_DEVICE = 'test:0';
export const CARD_LINE = 5;
/** The DMA engines of test cards move what is due this often. */
export const DMA_STEP_TICKS = TICKS_PER_MILLISECOND;

/** What a test driver and its card do; a test changes it before the machine starts, or during the run. */
export class CallScript {
  /** Every call of the port into miniport and streams, by DDI name, in order; positions and silence are too many to list. */
  readonly calls: string[] = [];
  /** Runs at the start of each of them, the unlisted ones too; what it throws leaves the method. */
  onCall: (method: string) => void = () => {};

  note(method: string, detail = ''): void {
    this.calls.push(detail === '' ? method : `${method}(${detail})`);
    this.onCall(method);
  }
}

/** The byte that a card records at a position since it was started first. */
export function recordedAt(position: number): number {
  return (position * 31 + Math.floor(position / 251) * 7) & 0xff;
}

/** What left a card, or what it recorded: bytes that grow. */
export class ByteLog {
  #bytes = new Uint8Array(1 << 16);
  #length = 0;

  append(bytes: Uint8Array): void {
    if (this.#length + bytes.byteLength > this.#bytes.byteLength) {
      const larger = new Uint8Array(2 * (this.#length + bytes.byteLength));
      larger.set(this.bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

const RANGE = audioDataRange({
  maximumChannels: 8,
  minimumBitsPerSample: 8,
  maximumBitsPerSample: 32,
  minimumSampleFrequency: 4000,
  maximumSampleFrequency: 192_000,
});

/**
 * ```
 *  0 render ──> 2 speaker (bridge)
 *  1 capture <── 3 microphone (bridge)
 * ```
 */
export const WAVE_TEST_FILTER: PCFILTER_DESCRIPTOR = (() => {
  const bridge = { maxGlobalInstanceCount: 0, maxFilterInstanceCount: 0, minFilterInstanceCount: 0 };
  const stream = { maxGlobalInstanceCount: 2, maxFilterInstanceCount: 2, minFilterInstanceCount: 0 };
  const pin = (dataFlow: 1 | 2, communication: 0 | 1) => ({
    dataRanges: [RANGE],
    dataFlow,
    communication,
    category: communication === KSPIN_COMMUNICATION_NONE ? KSNODETYPE_SPEAKER : KSCATEGORY_AUDIO,
    name: null,
  });
  return {
    pins: [
      { ...stream, kspinDescriptor: pin(KSPIN_DATAFLOW_IN, KSPIN_COMMUNICATION_SINK) },
      { ...stream, kspinDescriptor: pin(KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_SINK) },
      { ...bridge, kspinDescriptor: pin(KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_NONE) },
      { ...bridge, kspinDescriptor: pin(KSPIN_DATAFLOW_IN, KSPIN_COMMUNICATION_NONE) },
    ],
    nodes: [],
    connections: [
      { fromNode: PCFILTER_NODE, fromNodePin: 0, toNode: PCFILTER_NODE, toNodePin: 2 },
      { fromNode: PCFILTER_NODE, fromNodePin: 3, toNode: PCFILTER_NODE, toNodePin: 1 },
    ],
  };
})();

/** The card's interrupt line, which its streams assert, and the driver's service routine on it. */
export class StreamInterrupt<S> {
  readonly #platform: TestPlatform;
  readonly #served: (stream: S) => void;
  readonly #asserting = new Set<S>();
  #sync: IInterruptSync | null = null;

  /** `served` runs at DIRQL for every stream that asserted the line. */
  constructor(platform: TestPlatform, served: (stream: S) => void) {
    this.#platform = platform;
    this.#served = served;
  }

  connect(resourceList: IResourceList): void {
    const sync = pcNewInterruptSync(null, resourceList, 0, InterruptSyncModeNormal);
    this.#sync = sync;
    sync.registerServiceRoutine(() => this.#service(), null, false);
    sync.connect();
  }

  disconnect(): void {
    this.#sync?.disconnect();
    this.#sync?.release();
    this.#sync = null;
  }

  /** A period of a stream is over. */
  raise(stream: S): void {
    this.#asserting.add(stream);
    this.#platform.setInterrupt(CARD_LINE, true);
  }

  forget(stream: S): void {
    this.#asserting.delete(stream);
  }

  #service(): boolean {
    if (this.#asserting.size === 0) return false;
    const asserting = [...this.#asserting];
    this.#asserting.clear();
    this.#platform.setInterrupt(CARD_LINE, false);
    for (const stream of asserting) this.#served(stream);
    return true;
  }
}

/** A test driver with what it made in its last start. */
export interface WaveTestDriver<M> extends DriverPackage {
  miniport: M | null;
}

/** A driver as an installable package: one subdevice, 'Wave'. */
export function waveTestDriver<M extends IUnknown, P extends IPort>(parts: {
  readonly name: string;
  readonly hardwareId: string;
  readonly portClass: Parameters<typeof pcNewPort>[0];
  readonly portInterface: IID<P>;
  readonly newMiniport: () => M;
}): WaveTestDriver<M> {
  const driver: WaveTestDriver<M> = {
    name: parts.name,
    hardwareIds: [parts.hardwareId],
    miniport: null,
    driverEntry: (driverObject, registryPath) => {
      pcInitializeAdapterDriver(
        driverObject,
        registryPath,
        (_driver: typeof driverObject, pdo: DEVICE_OBJECT) =>
          pcAddAdapterDevice(driverObject, pdo, startDevice, 2, 0),
      );
    },
  };
  const startDevice = (deviceObject: DEVICE_OBJECT, irp: IRP, resourceList: IResourceList): void => {
    using created = pcNewPort(parts.portClass);
    using port = created.queryInterface(parts.portInterface);
    using miniport = parts.newMiniport();
    port.init(deviceObject, irp, miniport, null, resourceList);
    pcRegisterSubdevice(deviceObject, 'Wave', port);
    driver.miniport = miniport;
  };
  return driver;
}
