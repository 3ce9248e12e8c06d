import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NtError, ntStatusName, ntSuccess, STATUS_UNSUCCESSFUL } from '../../../kernel/index.ts';
import {
  encodeDataFormat,
  IOCTL_KS_PROPERTY,
  IOCTL_KS_READ_STREAM,
  IOCTL_KS_WRITE_STREAM,
  KSEVENT_CLOCK_INTERVAL_MARK,
  KSEVENT_CONNECTION_ENDOFSTREAM,
  KSEVENT_LOOPEDSTREAMING_POSITION,
  KSEVENTSETID_Clock,
  KSEVENTSETID_Connection,
  KSEVENTSETID_LoopedStreaming,
  KSSTATE_STOP,
  KSSTREAM_HEADER_OPTIONSF_TYPECHANGED,
  ksCreateClock,
  ksRequestEvent,
  pcmFormat,
} from '../../../ks/index.ts';
import { CyclicScript } from './test-card.ts';
import { CyclicMachine, type CyclicPinClient, Packet, sound, statusOf } from './test-client.ts';

/** What a client does next; numbers pick among what there is. */
type Step =
  | { readonly do: 'state'; readonly state: number }
  | { readonly do: 'packet'; readonly sizes: readonly number[]; readonly flags: number }
  | { readonly do: 'cancel'; readonly which: number }
  | { readonly do: 'format'; readonly rate: number; readonly bits: number }
  | { readonly do: 'announce'; readonly rate: number; readonly bits: number }
  | { readonly do: 'position' }
  | { readonly do: 'event'; readonly which: number }
  | { readonly do: 'clock' }
  | { readonly do: 'reset'; readonly value: number }
  | { readonly do: 'run'; readonly ms: number }
  | { readonly do: 'reopen'; readonly pinId: number; readonly looped: boolean }
  | { readonly do: 'sleep' }
  | { readonly do: 'wake' }
  | { readonly do: 'unplug' }
  | { readonly do: 'refuse'; readonly every: number }
  | { readonly do: 'garbage'; readonly code: number; readonly bytes: Uint8Array };

const weighted = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary });

const step: fc.Arbitrary<Step> = fc.oneof(
  weighted(6, fc.record({ do: fc.constant('state' as const), state: fc.integer({ min: 0, max: 4 }) })),
  weighted(
    10,
    fc.record({
      do: fc.constant('packet' as const),
      sizes: fc.array(fc.oneof(fc.integer({ min: 0, max: 9000 }), fc.constantFrom(0, 1920)), {
        minLength: 1,
        maxLength: 3,
      }),
      flags: fc.constantFrom(0, 0, 0, 0x80, 0x80, 0x200, 0x8000_0000, 8),
    }),
  ),
  weighted(3, fc.record({ do: fc.constant('cancel' as const), which: fc.nat({ max: 20 }) })),
  weighted(
    2,
    fc.record({
      do: fc.constant('format' as const),
      rate: fc.constantFrom(8_000, 44_100, 48_000, 192_000),
      bits: fc.constantFrom(8, 16, 24),
    }),
  ),
  weighted(
    2,
    fc.record({
      do: fc.constant('announce' as const),
      rate: fc.constantFrom(8_000, 48_000),
      bits: fc.constantFrom(8, 16),
    }),
  ),
  weighted(4, fc.constant({ do: 'position' as const })),
  weighted(2, fc.record({ do: fc.constant('event' as const), which: fc.integer({ min: 0, max: 1 }) })),
  weighted(1, fc.constant({ do: 'clock' as const })),
  weighted(1, fc.record({ do: fc.constant('reset' as const), value: fc.integer({ min: 0, max: 2 }) })),
  weighted(6, fc.record({ do: fc.constant('run' as const), ms: fc.integer({ min: 0, max: 60 }) })),
  weighted(
    1,
    fc.record({
      do: fc.constant('reopen' as const),
      pinId: fc.integer({ min: 0, max: 1 }),
      looped: fc.boolean(),
    }),
  ),
  weighted(1, fc.constantFrom({ do: 'sleep' as const }, { do: 'wake' as const })),
  weighted(1, fc.record({ do: fc.constant('refuse' as const), every: fc.integer({ min: 0, max: 5 }) })),
  weighted(
    3,
    fc.record({
      do: fc.constant('garbage' as const),
      code: fc.constantFrom(
        IOCTL_KS_WRITE_STREAM,
        IOCTL_KS_READ_STREAM,
        IOCTL_KS_PROPERTY,
        0x2f_001b,
        0x2f_ff03,
      ),
      bytes: fc.uint8Array({ maxLength: 130 }),
    }),
  ),
);

/** Plays a sequence against a fresh machine and checks after each step what must always hold. */
function play(steps: readonly Step[], script: CyclicScript): void {
  const machine = new CyclicMachine(script);
  const { client } = machine;
  let capture = false;
  let pin: CyclicPinClient = machine.openPin();
  let calls = 0;
  let refuseEvery = 0;
  let trusted = true;
  let unplugged = false;
  script.onCall = (method) => {
    calls++;
    // Calls that must succeed, or whose failure has tests of its own, are left alone.
    const may = ['NewStream', 'SetNotificationFreq', 'SetState', 'SetFormat'].includes(method);
    if (refuseEvery > 0 && may && calls % refuseEvery === 0) {
      trusted = false;
      throw new NtError(STATUS_UNSUCCESSFUL);
    }
  };
  const clocks: number[] = [];
  for (const each of steps) {
    switch (each.do) {
      case 'state':
        statusOf(() => pin.setState(each.state));
        break;
      case 'packet': {
        if (capture) each.sizes.forEach((size) => void pin.read(size, 0, each.flags));
        else pin.writeAll(each.sizes.map((size) => ({ bytes: sound(size), flags: each.flags })));
        break;
      }
      case 'cancel':
        pin.packets[each.which]?.request?.cancel();
        break;
      case 'format':
        statusOf(() => pin.setFormat(pcmFormat(each.rate, 2, each.bits)));
        break;
      case 'announce':
        pin.write(encodeDataFormat(pcmFormat(each.rate, 2, each.bits)), KSSTREAM_HEADER_OPTIONSF_TYPECHANGED);
        break;
      case 'position':
        statusOf(() => {
          const { playOffset, writeOffset } = pin.position();
          // A stream that refused the way down goes on, whatever the port thinks.
          if (!trusted) return;
          if (capture) expect(playOffset).toBeGreaterThanOrEqual(0);
          else if (!pin.stream.states.includes(KSSTATE_STOP)) expect(writeOffset).toBeGreaterThanOrEqual(0);
          if (pin.stream.state === KSSTATE_STOP) expect([playOffset, writeOffset]).toEqual([0, 0]);
        });
        break;
      case 'event': {
        const data = new Uint8Array(8);
        data[1] = 4;
        const [set, id] =
          each.which === 0
            ? ([KSEVENTSETID_LoopedStreaming, KSEVENT_LOOPEDSTREAMING_POSITION] as const)
            : ([KSEVENTSETID_Connection, KSEVENT_CONNECTION_ENDOFSTREAM] as const);
        statusOf(() => ksRequestEvent(client, pin.handle, set, id, client.createEvent(), { data }));
        break;
      }
      case 'clock':
        statusOf(() => {
          const clock = ksCreateClock(client, pin.handle);
          clocks.push(clock);
          const data = new Uint8Array(16);
          data[9] = 100;
          const event = client.createEvent();
          ksRequestEvent(client, clock, KSEVENTSETID_Clock, KSEVENT_CLOCK_INTERVAL_MARK, event, { data });
        });
        break;
      case 'reset':
        pin.reset(each.value);
        break;
      case 'run':
        machine.runMs(each.ms);
        break;
      case 'reopen': {
        if (unplugged) break;
        const status = statusOf(() => {
          const opened = machine.openPin(each.pinId, pcmFormat(48_000, 2, 16), each.looped);
          pin.close();
          pin = opened;
          capture = each.pinId === 1;
        });
        expect(status).toMatch(/^STATUS_/);
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
        unplugged = true;
        break;
      case 'refuse':
        refuseEvery = each.every;
        break;
      case 'garbage':
        pin.send(each.code, new Packet(0, 0, each.bytes.slice()));
        break;
    }
    checkPackets(pin);
  }
  script.onCall = () => {};
  const left = machine.end();
  expect(left, `left: ${left.join(', ')}`).toEqual([]);
}

/** Requests end in their order, each with a status that has a name, and no successful write is short. */
function checkPackets(pin: CyclicPinClient): void {
  let lastOrder = -1;
  for (const packet of pin.packets) {
    if (packet.status === null) continue;
    expect(ntStatusName(packet.status)).toMatch(/^STATUS_/);
    if (!ntSuccess(packet.status) || packet.byteLength === 0) continue;
    expect(packet.order).toBeGreaterThan(lastOrder);
    lastOrder = packet.order;
  }
}

describe('any order of requests', () => {
  test('ends without an exception, with every invariant, and leaves nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => play(steps, new CyclicScript())),
      { numRuns: 150 },
    );
  });

  test('with a small buffer, scattered memory and a stream that takes protected content', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
        const script = new CyclicScript();
        script.bufferBytes = 2500;
        script.drm = true;
        play(steps, script);
      }),
      { numRuns: 60 },
    );
  });

  test('and when the card is pulled in the middle of it', () => {
    const withUnplug = fc
      .tuple(fc.array(step, { maxLength: 20, size: 'max' }), fc.array(step, { maxLength: 20, size: 'max' }))
      .map(([before, after]): Step[] => [...before, { do: 'unplug' }, ...after]);
    fc.assert(
      fc.property(withUnplug, (steps) => play(steps, new CyclicScript())),
      { numRuns: 80 },
    );
  });
});

describe('any way to send a sound', () => {
  test('is heard whole and in order as long as it comes in time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 12_000 }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 25 }),
        fc.constantFrom(4096, 8192, 16_384, 65_536),
        fc.boolean(),
        (sizes, stepMs, bufferBytes, scatter) => {
          const script = new CyclicScript();
          script.bufferBytes = bufferBytes;
          const machine = new CyclicMachine(script);
          machine.kernel.memory.scatterPages = scatter;
          const pin = machine.openPin();
          const total = sizes.reduce((sum, size) => sum + size, 0);
          const bytes = sound(total);
          pin.setState(2);
          let at = 0;
          let running = false;
          for (const size of sizes) {
            pin.write(bytes.subarray(at, at + size));
            at += size;
            if (!running) pin.setState(3);
            running = true;
            // The client sends the next before the sound that the port has runs out.
            const { playOffset } = pin.position();
            const left = (at - playOffset) / 192;
            machine.runMs(Math.max(0, Math.min(stepMs, left - 2)));
          }
          machine.runMs(total / 192 + 100);
          const played = pin.stream.played.bytes;
          expect(Buffer.compare(played.subarray(0, total), bytes)).toBe(0);
          expect(played.subarray(total).every((byte) => byte === 0)).toBe(true);
          expect(pin.packets.every((packet) => packet.statusName === 'STATUS_SUCCESS')).toBe(true);
          expect(machine.findings.filter((text) => !text.startsWith('The DMA buffer'))).toEqual([]);
          expect(machine.end()).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});
