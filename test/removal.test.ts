import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  audioFormat,
  bytesPerSecond,
  type CaptureStream,
  MemoryPcmReader,
  MemoryPcmWriter,
  type RenderStream,
  type StreamMode,
} from '../src/client/index.ts';
import { encodeUlong } from '../src/client/requests/ks-object.ts';
import { ToneSource } from '../src/hardware/analog.ts';
import {
  NtError,
  ntStatusName,
  PowerSystemSleeping3,
  PowerSystemWorking,
  VirtualClock,
} from '../src/kernel/index.ts';
import {
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
} from '../src/ks/index.ts';
import {
  Ac97Bench,
  bytesOf,
  CAPTURE_PIN,
  expectBitExact,
  noise,
  RENDER_PIN,
  setState,
} from './support/ac97-bench.ts';

/** The line that the card in slot 3 interrupts on. */
const CARD_LINE = 19;

interface Streams {
  readonly render: RenderStream | null;
  readonly capture: CaptureStream | null;
  readonly all: readonly (RenderStream | CaptureStream)[];
}

/** Opens and starts streams of the modes that are named. */
function start(
  bench: Ac97Bench,
  renderMode: StreamMode | null,
  captureMode: StreamMode | null,
  bufferMs: number,
): Streams {
  const silence = new Uint8Array(bytesPerSecond(audioFormat()) * 10).fill(1);
  const render =
    renderMode === null
      ? null
      : bench.audio.openRender(bench.audio.endpoint('render', 'Speakers'), {
          source: new MemoryPcmReader(audioFormat(), silence),
          mode: renderMode,
          bufferMs,
        });
  const capture =
    captureMode === null
      ? null
      : bench.audio.openCapture(bench.audio.endpoint('capture', 'Line In'), {
          sink: new MemoryPcmWriter(audioFormat()),
          mode: captureMode,
          bufferMs,
        });
  const all = [render, capture].filter((stream) => stream !== null);
  for (const stream of all) stream.start();
  return { render, capture, all };
}

/** Nothing of the driver or the card may be alive on the machine. */
function expectNothingLeft(bench: Ac97Bench): void {
  const { kernel, platform } = bench.machine;
  const alive = kernel.objects.report().leaks.filter(({ driver }) => driver === 'ac97');
  expect(alive).toEqual([]);
  expect(kernel.interrupts.chainOf(CARD_LINE)).toEqual([]);
  expect(platform.isInterruptAsserted(CARD_LINE)).toBe(false);
  expect(platform.dma.rangesOf(bench.slot)).toEqual([]);
  expect(bench.audio.filterPaths()).toEqual([]);
}

function armedAlarms(bench: Ac97Bench): number {
  const { clock } = bench.kernel;
  if (!(clock instanceof VirtualClock)) throw new Error('the machine runs in virtual time');
  return clock.armedCount;
}

const mode = fc.constantFrom<StreamMode | null>('timer', 'event', 'packet', null);

describe('a card that is pulled out', () => {
  it('in the middle of any stream leaves nothing, tells the application, and plays again when it is back', () => {
    fc.assert(
      fc.property(
        mode,
        mode,
        fc.integer({ min: 3, max: 100 }),
        // To the tick: in the middle of periods, interrupts and wakes.
        fc.integer({ min: 0, max: 3_000_000 }),
        fc.boolean(),
        (renderMode, captureMode, bufferMs, ticks, pausedBefore) => {
          using bench = new Ac97Bench({ flat: false, card: { lineIn: new ToneSource(440) } });
          const handles = bench.process.handleCount;
          bench.unplug();
          const armed = armedAlarms(bench);
          bench.replug();
          const { all } = start(bench, renderMode, captureMode, bufferMs);
          bench.machine.runFor(ticks);
          if (pausedBefore) all[0]?.pause();
          bench.unplug();
          if (pausedBefore && all[0]) expect(() => all[0]?.resume()).toThrow(/Line In|Speakers/);
          expect(bench.run(() => all.every(({ ended }) => ended), 5)).toBe(true);
          for (const stream of all) {
            expect(stream.state).toBe('failed');
            if (stream === all[0] && pausedBefore) continue;
            expect(stream.error?.message).toMatch(/^(Speakers|Line In): /);
            expect(stream.error?.message).toMatch(/STATUS_|no notification|stuck|stopped|not moved/i);
          }
          for (const stream of all) stream.close();
          bench.pass(1);
          expectNothingLeft(bench);
          // The driver knows what all ones in its registers mean: it waits for nothing and reports nothing.
          expect(bench.machine.trace.findings.filter(({ source }) => source === 'ac97')).toEqual([]);
          expect(bench.process.handleCount).toBe(handles);
          expect(armedAlarms(bench)).toBe(armed);
          bench.replug();
          expect(bench.audio.filterPaths()).toHaveLength(2);
          expectBitExact(bench, renderMode ?? 'timer', 1200);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('fails every request but the way down, and goes when the last handle does', () => {
    using bench = new Ac97Bench();
    const filter = bench.openFilter('Wave');
    const pin = bench.openPin(filter, RENDER_PIN);
    const topology = bench.openFilter('Topology');
    pin.allocateBuffer(7680, 2);
    pin.registerEvent(bench.process.createEvent());
    setState(pin, KSSTATE_RUN);
    bench.pass(25);
    bench.unplug();
    const refused = (action: () => unknown): string => {
      try {
        action();
        return 'succeeded';
      } catch (error) {
        return error instanceof NtError ? ntStatusName(error.status) : String(error);
      }
    };
    const position = () => pin.object.get(KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, 16);
    expect(refused(position)).toBe('STATUS_DEVICE_REMOVED');
    expect(refused(() => pin.packetCount())).toBe('STATUS_DEVICE_REMOVED');
    expect(refused(() => bench.openPin(filter, CAPTURE_PIN))).toBe('STATUS_NO_SUCH_DEVICE');
    expect(refused(() => bench.openFilter('Wave'))).not.toBe('succeeded');
    const state = (value: number) => () =>
      pin.object.set(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, encodeUlong(value));
    for (const down of [KSSTATE_PAUSE, KSSTATE_STOP]) expect(refused(state(down))).toBe('succeeded');
    expect(refused(state(KSSTATE_RUN))).toBe('STATUS_DEVICE_REMOVED');
    // Plugged in again while the dead device is still held: both exist side by side.
    bench.replug();
    expectBitExact(bench, 'event', 1200);
    for (const object of [topology, filter, pin.object]) object.close();
    expectBitExact(bench, 'timer', 1200);
    bench.unplug();
    expectNothingLeft(bench);
  });

  it('while the machine sleeps is noticed on waking', () => {
    using bench = new Ac97Bench();
    const { all } = start(bench, 'event', null, 20);
    bench.pass(50);
    bench.kernel.enter(() => bench.kernel.pnp.setSystemPowerState(PowerSystemSleeping3));
    bench.unplug();
    bench.kernel.enter(() => bench.kernel.pnp.setSystemPowerState(PowerSystemWorking));
    expect(bench.run(() => all.every(({ ended }) => ended), 5)).toBe(true);
    for (const stream of all) stream.close();
    expectNothingLeft(bench);
  });

  it('and put back a hundred times in quick succession ends up working', () => {
    using bench = new Ac97Bench({ flat: false });
    for (let round = 0; round < 100; round++) {
      bench.unplug();
      bench.replug();
    }
    expectBitExact(bench, 'event', 1200);
  });
});

describe('Plug and Play around open handles', () => {
  const node = (bench: Ac97Bench) => {
    const found = bench.kernel.pnp.findDevice(bench.slot);
    if (found === null) throw new Error('the card has no device');
    return found;
  };

  it('refuses stop and removal while a stream runs, and the stream does not notice', () => {
    using bench = new Ac97Bench();
    const samples = noise(2 * 9600, 3);
    const source = new MemoryPcmReader(audioFormat(), bytesOf(samples));
    const stream = bench.audio.openRender(bench.audio.endpoint('render'), {
      source,
      mode: 'event',
      bufferMs: 20,
    });
    stream.start();
    bench.pass(50);
    const { pnp } = bench.kernel;
    // No IAdapterPnpManagement is registered: such a driver takes no part in rebalancing (P-24, P-28).
    expect(pnp.queryStop(node(bench)).accepted).toBe(false);
    expect(pnp.queryRemove(node(bench))).toMatchObject({ accepted: false });
    expect(() => pnp.remove(node(bench))).toThrow(/open file/);
    expect(bench.run(() => stream.ended)).toBe(true);
    expect(stream.error).toBeNull();
    expect(stream.statistics().glitches).toBe(0);
    stream.close();
  });

  it('removes and starts the device again when nobody holds it', () => {
    using bench = new Ac97Bench();
    for (let round = 0; round < 5; round++) {
      expect(bench.kernel.pnp.queryAndRemove(node(bench))).toMatchObject({ accepted: true });
      expectNothingLeft(bench);
      bench.kernel.pnp.startDevice(node(bench));
      expectBitExact(bench, 'event', 1200);
    }
  });
});

describe('an application that dies', () => {
  it('in the middle of any stream leaves the card silent, nothing behind, and the next one plays', () => {
    fc.assert(
      fc.property(
        mode,
        mode,
        fc.integer({ min: 3, max: 100 }),
        fc.integer({ min: 0, max: 2_000_000 }),
        (renderMode, captureMode, bufferMs, ticks) => {
          using bench = new Ac97Bench({ flat: false, card: { lineIn: new ToneSource(440) } });
          const objects = bench.kernel.objects.count;
          start(bench, renderMode, captureMode, bufferMs);
          bench.machine.runFor(ticks);
          bench.killApplication();
          expect(bench.card.position('PO').running).toBe(false);
          expect(bench.card.position('PI').running).toBe(false);
          expect(bench.kernel.objects.count).toBe(objects);
          expectBitExact(bench, renderMode ?? 'timer', 1200);
        },
      ),
      { numRuns: 30 },
    );
  });
});
