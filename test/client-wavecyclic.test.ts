import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AudioClient,
  type AudioFormat,
  audioFormat,
  frameBytes,
  MemoryPcmReader,
  MemoryPcmWriter,
  silenceByte,
} from '../src/client/index.ts';
import { keDelayExecutionThread } from '../src/kernel/index.ts';
import { CyclicScript, recordedAt } from '../src/portcls/ports/wavecyclic/test-card.ts';
import { CyclicMachine, same, sound } from '../src/portcls/ports/wavecyclic/test-client.ts';

function setup(script = new CyclicScript()) {
  const machine = new CyclicMachine(script);
  const audio = new AudioClient(machine.kernel);
  const run = (done: () => boolean, seconds = 100) =>
    machine.kernel.runUntil(done, machine.kernel.clock.now + Math.round(seconds * 10_000_000));
  const end = () => {
    audio.close();
    expect(machine.end()).toEqual([]);
  };
  return { machine, audio, run, end };
}

function recorded(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => recordedAt(i));
}

const formats = fc.constantFrom<AudioFormat>(
  audioFormat(),
  audioFormat({ sampleRate: 44_100 }),
  audioFormat({ sampleRate: 11_025, channels: 1, containerBits: 8 }),
  audioFormat({ sampleRate: 8_000, channels: 2, containerBits: 8 }),
  audioFormat({ sampleRate: 22_050, channels: 1 }),
  audioFormat({ sampleRate: 96_000, channels: 6, containerBits: 24 }),
);

describe('an application on a WaveCyclic card', () => {
  it('plays every byte once, in order, then silence, in every format and with every buffer', () => {
    fc.assert(
      fc.property(
        formats,
        fc.integer({ min: 3, max: 400 }),
        fc.integer({ min: 0, max: 40_000 }),
        fc.constantFrom('timer' as const, 'event' as const),
        (format, bufferMs, frames, mode) => {
          const script = new CyclicScript();
          script.bufferBytes = 65_536;
          const { machine, audio, run, end } = setup(script);
          const bytes = sound(frames * frameBytes(format));
          const stream = audio.openRender(audio.endpoint('render'), {
            source: new MemoryPcmReader(format, bytes),
            format,
            bufferMs,
            mode,
          });
          stream.start();
          expect(run(() => stream.ended)).toBe(true);
          expect(stream.error).toBe(null);
          const played = machine.stream.played.bytes;
          expect(same(played.subarray(0, bytes.length), bytes)).toBe(true);
          expect(played.subarray(bytes.length).every((byte) => byte === silenceByte(format))).toBe(true);
          expect(stream.statistics()).toMatchObject({ glitches: 0, frames, positionFrames: frames });
          expect(machine.findings).toEqual([]);
          end();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('records every byte once, in order, up to its limit', () => {
    fc.assert(
      fc.property(
        formats,
        fc.integer({ min: 3, max: 400 }),
        fc.integer({ min: 1, max: 30_000 }),
        (format, bufferMs, frames) => {
          const script = new CyclicScript();
          script.bufferBytes = 65_536;
          const { audio, run, end } = setup(script);
          const sink = new MemoryPcmWriter(format);
          const stream = audio.openCapture(audio.endpoint('capture'), { sink, format, bufferMs, frames });
          stream.start();
          expect(run(() => stream.ended)).toBe(true);
          expect(stream.error).toBe(null);
          expect(same(sink.bytes, recorded(frames * frameBytes(format)))).toBe(true);
          expect(stream.statistics()).toMatchObject({ glitches: 0, frames });
          end();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('goes on after pauses without a gap', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 5, max: 60 }),
        (pauses, runMs) => {
          const { machine, audio, run, end } = setup();
          const bytes = sound(24_000 * 4);
          const stream = audio.openRender(audio.endpoint('render'), {
            source: new MemoryPcmReader(audioFormat(), bytes),
          });
          stream.start();
          for (const milliseconds of pauses) {
            run(() => stream.ended, runMs / 1000);
            if (stream.ended) break;
            stream.pause();
            const at = machine.stream.played.bytes.length;
            run(() => false, milliseconds / 1000);
            expect(machine.stream.played.bytes.length).toBe(at);
            stream.resume();
          }
          run(() => stream.ended);
          expect(stream.statistics().glitches).toBe(0);
          expect(same(machine.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
          end();
        },
      ),
      { numRuns: 30 },
    );
  });

  it('keeps what was recorded up to the moment of a stop', () => {
    const { audio, run, end } = setup();
    const sink = new MemoryPcmWriter(audioFormat());
    const stream = audio.openCapture(audio.endpoint('capture'), { sink, bufferMs: 100 });
    stream.start();
    run(() => false, 0.1234);
    stream.stop();
    expect(stream.state).toBe('ended');
    expect(sink.frameCount).toBe(Math.floor(0.1234 * 48_000));
    expect(same(sink.bytes, recorded(sink.bytes.length))).toBe(true);
    end();
  });

  it('records on through pauses without losing or repeating anything', () => {
    const { audio, run, end } = setup();
    const sink = new MemoryPcmWriter(audioFormat());
    const stream = audio.openCapture(audio.endpoint('capture'), { sink, frames: 24_000, bufferMs: 37 });
    stream.start();
    for (const milliseconds of [13, 40, 101]) {
      run(() => stream.ended, 0.0777);
      stream.pause();
      run(() => false, milliseconds / 1000);
      stream.resume();
    }
    expect(run(() => stream.ended)).toBe(true);
    expect(same(sink.bytes, recorded(24_000 * 4))).toBe(true);
    end();
  });

  it('measures the rate of the position against the clock', () => {
    const { audio, run, end } = setup();
    const stream = audio.openRender(audio.endpoint('render'), {
      source: new MemoryPcmReader(audioFormat(), sound(48_000 * 4 * 3)),
    });
    stream.start();
    // To the end: readings that stand at the end of the sound do not count.
    run(() => stream.ended);
    const { clockFit, positionSource } = stream.statistics();
    expect(clockFit.rateHz).toBeCloseTo(48_000, 0);
    expect(clockFit.rmsErrorFrames).toBeLessThan(1);
    expect(positionSource).toBe('property');
    end();
  });

  it('notices that it came too late, and still plays to the end', () => {
    const { machine, audio, run, end } = setup();
    const bytes = sound(24_000 * 4);
    const reader = new MemoryPcmReader(audioFormat(), bytes);
    let calls = 0;
    const stream = audio.openRender(audio.endpoint('render'), {
      source: {
        format: audioFormat(),
        frameCount: null,
        read: (into, at, length) => {
          // The application is busy with something else for a while.
          if (++calls === 12) machine.kernel.enter(() => keDelayExecutionThread(-1_230_000));
          return reader.read(into, at, length);
        },
      },
    });
    stream.start();
    expect(run(() => stream.ended)).toBe(true);
    const { glitches, glitchFrames, frames } = stream.statistics();
    expect(glitches).toBe(1);
    expect(glitchFrames).toBeGreaterThan(1000);
    expect(glitchFrames).toBeLessThan(6000);
    expect(frames).toBe(24_000);
    const tail = bytes.subarray(bytes.length - 4000);
    expect(Buffer.from(machine.stream.played.bytes).lastIndexOf(tail)).toBeGreaterThan(bytes.length - 4000);
    end();
  });

  it('notices that the device overwrote what it had not asked for', () => {
    const { machine, audio, run, end } = setup();
    const memory = new MemoryPcmWriter(audioFormat());
    let calls = 0;
    const stream = audio.openCapture(audio.endpoint('capture'), {
      sink: {
        format: audioFormat(),
        write: (from, at, length) => {
          if (++calls === 5) machine.kernel.enter(() => keDelayExecutionThread(-3_000_000));
          memory.write(from, at, length);
        },
        end: () => memory.end(),
      },
      frames: 24_000,
    });
    stream.start();
    expect(run(() => stream.ended)).toBe(true);
    const { glitches, glitchFrames, frames } = stream.statistics();
    expect(glitches).toBe(1);
    expect(glitchFrames).toBeGreaterThan(4800);
    expect(glitchFrames).toBeLessThan(14_400);
    expect(frames).toBe(24_000);
    end();
  });

  it('sleeps with the machine and plays on without a gap', () => {
    const { machine, audio, run, end } = setup();
    const bytes = sound(24_000 * 4);
    const stream = audio.openRender(audio.endpoint('render'), {
      source: new MemoryPcmReader(audioFormat(), bytes),
    });
    stream.start();
    run(() => stream.ended, 0.1);
    machine.sleep();
    run(() => stream.ended, 10);
    machine.wake();
    expect(run(() => stream.ended)).toBe(true);
    expect(stream.error).toBe(null);
    expect(same(machine.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
    end();
  });

  it('refuses the packets of shared buffers with a sentence', () => {
    const { audio, end } = setup();
    expect(() =>
      audio.openRender(audio.endpoint('render'), {
        source: new MemoryPcmReader(audioFormat(), sound(4)),
        mode: 'packet',
      }),
    ).toThrow(/streams by read and write requests, .* Use the mode 'event' or 'timer'\.$/);
    end();
  });

  it('fails with a sentence when the interrupts stay away', () => {
    const script = new CyclicScript();
    script.interrupts = false;
    const { audio, run, end } = setup(script);
    const stream = audio.openRender(audio.endpoint('render'), {
      source: new MemoryPcmReader(audioFormat(), sound(400_000)),
    });
    stream.start();
    expect(run(() => stream.ended, 10)).toBe(true);
    expect(stream.error?.message).toMatch(/has completed no stream request for more than 1 s of KSSTATE_RUN/);
    end();
  });

  it('fails with a sentence when the card is pulled', () => {
    const { machine, audio, run, end } = setup();
    const stream = audio.openRender(audio.endpoint('render'), {
      source: new MemoryPcmReader(audioFormat(), sound(400_000)),
    });
    stream.start();
    run(() => false, 0.1);
    machine.unplug();
    expect(run(() => stream.ended, 5)).toBe(true);
    expect(stream.error?.message).toMatch(/the stream broke off: STATUS_DEVICE_REMOVED/);
    end();
  });
});
