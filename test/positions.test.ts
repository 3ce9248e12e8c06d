import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeProperty } from '../src/client/requests/ks-object.ts';
import type { RtPin } from '../src/client/streams/rt-pin.ts';
import { ToneSource } from '../src/hardware/analog.ts';
import { TICKS_PER_MILLISECOND, TICKS_PER_SECOND } from '../src/kernel/index.ts';
import {
  KSAUDIO_PRESENTATION_POSITION,
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_RTAUDIO_PRESENTATION_POSITION,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Audio,
  KSPROPSETID_RtAudio,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
} from '../src/ks/index.ts';
import { Ac97Bench, CAPTURE_PIN, CD_QUALITY, RENDER_PIN, setState } from './support/ac97-bench.ts';

/** What the card moves at once between memory and FIFO. */
const BURST_BYTES = 32;
const FRAME_BYTES = 4;

/** A stream and what is known of its place. */
class Probe implements Disposable {
  readonly bench: Ac97Bench;
  readonly pin: RtPin;
  readonly bufferBytes: number;
  readonly #engine: 'PO' | 'PI';

  constructor(capture: boolean, sampleRate: number, bufferMs: number, notifications: 0 | 1 | 2) {
    this.bench = new Ac97Bench({ flat: false, card: { lineIn: new ToneSource(1000) } });
    this.#engine = capture ? 'PI' : 'PO';
    const filter = this.bench.openFilter('Wave');
    this.pin = this.bench.openPin(filter, capture ? CAPTURE_PIN : RENDER_PIN, CD_QUALITY(sampleRate));
    const wanted = Math.ceil((sampleRate * bufferMs) / 1000) * FRAME_BYTES;
    this.bufferBytes = this.pin.allocateBuffer(wanted, notifications).actualBufferSize;
    expect(this.bufferBytes).toBeGreaterThanOrEqual(wanted);
  }

  /** KSPROPERTY_AUDIO_POSITION: play offset in the buffer. */
  get reported(): number {
    const bytes = this.pin.object.get(KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, 16);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const [play, write] = [view.getUint32(0, true), view.getUint32(8, true)];
    expect(play).toBe(write);
    expect(play).toBeLessThan(this.bufferBytes);
    return play;
  }

  /** KSPROPERTY_RTAUDIO_PRESENTATION_POSITION: frames since the start. */
  get presented(): number {
    const answer = new Uint8Array(16);
    const request = encodeProperty(
      KSPROPSETID_RtAudio,
      KSPROPERTY_RTAUDIO_PRESENTATION_POSITION,
      KSPROPERTY_TYPE_GET,
    );
    this.pin.object.control(request, answer);
    return KSAUDIO_PRESENTATION_POSITION.decode(answer).u64PositionInBlocks;
  }

  /** Bytes that the card has moved, by its own count. */
  get moved(): number {
    return this.bench.card.position(this.#engine).dmaSamples * 2;
  }

  /** How far the report is from the card, the shorter way round. */
  get deviation(): number {
    const distance = Math.abs(this.reported - (this.moved % this.bufferBytes));
    return Math.min(distance, this.bufferBytes - distance);
  }

  [Symbol.dispose](): void {
    this.bench[Symbol.dispose]();
  }
}

const rates = fc.constantFrom(8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000);
const buffers = fc.integer({ min: 3, max: 500 });
const notifications = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
/** In ticks of 100 ns: from register accesses in a row to more than the longest buffer. */
const waits = fc.oneof(
  fc.integer({ min: 0, max: 50 }),
  fc.integer({ min: 0, max: 20 * TICKS_PER_MILLISECOND }),
  fc.integer({ min: 0, max: 700 * TICKS_PER_MILLISECOND }),
);

describe('positions', () => {
  it('stay within a burst of the card’s own while running, stand in PAUSE, and are 0 in STOP', () => {
    const step = fc.record({
      wait: waits,
      next: fc.constantFrom('look', 'look', 'look', 'look', 'pause', 'acquire', 'stop'),
    });
    fc.assert(
      fc.property(
        fc.boolean(),
        rates,
        buffers,
        notifications,
        fc.array(step, { minLength: 5, maxLength: 40 }),
        (capture, rate, bufferMs, notificationCount, steps) => {
          using probe = new Probe(capture, rate, bufferMs, notificationCount);
          const { bench, pin } = probe;
          expect(probe.reported).toBe(0);
          setState(pin, KSSTATE_RUN);
          let lastMoved = 0;
          let lastReported = 0;
          let total = 0;
          for (const { wait, next } of steps) {
            bench.machine.runFor(wait);
            expect(probe.deviation).toBeLessThanOrEqual(BURST_BYTES);
            // Never backwards: what the report went on by is what the card moved, but for one burst.
            const { moved, reported } = probe;
            expect(moved).toBeGreaterThanOrEqual(lastMoved);
            const rounds = Math.floor((moved - lastMoved) / probe.bufferBytes);
            const advance = (reported - lastReported + probe.bufferBytes) % probe.bufferBytes;
            total += advance + rounds * probe.bufferBytes;
            lastMoved = moved;
            lastReported = reported;
            expect(Math.abs(total - moved)).toBeLessThanOrEqual(BURST_BYTES);
            if (next === 'look') continue;
            if (next === 'stop') {
              setState(pin, KSSTATE_STOP);
              expect(probe.reported).toBe(0);
              bench.machine.runFor(wait);
              expect(probe.reported).toBe(0);
              if (!capture) expect([pin.packetCount(), probe.presented]).toEqual([0, 0]);
              [lastMoved, lastReported, total] = [0, 0, 0];
            } else {
              setState(pin, next === 'pause' ? KSSTATE_PAUSE : KSSTATE_ACQUIRE);
              const frozen = probe.reported;
              expect(probe.deviation).toBeLessThanOrEqual(BURST_BYTES);
              bench.machine.runFor(wait);
              expect(probe.reported).toBe(frozen);
              expect(probe.moved).toBe(moved);
            }
            setState(pin, KSSTATE_RUN);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('count frames since the start, evenly, over minutes', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 100, max: 500 }), notifications, (rate, bufferMs, count) => {
        using probe = new Probe(false, rate, bufferMs, count);
        const { bench, pin } = probe;
        setState(pin, KSSTATE_RUN);
        const started = bench.now;
        // A FIFO and a burst ahead of the converter at most.
        const ahead = (96 + BURST_BYTES) / FRAME_BYTES;
        let last = 0;
        for (const seconds of [0.01, 1, 10, 60]) {
          bench.machine.runFor(seconds * TICKS_PER_SECOND);
          const frames = probe.presented;
          const played = Math.floor(((bench.now - started) * rate) / TICKS_PER_SECOND);
          expect(frames).toBeGreaterThan(last);
          expect(frames - played).toBeGreaterThanOrEqual(0);
          expect(frames - played).toBeLessThanOrEqual(ahead);
          last = frames;
        }
      }),
      { numRuns: 8 },
    );
  });

  /**
   * The limits that Windows' own tests set (P-106): ten readings 50 ms apart, all different; rate within 1 %; mean error below 2 ms,
   * standard deviation below 1 ms, no reading off by 4 ms.
   */
  it('pass the limits of Windows’ position tests', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.constantFrom(44_100, 48_000),
        buffers,
        notifications,
        (capture, rate, ms, count) => {
          using probe = new Probe(capture, rate, ms, count);
          const { bench, pin, bufferBytes } = probe;
          setState(pin, KSSTATE_RUN);
          const points: { seconds: number; frames: number }[] = [];
          let linear = 0;
          let last = 0;
          const bytesPerTick = (rate * FRAME_BYTES) / TICKS_PER_SECOND;
          for (let index = 0; index < 100; index++) {
            const ticks = 20 * TICKS_PER_MILLISECOND;
            bench.machine.runFor(ticks);
            const { reported } = probe;
            const advance = (reported - last + bufferBytes) % bufferBytes;
            // Short buffers go round several times between two readings.
            const rounds = Math.round((ticks * bytesPerTick - advance) / bufferBytes);
            expect(advance + rounds * bufferBytes).toBeGreaterThan(0);
            linear += advance + Math.max(0, rounds) * bufferBytes;
            last = reported;
            points.push({ seconds: bench.now / TICKS_PER_SECOND, frames: linear / FRAME_BYTES });
          }
          const mean = (values: readonly number[]) =>
            values.reduce((sum, one) => sum + one, 0) / values.length;
          const [x, y] = [
            mean(points.map(({ seconds }) => seconds)),
            mean(points.map(({ frames }) => frames)),
          ];
          const slope =
            mean(points.map(({ seconds, frames }) => (seconds - x) * (frames - y))) /
            mean(points.map(({ seconds }) => (seconds - x) ** 2));
          expect(Math.abs(slope / rate - 1)).toBeLessThan(0.001);
          const errorsMs = points.map(({ seconds, frames }) => ((frames - y) / rate - (seconds - x)) * 1000);
          const deviation = Math.sqrt(mean(errorsMs.map((error) => error ** 2)));
          expect(Math.abs(mean(errorsMs))).toBeLessThan(2);
          expect(deviation).toBeLessThan(1);
          expect(Math.max(...errorsMs.map(Math.abs))).toBeLessThan(4);
        },
      ),
      { numRuns: 12 },
    );
  });
});
