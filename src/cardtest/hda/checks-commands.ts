import * as R from '../../hardware/hda/registers.ts';
import {
  encodeHdaCommand,
  GET_PARAMETER,
  PARAM_NODE_COUNT,
  PARAM_REVISION_ID,
  PARAM_VENDOR_ID,
} from '../../hardware/hda/verbs.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { HdaBench } from './bench.ts';
import { checkTable } from './check-table.ts';
import { HdaRings } from './rings.ts';

/** No RAM of any bench is there. */
const NO_MEMORY = 0x9000_0000;
const WITH_INTERRUPT = R.RIRBCTL_DMAEN | R.RIRBCTL_RINTCTL;
const CONTROLLER_INTERRUPTS = R.INT_GLOBAL | R.INT_CONTROLLER;
const PARAMETERS = [PARAM_VENDOR_ID, PARAM_REVISION_ID, PARAM_NODE_COUNT] as const;

/** What the root node answers, by the immediate registers. */
function rootParameters(bench: HdaBench): readonly number[] {
  return PARAMETERS.map((parameter) => bench.verb(0, GET_PARAMETER, parameter));
}

function waitFor(bench: HdaBench, condition: () => boolean): boolean {
  return condition() || bench.card.waitUntil(condition, 50 * TICKS_PER_MILLISECOND);
}

/** CORB, RIRB and the immediate command registers. */
export const COMMAND_CHECKS = checkTable('CMD', 'Command and response rings', [
  [
    '001',
    'A command in the CORB is fetched: the read pointer follows the write pointer',
    'HDA 1.0a §3.3.20, §3.3.21, §4.4.1',
    (bench, expect) => {
      const rings = new HdaRings(bench).start();
      rings.post(0, GET_PARAMETER, PARAM_VENDOR_ID);
      waitFor(bench, () => bench.read16(R.CORBRP) === 1);
      expect.equal('CORBRP', bench.read16(R.CORBRP), 1);
      expect.equal('CORBWP', bench.read16(R.CORBWP), 1);
    },
  ],
  [
    '002',
    'The response is stored behind the write pointer, which moves on',
    'HDA 1.0a §3.3.27, §4.4.2',
    (bench, expect) => {
      const [vendor = 0] = rootParameters(bench);
      const rings = new HdaRings(bench).start();
      rings.post(0, GET_PARAMETER, PARAM_VENDOR_ID);
      const [first] = rings.take(1);
      expect.equal('response', first?.response ?? 0, vendor);
      expect.equal('RIRBWP', bench.read16(R.RIRBWP), 1);
      expect.equal('entry 0, which is not used first', rings.entry(0).response, 0);
    },
  ],
  [
    '003',
    'The second dword of a response names the codec and says that it was asked for',
    'HDA 1.0a §4.4.2.1',
    (bench, expect) => {
      const rings = new HdaRings(bench).start();
      rings.post(0, GET_PARAMETER, PARAM_VENDOR_ID);
      const [first] = rings.take(1);
      expect.bits('extended response', first?.extended ?? -1, 0x1f, bench.codec);
    },
  ],
  [
    '004',
    'Commands that stand together are answered in order',
    'HDA 1.0a §4.4.1, §4.4.2',
    (bench, expect) => {
      const expected = rootParameters(bench);
      const rings = new HdaRings(bench).start();
      for (let turn = 0; turn < 4; turn++)
        for (const parameter of PARAMETERS) rings.put(0, GET_PARAMETER, parameter);
      rings.ring();
      const taken = rings.take(12);
      expect.same(
        'responses',
        taken.map(({ response }) => response),
        [...expected, ...expected, ...expected, ...expected],
      );
    },
  ],
  [
    '005',
    'Both rings wrap after 256 entries',
    'HDA 1.0a §3.3.20, §3.3.27, §4.4.1',
    (bench, expect) => {
      const expected = rootParameters(bench);
      const rings = new HdaRings(bench).start({ rirbCtl: WITH_INTERRUPT });
      const heard: number[] = [];
      for (let command = 0; command < 600; command += 100) {
        for (let each = 0; each < 100; each++)
          rings.put(0, GET_PARAMETER, PARAMETERS[(command + each) % PARAMETERS.length] ?? 0);
        rings.ring();
        heard.push(...rings.take(100).map(({ response }) => response));
        bench.write8(R.RIRBSTS, R.RIRBSTS_RINTFL);
      }
      expect.same(
        'responses',
        heard,
        Array.from({ length: 600 }, (_, index) => expected[index % expected.length] ?? 0),
      );
      expect.equal('CORBRP', bench.read16(R.CORBRP), 600 & 0xff);
      expect.equal('RIRBWP', bench.read16(R.RIRBWP), 600 & 0xff);
    },
  ],
  [
    '006',
    'The CORB’s read pointer is reset by a handshake: the bit reads 1, then 0 when cleared',
    'HDA 1.0a §3.3.21',
    (bench, expect) => {
      const rings = new HdaRings(bench).start();
      rings.post(0, GET_PARAMETER, PARAM_VENDOR_ID);
      rings.take(1);
      bench.write8(R.CORBCTL, 0);
      bench.write16(R.CORBRP, R.RING_POINTER_RESET);
      expect.equal('CORBRP in reset', bench.read16(R.CORBRP), R.RING_POINTER_RESET);
      bench.write16(R.CORBRP, 0);
      expect.equal('CORBRP afterwards', bench.read16(R.CORBRP), 0);
    },
  ],
  [
    '007',
    'The RIRB’s write pointer is reset by a write of its reset bit',
    'HDA 1.0a §3.3.27',
    (bench, expect) => {
      const rings = new HdaRings(bench).start();
      rings.post(0, GET_PARAMETER, PARAM_VENDOR_ID);
      rings.take(1);
      bench.write8(R.RIRBCTL, 0);
      expect.equal('RIRBWP before', bench.read16(R.RIRBWP), 1);
      bench.write16(R.RIRBWP, R.RING_POINTER_RESET);
      expect.equal('RIRBWP', bench.read16(R.RIRBWP), 0);
    },
  ],
  [
    '008',
    'Without CORBRUN commands wait, and are sent when it is set',
    'HDA 1.0a §3.3.22',
    (bench, expect) => {
      const rings = new HdaRings(bench).start();
      bench.write8(R.CORBCTL, 0);
      rings.post(0, GET_PARAMETER, PARAM_VENDOR_ID);
      bench.wait(2);
      expect.equal('CORBRP without RUN', bench.read16(R.CORBRP), 0);
      bench.write8(R.CORBCTL, R.CORBCTL_RUN);
      expect.between('responses with RUN', rings.take(1).length, 1, 1);
    },
  ],
  [
    '009',
    'Without RIRBDMAEN a response is not stored',
    'HDA 1.0a §3.3.29',
    (bench, expect) => {
      const rings = new HdaRings(bench).start({ rirbCtl: 0 });
      rings.post(0, GET_PARAMETER, PARAM_VENDOR_ID);
      bench.wait(2);
      expect.equal('RIRBWP', bench.read16(R.RIRBWP), 0);
      expect.equal('entry 1', rings.entry(1).response, 0);
    },
  ],
  [
    '010',
    'The response interrupt comes with each response when RINTCNT is 1',
    'HDA 1.0a §3.3.28–3.3.30',
    (bench, expect) => {
      bench.write32(R.INTCTL, CONTROLLER_INTERRUPTS);
      const rings = new HdaRings(bench).start({ rintcnt: 1, rirbCtl: WITH_INTERRUPT });
      for (let turn = 1; turn <= 3; turn++) {
        rings.post(0, GET_PARAMETER, PARAM_VENDOR_ID);
        waitFor(bench, () => bench.card.interruptAsserted);
        expect.that(`interrupt line, response ${turn}`, bench.card.interruptAsserted, 'high', 'low');
        expect.bits(`RIRBSTS, response ${turn}`, bench.read8(R.RIRBSTS), R.RIRBSTS_RINTFL, R.RIRBSTS_RINTFL);
        bench.write8(R.RIRBSTS, R.RIRBSTS_RINTFL);
        expect.that(`interrupt line, acknowledged ${turn}`, !bench.card.interruptAsserted, 'low', 'high');
      }
    },
  ],
  [
    '011',
    'With fewer responses than RINTCNT the interrupt comes when there are no more',
    'HDA 1.0a §3.3.29, §3.3.30',
    (bench, expect) => {
      bench.write32(R.INTCTL, CONTROLLER_INTERRUPTS);
      const rings = new HdaRings(bench).start({ rintcnt: 10, rirbCtl: WITH_INTERRUPT });
      rings.put(0, GET_PARAMETER, PARAM_VENDOR_ID);
      rings.post(0, GET_PARAMETER, PARAM_REVISION_ID);
      waitFor(bench, () => bench.card.interruptAsserted);
      expect.that('interrupt line', bench.card.interruptAsserted, 'high', 'low');
      expect.equal('RIRBWP', bench.read16(R.RIRBWP), 2);
    },
  ],
  [
    '012',
    'After RINTCNT responses the interrupt comes, and more commands are answered without waiting for software',
    'HDA 1.0a §3.3.28, §4.4.2',
    (bench, expect) => {
      bench.write32(R.INTCTL, CONTROLLER_INTERRUPTS);
      const rings = new HdaRings(bench).start({ rintcnt: 3, rirbCtl: WITH_INTERRUPT });
      for (let each = 0; each < 8; each++) rings.put(0, GET_PARAMETER, PARAM_VENDOR_ID);
      rings.ring();
      expect.between('responses', rings.take(8).length, 8, 8);
      expect.bits('RIRBSTS', bench.read8(R.RIRBSTS), R.RIRBSTS_RINTFL, R.RIRBSTS_RINTFL);
    },
  ],
  [
    '013',
    'RINTCNT 0 stands for 256 responses',
    'HDA 1.0a §3.3.28',
    (bench, expect) => {
      const rings = new HdaRings(bench).start({ rintcnt: 0, rirbCtl: WITH_INTERRUPT });
      for (let each = 0; each < 20; each++) rings.put(0, GET_PARAMETER, PARAM_VENDOR_ID);
      rings.ring();
      expect.between('responses', rings.take(20).length, 20, 20);
    },
  ],
  [
    '014',
    'RINTFL is cleared by a one alone',
    'HDA 1.0a §3.3.30',
    (bench, expect) => {
      const rings = new HdaRings(bench).start({ rintcnt: 1, rirbCtl: WITH_INTERRUPT });
      rings.post(0, GET_PARAMETER, PARAM_VENDOR_ID);
      waitFor(bench, () => bench.read8(R.RIRBSTS) !== 0);
      bench.write8(R.RIRBSTS, 0);
      expect.equal('RIRBSTS after 0', bench.read8(R.RIRBSTS), R.RIRBSTS_RINTFL);
      bench.write8(R.RIRBSTS, R.RIRBSTS_RINTFL);
      expect.equal('RIRBSTS after 1', bench.read8(R.RIRBSTS), 0);
    },
  ],
  [
    '015',
    'Without RINTCTL there is neither interrupt nor flag',
    'HDA 1.0a §3.3.29, §3.3.30',
    (bench, expect) => {
      bench.write32(R.INTCTL, CONTROLLER_INTERRUPTS);
      const rings = new HdaRings(bench).start({ rintcnt: 1 });
      rings.post(0, GET_PARAMETER, PARAM_VENDOR_ID);
      rings.take(1);
      bench.wait(1);
      expect.that('interrupt line', !bench.card.interruptAsserted, 'low', 'high');
      expect.equal('RIRBSTS', bench.read8(R.RIRBSTS), 0);
    },
  ],
  [
    '016',
    'Without RINTCTL the CORB does not wait after RINTCNT responses',
    'HDA 1.0a §3.3.28, §3.3.29',
    (bench, expect) => {
      const rings = new HdaRings(bench).start({ rintcnt: 2 });
      for (let each = 0; each < 6; each++) rings.put(0, GET_PARAMETER, PARAM_VENDOR_ID);
      rings.ring();
      expect.between('responses', rings.take(6).length, 6, 6);
    },
  ],
  [
    '017',
    'A command to a codec that is not there gets no response, and the next one does',
    'HDA 1.0a §4.4.1, §5.3.2',
    (bench, expect) => {
      const rings = new HdaRings(bench).start();
      rings.put(0, GET_PARAMETER, PARAM_VENDOR_ID, 13);
      rings.put(0, GET_PARAMETER, PARAM_VENDOR_ID);
      rings.ring();
      const taken = rings.take(2, 5);
      expect.between('responses', taken.length, 1, 1);
      expect.bits('codec of the response', taken[0]?.extended ?? -1, 0x0f, bench.codec);
      expect.equal('CORBRP', bench.read16(R.CORBRP), 2);
    },
  ],
  [
    '018',
    'Commands and immediate commands get the same answers',
    'HDA 1.0a §3.4, §4.4',
    (bench, expect) => {
      const { functionGroupNid, widgets } = bench.graph;
      const asked = [functionGroupNid, ...widgets.keys()].slice(0, 12);
      const immediate = asked.map((nid) => bench.verb(nid, GET_PARAMETER, 0x09));
      const rings = new HdaRings(bench).start();
      for (const nid of asked) rings.put(nid, GET_PARAMETER, 0x09);
      rings.ring();
      expect.same(
        'answers',
        rings.take(asked.length).map(({ response }) => response),
        immediate,
      );
    },
  ],
  [
    '019',
    'A CORB that cannot be read is an error: CMEI, with an interrupt if CMEIE allows it',
    'HDA 1.0a §3.3.22, §3.3.23',
    (bench, expect) => {
      bench.write32(R.INTCTL, CONTROLLER_INTERRUPTS);
      const rings = new HdaRings(bench);
      bench.write32(R.CORBLBASE, NO_MEMORY);
      rings.start();
      bench.write8(R.CORBCTL, R.CORBCTL_RUN | R.CORBCTL_CMEIE);
      bench.write16(R.CORBWP, 1);
      waitFor(bench, () => bench.read8(R.CORBSTS) !== 0);
      expect.equal('CORBSTS', bench.read8(R.CORBSTS), R.CORBSTS_CMEI);
      expect.that('interrupt line', bench.card.interruptAsserted, 'high', 'low');
      bench.write8(R.CORBSTS, R.CORBSTS_CMEI);
      expect.equal('CORBSTS cleared', bench.read8(R.CORBSTS), 0);
    },
  ],
  [
    '020',
    'A RIRB that cannot be written overruns: OIS, with an interrupt if OIC allows it',
    'HDA 1.0a §3.3.29, §3.3.30',
    (bench, expect) => {
      bench.write32(R.INTCTL, CONTROLLER_INTERRUPTS);
      const rings = new HdaRings(bench);
      bench.write32(R.RIRBLBASE, NO_MEMORY);
      rings.start({ rirbCtl: R.RIRBCTL_DMAEN | R.RIRBCTL_OIC });
      rings.post(0, GET_PARAMETER, PARAM_VENDOR_ID);
      waitFor(bench, () => (bench.read8(R.RIRBSTS) & R.RIRBSTS_OIS) !== 0);
      expect.bits('RIRBSTS', bench.read8(R.RIRBSTS), R.RIRBSTS_OIS, R.RIRBSTS_OIS);
      expect.that('interrupt line', bench.card.interruptAsserted, 'high', 'low');
      bench.write8(R.RIRBSTS, R.RIRBSTS_OIS | R.RIRBSTS_RINTFL);
      expect.bits('RIRBSTS cleared', bench.read8(R.RIRBSTS), R.RIRBSTS_OIS, 0);
    },
  ],
  [
    '021',
    'A command leaves the link within a few frames of its write: 100 commands take no longer than 3 ms',
    'HDA 1.0a §4.4.1, §5.3.1',
    (bench, expect) => {
      const rings = new HdaRings(bench).start({ rintcnt: 200 });
      for (let each = 0; each < 100; each++) rings.put(0, GET_PARAMETER, PARAM_VENDOR_ID);
      const start = bench.card.now;
      rings.ring();
      const taken = rings.take(100);
      const milliseconds = (bench.card.now - start) / TICKS_PER_MILLISECOND;
      expect.between('responses', taken.length, 100, 100);
      expect.between('milliseconds', milliseconds, 0, bench.card.realTime ? 300 : 3);
    },
  ],
  [
    '022',
    'Clearing CORBRUN in the middle keeps the rest of the commands for later',
    'HDA 1.0a §3.3.22, §4.4.1',
    (bench, expect) => {
      const expected = rootParameters(bench);
      const rings = new HdaRings(bench).start();
      for (let each = 0; each < 30; each++) rings.put(0, GET_PARAMETER, PARAMETERS[each % 3] ?? 0);
      rings.ring();
      bench.write8(R.CORBCTL, 0);
      bench.wait(1);
      const stopped = bench.read16(R.CORBRP);
      bench.wait(2);
      expect.equal('CORBRP while stopped', bench.read16(R.CORBRP), stopped);
      bench.write8(R.CORBCTL, R.CORBCTL_RUN);
      expect.same(
        'responses',
        rings.take(30).map(({ response }) => response),
        Array.from({ length: 30 }, (_, index) => expected[index % 3] ?? 0),
      );
    },
  ],
  [
    '023',
    'Responses are counted anew after a reset',
    'HDA 1.0a §3.3.7, §3.3.28',
    (bench, expect) => {
      const before = new HdaRings(bench).start();
      for (let each = 0; each < 3; each++) before.put(0, GET_PARAMETER, PARAM_VENDOR_ID);
      before.ring();
      before.take(3);
      bench.enterReset();
      bench.leaveReset();
      const rings = new HdaRings(bench).start({ rintcnt: 3, rirbCtl: WITH_INTERRUPT });
      rings.post(0, GET_PARAMETER, PARAM_VENDOR_ID);
      expect.between('responses', rings.take(1).length, 1, 1);
    },
  ],
]);

/** The three registers that send one command without rings. */
export const IMMEDIATE_CHECKS = checkTable('ICI', 'Immediate commands', [
  [
    '001',
    'ICB sends the command; IRV tells that the response is there, and ICB is clear again',
    'HDA 1.0a §3.4.3',
    (bench, expect) => {
      bench.write32(R.ICOI, encodeHdaCommand(bench.codec, 0, GET_PARAMETER, PARAM_VENDOR_ID));
      bench.write16(R.ICIS, R.ICIS_ICB);
      waitFor(bench, () => (bench.read16(R.ICIS) & R.ICIS_IRV) !== 0);
      expect.bits('ICIS', bench.read16(R.ICIS), R.ICIS_ICB | R.ICIS_IRV, R.ICIS_IRV);
      const vendor = bench.read32(R.ICII);
      expect.that('ICII', vendor !== 0 && vendor !== 0xffff_ffff, 'a vendor id', vendor.toString(16));
    },
  ],
  [
    '002',
    'IRV is cleared by a one',
    'HDA 1.0a §3.4.3',
    (bench, expect) => {
      bench.verb(0, GET_PARAMETER, PARAM_VENDOR_ID);
      expect.bits('ICIS before', bench.read16(R.ICIS), R.ICIS_IRV, R.ICIS_IRV);
      bench.write16(R.ICIS, R.ICIS_IRV);
      expect.bits('ICIS', bench.read16(R.ICIS), R.ICIS_IRV, 0);
    },
  ],
  [
    '003',
    'IRV is not cleared by a zero',
    'HDA 1.0a §3.4.3',
    (bench, expect) => {
      bench.verb(0, GET_PARAMETER, PARAM_VENDOR_ID);
      bench.write16(R.ICIS, 0);
      expect.bits('ICIS', bench.read16(R.ICIS), R.ICIS_IRV, R.ICIS_IRV);
    },
  ],
  [
    '004',
    'Bits 15:2 of ICIS are reserved',
    'ICH6 §18.2.30',
    (bench, expect) => {
      bench.write16(R.ICIS, 0xfffe);
      expect.equal('ICIS after ones', bench.read16(R.ICIS), 0);
      bench.verb(0, GET_PARAMETER, PARAM_VENDOR_ID);
      expect.equal('ICIS after a response', bench.read16(R.ICIS), R.ICIS_IRV);
    },
  ],
  [
    '005',
    'Nobody answers at an address without codec: ICB stays set until software gives up',
    'HDA 1.0a §3.4.3',
    (bench, expect) => {
      bench.write16(R.ICIS, R.ICIS_IRV);
      bench.write32(R.ICOI, encodeHdaCommand(13, 0, GET_PARAMETER, PARAM_VENDOR_ID));
      bench.write16(R.ICIS, R.ICIS_ICB);
      bench.wait(2);
      expect.bits('ICIS', bench.read16(R.ICIS), R.ICIS_ICB | R.ICIS_IRV, R.ICIS_ICB);
      bench.write16(R.ICIS, 0);
      expect.bits('ICIS given up', bench.read16(R.ICIS), R.ICIS_ICB | R.ICIS_IRV, 0);
      const vendor = bench.verb(0, GET_PARAMETER, PARAM_VENDOR_ID);
      expect.that('next response', vendor !== 0, 'a vendor id', '0');
    },
  ],
  [
    '006',
    'ICII is read-only',
    'HDA 1.0a §3.4.2',
    (bench, expect) => {
      const vendor = bench.verb(0, GET_PARAMETER, PARAM_VENDOR_ID);
      bench.write32(R.ICII, ~vendor);
      expect.equal('ICII', bench.read32(R.ICII), vendor);
    },
  ],
  [
    '007',
    'Responses to immediate commands do not go to the RIRB',
    'HDA 1.0a §3.4',
    (bench, expect) => {
      const rings = new HdaRings(bench).start();
      bench.verb(0, GET_PARAMETER, PARAM_VENDOR_ID);
      expect.equal('RIRBWP', bench.read16(R.RIRBWP), 0);
      expect.equal('entry 1', rings.entry(1).response, 0);
    },
  ],
  [
    '008',
    'ICOI keeps its command: setting ICB again sends it again',
    'HDA 1.0a §3.4.1, §3.4.3',
    (bench, expect) => {
      const vendor = bench.verb(0, GET_PARAMETER, PARAM_VENDOR_ID);
      bench.write16(R.ICIS, R.ICIS_IRV);
      bench.write16(R.ICIS, R.ICIS_ICB);
      waitFor(bench, () => (bench.read16(R.ICIS) & R.ICIS_IRV) !== 0);
      expect.equal('ICII', bench.read32(R.ICII), vendor);
    },
  ],
]);
