import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NtError, ntStatusName, ntSuccess, STATUS_UNSUCCESSFUL } from '../../../kernel/index.ts';
import {
  encodeDataFormat,
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_AUDIO_POSITIONEX,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_RTAUDIO_PACKETCOUNT,
  KSPROPERTY_RTAUDIO_SETWRITEPACKET,
  KSPROPSETID_Audio,
  KSPROPSETID_AudioEngine,
  KSPROPSETID_Connection,
  KSPROPSETID_RtAudio,
  KSPROPSETID_Stream,
  KSSTATE_RUN,
  KSSTATE_STOP,
  pcmFormat,
} from '../../../ks/index.ts';
import { Bytes, pointerAt, statusOf, TestMachine, ulongAt } from './test-client.ts';
import { TestScript } from './test-stream.ts';

/** What a client does next; numbers pick among what there is. */
type Step =
  | { readonly do: 'state'; readonly state: number }
  | { readonly do: 'buffer'; readonly size: number; readonly count: number }
  | { readonly do: 'format'; readonly rate: number; readonly channels: number }
  | { readonly do: 'position' }
  | { readonly do: 'event'; readonly which: number; readonly register: boolean }
  | { readonly do: 'write'; readonly packet: number; readonly flags: number }
  | { readonly do: 'map'; readonly id: number }
  | { readonly do: 'run'; readonly ms: number }
  | { readonly do: 'reopen'; readonly pinId: number }
  | { readonly do: 'sleep' }
  | { readonly do: 'wake' }
  | { readonly do: 'unplug' }
  | { readonly do: 'refuse'; readonly every: number }
  | {
      readonly do: 'garbage';
      readonly set: number;
      readonly id: number;
      readonly flags: number;
      readonly instance: Uint8Array;
      readonly value: Uint8Array;
    };

const SETS = [
  KSPROPSETID_RtAudio,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  KSPROPSETID_Stream,
  KSPROPSETID_AudioEngine,
];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('state' as const), state: fc.integer({ min: 0, max: 4 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('buffer' as const),
      size: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 1, max: 70_000 }) },
        fc.constantFrom(0, 0xffff_ffff),
      ),
      count: fc.constantFrom(0, 1, 2, 2, 2, 3),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('format' as const),
      rate: fc.constantFrom(8_000, 44_100, 48_000, 192_000),
      channels: fc.integer({ min: 0, max: 8 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ do: 'position' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('event' as const),
      which: fc.integer({ min: 0, max: 3 }),
      register: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      packet: fc.integer({ min: 0, max: 6 }),
      flags: fc.constantFrom(0, 0x200, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('map' as const), id: fc.constantFrom(3, 4) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('run' as const), ms: fc.integer({ min: 0, max: 40 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('reopen' as const), pinId: fc.integer({ min: 0, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.constantFrom({ do: 'sleep' as const }, { do: 'wake' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('refuse' as const), every: fc.integer({ min: 0, max: 5 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('garbage' as const),
      set: fc.nat({ max: SETS.length - 1 }),
      id: fc.integer({ min: 0, max: 60 }),
      flags: fc.constantFrom(1, 2, 3, 0x100, 0x200, 0x1000_0001, 0x1000_0002, 0x1000_0200, 0),
      instance: fc.uint8Array({ maxLength: 48 }),
      value: fc.uint8Array({ maxLength: 96 }),
    }),
  },
);

/** Plays a sequence against a fresh machine and checks after each step what must always hold. */
function play(steps: readonly Step[], script: TestScript): void {
  const machine = new TestMachine(script);
  const { client } = machine;
  const filter = machine.openFilter();
  let pin = machine.openPin(filter);
  let bufferBytes = 0;
  const events = [client.createEvent(), client.createEvent('NotificationEvent'), 0x7770];
  let calls = 0;
  let refuseEvery = 0;
  script.onCall = (method) => {
    calls++;
    // Calls that must succeed are left alone: what their refusal leads to has tests of its own.
    const must = method.startsWith('Free') || method === '~Stream' || method.startsWith('Unregister');
    if (refuseEvery > 0 && !must && calls % refuseEvery === 0) throw new NtError(STATUS_UNSUCCESSFUL);
  };
  for (const each of steps) {
    switch (each.do) {
      case 'state': {
        const before = readState(machine, pin);
        const ok = ntSuccess(machine.setState(pin, each.state));
        const after = readState(machine, pin);
        if (ok && after !== null) expect(after).toBe(each.state);
        if (!ok && before !== null && after !== null && each.state > before) {
          expect(after).toBeGreaterThanOrEqual(before);
        }
        break;
      }
      case 'buffer': {
        const buffer = machine.allocate(pin, each.size, each.count);
        if (!ntSuccess(buffer.status)) break;
        expect(bufferBytes).toBe(0);
        bufferBytes = buffer.size;
        expect(bufferBytes).toBeGreaterThanOrEqual(each.size);
        expect(client.memoryView(buffer.address, bufferBytes)?.byteLength).toBe(bufferBytes);
        break;
      }
      case 'format': {
        const bytes = encodeDataFormat(pcmFormat(each.rate, each.channels, 16));
        machine.set(pin, KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT, bytes);
        break;
      }
      case 'position': {
        const { status, bytes } = machine.get(pin, KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, 16);
        if (!ntSuccess(status)) break;
        const position = pointerAt(bytes, 0);
        expect(position).toBeLessThanOrEqual(bufferBytes);
        // A stream that refused the way down is where it wants to be; the port has said so in a finding.
        const stopped = readState(machine, pin) === KSSTATE_STOP;
        const stream = machine.driver.miniport?.streams.at(-1);
        if (stopped && stream?.state === KSSTATE_STOP) expect(position).toBe(0);
        machine.get(pin, KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITIONEX, 40);
        machine.get(pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_PACKETCOUNT, 4);
        break;
      }
      case 'event': {
        const event = events[each.which] ?? pin;
        if (each.register) machine.registerEvent(pin, event);
        else machine.unregisterEvent(pin, event);
        break;
      }
      case 'write': {
        const info = new Bytes(12).ulong(0, each.packet).ulong(4, each.flags).array;
        machine.set(pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_SETWRITEPACKET, info);
        break;
      }
      case 'map':
        machine.get(pin, KSPROPSETID_RtAudio, each.id, 40, new Uint8Array(8));
        break;
      case 'run':
        machine.runMs(each.ms);
        break;
      case 'reopen': {
        let opened = 0;
        const status = statusOf(() => {
          opened = machine.openPin(filter, each.pinId);
        });
        if (!ntSuccess(status)) break;
        client.closeHandle(pin);
        pin = opened;
        bufferBytes = 0;
        break;
      }
      case 'sleep':
        machine.sleep();
        break;
      case 'wake':
        machine.wake();
        break;
      case 'unplug':
        machine.unplug();
        break;
      case 'refuse':
        refuseEvery = each.every;
        break;
      case 'garbage': {
        const set = SETS[each.set];
        if (set === undefined || spoilsTheModel(each)) break;
        machine.property(pin, set, each.id, each.flags, each.instance, each.value.slice());
        break;
      }
    }
    const streams = machine.driver.miniport?.streams ?? [];
    // Memory that the card may reach is memory of a stream's buffer, never more.
    if (streams.every((stream) => stream.mdl === null)) expect(machine.platform.dmaRanges).toEqual([]);
  }
  script.onCall = () => {};
  const left = machine.end();
  expect(left, `left: ${left.join(', ')}`).toEqual([]);
}

/** Requests with random bytes that would succeed and change what the test keeps track of. */
function spoilsTheModel(garbage: Extract<Step, { do: 'garbage' }>): boolean {
  return garbage.set === 0 && (garbage.id === 1 || garbage.id === 5) && garbage.flags === 1;
}

function readState(machine: TestMachine, pin: number): number | null {
  const { status, bytes } = machine.get(pin, KSPROPSETID_Connection, 0, 4);
  return ntSuccess(status) ? ulongAt(bytes, 0) : null;
}

describe('any order of requests', () => {
  test('ends without an exception, with every invariant, and leaves nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => play(steps, new TestScript())),
      { numRuns: 150 },
    );
  });

  test('with scattered pages, without notifications and packets', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
        const script = new TestScript();
        script.contiguous = false;
        script.notification = false;
        script.packets = false;
        script.engine = false;
        play(steps, script);
      }),
      { numRuns: 50 },
    );
  });

  test('and when the card is pulled in the middle of it', () => {
    const withUnplug = fc
      .tuple(fc.array(step, { maxLength: 20, size: 'max' }), fc.array(step, { maxLength: 20, size: 'max' }))
      .map(([before, after]): Step[] => [...before, { do: 'unplug' }, ...after]);
    fc.assert(
      fc.property(withUnplug, (steps) => play(steps, new TestScript())),
      { numRuns: 80 },
    );
  });

  test('statuses have names: every status a client sees is one of the documented values', () => {
    const machine = new TestMachine(new TestScript());
    const pin = machine.openPin(machine.openFilter());
    for (const set of SETS) {
      for (let id = 0; id < 64; id++) {
        for (const flags of [1, 2, 0x200, 0x100]) {
          const { status } = machine.property(pin, set, id, flags, new Uint8Array(16), new Uint8Array(64));
          expect(ntStatusName(status)).toMatch(/^STATUS_/);
        }
      }
    }
    machine.setState(pin, KSSTATE_RUN);
    expect(machine.end()).toEqual([]);
  });
});
