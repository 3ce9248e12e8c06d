import {
  type ChannelName,
  SER_P1_SCT_RLD,
  SERIAL,
  STAT_INTR,
  STATUS,
} from '../../hardware/es1370/registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import { CHANNELS, DACS, type Es1370Bench, MAPS } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import { bytesPerFrame, FORMATS, formatName, STEREO_16 } from './pcm.ts';

/** The same check for a channel; the recording one needs a signal. */
function perChannel(
  first: number,
  channels: readonly ChannelName[],
  title: (name: ChannelName) => string,
  source: string,
  run: (bench: Es1370Bench, expect: Expectations, name: ChannelName) => void,
): readonly CheckRow[] {
  return channels.map((name, index): CheckRow => {
    const number = String(first + index).padStart(3, '0');
    const check = (bench: Es1370Bench, expect: Expectations) => run(bench, expect, name);
    return name === 'ADC'
      ? [number, title(name), source, check, 'input']
      : [number, title(name), source, check];
  });
}

const FAST = { format: STEREO_16, periodFrames: 441 } as const;

/** Sample counters, the requests that they make, and how these are seen and acknowledged. */
export const COUNTER_CHECKS = checkTable('INT', 'Sample counters and interrupts', [
  ...perChannel(
    1,
    CHANNELS,
    (name) => `${name} asks for an interrupt when its counter has run out`,
    'ens1370.c ES_DAC1, ES_DAC2, ES_ADC; ES_P1_INT_EN, ES_P2_INT_EN, ES_R1_INT_EN',
    (bench, expect, name) => {
      bench.run(name, { ...FAST, serial: MAPS[name].interruptEnable });
      expect.that('request', bench.waitPending(name), `STATUS.${name} set`, 'never set');
      expect.bits('STATUS.INTR', bench.status, STAT_INTR, STAT_INTR);
      expect.that('line', bench.line, 'asserted', 'low');
    },
  ),
  ...perChannel(
    4,
    CHANNELS,
    (name) => `Without its enable bit ${name} does not ask`,
    'ens1370.c ES_P1_INT_EN, ES_P2_INT_EN, ES_R1_INT_EN',
    (bench, expect, name) => {
      bench.run(name, FAST);
      bench.card.waitUntil(() => bench.index(name) > 1000, 500 * TICKS_PER_MILLISECOND);
      expect.between('dwords moved meanwhile', bench.index(name), 1001, 16_383);
      expect.bits('STATUS', bench.status, MAPS[name].status | STAT_INTR, 0);
      expect.that('line', !bench.line, 'low', 'asserted');
    },
  ),
  ...perChannel(
    7,
    CHANNELS,
    (name) => `Taking the enable bit away acknowledges ${name}, and the line falls`,
    'ens1370.c snd_audiopci_interrupt: the enable bit is cleared and set again',
    (bench, expect, name) => {
      bench.run(name, { ...FAST, serial: MAPS[name].interruptEnable });
      bench.waitPending(name);
      bench.clear(SERIAL, MAPS[name].interruptEnable);
      expect.bits('STATUS', bench.status, MAPS[name].status | STAT_INTR, 0);
      expect.that('line', !bench.line, 'low', 'asserted');
    },
  ),
  ...perChannel(
    10,
    CHANNELS,
    (name) => `Given back, the enable bit brings ${name}’s next request`,
    'ens1370.c snd_audiopci_interrupt',
    (bench, expect, name) => {
      bench.run(name, { ...FAST, serial: MAPS[name].interruptEnable });
      for (let round = 1; round <= 3; round++) {
        expect.that(`request ${round}`, bench.waitPending(name), 'pending', 'never');
        bench.clear(SERIAL, MAPS[name].interruptEnable);
        expect.that(`request ${round} acknowledged`, !bench.isPending(name), 'gone', 'still pending');
        bench.set(SERIAL, MAPS[name].interruptEnable);
      }
    },
  ),
  [
    '013',
    'Writing STATUS does not acknowledge',
    'ens1370.c ES_REG_STATUS (R/O)',
    (bench, expect) => {
      bench.run('DAC2', { ...FAST, serial: MAPS.DAC2.interruptEnable });
      bench.waitPending('DAC2');
      bench.write(STATUS, 0xffff_ffff);
      expect.that('request after ones', bench.isPending('DAC2'), 'pending', 'gone');
      bench.write(STATUS, 0);
      expect.that('request after zeros', bench.isPending('DAC2'), 'pending', 'gone');
      expect.that('line', bench.line, 'asserted', 'low');
    },
  ],
  [
    '014',
    'A request stays when its channel is switched off',
    'ens1370.c: only the enable bit acknowledges; inferred',
    (bench, expect) => {
      bench.run('DAC1', { ...FAST, serial: MAPS.DAC1.interruptEnable });
      bench.waitPending('DAC1');
      bench.disable('DAC1');
      expect.that('request', bench.isPending('DAC1'), 'pending', 'gone');
    },
  ],
  [
    '015',
    'A request that nobody acknowledges stays one request, and the channel goes on',
    'ens1370.c ES_INTR; inferred',
    (bench, expect) => {
      bench.run('DAC1', { ...FAST, serial: MAPS.DAC1.interruptEnable });
      bench.waitPending('DAC1');
      const before = bench.index('DAC1');
      bench.card.waitUntil(() => bench.index('DAC1') > before + 2000, 500 * TICKS_PER_MILLISECOND);
      expect.between('dwords meanwhile', bench.index('DAC1') - before, 2001, 16_000);
      bench.clear(SERIAL, MAPS.DAC1.interruptEnable);
      expect.that('line', !bench.line, 'low', 'asserted');
    },
  ],
  [
    '016',
    'The requests of both DACs are told apart, and the line is asserted while there is any',
    'ens1370.c ES_DAC1, ES_DAC2, ES_INTR',
    (bench, expect) => {
      bench.run('DAC1', { ...FAST, serial: MAPS.DAC1.interruptEnable });
      bench.run('DAC2', { ...FAST, serial: MAPS.DAC2.interruptEnable });
      expect.that('DAC1', bench.waitPending('DAC1'), 'pending', 'never');
      expect.that('DAC2', bench.waitPending('DAC2'), 'pending', 'never');
      bench.clear(SERIAL, MAPS.DAC1.interruptEnable);
      expect.bits('STATUS after DAC1', bench.status, STAT_INTR | 7, STAT_INTR | MAPS.DAC2.status);
      expect.that('line after DAC1', bench.line, 'asserted', 'low');
      bench.clear(SERIAL, MAPS.DAC2.interruptEnable);
      expect.bits('STATUS after DAC2', bench.status, STAT_INTR | 7, 0);
      expect.that('line after DAC2', !bench.line, 'low', 'asserted');
    },
  ],
  [
    '017',
    'An enable bit set after the counter ran out does not bring an old request',
    'inferred (the request is made when the counter runs out)',
    (bench, expect) => {
      bench.run('DAC1', { ...FAST, periodFrames: 4410 });
      bench.card.waitUntil(() => bench.index('DAC1') > 4500, 500 * TICKS_PER_MILLISECOND);
      bench.set(SERIAL, MAPS.DAC1.interruptEnable);
      expect.that('request', !bench.isPending('DAC1'), 'none', 'pending');
    },
  ],
  [
    '018',
    'The counter counts down and begins anew',
    'ens1370.c ES_REG_CURR_COUNT',
    (bench, expect) => {
      // Long enough for many looks a round, also where a card moves some 441 frames at a time and stops at the counter's end, as QEMU's.
      const periodFrames = 8821;
      bench.run('DAC1', { ...FAST, periodFrames });
      const seen = new Set<number>();
      let outside = 0;
      let rises = 0;
      let last = periodFrames - 1;
      const start = bench.card.now;
      for (let look = 0; look < 450; look++) {
        bench.card.letTimePass(TICKS_PER_MILLISECOND);
        const value = bench.count('DAC1');
        if ((value & 0xffff) !== periodFrames - 1 || value >>> 16 >= periodFrames) outside++;
        seen.add(value >>> 16);
        if (value >>> 16 > last) rises++;
        last = value >>> 16;
      }
      expect.between('values beyond the period', outside, 0, 0);
      expect.between('different values in 450 looks', seen.size, 8, 450);
      // A round takes 200 ms.
      const rounds = (bench.card.now - start) / (200 * TICKS_PER_MILLISECOND);
      expect.between('new rounds', rises, 1, Math.ceil(rounds) + 1);
    },
  ],
  [
    '019',
    'Frames are counted, in every format',
    'ens1370.c snd_ensoniq_playback1_prepare: the period in frames, less one',
    (bench, expect) => {
      for (const format of FORMATS) {
        bench.prepare();
        bench.run('DAC2', { format, periodFrames: 4410, serial: MAPS.DAC2.interruptEnable });
        bench.waitPending('DAC2');
        const frames = (bench.index('DAC2') * 4) / bytesPerFrame(format);
        // Looked at each millisecond; QEMU moves 10 ms at a time, and up to 50 when it was late. The sample memory is read ahead.
        const late = bench.card.realTime ? 2646 : 120;
        expect.between(`frames moved, ${formatName(format)}`, Math.round(frames), 4400, 4410 + late);
      }
    },
  ],
  [
    '020',
    'Writing the period again loads the counter, while the channel runs, too',
    'ens1370.c ES_REG_COUNTO; inferred',
    (bench, expect) => {
      bench.run('DAC1', { ...FAST, periodFrames: 44_100 });
      bench.card.waitUntil(() => bench.count('DAC1') >>> 16 < 42_000, 500 * TICKS_PER_MILLISECOND);
      bench.setPeriod('DAC1', 44_100);
      expect.between(
        'counter',
        bench.count('DAC1') >>> 16,
        44_099 - (bench.card.realTime ? 3000 : 1),
        44_099,
      );
    },
  ],
  [
    '021',
    'P1_SCT_RLD loads DAC1’s counter',
    'ens1370.c ES_P1_SCT_RLD',
    (bench, expect) => {
      bench.run('DAC1', { ...FAST, periodFrames: 44_100 });
      bench.card.waitUntil(() => bench.count('DAC1') >>> 16 < 42_000, 500 * TICKS_PER_MILLISECOND);
      bench.disable('DAC1');
      expect.between('counter before', bench.count('DAC1') >>> 16, 0, 42_000);
      bench.set(SERIAL, SER_P1_SCT_RLD);
      expect.between('counter after', bench.count('DAC1') >>> 16, 44_099, 44_099);
    },
  ],
  [
    '022',
    'A counter keeps its value while its channel is off',
    'inferred',
    (bench, expect) => {
      bench.run('DAC2', { ...FAST, periodFrames: 44_100 });
      bench.card.waitUntil(() => bench.count('DAC2') >>> 16 < 42_000, 500 * TICKS_PER_MILLISECOND);
      bench.disable('DAC2');
      const stopped = bench.count('DAC2');
      bench.card.letTimePass(30 * TICKS_PER_MILLISECOND);
      expect.equal('DAC2_COUNT', bench.count('DAC2'), stopped);
    },
  ],
  [
    '023',
    'A period of one frame: a request at every frame',
    'ens1370.c ES_REG_COUNTO (period less one); inferred',
    (bench, expect) => {
      bench.run('DAC1', { ...FAST, periodFrames: 1, serial: MAPS.DAC1.interruptEnable });
      expect.that('first request', bench.waitPending('DAC1'), 'pending', 'never');
      bench.acknowledge('DAC1');
      bench.card.letTimePass((bench.card.realTime ? 60 : 1) * TICKS_PER_MILLISECOND);
      expect.that('second request', bench.isPending('DAC1'), 'pending', 'none');
    },
  ],
  [
    '024',
    'The longest period, 65536 frames',
    'ens1370.c ES_REG_COUNTM',
    (bench, expect) => {
      bench.setFixedRate(3);
      const began = bench.card.now;
      bench.run('DAC1', { format: 0, periodFrames: 65_536, serial: MAPS.DAC1.interruptEnable });
      expect.that('request', bench.waitPending('DAC1', 3000), 'pending', 'never');
      const milliseconds = (bench.card.now - began) / TICKS_PER_MILLISECOND;
      expect.between(
        'milliseconds for 65536 frames',
        Math.round(milliseconds),
        bench.card.realTime ? 1300 : 1485,
        bench.card.realTime ? 2200 : 1488,
      );
    },
  ],
  ...DACS.map((name, index): CheckRow => {
    const pause = MAPS[name].pause;
    return [
      String(25 + index).padStart(3, '0'),
      `While ${name} is paused its counter stands`,
      'ens1370.c ES_P1_PAUSE, ES_P2_PAUSE',
      (bench, expect) => {
        bench.run(name, { ...FAST, periodFrames: 44_100 });
        bench.card.waitUntil(() => bench.count(name) >>> 16 < 42_000, 500 * TICKS_PER_MILLISECOND);
        bench.set(SERIAL, pause);
        bench.card.letTimePass(TICKS_PER_MILLISECOND);
        const paused = bench.count(name);
        bench.card.letTimePass(50 * TICKS_PER_MILLISECOND);
        expect.equal(`${name}_COUNT paused`, bench.count(name), paused);
        bench.clear(SERIAL, pause);
        bench.card.letTimePass(80 * TICKS_PER_MILLISECOND);
        expect.between(
          'frames counted afterwards',
          (paused >>> 16) - (bench.count(name) >>> 16),
          441,
          44_100,
        );
      },
    ];
  }),
]);
