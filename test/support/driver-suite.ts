import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type CardChoices,
  type CatalogCard,
  chooseCard,
  findCard,
  qemuDeviceArguments,
} from '../../src/catalog.ts';
import {
  AudioClient,
  audioFormat,
  MemoryByteSource,
  MemoryPcmReader,
  MemoryPcmWriter,
  type Stream,
  type StreamMode,
  WavReader,
} from '../../src/client/index.ts';
import { ArraySource, MemorySink } from '../../src/hardware/index.ts';
import { formatLeakReport, TICKS_PER_SECOND } from '../../src/kernel/index.ts';
import { QEMU_AUDIO_ID, QemuMachine } from '../../src/machines/qemu/index.ts';
import { SimMachine } from '../../src/machines/sim/index.ts';
import { bytesOf, noise, soundIn } from './ac97-bench.ts';

/** What a card is to do in the suite. */
export interface DriverSuiteCard {
  readonly name: string;
  /** What is chosen of a card that comes in several ways; the standard unless given. */
  readonly choices?: CardChoices;
  /** Rates at which sound must pass unchanged. */
  readonly rates: readonly number[];
  readonly modes: readonly StreamMode[];
  /** Category of the input that is recorded, null when the card (or QEMU's version of it) records nothing. */
  readonly captureCategory: string | null;
  /**
   * How often a test may be tried again on `qemu`, where the driver's own lead over the device is short against the stalls of a busy
   * computer; none unless given.
   */
  readonly realTimeRetries?: number;
  /**
   * How far the rate fitted to the positions may be off on `sim`; 0.001 unless given. Positions of request streams stand at the end of
   * the data while the stream drains, and those readings count.
   */
  readonly rateTolerance?: number;
  /** Of a driver that streams by requests: interrupts have a period of their own, and the client has four packets in its buffer. */
  readonly interruptsPerSecond?: number;
}

/** A machine with a card whose driver runs, the same on `sim` and on `qemu`. */
interface DriverBench {
  readonly audio: AudioClient;
  readonly now: () => number;
  readonly run: (done: () => boolean, seconds: number) => boolean;
  readonly interrupts: () => number;
  /** Ends the machine; what the card played, 16-bit stereo, and what was left behind. */
  readonly end: () => { readonly played: Int16Array; readonly leaks: string };
}

interface Wiring {
  readonly rate: number;
  /** What the input hears; stereo at `rate`. */
  readonly input?: Int16Array;
  /** The input is the microphone's jack, not the line's. */
  readonly microphone?: boolean;
}

type MachineName = 'sim' | 'qemu';

function catalogCard({ name, choices = {} }: DriverSuiteCard): CatalogCard {
  const card = findCard(name);
  if (!card) throw new Error(`there is no card '${name}'`);
  return chooseCard(card, choices);
}

async function openBench(
  machineName: MachineName,
  suiteCard: DriverSuiteCard,
  wiring: Wiring,
): Promise<DriverBench> {
  const card = catalogCard(suiteCard);
  return machineName === 'sim' ? openSim(card, wiring) : openQemu(card, wiring);
}

function setUp(machine: SimMachine | QemuMachine, card: CatalogCard): AudioClient {
  machine.installDriver(card.driver);
  machine.start();
  const audio = new AudioClient(machine.kernel);
  if (machine instanceof QemuMachine) {
    const controls = audio.controls();
    for (const setting of card.qemu?.unity ?? []) {
      const [control = '', value = ''] = setting.split('=');
      controls.set(controls.find(control), Number(value));
    }
  }
  return audio;
}

function benchOf(
  machine: SimMachine | QemuMachine,
  audio: AudioClient,
  played: () => Int16Array,
): DriverBench {
  const { kernel } = machine;
  return {
    audio,
    now: () => kernel.clock.now,
    run: (done, seconds) => machine.runUntil(done, kernel.clock.now + seconds * TICKS_PER_SECOND),
    interrupts: () => {
      let sum = 0;
      for (let line = 0; line < kernel.platform.interruptLineCount; line++)
        sum += kernel.interrupts.counters(line).services;
      return sum;
    },
    end: () => {
      audio.close();
      const leaks = formatLeakReport(machine.dispose());
      return { played: played(), leaks };
    },
  };
}

function openSim(card: CatalogCard, { rate, input, microphone }: Wiring): DriverBench {
  const machine = new SimMachine();
  const output = new MemorySink();
  card.plug(machine, {
    output,
    ...(input
      ? {
          // One jack only: cards that record a mix would add them up.
          [microphone ? 'micIn' : 'lineIn']: new ArraySource(input, { sampleRate: rate, channels: 2 }),
        }
      : {}),
  });
  return benchOf(machine, setUp(machine, card), () => output.samples);
}

async function openQemu(card: CatalogCard, { rate, input }: Wiring): Promise<DriverBench> {
  const folder = mkdtempSync(join(tmpdir(), 'miniport-suite-'));
  const path = join(folder, 'played.wav');
  const machine = await QemuMachine.launch({
    deviceArguments: card.qemu ? [...qemuDeviceArguments(card.qemu, QEMU_AUDIO_ID)] : [],
    ...(card.qemu?.legacyDevice ? { isaDevices: [card.qemu.legacyDevice] } : {}),
    audio: input
      ? { input: { pcm: bytesOf(input), sampleRate: rate } }
      : { output: { path, sampleRate: rate } },
  });
  try {
    return benchOf(machine, setUp(machine, card), () => {
      const played = input ? new Int16Array(0) : samplesOfWav(path);
      rmSync(folder, { recursive: true, force: true });
      return played;
    });
  } catch (error) {
    machine.dispose();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** What a 16-bit WAV file holds. */
export function samplesOfWav(path: string): Int16Array {
  const reader = new WavReader(new MemoryByteSource(new Uint8Array(readFileSync(path))));
  const writer = new MemoryPcmWriter(reader.format);
  const block = new Uint8Array(65_536);
  for (let got = reader.read(block, 0, block.length); got > 0; got = reader.read(block, 0, block.length))
    writer.write(block, 0, got);
  return new Int16Array(writer.bytes.slice().buffer);
}

/** A passage that occurs once: where `samples` begin in a recording, -1 when they do not. */
function find(samples: Int16Array, recording: Int16Array): number {
  outer: for (
    let at = recording.indexOf(samples[0] ?? 0);
    at >= 0;
    at = recording.indexOf(samples[0] ?? 0, at + 1)
  ) {
    for (let i = 1; i < 64; i++) if (recording[at + i] !== samples[i]) continue outer;
    return at;
  }
  return -1;
}

/** Where two recordings part, in words; null when they are the same. */
function firstDifference(a: Int16Array, b: Int16Array): string | null {
  const at = b.findIndex((sample, index) => sample !== a[index]);
  return at < 0 && a.length === b.length
    ? null
    : at < 0
      ? `${a.length} samples instead of ${b.length}`
      : `sample ${at}: ${a.subarray(at, at + 8)} instead of ${b.subarray(at, at + 8)}`;
}

/** Real time comes in the host's bursts of 10 ms; virtual time is exact. */
const TIMING = {
  sim: { bufferMs: 20, rateTolerance: 0.001, seconds: 0.5 },
  qemu: { bufferMs: 200, rateTolerance: 0.12, seconds: 1.2 },
} as const;

/**
 * What every adapter driver must do on a card, on either machine: bit-exact sound, events, positions, interrupts, and nothing left
 * behind. Times of real machines are measured against wide limits only.
 */
export function driverSuite(machineName: MachineName, card: DriverSuiteCard): void {
  const { bufferMs, rateTolerance, seconds } = TIMING[machineName];
  const open = (wiring: Wiring) => openBench(machineName, card, wiring);
  const render = (bench: DriverBench, samples: Int16Array, rate: number, mode: StreamMode) =>
    bench.audio.openRender(bench.audio.endpoint('render'), {
      source: new MemoryPcmReader(audioFormat({ sampleRate: rate }), bytesOf(samples)),
      mode,
      bufferMs,
    });
  const finish = (bench: DriverBench, stream: Stream) => {
    expect(bench.run(() => stream.state === 'ended' || stream.state === 'failed', 30)).toBe(true);
    expect(stream.error).toBe(null);
  };

  const retry = machineName === 'qemu' ? (card.realTimeRetries ?? 0) : 0;
  const chosen = Object.values(card.choices ?? {}).join(', ');
  describe(`the driver of ${card.name}${chosen && ` (${chosen})`} on ${machineName}`, { retry }, () => {
    for (const rate of card.rates) {
      for (const mode of card.modes) {
        test(`plays ${rate} Hz bit by bit, ${mode}-driven`, async () => {
          const bench = await open({ rate });
          const samples = noise(2 * Math.round(rate * seconds), rate);
          const stream = render(bench, samples, rate, mode);
          stream.start();
          finish(bench, stream);
          const { glitches, clockFit } = stream.statistics();
          const { played, leaks } = bench.end();
          expect(glitches).toBe(0);
          expect(Math.abs(clockFit.rateHz / rate - 1)).toBeLessThan(
            Math.max(rateTolerance, card.rateTolerance ?? 0),
          );
          const { sound, silentAfter } = soundIn(played, samples.length);
          expect(firstDifference(sound, samples)).toBe(null);
          expect(silentAfter).toBe(true);
          expect(leaks).toBe('');
        });
      }
    }

    test('interrupts once a period, and signals as often', async () => {
      const rate = card.rates[0] as number;
      const bench = await open({ rate });
      const stream = render(bench, noise(2 * rate), rate, 'event');
      const before = bench.interrupts();
      stream.start();
      finish(bench, stream);
      const { periods, bufferFrames } = stream.statistics();
      const packets = card.interruptsPerSecond === undefined ? 2 : 4;
      const filled = rate / (bufferFrames / packets);
      const expected = card.interruptsPerSecond ?? filled;
      // Packets come back at interrupts, several at one when they are short.
      const expectedPeriods = Math.min(filled, expected);
      const interrupts = bench.interrupts() - before;
      expect(bench.end().leaks).toBe('');
      expect(interrupts).toBeGreaterThan(expected * 0.7);
      expect(interrupts).toBeLessThan(expected * 1.3 + 3);
      expect(periods).toBeGreaterThan(expectedPeriods * 0.7);
      expect(periods).toBeLessThan(expectedPeriods * 1.3 + 5);
    });

    test('positions rise while it runs, stand while it pauses, and go on', async () => {
      const rate = card.rates[0] as number;
      const bench = await open({ rate });
      const stream = render(bench, noise(4 * rate, 5), rate, 'timer');
      stream.start();
      bench.run(() => stream.statistics().positionFrames > 0.2 * rate, 5);
      stream.pause();
      bench.run(() => false, 0.05);
      const paused = stream.statistics().positionFrames;
      bench.run(() => false, 0.25);
      expect(stream.statistics().positionFrames).toBe(paused);
      stream.resume();
      expect(bench.run(() => stream.statistics().positionFrames > paused + 0.2 * rate, 5)).toBe(true);
      stream.close();
      expect(bench.end().leaks).toBe('');
    });

    if (card.captureCategory !== null) {
      for (const mode of card.modes.filter((one) => one !== 'packet')) {
        test(`records what is at the input, bit by bit, ${mode}-driven`, async () => {
          const rate = card.rates[0] as number;
          const input = noise(2 * rate * 3, 9);
          const microphone = card.captureCategory === 'KSNODETYPE_MICROPHONE';
          const bench = await open({ rate, input, microphone });
          const endpoint = bench.audio
            .endpoints()
            .find(({ direction, category }) => direction === 'capture' && category === card.captureCategory);
          if (!endpoint) throw new Error(`there is no input ${card.captureCategory}`);
          const sink = new MemoryPcmWriter(audioFormat({ sampleRate: rate }));
          const frames = Math.round(rate * seconds);
          const stream = bench.audio.openCapture(endpoint, { sink, frames, mode, bufferMs });
          stream.start();
          finish(bench, stream);
          const { glitches } = stream.statistics();
          expect(bench.end().leaks).toBe('');
          expect(glitches).toBe(0);
          const recorded = new Int16Array(sink.bytes.slice().buffer);
          expect(recorded.length).toBe(2 * frames);
          // The recording may begin before the signal does; from its first sample on it is the signal.
          const start = recorded.findIndex((sample) => sample !== 0);
          expect(start).toBeGreaterThanOrEqual(0);
          const at = find(recorded.subarray(start), input);
          expect(at).toBeGreaterThanOrEqual(0);
          const length = recorded.length - start;
          expect(firstDifference(recorded.subarray(start), input.subarray(at, at + length))).toBe(null);
        });
      }
    }
  });
}
