import type { ChannelName } from '../../hardware/es1370/registers.ts';
import { SERIAL } from '../../hardware/es1370/registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import { CHANNELS, DACS, type Es1370Bench, MAPS } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import { STEREO_16 } from './pcm.ts';

const RUN = { format: STEREO_16, periodFrames: 441 } as const;

function row(
  number: number,
  name: ChannelName,
  title: string,
  source: string,
  run: (bench: Es1370Bench, expect: Expectations) => void,
): CheckRow {
  const label = String(number).padStart(3, '0');
  return name === 'ADC' ? [label, title, source, run, 'input'] : [label, title, source, run];
}

/** Watches an index for a while. */
function watch(
  bench: Es1370Bench,
  name: ChannelName,
  looks: number,
): { readonly values: readonly number[]; readonly turns: number } {
  const values: number[] = [];
  let turns = 0;
  for (let look = 0; look < looks; look++) {
    bench.card.letTimePass(TICKS_PER_MILLISECOND);
    const value = bench.index(name);
    if (value < (values.at(-1) ?? 0)) turns++;
    values.push(value);
  }
  return { values, turns };
}

/** Buffers in memory: address, size, and the index of the dword that is moved next. */
export const RING_CHECKS = checkTable('RING', 'Buffers', [
  ...CHANNELS.map((name, index) =>
    row(
      1 + index,
      name,
      `${name}’s index goes through its buffer dword by dword, and begins again`,
      'ens1370.c ES_REG_FCURR_COUNTI; snd_ensoniq_playback1_pointer',
      (bench, expect) => {
        bench.run(name, { ...RUN, dwords: 2000 });
        const { values, turns } = watch(bench, name, 250);
        expect.between('highest index', Math.max(...values), 1, 1999);
        expect.between('turns in 250 ms', turns, 3, 12);
      },
    ),
  ),
  ...CHANNELS.map((name, index) =>
    row(
      4 + index,
      name,
      `${name} begins at the index that was written`,
      'ens1370.c ES_REG_FCURR_COUNTO',
      (bench, expect) => {
        bench.run(name, { ...RUN, dwords: 16_384, index: 10_000 });
        const { values } = watch(bench, name, 30);
        expect.between('lowest index', Math.min(...values), 10_000, 16_383);
        expect.between('highest index', Math.max(...values), 10_001, 16_383);
      },
    ),
  ),
  ...CHANNELS.map((name, index) =>
    row(
      7 + index,
      name,
      `Address and size of ${name}’s buffer do not change while it runs`,
      'ens1370.c ES_REG_DAC1_FRAME, ES_REG_FSIZEI',
      (bench, expect) => {
        bench.run(name, { ...RUN, dwords: 1024 });
        const address = bench.frameAddress(name);
        for (let look = 0; look < 60; look++) {
          bench.card.letTimePass(TICKS_PER_MILLISECOND);
          if ((bench.sizeRegister(name) & 0xffff) === 1023 && bench.frameAddress(name) === address) continue;
          expect.equal(`${name}_FRAME`, bench.frameAddress(name), address);
          expect.bits(`${name}_SIZE`, bench.sizeRegister(name), 0xffff, 1023);
          return;
        }
      },
    ),
  ),
  ...CHANNELS.map((name, index) =>
    row(
      10 + index,
      name,
      `Switched off, ${name} stands where it was, and goes on from there`,
      'ens1370.c snd_ensoniq_trigger; inferred (the index is kept)',
      (bench, expect) => {
        bench.run(name, { ...RUN, dwords: 65_536 });
        bench.card.waitUntil(() => bench.index(name) > 1000, 500 * TICKS_PER_MILLISECOND);
        bench.disable(name);
        const stopped = bench.index(name);
        bench.card.letTimePass(50 * TICKS_PER_MILLISECOND);
        expect.between('index after 50 ms off', bench.index(name), stopped, stopped);
        bench.enable(name);
        bench.card.waitUntil(() => bench.index(name) > stopped + 100, 500 * TICKS_PER_MILLISECOND);
        expect.between('index after it went on', bench.index(name), stopped + 101, stopped + 20_000);
      },
    ),
  ),
  ...DACS.map((name, index) =>
    row(
      13 + index,
      name,
      `Paused, ${name} stands where it was, and goes on from there`,
      'ens1370.c ES_P1_PAUSE, ES_P2_PAUSE',
      (bench, expect) => {
        bench.run(name, { ...RUN, dwords: 65_536 });
        bench.card.waitUntil(() => bench.index(name) > 1000, 500 * TICKS_PER_MILLISECOND);
        bench.set(SERIAL, MAPS[name].pause);
        bench.card.letTimePass(TICKS_PER_MILLISECOND);
        const paused = bench.index(name);
        bench.card.letTimePass(50 * TICKS_PER_MILLISECOND);
        expect.between('index after 50 ms', bench.index(name), paused, paused);
        bench.clear(SERIAL, MAPS[name].pause);
        bench.card.waitUntil(() => bench.index(name) > paused + 100, 500 * TICKS_PER_MILLISECOND);
        expect.between('index after the pause', bench.index(name), paused + 101, paused + 20_000);
      },
    ),
  ),
  ...DACS.map((name, index) =>
    row(
      15 + index,
      name,
      `In stop mode ${name} ends when its counter has run out`,
      'ens1370.c ES_P1_LOOP_SEL, ES_P2_LOOP_SEL (stop mode); inferred (when)',
      (bench, expect) => {
        bench.run(name, { ...RUN, periodFrames: 2205, dwords: 65_536, serial: MAPS[name].stopMode });
        bench.card.waitUntil(() => bench.index(name) >= 2205, 300 * TICKS_PER_MILLISECOND);
        bench.card.letTimePass(100 * TICKS_PER_MILLISECOND);
        // The sample memory, 64 bytes, is filled ahead.
        expect.between('index at the end', bench.index(name), 2205, 2205 + 16);
      },
    ),
  ),
  row(
    17,
    'ADC',
    'In stop mode the ADC ends when its counter has run out',
    'ens1370.c ES_R1_LOOP_SEL (stop mode); inferred (when)',
    (bench, expect) => {
      bench.run('ADC', { ...RUN, periodFrames: 2208, dwords: 65_536, serial: MAPS.ADC.stopMode });
      bench.card.waitUntil(() => bench.index('ADC') >= 2208, 300 * TICKS_PER_MILLISECOND);
      bench.card.letTimePass(100 * TICKS_PER_MILLISECOND);
      expect.between('index at the end', bench.index('ADC'), 2208, 2208);
    },
  ),
  ...DACS.map((name, index) =>
    row(
      18 + index,
      name,
      `The end in stop mode is a request, and ${name} begins again when it is enabled anew`,
      'ens1370.c ES_P1_LOOP_SEL, ES_P2_LOOP_SEL; inferred',
      (bench, expect) => {
        const { stopMode, interruptEnable } = MAPS[name];
        bench.run(name, { ...RUN, dwords: 65_536, serial: stopMode | interruptEnable });
        expect.that('request', bench.waitPending(name), 'pending', 'never');
        bench.disable(name);
        bench.acknowledge(name);
        const stopped = bench.index(name);
        bench.setPeriod(name, 441);
        bench.enable(name);
        bench.card.waitUntil(() => bench.index(name) >= stopped + 400, 300 * TICKS_PER_MILLISECOND);
        expect.between('dwords of the second run', bench.index(name) - stopped, 400, 441 + 16);
      },
    ),
  ),
  row(
    20,
    'DAC1',
    'A buffer of one dword is played over and over',
    'ens1370.c ES_REG_FSIZEO (size less one)',
    (bench, expect) => {
      bench.run('DAC1', { ...RUN, periodFrames: 100, dwords: 1, serial: MAPS.DAC1.interruptEnable });
      expect.that('request', bench.waitPending('DAC1'), 'pending', 'never');
      expect.equal('DAC1_SIZE', bench.sizeRegister('DAC1'), 0);
    },
  ),
  row(
    21,
    'DAC2',
    'The largest buffer, 65536 dwords',
    'ens1370.c ES_REG_FSIZEM (16 bits)',
    (bench, expect) => {
      bench.run('DAC2', { ...RUN, dwords: 65_536, index: 64_000 });
      bench.card.waitUntil(() => bench.index('DAC2') < 64_000, 500 * TICKS_PER_MILLISECOND);
      expect.between('index after the end', bench.index('DAC2'), 0, 20_000);
      expect.bits('DAC2_SIZE', bench.sizeRegister('DAC2'), 0xffff, 0xffff);
    },
  ),
  row(
    22,
    'DAC2',
    'An index written while DAC2 plays is where it goes on',
    'ens1370.c ES_REG_FCURR_COUNTO; inferred',
    (bench, expect) => {
      bench.run('DAC2', { ...RUN, dwords: 65_536 });
      bench.card.waitUntil(() => bench.index('DAC2') > 500, 500 * TICKS_PER_MILLISECOND);
      bench.setSizeRegister('DAC2', (40_000 << 16) | 0xffff);
      bench.card.letTimePass(60 * TICKS_PER_MILLISECOND);
      expect.between('index', bench.index('DAC2'), 40_001, 60_000);
    },
  ),
]);
