import * as R from '../../hardware/hda/registers.ts';
import {
  encodeHdaCommand,
  GET_FORMAT,
  GET_PARAMETER,
  GET_STREAM_CHANNEL,
  PARAM_VENDOR_ID,
  SET_FORMAT,
  SET_STREAM_CHANNEL,
} from '../../hardware/hda/verbs.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import { BYTES_PER_MS, type HdaBench } from './bench.ts';
import { checkTable } from './check-table.ts';
import { HdaRings } from './rings.ts';

const POWER_ON = { need: 'powerOn' } as const;
/** 24 MHz in wall clocks a millisecond. */
const CLOCKS_PER_MS = 24_000;
/** 25 link frames. */
const DISCOVERY_TICKS = 521 * TICKS_PER_MICROSECOND;

/** What every register of rings, interrupts and streams has after a reset of the controller. */
function expectResetValues(bench: HdaBench, expect: Expectations): void {
  for (const [name, offset, size] of [
    ['INTCTL', R.INTCTL, 4],
    ['CORBLBASE', R.CORBLBASE, 4],
    ['CORBUBASE', R.CORBUBASE, 4],
    ['CORBWP', R.CORBWP, 2],
    ['CORBCTL', R.CORBCTL, 1],
    ['RIRBLBASE', R.RIRBLBASE, 4],
    ['RIRBUBASE', R.RIRBUBASE, 4],
    ['RINTCNT', R.RINTCNT, 2],
    ['RIRBCTL', R.RIRBCTL, 1],
    ['DPLBASE', R.DPLBASE, 4],
    ['DPUBASE', R.DPUBASE, 4],
  ] as const)
    expect.equal(name, bench.card.readBar(0, offset, size), 0);
}

/** Controller reset, codec discovery, wall clock. */
export const RESET_CHECKS = checkTable('RST', 'Controller reset', [
  [
    '001',
    'After power-on the controller is in reset: CRST is 0',
    'HDA 1.0a §3.3.7, §4.2.2',
    (bench, expect) => {
      expect.equal('GCTL', bench.read32(R.GCTL), 0);
    },
    POWER_ON,
  ],
  [
    '002',
    'After power-on no codec has announced itself',
    'HDA 1.0a §3.3.9, §4.3',
    (bench, expect) => {
      expect.equal('STATESTS', bench.read16(R.STATESTS), 0);
      expect.equal('WAKEEN', bench.read16(R.WAKEEN), 0);
    },
    POWER_ON,
  ],
  [
    '003',
    'CRST reads 1 soon after it was written',
    'HDA 1.0a §3.3.7, §4.2.2',
    (bench, expect) => {
      bench.enterReset();
      expect.that('CRST', bench.leaveReset(), 'reads 1', 'stays 0');
    },
  ],
  [
    '004',
    'CRST reads 0 soon after it was written',
    'HDA 1.0a §3.3.7',
    (bench, expect) => {
      expect.that('CRST', bench.enterReset(), 'reads 0', 'stays 1');
    },
  ],
  [
    '005',
    'Codecs announce themselves within 25 link frames of CRST',
    'HDA 1.0a §4.3',
    (bench, expect) => {
      bench.enterReset();
      bench.write16(R.STATESTS, 0x7fff);
      bench.write32(R.GCTL, R.GCTL_CRST);
      bench.card.waitUntil(() => (bench.read32(R.GCTL) & R.GCTL_CRST) !== 0, 10 * TICKS_PER_MILLISECOND);
      bench.card.letTimePass(DISCOVERY_TICKS);
      const announced = bench.read16(R.STATESTS);
      expect.that('STATESTS', announced !== 0, 'a bit for each codec', '0000h');
    },
  ],
  [
    '006',
    'A codec answers at the address at which it announced itself, and none does elsewhere',
    'HDA 1.0a §4.3, §3.3.9',
    (bench, expect) => {
      bench.enterReset();
      bench.leaveReset();
      const announced = bench.read16(R.STATESTS);
      for (let address = 0; address < 4; address++) {
        const answer = bench.immediate(encodeHdaCommand(address, 0, GET_PARAMETER, PARAM_VENDOR_ID), 50_000);
        const there = (announced & (1 << address)) !== 0;
        expect.that(
          `answer of codec ${address}`,
          (answer !== null) === there,
          there ? 'comes' : 'none',
          answer === null ? 'none' : 'comes',
        );
      }
    },
  ],
  [
    '007',
    'STATESTS is cleared by ones alone',
    'HDA 1.0a §3.3.9',
    (bench, expect) => {
      bench.enterReset();
      bench.leaveReset();
      const announced = bench.read16(R.STATESTS);
      bench.write16(R.STATESTS, ~announced & 0x7fff);
      expect.equal('STATESTS after zeros', bench.read16(R.STATESTS), announced);
      bench.write16(R.STATESTS, announced);
      expect.equal('STATESTS after ones', bench.read16(R.STATESTS), 0);
    },
  ],
  [
    '008',
    'In reset, registers ignore writes',
    'HDA 1.0a §3.3.7',
    (bench, expect) => {
      bench.enterReset();
      bench.write32(R.CORBLBASE, 0x1234_5680);
      bench.write32(R.INTCTL, 0xff);
      bench.leaveReset();
      expect.equal('CORBLBASE', bench.read32(R.CORBLBASE), 0);
      expect.equal('INTCTL', bench.read32(R.INTCTL), 0);
    },
  ],
  [
    '009',
    'WAKEEN can be written in reset',
    'HDA 1.0a §3.3.7, §3.3.8',
    (bench, expect) => {
      bench.enterReset();
      bench.write16(R.WAKEEN, 1);
      expect.equal('WAKEEN', bench.read16(R.WAKEEN), 1);
      bench.write16(R.WAKEEN, 0);
      expect.equal('WAKEEN after 0', bench.read16(R.WAKEEN), 0);
    },
  ],
  [
    '010',
    'A reset clears interrupt enables, rings and position buffer',
    'HDA 1.0a §3.3.7, §3.3.14–3.3.33',
    (bench, expect) => {
      bench.write32(R.INTCTL, 0xff);
      bench.write32(R.CORBLBASE, 0x1234_5680);
      bench.write32(R.CORBUBASE, 1);
      bench.write16(R.CORBWP, 5);
      bench.write32(R.RIRBLBASE, 0x1234_5680);
      bench.write32(R.RIRBUBASE, 1);
      bench.write16(R.RINTCNT, 5);
      bench.write8(R.RIRBCTL, R.RIRBCTL_OIC);
      bench.write32(R.DPLBASE, 0x1234_5680);
      bench.write32(R.DPUBASE, 1);
      bench.enterReset();
      bench.leaveReset();
      expectResetValues(bench, expect);
    },
  ],
  [
    '011',
    'A reset clears every stream descriptor',
    'HDA 1.0a §3.3.7, §3.3.35–3.3.43',
    (bench, expect) => {
      for (let stream = 0; stream < bench.streams; stream++) {
        bench.write32(bench.at(stream, R.SD_CBL), 0x1000);
        bench.write16(bench.at(stream, R.SD_LVI), 7);
        bench.write16(bench.at(stream, R.SD_FMT), 0x0011);
        bench.write32(bench.at(stream, R.SD_BDPL), 0x1234_5680);
        bench.write8(bench.at(stream, R.SD_CTL) + 2, 0x30);
      }
      bench.enterReset();
      bench.leaveReset();
      for (let stream = 0; stream < bench.streams; stream++) {
        expect.equal(`CBL of stream ${stream}`, bench.read32(bench.at(stream, R.SD_CBL)), 0);
        expect.equal(`LVI of stream ${stream}`, bench.read16(bench.at(stream, R.SD_LVI)), 0);
        expect.equal(`FMT of stream ${stream}`, bench.read16(bench.at(stream, R.SD_FMT)), 0);
        expect.equal(`BDPL of stream ${stream}`, bench.read32(bench.at(stream, R.SD_BDPL)), 0);
        expect.bits(`STRM of stream ${stream}`, bench.ctl(stream), R.CTL_STRM, 0);
      }
    },
  ],
  [
    '012',
    'WAKEEN survives a reset of the controller',
    'HDA 1.0a §3.3.7, §3.3.8',
    (bench, expect) => {
      bench.write16(R.WAKEEN, 1);
      bench.enterReset();
      bench.leaveReset();
      expect.equal('WAKEEN', bench.read16(R.WAKEEN), 1);
    },
  ],
  [
    '013',
    'Entering reset announces nothing: STATESTS stays clear until the link is up again',
    'HDA 1.0a §3.3.9, §4.3',
    (bench, expect) => {
      bench.write16(R.STATESTS, 0x7fff);
      bench.enterReset();
      bench.wait(1);
      expect.equal('STATESTS in reset', bench.read16(R.STATESTS), 0);
    },
  ],
  [
    '014',
    'A reset stops a stream that runs',
    'HDA 1.0a §3.3.7',
    (bench, expect) => {
      const stream = bench.firstOutput;
      bench.openOutput(1);
      bench.program({ stream, tag: 1, entries: bench.silentEntries(2, 20 * BYTES_PER_MS) });
      bench.run(stream);
      bench.wait(5);
      bench.enterReset();
      bench.leaveReset();
      expect.bits('RUN', bench.ctl(stream), R.CTL_RUN, 0);
      const before = bench.lpib(stream);
      bench.wait(5);
      expect.equal('LPIB later', bench.lpib(stream), before);
      expect.equal('LPIB', before, 0);
    },
  ],
  [
    '015',
    'A reset takes back an interrupt',
    'HDA 1.0a §3.3.7, §3.3.14',
    (bench, expect) => {
      bench.write32(R.INTCTL, R.INT_GLOBAL | R.INT_CONTROLLER);
      new HdaRings(bench)
        .start({ rintcnt: 1, rirbCtl: R.RIRBCTL_DMAEN | R.RIRBCTL_RINTCTL })
        .post(0, GET_PARAMETER, 0);
      bench.card.waitUntil(() => bench.card.interruptAsserted, 10 * TICKS_PER_MILLISECOND);
      expect.that('interrupt line before', bench.card.interruptAsserted, 'high', 'low');
      bench.enterReset();
      expect.that('interrupt line in reset', !bench.card.interruptAsserted, 'low', 'high');
    },
  ],
  [
    '016',
    'A reset of the link resets the codecs: converters belong to no stream',
    'HDA 1.0a §5.5.1, §7.3.3.11',
    (bench, expect) => {
      const { nid } = bench.graph.outputRoute.converter;
      bench.powerUp();
      bench.verb(nid, SET_STREAM_CHANNEL, 0x51);
      bench.verb(nid, SET_FORMAT, 0x4011);
      bench.enterReset();
      bench.leaveReset();
      expect.equal('stream and channel', bench.verb(nid, GET_STREAM_CHANNEL, 0), 0);
      const format = bench.verb(nid, GET_FORMAT, 0);
      expect.that('format', format !== 0x4011, 'as after power-on', '4011h');
    },
  ],
  [
    '017',
    'CRST written 1 again resets nothing',
    'HDA 1.0a §3.3.7',
    (bench, expect) => {
      bench.write32(R.INTCTL, 0x3c);
      bench.write32(R.GCTL, R.GCTL_CRST);
      expect.equal('INTCTL', bench.read32(R.INTCTL), 0x3c);
    },
  ],
  [
    '018',
    'UNSOL can be set and cleared',
    'HDA 1.0a §3.3.7',
    (bench, expect) => {
      bench.write32(R.GCTL, R.GCTL_CRST | R.GCTL_UNSOL);
      expect.equal('GCTL with UNSOL', bench.read32(R.GCTL), R.GCTL_CRST | R.GCTL_UNSOL);
      bench.write32(R.GCTL, R.GCTL_CRST);
      expect.equal('GCTL without', bench.read32(R.GCTL), R.GCTL_CRST);
    },
  ],
  [
    '019',
    'Reserved bits of GCTL read 0',
    'HDA 1.0a §3.3.7',
    (bench, expect) => {
      bench.write32(R.GCTL, 0xffff_fefd);
      expect.equal('GCTL', bench.read32(R.GCTL), R.GCTL_CRST);
    },
  ],
  [
    '020',
    'A flush ends: FCNTRL clears itself, and FSTS tells until it is cleared by a one',
    'HDA 1.0a §3.3.7, §3.3.10',
    (bench, expect) => {
      bench.write32(R.DPLBASE, bench.card.allocateRam(128, 128));
      bench.write32(R.GCTL, R.GCTL_CRST | R.GCTL_FCNTRL);
      bench.card.waitUntil(() => (bench.read16(R.GSTS) & R.GSTS_FSTS) !== 0, 5 * TICKS_PER_MILLISECOND);
      expect.equal('GSTS after', bench.read16(R.GSTS), R.GSTS_FSTS);
      expect.bits('FCNTRL after', bench.read32(R.GCTL), R.GCTL_FCNTRL, 0);
      bench.write16(R.GSTS, R.GSTS_FSTS);
      expect.equal('GSTS cleared', bench.read16(R.GSTS), 0);
    },
  ],
  [
    '021',
    'No codec answers while the link is in reset',
    'HDA 1.0a §4.2.2, §5.5.1',
    (bench, expect) => {
      bench.enterReset();
      const answer = bench.immediate(encodeHdaCommand(bench.codec, 0, GET_PARAMETER, 0), 20_000);
      expect.that('answer', answer === null, 'none', `${answer}`);
    },
  ],
  [
    '022',
    'The wall clock counts 24 MHz',
    'HDA 1.0a §3.3.16',
    (bench, expect) => {
      const { card } = bench;
      const [from, start] = [card.now, bench.read32(R.WALCLK)];
      bench.wait(40);
      const clocks = (bench.read32(R.WALCLK) - start) >>> 0;
      const elapsed = (card.now - from) / TICKS_PER_MILLISECOND;
      const slack = card.realTime ? 2 : 0.001;
      expect.between(
        'wall clocks',
        clocks,
        Math.floor((elapsed - slack) * CLOCKS_PER_MS),
        Math.ceil((elapsed + slack) * CLOCKS_PER_MS),
      );
    },
  ],
  [
    '023',
    'The wall clock begins at 0 with each reset',
    'HDA 1.0a §3.3.16',
    (bench, expect) => {
      bench.wait(30);
      bench.enterReset();
      bench.leaveReset();
      expect.between('wall clocks', bench.read32(R.WALCLK), 0, 20 * CLOCKS_PER_MS);
    },
  ],
  [
    '024',
    'The wall clock cannot be written',
    'HDA 1.0a §3.3.16',
    (bench, expect) => {
      bench.write32(R.WALCLK, 0xf000_0000);
      expect.between('wall clocks', bench.read32(R.WALCLK), 0, 0x0fff_ffff);
    },
  ],
  [
    '025',
    'The wall clock has an alias at 2030h',
    'HDA 1.0a §3.3.44',
    (bench, expect) => {
      const before = bench.read32(R.WALCLK);
      const alias = bench.read32(R.WALCLK + R.HDA_ALIAS);
      const after = bench.read32(R.WALCLK);
      expect.between('WALCLKA', alias, before, after);
      expect.that('WALCLKA runs', alias !== 0, 'not 0', '0');
    },
  ],
]);
