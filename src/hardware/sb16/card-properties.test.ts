import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BASE, DATA, DATA_BYTES, Sb16Rig } from '../../../test/support/sb16-rig.ts';
import type { PcmFormat, PcmSamples, PcmSink } from '../../hal/bus.ts';
import { ToneSource } from '../analog.ts';
import { MidiMemorySink, MidiMemorySource } from '../midi-memory.ts';

const GUARD = 0x1000;

type Step =
  | { readonly kind: 'out'; readonly port: number; readonly value: number }
  | { readonly kind: 'in'; readonly port: number }
  | { readonly kind: 'time'; readonly ticks: number }
  | { readonly kind: 'dsp'; readonly bytes: readonly number[] }
  | { readonly kind: 'dma'; readonly channel: 1 | 5; readonly mode: number; readonly bytes: number }
  | { readonly kind: 'midi'; readonly byte: number }
  | { readonly kind: 'reset' };

const byte = fc.nat(0xff);
const port = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: BASE, max: BASE + 15 }) },
  { weight: 2, arbitrary: fc.constantFrom(0x330, 0x331) },
  { weight: 2, arbitrary: fc.integer({ min: 0x388, max: 0x38b }) },
  { weight: 1, arbitrary: fc.integer({ min: 0x200, max: 0x207 }) },
  { weight: 1, arbitrary: fc.nat(0x0f) },
  { weight: 1, arbitrary: fc.integer({ min: 0xc0, max: 0xdf }) },
);
/** Commands that start, stop or change transfers, with operands that make them short. */
const command = fc.oneof(
  fc.tuple(
    fc.constantFrom(0xb0, 0xb2, 0xb4, 0xb6, 0xb8, 0xbc, 0xc0, 0xc2, 0xc4, 0xc6, 0xc8, 0xcc),
    byte,
    byte,
    fc.nat(3),
  ),
  fc.tuple(fc.constantFrom(0x14, 0x16, 0x17, 0x24, 0x74, 0x75, 0x76, 0x77, 0x80, 0x48), byte, fc.nat(3)),
  fc.tuple(fc.constantFrom(0x1c, 0x1f, 0x2c, 0x7d, 0x7f, 0x90, 0x91, 0x98, 0x99)),
  fc.tuple(fc.constantFrom(0xd0, 0xd1, 0xd3, 0xd4, 0xd5, 0xd6, 0xd9, 0xda, 0x45, 0x47, 0xf2, 0xf3, 0x20)),
  fc.tuple(fc.constantFrom(0x41, 0x42), byte, byte),
  fc.tuple(fc.constantFrom(0x40, 0x10, 0xe0, 0xe2, 0xe4, 0x38), byte),
  fc.tuple(byte),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('out' as const), port, value: byte }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('in' as const), port }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      ticks: fc.oneof(fc.nat(3000), fc.nat(2_000_000)),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('dsp' as const), bytes: command }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('dma' as const),
      channel: fc.constantFrom(1 as const, 5 as const),
      mode: fc.constantFrom(0x48, 0x58, 0x44, 0x54, 0x40, 0x68, 0x78),
      bytes: fc.integer({ min: 1, max: 1000 }).map((n) => 2 * n),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('midi' as const), byte }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const) }) },
);

/** Every frame that left, with its rate; blocks must follow each other in time. */
class Ears implements PcmSink {
  readonly heard: number[] = [];
  #nextTick = 0;

  write(samples: PcmSamples, frames: number, format: PcmFormat, startTick: number): void {
    expect(startTick).toBeGreaterThanOrEqual(this.#nextTick - 1);
    // Its last frame; the next may come sooner than a period later, when the rate changed.
    this.#nextTick = startTick + Math.floor(((frames - 1) * 10_000_000) / format.sampleRate);
    for (let frame = 0; frame < frames; frame++) {
      this.heard.push(format.sampleRate, samples[frame * 2]!, samples[frame * 2 + 1]!);
    }
  }
}

/** Everything at once: sources, MIDI both ways, old and new DSPs. */
function fullRig(dspVersion: number) {
  const midiIn = new MidiMemorySource();
  const rig = new Sb16Rig({
    dspVersion,
    midiIn,
    midiOut: new MidiMemorySink(),
    lineIn: new ToneSource(440),
    micIn: new ToneSource(880),
  });
  for (const at of [DATA - GUARD, DATA + DATA_BYTES]) rig.writeData(new Uint8Array(GUARD).fill(0xa7), at);
  return { rig, midiIn };
}

function apply(rig: Sb16Rig, midiIn: MidiMemorySource, one: Step): void {
  switch (one.kind) {
    case 'out':
      rig.out(one.port, one.value);
      break;
    case 'in': {
      const value = rig.in(one.port);
      expect(value).toBe(value & 0xff);
      break;
    }
    case 'time':
      rig.run(one.ticks);
      break;
    case 'dsp':
      rig.dsp(...one.bytes);
      break;
    case 'dma':
      rig.dma(one.channel, one.mode, one.bytes);
      break;
    case 'midi':
      midiIn.send([one.byte], rig.now);
      break;
    case 'reset':
      rig.out(BASE + 6, 1);
      rig.run(40);
      rig.out(BASE + 6, 0);
      break;
  }
}

function checkInvariants(rig: Sb16Rig): void {
  const { interrupts } = rig.machine.platform;
  const { irq } = rig.card.configuration;
  const status = rig.readMixer(0x82);
  expect(status & ~7).toBe(0);
  if (irq !== null) expect(interrupts.isAsserted(irq === 2 ? 9 : irq)).toBe(status !== 0);
  expect(rig.in(BASE + 0xc) & 0x7f).toBe(0x7f);
  for (const width of [8, 16] as const) {
    const { blockBytesLeft } = rig.card.position(width);
    expect(blockBytesLeft).toBeGreaterThanOrEqual(0);
    expect(blockBytesLeft).toBeLessThanOrEqual(0x2_0000);
  }
}

describe('any traffic', () => {
  test('the card lives, its line is what 82h says, and memory outside is untouched', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0x040d, 0x040d, 0x0405, 0x0302, 0x0201),
        fc.array(step, { minLength: 5, maxLength: 80 }),
        (version, steps) => {
          const { rig, midiIn } = fullRig(version);
          for (const one of steps) {
            apply(rig, midiIn, one);
            checkInvariants(rig);
          }
          // A reset brings the DSP back, whatever it was doing; from UART or high-speed mode it takes two.
          rig.resetDsp();
          rig.resetDsp();
          for (let i = 0; i < 70; i++) rig.in(BASE + 0xa);
          rig.dsp(0xe1);
          expect(rig.replies(2)).toEqual([version >> 8, version & 0xff]);
          for (const at of [DATA - GUARD, DATA + DATA_BYTES]) {
            expect(rig.readData(GUARD, at).every((value) => value === 0xa7)).toBe(true);
          }
          let last = 0;
          for (const take of rig.sink.takes) {
            expect(take.startTick).toBeGreaterThanOrEqual(last);
            last = take.startTick;
          }
          rig.dispose();
        },
      ),
      { numRuns: 150 },
    );
  });

  test('looking at the card in between changes nothing that it plays, records or counts', () => {
    const transfer = fc.record({
      command: fc.constantFrom(0xb0, 0xb2, 0xb4, 0xb6, 0xc0, 0xc2, 0xc4, 0xc6, 0x75, 0x77, 0x17, 0x80),
      mode: fc.constantFrom(0x00, 0x10, 0x20, 0x30),
      units: fc.integer({ min: 1, max: 700 }),
      rate: fc.constantFrom(5000, 8000, 11025, 22050, 44100, 45000),
      ticks: fc.integer({ min: 100, max: 800_000 }),
      after: fc.constantFrom([], [0xd0], [0xd5], [0xd9], [0xda], [0xd0, 0xd4], [0xd5, 0xd6]),
    });
    fc.assert(
      fc.property(
        fc.array(transfer, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 20 }),
        (transfers, looks) => {
          const run = (looking: boolean) => {
            const ears = new Ears();
            const rig = new Sb16Rig({ lineOut: ears });
            rig.mixer(0x30, 0xf8);
            rig.mixer(0x32, 0xf8);
            rig.writeData(Uint8Array.from({ length: 4000 }, (_, i) => (i * 89) & 0xff));
            let look = 0;
            const pass = (ticks: number) => {
              let left = ticks;
              while (looking && left > 0) {
                const part = Math.min(left, looks[look++ % looks.length]!);
                rig.run(part);
                rig.card.catchUp();
                rig.dmaCount(1);
                left -= part;
              }
              rig.run(left);
            };
            const counts: number[] = [];
            for (const { command: code, mode, units, rate, ticks, after } of transfers) {
              rig.dma(1, 0x58, 600);
              rig.dma(5, 0x58, 800);
              rig.dsp(0x41, rate >> 8, rate & 0xff, code);
              if (code >= 0xb0) rig.dsp(mode);
              rig.dsp((units - 1) & 0xff, (units - 1) >> 8);
              pass(ticks);
              counts.push(rig.readMixer(0x82), rig.dmaCount(1), rig.dmaCount(5));
              rig.in(BASE + 0xe);
              rig.in(BASE + 0xf);
              rig.dsp(...after);
              pass(50_000);
            }
            rig.card.catchUp();
            rig.dispose();
            return { counts, heard: ears.heard };
          };
          expect(run(true)).toEqual(run(false));
        },
      ),
      { numRuns: 80 },
    );
  });

  test('neither does it change what the FM chip plays through the mixer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1000, max: 600_000 }),
        (looks, length) => {
          const run = (looking: boolean) => {
            const rig = new Sb16Rig();
            const write = (register: number, value: number) => {
              rig.out(0x388, register);
              rig.out(0x389, value);
            };
            let look = 0;
            const pass = (ticks: number) => {
              let left = ticks;
              while (looking && left > 0) {
                const part = Math.min(left, looks[look++ % looks.length]!);
                rig.run(part);
                rig.in(BASE + 0xe);
                left -= part;
              }
              rig.run(left);
            };
            for (const [register, value] of [
              [0x23, 0x21],
              [0x63, 0xf5],
              [0x83, 0x7f],
              [0xc0, 0x31],
              [0xa0, 0x44],
              [0xb0, 0x32],
            ] as const) {
              write(register, value);
            }
            pass(length);
            write(0xb0, 0x12);
            pass(5_000_000);
            const takes = rig.sink.takes.map(({ format, startTick, samples }) => ({
              format,
              startTick,
              samples,
            }));
            rig.dispose();
            return takes;
          };
          expect(run(true)).toEqual(run(false));
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('a card that is pulled out', () => {
  test('is silent from then on, whatever it was doing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { rig, midiIn } = fullRig(0x040d);
        for (const one of steps) apply(rig, midiIn, one);
        rig.machine.unplug('isa:0');
        const frames = rig.sink.takes.reduce((sum, take) => sum + take.frames, 0);
        expect(rig.in(BASE + 0xc)).toBe(0xff);
        expect(rig.in(0x388)).toBe(0xff);
        expect(rig.machine.platform.interrupts.isAsserted(5)).toBe(false);
        rig.run(10_000_000);
        expect(rig.sink.takes.reduce((sum, take) => sum + take.frames, 0)).toBe(frames);
        rig.dispose();
      }),
      { numRuns: 40 },
    );
  });
});
