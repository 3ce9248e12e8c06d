import { CUnknown, type GUID, type IID, type IUnknown, tryQueryInterface } from '../../../com/index.ts';
import {
  type DEVICE_POWER_STATE,
  KDPC,
  KTIMER,
  keCancelTimer,
  keRemoveQueueDpc,
  keSetTimerEx,
  NtError,
  PowerDeviceD0,
  STATUS_DEVICE_CONFIGURATION_ERROR,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_REQUEST,
  TICKS_PER_MILLISECOND,
} from '../../../kernel/index.ts';
import {
  type KSDATAFORMAT,
  type KSDATARANGE,
  KSMUSIC_TECHNOLOGY_PORT,
  midiDataRange,
} from '../../../ks/index.ts';
import {
  IID_IInterruptSync,
  IID_IMiniport,
  IID_IMiniportMidi,
  IID_IMusicTechnology,
  IID_IPowerNotify,
  type IInterruptSync,
  type IMiniportMidi,
  type IMusicTechnology,
  InterruptSyncModeNormal,
  type IPortMidi,
  type IPowerNotify,
  type IResourceList,
  type IServiceGroup,
  type MidiNewStream,
  type PCFILTER_DESCRIPTOR,
} from '../../ddi/index.ts';
import { pcNewInterruptSync } from '../../helpers/interrupt-sync.ts';
import { pcNewServiceGroup } from '../../helpers/service-group.ts';
import { midiIntersection } from '../midi-filter.ts';
import { Mpu401 } from './mpu401.ts';
import { MPU_PORTS } from './mpu401-registers.ts';
import { UART_PIN_CAPTURE, UART_PIN_RENDER, uartFilter } from './uart-filter.ts';
import { UartOutput } from './uart-output.ts';
import { UartStream } from './uart-stream.ts';

/**
 * CLSID_MiniportDriverUart: an MPU-401 in UART mode. Its resource list holds one range of two I/O ports and perhaps an interrupt. The
 * interrupt object is the adapter's, when the adapter's unknown has one, else made from the list; without either, bytes that come
 * in are looked for every millisecond.
 */
export class UartMiniport extends CUnknown implements IMiniportMidi, IMusicTechnology, IPowerNotify {
  #range = midiDataRange({ technology: KSMUSIC_TECHNOLOGY_PORT });
  #descriptor: PCFILTER_DESCRIPTOR | null = null;
  #mpu: Mpu401 | null = null;
  #output: UartOutput | null = null;
  #serviceGroup: IServiceGroup | null = null;
  /** Not counted: the port holds the miniport. */
  #port: IPortMidi | null = null;
  #sync: IInterruptSync | null = null;
  #ownSync = false;
  #rendering = false;
  #capturing = false;
  readonly #pollTimer = new KTIMER('NotificationTimer', 'MPU-401 receiver');
  readonly #pollDpc = new KDPC(() => this.#poll(), null, 'UartPoll');

  constructor() {
    super('UartMiniport');
  }

  get mpu(): Mpu401 {
    return this.#mpu ?? notInitialised();
  }

  get output(): UartOutput {
    return this.#output ?? notInitialised();
  }

  // ------------------------------------------------------------------ IMiniportMidi

  /**
   * Finds the interface and puts it into UART mode. Throws STATUS_DEVICE_CONFIGURATION_ERROR for a list without two ports,
   * STATUS_IO_TIMEOUT when no MPU-401 answers there.
   */
  init(unknownAdapter: IUnknown | null, resourceList: IResourceList, port: IPortMidi): IServiceGroup {
    const ports = resourceList.findTranslatedEntry('Port', 0);
    if (ports?.type !== 'Port' || ports.length < MPU_PORTS) {
      throw new NtError(
        STATUS_DEVICE_CONFIGURATION_ERROR,
        `the UART miniport needs ${MPU_PORTS} I/O ports in its resource list`,
      );
    }
    this.#port = port;
    const mpu = new Mpu401(ports.start);
    this.#mpu = mpu;
    this.#output = new UartOutput(mpu);
    const serviceGroup = pcNewServiceGroup();
    this.#serviceGroup = serviceGroup;
    port.registerServiceGroup(serviceGroup);
    this.#connectInterrupt(unknownAdapter, resourceList);
    mpu.interruptSync = this.#sync;
    mpu.reset();
    serviceGroup.addRef();
    return serviceGroup;
  }

  #connectInterrupt(unknownAdapter: IUnknown | null, resourceList: IResourceList): void {
    const ofAdapter = unknownAdapter === null ? null : tryQueryInterface(unknownAdapter, IID_IInterruptSync);
    if (ofAdapter !== null) this.#sync = ofAdapter;
    else if (resourceList.numberOfEntriesOfType('Interrupt') > 0) {
      this.#sync = pcNewInterruptSync(null, resourceList, 0, InterruptSyncModeNormal);
      this.#ownSync = true;
    } else return;
    this.#sync.registerServiceRoutine(() => this.#interrupt(), this, false);
    if (this.#ownSync) this.#sync.connect();
  }

  newStream(
    _outerUnknown: IUnknown | null,
    pin: number,
    capture: boolean,
    _dataFormat: KSDATAFORMAT,
  ): MidiNewStream {
    if (pin !== (capture ? UART_PIN_CAPTURE : UART_PIN_RENDER))
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, `pin ${pin} has no streams in that direction`);
    if (capture ? this.#capturing : this.#rendering)
      throw new NtError(STATUS_INSUFFICIENT_RESOURCES, 'the UART has one stream in each direction');
    const stream = new UartStream(this, capture);
    if (capture) this.#capturing = true;
    else this.#rendering = true;
    return { stream, serviceGroup: null };
  }

  /** Bytes are fetched by the interrupt routine, and sent by the transmitter: nothing is left to do. */
  service(): void {}

  getDescription(): PCFILTER_DESCRIPTOR {
    this.#descriptor ??= uartFilter(this.#range);
    return this.#descriptor;
  }

  dataRangeIntersection(
    _pinId: number,
    clientDataRange: KSDATARANGE,
    myDataRange: KSDATARANGE,
    outputBufferLength: number,
    resultantFormat: Uint8Array | null,
  ): number {
    return midiIntersection(clientDataRange, myDataRange, outputBufferLength, resultantFormat);
  }

  // ------------------------------------------------------------------ IMusicTechnology, IPowerNotify

  /** Throws STATUS_INVALID_DEVICE_REQUEST once the port has the description. */
  setTechnology(technology: GUID): void {
    if (this.#descriptor !== null)
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'SetTechnology comes before Init');
    this.#range = midiDataRange({ technology });
  }

  /** The interface forgets its mode without power. */
  powerChangeNotify(powerState: DEVICE_POWER_STATE): void {
    const mpu = this.#mpu;
    if (mpu === null) return;
    if (powerState !== PowerDeviceD0) {
      this.output.flush();
      return;
    }
    try {
      mpu.reset();
    } catch (error) {
      // Nobody can be told here; the next write finds a device that takes no bytes.
      if (!(error instanceof NtError)) throw error;
    }
  }

  // ------------------------------------------------------------------ for streams

  setReceiving(receiving: boolean): void {
    const { mpu } = this;
    if (mpu.receiving === receiving) return;
    mpu.receiving = receiving;
    if (receiving) {
      mpu.forgetReceived();
      if (this.#sync === null) keSetTimerEx(this.#pollTimer, -TICKS_PER_MILLISECOND, 1, this.#pollDpc);
    } else this.#stopPolling();
  }

  streamClosed(capture: boolean): void {
    if (capture) {
      this.setReceiving(false);
      this.#capturing = false;
    } else this.#rendering = false;
  }

  // ------------------------------------------------------------------ interrupt

  /** At the interrupt's IRQL. Reading the data lets go of the line; bytes that nobody listens for are dropped. */
  #interrupt(): boolean {
    const mpu = this.#mpu;
    if (mpu === null || !mpu.drainInIsr()) return false;
    if (mpu.receiving) this.#notify();
    return true;
  }

  /** At DISPATCH_LEVEL. */
  #poll(): void {
    if (this.#mpu?.drain() === true) this.#notify();
  }

  #notify(): void {
    if (this.#serviceGroup !== null) this.#port?.notify(this.#serviceGroup);
  }

  #stopPolling(): void {
    keCancelTimer(this.#pollTimer);
    keRemoveQueueDpc(this.#pollDpc);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportMidi) ||
      iid.equals(IID_IMiniport) ||
      iid.equals(IID_IMusicTechnology) ||
      iid.equals(IID_IPowerNotify)
      ? this
      : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.#stopPolling();
    this.#output?.clear();
    // The adapter's interrupt object keeps the routine: without the interface it claims nothing any more.
    this.#mpu = null;
    this.#port = null;
    if (this.#ownSync) this.#sync?.disconnect();
    this.#sync?.release();
    this.#serviceGroup?.release();
  }
}

function notInitialised(): never {
  throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'IMiniportMidi::Init comes first');
}
