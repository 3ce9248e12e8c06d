import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  NtError,
  ntStatusName,
  PowerDeviceD0,
  PowerDeviceD3,
  STATUS_CANCELLED,
  STATUS_DEVICE_REMOVED,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_INVALID_PARAMETER,
  STATUS_IO_DEVICE_ERROR,
  STATUS_SUCCESS,
} from '../../../kernel/index.ts';
import {
  encodeStreamHeaders,
  IOCTL_KS_READ_STREAM,
  IOCTL_KS_RESET_STATE,
  IOCTL_KS_WRITE_STREAM,
  KSPROPERTY_STREAM_PRESENTATIONTIME,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Stream,
  KSRESET_BEGIN,
  KSRESET_END,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  KSTIME,
  type MusicRecord,
  streamHeader,
  viewOf,
} from '../../../ks/index.ts';
import { FAKE_BUS_DEVICE, ulongs } from '../../test-helpers.ts';
import { DISPATCH_LEVEL, MidiMachine, type MidiScript, note, RENDER_PIN } from './test-driver.ts';

let machine: MidiMachine | null = null;

function start(script: MidiScript = {}): MidiMachine {
  machine = new MidiMachine(script);
  return machine;
}

afterEach(() => {
  const made = machine;
  machine = null;
  if (made === null) return;
  if (made.kernel.stopped === null) expect(made.end()).toEqual([]);
  made[Symbol.dispose]();
});

/** Milliseconds since `from` of each write. */
const times = (m: MidiMachine, from: number) => m.midi.written.map(({ tick }) => (tick - from) / 10_000);
const record = (timeDeltaMs: number, key: number): MusicRecord => ({ timeDeltaMs, bytes: note(key) });

describe('the sequencer', () => {
  it('plays each record at its delta after the one before, from the presentation time on', () => {
    const m = start();
    const pin = m.running(RENDER_PIN);
    const from = m.now;
    const sent = m.write(pin, 10, [record(0, 60), record(1, 61), record(7, 62)]);
    m.pass(17);
    expect(sent.status).toBeNull();
    m.pass(1);
    expect(times(m, from)).toEqual([10, 11, 18]);
    expect(m.midi.written.map(({ bytes }) => bytes)).toEqual([
      [0x90, 60, 100],
      [0x90, 61, 100],
      [0x90, 62, 100],
    ]);
    expect(sent.status).toBe(STATUS_SUCCESS);
    expect(sent.information).toBe(3 * 12);
    expect((sent.tick - from) / 10_000).toBe(18);
    expect(m.findings()).toEqual([]);
  });

  it('is at DISPATCH_LEVEL when it writes', () => {
    const m = start();
    m.write(m.running(RENDER_PIN), 0, [record(0, 60), record(2, 60)]);
    m.pass(3);
    expect([...m.midi.levels]).toEqual([DISPATCH_LEVEL]);
  });

  it('does not begin a request before the one before is played: an early stamp is late, never earlier in order', () => {
    // The example of the DDI page KSMUSICFORMAT.
    const m = start();
    const pin = m.running(RENDER_PIN);
    const from = m.now;
    m.write(pin, 123, [record(0, 1), record(1, 2), record(7, 3)]);
    m.write(pin, 120, [record(5, 4), record(15, 5)]);
    m.pass(200);
    expect(times(m, from)).toEqual([123, 124, 131, 131, 140]);
    expect(m.midi.written.map(({ bytes }) => bytes[1])).toEqual([1, 2, 3, 4, 5]);
  });

  it('plays what is late at once', () => {
    const m = start();
    const pin = m.running(RENDER_PIN);
    m.pass(50);
    const from = m.now;
    const sent = m.write(pin, 20, [record(0, 60), record(10, 61)]);
    m.pass(0);
    expect(times(m, from)).toEqual([0, 0]);
    expect(sent.status).toBe(STATUS_SUCCESS);
  });

  it('has a resolution of a millisecond of stream time, and is never early', () => {
    const m = start();
    const pin = m.running(RENDER_PIN);
    const from = m.now;
    m.write(pin, 0.0001, [record(0, 1), record(1, 2)]);
    m.write(pin, 4.9, [record(0, 3)]);
    m.pass(10);
    expect(times(m, from)).toEqual([1, 2, 5]);
  });

  it('scales presentation times by their fraction', () => {
    const m = start();
    const pin = m.running(RENDER_PIN);
    const from = m.now;
    const address = m.process.allocateMemory(64);
    m.process.writeMemory(address, Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0xf8, 0, 0, 0));
    // 480 samples at 48 kHz.
    const header = streamHeader({
      presentationTime: { time: 480, numerator: 10_000_000, denominator: 48_000 },
      frameExtent: 12,
      dataUsed: 12,
      data: address,
    });
    m.send(pin, IOCTL_KS_WRITE_STREAM, encodeStreamHeaders([header]), address);
    m.pass(20);
    expect(times(m, from)).toEqual([10]);
  });

  it('comes again at the next millisecond with what a busy device did not take', () => {
    let room = 4;
    const m = start({
      write: (bytes) => {
        const taken = Math.min(room, bytes.byteLength);
        room -= taken;
        return taken;
      },
    });
    const pin = m.running(RENDER_PIN);
    const from = m.now;
    const sysex = Uint8Array.of(0xf0, 1, 2, 3, 4, 5, 6, 7, 8, 0xf7);
    const sent = m.write(pin, 2, [{ timeDeltaMs: 0, bytes: sysex }, record(0, 60)]);
    for (let ms = 0; ms < 8; ms++) {
      m.pass(1);
      room = 4;
    }
    const taken = m.midi.written.filter(({ bytes }) => bytes.length > 0);
    expect(taken.map(({ bytes }) => bytes.length)).toEqual([4, 4, 2, 2, 1]);
    expect(taken.map(({ tick }) => (tick - from) / 10_000)).toEqual([2, 3, 4, 4, 5]);
    expect(taken.flatMap(({ bytes }) => bytes)).toEqual([...sysex, ...note(60)]);
    expect(sent.status).toBe(STATUS_SUCCESS);
  });

  it('plays a system exclusive message of any length', () => {
    const m = start();
    const bytes = new Uint8Array(50_000).fill(0x11);
    bytes[0] = 0xf0;
    bytes[49_999] = 0xf7;
    const sent = m.write(m.running(RENDER_PIN), 0, [{ timeDeltaMs: 0, bytes }]);
    m.pass(1);
    expect(m.midi.written.flatMap((one) => one.bytes)).toEqual([...bytes]);
    expect(sent.status).toBe(STATUS_SUCCESS);
  });

  it('leaves bytes as they are: running status is neither made nor undone', () => {
    const m = start();
    const bytes = Uint8Array.of(0x90, 60, 100, 62, 100, 0xf8, 64, 0);
    m.write(m.running(RENDER_PIN), 0, [{ timeDeltaMs: 0, bytes }]);
    m.pass(1);
    expect(m.midi.written.flatMap((one) => one.bytes)).toEqual([...bytes]);
  });

  it('reports a device that takes nothing for a second, and goes on trying', () => {
    let busy = true;
    const m = start({ write: (bytes) => (busy ? 0 : bytes.byteLength) });
    const sent = m.write(m.running(RENDER_PIN), 0, [record(0, 60)]);
    m.pass(900);
    expect(m.findings()).toEqual([]);
    m.pass(200);
    expect(m.findings()).toEqual([expect.stringContaining('no byte for more than a second')]);
    busy = false;
    m.pass(1);
    expect(sent.status).toBe(STATUS_SUCCESS);
  });

  it('asks a busy device again when it notifies', () => {
    let busy = true;
    const m = start({ write: (bytes) => (busy ? 0 : bytes.byteLength) });
    const sent = m.write(m.running(RENDER_PIN), 0, [record(0, 60)]);
    m.pass(0.2);
    busy = false;
    m.kernel.enter(() => m.midi.port?.notify(null));
    m.pass(0);
    expect(sent.status).toBe(STATUS_SUCCESS);
    expect(m.midi.calls).toContain('Service');
  });
});

describe('what a miniport may answer', () => {
  it('a status of failure ends its request with that status, and the next one is played', () => {
    let failing = true;
    const m = start({
      write: (bytes) => {
        if (failing) throw new NtError(STATUS_IO_DEVICE_ERROR, 'the UART does not answer');
        return bytes.byteLength;
      },
    });
    const pin = m.running(RENDER_PIN);
    const first = m.write(pin, 0, [record(0, 60)]);
    m.pass(1);
    failing = false;
    const second = m.write(pin, 0, [record(0, 61)]);
    m.pass(1);
    expect(first.status).toBe(STATUS_IO_DEVICE_ERROR);
    expect(second.status).toBe(STATUS_SUCCESS);
    expect(m.findings()).toEqual([expect.stringContaining('the UART does not answer')]);
  });

  it.each([
    [-1, 'gave a count that it was not asked to write'],
    [99, 'gave a count that it was not asked to write'],
    [Number.NaN, 'gave a count that it was not asked to write'],
    [5, 'no multiple of four'],
  ])('a count of %d of 10 bytes is a finding', (answer, text) => {
    let answers = 0;
    const m = start({ write: (bytes) => (answers++ === 0 ? answer : bytes.byteLength) });
    const sent = m.write(m.running(RENDER_PIN), 0, [{ timeDeltaMs: 0, bytes: new Uint8Array(10) }]);
    m.pass(3);
    expect(m.findings()).toEqual([expect.stringContaining(text)]);
    expect(sent.status).toBe(STATUS_SUCCESS);
  });
});

describe('states', () => {
  it('go in single steps', () => {
    const m = start();
    const pin = m.running(RENDER_PIN);
    m.setState(pin, KSSTATE_STOP);
    expect(m.midi.calls.filter((call) => call.startsWith('SetState'))).toEqual(
      [KSSTATE_ACQUIRE, KSSTATE_PAUSE, KSSTATE_RUN, KSSTATE_PAUSE, KSSTATE_ACQUIRE, KSSTATE_STOP].map(
        (state) => `SetState(${state})`,
      ),
    );
  });

  it('PAUSE holds: the time stands still and what waits is played later by as much', () => {
    const m = start();
    const pin = m.open(RENDER_PIN);
    m.setState(pin, KSSTATE_PAUSE);
    const sent = m.write(pin, 5, [record(0, 60), record(10, 61)]);
    m.pass(100);
    expect(m.midi.written).toEqual([]);
    m.setState(pin, KSSTATE_RUN);
    const from = m.now;
    m.pass(8);
    m.setState(pin, KSSTATE_PAUSE);
    m.pass(1000);
    m.setState(pin, KSSTATE_RUN);
    m.pass(20);
    expect(times(m, from)).toEqual([5, 1015]);
    expect(sent.status).toBe(STATUS_SUCCESS);
  });

  it('STOP discards what waits and sets the time to 0', () => {
    const m = start();
    const pin = m.running(RENDER_PIN);
    const sent = [m.write(pin, 0, [record(0, 60), record(50, 61)]), m.write(pin, 100, [record(0, 62)])];
    m.pass(10);
    const time = () => {
      const value = new Uint8Array(KSTIME.size);
      m.property(pin, KSPROPSETID_Stream, KSPROPERTY_STREAM_PRESENTATIONTIME, KSPROPERTY_TYPE_GET, value);
      return KSTIME.read(viewOf(value), 0);
    };
    expect(time()).toEqual({ time: 100_000, numerator: 1, denominator: 1 });
    m.setState(pin, KSSTATE_STOP);
    m.pass(0);
    expect(sent.map(({ status }) => status)).toEqual([STATUS_CANCELLED, STATUS_CANCELLED]);
    expect(time().time).toBe(0);
    m.setState(pin, KSSTATE_RUN);
    m.pass(200);
    expect(m.midi.written).toHaveLength(1);
  });

  it('in STOP no request is taken', () => {
    const m = start();
    const sent = m.write(m.open(RENDER_PIN), 0, [record(0, 60)]);
    m.pass(0);
    expect(sent.status).toBe(STATUS_INVALID_DEVICE_STATE);
  });

  it('a miniport that refuses RUN is written nothing', () => {
    const m = start({
      setState: (state) => {
        if (state === KSSTATE_RUN) throw new NtError(STATUS_IO_DEVICE_ERROR);
      },
    });
    const pin = m.open(RENDER_PIN);
    expect(m.setState(pin, KSSTATE_RUN)).toBe(STATUS_IO_DEVICE_ERROR);
    m.write(pin, 0, [record(0, 60)]);
    m.pass(5);
    expect(m.midi.written).toEqual([]);
  });

  it('sleep takes the stream to PAUSE and back, and no time is lost', () => {
    const m = start();
    const pin = m.running(RENDER_PIN);
    const from = m.now;
    m.write(pin, 0, [record(10, 60)]);
    m.pass(5);
    m.power(PowerDeviceD3);
    m.pass(100);
    m.power(PowerDeviceD0);
    m.pass(20);
    expect(times(m, from)).toEqual([110]);
  });
});

describe('requests', () => {
  it('that wait can be cancelled one by one', () => {
    const m = start();
    const pin = m.running(RENDER_PIN);
    const [a, b, c] = [10, 20, 30].map((ms) => m.write(pin, ms, [record(0, ms)]));
    m.pass(1);
    b?.request.cancel();
    m.pass(40);
    expect([a, b, c].map((one) => ntStatusName(one?.status ?? -1))).toEqual([
      'STATUS_SUCCESS',
      'STATUS_CANCELLED',
      'STATUS_SUCCESS',
    ]);
    expect(m.midi.written.map(({ bytes }) => bytes[1])).toEqual([10, 30]);
  });

  it('are cancelled in the middle of a message when the handle closes', () => {
    const m = start({ write: (bytes) => (bytes.byteLength > 4 ? 4 : 0) });
    const pin = m.running(RENDER_PIN);
    const sent = m.write(pin, 0, [{ timeDeltaMs: 0, bytes: new Uint8Array(10) }]);
    m.pass(3);
    m.process.closeHandle(pin);
    m.pass(10);
    expect(sent.status).toBe(STATUS_CANCELLED);
  });

  it('in the wrong direction are refused', () => {
    const m = start();
    const sent = m.send(
      m.running(RENDER_PIN),
      IOCTL_KS_READ_STREAM,
      encodeStreamHeaders([streamHeader({})]),
      0,
    );
    m.pass(0);
    expect(sent.status).toBe(STATUS_INVALID_DEVICE_REQUEST);
  });

  it('with a record that runs out of the buffer are refused, and nothing of them is played', () => {
    const m = start();
    const sent = m.writeRaw(
      m.running(RENDER_PIN),
      0,
      Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0xf8, 0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0, 1),
    );
    m.pass(1);
    expect(sent.status).toBe(STATUS_INVALID_PARAMETER);
    expect(m.midi.written).toEqual([]);
  });

  it('without data are done when their turn comes', () => {
    const m = start();
    const pin = m.running(RENDER_PIN);
    const first = m.write(pin, 5, [record(0, 60)]);
    const empty = m.write(pin, 0, []);
    m.pass(1);
    expect([first.status, empty.status]).toEqual([null, null]);
    m.pass(5);
    expect([first.status, empty.status]).toEqual([STATUS_SUCCESS, STATUS_SUCCESS]);
  });

  it('end with a reset, which holds until its end', () => {
    const m = start();
    const pin = m.running(RENDER_PIN);
    const reset = (value: number) =>
      m.process.deviceIoControl(pin, IOCTL_KS_RESET_STATE, ulongs(value), null).status;
    const waiting = m.write(pin, 100, [record(0, 60)]);
    expect(reset(KSRESET_BEGIN)).toBe(STATUS_SUCCESS);
    const during = m.write(pin, 0, [record(0, 61)]);
    expect(reset(KSRESET_END)).toBe(STATUS_SUCCESS);
    const after = m.write(pin, 0, [record(0, 62)]);
    m.pass(1);
    expect([waiting.status, during.status, after.status]).toEqual([
      STATUS_CANCELLED,
      STATUS_INVALID_DEVICE_STATE,
      STATUS_SUCCESS,
    ]);
    expect(reset(7)).toBe(STATUS_INVALID_PARAMETER);
  });

  it('end when the device is pulled out; nothing is written to it any more', () => {
    const m = start();
    const pin = m.running(RENDER_PIN);
    const sent = m.write(pin, 10, [record(0, 60)]);
    m.pass(1);
    m.kernel.enter(() => m.kernel.pnp.surpriseRemove(FAKE_BUS_DEVICE));
    m.pass(100);
    expect(sent.status).toBe(STATUS_DEVICE_REMOVED);
    expect(m.midi.written).toEqual([]);
    const late = m.write(pin, 0, [record(0, 61)]);
    m.pass(0);
    expect(late.status).toBe(STATUS_DEVICE_REMOVED);
    expect(m.setState(pin, KSSTATE_STOP)).toBe(STATUS_SUCCESS);
  });
});

describe('any bytes', () => {
  it('are played in order or refused, and never upset the port', () => {
    const size = fc.oneof(fc.nat(40), fc.constant(0xffff_ffff));
    const piece = fc.record({
      delta: fc.oneof(fc.nat(30), fc.constant(0xffff_ffff)),
      byteCount: fc.option(size, { nil: undefined }),
      bytes: fc.uint8Array({ maxLength: 40 }),
    });
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            time: fc.integer({ min: -1000, max: 200 }),
            pieces: fc.array(piece, { maxLength: 6 }),
            cut: fc.nat(8),
          }),
          {
            maxLength: 5,
          },
        ),
        fc.infiniteStream(fc.nat(40)),
        (requests, answers) => {
          const m = new MidiMachine({
            write: (bytes) =>
              Math.min(bytes.byteLength, (answers.next().value as number) & ~3 || bytes.byteLength),
          });
          try {
            const pin = m.running(RENDER_PIN);
            const expected: number[] = [];
            for (const { time, pieces, cut } of requests) {
              const data: number[] = [];
              for (const { delta, byteCount, bytes } of pieces) {
                data.push(...ulongs(delta, byteCount ?? bytes.byteLength), ...bytes);
                while (data.length % 4 !== 0) data.push(0xee);
              }
              const sent = m.writeRaw(
                pin,
                time,
                Uint8Array.from(data.slice(0, Math.max(0, data.length - cut))),
              );
              m.pass(0);
              if (sent.status !== null && sent.status !== STATUS_SUCCESS)
                expect(sent.status).toBe(STATUS_INVALID_PARAMETER);
            }
            m.pass(400);
            expected.push(...m.midi.written.flatMap(({ bytes }) => bytes));
            const ticks = m.midi.written.map(({ tick }) => tick);
            expect(ticks).toEqual([...ticks].sort((a, b) => a - b));
            expect(m.findings()).toEqual([]);
            expect(m.end()).toEqual([]);
          } finally {
            m[Symbol.dispose]();
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('that are well formed all come out, each no earlier than due and less than a millisecond late', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.array(
            fc.record({ timeDeltaMs: fc.nat(20), bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }) }),
            { minLength: 1, maxLength: 5 },
          ),
          {
            minLength: 1,
            maxLength: 8,
          },
        ),
        fc.integer({ min: 0, max: 9999 }),
        (requests, offset100ns) => {
          const m = new MidiMachine();
          try {
            const pin = m.running(RENDER_PIN);
            const from = m.now;
            const due: number[] = [];
            let time = offset100ns;
            for (const records of requests) {
              m.write(pin, time / 10_000, records);
              for (const { timeDeltaMs } of records) {
                time += timeDeltaMs * 10_000;
                due.push(time);
              }
            }
            m.pass(1000);
            const played = m.midi.written.map(({ tick }) => tick - from);
            expect(m.midi.written.map(({ bytes }) => bytes)).toEqual(
              requests.flat().map(({ bytes }) => [...bytes]),
            );
            for (const [index, tick] of played.entries()) {
              const late = tick - (due[index] ?? 0);
              expect(late).toBeGreaterThanOrEqual(0);
              expect(late).toBeLessThan(10_000);
            }
            expect(m.end()).toEqual([]);
          } finally {
            m[Symbol.dispose]();
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
