import type { MidiSink, MidiSource } from '../../hal/bus.ts';
import { TICKS_PER_MILLISECOND } from '../../hal/bus.ts';
import { MIDI_BYTE_TICKS } from '../midi-memory.ts';
import type { MidiMode } from './dsp-commands.ts';

/** MIDI OUT of the card: the MPU-401 and the DSP drive one connector, one byte after the other. */
export class SharedMidiOut implements MidiSink {
  readonly #sink: MidiSink | null;
  #freeTick = 0;

  constructor(sink: MidiSink | null) {
    this.#sink = sink;
  }

  /** When the byte on the wire has left. */
  get freeTick(): number {
    return this.#freeTick;
  }

  write(byte: number, startTick: number): void {
    const start = Math.max(startTick, this.#freeTick);
    this.#freeTick = start + MIDI_BYTE_TICKS;
    this.#sink?.write(byte, start);
  }
}

/** One of the two receivers behind the card's MIDI IN. */
class MidiTap implements MidiSource {
  readonly #owner: MidiSplitter;
  readonly bytes: { readonly byte: number; readonly tick: number }[] = [];
  wake: (() => void) | null = null;

  constructor(owner: MidiSplitter) {
    this.#owner = owner;
  }

  get nextByteTick(): number | null {
    return this.bytes[0]?.tick ?? this.#owner.source?.nextByteTick ?? null;
  }

  readByte(): number {
    if (this.bytes.length === 0) this.#owner.take(this);
    return this.bytes.shift()?.byte ?? 0;
  }

  connect(wake: () => void): void {
    this.wake = wake;
  }
}

/** A receiver that never reads keeps no more than this many bytes. */
const KEPT_BYTES = 4096;

/** MIDI IN of the card: what arrives reaches both the MPU-401 and the DSP. */
export class MidiSplitter {
  readonly source: MidiSource | null;
  readonly #taps: readonly [MidiTap, MidiTap];

  constructor(source: MidiSource | null) {
    this.source = source;
    this.#taps = [new MidiTap(this), new MidiTap(this)];
    source?.connect(() => {
      for (const tap of this.#taps) tap.wake?.();
    });
  }

  /** For the MPU-401 (0) and for the DSP (1). */
  output(index: 0 | 1): MidiSource {
    return this.#taps[index];
  }

  /** Takes the next byte off the wire for `asker`, and keeps it for the other one. */
  take(asker: MidiTap): void {
    const { source } = this;
    const tick = source?.nextByteTick ?? null;
    if (source === null || tick === null) return;
    const byte = source.readByte();
    for (const tap of this.#taps) {
      tap.bytes.push({ byte, tick });
      if (tap.bytes.length > KEPT_BYTES) tap.bytes.shift();
      if (tap !== asker) tap.wake?.();
    }
  }
}

/** What the DSP's MIDI port asks of the DSP. */
export interface DspMidiHost {
  /** A byte for the read buffer; false when that is full. */
  push(byte: number): boolean;
  requestInterrupt(): void;
}

/**
 * The MIDI port that the DSP keeps itself (commands 30h–38h): bytes from MIDI IN go to the read buffer, with or without the time in
 * milliseconds since the command before them and an interrupt for each; in UART mode all that is written goes to MIDI OUT.
 */
export class DspMidiPort {
  readonly #in: MidiSource;
  readonly #out: SharedMidiOut;
  readonly #host: DspMidiHost;
  #mode: MidiMode | null = null;
  #startTick = 0;
  /** When the byte that was written last has left. */
  #busyUntilTick = 0;
  #lost = false;

  constructor(source: MidiSource, out: SharedMidiOut, host: DspMidiHost) {
    this.#in = source;
    this.#out = out;
    this.#host = host;
  }

  /** Writes go to MIDI OUT; a reset ends that. */
  get uart(): boolean {
    return this.#mode?.uart === true;
  }

  /** A byte is on its way out, so that another one cannot be taken. */
  busyAt(now: number): boolean {
    return this.#busyUntilTick > now;
  }

  /** Commands 30h–37h. The one that is in force ends when it is given again. */
  setMode(mode: MidiMode, now: number): void {
    this.#skip(now);
    const same =
      this.#mode !== null && this.#mode.input === mode.input && this.#mode.timeStamps === mode.timeStamps;
    this.#mode = same && !mode.uart ? null : mode;
    this.#startTick = now;
  }

  reset(now: number): void {
    this.#skip(now);
    this.#mode = null;
  }

  write(byte: number, now: number): void {
    this.#out.write(byte, now);
    this.#busyUntilTick = this.#out.freeTick;
  }

  /** Takes what has arrived by `now`. */
  advance(now: number): void {
    if (this.#mode === null) {
      this.#skip(now);
      return;
    }
    for (let tick = this.#in.nextByteTick; tick !== null && tick <= now; tick = this.#in.nextByteTick) {
      this.#receive(this.#in.readByte(), tick, this.#mode);
    }
  }

  /** When a byte arrives for which somebody waits, null when nobody does. */
  get nextEventTick(): number | null {
    return this.#mode === null ? null : this.#in.nextByteTick;
  }

  /** A byte was lost since this was asked last. */
  takeLost(): boolean {
    const lost = this.#lost;
    this.#lost = false;
    return lost;
  }

  #skip(now: number): void {
    for (let tick = this.#in.nextByteTick; tick !== null && tick <= now; tick = this.#in.nextByteTick) {
      this.#in.readByte();
    }
  }

  #receive(byte: number, tick: number, mode: MidiMode): void {
    const milliseconds = Math.floor((tick - this.#startTick) / TICKS_PER_MILLISECOND) & 0xff_ffff;
    const bytes = mode.timeStamps
      ? [milliseconds & 0xff, (milliseconds >> 8) & 0xff, milliseconds >> 16, byte]
      : [byte];
    for (const each of bytes) if (!this.#host.push(each)) this.#lost = true;
    if (mode.input === 'interrupt') this.#host.requestInterrupt();
  }
}
