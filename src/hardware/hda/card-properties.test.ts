import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemorySink, ToneSource } from '../analog.ts';
import * as R from './registers.ts';
import { DATA_ADDRESS, formatWord, HdaRig, POSITION_ADDRESS, sdOffset } from './test-rig.ts';
import * as V from './verbs.ts';

const STREAMS = Array.from({ length: R.HDA_STREAMS }, (_, index) => index);

/** The interrupt formulas of §3.3.14, §3.3.15, from what software can read. */
function checkInvariants(rig: HdaRig): void {
  const { mmio } = rig;
  const intsts = mmio.read32(R.INTSTS);
  const intctl = mmio.read32(R.INTCTL);
  for (const stream of STREAMS) {
    const base = sdOffset(stream);
    const both = mmio.read32(base);
    const ctl = both & 0xff_ffff;
    const status = both >>> 24;
    expect(status & ~(R.STS_WRITE_CLEAR | R.STS_FIFORDY)).toBe(0);
    expect(ctl & ~R.CTL_WRITABLE).toBe(R.CTL_TP);
    const wants =
      ((status & R.STS_BCIS) !== 0 && (ctl & R.CTL_IOCE) !== 0) ||
      ((status & R.STS_FIFOE) !== 0 && (ctl & R.CTL_FEIE) !== 0) ||
      ((status & R.STS_DESE) !== 0 && (ctl & R.CTL_DEIE) !== 0);
    expect((intsts & (1 << stream)) !== 0).toBe(wants);
    const cbl = mmio.read32(base + R.SD_CBL);
    const lpib = mmio.read32(base + R.SD_LPIB);
    if (cbl > 0 && (ctl & R.CTL_RUN) === 0) expect(Number.isInteger(lpib)).toBe(true);
    expect(mmio.read32(base + R.SD_BDPL) & 0x7f).toBe(0);
  }
  const sources = intsts & intctl & 0x7fff_ffff;
  expect(rig.slot.asserted).toBe((intctl & R.INT_GLOBAL) !== 0 && sources !== 0);
}

const value = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.nat(0xff),
  fc.constantFrom(0, 1, 2, 3, 6, DATA_ADDRESS, 0xffff_ffff, 0x0010_001e),
);
const size = fc.constantFrom<(1 | 2 | 4)[]>(1, 2, 4);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('access' as const),
      write: fc.boolean(),
      offset: fc.oneof(fc.nat(0x17f), fc.nat(0x3fff), fc.constantFrom(0x100, 0x120, 0x80, 0x48, 0x68, 8)),
      size,
      value,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('time' as const),
      ticks: fc.oneof(fc.nat(500), fc.nat(100_000), fc.nat(1_000_000)),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('command' as const),
      codec: fc.nat(3),
      nid: fc.oneof(fc.nat(0x25), fc.nat(0x7f)),
      body: fc.oneof(
        fc.nat(0xf_ffff),
        fc
          .tuple(fc.constantFrom(...V.HDA_VERBS), fc.nat(0xffff))
          .map(([{ verb }, payload]) => V.encodeHdaCommand(0, 0, verb, payload)),
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('stream' as const),
      stream: fc.nat(7),
      tag: fc.nat(4),
      format: fc.nat(0xffff),
      lengths: fc.array(fc.oneof(fc.nat(64), fc.nat(20_000)), { minLength: 1, maxLength: 6 }),
      enables: fc.nat(7),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('jack' as const),
      plug: fc.boolean(),
      nid: fc.constantFrom(0x14, 0x18, 0x1a, 0x1b, 0x1e),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('bringUp' as const, 'busMaster' as const, 'rings' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('config' as const),
      offset: fc.constantFrom(0x04, 0x44, 0x54, 0x62, 0x64),
      value: fc.nat(0xff),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function perform(rig: HdaRig, action: Step): void {
  switch (action.kind) {
    case 'access': {
      const limit = action.size === 4 ? 0xffff_ffff : 2 ** (8 * action.size) - 1;
      if (action.write) rig.mmio.write(action.offset, action.size, action.value % (limit + 1));
      else {
        const read = rig.mmio.read(action.offset, action.size);
        expect(Number.isInteger(read) && read >= 0 && read <= limit).toBe(true);
      }
      break;
    }
    case 'time':
      rig.advance(action.ticks);
      break;
    case 'command':
      rig.mmio.write32(R.ICOI, ((action.codec << 28) | (action.nid << 20) | action.body) >>> 0);
      rig.mmio.write16(R.ICIS, R.ICIS_IRV);
      rig.mmio.write16(R.ICIS, R.ICIS_ICB);
      rig.advance(600);
      break;
    case 'stream': {
      const base = rig.prepare({
        ...action,
        entries: action.lengths.map((bytes, index) => ({
          address: DATA_ADDRESS,
          bytes,
          ioc: index % 2 === 0,
        })),
      });
      rig.mmio.write8(base, R.CTL_RUN | (action.enables << 2));
      break;
    }
    case 'jack':
      if (action.plug) rig.card.plug(0, action.nid, { sink: new MemorySink(), source: new ToneSource(440) });
      else rig.card.unplug(0, action.nid);
      break;
    case 'bringUp':
      rig.card.onConfigWrite(0x54, 1, 0);
      rig.card.onConfigWrite(0x62, 2, 0);
      rig.bringUp();
      rig.mmio.write32(R.INTCTL, 0xffff_ffff);
      break;
    case 'busMaster':
      rig.slot.busMasterEnable = !rig.slot.busMasterEnable;
      rig.card.onConfigWrite(4, 2, 0);
      break;
    case 'rings':
      rig.startRings();
      break;
    case 'config':
      rig.card.onConfigWrite(action.offset, 1, action.value);
      break;
    default:
      break;
  }
}

test('no traffic makes the card throw or hang, and the line is always what the registers say (property)', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, desktop) => {
      const rig = new HdaRig(
        {
          codecs: [
            {
              name: 'desktop',
              jacks: { 20: { sink: new MemorySink() }, 26: { source: new ToneSource(1000) } },
            },
            { name: desktop ? 'hdmi' : 'qemu-duplex' },
          ],
        },
        { wantsRegisters: true, wantsDma: true },
      ).bringUp();
      rig.mmio.write32(R.INTCTL, 0xffff_ffff);
      for (const action of steps) perform(rig, action);
      rig.card.onConfigWrite(0x54, 1, 0);
      rig.card.onConfigWrite(0x62, 2, 0);
      checkInvariants(rig);
      rig.card.describeWidgets();
      rig.card.snapshot();
      rig.card.detach();
    }),
    { numRuns: 200 },
  );
}, 60_000);

test('whatever the entries, pauses and format, the jack hears the buffer in order (property)', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 2, maxLength: 40 }),
      fc.array(fc.record({ run: fc.nat(90_000), pause: fc.nat(90_000) }), { maxLength: 8 }),
      fc.constantFrom(8000, 44_100, 48_000, 96_000, 192_000),
      fc.constantFrom(16, 32),
      (lengths, pauses, rate, bits) => {
        const sink = new MemorySink();
        const rig = new HdaRig({ codecs: [{ name: 'qemu-output', jacks: { 3: { sink } } }] }).bringUp();
        const format = formatWord(rate, bits, 2);
        rig.verb(2, V.SET_FORMAT, format);
        rig.verb(2, V.SET_STREAM_CHANNEL, 0x10);
        const frameBytes = bits / 4;
        const total = lengths.reduce((sum, length) => sum + length, 0);
        // The last entry fills up to whole frames, so that a turn ends where the next begins.
        const entries = [...lengths, 2 * frameBytes - (total % frameBytes)];
        const bytes = entries.reduce((sum, length) => sum + length, 0);
        const count = (bytes / frameBytes) * 2;
        const data =
          bits === 16
            ? Int16Array.from({ length: count }, (_, index) => 1 + (index % 32_000))
            : Int32Array.from({ length: count }, (_, index) => 1 + index * 50_000);
        rig.bytesAt(DATA_ADDRESS, bytes).set(new Uint8Array(data.buffer));
        let at = DATA_ADDRESS;
        rig.run({
          stream: 4,
          tag: 1,
          format,
          entries: entries.map((length) => {
            at += length;
            return { address: at - length, bytes: length };
          }),
        });
        for (const { run, pause } of pauses) {
          rig.advance(run);
          rig.mmio.write8(0x100, 0);
          rig.advance(pause);
          rig.mmio.write8(0x100, R.CTL_RUN);
        }
        rig.advance(300_000);
        rig.card.catchUp();
        const heard = [...sink.takes[0]!.samples].filter((sample) => sample !== 0);
        expect(heard.length).toBeGreaterThan(0);
        for (const [index, sample] of heard.entries())
          if (sample !== data[index % count]) expect([index, sample]).toBe(data[index % count]);
        expect(((heard.length / 2) * frameBytes) % bytes).toBe(rig.card.position(4).lpib);
      },
    ),
    { numRuns: 120 },
  );
}, 60_000);

test('positions follow from the start by integers after an hour', () => {
  const rig = new HdaRig().bringUp();
  const format = formatWord(44_100, 16, 2);
  rig.verb(2, V.SET_FORMAT, format);
  const start = rig.run({
    stream: 4,
    tag: 1,
    format,
    entries: [0, 1].map((index) => ({ address: DATA_ADDRESS + 0x4_0000 * index, bytes: 0x4_0000 })),
  });
  const hour = 3600 * 10_000_000;
  rig.slot.clock.advanceTo(start + hour);
  expect(rig.card.position(4).frames).toBe(3600 * 44_100);
  expect(rig.card.position(4).lpib).toBe((3600 * 44_100 * 4) % 0x8_0000);
  expect(POSITION_ADDRESS % 128).toBe(0);
}, 30_000);
