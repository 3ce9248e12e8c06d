import {
  type CommonBuffer,
  type DEVICE_DESCRIPTION,
  type DMA_ADAPTER,
  mmMapIoSpace,
  mmUnmapIoSpace,
  pollRegister,
} from '../../hal/index.ts';
import {
  KDPC,
  keDelayExecutionThread,
  keInsertQueueDpc,
  MmNonCached,
  NtError,
  STATUS_DEVICE_CONFIGURATION_ERROR,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_IO_TIMEOUT,
  STATUS_NO_SUCH_DEVICE,
  TICKS_PER_MICROSECOND,
} from '../../kernel/index.ts';
import {
  type IInterruptSync,
  InterruptSyncModeNormal,
  type IResourceList,
  pcNewInterruptSync,
} from '../../portcls/index.ts';
import { HdaCommandLink, type UnsolicitedResponse } from './command-link.ts';
import { NOBODY_ULONG, RegisterWindow } from './register-window.ts';
import * as R from './registers.ts';
import { type ControllerTraits, HdaStreamDescriptor, type StreamInterruptSink } from './stream-descriptor.ts';

/** CRST reads back within a millisecond on every chip known; Linux gives it a hundred. */
const RESET_LIMIT_US = 100_000;
/** The link's reset lasts 100 µs at least (§5.5.1.2). */
const RESET_US = 200;
/** Codecs announce themselves within 25 link frames, 521 µs (§4.3). */
const CODECS_READY_US = 1_000;
/** What every codec answers (§7.3.4.1). */
const ROOT_NODE = 0;
const GET_PARAMETER = 0xf00;
const VENDOR_ID = 0;
/** A codec that is late all the same: so often, this long. */
const LATE_CODEC_POLLS = 10;

/** Bus addresses of which the controller's registers hold all bits. */
const HIGHEST_64 = 2 ** 52 - 1;
const HIGHEST_32 = 0xffff_ffff;
/** CBL counts bytes in 32 bits; a list of 256 entries may describe that much. */
const MAXIMUM_TRANSFER = 0x8000_0000;

/** Where GCAP lies. */
const SMALLEST_WINDOW = R.SD_BASE + R.SD_BYTES;

/** The controller as a bus master. */
export function busMaster(addresses64: boolean): DEVICE_DESCRIPTION {
  return {
    master: true,
    scatterGather: true,
    dma32BitAddresses: true,
    dma64BitAddresses: addresses64,
    interfaceType: 'PCIBus',
    maximumLength: MAXIMUM_TRANSFER,
  };
}

/** How the controller gets its DMA adapter once GCAP has been read. */
export type DmaAdapterSource = (description: DEVICE_DESCRIPTION) => DMA_ADAPTER;

/**
 * The controller: reset, command link, stream descriptors, interrupt. It alone touches registers. It knows nothing of what codecs
 * mean by their answers.
 */
export class HdaController {
  readonly link: HdaCommandLink;
  readonly deviceDescription: DEVICE_DESCRIPTION;
  /** Highest bus address of a buffer. */
  readonly highestAddress: number;
  readonly #registers: RegisterWindow;
  readonly #dmaAdapter: DMA_ADAPTER;
  readonly #traits: ControllerTraits = { resetReadsBack: null };
  readonly #descriptors: readonly HdaStreamDescriptor[];
  readonly #taken = new Set<HdaStreamDescriptor>();
  readonly #unsolicitedDpc = new KDPC(() => this.#deliverUnsolicited(), null);
  #interruptSync: IInterruptSync | null = null;
  #codecMask = 0;
  #powered = false;

  /** Hears what codecs say without being asked, at DISPATCH_LEVEL. */
  onUnsolicited: ((response: UnsolicitedResponse) => void) | null = null;

  /**
   * Maps the registers and reads what the controller can do; nothing is written. PASSIVE_LEVEL.
   *
   * @param resourceList as given to StartDevice: one memory range and one interrupt
   * @throws NtError STATUS_DEVICE_CONFIGURATION_ERROR when a resource is missing; STATUS_NO_SUCH_DEVICE when nobody answers
   */
  constructor(resourceList: IResourceList, dmaAdapterOf: DmaAdapterSource) {
    const memory = resourceList.findTranslatedEntry('Memory', 0);
    if (
      memory?.type !== 'Memory' ||
      memory.length < SMALLEST_WINDOW ||
      !resourceList.findTranslatedEntry('Interrupt', 0)
    ) {
      throw new NtError(
        STATUS_DEVICE_CONFIGURATION_ERROR,
        'HDA: the device needs a memory range for its registers and an interrupt; its resources lack one of them.',
      );
    }
    const base = mmMapIoSpace(memory.start, memory.length, MmNonCached);
    this.#registers = new RegisterWindow(base, memory.length);
    try {
      if (this.#registers.readUlong(R.GCAP) === NOBODY_ULONG)
        throw new NtError(STATUS_NO_SUCH_DEVICE, 'HDA: no controller answers behind BAR0.');
      const gcap = this.#registers.readUshort(R.GCAP);
      const addresses64 = (gcap & R.GCAP_64OK) !== 0;
      this.deviceDescription = busMaster(addresses64);
      this.highestAddress = addresses64 ? HIGHEST_64 : HIGHEST_32;
      this.#descriptors = this.#makeDescriptors(gcap);
      this.#dmaAdapter = dmaAdapterOf(this.deviceDescription);
    } catch (error) {
      mmUnmapIoSpace(base, memory.length);
      throw error;
    }
    this.link = new HdaCommandLink(this.#registers, this.#dmaAdapter, this);
  }

  /** Puts everything back: interrupt, rings, mapping. Streams are gone by now. PASSIVE_LEVEL. */
  close(): void {
    this.#interruptSync?.disconnect();
    this.#interruptSync?.release();
    this.#interruptSync = null;
    if (this.#powered && this.present) this.powerDown();
    this.link.close();
    this.#dmaAdapter.putDmaAdapter();
    mmUnmapIoSpace(this.#registers.base, this.#registers.length);
  }

  /** Connects the interrupt service routine. After the first {@link powerUp}. PASSIVE_LEVEL. */
  connectInterrupt(resourceList: IResourceList): void {
    const sync = pcNewInterruptSync(null, resourceList, 0, InterruptSyncModeNormal);
    this.#interruptSync = sync;
    sync.registerServiceRoutine(() => this.#serviceInterrupt(), null, false);
    sync.connect();
    this.#enableInterrupts();
  }

  /** Addresses of the codecs that announced themselves at the last {@link powerUp}. */
  get codecAddresses(): readonly number[] {
    return Array.from({ length: R.CODEC_ADDRESSES }, (_, address) => address).filter(
      (address) => (this.#codecMask & (1 << address)) !== 0,
    );
  }

  /** Somebody answers at BAR0. While the controller has no power that is not asked. */
  get present(): boolean {
    return !this.#powered || this.#registers.readUlong(R.GCTL) !== NOBODY_ULONG;
  }

  get interruptsOn(): boolean {
    return this.#interruptSync !== null;
  }

  /** False below D0, where registers must not be touched. */
  get powered(): boolean {
    return this.#powered;
  }

  /** RUN goes on where it stopped, so that the position register holds across a pause; known once a stream has been reset. */
  get keepsPosition(): boolean {
    return this.#traits.resetReadsBack !== false;
  }

  /** System address of the wall clock's register, in the page for applications where there is one. */
  get clockRegister(): number {
    const alias = R.ALIASES + R.WALCLK;
    return this.#registers.base + (alias + 4 <= this.#registers.length ? alias : R.WALCLK);
  }

  /* ---- power ---- */

  /**
   * Resets controller and link and waits for the codecs (§4.3), after which everything is as after power-on. PASSIVE_LEVEL.
   * @throws NtError STATUS_IO_TIMEOUT when the reset does not end or no codec answers; STATUS_NO_SUCH_DEVICE without any codec
   */
  powerUp(): void {
    this.#powered = true;
    const registers = this.#registers;
    const crst = R.GCTL_CRST;
    if ((registers.readUlong(R.GCTL) & crst) !== 0) {
      // Whoever was here before may have left engines running: they must stand before the reset (§3.3.7).
      registers.writeUlong(R.INTCTL, 0);
      for (const descriptor of this.#descriptors) descriptor.pause();
    }
    registers.writeUlong(R.GCTL, 0);
    pollRegister('GCTL.CRST', () => registers.readUlong(R.GCTL), crst, 0, RESET_LIMIT_US);
    keDelayExecutionThread(-RESET_US * TICKS_PER_MICROSECOND);
    registers.writeUlong(R.GCTL, crst);
    pollRegister('GCTL.CRST', () => registers.readUlong(R.GCTL), crst, crst, RESET_LIMIT_US);
    this.#codecMask = this.#waitForCodecs();
    if (this.#codecMask === 0)
      throw new NtError(STATUS_NO_SUCH_DEVICE, 'HDA: no codec has announced itself on the link.');
    registers.writeUshort(R.STATESTS, this.#codecMask);
    this.link.start();
    this.#tryRings();
    registers.writeUlong(R.GCTL, crst | R.GCTL_UNSOL);
    if (this.#interruptSync) this.#enableInterrupts();
  }

  /** A first command through the rings; where nothing comes back, and the immediate registers know better, those are used from now on. */
  #tryRings(): void {
    const [address = 0] = this.codecAddresses;
    const ask = () => this.link.command(address, ROOT_NODE, GET_PARAMETER, VENDOR_ID);
    try {
      ask();
    } catch (error) {
      if (!(error instanceof NtError) || error.status !== STATUS_IO_TIMEOUT || this.link.immediate)
        throw error;
      this.link.useImmediateCommands();
      ask();
    }
  }

  /** Streams have stopped and codecs sleep: the link goes down. PASSIVE_LEVEL. */
  powerDown(): void {
    const answers = this.present;
    if (answers) {
      this.#registers.writeUlong(R.INTCTL, 0);
      for (const descriptor of this.#descriptors) descriptor.pause();
    }
    this.link.stop(answers);
    if (answers) {
      this.#registers.writeUlong(R.GCTL, 0);
      const gctl = () => this.#registers.readUlong(R.GCTL);
      pollRegister('GCTL.CRST', gctl, R.GCTL_CRST, 0, RESET_LIMIT_US);
    }
    this.#powered = false;
  }

  #waitForCodecs(): number {
    for (let poll = 0; ; poll++) {
      keDelayExecutionThread(-CODECS_READY_US * TICKS_PER_MICROSECOND);
      const mask = this.#registers.readUshort(R.STATESTS) & ((1 << R.CODEC_ADDRESSES) - 1);
      if (mask !== 0 || poll === LATE_CODEC_POLLS) return mask;
    }
  }

  /* ---- streams ---- */

  /** A descriptor that no other stream has. PASSIVE_LEVEL. @throws NtError STATUS_INSUFFICIENT_RESOURCES when there is none */
  allocateDescriptor(direction: 'input' | 'output'): HdaStreamDescriptor {
    const free = this.#descriptors.find((one) => one.direction === direction && !this.#taken.has(one));
    if (!free) {
      const count = this.#descriptors.filter((one) => one.direction === direction).length;
      throw new NtError(
        STATUS_INSUFFICIENT_RESOURCES,
        `HDA: all ${count} ${direction} streams of the controller are in use; close one of them first.`,
      );
    }
    this.#taken.add(free);
    return free;
  }

  /** Who hears a descriptor's interrupts; null for nobody. PASSIVE_LEVEL. */
  setSink(descriptor: HdaStreamDescriptor, sink: StreamInterruptSink | null): void {
    this.synchronized(() => {
      descriptor.sink = sink;
    });
  }

  freeDescriptor(descriptor: HdaStreamDescriptor): void {
    this.setSink(descriptor, null);
    this.#taken.delete(descriptor);
  }

  /** Memory for a buffer descriptor list. PASSIVE_LEVEL. */
  allocateDescriptorList(): CommonBuffer {
    return this.#dmaAdapter.allocateCommonBuffer(R.BDL_ENTRIES * R.BDL_ENTRY_BYTES, false);
  }

  freeDescriptorList(list: CommonBuffer): void {
    this.#dmaAdapter.freeCommonBuffer(list);
  }

  #makeDescriptors(gcap: number): HdaStreamDescriptor[] {
    const { input, output } = R.streamCounts(gcap);
    const descriptors: HdaStreamDescriptor[] = [];
    const room = Math.floor((this.#registers.length - R.SD_BASE) / R.SD_BYTES);
    for (let index = 0; index < Math.min(input + output, room); index++) {
      const direction = index < input ? 'input' : 'output';
      const streamNumber = 1 + (index < input ? index : index - input);
      descriptors.push(
        new HdaStreamDescriptor(this.#registers, index, direction, streamNumber, this.#traits),
      );
    }
    return descriptors;
  }

  /* ---- interrupt ---- */

  /** Runs `action` so that the interrupt service routine cannot come between. IRQL <= DIRQL. */
  synchronized<T>(action: () => T): T {
    let result: T | undefined;
    if (!this.#interruptSync) return action();
    this.#interruptSync.callSynchronizedRoutine(() => {
      result = action();
    }, null);
    return result as T;
  }

  #enableInterrupts(): void {
    const streams = (1 << this.#descriptors.length) - 1;
    this.#registers.writeUlong(R.INTCTL, (R.INT_GLOBAL | R.INT_CONTROLLER | streams) >>> 0);
  }

  /** At DIRQL. One line for everything: INTSTS says who asks for it, and each asks until its own status has been taken back. */
  #serviceInterrupt(): boolean {
    if (!this.#powered) return false;
    const status = this.#registers.readUlong(R.INTSTS);
    if ((status & R.INT_GLOBAL) === 0 || status === NOBODY_ULONG) return false;
    for (const descriptor of this.#descriptors) {
      if ((status & (1 << descriptor.index)) !== 0) descriptor.serviceInterrupt();
    }
    if ((status & R.INT_CONTROLLER) !== 0) {
      this.link.acknowledge();
      this.link.receive();
      if (this.link.hasUnsolicited) keInsertQueueDpc(this.#unsolicitedDpc);
    }
    return true;
  }

  #deliverUnsolicited(): void {
    for (let next = this.link.takeUnsolicited(); next !== null; next = this.link.takeUnsolicited())
      this.onUnsolicited?.(next);
  }
}
