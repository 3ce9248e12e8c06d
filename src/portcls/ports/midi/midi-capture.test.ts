import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  NtError,
  STATUS_BUFFER_TOO_SMALL,
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
  IOCTL_KS_WRITE_STREAM,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  KSSTREAM_HEADER,
  KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY,
  KSSTREAM_HEADER_OPTIONSF_TIMEVALID,
  streamHeader,
  viewOf,
} from '../../../ks/index.ts';
import { FAKE_BUS_DEVICE } from '../../test-helpers.ts';
import { CAPTURE_PIN, DISPATCH_LEVEL, MidiMachine, type MidiScript, type Sent } from './test-driver.ts';

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

const receive = (m: MidiMachine, ...bytes: number[]) => m.kernel.enter(() => m.midi.receive(...bytes));
const header = (sent: Sent, index = 0) =>
  KSSTREAM_HEADER.read(viewOf(sent.headers), index * KSSTREAM_HEADER.size);

describe('capture', () => {
  it.each([
    ['the miniport', {}],
    ['the stream', { streamGroups: true }],
    ['the miniport, registered during Init', { earlyGroup: true }],
  ])('stamps what comes in with the time of its service, notified by the group of %s', (_whose, script) => {
    const m = start(script);
    const pin = m.running(CAPTURE_PIN);
    const first = m.read(pin, 64);
    const second = m.read(pin, 64);
    m.pass(12.5);
    receive(m, 0x90, 60, 100);
    m.pass(0);
    expect(first.status).toBe(STATUS_SUCCESS);
    expect(first.information).toBe(KSSTREAM_HEADER.size);
    expect(m.received(first)).toEqual([{ ms: 12.5, bytes: [0x90, 60, 100] }]);
    expect(header(first)).toMatchObject({ dataUsed: 12, optionsFlags: KSSTREAM_HEADER_OPTIONSF_TIMEVALID });
    expect(second.status).toBeNull();
    m.pass(5);
    receive(m, 0x80, 60, 0);
    m.pass(0);
    expect(m.received(second)).toEqual([{ ms: 17.5, bytes: [0x80, 60, 0] }]);
    expect([...m.midi.levels]).toEqual([DISPATCH_LEVEL]);
    expect(m.midi.calls.includes('Service')).toBe(_whose !== 'the stream');
    expect(m.findings()).toEqual([]);
  });

  it('packs what came while no request waited: rising times, padding, no errors that add up', () => {
    const m = start();
    const pin = m.running(CAPTURE_PIN);
    for (let index = 0; index < 10; index++) {
      m.pass(1.7);
      receive(m, 0xc0, index);
    }
    const sent = m.read(pin, 1000);
    m.pass(0);
    const records = m.received(sent);
    expect(records.map(({ bytes }) => bytes)).toEqual(
      Array.from({ length: 10 }, (_, index) => [0xc0, index]),
    );
    for (const [index, { ms }] of records.entries()) {
      const late = (index + 1) * 1.7 - ms;
      expect(late).toBeGreaterThanOrEqual(-0.0001);
      expect(late).toBeLessThan(1);
    }
  });

  it('splits what does not fit: over the buffers of a request, and over requests', () => {
    const m = start();
    const pin = m.running(CAPTURE_PIN);
    const first = m.read(pin, 16, 14);
    const second = m.read(pin, 64);
    const bytes = Array.from({ length: 20 }, (_, index) => index);
    receive(m, ...bytes);
    m.pass(0);
    expect(m.received(first).map((one) => one.bytes)).toEqual([bytes.slice(0, 8), bytes.slice(8, 12)]);
    expect(m.received(second).map((one) => one.bytes)).toEqual([bytes.slice(12)]);
  });

  it('reports only the headers that hold something', () => {
    const m = start();
    const sent = m.read(m.running(CAPTURE_PIN), 64, 64, 64);
    receive(m, 0xf8);
    m.pass(0);
    expect(sent.information).toBe(KSSTREAM_HEADER.size);
    expect([header(sent, 0).dataUsed, header(sent, 1).dataUsed]).toEqual([12, 0]);
  });

  it('tells of a gap when the client left requests out for too long', () => {
    const m = start();
    const pin = m.running(CAPTURE_PIN);
    for (let index = 0; index < 100; index++) {
      m.pass(1);
      receive(m, ...new Array<number>(100).fill(index & 0x7f));
    }
    const first = m.read(pin, 20_000);
    m.pass(1);
    receive(m, 0xf8);
    const second = m.read(pin, 64);
    m.pass(0);
    const kept = m.received(first).flatMap(({ bytes }) => bytes);
    expect(kept).toHaveLength(8100);
    expect(header(first).optionsFlags & KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY).toBe(0);
    expect(m.received(second).map(({ bytes }) => bytes)).toEqual([[0xf8]]);
    expect(header(second).optionsFlags & KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY).not.toBe(0);
  });

  it('counts in PAUSE and RUN; what comes below is thrown away', () => {
    const m = start();
    const pin = m.open(CAPTURE_PIN);
    receive(m, 1);
    m.setState(pin, KSSTATE_ACQUIRE);
    receive(m, 2);
    m.setState(pin, KSSTATE_PAUSE);
    m.pass(100);
    receive(m, 3);
    m.setState(pin, KSSTATE_RUN);
    m.pass(4);
    receive(m, 4);
    const sent = m.read(pin, 256);
    m.pass(0);
    expect(m.received(sent)).toEqual([
      { ms: 0, bytes: [3] },
      { ms: 4, bytes: [4] },
    ]);
    receive(m, 5);
    m.setState(pin, KSSTATE_ACQUIRE);
    m.setState(pin, KSSTATE_RUN);
    const later = m.read(pin, 256);
    m.pass(1);
    receive(m, 6);
    m.pass(0);
    expect(m.received(later).map(({ bytes }) => bytes)).toEqual([[6]]);
  });

  it('ends its requests at STOP, at the close of the handle, and when the device goes', () => {
    const m = start();
    const pin = m.running(CAPTURE_PIN);
    const stopped = m.read(pin, 64);
    m.setState(pin, KSSTATE_STOP);
    m.setState(pin, KSSTATE_RUN);
    const cancelled = m.read(pin, 64);
    cancelled.request.cancel();
    const closed = m.read(pin, 64);
    m.process.closeHandle(pin);
    const other = m.running(CAPTURE_PIN);
    const removed = m.read(other, 64);
    m.pass(0);
    m.kernel.enter(() => m.kernel.pnp.surpriseRemove(FAKE_BUS_DEVICE));
    m.pass(0);
    expect([stopped, cancelled, closed, removed].map(({ status }) => status)).toEqual([
      STATUS_CANCELLED,
      STATUS_CANCELLED,
      STATUS_CANCELLED,
      STATUS_DEVICE_REMOVED,
    ]);
    receive(m, 1);
    m.pass(0);
    expect(m.midi.input).toEqual([1]);
  });

  it.each([
    [
      'in the wrong direction',
      STATUS_INVALID_DEVICE_REQUEST,
      (m: MidiMachine) =>
        m.send(m.running(CAPTURE_PIN), IOCTL_KS_WRITE_STREAM, encodeStreamHeaders([streamHeader({})]), 0),
    ],
    ['in STOP', STATUS_INVALID_DEVICE_STATE, (m: MidiMachine) => m.read(m.open(CAPTURE_PIN), 64)],
    [
      'without room for a record',
      STATUS_BUFFER_TOO_SMALL,
      (m: MidiMachine) => m.read(m.running(CAPTURE_PIN), 64, 11),
    ],
    [
      'with data in it',
      STATUS_INVALID_PARAMETER,
      (m: MidiMachine) =>
        m.send(
          m.running(CAPTURE_PIN),
          IOCTL_KS_READ_STREAM,
          encodeStreamHeaders([
            streamHeader({ frameExtent: 64, dataUsed: 4, data: m.process.allocateMemory(64) }),
          ]),
          0,
        ),
    ],
  ])('refuses a request %s', (_what, status, send) => {
    const m = start();
    const sent = send(m);
    m.pass(0);
    expect(sent.status).toBe(status);
  });
});

describe('what a miniport may answer to Read', () => {
  it('more than it was asked for is a finding', () => {
    let once = true;
    const m = start({
      read: (buffer) => {
        const answer = once ? buffer.byteLength + 1 : 0;
        once = false;
        return answer;
      },
    });
    const sent = m.read(m.running(CAPTURE_PIN), 1024);
    receive(m);
    m.pass(0);
    expect(sent.status).toBe(STATUS_SUCCESS);
    expect(m.findings()).toEqual([expect.stringContaining('more bytes than it was asked for')]);
  });

  it('bytes without end do not hold the machine', () => {
    const m = start({ read: () => 1 });
    const sent = m.read(m.running(CAPTURE_PIN), 64);
    receive(m);
    m.pass(0);
    expect(sent.status).toBe(STATUS_SUCCESS);
    expect(m.findings()).toEqual([expect.stringContaining('never says that it has no more')]);
  });

  it('a failure is a finding, and the stream goes on', () => {
    let failing = true;
    const m = start({
      read: (buffer) => {
        if (failing) throw new NtError(STATUS_IO_DEVICE_ERROR, 'parity');
        if (m.midi.input.length === 0) return 0;
        buffer[0] = m.midi.input.shift() ?? 0;
        return 1;
      },
    });
    const sent = m.read(m.running(CAPTURE_PIN), 64);
    receive(m, 7);
    m.pass(0);
    expect(sent.status).toBeNull();
    failing = false;
    receive(m);
    m.pass(0);
    expect(m.received(sent).map(({ bytes }) => bytes)).toEqual([[7]]);
    expect(m.findings()).toEqual([expect.stringContaining('parity')]);
  });
});

describe('any order of bytes and requests', () => {
  it('loses nothing, keeps the order, and has rising times', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('bytes' as const),
        bytes: fc.array(fc.nat(255), { minLength: 1, maxLength: 30 }),
      }),
      fc.record({
        kind: fc.constant('read' as const),
        sizes: fc.array(fc.integer({ min: 12, max: 60 }), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.double({ min: 0, max: 5, noNaN: true }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const m = new MidiMachine();
        try {
          const pin = m.running(CAPTURE_PIN);
          const sent: Sent[] = [];
          const given: number[] = [];
          for (const one of steps) {
            if (one.kind === 'bytes') {
              given.push(...one.bytes);
              receive(m, ...one.bytes);
            } else if (one.kind === 'read') sent.push(m.read(pin, ...one.sizes));
            else m.pass(one.ms);
          }
          for (let index = 0; index < 3; index++) {
            sent.push(m.read(pin, 4096));
            m.pass(0);
          }
          const records = sent
            .filter(({ status }) => status === STATUS_SUCCESS)
            .flatMap((one) => m.received(one));
          expect(records.flatMap(({ bytes }) => bytes)).toEqual(given);
          const times = records.map(({ ms }) => ms);
          // A record's milliseconds are rounded down within its buffer.
          for (let index = 1; index < times.length; index++)
            expect((times[index] ?? 0) - (times[index - 1] ?? 0)).toBeGreaterThan(-0.0001);
          expect(m.end()).toEqual([]);
        } finally {
          m[Symbol.dispose]();
        }
      }),
      { numRuns: 150 },
    );
  });
});
