import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MemorySink, ToneSource } from '../analog.ts';
import { AC97_REGISTERS } from '../codecs/ac97-registers.ts';
import {
  CR_FEIE,
  CR_IOCE,
  CR_LVBIE,
  CR_RPBM,
  ENGINE_OFFSET,
  GLOB_STA,
  SR_BCIS,
  SR_CELV,
  SR_DCH,
  SR_FIFOE,
  SR_LVBCI,
  STA_MINT,
  STA_PIINT,
  STA_POINT,
} from './registers.ts';
import { Ac97Rig, DATA_ADDRESS } from './test-rig.ts';

const ENGINES = ['PI', 'PO', 'MC'] as const;
const INTERRUPT_BIT = { PI: STA_PIINT, PO: STA_POINT, MC: STA_MINT } as const;

/** The interrupt formula of §12.2.4/12.2.7, from what software can read. */
function wantsInterrupt(rig: Ac97Rig, engine: (typeof ENGINES)[number]): boolean {
  const base = ENGINE_OFFSET[engine];
  const sr = rig.nabm.read16(base + 6);
  const cr = rig.nabm.read8(base + 11);
  return (
    ((sr & SR_BCIS) !== 0 && (cr & CR_IOCE) !== 0) ||
    ((sr & SR_LVBCI) !== 0 && (cr & CR_LVBIE) !== 0) ||
    ((sr & SR_FIFOE) !== 0 && (cr & CR_FEIE) !== 0)
  );
}

function checkInvariants(rig: Ac97Rig): void {
  let line = false;
  const status = rig.nabm.read32(GLOB_STA);
  for (const engine of ENGINES) {
    const base = ENGINE_OFFSET[engine];
    const sr = rig.nabm.read16(base + 6);
    const cr = rig.nabm.read8(base + 11);
    expect(rig.nabm.read8(base + 4)).toBeLessThanOrEqual(31);
    expect(rig.nabm.read8(base + 5)).toBeLessThanOrEqual(31);
    expect(rig.nabm.read8(base + 10)).toBeLessThanOrEqual(31);
    expect(rig.nabm.read32(base) & 7).toBe(0);
    expect(sr & ~0x1f).toBe(0);
    expect(cr & ~0x1d).toBe(0);
    if ((cr & CR_RPBM) === 0) expect(sr & SR_DCH).toBe(SR_DCH);
    if ((sr & SR_CELV) !== 0) expect(sr & SR_DCH).toBe(SR_DCH);
    if ((sr & SR_CELV) !== 0) expect(rig.nabm.read16(base + 8)).toBe(0);
    // The dword views and the single registers are the same registers.
    expect(rig.nabm.read32(base + 4) >>> 16).toBe(sr);
    expect(rig.nabm.read32(base + 8) >>> 24).toBe(cr);
    const wants = wantsInterrupt(rig, engine);
    expect((status & INTERRUPT_BIT[engine]) !== 0).toBe(wants);
    line ||= wants;
  }
  expect(rig.slot.asserted).toBe(line);
}

type Step =
  | {
      readonly kind: 'nabm' | 'nam';
      readonly write: boolean;
      readonly offset: number;
      readonly size: 1 | 2 | 4;
      readonly value: number;
    }
  | { readonly kind: 'time'; readonly ticks: number }
  | {
      readonly kind: 'ring';
      readonly engine: (typeof ENGINES)[number];
      readonly samples: number;
      readonly flags: number;
    }
  | {
      readonly kind: 'run';
      readonly engine: (typeof ENGINES)[number];
      readonly lvi: number;
      readonly cr: number;
    }
  | { readonly kind: 'bringUp' | 'busMaster' | 'pciReset' };

const engine = fc.constantFrom(...ENGINES);
const size = fc.constantFrom<(1 | 2 | 4)[]>(1, 2, 4);
const anyValue = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.nat(0x1f), fc.constant(DATA_ADDRESS));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('nabm' as const),
      write: fc.boolean(),
      offset: fc.nat(63),
      size,
      value: anyValue,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('nam' as const),
      write: fc.boolean(),
      offset: fc.nat(255),
      size,
      value: anyValue,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      ticks: fc.oneof(fc.nat(2000), fc.nat(3_000_000)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('ring' as const),
      engine,
      samples: fc.oneof(fc.constant(0), fc.nat(200), fc.nat(0xffff)),
      flags: fc.constantFrom(0, 0x8000_0000, 0x4000_0000, 0xc000_0000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('run' as const), engine, lvi: fc.nat(255), cr: fc.nat(255) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('bringUp' as const, 'busMaster' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pciReset' as const) }) },
);

function perform(rig: Ac97Rig, action: Step): void {
  switch (action.kind) {
    case 'nabm':
    case 'nam': {
      const window = action.kind === 'nabm' ? rig.nabm : rig.nam;
      const limit = action.size === 4 ? 0xffff_ffff : 2 ** (8 * action.size) - 1;
      if (action.write) window.write(action.offset, action.size, action.value % (limit + 1));
      else {
        const value = window.read(action.offset, action.size);
        expect(Number.isInteger(value) && value >= 0 && value <= limit).toBe(true);
      }
      break;
    }
    case 'time':
      rig.advance(action.ticks);
      break;
    case 'ring':
      rig.describe(
        action.engine,
        Array.from({ length: 32 }, () => ({
          address: DATA_ADDRESS,
          samples: action.samples,
          flags: action.flags,
        })),
      );
      break;
    case 'run':
      rig.start(action.engine, action.lvi & 31, action.cr & ~2);
      break;
    case 'bringUp':
      rig.bringUp();
      break;
    case 'busMaster':
      rig.slot.busMasterEnable = !rig.slot.busMasterEnable;
      rig.card.onConfigWrite(4);
      break;
    default:
      rig.card.reset();
  }
}

describe('whatever software does', () => {
  test('the card neither throws nor hangs, and its registers keep their rules (property)', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.boolean(), (steps, traced) => {
        const rig = new Ac97Rig(
          {
            lineOut: new MemorySink(),
            monoOut: { write: () => undefined },
            lineIn: new ToneSource(440),
            micIn: new ToneSource(100),
          },
          { wantsRegisters: traced, wantsDma: traced },
        );
        for (const action of steps) {
          perform(rig, action);
          checkInvariants(rig);
        }
        rig.advance(50_000_000);
        checkInvariants(rig);
      }),
      { numRuns: 300 },
    );
  });

  test('looking changes nothing: reads at any times leave positions, interrupts and sound as they are (property)', () => {
    const look = fc.record({ ticks: fc.nat(60_000), offset: fc.nat(0x3b).filter((at) => at !== 0x34), size });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 12 }),
        fc.array(look, { maxLength: 60 }),
        fc.integer({ min: 8000, max: 48000 }),
        (lengths, looks, rate) => {
          const outcome = (withLooks: boolean): unknown => {
            const sink = new MemorySink();
            const rig = new Ac97Rig({ lineOut: sink }).bringUp().unmute();
            rig.nam.write16(0x2a, 1);
            rig.nam.write16(0x2c, rate);
            const data = rig.slot.samplesAt(DATA_ADDRESS, 20_000);
            for (let index = 0; index < data.length; index++) data[index] = (index * 7919) % 32749;
            let at = DATA_ADDRESS;
            rig.describe(
              'PO',
              lengths.map((frames) => {
                const descriptor = { address: at, samples: frames * 2, flags: 0xc000_0000 };
                at += frames * 4;
                return descriptor;
              }),
            );
            const log: number[] = [];
            rig.slot.onInterrupt = () => {
              log.push(rig.now);
              rig.nabm.write16(0x16, rig.nabm.read16(0x16));
            };
            const start = rig.now;
            rig.start('PO', lengths.length - 1, CR_IOCE | CR_LVBIE);
            if (withLooks) {
              for (const { ticks, offset, size: width } of looks) {
                rig.advance(ticks);
                if ((offset & 3) + width <= 4) rig.nabm.read(offset, width);
              }
            }
            rig.slot.clock.advanceTo(start + 60 * 60_000 + 20_000_000);
            rig.card.catchUp();
            const position = rig.card.position('PO');
            return { log, sound: Array.from(sink.samples), runs: sink.takes[0]?.runs, position };
          };
          expect(outcome(true)).toEqual(outcome(false));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('what is heard is what lay in the buffers, in order, at any rate and any pattern of lengths and pauses (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(600), { minLength: 1, maxLength: 32 }),
        fc.array(fc.record({ runTicks: fc.nat(80_000), pauseTicks: fc.nat(80_000) }), { maxLength: 8 }),
        fc.integer({ min: 8000, max: 48000 }),
        (frames, pauses, rate) => {
          const sink = new MemorySink();
          const rig = new Ac97Rig({ lineOut: sink }).bringUp().unmute();
          rig.nam.write16(0x2a, 1);
          rig.nam.write16(0x2c, rate);
          const total = frames.reduce((sum, count) => sum + count, 0);
          const data = Int16Array.from({ length: total * 2 }, (_, index) => 1 + (index % 32000));
          rig.slot.samplesAt(DATA_ADDRESS, data.length).set(data);
          let at = DATA_ADDRESS;
          rig.describe(
            'PO',
            frames.map((count) => {
              const descriptor = { address: at, samples: count * 2, flags: 0x4000_0000 };
              at += count * 4;
              return descriptor;
            }),
          );
          rig.start('PO', frames.length - 1);
          for (const { runTicks, pauseTicks } of pauses) {
            rig.advance(runTicks);
            rig.nabm.write8(0x1b, 0);
            rig.advance(pauseTicks);
            rig.nabm.write8(0x1b, CR_RPBM);
          }
          rig.advance(40_000_000);
          rig.card.catchUp();
          const heard = sink.frames === 0 ? new Int16Array(0) : sink.samples.filter((sample) => sample !== 0);
          expect(heard).toEqual(data);
          expect(rig.card.position('PO')).toMatchObject({ dmaSamples: total * 2, converterFrames: total });
        },
      ),
      { numRuns: 150 },
    );
  });

  test('the DMA is ahead of the DAC by at most the FIFO, and within one burst of it (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20_000), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 8 }),
        (times, bursts) => {
          const rig = new Ac97Rig({ fifoBytes: bursts * 32 }).bringUp().unmute();
          rig.describe(
            'PO',
            Array.from({ length: 32 }, () => ({ address: DATA_ADDRESS, samples: 20_000 })),
          );
          rig.start('PO', 31);
          for (const ticks of times) {
            rig.advance(ticks);
            const { dmaSamples, converterFrames } = rig.card.position('PO');
            const ahead = dmaSamples - converterFrames * 2;
            expect(ahead).toBeLessThanOrEqual(bursts * 16);
            expect(ahead).toBeGreaterThan((bursts - 1) * 16);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

test('every mixer register can be reached through the window, and holds its mask', () => {
  const rig = new Ac97Rig().bringUp();
  for (const register of AC97_REGISTERS) {
    if (register.kind === 'constant' || register.kind === 'rate' || register.name === 'POWERDOWN') continue;
    rig.nam.write16(register.offset, 0xffff);
    expect([register.name, rig.nam.read16(register.offset) & register.writeMask]).toEqual([
      register.name,
      register.writeMask,
    ]);
  }
});
