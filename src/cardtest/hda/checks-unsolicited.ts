import * as R from '../../hardware/hda/registers.ts';
import * as V from '../../hardware/hda/verbs.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { HdaBench, HdaHands } from './bench.ts';
import { checkTable } from './check-table.ts';
import { HdaRings } from './rings.ts';

const TAG = 0x2a;
const IN_REACH = { part: 'jacks in reach' } as const;

/** A jack that senses what is in it, and the hands to change that; the jack is empty. */
function jackInReach(bench: HdaBench): { readonly nid: number; readonly hands: HdaHands } {
  const [pin] = bench.widgets(
    ({ caps, pinCaps }) => (caps & V.WCAP_UNSOLICITED) !== 0 && (pinCaps & V.PINCAP_PRESENCE) !== 0,
  );
  const { hands } = bench;
  if (pin === undefined || hands === null) throw new Error('No jack can be reached.');
  hands.unplug(bench.codec, pin.nid);
  return { nid: pin.nid, hands };
}

/** Jacks that call. */
export const UNSOLICITED_CHECKS = checkTable('UNS', 'Unsolicited responses', [
  [
    '001',
    'Plugging in sends a response with the widget’s tag, marked as unsolicited',
    'HDA 1.0a §7.3.3.14, §4.4.2.1',
    (bench, expect) => {
      const { nid, hands } = jackInReach(bench);
      const rings = new HdaRings(bench).start();
      bench.write32(R.GCTL, R.GCTL_CRST | R.GCTL_UNSOL);
      bench.verb(nid, V.SET_UNSOLICITED, V.UNSOLICITED_ENABLE | TAG);
      hands.plug(bench.codec, nid);
      const [response] = rings.take(1);
      expect.that('response', response !== undefined, 'comes', 'does not come');
      expect.equal('tag', (response?.response ?? 0) >>> V.UNSOLICITED_TAG_SHIFT, TAG);
      expect.bits('extended response', response?.extended ?? 0, 0x1f, R.RESPONSE_UNSOLICITED | bench.codec);
    },
    IN_REACH,
  ],
  [
    '002',
    'Pulling out sends one, too, and pin sense follows',
    'HDA 1.0a §7.3.3.14, §7.3.3.15',
    (bench, expect) => {
      const { nid, hands } = jackInReach(bench);
      const rings = new HdaRings(bench).start();
      bench.write32(R.GCTL, R.GCTL_CRST | R.GCTL_UNSOL);
      bench.verb(nid, V.SET_UNSOLICITED, V.UNSOLICITED_ENABLE | TAG);
      expect.equal('presence before', bench.verb(nid, V.GET_PIN_SENSE, 0) >>> 31, 0);
      hands.plug(bench.codec, nid);
      expect.equal('presence, plugged in', bench.verb(nid, V.GET_PIN_SENSE, 0) >>> 31, 1);
      hands.unplug(bench.codec, nid);
      expect.equal('presence, pulled out', bench.verb(nid, V.GET_PIN_SENSE, 0) >>> 31, 0);
      expect.between('responses', rings.take(2).length, 2, 2);
      hands.plug(bench.codec, nid);
    },
    IN_REACH,
  ],
  [
    '003',
    'Without UNSOL the controller drops them',
    'HDA 1.0a §3.3.7',
    (bench, expect) => {
      const { nid, hands } = jackInReach(bench);
      const rings = new HdaRings(bench).start();
      bench.verb(nid, V.SET_UNSOLICITED, V.UNSOLICITED_ENABLE | TAG);
      hands.plug(bench.codec, nid);
      bench.wait(2);
      bench.write32(R.GCTL, R.GCTL_CRST | R.GCTL_UNSOL);
      expect.between('responses', rings.take(1, 5).length, 0, 0);
    },
    IN_REACH,
  ],
  [
    '004',
    'A widget that is not enabled sends none',
    'HDA 1.0a §7.3.3.14',
    (bench, expect) => {
      const { nid, hands } = jackInReach(bench);
      const rings = new HdaRings(bench).start();
      bench.write32(R.GCTL, R.GCTL_CRST | R.GCTL_UNSOL);
      bench.verb(nid, V.SET_UNSOLICITED, TAG);
      hands.plug(bench.codec, nid);
      expect.between('responses', rings.take(1, 5).length, 0, 0);
    },
    IN_REACH,
  ],
  [
    '005',
    'They interrupt as other responses do',
    'HDA 1.0a §3.3.29, §3.3.30',
    (bench, expect) => {
      const { nid, hands } = jackInReach(bench);
      new HdaRings(bench).start({ rintcnt: 1, rirbCtl: R.RIRBCTL_DMAEN | R.RIRBCTL_RINTCTL });
      bench.write32(R.INTCTL, R.INT_GLOBAL | R.INT_CONTROLLER);
      bench.write32(R.GCTL, R.GCTL_CRST | R.GCTL_UNSOL);
      bench.verb(nid, V.SET_UNSOLICITED, V.UNSOLICITED_ENABLE | TAG);
      hands.plug(bench.codec, nid);
      bench.card.waitUntil(() => bench.card.interruptAsserted, 10 * TICKS_PER_MILLISECOND);
      expect.that('interrupt line', bench.card.interruptAsserted, 'high', 'low');
      bench.write8(R.RIRBSTS, R.RIRBSTS_RINTFL);
    },
    IN_REACH,
  ],
  [
    '006',
    'Between two commands both kinds of responses come, none is lost',
    'HDA 1.0a §4.4.2, §5.3.2',
    (bench, expect) => {
      const { nid, hands } = jackInReach(bench);
      const rings = new HdaRings(bench).start();
      bench.write32(R.GCTL, R.GCTL_CRST | R.GCTL_UNSOL);
      bench.verb(nid, V.SET_UNSOLICITED, V.UNSOLICITED_ENABLE | TAG);
      for (let each = 0; each < 10; each++) rings.put(0, V.GET_PARAMETER, V.PARAM_VENDOR_ID);
      rings.ring();
      hands.plug(bench.codec, nid);
      const taken = rings.take(11);
      const unsolicited = taken.filter(({ extended }) => (extended & R.RESPONSE_UNSOLICITED) !== 0);
      expect.between('responses', taken.length, 11, 11);
      expect.between('unsolicited ones', unsolicited.length, 1, 1);
    },
    IN_REACH,
  ],
  [
    '007',
    'With the link in reset a codec calls by its line: STATESTS, and an interrupt if WAKEEN allows it',
    'HDA 1.0a §3.3.8, §3.3.9, §5.6',
    (bench, expect) => {
      const { nid, hands } = jackInReach(bench);
      bench.enterReset();
      bench.write16(R.STATESTS, 0x7fff);
      hands.plug(bench.codec, nid);
      bench.wait(1);
      expect.equal('STATESTS', bench.read16(R.STATESTS), 1 << bench.codec);
      bench.write16(R.STATESTS, 0x7fff);
    },
    IN_REACH,
  ],
]);
