import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IsaDmaLine } from '../../hal/bus.ts';
import { FakeSlot } from '../test-slot.ts';
import { IsaDmaController } from './controller.ts';

/** A controller with 16 MiB of RAM behind it, and devices that do nothing by themselves. */
class Rig {
  readonly slot = new FakeSlot({ ramStart: 0, ramBytes: 1 << 24 });
  readonly dma = new IsaDmaController(
    {
      read: (at, into) => this.slot.busMaster.read(at, into),
      write: (at, from) => this.slot.busMaster.write(at, from),
      reaches: (at, length) => at + length <= this.slot.ram.length,
    },
    this.slot.report,
  );
  readonly events: string[] = [];

  constructor() {
    // Channel 4 lets the first controller through.
    this.out(0xd6, 0xc0);
    this.out(0xd4, 0x00);
  }

  #window(port: number) {
    const window = this.dma.ports.find(({ start, length }) => port >= start && port < start + length);
    if (!window) throw new Error(`No port ${port}`);
    return { target: window.target, offset: port - window.start };
  }

  out(port: number, value: number): void {
    const { target, offset } = this.#window(port);
    target.write(offset, 1, value);
  }

  in(port: number): number {
    const { target, offset } = this.#window(port);
    return target.read(offset, 1);
  }

  connect(channel: number): IsaDmaLine {
    return this.dma.connect(channel, {
      catchUp: () => this.events.push(`catch up ${channel}`),
      changed: () => this.events.push(`changed ${channel}`),
    });
  }

  port(channel: number, register: number): number {
    return channel < 4 ? register : 0xc0 + 2 * register;
  }

  /** Address and count in units of the channel. */
  program(channel: number, mode: number, page: number, address: number, units: number): void {
    const index = channel & 3;
    const out = (register: number, value: number) => this.out(this.port(channel, register), value);
    out(0xa, 4 | index);
    out(0xc, 0);
    out(0xb, mode | index);
    out(2 * index, address & 0xff);
    out(2 * index, address >> 8);
    out(2 * index + 1, (units - 1) & 0xff);
    out(2 * index + 1, (units - 1) >> 8);
    this.out([0x87, 0x83, 0x81, 0x82, 0x8f, 0x8b, 0x89, 0x8a][channel]!, page);
    out(0xa, index);
  }

  count(channel: number): number {
    const index = channel & 3;
    this.out(this.port(channel, 0xc), 0);
    const port = this.port(channel, 2 * index + 1);
    return this.in(port) | (this.in(port) << 8);
  }

  address(channel: number): number {
    const index = channel & 3;
    this.out(this.port(channel, 0xc), 0);
    const port = this.port(channel, 2 * index);
    return this.in(port) | (this.in(port) << 8);
  }

  fill(at: number, bytes: number): void {
    for (let i = 0; i < bytes; i++) this.slot.ram[at + i] = (i * 7 + 1) & 0xff;
  }
}

const READ_SINGLE = 0x48;
const WRITE_SINGLE = 0x44;
const AUTO = 0x10;
const DOWN = 0x20;

describe('8237 pair', () => {
  test('the byte pointer flip-flop chooses the half, for addresses and counts alike', () => {
    const rig = new Rig();
    rig.out(0x0c, 0);
    rig.out(0x02, 0x34);
    rig.out(0x02, 0x12);
    rig.out(0x03, 0xcd);
    rig.out(0x03, 0xab);
    expect(rig.in(0x02)).toBe(0x34);
    expect(rig.in(0x03)).toBe(0xab);
    rig.out(0x0c, 0);
    expect(rig.address(1)).toBe(0x1234);
    expect(rig.count(1)).toBe(0xabcd);
  });

  test.each([0, 1, 2, 3, 5, 6, 7])(
    'channel %i reads memory in its own page, and reaches terminal count',
    (channel) => {
      const rig = new Rig();
      const line = rig.connect(channel);
      const unit = line.unitBytes;
      expect(unit).toBe(channel < 4 ? 1 : 2);
      rig.fill(0x12_0040 * 1, 64);
      rig.program(channel, READ_SINGLE, 0x12, 0x40 / unit, 32);
      const bytes = new Uint8Array(20 * unit);
      expect(line.read(bytes)).toBe(20 * unit);
      expect(line.terminalCount).toBe(false);
      expect(bytes).toEqual(rig.slot.ram.slice(0x12_0040, 0x12_0040 + 20 * unit));
      expect(rig.count(channel)).toBe(11);
      expect(rig.address(channel)).toBe(0x40 / unit + 20);
      expect(line.read(bytes)).toBe(12 * unit);
      expect(line.terminalCount).toBe(true);
      expect(rig.count(channel)).toBe(0xffff);
      const status = rig.port(channel, 8);
      expect(rig.in(status) & (1 << (channel & 3))).not.toBe(0);
      expect(rig.in(status) & 0x0f).toBe(0);
      // Terminal count masks a channel that is not auto-initialized.
      expect(line.read(bytes)).toBe(0);
      expect(rig.dma.state(channel).masked).toBe(true);
    },
  );

  test('auto-initialize goes round, as often as a block is long', () => {
    const rig = new Rig();
    const line = rig.connect(1);
    rig.fill(0x03_0000, 10);
    rig.program(1, READ_SINGLE | AUTO, 0x03, 0, 10);
    const bytes = new Uint8Array(35);
    expect(line.read(bytes)).toBe(35);
    expect(Array.from(bytes)).toEqual(Array.from({ length: 35 }, (_, i) => ((i % 10) * 7 + 1) & 0xff));
    expect(line.terminalCount).toBe(true);
    expect(rig.count(1)).toBe(4);
    expect(rig.dma.state(1).masked).toBe(false);
  });

  test('the address wraps within its page: 64 KiB of bytes, 128 KiB of words; the low page bit does not count for words', () => {
    const rig = new Rig();
    const bytes = rig.connect(3);
    rig.slot.ram.set([1, 2], 0x05_fffe);
    rig.slot.ram.set([3, 4], 0x05_0000);
    rig.program(3, READ_SINGLE, 0x05, 0xfffe, 4);
    const four = new Uint8Array(4);
    bytes.read(four);
    expect(Array.from(four)).toEqual([1, 2, 3, 4]);
    const words = rig.connect(6);
    rig.slot.ram.set([5, 6], 0x07_fffe);
    rig.slot.ram.set([7, 8], 0x06_0000);
    rig.program(6, READ_SINGLE, 0x07, 0xffff, 2);
    words.read(four);
    expect(Array.from(four)).toEqual([5, 6, 7, 8]);
  });

  test('counting down turns the units round, not their bytes', () => {
    const rig = new Rig();
    const line = rig.connect(5);
    rig.slot.ram.set([1, 2, 3, 4, 5, 6], 0x02_0000);
    rig.program(5, READ_SINGLE | DOWN, 0x02, 2, 3);
    const six = new Uint8Array(6);
    expect(line.read(six)).toBe(6);
    expect(Array.from(six)).toEqual([5, 6, 3, 4, 1, 2]);
    rig.program(5, WRITE_SINGLE | DOWN, 0x02, 2, 3);
    expect(line.write(six)).toBe(6);
    expect(Array.from(rig.slot.ram.slice(0x02_0000, 0x02_0006))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('masks: one, all, none, master clear; a controller that is off serves nobody', () => {
    const rig = new Rig();
    const line = rig.connect(0);
    const one = new Uint8Array(1);
    rig.program(0, READ_SINGLE | AUTO, 0, 0, 8);
    const served = () => line.read(one) === 1;
    expect(served()).toBe(true);
    rig.out(0x0a, 0x04);
    expect(served()).toBe(false);
    rig.out(0x0e, 0);
    expect(served()).toBe(true);
    rig.out(0x0f, 0x01);
    expect(served()).toBe(false);
    rig.out(0x0f, 0x0e);
    expect(served()).toBe(true);
    rig.out(0x08, 0x04);
    expect(served()).toBe(false);
    rig.out(0x08, 0x00);
    expect(served()).toBe(true);
    rig.out(0x0d, 0);
    expect(served()).toBe(false);
    expect(rig.in(0x0d)).toBe(0);
  });

  test('channels 0 to 3 are served only while channel 4 cascades', () => {
    const rig = new Rig();
    const line = rig.connect(2);
    const one = new Uint8Array(1);
    rig.program(2, READ_SINGLE | AUTO, 0, 0, 8);
    expect(line.read(one)).toBe(1);
    rig.out(0xd4, 0x04);
    expect(line.read(one)).toBe(0);
    rig.out(0xd4, 0x00);
    rig.out(0xd6, 0x40);
    expect(line.read(one)).toBe(0);
    rig.out(0xd6, 0xc0);
    expect(line.read(one)).toBe(1);
  });

  test('verify counts and moves nothing; the wrong direction is refused and reported once', () => {
    const rig = new Rig();
    const line = rig.connect(1);
    const bytes = Uint8Array.of(1, 2, 3);
    rig.program(1, 0x40, 0, 0x100, 8);
    expect(line.write(bytes)).toBe(3);
    expect(Array.from(rig.slot.ram.slice(0x100, 0x103))).toEqual([0, 0, 0]);
    expect(rig.count(1)).toBe(4);
    rig.program(1, WRITE_SINGLE, 0, 0x100, 8);
    expect(line.read(bytes)).toBe(0);
    expect(line.read(bytes)).toBe(0);
    expect(rig.slot.findings).toHaveLength(1);
  });

  test('a request by software runs a block to its end, even masked', () => {
    const rig = new Rig();
    rig.connect(1);
    rig.program(1, 0x84, 0, 0x200, 4);
    rig.out(0x0a, 0x05);
    rig.out(0x09, 0x05);
    expect(rig.count(1)).toBe(0xffff);
    expect(Array.from(rig.slot.ram.slice(0x200, 0x205))).toEqual([0xff, 0xff, 0xff, 0xff, 0]);
    expect(rig.in(0x08) & 0x22).toBe(0x02);
  });

  test('DRQ shows in the status register, and devices catch up before every look', () => {
    const rig = new Rig();
    const line = rig.connect(3);
    line.setRequest(true);
    rig.events.length = 0;
    expect(rig.in(0x08)).toBe(0x80);
    expect(rig.events).toEqual(['catch up 3']);
    rig.out(0x0a, 0x03);
    expect(rig.events.at(-1)).toBe('changed 3');
    line.disconnect();
    expect(rig.in(0x08)).toBe(0);
    expect(() => rig.connect(4)).toThrow(RangeError);
    rig.connect(3);
    expect(() => rig.connect(3)).toThrow(/used by another card/);
  });

  test('page registers that belong to no channel are storage', () => {
    const rig = new Rig();
    rig.out(0x80, 0x5a);
    rig.out(0x84, 0xa5);
    expect([rig.in(0x80), rig.in(0x84)]).toEqual([0x5a, 0xa5]);
  });

  test('a block that may not be reached is left out unit by unit, and reported a stretch at a time', () => {
    const rig = new Rig();
    const memory = rig.slot.busMaster;
    const tried: number[] = [];
    const reachable = (at: number, length: number) => at + length <= 0x1_0004 || at >= 0x1_0008;
    const limited = new IsaDmaController(
      {
        reaches: reachable,
        read: (at, into) => {
          if (reachable(at, into.length)) return memory.read(at, into);
          tried.push(at, into.length);
          return false;
        },
        write: () => false,
      },
      rig.slot.report,
    );
    const other = limited.connect(1, { catchUp: () => {}, changed: () => {} });
    const [first] = limited.ports;
    const second = limited.ports[2]!;
    second.target.write(0x16, 1, 0xc0);
    second.target.write(0x14, 1, 0x00);
    for (const [register, value] of [
      [0xc, 0],
      [0xb, 0x49],
      [2, 0x00],
      [2, 0x00],
      [3, 0x0f],
      [3, 0x00],
    ] as const) {
      first!.target.write(register, 1, value);
    }
    limited.ports[1]!.target.write(3, 1, 0x01);
    first!.target.write(0xa, 1, 0x01);
    const bytes = new Uint8Array(16).fill(0x22);
    rig.slot.ram.fill(0x33, 0x1_0000, 0x1_0010);
    expect(other.read(bytes)).toBe(16);
    expect(Array.from(bytes)).toEqual([
      ...Array(4).fill(0x33),
      ...Array(4).fill(0xff),
      ...Array(8).fill(0x33),
    ]);
    expect(tried).toEqual([0x1_0004, 4]);
  });
});

/** The 8237 as its data sheet has it, a cycle at a time. */
class Model {
  address = 0;
  count = 0;
  baseAddress = 0;
  baseCount = 0;
  masked = true;

  cycle(mode: number): number | null {
    if (this.masked) return null;
    const at = this.address;
    this.address = (this.address + ((mode & DOWN) !== 0 ? -1 : 1)) & 0xffff;
    this.count = (this.count - 1) & 0xffff;
    if (this.count === 0xffff) {
      if ((mode & AUTO) !== 0) {
        this.address = this.baseAddress;
        this.count = this.baseCount;
      } else this.masked = true;
    }
    return at;
  }
}

describe('8237 pair against a model of single cycles', () => {
  const channel = fc.constantFrom(0, 1, 2, 3, 5, 6, 7);
  const step = fc.oneof(
    fc.record({ kind: fc.constant('move' as const), units: fc.integer({ min: 1, max: 300 }) }),
    fc.record({ kind: fc.constant('look' as const) }),
    fc.record({ kind: fc.constant('mask' as const), masked: fc.boolean() }),
  );

  test('any transfers and looks agree', () => {
    fc.assert(
      fc.property(
        channel,
        fc.constantFrom(READ_SINGLE, READ_SINGLE | AUTO, READ_SINGLE | DOWN, READ_SINGLE | AUTO | DOWN),
        fc.nat(0xffff),
        fc.integer({ min: 1, max: 600 }),
        fc.array(step, { maxLength: 30 }),
        (number, mode, address, units, steps) => {
          const rig = new Rig();
          const line = rig.connect(number);
          const unit = line.unitBytes;
          for (let i = 0; i < 0x2_0000; i++) rig.slot.ram[0x04_0000 + i] = (i * 31 + (i >> 8)) & 0xff;
          rig.program(number, mode, 0x04, address, units);
          const model = new Model();
          model.address = model.baseAddress = address;
          model.count = model.baseCount = units - 1;
          model.masked = false;
          for (const one of steps) {
            if (one.kind === 'mask') {
              rig.out(rig.port(number, 0xa), (one.masked ? 4 : 0) | (number & 3));
              model.masked = one.masked;
            } else if (one.kind === 'look') {
              expect(rig.count(number)).toBe(model.count);
              expect(rig.address(number)).toBe(model.address);
            } else {
              const bytes = new Uint8Array(one.units * unit);
              const moved = line.read(bytes);
              const expected: number[] = [];
              for (let i = 0; i < one.units; i++) {
                const at = model.cycle(mode);
                if (at === null) break;
                for (let j = 0; j < unit; j++) expected.push(rig.slot.ram[0x04_0000 + at * unit + j]!);
              }
              expect(Array.from(bytes.subarray(0, moved))).toEqual(expected);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('any register traffic keeps it alive, and values within their registers', () => {
    const traffic = fc.array(
      fc.oneof(
        fc.record({
          kind: fc.constant('out' as const),
          port: fc.oneof(
            fc.nat(0x0f),
            fc.integer({ min: 0x80, max: 0x8f }),
            fc.integer({ min: 0xc0, max: 0xdf }),
          ),
          value: fc.nat(0xff),
        }),
        fc.record({
          kind: fc.constant('in' as const),
          port: fc.oneof(fc.nat(0x0f), fc.integer({ min: 0xc0, max: 0xdf })),
        }),
        fc.record({ kind: fc.constant('move' as const), channel, write: fc.boolean(), bytes: fc.nat(5000) }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(traffic, (steps) => {
        const rig = new Rig();
        const lines = new Map([0, 1, 2, 3, 5, 6, 7].map((number) => [number, rig.connect(number)]));
        for (const one of steps) {
          if (one.kind === 'out') rig.out(one.port, one.value);
          else if (one.kind === 'in') {
            const value = rig.in(one.port);
            expect(value).toBe(value & 0xff);
          } else {
            const line = lines.get(one.channel)!;
            const bytes = new Uint8Array(one.bytes);
            const moved = one.write ? line.write(bytes) : line.read(bytes);
            expect(moved).toBeLessThanOrEqual(one.bytes);
            expect(moved % line.unitBytes).toBe(0);
          }
        }
        for (const number of lines.keys()) {
          const state = rig.dma.state(number);
          expect(state.currentAddress).toBe(state.currentAddress & 0xffff);
          expect(state.currentCount).toBe(state.currentCount & 0xffff);
        }
      }),
      { numRuns: 100 },
    );
  });
});
