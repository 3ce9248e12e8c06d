import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STATUS_INSUFFICIENT_RESOURCES, STATUS_IO_DEVICE_ERROR } from '../../kernel/index.ts';
import {
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPERTY_RTAUDIO_BUFFER,
} from '../../ks/index.ts';
import type { AudioFormat } from '../audio-format.ts';
import { audioFormat, frameBytes } from '../audio-format.ts';
import { MemoryPcmReader, MemoryPcmWriter } from '../pcm.ts';
import { KsObject } from '../requests/ks-object.ts';
import { RtCaptureStream } from './capture-stream.ts';
import { RtRenderStream } from './render-stream.ts';
import { RtPin } from './rt-pin.ts';
import type { RtStreamSetup } from './rt-stream.ts';
import type { StreamMode } from './stream.ts';
import { requireBufferMs } from './stream.ts';
import type { TestDeviceOptions } from './test-device.ts';
import { patternAt, TestDevice } from './test-device.ts';

const stereo = audioFormat();
/** Deep equality of long arrays takes seconds; this takes none. */
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
const sound = (length: number) => Uint8Array.from({ length }, (_, i) => ((i * 73 + 29) % 255) + 1);

function setup(
  device: TestDevice,
  format: AudioFormat,
  mode: StreamMode,
  bufferMs: number,
  capture = false,
): RtStreamSetup {
  return {
    host: device.host,
    endpointName: capture ? 'Microphone' : 'Speakers',
    pinName: 'Wave',
    pin: new RtPin(new KsObject(device, 1)),
    format,
    mode,
    direction: capture ? 'capture' : 'render',
    bufferMs,
    preferPositionRegister: true,
  };
}

function renderer(
  bytes: Uint8Array,
  {
    mode = 'timer' as StreamMode,
    bufferMs = 20,
    ...options
  }: { mode?: StreamMode; bufferMs?: number } & Partial<TestDeviceOptions> = {},
) {
  const device = new TestDevice({ format: stereo, ...options });
  const format = options.format ?? stereo;
  const stream = new RtRenderStream(
    setup(device, format, mode, bufferMs),
    new MemoryPcmReader(format, bytes),
  );
  return { device, stream };
}

const modes = fc.constantFrom<StreamMode>('timer', 'event', 'packet');

describe('a render stream', () => {
  it('plays every byte once, in order, and then silence only, in every mode and with every buffer', () => {
    fc.assert(
      fc.property(
        modes,
        fc.integer({ min: 3, max: 500 }),
        fc.integer({ min: 0, max: 20_000 }),
        fc.boolean(),
        fc.constantFrom(0, 32, 128),
        fc.boolean(),
        (mode, bufferMs, frames, mapped, fifoBytes, register) => {
          const bytes = sound(frames * 4);
          const { device, stream } = renderer(bytes, { mode, bufferMs, mapped, fifoBytes, register });
          stream.start();
          expect(device.run(() => stream.ended)).toBe(true);
          expect(stream.error).toBe(null);
          expect(stream.state).toBe('ended');
          expect(same(device.played.subarray(0, bytes.length), bytes)).toBe(true);
          expect(device.played.slice(bytes.length).every((byte) => byte === 0)).toBe(true);
          expect(stream.statistics()).toMatchObject({
            glitches: 0,
            frames,
            positionSource: register ? 'register' : 'property',
          });
          stream.close();
          expect(device.openHandles).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('steps through every state, up and down', () => {
    const { device, stream } = renderer(sound(400));
    stream.start();
    device.run(() => stream.ended);
    expect(device.states).toEqual([1, 2, 3, 2, 1, 0]);
  });

  it('fills 8-bit silence with 80h', () => {
    const format = audioFormat({ containerBits: 8, channels: 1 });
    const { device, stream } = renderer(sound(1000), { format, fifoBytes: 8 });
    stream.start();
    device.run(() => stream.ended);
    expect(new Set(device.played.slice(1000))).toEqual(new Set([0x80]));
  });

  it('goes on after a pause without a gap', () => {
    fc.assert(
      fc.property(
        modes,
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 }),
        (mode, pauses) => {
          const bytes = sound(48000 * 4);
          const { device, stream } = renderer(bytes, { mode });
          stream.start();
          for (const milliseconds of pauses) {
            device.run(() => stream.ended, 0.013);
            if (stream.ended) break;
            stream.pause();
            const at = device.played.length;
            device.run(() => false, milliseconds / 1000);
            expect(device.played.length).toBe(at);
            stream.resume();
          }
          device.run(() => stream.ended);
          expect(stream.statistics().glitches).toBe(0);
          expect(same(device.played.subarray(0, bytes.length), bytes)).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('notices that the device overtook it, goes on ahead of it, and still plays to the end', () => {
    const bytes = sound(48000 * 4);
    const { device, stream } = renderer(bytes, { bufferMs: 20 });
    stream.start();
    device.run(() => stream.ended, 0.1);
    device.delayTicks = 333_000;
    expect(device.run(() => stream.ended)).toBe(true);
    const { glitches, glitchFrames, frames, maxLatenessTicks } = stream.statistics();
    expect(glitches).toBe(1);
    expect(glitchFrames).toBeGreaterThan(1000);
    expect(glitchFrames).toBeLessThan(1700);
    expect(frames).toBe(48000);
    expect(maxLatenessTicks).toBe(333_000);
    const at = Buffer.from(device.played).lastIndexOf(bytes.subarray(bytes.length - 4000));
    expect(at).toBeGreaterThan(bytes.length - 4000);
  });

  it('hands packets over by number, the last one with its length', () => {
    const { device, stream } = renderer(sound(480 * 4 * 3 + 100), { mode: 'packet', bufferMs: 20 });
    stream.start();
    expect(device.packets).toEqual([
      { packet: 0, end: null },
      { packet: 1, end: null },
    ]);
    device.run(() => stream.ended);
    expect(device.packets.at(-1)).toEqual({ packet: 3, end: 100 });
  });

  it('ends with an empty packet when the sound ends with one', () => {
    const { device, stream } = renderer(sound(480 * 4 * 2), { mode: 'packet', bufferMs: 20 });
    stream.start();
    device.run(() => stream.ended);
    expect(device.packets.at(-1)).toEqual({ packet: 2, end: 0 });
  });

  it('measures the rate of the position against the clock', () => {
    const { device, stream } = renderer(sound(48000 * 4 * 3));
    stream.start();
    device.run(() => stream.ended);
    const { clockFit, periods } = stream.statistics();
    expect(clockFit.rateHz).toBeCloseTo(48000, 0);
    expect(clockFit.rmsErrorFrames).toBeLessThan(1);
    expect(clockFit.maxStepErrorFrames).toBeLessThanOrEqual(1);
    expect(periods).toBeGreaterThan(250);
  });

  it('fails with a sentence when the position stands still', () => {
    const { device, stream } = renderer(sound(40_000), { stuck: true });
    let told = 0;
    stream.onEnded = () => told++;
    stream.start();
    expect(device.run(() => stream.ended, 5)).toBe(true);
    expect(stream.state).toBe('failed');
    expect(stream.error?.message).toMatch(
      /^Speakers: the position has stayed at 0 frames for 1\.\d s of KSSTATE_RUN\. Check/,
    );
    expect(told).toBe(1);
    expect(device.state).toBe(0);
  });

  it('fails with a sentence when events stay away', () => {
    const { device, stream } = renderer(sound(400_000), { mode: 'event', silent: true });
    stream.start();
    expect(device.run(() => stream.ended, 5)).toBe(true);
    expect(stream.error?.message).toMatch(
      /^Speakers: the driver has signalled no notification for more than 1 s of KSSTATE_RUN; the position went from 0 to \d+ frames/,
    );
  });

  it('fails with the same sentence when the device neither moves nor signals', () => {
    const { device, stream } = renderer(sound(400_000), { mode: 'packet', silent: true, stuck: true });
    stream.start();
    expect(device.run(() => stream.ended, 5)).toBe(true);
    expect(stream.error?.message).toMatch(/the position went from 0 to 0 frames/);
  });

  it('fails with the status when the driver refuses a position', () => {
    let calls = 0;
    const { device, stream } = renderer(sound(40_000), {
      refuse: (id) => (id === KSPROPERTY_AUDIO_POSITION && ++calls > 3 ? STATUS_IO_DEVICE_ERROR : null),
    });
    stream.start();
    expect(device.run(() => stream.ended, 5)).toBe(true);
    expect(stream.error?.status).toBe(STATUS_IO_DEVICE_ERROR);
    expect(stream.error?.message).toMatch(
      /^Speakers: the stream broke off: STATUS_IO_DEVICE_ERROR\. The device reports an error;/,
    );
    stream.close();
    expect(device.openHandles).toBe(0);
  });

  it('fails, and leaves the machine running, when its source throws', () => {
    const device = new TestDevice({ format: stereo });
    let calls = 0;
    const source = {
      format: stereo,
      frameCount: null,
      read(_into: Uint8Array, _at: number, byteLength: number) {
        if (++calls > 4) throw new Error('The disk is gone.');
        return byteLength;
      },
    };
    const stream = new RtRenderStream(setup(device, stereo, 'timer', 20), source);
    stream.start();
    expect(device.run(() => stream.ended, 5)).toBe(true);
    expect(stream.error?.message).toBe('Speakers: the stream broke off: The disk is gone.');
    expect(device.state).toBe(0);
    stream.close();
    expect(device.openHandles).toBe(0);
  });

  it('has failed when it cannot start, and stands still', () => {
    let states = 0;
    const { device, stream } = renderer(sound(4000), {
      refuse: (id) => (id === KSPROPERTY_CONNECTION_STATE && ++states === 3 ? STATUS_IO_DEVICE_ERROR : null),
    });
    expect(() => stream.start()).toThrow(/^Speakers: cannot start the stream: STATUS_IO_DEVICE_ERROR\./);
    expect(stream.state).toBe('failed');
    expect(stream.error?.status).toBe(STATUS_IO_DEVICE_ERROR);
    expect(device.state).toBe(0);
  });

  it('says what it wanted when there is no buffer', () => {
    const refuse = (id: number) => (id === KSPROPERTY_RTAUDIO_BUFFER ? STATUS_INSUFFICIENT_RESOURCES : null);
    expect(() => renderer(sound(4), { refuse })).toThrow(
      /^Speakers: cannot get a buffer of 20 ms \(3840 bytes\): STATUS_INSUFFICIENT_RESOURCES\. .* smaller buffer\.$/,
    );
  });

  it('refuses what its state does not allow, and lengths out of bounds', () => {
    const { stream } = renderer(sound(4));
    expect(() => stream.pause()).toThrow(/cannot pause a stream that is stopped; it must be running/);
    expect(() => stream.resume()).toThrow(/it must be paused/);
    stream.start();
    expect(() => stream.start()).toThrow(/it must be stopped/);
    stream.close();
    stream.close();
    expect(stream.state).toBe('closed');
    expect(() => requireBufferMs(2)).toThrow(/A buffer of 2 ms was asked for; 3 to 500 ms are possible/);
  });
});

describe('a capture stream', () => {
  function recorder(
    frames: number | null,
    options: { mode?: StreamMode; bufferMs?: number } & Partial<TestDeviceOptions> = {},
  ) {
    const { mode = 'timer', bufferMs = 20, ...rest } = options;
    const device = new TestDevice({ format: stereo, capture: true, ...rest });
    const sink = new MemoryPcmWriter(stereo);
    const stream = new RtCaptureStream(setup(device, stereo, mode, bufferMs, true), sink, frames);
    return { device, sink, stream };
  }
  const pattern = (length: number) => Uint8Array.from({ length }, (_, i) => patternAt(i));

  it('records every byte once, in order, up to its limit', () => {
    fc.assert(
      fc.property(
        modes,
        fc.integer({ min: 3, max: 500 }),
        fc.integer({ min: 1, max: 20_000 }),
        fc.boolean(),
        (mode, bufferMs, frames, mapped) => {
          const { device, sink, stream } = recorder(frames, { mode, bufferMs, mapped });
          stream.start();
          expect(device.run(() => stream.ended)).toBe(true);
          expect(stream.error).toBe(null);
          expect(same(sink.bytes, pattern(frames * 4))).toBe(true);
          stream.close();
          expect(device.openHandles).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(['timer', 'event', 'packet'] as const)(
    'keeps in %s mode what was recorded up to the moment of a stop',
    (mode) => {
      const { device, sink, stream } = recorder(null, { bufferMs: 100, mode });
      stream.start();
      device.run(() => false, 0.1234);
      stream.stop();
      expect(stream.state).toBe('ended');
      expect(sink.frameCount).toBe(Math.floor(0.1234 * 48000));
      expect(same(sink.bytes, pattern(sink.bytes.length))).toBe(true);
    },
  );

  it.each(['timer', 'event', 'packet'] as const)(
    'notices in %s mode that the device overwrote what it had not read',
    (mode) => {
      const { device, sink, stream } = recorder(20_000, { bufferMs: 20, mode });
      stream.start();
      device.run(() => stream.ended, 0.1);
      device.delayTicks = 400_000;
      expect(device.run(() => stream.ended)).toBe(true);
      const { glitches, glitchFrames } = stream.statistics();
      expect(glitches).toBe(1);
      expect(glitchFrames).toBeGreaterThan(900);
      expect(sink.frameCount).toBe(20_000);
      const tail = sink.bytes.slice(-4000);
      const start = (20_000 + glitchFrames) * frameBytes(stereo) - 4000;
      expect(tail).toEqual(Uint8Array.from({ length: 4000 }, (_, i) => patternAt(start + i)));
    },
  );
});
