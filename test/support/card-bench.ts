import { expect } from 'vitest';
import type { CatalogCard } from '../../src/catalog.ts';
import {
  AudioClient,
  type AudioFormat,
  audioFormat,
  ClientError,
  type Endpoint,
  MemoryPcmReader,
  MemoryPcmWriter,
  MidiClient,
  type StreamMode,
} from '../../src/client/index.ts';
import { MemorySink, ToneSource } from '../../src/hardware/analog.ts';
import { MidiMemorySink, MidiMemorySource } from '../../src/hardware/midi-memory.ts';
import { type DriverPackage, formatLeakReport, TICKS_PER_SECOND } from '../../src/kernel/index.ts';
import { SimMachine, type SimMachineOptions } from '../../src/machines/sim/index.ts';
import { bytesOf, noise, same, soundIn } from './ac97-bench.ts';

/** What wave and MIDI streams have in common. */
export interface AnyStream {
  readonly what: string;
  readonly ended: boolean;
  readonly state: string;
  readonly error: Error | null;
  start(): void;
  close(): void;
}

/** Formats that some pin of every card takes, the usual one first. */
const FORMATS: readonly AudioFormat[] = [
  audioFormat({ sampleRate: 44_100 }),
  audioFormat({ sampleRate: 44_100, channels: 1 }),
  audioFormat({ sampleRate: 44_100, containerBits: 8 }),
  audioFormat({ sampleRate: 48_000 }),
];

export interface CardBenchOptions {
  /** In place of the card's own: that one with faults in it. */
  readonly driver?: DriverPackage;
  readonly machine?: SimMachineOptions;
  /** Called before the driver is there. */
  readonly onMachine?: (machine: SimMachine) => void;
  /** What the end of the bench is to leave alive; nothing unless told otherwise. */
  readonly checkLeaks?: boolean;
}

/** A PC with any card of the catalogue, its driver started, something at each jack, and an application. */
export class CardBench implements Disposable {
  readonly machine: SimMachine;
  readonly card: CatalogCard;
  readonly output = new MemorySink();
  readonly midiIn = new MidiMemorySource();
  slot: string;
  audio: AudioClient;
  midi: MidiClient;
  readonly #checkLeaks: boolean;
  /** As they were found last; a card that is plugged in anew has new ones. */
  #endpoints: readonly Endpoint[] | null = null;

  constructor(card: CatalogCard, { driver, machine, onMachine, checkLeaks = true }: CardBenchOptions = {}) {
    this.card = card;
    this.#checkLeaks = checkLeaks;
    this.machine = new SimMachine(machine);
    this.slot = this.#plug();
    onMachine?.(this.machine);
    this.machine.installDriver(driver ?? card.driver);
    this.machine.start();
    this.audio = new AudioClient(this.machine.kernel);
    this.midi = new MidiClient(this.machine.kernel, this.audio.process);
  }

  #plug(): string {
    const place = this.card.bus === 'PCI' ? { device: 3, func: 0 } : undefined;
    const { slot } = this.card.plug(
      this.machine,
      {
        output: this.output,
        lineIn: new ToneSource(440),
        micIn: new ToneSource(330),
        midiOut: new MidiMemorySink(),
        midiIn: this.midiIn,
      },
      place,
    );
    return slot;
  }

  get kernel() {
    return this.machine.kernel;
  }

  get process() {
    return this.audio.process;
  }

  unplug(): void {
    this.#endpoints = null;
    this.machine.unplug(this.slot);
  }

  /** Plugs another card of the same kind in, a PCI card into the same slot. */
  replug(): void {
    this.slot = this.#plug();
  }

  /** The application dies where it stands, and another is started. */
  killApplication(): void {
    this.process.terminate();
    this.#endpoints = null;
    this.audio = new AudioClient(this.kernel);
    this.midi = new MidiClient(this.kernel, this.audio.process);
  }

  run(done: () => boolean, seconds = 30): boolean {
    return this.machine.runUntil(done, this.kernel.clock.now + seconds * TICKS_PER_SECOND);
  }

  pass(milliseconds: number): void {
    this.machine.runFor(Math.round(milliseconds * 10_000));
  }

  /** Endpoints that sound can be played to or recorded from. */
  waveEndpoints(): readonly Endpoint[] {
    this.#endpoints ??= this.audio.endpoints().filter(({ pins }) => pins.length > 0);
    return this.#endpoints;
  }

  /** A stream on every pin that the card can serve at once, MIDI included, stopped as yet. */
  openAll(mode: StreamMode = 'timer', bufferMs = 40): AnyStream[] {
    const streams: AnyStream[] = [];
    const taken = new Set<string>();
    for (const endpoint of this.waveEndpoints()) {
      for (const pin of endpoint.pins) {
        const key = `${pin.route.filter.path} ${pin.id}`;
        if (taken.has(key)) continue;
        const stream = this.#openFirst(endpoint, pin.name, mode, bufferMs);
        if (stream === null) continue;
        taken.add(key);
        streams.push(stream);
      }
    }
    for (const endpoint of this.midi.endpoints()) {
      const stream =
        endpoint.direction === 'out'
          ? this.midi.openOut(endpoint, { events: endlessNotes() })
          : this.midi.openIn(endpoint, { onMessage: () => {} });
      streams.push(named(`${endpoint.name} (MIDI ${endpoint.direction})`, stream));
    }
    return streams;
  }

  /** A stream in the first format that the pin takes while the others are as they are; null when there is none. */
  #openFirst(endpoint: Endpoint, pin: string, mode: StreamMode, bufferMs: number): AnyStream | null {
    for (const format of FORMATS) {
      for (const how of mode === 'timer' ? [mode] : [mode, 'timer' as const]) {
        try {
          const options = { format, pin, mode: how, bufferMs };
          const stream =
            endpoint.direction === 'render'
              ? this.audio.openRender(endpoint, {
                  source: new MemoryPcmReader(format, new Uint8Array(8_000_000).fill(1)),
                  ...options,
                })
              : this.audio.openCapture(endpoint, { sink: new MemoryPcmWriter(format), ...options });
          return named(`${endpoint.name} (${pin})`, stream);
        } catch (error) {
          if (!(error instanceof ClientError)) throw error;
        }
      }
    }
    return null;
  }

  /** Nothing of the driver or the card may be alive on the machine. */
  expectNothingLeft(): void {
    const { kernel, platform } = this.machine;
    const alive = kernel.objects
      .report()
      .leaks.filter(({ driver }) => driver === this.card.driver.name)
      .map(({ kind, name }) => `${kind} ${name}`);
    expect(alive).toEqual([]);
    for (let line = 0; line < platform.interruptLineCount; line++) {
      expect(kernel.interrupts.chainOf(line)).toEqual([]);
      expect([line, platform.isInterruptAsserted(line)]).toEqual([line, false]);
    }
    expect(platform.dma.rangesOf(this.slot)).toEqual([]);
    expect(this.audio.filterPaths()).toEqual([]);
  }

  /** The card works: what is played comes out bit by bit; where only notes are played, they are heard. */
  expectWorks(): void {
    this.output.clear();
    const { samples, play } = this.#sound();
    const stream = play();
    stream.start();
    expect(this.run(() => stream.ended)).toBe(true);
    expect([stream.what, stream.error]).toEqual([stream.what, null]);
    stream.close();
    this.pass(5);
    const heard = this.output.takes
      .map((take) => take.samples)
      .filter((one): one is Int16Array => one instanceof Int16Array);
    if (samples === null) {
      expect(heard.some((one) => one.some((sample) => sample !== 0))).toBe(true);
      return;
    }
    const exact = heard.some((one) => same(bytesOf(soundIn(one, samples.length).sound), bytesOf(samples)));
    expect([stream.what, exact]).toEqual([stream.what, true]);
  }

  #sound(): { readonly samples: Int16Array | null; readonly play: () => AnyStream } {
    const endpoint = this.waveEndpoints().find(({ direction }) => direction === 'render');
    if (endpoint !== undefined) {
      const samples = noise(4_000, 77);
      const format = audioFormat({ sampleRate: 44_100 });
      const source = new MemoryPcmReader(format, bytesOf(samples));
      return {
        samples,
        play: () => named(endpoint.name, this.audio.openRender(endpoint, { source, format, bufferMs: 40 })),
      };
    }
    const events = [0x90, 0x80].map((status, index) => ({
      time100ns: index * 500_000,
      bytes: Uint8Array.of(status, 60, 100),
    }));
    return {
      samples: null,
      play: () => named('MIDI', this.midi.openOut(this.midi.endpoint('out'), { events })),
    };
  }

  get findings(): readonly string[] {
    return this.machine.trace.findings.map(({ text }) => text);
  }

  /** Ends the application and the machine; the leak report. */
  end(): string {
    this.audio.close();
    return formatLeakReport(this.machine.dispose());
  }

  [Symbol.dispose](): void {
    const leaks = this.end();
    if (this.#checkLeaks && this.kernel.stopped === null) expect(leaks).toBe('');
  }
}

function named(
  what: string,
  stream: {
    readonly ended: boolean;
    readonly state: string;
    readonly error: Error | null;
    start(): void;
    close(): void;
  },
): AnyStream {
  return {
    what,
    get ended() {
      return stream.ended;
    },
    get state() {
      return stream.state;
    },
    get error() {
      return stream.error;
    },
    start: () => stream.start(),
    close: () => stream.close(),
  };
}

/** A note every 10 ms for 20 seconds. */
function endlessNotes(): { readonly time100ns: number; readonly bytes: Uint8Array }[] {
  return Array.from({ length: 2_000 }, (_, index) => ({
    time100ns: index * 100_000,
    bytes: Uint8Array.of(index % 2 === 0 ? 0x90 : 0x80, 40 + ((index % 48) & ~1), 100),
  }));
}
