import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { QemuAudio } from '../machines/qemu/index.ts';
import type { CardSignal, CardWiring } from './card-under-test.ts';

/** QEMU's WAV files have the plain 44-byte header. */
const WAV_HEADER_BYTES = 44;
const INPUT_SECONDS = 40;

/** What QEMU is told of a card's wiring. With an input signal the output is not recorded. */
export function qemuJacks({ input }: CardWiring, outputRate: number): QemuAudio {
  return input
    ? { input: { pcm: repeated(stereo(input), input.sampleRate), sampleRate: input.sampleRate } }
    : { output: { sampleRate: outputRate } };
}

/** The WAV file that QEMU is writing, as far as it has got. */
export class GrowingRecording {
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
