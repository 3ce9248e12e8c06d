import type { MidiSink, MidiSource } from '../../hal/bus.ts';
import { MIDI_BYTE_TICKS } from '../midi-memory.ts';
import {
  UART_FIFO_VALID,
  UC_CNTRL,
  UC_RESET,
  UC_RXINTEN,
  UC_TXINTEN,
  UC_TXINTEN_READY,
  US_RXINT,
  US_RXRDY,
  US_TXINT,
  US_TXRDY,
} from './registers.ts';

/** The receive FIFO: pages E and F of the chip's memory, a dword per byte. */
export const UART_FIFO_ENTRIES = 8;

/**
 * The MIDI UART: 31250 baud, eight received bytes, and one byte that waits behind the one on the wire. Without UART_EN it is held in
 * reset: nothing is received or sent.
 */
export class Uart {
  readonly #out: MidiSink | null;
  readonly #in: MidiSource | null;
  readonly #fifo = new Uint8Array(UART_FIFO_ENTRIES);
  #first = 0;
  #count = 0;
  #latch = 0;
  #control = 0;
  #enabled = false;
  #waiting: number | null = null;
  #waitsSinceTick = 0;
  #wireFreeTick = 0;

  constructor(out: MidiSink | undefined, input: MidiSource | undefined, wake: () => void) {
    this.#out = out ?? null;
    this.#in = input ?? null;
    this.#in?.connect(wake);
  }

  setEnabled(enabled: boolean): void {
    if (enabled === this.#enabled) return;
    this.#enabled = enabled;
    this.reset();
  }

  reset(): void {
    this.#first = 0;
    this.#count = 0;
    this.#control = 0;
    this.#waiting = null;
  }

  get status(): number {
    let value = 0;
    if (this.#count > 0) value |= US_RXRDY;
    if (this.#enabled && this.#waiting === null) value |= US_TXRDY;
    if ((value & US_RXRDY) !== 0 && (this.#control & UC_RXINTEN) !== 0) value |= US_RXINT;
    if ((value & US_TXRDY) !== 0 && (this.#control & UC_TXINTEN) === UC_TXINTEN_READY) value |= US_TXINT;
    return value;
  }

  get interrupt(): boolean {
    return (this.status & (US_RXINT | US_TXINT)) !== 0;
  }

  writeControl(value: number): void {
    if ((value & UC_CNTRL) === UC_RESET) this.reset();
    else this.#control = value;
  }

  /** The oldest byte; what was read last when there is none. */
  readData(): number {
    if (this.#count > 0) {
      this.#latch = this.#fifo[this.#first]!;
      this.#first = (this.#first + 1) % UART_FIFO_ENTRIES;
      this.#count--;
    }
    return this.#latch;
  }

  /** What {@link readData} would give. */
  peekData(): number {
    return this.#count > 0 ? this.#fifo[this.#first]! : this.#latch;
  }

  /** False when the byte before has not left yet, or the UART is off: the byte is lost. */
  writeData(byte: number, now: number): boolean {
    if (!this.#enabled || this.#waiting !== null) return false;
    this.#waiting = byte & 0xff;
    this.#waitsSinceTick = now;
    this.advance(now);
    return true;
  }

  /** The FIFO as the chip's memory shows it. */
  fifoDword(index: number): number {
    const age = (index - this.#first + UART_FIFO_ENTRIES) % UART_FIFO_ENTRIES;
    return this.#fifo[index % UART_FIFO_ENTRIES]! | (age < this.#count ? UART_FIFO_VALID : 0);
  }

  advance(now: number): void {
    const input = this.#in;
    while (input !== null && input.nextByteTick !== null && input.nextByteTick <= now) {
      const byte = input.readByte();
      if (!this.#enabled || this.#count === UART_FIFO_ENTRIES) continue;
      this.#fifo[(this.#first + this.#count) % UART_FIFO_ENTRIES] = byte;
      this.#count++;
    }
    if (this.#waiting !== null && this.#wireFreeTick <= now) {
      // The transmitter took it over at the moment the wire became free, or when it came, if that was later.
      const start = Math.max(this.#waitsSinceTick, this.#wireFreeTick);
      this.#out?.write(this.#waiting, start);
      this.#waiting = null;
      this.#wireFreeTick = start + MIDI_BYTE_TICKS;
    }
  }

  nextEventTick(): number | null {
    const input = this.#enabled ? (this.#in?.nextByteTick ?? null) : null;
    if (this.#waiting === null) return input;
    return input === null ? this.#wireFreeTick : Math.min(input, this.#wireFreeTick);
  }
}
