import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Trace } from '../kernel/index.ts';
import { findQemu, QEMU_AUDIO_ID, QemuMachine } from '../machines/qemu/index.ts';
import type { CardFactory, CardSignal, CardWiring } from './card-under-test.ts';
import { PciBench } from './pci-bench.ts';
import { PciCardUnderTest } from './pci-card.ts';
import type { PoweredCard } from './switched-card.ts';

const SLOT = 5;
const BUS_DEVICE = 'pci:00:05.0';
const RAM_BYTES = 16 * 1024 * 1024;
const DEFAULT_OUTPUT_RATE = 48_000;
/** QEMU's WAV files have the plain 44-byte header. */
const WAV_HEADER_BYTES = 44;
const INPUT_SECONDS = 40;

/** The WAV file that QEMU is writing, as far as it has got. */
class GrowingRecording {
  readonly #path: string | null;
  readonly #sampleRate: number;
  #samples = new Int16Array(64 * 1024);
  #count = 0;

  constructor(path: string | null, sampleRate: number) {
    this.#path = path;
    this.#sampleRate = sampleRate;
  }

  read(): CardSignal {
    this.#catchUp();
    return { sampleRate: this.#sampleRate, channels: 2, samples: this.#samples.subarray(0, this.#count) };
  }

  #catchUp(): void {
    if (this.#path === null) return;
    let file: number;
    try {
      file = openSync(this.#path, 'r');
    } catch {
      return;
    }
    try {
      const available = Math.floor((fstatSync(file).size - WAV_HEADER_BYTES) / 4) * 2;
      if (available <= this.#count) return;
      if (available > this.#samples.length) {
        const grown = new Int16Array(Math.max(available, 2 * this.#samples.length));
        grown.set(this.#samples.subarray(0, this.#count));
        this.#samples = grown;
      }
      const into = new Uint8Array(this.#samples.buffer, this.#count * 2, (available - this.#count) * 2);
      this.#count += readSync(file, into, 0, into.byteLength, WAV_HEADER_BYTES + this.#count * 2) >> 1;
    } finally {
      closeSync(file);
    }
  }
}

async function powerOn(qemuDevice: string, wiring: CardWiring): Promise<PoweredCard<PciBench>> {
  const sampleRate = wiring.outputRate ?? DEFAULT_OUTPUT_RATE;
  const { input } = wiring;
  const machine = await QemuMachine.launch({
    deviceArguments: ['-device', `${qemuDevice},audiodev=${QEMU_AUDIO_ID},addr=${SLOT}`],
    audio: input
      ? { input: { pcm: repeated(stereo(input), input.sampleRate), sampleRate: input.sampleRate } }
      : { output: { sampleRate } },
    ramBytes: RAM_BYTES,
    trace: new Trace({ mask: 0, keep: 1 }),
  });
  try {
    const recording = new GrowingRecording(machine.recordingPath, sampleRate);
    const bench = new PciBench(
      { platform: machine.platform, config: machine.pciBus.config },
      SLOT,
      BUS_DEVICE,
    );
    return { bench, wiring, output: () => recording.read(), powerOff: () => machine.dispose() };
  } catch (error) {
    machine.dispose();
    throw error;
  }
}

/** QEMU has no endless input: the signal goes on for as long as any test lasts. */
function repeated(signal: Int16Array, sampleRate: number): Uint8Array {
  const wanted = INPUT_SECONDS * sampleRate * 2;
  const all = new Int16Array(wanted);
  for (let at = 0; at < wanted; at += signal.length) {
    all.set(signal.subarray(0, Math.min(signal.length, wanted - at)), at);
  }
  return new Uint8Array(all.buffer);
}

function stereo({ samples, channels }: CardSignal): Int16Array {
  if (channels === 2) return samples.slice();
  const frames = Math.floor(samples.length / channels);
  const both = new Int16Array(frames * 2);
  for (let frame = 0; frame < frames; frame++) {
    both[2 * frame] = samples[frame * channels] ?? 0;
    both[2 * frame + 1] = samples[frame * channels + (channels > 1 ? 1 : 0)] ?? 0;
  }
  return both;
}

/**
 * The bench for a card of QEMU, by its `-device` name. Time is the computer's own. With an input signal the output is not recorded.
 * @throws QemuError when QEMU is missing, too old or does not start
 */
export function qemuCardFactory(qemuDevice: string): CardFactory {
  const on = (wiring: CardWiring) => powerOn(qemuDevice, wiring);
  return async (wiring = {}) =>
    new PciCardUnderTest(
      { machine: 'qemu', realTime: true, description: `the ${qemuDevice} of QEMU ${findQemu().version}` },
      on,
      await on(wiring),
    );
}
