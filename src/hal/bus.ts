/**
 * Where a card meets the rest of the machine. A card model imports this file and nothing else of the stack: it is handed a
 * clock, a way to reach RAM and interrupt lines, and shows register windows and, at the analogue end, PCM.
 */
import type { Alarm, Clock } from '../kernel/clock.ts';
import type { AccessSize } from '../kernel/platform.ts';

export {
  mulDivCeil,
  mulDivFloor,
  TICKS_PER_MICROSECOND,
  TICKS_PER_MILLISECOND,
  TICKS_PER_SECOND,
} from '../kernel/clock.ts';
export type { AccessSize, Alarm, Clock };

/** A window of registers. Offsets count from the window's start; values are unsigned and fit the size. */
export interface BusTarget {
  read(offset: number, size: AccessSize): number;
  write(offset: number, size: AccessSize, value: number): void;
}

/** A level-sensitive interrupt output. The card states its level after every change of state; the bus ORs shared lines. */
export interface InterruptLine {
  setLevel(asserted: boolean): void;
}

/**
 * Bus-master access to RAM. A transfer that touches a byte which was not mapped for this card moves nothing, is reported as a
 * finding and returns false (a master abort): the card does what its datasheet says of that.
 */
export interface BusMaster {
  read(busAddress: number, into: Uint8Array): boolean;
  write(busAddress: number, from: Uint8Array): boolean;
  readUlong(busAddress: number): number | null;
  writeUlong(busAddress: number, value: number): boolean;
  /** The bytes themselves for a transfer in either direction, without a copy; null when not allowed or not possible. */
  view(busAddress: number, length: number): Uint8Array | null;
}

/** What a card reports besides its registers: register accesses by name, DMA transfers and findings, for the trace. */
export interface CardReporter {
  /** True when register events are wanted; check it before building anything. */
  readonly wantsRegisters: boolean;
  readonly wantsDma: boolean;
  register(
    name: string,
    direction: 'read' | 'write',
    value: number,
    size: AccessSize,
    meaning?: string,
  ): void;
  dma(name: string, direction: 'read' | 'write', busAddress: number, length: number): void;
  /** Something no correct driver does (unknown register, reserved bits, wrong access size, transfer stopped …). */
  finding(what: string, data?: Readonly<Record<string, string | number | boolean>>): void;
}

/** Layout of interleaved PCM at a card's analogue end. */
export interface PcmFormat {
  readonly sampleRate: number;
  readonly channels: number;
}

/** Interleaved samples: 16-bit, 32-bit (left-justified, for converters above 16 bits) or float in ±1.0. */
export type PcmSamples = Int16Array | Int32Array | Float32Array;

/** The jack behind a DAC: receives what leaves the card. */
export interface PcmSink {
  /**
   * `frames` frames starting at `samples[0]`; the array is the card's own and reused after the call. `startTick` is the time
   * at which the first frame left the DAC. A gap between blocks means that the converter was silent.
   */
  write(samples: PcmSamples, frames: number, format: PcmFormat, startTick: number): void;
}

/** The jack before an ADC: fills `into` with `frames` frames at the ADC's format, or leaves zeros when there is no signal. */
export interface PcmSource {
  read(into: Int16Array | Int32Array, frames: number, format: PcmFormat, startTick: number): void;
}

/** What is plugged into a MIDI OUT connector: receives the bytes as they go over the wire. */
export interface MidiSink {
  /**
   * One byte. `startTick` is when its start bit began; at 31250 baud the receiver has the whole byte 320 µs later. Times of
   * successive bytes never go back. Called when the start bit leaves, so `startTick` may be the present.
   */
  write(byte: number, startTick: number): void;
}

/** What is plugged into a MIDI IN connector: bytes with the times at which a receiver has them. */
export interface MidiSource {
  /** When the stop bit of the next byte has passed; null while nothing is on the way. Never goes back from byte to byte. */
  readonly nextByteTick: number | null;
  /** Takes the next byte off the wire; called once per byte, at or after {@link nextByteTick}. */
  readByte(): number;
  /**
   * Called once by the receiver. The source calls `wake` whenever {@link nextByteTick} changes for another reason than a
   * {@link readByte}: a key was struck.
   */
  connect(wake: () => void): void;
}

/** One base address register of a PCI function: what kind of window, how large, and what answers in it. */
export interface PciBar {
  readonly kind: 'io' | 'memory32' | 'memory64';
  /** Bytes, a power of two. */
  readonly size: number;
  readonly prefetchable?: boolean;
  readonly target: BusTarget;
}

/** A PCI function as its card presents it; the bus keeps the configuration space and decodes the BARs. */
export interface PciCard {
  readonly name: string;
  readonly vendorId: number;
  readonly deviceId: number;
  readonly revisionId: number;
  /** 24 bits: base class, subclass, programming interface. */
  readonly classCode: number;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  /** 0 = none, 1 = INTA# … 4 = INTD#. */
  readonly interruptPin: number;
  readonly bars: readonly (PciBar | null)[];
  /** Status register after reset; 0280h unless given: fast back-to-back transactions, medium DEVSEL# timing. */
  readonly status?: number;
  /** Offset of the first capability; without it the function has no capability list. The list itself is in `configExtra`. */
  readonly capabilitiesPointer?: number;
  /** Min_Gnt and Max_Lat: 250 ns units; 0 unless given. */
  readonly minGrant?: number;
  readonly maxLatency?: number;
  /** Capabilities and device-specific bytes above 40h: initial value and which bits software may write. */
  readonly configExtra?: readonly {
    readonly offset: number;
    readonly bytes: readonly number[];
    readonly writable?: readonly number[];
  }[];
  /** Told after a write to configuration space took effect. */
  onConfigWrite?(offset: number, size: AccessSize, value: number): void;
  /** The slot gives the card what it needs; called once, when the card is plugged in. */
  attach(slot: CardSlot): void;
  /** PCI reset (RST#). */
  reset(): void;
  /** The card is gone: no register answers, no DMA, no interrupt from now on. */
  detach(): void;
}

/** What a card gets from its slot, and all it gets. */
export interface CardSlot {
  readonly clock: Clock;
  readonly interrupt: InterruptLine;
  readonly busMaster: BusMaster;
  readonly report: CardReporter;
}

/** An interrupt request pin of an ISA card: edges count, and a card lets go of a pin that it is no longer configured to. */
export interface IsaInterruptLine extends InterruptLine {
  /** The pin is driven no more. */
  disconnect(): void;
}

/** Ports that an ISA card decodes, as {@link IsaSlot.mapPorts} gave them. */
export interface IsaPorts {
  /** The card answers there no more. */
  unmap(): void;
}

/** What a card tells the DMA controller about itself on one channel. */
export interface IsaDmaDevice {
  /** The channel's registers are about to be read or written: everything due by now must have moved before. */
  catchUp(): void;
  /** The channel was programmed, masked or unmasked: a request that waited may be served now. Called after the fact. */
  changed(): void;
}

/**
 * DRQn and DACKn between a card and the DMA controller. The card moves whole blocks at the times its own clock says, the controller
 * counts every byte of them. Lengths are multiples of {@link unitBytes}.
 */
export interface IsaDmaLine {
  readonly channel: number;
  /** Bytes of one cycle: 1 on channels 0–3, 2 on channels 5–7. */
  readonly unitBytes: 1 | 2;
  /** Level of DRQn, which the controller's status register shows. Transfers need no level; it is what a reader sees. */
  setRequest(asserted: boolean): void;
  /**
   * Memory → card: fills `into` from its start with as many bytes as the channel delivers, and returns how many. Fewer than asked
   * for: the channel is masked, not programmed for this direction, or reached terminal count.
   */
  read(into: Uint8Array): number;
  /** Card → memory: moves bytes from the start of `from`; otherwise as {@link read}. */
  write(from: Uint8Array): number;
  /** TC was pulsed during the last {@link read} or {@link write}. */
  readonly terminalCount: boolean;
  /** The card lets go of the pins. */
  disconnect(): void;
}

/** The Plug and Play logic of an ISA card as the bus sees it: every card hears the same three ports. */
export interface IsaPnpTarget {
  /** Write to the ADDRESS port, 279h. */
  writeAddress(value: number): void;
  /** Write to the WRITE_DATA port, A79h. */
  writeData(value: number): void;
  /** Port at which the card answers reads, null while it was not told or does not answer. */
  readonly readDataPort: number | null;
  /** A read cycle at {@link readDataPort} begins: what the card drives, null when it leaves the bus alone. */
  drive(): number | null;
  /** The cycle ends: `bus` is what all cards drove together, FFh when none did. */
  observe(bus: number): void;
}

/** What an ISA card gets from its slot, and all it gets. */
export interface IsaSlot {
  readonly clock: Clock;
  readonly report: CardReporter;
  /**
   * Lets `target` answer at `length` ports from `start` on, a byte at a time. With ten address lines it answers at every alias 400h
   * apart, too. Throws a RangeError for ports that do not exist.
   */
  mapPorts(name: string, start: number, length: number, target: BusTarget, addressLines?: 10 | 16): IsaPorts;
  /** Drives IRQ2–IRQ7, IRQ9–IRQ12, IRQ14, IRQ15 (IRQ2 of the slot is IRQ9 of the AT). Throws a RangeError for another. */
  connectInterrupt(irq: number): IsaInterruptLine;
  /** Uses DRQ/DACK 0–3 or 5–7. Throws a RangeError for another channel. */
  connectDma(channel: number, device: IsaDmaDevice): IsaDmaLine;
}

/** An ISA card. It decodes its ports itself: by jumper, by default, or as Plug and Play told it. */
export interface IsaCard {
  readonly name: string;
  /** Plug and Play logic, null for a card without. */
  readonly pnp: IsaPnpTarget | null;
  /** The slot gives the card what it needs; called once, when the card is plugged in. */
  attach(slot: IsaSlot): void;
  /** RESET DRV. */
  reset(): void;
  /** The card is gone: no port answers, no DMA, no interrupt from now on. */
  detach(): void;
}
