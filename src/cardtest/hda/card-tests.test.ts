import { describe, expect, test } from 'vitest';
import * as R from '../../hardware/hda/registers.ts';
import { type RegisterFault, withFault } from '../faulty-card.ts';
import { formatReportText } from '../report-text.ts';
import { runCardTests } from '../run-card-tests.ts';
import { findTestableCard } from '../suites.ts';
import { HDA_CARD_TESTS } from './index.ts';
import { type HdaSimOptions, hdaSimFactory } from './sim-card.ts';

async function run(options: HdaSimOptions, filter?: string) {
  const card = await hdaSimFactory(options)();
  try {
    return await runCardTests(card, HDA_CARD_TESTS, filter === undefined ? {} : { filter });
  } finally {
    card.dispose();
  }
}

async function failures(fault: RegisterFault, filter: string): Promise<readonly string[]> {
  const report = await run({ spoil: (card) => withFault(card, fault) }, filter);
  return report.results.filter(({ status }) => status === 'fail' || status === 'error').map(({ id }) => id);
}

const OSD0 = R.SD_BASE + 4 * R.SD_BYTES;

describe('the functional test of HDA cards', () => {
  test.each<[string, HdaSimOptions, number]>([
    ['ICH6 with QEMU’s duplex codec', {}, 240],
    ['ICH9 with QEMU’s micro codec', { variant: 'ich9', codec: 'qemu-micro' }, 240],
    ['ICH6 with QEMU’s output codec', { codec: 'qemu-output' }, 220],
    ['ICH6 with the desktop codec', { codec: 'desktop' }, 265],
    ['ICH9 with the HDMI codec', { variant: 'ich9', codec: 'hdmi' }, 230],
    ['ICH9 with four codecs', { variant: 'ich9', more: ['desktop', 'hdmi', 'qemu-output'] }, 240],
  ])('our %s passes every check of parts that it has', async (_name, options, atLeast) => {
    const report = await run(options);
    const unexpected = report.results.filter(({ status }) => status !== 'pass' && status !== 'absent');
    expect(unexpected, formatReportText(report)).toEqual([]);
    expect(report.counts.pass).toBeGreaterThanOrEqual(atLeast);
  });

  test('every check is made with one of our codecs', async () => {
    const passed = new Set<string>();
    for (const codec of ['qemu-duplex', 'desktop', 'hdmi'] as const) {
      for (const { id, status } of (await run({ codec })).results) if (status === 'pass') passed.add(id);
    }
    expect(HDA_CARD_TESTS.checks.map(({ id }) => id).filter((id) => !passed.has(id))).toEqual([]);
  });

  test('every check has an id of its own, a source, and belongs to one stretch of its group', () => {
    const { checks } = HDA_CARD_TESTS;
    expect(checks.length).toBeGreaterThanOrEqual(250);
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
    for (const { id, source } of checks) {
      expect(id).toMatch(/^HDA-[A-Z]+-\d{3}$/);
      expect(source).toMatch(/§|table/);
    }
    const groups = checks.map(({ group }) => group).filter((group, index, all) => group !== all[index - 1]);
    expect(new Set(groups).size).toBe(groups.length);
  });

  test('every known deviation names a check that there is, once', () => {
    const ids = new Set(HDA_CARD_TESTS.checks.map(({ id }) => id));
    for (const { checkId } of HDA_CARD_TESTS.deviations) expect(ids).toContain(checkId);
    const known = HDA_CARD_TESTS.deviations.map(({ checkId }) => checkId);
    expect(new Set(known).size).toBe(known.length);
  });

  test('the cards are in the list, two of them ours alone', () => {
    expect(findTestableCard('HDA')?.qemuDevice).toEqual({ controller: 'intel-hda', device: 'hda-duplex' });
    expect(findTestableCard('hda-ich9')?.checkCount).toBe(HDA_CARD_TESTS.checks.length);
    for (const name of ['hda-desktop', 'hda-hdmi']) expect(findTestableCard(name)?.qemuDevice).toBeNull();
  });

  test.each<[string, RegisterFault, string, string]>([
    [
      'LVI of five bits',
      {
        read: (_bar, offset, size, value) =>
          size === 2 && offset === OSD0 + R.SD_LVI ? value & 0x1f : value,
      },
      'REG-',
      'HDA-REG-040',
    ],
    [
      'CORBSIZE that is missing',
      { read: (_bar, offset, size, value) => (offset === R.CORBSIZE && size === 1 ? 0 : value) },
      'REG-',
      'HDA-REG-017',
    ],
    [
      'LPIB that stands still',
      { read: (_bar, offset, _size, value) => (offset === OSD0 + R.SD_LPIB ? 100 : value) },
      'STR-00',
      'HDA-STR-004',
    ],
    [
      'IOCE that is not wired',
      {
        write: (_bar, offset, size, value) => (offset === OSD0 && size === 1 ? value & ~R.CTL_IOCE : value),
      },
      'INT-',
      'HDA-INT-001',
    ],
    [
      'a status that cannot be cleared',
      { write: (_bar, offset, size, value) => (offset === OSD0 + R.SD_STS && size === 1 ? 0 : value) },
      'STR-02',
      'HDA-STR-022',
    ],
    [
      'a buffer list one entry too short',
      {
        write: (_bar, offset, size, value) =>
          offset === OSD0 + R.SD_LVI && size === 2 ? Math.max(0, value - 1) : value,
      },
      'DMA-00',
      'HDA-DMA-006',
    ],
    [
      'a stream number that never changes',
      {
        write: (_bar, offset, size, value) => (offset === OSD0 + 2 && size === 1 ? 0x10 : value),
      },
      'DMA-0',
      'HDA-DMA-009',
    ],
    [
      'immediate responses with a stuck bit',
      { read: (_bar, offset, _size, value) => (offset === R.ICII ? (value | 0x100) >>> 0 : value) },
      'CMD-018',
      'HDA-CMD-018',
    ],
    [
      'a RIRB write pointer that is one ahead',
      { read: (_bar, offset, _size, value) => (offset === R.RIRBWP ? (value + 1) & 0xff : value) },
      'CMD-00',
      'HDA-CMD-002',
    ],
    [
      'a wall clock at half speed',
      { read: (_bar, offset, _size, value) => (offset === R.WALCLK ? value >>> 1 : value) },
      'RST-02',
      'HDA-RST-022',
    ],
    [
      'CRST that never reads 1',
      { read: (_bar, offset, _size, value) => (offset === R.GCTL ? value & ~R.GCTL_CRST : value) },
      'RST-00',
      'HDA-RST-003',
    ],
    [
      'a position buffer that cannot be switched on',
      { write: (_bar, offset, _size, value) => (offset === R.DPLBASE ? value & ~1 : value) },
      'STR-02',
      'HDA-STR-028',
    ],
  ])('a card with %s fails', async (_name, fault, filter, expected) => {
    expect(await failures(fault, filter)).toContain(expected);
  });
});
