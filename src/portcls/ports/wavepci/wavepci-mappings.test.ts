import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  currentKernel,
  DISPATCH_LEVEL,
  KSPIN_LOCK,
  keAcquireSpinLock,
  keLowerIrql,
  keRaiseIrql,
  mdlPhysicalAddress,
  mmProbeAndLockPages,
  mmUnlockPages,
} from '../../../kernel/index.ts';
import {
  KSEVENT_LOOPEDSTREAMING_POSITION,
  KSEVENTSETID_LoopedStreaming,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA,
  ksRequestEvent,
} from '../../../ks/index.ts';
import { recordedAt } from '../wavecyclic/test-card.ts';
import { type Packet, same, sound } from '../wavecyclic/test-client.ts';
import { PciScript } from './test-card.ts';
import { PciMachine, type PciPinClient } from './test-client.ts';

const MS_BYTES = 192;
const PAGE = 4096;
const FOUR_GIGABYTES = 0x1_0000_0000;

/** Where the bytes of a client's buffer really lie, one address a byte range of a page. */
function physicalAddressOf(machine: PciMachine, { address, byteLength }: Packet, offset: number): number {
  return machine.kernel.enter(() => {
    const mdl = mmProbeAndLockPages(machine.client, address, byteLength);
    try {
      return mdlPhysicalAddress(mdl, offset);
    } finally {
      mmUnlockPages(mdl);
    }
  });
}

/** Positions of a looped buffer that are wanted. */
function positionEvent(machine: PciMachine, pin: PciPinClient, position: number): number {
  const event = machine.client.createEvent();
  const data = new Uint8Array(8);
  new DataView(data.buffer).setUint32(0, position, true);
  ksRequestEvent(
    machine.client,
    pin.handle,
    KSEVENTSETID_LoopedStreaming,
    KSEVENT_LOOPEDSTREAMING_POSITION,
    event,
    { data },
  );
  return event;
}

describe('mappings', () => {
  it('are the client’s own pages: what it writes after they were taken is what the card plays', () => {
    const machine = new PciMachine();
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    const first = sound(3 * PAGE, 1);
    const packet = pin.write(first, 0, 100);
    // All of it is mapped; nothing has been played.
    expect(pin.stream.taken.reduce((sum, { byteCount }) => sum + byteCount, 0)).toBe(first.length);
    const second = sound(3 * PAGE, 2);
    machine.client.writeMemory(packet.address, second);
    for (const { physicalAddress, offset } of pin.stream.taken)
      expect(physicalAddress).toBe(physicalAddressOf(machine, packet, offset));
    pin.setState(KSSTATE_RUN);
    machine.runMs(10);
    // Even in the middle of it, behind the card.
    const third = sound(PAGE, 3);
    machine.client.writeMemory(packet.address + 2 * PAGE, third);
    machine.runMs(80);
    expect(same(pin.stream.played.bytes, Uint8Array.from([...second.subarray(0, 2 * PAGE), ...third]))).toBe(
      true,
    );
    expect(machine.findings).toEqual([]);
    expect(machine.end()).toEqual([]);
  });

  it('of a recording fill the client’s buffer while the request is still under way', () => {
    const machine = new PciMachine();
    const pin = machine.openPin(1);
    pin.setState(KSSTATE_PAUSE);
    const packet = pin.read(4 * PAGE, 5);
    pin.setState(KSSTATE_RUN);
    machine.runMs(20);
    expect(packet.done).toBe(false);
    const bytes = new Uint8Array(20 * MS_BYTES);
    machine.client.readMemory(packet.address, bytes);
    expect(bytes.every((byte, index) => byte === recordedAt(index))).toBe(true);
    pin.close();
    expect(machine.end()).toEqual([]);
  });

  it('cover every request once and in order, each contiguous and of at most 16 pages (property)', () => {
    const request = fc.record({
      bytes: fc.integer({ min: 1, max: 20 * PAGE }),
      at: fc.integer({ min: 0, max: PAGE - 1 }),
    });
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom(PAGE, 0x1_0000, 0x10_0000),
        (requests, scatterPages, capture, maximumLength) => {
          const script = new PciScript();
          script.depth = 10_000;
          script.maximumLength = maximumLength;
          const machine = new PciMachine(script);
          machine.kernel.memory.scatterPages = scatterPages;
          const pin = machine.openPin(capture ? 1 : 0);
          pin.setState(KSSTATE_PAUSE);
          for (const [index, { bytes, at }] of requests.entries()) {
            if (capture) pin.read(bytes, at);
            else pin.write(sound(bytes, index), 0, at);
          }
          const taken = [...pin.stream.taken];
          for (const [index, { bytes }] of requests.entries()) {
            const packet = pin.packets[index] as Packet;
            let offset = 0;
            while (offset < bytes) {
              const mapping = taken.shift();
              if (mapping === undefined) throw new Error(`request ${index} ends at ${offset} of ${bytes}`);
              expect(mapping.offset).toBe(offset);
              const pages =
                Math.floor((mapping.physicalAddress + mapping.byteCount - 1) / PAGE) -
                Math.floor(mapping.physicalAddress / PAGE) +
                1;
              expect(pages).toBeLessThanOrEqual(16);
              if (scatterPages) expect(pages).toBe(1);
              for (let at = 0; at < mapping.byteCount; at += 512)
                expect(mapping.physicalAddress + at).toBe(physicalAddressOf(machine, packet, offset + at));
              offset += mapping.byteCount;
              expect(mapping.last).toBe(offset === bytes);
            }
            expect(offset).toBe(bytes);
          }
          expect(taken).toEqual([]);
          pin.setState(KSSTATE_STOP);
          expect(machine.findings).toEqual([]);
          expect(machine.end()).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('of a looped buffer come round again at the beginning, the last one of each round marked', () => {
    const machine = new PciMachine();
    machine.script.depth = 9;
    machine.kernel.memory.scatterPages = true;
    const pin = machine.openPin(0, undefined, true);
    pin.setState(KSSTATE_PAUSE);
    const packet = pin.write(sound(2 * PAGE + 10), KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA);
    const pieces = pin.stream.taken.map(({ offset, byteCount, last }) => [offset, byteCount, last]);
    const round = [
      [0, PAGE, false],
      [PAGE, PAGE, false],
      [2 * PAGE, 10, true],
    ];
    expect(pieces).toEqual([...round, ...round, ...round]);
    for (const { physicalAddress, offset } of pin.stream.taken)
      expect(physicalAddress).toBe(physicalAddressOf(machine, packet, offset));
    expect(machine.end()).toEqual([]);
  });

  it('DirectSound’s way: a looped buffer that its client goes on filling plays what is in it by then', () => {
    const machine = new PciMachine();
    machine.script.depth = 32;
    const pin = machine.openPin(0, undefined, true);
    pin.setState(KSSTATE_PAUSE);
    const half = 10 * MS_BYTES;
    const halves = Array.from({ length: 12 }, (_, index) => sound(half, index));
    const packet = pin.write(
      Uint8Array.from([...(halves[0] as Uint8Array), ...(halves[1] as Uint8Array)]),
      KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA,
    );
    pin.setState(KSSTATE_RUN);
    for (let next = 2; next < halves.length; next++) {
      machine.runMs(10);
      machine.client.writeMemory(packet.address + (next % 2) * half, halves[next] as Uint8Array);
    }
    machine.runMs(20);
    expect(same(pin.stream.played.bytes, Uint8Array.from(halves.flatMap((bytes) => [...bytes])))).toBe(true);
    expect(machine.end()).toEqual([]);
  });
});

describe('memory above 4 GiB', () => {
  const HIGH = { ramBytes: 0x20_0000, highRamBytes: 0x80_0000 };

  it('a card with 64 address lines reads and fills the client’s own pages there', () => {
    for (const capture of [false, true]) {
      const script = new PciScript();
      script.dma64 = true;
      const machine = new PciMachine(script, HIGH);
      machine.kernel.memory.scatterPages = true;
      const pin = machine.openPin(capture ? 1 : 0);
      pin.setState(KSSTATE_PAUSE);
      const bytes = sound(20_000);
      const packet = capture ? pin.read(bytes.length, 77) : pin.write(bytes, 0, 77);
      pin.setState(KSSTATE_RUN);
      machine.runMs(150);
      expect(packet.statusName).toBe('STATUS_SUCCESS');
      for (const { physicalAddress, offset } of pin.stream.taken) {
        expect(physicalAddress).toBeGreaterThanOrEqual(FOUR_GIGABYTES);
        expect(physicalAddress).toBe(physicalAddressOf(machine, packet, offset));
      }
      if (capture) expect(pin.bytesOf(packet).every((byte, at) => byte === recordedAt(at))).toBe(true);
      else expect(same(pin.stream.played.bytes, bytes)).toBe(true);
      expect(machine.end()).toEqual([]);
    }
  });

  it('a card with 32 gets map registers below, filled before it plays and emptied after it recorded', () => {
    for (const [capture, maximumLength] of [
      [false, PAGE],
      [false, 0x1_0000],
      [true, PAGE],
      [true, 0x1_0000],
    ] as const) {
      const script = new PciScript();
      script.maximumLength = maximumLength;
      const machine = new PciMachine(script, HIGH);
      machine.kernel.memory.scatterPages = true;
      const pin = machine.openPin(capture ? 1 : 0);
      pin.setState(KSSTATE_PAUSE);
      const bytes = sound(3 * 9000);
      const packets = [0, 1, 2].map((index) =>
        capture
          ? pin.read(9000, index * 1000)
          : pin.write(bytes.subarray(index * 9000, (index + 1) * 9000), 0, index * 1000),
      );
      pin.setState(KSSTATE_RUN);
      machine.runMs(200);
      expect(packets.map(({ statusName }) => statusName)).toEqual(Array(3).fill('STATUS_SUCCESS'));
      for (const { physicalAddress, byteCount } of pin.stream.taken)
        expect(physicalAddress + byteCount).toBeLessThanOrEqual(FOUR_GIGABYTES);
      if (capture) {
        for (const [index, packet] of packets.entries())
          expect(pin.bytesOf(packet).every((byte, at) => byte === recordedAt(index * 9000 + at))).toBe(true);
      } else expect(same(pin.stream.played.bytes, bytes)).toBe(true);
      expect(machine.findings).toEqual([]);
      expect(machine.end()).toEqual([]);
    }
  });

  it('the processor sees what the card reaches: programmed I/O into map registers arrives at the client', () => {
    for (const scatterPages of [false, true]) {
      const script = new PciScript();
      script.depth = 100;
      const machine = new PciMachine(script, HIGH);
      machine.kernel.memory.scatterPages = scatterPages;
      const capture = machine.openPin(1);
      capture.setState(KSSTATE_PAUSE);
      const packet = capture.read(3 * PAGE, 500);
      const expected = sound(3 * PAGE, 4);
      let at = 0;
      for (const { memory, offset, byteCount, physicalAddress } of capture.stream.taken) {
        expect(memory.physicalAddress(offset)).toBe(physicalAddress);
        machine.kernel.enter(() => memory.write(offset, expected.subarray(at, at + byteCount)));
        at += byteCount;
      }
      expect(at).toBe(3 * PAGE);
      const { port, taken } = capture.stream;
      machine.kernel.enter(() => {
        for (const { tag } of taken.splice(0)) port.releaseMapping(tag);
      });
      machine.runMs(0);
      expect(packet.statusName).toBe('STATUS_SUCCESS');
      expect(same(capture.bytesOf(packet), expected)).toBe(true);
      const pin = machine.openPin();
      pin.setState(KSSTATE_PAUSE);
      pin.write(expected, 0, 700);
      const read = pin.stream.taken.flatMap(({ memory, offset, byteCount }) => {
        const bytes = new Uint8Array(byteCount);
        machine.kernel.enter(() => memory.read(offset, bytes));
        return [...bytes];
      });
      expect(same(Uint8Array.from(read), expected)).toBe(true);
      capture.stream.forgetAll();
      expect(machine.findings).toEqual([]);
      expect(machine.end()).toEqual([]);
    }
  });

  it('a recording that stops half-way keeps what the map registers hold', () => {
    const machine = new PciMachine(new PciScript(), HIGH);
    const pin = machine.openPin(1);
    pin.setState(KSSTATE_PAUSE);
    const packet = pin.read(3 * PAGE, 10);
    pin.setState(KSSTATE_RUN);
    machine.runMs(30);
    pin.setState(KSSTATE_STOP);
    machine.runMs(0);
    expect([packet.statusName, packet.header.dataUsed]).toEqual(['STATUS_SUCCESS', 30 * MS_BYTES]);
    expect(pin.bytesOf(packet).every((byte, at) => byte === recordedAt(at))).toBe(true);
    expect(machine.end()).toEqual([]);
  });

  it('a request that is cancelled gives its map registers back', () => {
    const machine = new PciMachine(new PciScript(), HIGH);
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    const warm = pin.write(sound(PAGE));
    machine.kernel.enter(() => warm.request?.cancel());
    machine.runMs(0);
    const packet = pin.write(sound(8 * PAGE));
    const before = machine.kernel.memory.freePageCount;
    machine.kernel.enter(() => packet.request?.cancel());
    machine.runMs(0);
    expect(packet.statusName).toBe('STATUS_CANCELLED');
    expect(machine.kernel.memory.freePageCount).toBe(before + 8);
    expect(machine.platform.dmaRanges).toEqual([]);
    expect(machine.end()).toEqual([]);
  });
});

describe('levels and locks', () => {
  it('mappings are taken and given back up to DISPATCH_LEVEL, and not above', () => {
    const machine = new PciMachine();
    machine.script.depth = 0;
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    pin.write(sound(100));
    const { port } = pin.stream;
    machine.kernel.enter(() => {
      const old = keRaiseIrql(DISPATCH_LEVEL);
      expect(port.getMapping('one')?.byteCount).toBe(100);
      port.releaseMapping('one');
      keLowerIrql(old);
    });
    machine.runMs(0);
    expect(pin.packets[0]?.statusName).toBe('STATUS_SUCCESS');
    expect(machine.end()).toEqual([]);
    for (const call of ['getMapping', 'releaseMapping', 'terminatePacket'] as const) {
      const other = new PciMachine();
      const { port: otherPort } = other.openPin().stream;
      expect(() =>
        other.kernel.enter(() => {
          keRaiseIrql(DISPATCH_LEVEL + 1);
          if (call === 'terminatePacket') otherPort.terminatePacket();
          else otherPort[call](1);
        }),
      ).toThrow(/IRQL_NOT_LESS_OR_EQUAL/);
    }
  });

  it('ReleaseMapping with a spin lock held is bugcheck 0xC4, as GetMapping is', () => {
    const machine = new PciMachine();
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    pin.write(sound(100));
    expect(() =>
      machine.kernel.enter(() => {
        keAcquireSpinLock(new KSPIN_LOCK());
        pin.stream.port.releaseMapping(1);
      }),
    ).toThrow(/ReleaseMapping.*spin lock/);
  });

  it('the miniport is called at the levels of its pages', () => {
    const levels = new Map<string, Set<number>>();
    const script = new PciScript();
    script.onCall = (method) => {
      const name = method.replace(/\(.*/, '');
      const seen = levels.get(name) ?? new Set();
      seen.add(currentKernel().processor.irql);
      levels.set(name, seen);
    };
    const machine = new PciMachine(script);
    const pin = machine.openPin();
    pin.setState(KSSTATE_PAUSE);
    for (let i = 0; i < 3; i++) pin.write(sound(1920));
    pin.setState(KSSTATE_RUN);
    machine.runMs(15);
    pin.setState(KSSTATE_STOP);
    for (const name of ['Init', 'NewStream', 'SetState']) expect([...(levels.get(name) ?? [])]).toEqual([0]);
    expect([...(levels.get('Service') ?? [])]).toEqual([DISPATCH_LEVEL]);
    expect([...(levels.get('RevokeMappings') ?? [])]).toEqual([DISPATCH_LEVEL]);
    for (const level of levels.get('MappingAvailable') ?? [])
      expect(level).toBeLessThanOrEqual(DISPATCH_LEVEL);
    expect(machine.end()).toEqual([]);
  });
});

describe('service and events', () => {
  function looped(script: PciScript): { machine: PciMachine; pin: PciPinClient } {
    const machine = new PciMachine(script);
    const pin = machine.openPin(0, undefined, true);
    pin.setState(KSSTATE_PAUSE);
    pin.write(sound(100 * MS_BYTES), KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA);
    return { machine, pin };
  }

  it('without a group of the stream’s own the port looks for positions every 20 ms', () => {
    const script = new PciScript();
    script.streamGroup = false;
    const { machine, pin } = looped(script);
    const event = positionEvent(machine, pin, 25 * MS_BYTES);
    pin.setState(KSSTATE_RUN);
    machine.runMs(39);
    expect(machine.client.isSignaled(event)).toBe(false);
    machine.runMs(1);
    expect(machine.client.isSignaled(event)).toBe(true);
    expect(machine.end()).toEqual([]);
  });

  it('with one, positions are looked at when it is notified; leaving RUN signals what is due', () => {
    const { machine, pin } = looped(new PciScript());
    const event = positionEvent(machine, pin, 3 * MS_BYTES);
    const later = positionEvent(machine, pin, 60 * MS_BYTES);
    pin.setState(KSSTATE_RUN);
    machine.runMs(8);
    // No descriptor is done yet, so that nobody was notified.
    expect(machine.client.isSignaled(event)).toBe(false);
    pin.setState(KSSTATE_PAUSE);
    expect([machine.client.isSignaled(event), machine.client.isSignaled(later)]).toEqual([true, false]);
    expect(machine.end()).toEqual([]);
  });

  it('Service comes to running streams only', () => {
    const machine = new PciMachine();
    const services: string[] = [];
    machine.script.onCall = (method) => {
      if (method === 'Service') services.push(method);
    };
    const pin = machine.openPin();
    const group = pin.stream.group;
    const notify = () => {
      machine.kernel.enter(() => group?.requestService());
      machine.runMs(0);
      return services.splice(0).length;
    };
    expect(notify()).toBe(0);
    pin.setState(KSSTATE_ACQUIRE);
    pin.setState(KSSTATE_PAUSE);
    expect(notify()).toBe(0);
    pin.setState(KSSTATE_RUN);
    expect(notify()).toBe(1);
    pin.setState(KSSTATE_PAUSE);
    expect(notify()).toBe(0);
    pin.close();
    expect(machine.end()).toEqual([]);
  });
});
