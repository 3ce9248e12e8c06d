/** What can be plugged into MIDI connectors in this process: a recorder, and a list of bytes with their times. */
import { type MidiSink, type MidiSource, mulDivCeil, TICKS_PER_SECOND } from '../hal/bus.ts';

/** MIDI 1.0: one start bit, eight data bits, one stop bit at 31250 baud. */
export const MIDI_BITS_PER_BYTE = 10;
export const MIDI_BAUD = 31_250;
/** How long a byte is on the wire: 320 µs. */
export const MIDI_BYTE_TICKS = mulDivCeil(MIDI_BITS_PER_BYTE, TICKS_PER_SECOND, MIDI_BAUD);

/** A byte on a MIDI wire and when its start bit began. */
export interface MidiByte {
  readonly byte: number;
  readonly startTick: number;
}

/** A recorder of everything that left a MIDI OUT connector. */
export class MidiMemorySink implements MidiSink {
  readonly #bytes: number[] = [];
  readonly #startTicks: number[] = [];

  write(byte: number, startTick: number): void {
    this.#bytes.push(byte);
    this.#startTicks.push(startTick);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** The bytes alone; a copy. */
  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  /** When the start bit of each byte began; a copy. */
  get startTicks(): readonly number[] {
    return this.#startTicks.slice();
  }

  /** Bytes with their times; a copy. */
  get recorded(): readonly MidiByte[] {
    return this.#bytes.map((byte, index) => ({ byte, startTick: this.#startTicks[index]! }));
  }

  /** Forgets everything recorded. */
  clear(): void {
    this.#bytes.length = 0;
    this.#startTicks.length = 0;
  }
}

/**
 * A player of bytes into a MIDI IN connector. The wire carries one byte at a time: a byte that is sent while another is under way
 * follows it without a gap.
 */
export class MidiMemorySource implements MidiSource {
  readonly #bytes: number[] = [];
  readonly #endTicks: number[] = [];
  #next = 0;
  #wireFreeTick = 0;
  #wake: (() => void) | null = null;

  /** Sends bytes back to back, the first start bit at `startTick` or as soon as the wire is free. */
  send(bytes: ArrayLike<number>, startTick: number): void {
    const wasIdle = this.nextByteTick === null;
    for (let index = 0; index < bytes.length; index++) {
      const start = Math.max(startTick, this.#wireFreeTick);
      this.#wireFreeTick = start + MIDI_BYTE_TICKS;
      this.#bytes.push(bytes[index]! & 0xff);
      this.#endTicks.push(this.#wireFreeTick);
    }
    if (wasIdle && bytes.length > 0) this.#wake?.();
  }

  get nextByteTick(): number | null {
    return this.#endTicks[this.#next] ?? null;
  }

  /** Throws RangeError when nothing is on the wire. */
  readByte(): number {
    const byte = this.#bytes[this.#next];
    if (byte === undefined) throw new RangeError('no byte is on the MIDI wire');
    this.#next++;
    if (this.#next === this.#bytes.length) {
      this.#bytes.length = 0;
      this.#endTicks.length = 0;
      this.#next = 0;
    }
    return byte;
  }

  connect(wake: () => void): void {
    this.#wake = wake;
  }
}
