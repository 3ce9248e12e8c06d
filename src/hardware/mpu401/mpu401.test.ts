import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MIDI_BYTE_TICKS, MidiMemorySink, MidiMemorySource } from '../midi-memory.ts';
import { FakeSlot, type FakeSlotOptions } from '../test-slot.ts';
import { Mpu401, type Mpu401Options } from './mpu401.ts';
import { describeMpuValue, MPU_REGISTERS } from './registers.ts';

const DRR = 0x40;
const DSR = 0x80;
const ACK = 0xfe;
const COMMAND_TICKS = 100;

/** The interface with both connectors plugged, and the moves of Creative's guide. */
class MpuRig {
  readonly slot: FakeSlot;
  readonly out = new MidiMemorySink();
  readonly source = new MidiMemorySource();
  readonly mpu: Mpu401;

  constructor(options: Mpu401Options = {}, slotOptions: FakeSlotOptions = {}) {
    this.slot = new FakeSlot(slotOptions);
    this.mpu = new Mpu401({ midiOut: this.out, midiIn: this.source, ...options });
    this.mpu.attach(this.slot);
  }

  data(value: number): this {
    this.mpu.write(0, 1, value);
    return this;
  }

  command(value: number): this {
    this.mpu.write(1, 1, value);
    return this;
  }

  read(): number {
    return this.mpu.read(0, 1);
  }

  status(): number {
    return this.mpu.read(1, 1);
  }

  advance(ticks: number): this {
    this.slot.clock.advance(ticks);
    return this;
  }

  uart(): this {
    this.command(0x3f).advance(COMMAND_TICKS);
    expect(this.read()).toBe(ACK);
    return this;
  }

  get now(): number {
    return this.slot.clock.now;
  }
}

describe('commands', () => {
  test('after power-on there is nothing to read, the interface is ready, and unused status bits are ones', () => {
    const rig = new MpuRig();
    expect(rig.status()).toBe(0xbf);
    expect([rig.slot.asserted, rig.mpu.uartMode]).toEqual([false, false]);
  });

  test.each([
    ['reset', 0xff, false],
    ['enter UART mode', 0x3f, true],
  ])('%s is acknowledged by FEh with an interrupt that reading clears', (_, code, uartMode) => {
    const rig = new MpuRig();
    rig.command(code);
    expect(rig.status() & (DRR | DSR)).toBe(DRR | DSR);
    rig.advance(COMMAND_TICKS - 1);
    expect([rig.status() & (DRR | DSR), rig.slot.asserted]).toEqual([DRR | DSR, false]);
    rig.advance(1);
    expect([rig.status() & (DRR | DSR), rig.slot.asserted]).toEqual([0, true]);
    expect(rig.mpu.uartMode).toBe(uartMode);
    expect(rig.read()).toBe(ACK);
    expect([rig.status() & (DRR | DSR), rig.slot.asserted]).toEqual([DSR, false]);
  });

  test('an interface without a delay answers at once', () => {
    const rig = new MpuRig({ commandTicks: 0 }).command(0xff);
    expect([rig.status() & (DRR | DSR), rig.slot.asserted, rig.read()]).toEqual([0, true, ACK]);
  });

  test('other commands are not known: no answer, and a finding', () => {
    const rig = new MpuRig();
    for (const code of [0xac, 0xad, 0x34, 0x00, 0xd0]) rig.command(code).advance(10_000);
    expect([rig.status(), rig.slot.asserted]).toEqual([0xbf, false]);
    expect(rig.slot.findings.length).toBe(5);
    rig.uart().command(0x3f).advance(10_000);
    expect([rig.status(), rig.mpu.uartMode]).toEqual([0xbf, true]);
    expect(rig.slot.findings.length).toBe(6);
  });

  test('reset leaves UART mode, empties both buffers and is acknowledged; the byte on the wire goes to its end', () => {
    const rig = new MpuRig().uart();
    rig.source.send([1, 2], rig.now);
    rig.advance(10_000).data(0x90).data(0x40).command(0xff).advance(COMMAND_TICKS);
    expect(rig.read()).toBe(ACK);
    expect([rig.status(), rig.mpu.uartMode]).toEqual([0xbf, false]);
    rig.advance(100_000);
    expect(Array.from(rig.out.bytes)).toEqual([0x90]);
  });

  test('like a Roland, an interface can be silent about the reset that leaves UART mode', () => {
    const rig = new MpuRig({ acknowledgesResetInUartMode: false }).uart().command(0xff).advance(10_000);
    expect([rig.status(), rig.slot.asserted, rig.mpu.uartMode]).toEqual([0xbf, false, false]);
    expect(rig.command(0xff).advance(COMMAND_TICKS).read()).toBe(ACK);
  });

  test('a reset is taken even while busy; another command is lost', () => {
    const rig = new MpuRig().command(0x3f).command(0x3f);
    expect(rig.slot.findings.at(-1)?.what).toContain('busy');
    rig.command(0xff).advance(COMMAND_TICKS);
    expect([rig.mpu.uartMode, rig.read(), rig.status()]).toEqual([false, ACK, 0xbf]);
  });

  test('the reset pin acknowledges nothing', () => {
    const rig = new MpuRig().uart();
    rig.source.send([7], rig.now);
    rig.advance(5000);
    expect(rig.slot.asserted).toBe(true);
    rig.mpu.reset();
    expect([rig.status(), rig.slot.asserted, rig.mpu.uartMode]).toEqual([0xbf, false, false]);
  });
});

describe('MIDI OUT', () => {
  test('a byte leaves at once on an idle wire, the next ones every 320 µs', () => {
    const rig = new MpuRig().uart().advance(777);
    const start = rig.now;
    for (const byte of [0x90, 0x3c, 0x64, 0x80, 0x3c, 0x00]) {
      // As a driver does: wait for DRR.
      for (let count = 0; (rig.status() & DRR) !== 0 && count < 1000; count++) rig.advance(100);
      rig.data(byte);
    }
    rig.advance(100_000);
    expect(Array.from(rig.out.bytes)).toEqual([0x90, 0x3c, 0x64, 0x80, 0x3c, 0x00]);
    expect(rig.out.startTicks).toEqual([0, 1, 2, 3, 4, 5].map((index) => start + index * MIDI_BYTE_TICKS));
    expect(rig.slot.findings).toEqual([]);
  });

  test('DRR says busy exactly while a byte waits for the wire', () => {
    const rig = new MpuRig().uart();
    rig.data(1);
    expect(rig.status() & DRR).toBe(0);
    rig.data(2);
    expect(rig.status() & DRR).toBe(DRR);
    rig.advance(MIDI_BYTE_TICKS - 1);
    expect(rig.status() & DRR).toBe(DRR);
    rig.advance(1);
    expect(rig.status() & DRR).toBe(0);
    expect(rig.out.length).toBe(2);
  });

  test('a byte written while busy is lost, with a finding', () => {
    const rig = new MpuRig().uart().data(1).data(2).data(3).advance(100_000);
    expect(Array.from(rig.out.bytes)).toEqual([1, 2]);
    expect(rig.slot.findings).toEqual([
      { what: 'MIDI byte written to the MPU-401 while DRR said busy: it is lost', data: { value: 3 } },
    ]);
  });

  test('a deeper buffer takes more before it is busy', () => {
    const rig = new MpuRig({ transmitBufferBytes: 16 }).uart();
    for (let byte = 0; byte < 17; byte++) {
      expect(rig.status() & DRR).toBe(0);
      rig.data(byte);
    }
    expect(rig.status() & DRR).toBe(DRR);
    rig.advance(17 * MIDI_BYTE_TICKS);
    expect(rig.out.length).toBe(17);
  });

  test('waiting bytes leave on time without anybody looking', () => {
    const rig = new MpuRig().uart().data(1).data(2);
    const start = rig.out.startTicks[0]!;
    expect(rig.slot.clock.nextDueTick).toBe(start + MIDI_BYTE_TICKS);
    rig.advance(MIDI_BYTE_TICKS);
    expect(rig.out.startTicks).toEqual([start, start + MIDI_BYTE_TICKS]);
    expect(rig.slot.clock.nextDueTick).toBeNull();
  });

  test('outside UART mode nothing leaves', () => {
    const rig = new MpuRig().data(0x90).command(0x3f).data(0x91).advance(COMMAND_TICKS);
    expect(rig.out.length).toBe(0);
    expect(rig.slot.findings.length).toBe(2);
  });
});

describe('MIDI IN', () => {
  test('each byte is there when its stop bit has passed, with DSR and interrupt', () => {
    const rig = new MpuRig().uart();
    const heard: [number, number][] = [];
    rig.slot.onInterrupt = () => {
      while ((rig.status() & DSR) === 0) heard.push([rig.now, rig.read()]);
      expect(rig.slot.asserted).toBe(false);
    };
    const start = rig.now + 500;
    rig.source.send([0x90, 0x40, 0x7f], start);
    rig.advance(50_000);
    expect(heard).toEqual(
      [0x90, 0x40, 0x7f].map((byte, index) => [start + (index + 1) * MIDI_BYTE_TICKS, byte]),
    );
  });

  test('the line is high as long as a byte waits', () => {
    const rig = new MpuRig().uart();
    rig.source.send([1, 2], rig.now);
    rig.advance(50_000);
    expect([rig.mpu.receivedBytes, rig.slot.asserted]).toEqual([2, true]);
    expect([rig.read(), rig.slot.asserted]).toEqual([1, true]);
    expect([rig.read(), rig.slot.asserted]).toEqual([2, false]);
  });

  test('an empty data register reads what it gave last', () => {
    const rig = new MpuRig();
    expect(rig.read()).toBe(0xff);
    rig.uart();
    expect(rig.read()).toBe(ACK);
    rig.source.send([0x42], rig.now);
    rig.advance(5000);
    expect([rig.read(), rig.read()]).toEqual([0x42, 0x42]);
  });

  test('with a full FIFO the newest bytes are lost, with a finding each', () => {
    const rig = new MpuRig({ receiveFifoBytes: 4 }).uart();
    rig.source.send([1, 2, 3, 4, 5, 6], rig.now);
    rig.advance(50_000);
    expect(rig.slot.findings.map(({ data }) => data)).toEqual([{ byte: 5 }, { byte: 6 }]);
    expect([rig.read(), rig.read(), rig.read(), rig.read()]).toEqual([1, 2, 3, 4]);
    expect(rig.status() & DSR).toBe(DSR);
  });

  test('outside UART mode bytes pass by', () => {
    const rig = new MpuRig();
    rig.source.send([1, 2, 3], 0);
    rig.advance(6400).uart().advance(50_000);
    // The third byte ends after the mode was entered.
    expect([rig.mpu.receivedBytes, rig.read()]).toEqual([1, 3]);
  });
});

test('detached, the interface holds no line and answers nothing', () => {
  const rig = new MpuRig().uart();
  rig.source.send([1, 2], rig.now);
  rig.advance(5000);
  rig.mpu.detach();
  expect([rig.slot.asserted, rig.read(), rig.status(), rig.slot.clock.nextDueTick]).toEqual([
    false,
    0xff,
    0xff,
    null,
  ]);
  rig.data(1).command(0xff).advance(50_000);
  expect(rig.slot.asserted).toBe(false);
});

test('the trace names registers and meanings', () => {
  const rig = new MpuRig({}, { wantsRegisters: true }).command(0xff).advance(COMMAND_TICKS);
  rig.status();
  rig.read();
  rig.mpu.read(0, 2);
  expect(
    rig.slot.registers.map(({ name, direction, value, meaning }) => [name, direction, value, meaning]),
  ).toEqual([
    ['MPU_COMMAND', 'write', 0xff, 'reset'],
    ['MPU_STATUS', 'read', 0x3f, 'byte waiting, ready'],
    ['MPU_DATA', 'read', 0xfe, undefined],
    ['MPU_DATA', 'read', 0xfe, undefined],
    ['MPU_STATUS', 'read', 0xbf, 'nothing to read, ready'],
  ]);
  expect(describeMpuValue('MPU_COMMAND', 0x12)).toBe('unknown command');
  expect(MPU_REGISTERS.map(({ name, access }) => `${name} ${access}`)).toEqual([
    'MPU_DATA RO',
    'MPU_DATA WO',
    'MPU_STATUS RO',
    'MPU_COMMAND WO',
  ]);
});

describe('whatever software does', () => {
  const move = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('data' as const), value: fc.nat(255) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('command' as const),
        value: fc.oneof(fc.constantFrom(0x3f, 0x3f, 0xff), fc.nat(255)),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constantFrom('read' as const, 'status' as const), value: fc.nat(1) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('receive' as const), value: fc.nat(20) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('time' as const), value: fc.nat(9000) }) },
  );

  test('line = not DSR, bytes leave at most one per 320 µs and in order, only what was written leaves (property)', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 150 }), fc.integer({ min: 1, max: 20 }), (moves, depth) => {
        const rig = new MpuRig({ transmitBufferBytes: depth, receiveFifoBytes: depth });
        const written: number[] = [];
        for (const { kind, value } of moves) {
          if (kind === 'data') {
            written.push(value);
            rig.data(value);
          } else if (kind === 'command') rig.command(value);
          else if (kind === 'read') expect(rig.read()).toBeLessThanOrEqual(0xff);
          else if (kind === 'receive')
            rig.source.send(
              Array.from({ length: value }, (_, index) => index),
              rig.now,
            );
          else if (kind === 'time') rig.advance(value);
          const status = rig.status();
          expect(status & 0x3f).toBe(0x3f);
          expect((status & DSR) === 0).toBe(rig.slot.asserted);
          expect(rig.mpu.receivedBytes).toBeLessThanOrEqual(depth);
        }
        rig.advance(100_000);
        const ticks = rig.out.startTicks;
        for (let index = 1; index < ticks.length; index++) {
          expect(ticks[index]! - ticks[index - 1]!).toBeGreaterThanOrEqual(MIDI_BYTE_TICKS);
        }
        let at = 0;
        for (const byte of rig.out.bytes) {
          at = written.indexOf(byte, at) + 1;
          expect(at).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('when nobody looks, the same bytes leave at the same times (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ ticks: fc.nat(6000), byte: fc.nat(255) }), { maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 20 }),
        (bytes, looks) => {
          const outcome = (looking: boolean): unknown => {
            const rig = new MpuRig({ transmitBufferBytes: 3 }).uart();
            let look = 0;
            for (const { ticks, byte } of bytes) {
              const end = rig.now + ticks;
              while (looking) {
                const next = rig.now + looks[look++ % looks.length]!;
                if (next >= end) break;
                rig.slot.clock.advanceTo(next);
                rig.status();
              }
              rig.slot.clock.advanceTo(end);
              rig.data(byte);
            }
            rig.advance(100_000);
            return [rig.out.recorded, rig.slot.findings];
          };
          expect(outcome(true)).toEqual(outcome(false));
        },
      ),
      { numRuns: 100 },
    );
  });
});
