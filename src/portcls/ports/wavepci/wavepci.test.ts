import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tryQueryInterface } from '../../../com/index.ts';
import { KSPIN_LOCK, keAcquireSpinLock, NtError, STATUS_CANCELLED } from '../../../kernel/index.ts';
import {
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA,
} from '../../../ks/index.ts';
import { IID_IPreFetchOffset } from '../../ddi/index.ts';
import { recordedAt } from '../wavecyclic/test-card.ts';
import { same, sound, statusOf } from '../wavecyclic/test-client.ts';
import { PciScript } from './test-card.ts';
import { PciMachine } from './test-client.ts';

const MS_BYTES = 192;
const PAGE = 4096;

function recorded(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => recordedAt(from + index));
}

describe('rendering', () => {
  it('the card reads the client’s pages itself, bit by bit, and requests complete in order', () => {
    const machine = new PciMachine();
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    const bytes = sound(100 * MS_BYTES);
    for (let i = 0; i < 10; i++)
      pin.write(bytes.subarray(i * 10 * MS_BYTES, (i + 1) * 10 * MS_BYTES), 0, i * 777);
    pin.setState(KSSTATE_RUN);
    machine.runMs(45);
    expect(pin.packets.map(({ done }) => done)).toEqual([...Array(4).fill(true), ...Array(6).fill(false)]);
    machine.runMs(100);
    expect(pin.packets.map(({ statusName }) => statusName)).toEqual(Array(10).fill('STATUS_SUCCESS'));
    expect(pin.packets.map(({ order }) => order)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(pin.packets.map(({ information }) => information)).toEqual(Array(10).fill(10 * MS_BYTES));
    expect(same(pin.stream.played.bytes, bytes)).toBe(true);
    expect(pin.position()).toEqual({ playOffset: bytes.length, writeOffset: bytes.length });
    pin.setState(KSSTATE_STOP);
    expect(pin.position()).toEqual({ playOffset: 0, writeOffset: 0 });
    expect(machine.findings).toEqual([]);
    expect(machine.end()).toEqual([]);
  });

  it('adjacent pages are one mapping of at most 16 pages, and the last one of a packet says so', () => {
    const machine = new PciMachine();
    machine.script.maximumLength = 0x10_0000;
    const pin = machine.openPin();
    pin.setState(KSSTATE_ACQUIRE);
    pin.write(sound(40 * PAGE), 0, 100);
    pin.write(sound(10), 0, 4090);
    pin.setState(KSSTATE_PAUSE);
    const { taken } = pin.stream;
    expect(taken.reduce((sum, { byteCount }) => sum + byteCount, 0)).toBe(40 * PAGE + 10);
    for (const { byteCount, physicalAddress } of taken)
      expect(
        Math.floor((physicalAddress + byteCount - 1) / PAGE) - Math.floor(physicalAddress / PAGE),
      ).toBeLessThan(16);
    expect(Math.max(...taken.map(({ byteCount }) => byteCount))).toBeGreaterThan(PAGE);
    const lasts = taken.map(({ last }) => last);
    expect(lasts.filter(Boolean).length).toBe(2);
    expect(lasts.at(-1)).toBe(true);
    pin.close();
    expect(machine.end()).toEqual([]);
  });

  it('a GetMapping that finds nothing is answered by one MappingAvailable', () => {
    const machine = new PciMachine();
    const pin = machine.openPin();
    pin.setState(KSSTATE_RUN);
    machine.runMs(20);
    expect(machine.script.calls.filter((call) => call === 'MappingAvailable').length).toBe(0);
    const bytes = sound(3 * 1920);
    for (let i = 0; i < 3; i++) pin.write(bytes.subarray(i * 1920, (i + 1) * 1920));
    expect(machine.script.calls.filter((call) => call === 'MappingAvailable').length).toBe(3);
    machine.runMs(60);
    expect(same(pin.stream.played.bytes, bytes)).toBe(true);
    machine.script.depth = 1;
    pin.write(bytes);
    pin.write(bytes);
    expect(machine.script.calls.filter((call) => call === 'MappingAvailable').length).toBe(4);
    expect(machine.end()).toEqual([]);
  });

  it('several buffers in one request, some of them empty', () => {
    const machine = new PciMachine();
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    const one = sound(500, 1);
    const two = sound(5000, 2);
    const packet = pin.writeAll([
      { bytes: new Uint8Array(0) },
      { bytes: one },
      { bytes: new Uint8Array(0) },
      { bytes: two },
      { bytes: new Uint8Array(0) },
    ]);
    const empty = pin.writeAll([{ bytes: new Uint8Array(0) }]);
    pin.setState(KSSTATE_RUN);
    machine.runMs(60);
    expect([packet.statusName, packet.information, empty.statusName]).toEqual([
      'STATUS_SUCCESS',
      5500,
      'STATUS_SUCCESS',
    ]);
    expect(same(pin.stream.played.bytes, Uint8Array.from([...one, ...two]))).toBe(true);
    expect(machine.end()).toEqual([]);
  });

  it('without scatter/gather, and with pages that the card cannot address, map registers stand in', () => {
    for (const highRamBytes of [0, 0x80_0000]) {
      const script = new PciScript();
      script.scatterGather = highRamBytes !== 0;
      const machine = new PciMachine(script, {
        highRamBytes,
        ramBytes: highRamBytes === 0 ? 0x80_0000 : 0x20_0000,
      });
      const pin = machine.openPin();
      pin.setState(KSSTATE_PAUSE);
      const bytes = sound(20_000);
      pin.write(bytes, 0, 50);
      pin.setState(KSSTATE_RUN);
      machine.runMs(150);
      expect(same(pin.stream.played.bytes, bytes)).toBe(true);
      expect(pin.stream.taken.every(({ physicalAddress }) => physicalAddress < 0x1_0000_0000)).toBe(true);
      expect(machine.end()).toEqual([]);
    }
  });
});

describe('recording', () => {
  it('requests are filled in order, bit by bit', () => {
    const machine = new PciMachine();
    const pin = machine.openPin(1);
    pin.setState(KSSTATE_PAUSE);
    for (let i = 0; i < 6; i++) pin.read(3000, i * 900);
    pin.setState(KSSTATE_RUN);
    machine.runMs(100);
    expect(pin.packets.map(({ statusName }) => statusName)).toEqual(Array(6).fill('STATUS_SUCCESS'));
    for (const [index, packet] of pin.packets.entries()) {
      expect(packet.header.dataUsed).toBe(3000);
      expect(same(pin.bytesOf(packet), recorded(index * 3000, 3000))).toBe(true);
    }
    expect(pin.position()).toEqual({ playOffset: 18_000, writeOffset: 18_000 });
    expect(machine.findings).toEqual([]);
    expect(machine.end()).toEqual([]);
  });

  it('the way to STOP ends the packet under way with what was recorded; the others are cancelled', () => {
    const machine = new PciMachine();
    const pin = machine.openPin(1);
    pin.setState(KSSTATE_PAUSE);
    const first = pin.read(10_000);
    const second = pin.read(10_000);
    pin.setState(KSSTATE_RUN);
    machine.runMs(30);
    pin.setState(KSSTATE_STOP);
    expect([first.statusName, first.header.dataUsed]).toEqual(['STATUS_SUCCESS', 30 * MS_BYTES]);
    expect(same(pin.bytesOf(first), recorded(0, 30 * MS_BYTES))).toBe(true);
    expect(second.statusName).toBe('STATUS_CANCELLED');
    expect(machine.end()).toEqual([]);
  });

  it('TerminatePacket ends the packet that is being mapped when what was mapped comes back', () => {
    const script = new PciScript();
    script.depth = 1;
    script.maximumLength = PAGE;
    const machine = new PciMachine(script);
    const pin = machine.openPin(1);
    pin.setState(KSSTATE_PAUSE);
    const first = pin.read(10_000);
    const second = pin.read(1000);
    machine.kernel.enter(() => pin.stream.port.terminatePacket());
    expect(statusOf(() => machine.kernel.enter(() => pin.stream.port.terminatePacket()))).toBe(
      'STATUS_UNSUCCESSFUL',
    );
    pin.setState(KSSTATE_RUN);
    machine.runMs(60);
    expect([first.statusName, first.header.dataUsed]).toEqual(['STATUS_SUCCESS', PAGE]);
    expect(same(pin.bytesOf(second), recorded(PAGE, 1000))).toBe(true);
    expect(machine.end()).toEqual([]);
  });
});

describe('looped buffers', () => {
  it('go round until STOP, and are done then', () => {
    const machine = new PciMachine();
    const pin = machine.openPin(0, undefined, true);
    pin.setState(KSSTATE_PAUSE);
    const bytes = sound(10_000);
    const packet = pin.write(bytes, KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA, 333);
    pin.setState(KSSTATE_RUN);
    machine.runMs(120);
    expect(packet.done).toBe(false);
    const played = pin.stream.played.bytes;
    expect(played.length).toBe(120 * MS_BYTES);
    for (let i = 0; i < played.length; i++) if (played[i] !== bytes[i % 10_000]) throw new Error(`byte ${i}`);
    const { playOffset, writeOffset } = pin.position();
    expect(playOffset).toBe((120 * MS_BYTES) % 10_000);
    expect(writeOffset).toBeLessThan(10_000);
    pin.setState(KSSTATE_STOP);
    expect([packet.statusName, packet.information]).toEqual(['STATUS_SUCCESS', 10_000]);
    expect(pin.stream.held).toBe(0);
    expect(machine.end()).toEqual([]);
  });

  it('the write position is the end of the last mapping, or the prefetch offset ahead of the play position', () => {
    const machine = new PciMachine();
    machine.script.depth = 2;
    const pin = machine.openPin(0, undefined, true);
    pin.setState(KSSTATE_PAUSE);
    pin.write(sound(10_000), KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA);
    pin.setState(KSSTATE_RUN);
    machine.runMs(10);
    const mapped = pin.stream.taken.reduce((sum, { byteCount }) => sum + byteCount, 0);
    expect(pin.position()).toEqual({ playOffset: 1920, writeOffset: mapped % 10_000 });
    machine.kernel.enter(() => {
      const offset = tryQueryInterface(pin.stream.port, IID_IPreFetchOffset);
      offset?.setPreFetchOffset(256);
      offset?.release();
    });
    expect(pin.position()).toEqual({ playOffset: 1920, writeOffset: 2176 });
    machine.runMs(41);
    expect(pin.position()).toEqual({ playOffset: 9792, writeOffset: (9792 + 256) % 10_000 });
    expect(machine.end()).toEqual([]);
  });

  it('loops need one buffer with bytes, other pins no loops', () => {
    const machine = new PciMachine();
    const looped = machine.openPin(0, undefined, true);
    looped.setState(KSSTATE_PAUSE);
    expect(looped.writeAll([{ bytes: sound(4) }, { bytes: sound(4) }]).statusName).toBe(
      'STATUS_INVALID_PARAMETER',
    );
    const plain = machine.openPin(0);
    plain.setState(KSSTATE_PAUSE);
    expect(plain.write(sound(8), KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA).statusName).toBe(
      'STATUS_INVALID_PARAMETER',
    );
    expect(machine.end()).toEqual([]);
  });
});

describe('revocation', () => {
  it('a request that is cancelled takes its mappings from the device; the next one goes on', () => {
    const machine = new PciMachine();
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    const one = sound(1920, 1);
    const three = sound(1920, 3);
    pin.write(one);
    const second = pin.write(sound(1920, 2));
    pin.write(three);
    pin.setState(KSSTATE_RUN);
    machine.runMs(5);
    machine.kernel.enter(() => second.request?.cancel());
    machine.runMs(0);
    expect(second.statusName).toBe('STATUS_CANCELLED');
    expect(machine.script.calls).toContain('RevokeMappings(2-2)');
    machine.runMs(40);
    expect(same(pin.stream.played.bytes, Uint8Array.from([...one, ...three]))).toBe(true);
    expect(machine.findings).toEqual([]);
    expect(machine.end()).toEqual([]);
  });

  it('STOP revokes everything in one call, and a revoked mapping must not be released', () => {
    const machine = new PciMachine();
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    for (let i = 0; i < 4; i++) pin.write(sound(1000, i));
    pin.setState(KSSTATE_STOP);
    expect(machine.script.calls.filter((call) => call.startsWith('Revoke'))).toEqual(['RevokeMappings(1-4)']);
    expect(pin.packets.map(({ status }) => status)).toEqual(Array(4).fill(STATUS_CANCELLED));
    expect(machine.findings).toEqual([]);
    expect(statusOf(() => machine.kernel.enter(() => pin.stream.port.releaseMapping(1)))).toBe(
      'STATUS_INVALID_PARAMETER',
    );
    expect(machine.findings.join()).toMatch(/not held/);
    expect(machine.end()).toEqual([]);
  });

  it('a miscount, a tag in use, and another order of release are findings', () => {
    const script = new PciScript();
    script.depth = 0;
    const machine = new PciMachine(script);
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    for (let i = 0; i < 3; i++) pin.write(sound(1000, i));
    machine.kernel.enter(() => {
      pin.stream.port.getMapping('a');
      pin.stream.port.getMapping('b');
      pin.stream.port.getMapping('c');
      expect(() => pin.stream.port.getMapping('b')).toThrow(NtError);
      pin.stream.port.releaseMapping('b');
    });
    machine.runMs(0);
    expect(pin.packets.map(({ done }) => done)).toEqual([false, false, false]);
    machine.kernel.enter(() => pin.stream.port.releaseMapping('a'));
    machine.runMs(0);
    expect(pin.packets.map(({ done }) => done)).toEqual([true, true, false]);
    pin.setState(KSSTATE_STOP);
    expect(machine.findings.length).toBe(3);
    expect(machine.end()).toEqual([]);
  });

  it('GetMapping with a spin lock held is bugcheck 0xC4', () => {
    const machine = new PciMachine();
    const pin = machine.openPin();
    const lock = new KSPIN_LOCK();
    expect(() =>
      machine.kernel.enter(() => {
        keAcquireSpinLock(lock);
        pin.stream.port.getMapping(1);
      }),
    ).toThrow(/spin lock/);
  });
});

describe('the end of things', () => {
  it('closing a pin, ending the process and pulling the card leave nothing open', () => {
    for (const end of ['close', 'process', 'card'] as const) {
      const machine = new PciMachine();
      const pin = machine.openPin();
      const capture = machine.openPin(1);
      for (const each of [pin, capture]) each.setState(KSSTATE_PAUSE);
      for (let i = 0; i < 3; i++) {
        pin.write(sound(5000));
        capture.read(5000);
      }
      for (const each of [pin, capture]) each.setState(KSSTATE_RUN);
      machine.runMs(33);
      if (end === 'close') {
        pin.close();
        capture.close();
      } else if (end === 'process') machine.client.terminate();
      else {
        machine.unplug();
        expect(pin.packets.at(-1)?.statusName).toBe('STATUS_DEVICE_REMOVED');
        expect(statusOf(() => pin.position())).not.toBe('STATUS_SUCCESS');
      }
      machine.runMs(20);
      expect(machine.findings).toEqual([]);
      expect(machine.end()).toEqual([]);
    }
  });

  it('sleep keeps the mappings, and the stream goes on where it was', () => {
    const machine = new PciMachine();
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    const bytes = sound(9600);
    pin.write(bytes);
    pin.setState(KSSTATE_RUN);
    machine.runMs(20);
    machine.sleep();
    machine.runMs(500);
    machine.wake();
    machine.runMs(50);
    expect(same(pin.stream.played.bytes, bytes)).toBe(true);
    expect(pin.packets[0]?.statusName).toBe('STATUS_SUCCESS');
    expect(machine.end()).toEqual([]);
  });

  it('a stopped pin takes no requests; a reset cancels them and holds new ones off', () => {
    const machine = new PciMachine();
    const pin = machine.openPin();
    expect(pin.write(sound(10)).statusName).toBe('STATUS_INVALID_DEVICE_STATE');
    pin.setState(KSSTATE_PAUSE);
    const packet = pin.write(sound(10));
    pin.reset(0);
    machine.runMs(0);
    expect(packet.statusName).toBe('STATUS_CANCELLED');
    expect(pin.write(sound(10)).statusName).toBe('STATUS_DEVICE_NOT_READY');
    pin.reset(1);
    expect(pin.write(sound(10)).statusName).toBe('pending');
    expect(machine.end()).toEqual([]);
  });
});

describe('service and framing', () => {
  it('without a group of the stream’s own the device’s group serves', () => {
    const script = new PciScript();
    script.streamGroup = false;
    const machine = new PciMachine(script);
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    const bytes = sound(20 * 1920);
    for (let i = 0; i < 20; i++) pin.write(bytes.subarray(i * 1920, (i + 1) * 1920));
    pin.setState(KSSTATE_RUN);
    machine.runMs(250);
    expect(same(pin.stream.played.bytes, bytes)).toBe(true);
    expect(script.calls).toContain('Miniport.Service');
    expect(machine.end()).toEqual([]);
  });

  it('allocator framing is the miniport’s, else three buffers of 10 ms', () => {
    const machine = new PciMachine();
    const pin = machine.openPin();
    expect(pin.framing()).toMatchObject({ frames: 5, frameSize: 2000 });
    machine.script.framing = false;
    expect(pin.framing()).toMatchObject({ frames: 3, frameSize: 1920 });
    expect(machine.end()).toEqual([]);
  });
});

describe('any order of things', () => {
  it('plays what was not cancelled, completes everything once, and leaves nothing open (property)', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('write' as const),
        bytes: fc.integer({ min: 1, max: 12_000 }),
        at: fc.integer({ min: 0, max: 4095 }),
      }),
      fc.record({ kind: fc.constant('run' as const), ms: fc.integer({ min: 0, max: 40 }) }),
      fc.record({
        kind: fc.constant('state' as const),
        state: fc.constantFrom(KSSTATE_STOP, KSSTATE_ACQUIRE, KSSTATE_PAUSE, KSSTATE_RUN),
      }),
      fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(5) }),
      fc.record({ kind: fc.constant('sleep' as const) }),
    );
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 5, maxLength: 40 }),
        fc.integer({ min: 1, max: 10 }),
        fc.constantFrom(PAGE, 0x1_0000),
        fc.boolean(),
        (steps, depth, maximumLength, capture) => {
          const script = new PciScript();
          script.depth = depth;
          script.maximumLength = maximumLength;
          const machine = new PciMachine(script);
          const pin = machine.openPin(capture ? 1 : 0);
          pin.setState(KSSTATE_PAUSE);
          for (const each of steps) {
            switch (each.kind) {
              case 'write':
                if (capture) pin.read(each.bytes, each.at);
                else pin.write(sound(each.bytes, pin.packets.length), 0, each.at);
                break;
              case 'run':
                machine.runMs(each.ms);
                break;
              case 'state':
                pin.setState(each.state);
                break;
              case 'cancel': {
                const waiting = pin.packets.filter(({ done }) => !done);
                const request = waiting[each.which % Math.max(1, waiting.length)]?.request;
                machine.kernel.enter(() => request?.cancel());
                break;
              }
              case 'sleep':
                machine.sleep();
                machine.wake();
                break;
            }
            machine.runMs(0);
          }
          pin.setState(KSSTATE_STOP);
          machine.runMs(0);
          expect(pin.packets.every(({ done }) => done)).toBe(true);
          expect(pin.stream.held).toBe(0);
          expect(machine.findings).toEqual([]);
          expect(machine.end()).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
