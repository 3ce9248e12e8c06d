import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  audioFormat,
  type CaptureStream,
  MemoryPcmReader,
  MemoryPcmWriter,
  type RenderStream,
  type StreamMode,
} from '../src/client/index.ts';
import { encodeProperty } from '../src/client/requests/ks-object.ts';
import type { RtPin } from '../src/client/streams/rt-pin.ts';
import { ArraySource, ToneSource } from '../src/hardware/analog.ts';
import {
  PowerSystemSleeping3,
  PowerSystemWorking,
  TICKS_PER_MILLISECOND,
  VirtualClock,
} from '../src/kernel/index.ts';
import {
  KSAUDIO_PRESENTATION_POSITION,
  KSPROPERTY_RTAUDIO_PRESENTATION_POSITION,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_RtAudio,
  KSSTATE_RUN,
  pcmFormat,
} from '../src/ks/index.ts';
import { bytesOf, noise, setState } from './support/ac97-bench.ts';
import { Desktop, HdaBench } from './support/hda-bench.ts';

const FIRST_OUTPUT = 4;

const power = (bench: HdaBench, state: typeof PowerSystemSleeping3 | typeof PowerSystemWorking) =>
  bench.kernel.enter(() => bench.kernel.pnp.setSystemPowerState(state));

function presented(pin: RtPin): number {
  const answer = new Uint8Array(16);
  pin.object.control(
    encodeProperty(KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_PRESENTATION_POSITION, KSPROPERTY_TYPE_GET),
    answer,
  );
  return KSAUDIO_PRESENTATION_POSITION.decode(answer).u64PositionInBlocks;
}

describe('sleep', () => {
  it('a stream goes on at the very frame where it was, at its rate, as often as it sleeps', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(44_100, 48_000, 96_000),
        fc.integer({ min: 3, max: 300 }),
        fc.constantFrom<0 | 1 | 2>(0, 1, 2),
        fc.array(fc.integer({ min: 0, max: 300 * TICKS_PER_MILLISECOND }), { minLength: 1, maxLength: 4 }),
        (rate, bufferMs, notifications, times) => {
          using bench = new HdaBench();
          const filter = bench.openFilter('Wave');
          const pin = bench.openPin(filter, 0, pcmFormat(rate, 2, 32, { validBits: 24 }));
          pin.allocateBuffer(Math.ceil((rate * bufferMs) / 1000) * 8, notifications);
          setState(pin, KSSTATE_RUN);
          let last = 0;
          for (const ticks of times) {
            bench.machine.runFor(ticks);
            const before = presented(pin);
            expect(before).toBeGreaterThanOrEqual(last);
            power(bench, PowerSystemSleeping3);
            bench.pass(1000);
            expect(bench.card.position(FIRST_OUTPUT).running).toBe(false);
            power(bench, PowerSystemWorking);
            const after = presented(pin);
            expect(after - before).toBeGreaterThanOrEqual(0);
            // Time passes while the codec is woken, not the stream's.
            expect(after - before).toBeLessThanOrEqual(2);
            bench.pass(50);
            expect(Math.abs(presented(pin) - after - (rate * 50) / 1000)).toBeLessThanOrEqual(2);
            last = presented(pin);
          }
          pin.close();
          filter.close();
          expect(bench.findings).toEqual([]);
        },
      ),
      { numRuns: 15 },
    );
  });

  it.each(['timer', 'event', 'packet'] as const)('an application in %s mode misses nothing', (mode) => {
    using bench = new HdaBench();
    const samples = noise(2 * 48_000, 6);
    const stream = bench.audio.openRender(bench.audio.endpoint('render', 'Speakers'), {
      source: new MemoryPcmReader(audioFormat(), bytesOf(samples)),
      mode,
      bufferMs: 60,
      position: 'property',
    });
    stream.start();
    for (const milliseconds of [333.3, 111.7, 222.2]) {
      bench.pass(milliseconds);
      // The application sleeps as well: no time passes for it.
      power(bench, PowerSystemSleeping3);
      power(bench, PowerSystemWorking);
    }
    expect(bench.run(() => stream.ended)).toBe(true);
    expect(stream.error).toBe(null);
    stream.close();
    const heard = (bench.heard(Desktop.front) as Int16Array).filter((sample) => sample !== 0);
    expect(heard).toHaveLength(samples.length);
    expect(samples.findIndex((sample, index) => sample !== heard[index])).toBe(-1);
    expect(bench.findings).toEqual([]);
  });

  it.each(['timer', 'event', 'packet'] as const)(
    'an application in %s mode that has the position register mapped goes on, from the start of the buffer',
    (mode) => {
      using bench = new HdaBench();
      const bufferMs = 60;
      const samples = noise(2 * 48_000, 6);
      const stream = bench.audio.openRender(bench.audio.endpoint('render', 'Speakers'), {
        source: new MemoryPcmReader(audioFormat(), bytesOf(samples)),
        mode,
        bufferMs,
      });
      expect(stream.statistics().positionSource).toBe('register');
      stream.start();
      bench.pass(333.3);
      power(bench, PowerSystemSleeping3);
      power(bench, PowerSystemWorking);
      expect(bench.run(() => stream.ended)).toBe(true);
      expect(stream.error).toBe(null);
      stream.close();
      const heard = (bench.heard(Desktop.front) as Int16Array).filter((sample) => sample !== 0);
      const lost = samples.length - heard.length;
      expect(lost).toBeLessThanOrEqual(2 * 48 * (bufferMs + 4));
      const split = samples.findIndex((sample, index) => sample !== heard[index]);
      // What follows the gap is the rest of the sound, in order, to its end.
      const rest = heard.subarray(heard.length - 2000);
      expect(rest.findIndex((sample, index) => sample !== samples[samples.length - 2000 + index])).toBe(-1);
      expect(split).toBeGreaterThan(2 * 48 * 300);
    },
  );

  it('keeps what the mixer was set to, and what is muted', () => {
    using bench = new HdaBench();
    const controls = bench.audio.controls();
    const set = (name: string, value: number) => controls.set(controls.find(name), value);
    set('Speakers Volume', -12);
    set('Headphones Mute', 1);
    set('Recording Volume', 6);
    const before = controls.list.map((control) => controls.get(control));
    power(bench, PowerSystemSleeping3);
    power(bench, PowerSystemWorking);
    expect(controls.list.map((control) => controls.get(control))).toEqual(before);
    // In the codec, too: −12 dB of 64 steps, a muted pin, +6 dB in steps of 1.5 dB above −16.5.
    const widgets = bench.card.codecs.get(0)?.widgets;
    expect(widgets?.get(0x02)?.outAmp?.decibels('left')).toBe(-12);
    expect(widgets?.get(Desktop.headphone)?.outAmp?.muted('left')).toBe(true);
    expect(widgets?.get(0x08)?.inAmp(0)?.decibels('left')).toBe(6);
    expect(bench.findings).toEqual([]);
  });

  it('with recordings under way goes on recording', () => {
    const signal = noise(2 * 96_000, 12);
    using bench = new HdaBench({
      jacks: { [Desktop.lineIn]: { source: new ArraySource(signal, { sampleRate: 48_000, channels: 2 }) } },
    });
    const sink = new MemoryPcmWriter(audioFormat());
    const stream = bench.audio.openCapture(bench.audio.endpoint('capture', 'Line In'), {
      sink,
      frames: 24_000,
      mode: 'event',
      position: 'property',
    });
    stream.start();
    bench.pass(123.4);
    power(bench, PowerSystemSleeping3);
    bench.pass(50);
    power(bench, PowerSystemWorking);
    expect(bench.run(() => stream.ended)).toBe(true);
    expect(stream.error).toBe(null);
    stream.close();
    const recorded = new Int16Array(sink.bytes.slice().buffer);
    const place = (from: number) =>
      signal.findIndex((sample, at) => sample === recorded[from] && signal[at + 1] === recorded[from + 1]);
    // One gap in the signal, of the time that was slept; none in the recording.
    const start = place(0);
    const split = recorded.findIndex((sample, index) => sample !== signal[start + index]);
    expect(split).toBeGreaterThan(2 * 48 * 100);
    const again = place(split);
    expect(again - start - split).toBeGreaterThanOrEqual(2 * 48 * 50);
    expect(recorded.subarray(split).findIndex((sample, index) => sample !== signal[again + index])).toBe(-1);
    expect(bench.findings).toEqual([]);
  });
});

function armedAlarms(bench: HdaBench): number {
  const { clock } = bench.kernel;
  if (!(clock instanceof VirtualClock)) throw new Error('the machine runs in virtual time');
  return clock.armedCount;
}

describe('a card that is pulled out', () => {
  const mode = fc.constantFrom<StreamMode | null>('timer', 'event', 'packet', null);

  it('in the middle of any streams leaves nothing, and tells the application', () => {
    fc.assert(
      fc.property(
        mode,
        mode,
        fc.integer({ min: 3, max: 100 }),
        fc.integer({ min: 0, max: 3_000_000 }),
        fc.boolean(),
        fc.boolean(),
        (renderMode, captureMode, bufferMs, ticks, pausedBefore, asleep) => {
          using bench = new HdaBench({ jacks: { [Desktop.lineIn]: { source: new ToneSource(440) } } });
          const handles = bench.process.handleCount;
          const streams: (RenderStream | CaptureStream)[] = [];
          const sound = new Uint8Array(10 * 4 * 48_000).fill(1);
          if (renderMode !== null) {
            for (const endpoint of ['Speakers', 'Headphones']) {
              streams.push(
                bench.audio.openRender(bench.audio.endpoint('render', endpoint), {
                  source: new MemoryPcmReader(audioFormat(), sound),
                  mode: renderMode,
                  bufferMs,
                }),
              );
            }
          }
          if (captureMode !== null) {
            streams.push(
              bench.audio.openCapture(bench.audio.endpoint('capture', 'Line In'), {
                sink: new MemoryPcmWriter(audioFormat()),
                mode: captureMode,
                bufferMs,
              }),
            );
          }
          for (const stream of streams) stream.start();
          bench.machine.runFor(ticks);
          if (pausedBefore) streams[0]?.pause();
          if (asleep) power(bench, PowerSystemSleeping3);
          bench.unplug();
          if (asleep) power(bench, PowerSystemWorking);
          if (pausedBefore && streams[0]) expect(() => streams[0]?.resume()).toThrow();
          expect(bench.run(() => streams.every(({ ended }) => ended), 5)).toBe(true);
          for (const stream of streams) {
            expect(stream.state).toBe('failed');
            stream.close();
          }
          bench.pass(1);
          const alive = bench.kernel.objects.report().leaks.filter(({ driver }) => driver === 'hda');
          expect(alive).toEqual([]);
          expect(bench.machine.platform.dma.rangesOf(bench.slot)).toEqual([]);
          expect(bench.audio.filterPaths()).toEqual([]);
          expect(bench.findings).toEqual([]);
          expect(bench.process.handleCount).toBe(handles);
          expect(armedAlarms(bench)).toBe(0);
        },
      ),
      { numRuns: 25 },
    );
  });
});
