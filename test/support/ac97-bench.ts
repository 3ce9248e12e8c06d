import { expect } from 'vitest';
import * as ac97 from '../../src/adapters/ac97/index.ts';
import { AudioClient, audioFormat, MemoryPcmReader, type StreamMode } from '../../src/client/index.ts';
import { encodeUlong, KsObject } from '../../src/client/requests/ks-object.ts';
import { RtPin } from '../../src/client/streams/rt-pin.ts';
import { Ac97Card, type Ac97CardOptions } from '../../src/hardware/ac97/index.ts';
import { MemorySink } from '../../src/hardware/analog.ts';
import { type DriverPackage, formatLeakReport, TICKS_PER_SECOND } from '../../src/kernel/index.ts';
import {
  type KSDATAFORMAT,
  KSINTERFACE_STANDARD_LOOPED_STREAMING,
  KSINTERFACESETID_Standard,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPSETID_Connection,
  type KSSTATE,
  pcmFormat,
  pinCreateName,
  standardPinConnect,
} from '../../src/ks/index.ts';
import { SimMachine } from '../../src/machines/sim/index.ts';

/** Pin factories of the wave filter. */
export const RENDER_PIN = 0;
export const CAPTURE_PIN = 2;
export const MIC_PIN = 4;

export interface Ac97BenchOptions {
  readonly card?: Ac97CardOptions;
  /** Sets all levels to 0 dB and all mutes off. True unless told otherwise. */
  readonly flat?: boolean;
  /** Another driver in place of the AC'97 one: that one with faults in it. */
  readonly driver?: DriverPackage;
  /** What the end of the bench is to leave alive; nothing unless told otherwise. */
  readonly checkLeaks?: boolean;
}

/** The format of most streams: what the card's converters do. */
export const CD_QUALITY = (sampleRate = 48_000): KSDATAFORMAT => pcmFormat(sampleRate, 2, 16);

/**
 * A PC with an AC'97 card, its driver started, and an application. On disposal everything is shut down, and nothing may be left
 * behind unless the machine was brought down.
 */
export class Ac97Bench implements Disposable {
  readonly machine = new SimMachine();
  readonly lineOut = new MemorySink();
  readonly cardOptions: Ac97CardOptions;
  card: Ac97Card;
  slot: string;
  audio: AudioClient;
  readonly #checkLeaks: boolean;

  constructor({ card = {}, flat = true, driver = ac97.install, checkLeaks = true }: Ac97BenchOptions = {}) {
    this.#checkLeaks = checkLeaks;
    this.cardOptions = { lineOut: this.lineOut, ...card };
    this.card = new Ac97Card(this.cardOptions);
    this.slot = this.machine.plugPci(this.card);
    this.machine.installDriver(driver);
    this.machine.start();
    this.audio = new AudioClient(this.machine.kernel);
    if (flat) this.flatten();
  }

  /** Ends the application, whatever it has open, and starts another. */
  restartApplication(): void {
    this.audio.close();
    this.audio = new AudioClient(this.machine.kernel);
  }

  /** The application dies where it stands, and another is started. */
  killApplication(): void {
    this.process.terminate();
    this.audio = new AudioClient(this.machine.kernel);
  }

  get kernel() {
    return this.machine.kernel;
  }

  get process() {
    return this.audio.process;
  }

  get now(): number {
    return this.machine.kernel.clock.now;
  }

  /** All levels at 0 dB, all switches off. */
  flatten(): void {
    const controls = this.audio.controls();
    for (const control of controls.list) {
      if (!control.set) continue;
      if (control.kind === 'level' || control.property.property === 'KSPROPERTY_AUDIO_MUTE')
        controls.set(control, 0);
    }
  }

  /** Sets a control by its name. */
  set(control: string, value: number | readonly number[]): void {
    const controls = this.audio.controls();
    controls.set(controls.find(control), value);
  }

  get(control: string): number[] {
    const controls = this.audio.controls();
    return controls.get(controls.find(control));
  }

  /** Runs until `done`, for at most so many seconds of machine time. */
  run(done: () => boolean, seconds = 60): boolean {
    return this.machine.runUntil(done, this.now + seconds * TICKS_PER_SECOND);
  }

  /** Lets so many milliseconds of machine time pass. */
  pass(milliseconds: number): void {
    this.machine.runFor(Math.round(milliseconds * 10_000));
  }

  filterPath(reference: 'Wave' | 'Topology'): string {
    const path = this.audio
      .filterPaths()
      .find((one) => one.toLowerCase().endsWith(`\\${reference.toLowerCase()}`));
    if (path === undefined) throw new Error(`there is no filter ${reference}`);
    return path;
  }

  openFilter(reference: 'Wave' | 'Topology'): KsObject {
    return new KsObject(this.process, this.process.createFile(this.filterPath(reference)));
  }

  /** Opens a host pin of an open wave filter. Throws the NtError of the create request. */
  openPin(filter: KsObject, pin: number, format: KSDATAFORMAT = CD_QUALITY()): RtPin {
    const looped = { set: KSINTERFACESETID_Standard, id: KSINTERFACE_STANDARD_LOOPED_STREAMING, flags: 0 };
    const name = pinCreateName(standardPinConnect(pin, format, looped));
    return new RtPin(new KsObject(this.process, this.process.createFile(name, filter.handle)));
  }

  /** The value of a mixer register as the codec has it. */
  register(offset: number): number {
    const found = this.card.snapshot().find((one) => one.window === 'NAM' && one.offset === offset);
    if (found === undefined) throw new Error(`there is no register ${offset}`);
    return found.value;
  }

  /** Pulls the card out. */
  unplug(): void {
    this.machine.unplug(this.slot);
  }

  /** Plugs another card of the same kind into the same slot. */
  replug(): void {
    this.card = new Ac97Card(this.cardOptions);
    this.slot = this.machine.plugPci(this.card, 3);
  }

  /** Ends the application and the machine; the leak report. */
  end(): string {
    this.audio.close();
    return formatLeakReport(this.machine.dispose());
  }

  [Symbol.dispose](): void {
    const leaks = this.end();
    if (this.#checkLeaks && this.machine.kernel.stopped === null) expect(leaks).toBe('');
  }
}

/** Sets a pin's state in one request, as clients may. */
export function setState(pin: RtPin, state: KSSTATE): void {
  pin.object.set(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, encodeUlong(state));
}

/** White noise without a zero in it, so that sound and silence can be told apart. */
export function noise(samples: number, seed = 1): Int16Array {
  let x = seed;
  return Int16Array.from({ length: samples }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return (x >> 16) | 1;
  });
}

export const bytesOf = (samples: Int16Array): Uint8Array =>
  new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);

export const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** What was recorded from the first sample that is not silence on, and whether nothing but silence follows `length` samples of it. */
export function soundIn(samples: Int16Array, length: number): { sound: Int16Array; silentAfter: boolean } {
  const start = samples.findIndex((sample) => sample !== 0);
  const sound = start < 0 ? samples.subarray(0, 0) : samples.subarray(start, start + length);
  return { sound, silentAfter: samples.subarray(start + length).every((sample) => sample === 0) };
}

/** Plays samples to the end on the speakers; the stream's statistics. */
export function play(
  bench: Ac97Bench,
  samples: Int16Array,
  mode: StreamMode = 'timer',
  bufferMs = 40,
  sampleRate = 48_000,
) {
  const source = new MemoryPcmReader(audioFormat({ sampleRate }), bytesOf(samples));
  const stream = bench.audio.openRender(bench.audio.endpoint('render', 'Speakers'), {
    source,
    mode,
    bufferMs,
  });
  stream.start();
  expect(bench.run(() => stream.ended)).toBe(true);
  expect(stream.error).toBe(null);
  const statistics = stream.statistics();
  stream.close();
  return statistics;
}

/** Plays noise and expects it bit by bit at the line output, in the last take. */
export function expectBitExact(bench: Ac97Bench, mode: StreamMode = 'timer', frames = 9600): void {
  bench.lineOut.clear();
  const samples = noise(2 * frames, 77);
  const { glitches } = play(bench, samples, mode, 20);
  expect(glitches).toBe(0);
  const { sound, silentAfter } = soundIn(bench.lineOut.samples, samples.length);
  expect(same(bytesOf(sound), bytesOf(samples))).toBe(true);
  expect(silentAfter).toBe(true);
}
