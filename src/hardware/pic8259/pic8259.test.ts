import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { initializePics, PIC_VECTOR_BASE, type PicBus, takePicInterrupt } from '../../hal/pic.ts';
import { PicPair } from './pic-pair.ts';

class Rig implements PicBus {
  readonly pics = new PicPair();

  constructor(initialized = true) {
    if (initialized) initializePics(this);
  }

  readPort(port: number): number {
    const window = this.pics.ports.find(({ start, length }) => port >= start && port < start + length)!;
    return window.target.read(port - window.start, 1);
  }

  writePort(port: number, value: number): void {
    const window = this.pics.ports.find(({ start, length }) => port >= start && port < start + length)!;
    window.target.write(port - window.start, 1, value);
  }

  acknowledge(): number {
    return this.pics.acknowledge();
  }

  raise(...lines: readonly number[]): void {
    for (const line of lines) this.pics.setLine(line, true);
  }

  lower(...lines: readonly number[]): void {
    for (const line of lines) this.pics.setLine(line, false);
  }

  /** IRR and ISR of both chips, slave above master. */
  get irr(): number {
    this.writePort(0x20, 0x0a);
    this.writePort(0xa0, 0x0a);
    return this.readPort(0x20) | (this.readPort(0xa0) << 8);
  }

  get isr(): number {
    this.writePort(0x20, 0x0b);
    this.writePort(0xa0, 0x0b);
    return this.readPort(0x20) | (this.readPort(0xa0) << 8);
  }
}

const VECTOR = PIC_VECTOR_BASE;

describe('8259 pair', () => {
  test('says nothing before it is initialized', () => {
    const rig = new Rig(false);
    rig.raise(1, 9);
    expect(rig.pics.int).toBe(false);
    expect(rig.pics.deliverable).toBe(0);
  });

  test('gives the vector of the highest request, and holds lower ones back until its end', () => {
    const rig = new Rig();
    rig.raise(5, 3);
    expect(rig.irr).toBe((1 << 5) | (1 << 3));
    expect(rig.acknowledge()).toBe(VECTOR + 3);
    expect(rig.isr).toBe(1 << 3);
    expect(rig.pics.int).toBe(false);
    rig.raise(1);
    expect(rig.acknowledge()).toBe(VECTOR + 1);
    expect(rig.isr).toBe((1 << 1) | (1 << 3));
    rig.writePort(0x20, 0x20);
    expect(rig.isr).toBe(1 << 3);
    rig.writePort(0x20, 0x63);
    expect(rig.acknowledge()).toBe(VECTOR + 5);
  });

  test('counts edges, not levels: a line that stays high asks once', () => {
    const rig = new Rig();
    rig.raise(5);
    rig.acknowledge();
    rig.writePort(0x20, 0x20);
    expect(rig.pics.int).toBe(false);
    rig.lower(5);
    rig.raise(5);
    expect(rig.pics.int).toBe(true);
  });

  test('a request that is gone before it is taken gets a spurious level 7, and no bit in service', () => {
    const rig = new Rig();
    rig.raise(5);
    rig.lower(5);
    expect(rig.acknowledge()).toBe(VECTOR + 7);
    expect(rig.isr).toBe(0);
    rig.raise(11);
    rig.lower(11);
    expect(rig.pics.int).toBe(false);
  });

  test('the slave asks through line 2; a spurious one of its own is level 15 with line 2 in service', () => {
    const rig = new Rig();
    rig.raise(10);
    expect(rig.irr).toBe((1 << 10) | (1 << 2));
    expect(rig.acknowledge()).toBe(VECTOR + 10);
    expect(rig.isr).toBe((1 << 10) | (1 << 2));
    rig.writePort(0xa0, 0x20);
    rig.writePort(0x20, 0x20);
    expect(rig.isr).toBe(0);
    // With line 2 in level mode it is still there when the slave's request goes.
    rig.raise(12, 14);
    expect(rig.acknowledge()).toBe(VECTOR + 12);
    rig.writePort(0xa0, 0x64);
    rig.writePort(0x20, 0x62);
    expect(rig.acknowledge()).toBe(VECTOR + 14);
  });

  test('masks hold back and do not forget', () => {
    const rig = new Rig();
    rig.writePort(0x21, 1 << 5);
    rig.raise(5);
    expect(rig.pics.int).toBe(false);
    expect(rig.irr).toBe(1 << 5);
    rig.writePort(0x21, 0);
    expect(rig.acknowledge()).toBe(VECTOR + 5);
    expect(rig.readPort(0x21)).toBe(0);
    rig.writePort(0x20, 0x20);
    rig.writePort(0x21, 1 << 2);
    rig.raise(8);
    expect(rig.pics.deliverable).toBe(0);
  });

  test('automatic EOI ends at once', () => {
    const rig = new Rig(false);
    for (const value of [0x30, 0x06]) rig.writePort(0x21, value);
    rig.writePort(0x20, 0x13);
    rig.writePort(0x21, 0x40);
    rig.writePort(0x21, 0x03);
    rig.raise(4, 6);
    expect([rig.acknowledge(), rig.acknowledge()]).toEqual([0x44, 0x46]);
    expect(rig.isr & 0xff).toBe(0);
  });

  test('level mode asks as long as the line is high, by ICW1 or line by line', () => {
    const rig = new Rig(false);
    rig.writePort(0x20, 0x1b);
    rig.writePort(0x21, 0x20);
    rig.writePort(0x21, 0x01);
    rig.raise(3);
    expect(rig.acknowledge()).toBe(0x23);
    rig.writePort(0x20, 0x20);
    expect(rig.acknowledge()).toBe(0x23);
    rig.writePort(0x20, 0x20);
    rig.lower(3);
    expect(rig.pics.int).toBe(false);

    const elcr = new Rig();
    elcr.writePort(0x4d0, 0xff);
    elcr.writePort(0x4d1, 0xff);
    expect([elcr.readPort(0x4d0), elcr.readPort(0x4d1)]).toEqual([0xf8, 0xde]);
    elcr.raise(11);
    expect(elcr.acknowledge()).toBe(VECTOR + 11);
    elcr.writePort(0xa0, 0x20);
    elcr.writePort(0x20, 0x20);
    expect(elcr.acknowledge()).toBe(VECTOR + 11);
  });

  test('rotation makes the one that was served the lowest', () => {
    const rig = new Rig();
    rig.raise(3, 4);
    expect(rig.acknowledge()).toBe(VECTOR + 3);
    rig.writePort(0x20, 0xa0);
    rig.lower(3);
    rig.raise(3);
    expect(rig.acknowledge()).toBe(VECTOR + 4);
    rig.writePort(0x20, 0x20);
    // Set priority: 5 is lowest, 6 highest.
    rig.writePort(0x20, 0xc5);
    rig.raise(6, 0);
    expect(rig.acknowledge()).toBe(VECTOR + 6);
  });

  test('special mask mode lets lower levels pass one that is masked in service', () => {
    const rig = new Rig();
    rig.raise(3);
    rig.acknowledge();
    rig.raise(5);
    expect(rig.pics.int).toBe(false);
    rig.writePort(0x21, 1 << 3);
    rig.writePort(0x20, 0x68);
    expect(rig.pics.int).toBe(true);
    expect(rig.acknowledge()).toBe(VECTOR + 5);
    rig.writePort(0x20, 0x20);
    expect(rig.isr).toBe(1 << 3);
    rig.writePort(0x20, 0x48);
    rig.writePort(0x21, 0);
    rig.writePort(0x20, 0x20);
    expect(rig.isr).toBe(0);
  });

  test('a poll takes the request as an acknowledge cycle does', () => {
    const rig = new Rig();
    rig.raise(6);
    rig.writePort(0x20, 0x0c);
    expect(rig.readPort(0x20)).toBe(0x86);
    expect(rig.isr).toBe(1 << 6);
    rig.writePort(0x20, 0x0c);
    expect(rig.readPort(0x20) & 0x80).toBe(0);
  });
});

describe('the HAL on the 8259 pair', () => {
  test.each([0, 1, 3, 5, 7, 8, 9, 10, 15])('takes line %i and leaves the others as they were', (line) => {
    const rig = new Rig();
    rig.writePort(0x21, 0x40);
    rig.writePort(0xa1, 0x10);
    rig.raise(1, 4, line, 13);
    const before = rig.pics.deliverable;
    expect(takePicInterrupt(rig, line)).toBe(true);
    expect(rig.pics.deliverable).toBe(before & ~(1 << line));
    expect(rig.isr).toBe(0);
    expect([rig.readPort(0x21), rig.readPort(0xa1)]).toEqual([0x40, 0x10]);
    rig.lower(line);
    rig.raise(line);
    expect((rig.pics.deliverable >> line) & 1).toBe(1);
  });

  test('a request that is gone is no interrupt and leaves nothing in service', () => {
    const rig = new Rig();
    rig.raise(5);
    rig.lower(5);
    expect(takePicInterrupt(rig, 5)).toBe(false);
    expect(rig.isr).toBe(0);
    expect(takePicInterrupt(rig, 12)).toBe(false);
    expect(rig.isr).toBe(0);
  });

  test('every edge is taken once, whatever the order of edges and services', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('edge' as const), line: fc.constantFrom(3, 4, 5, 7, 9, 10, 11, 15) }),
      fc.record({ kind: fc.constant('take' as const), pick: fc.nat(100) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const rig = new Rig();
        const pending = new Set<number>();
        for (const one of steps) {
          if (one.kind === 'edge') {
            rig.lower(one.line);
            rig.raise(one.line);
            pending.add(one.line);
          } else if (pending.size > 0) {
            const line = [...pending][one.pick % pending.size]!;
            expect(takePicInterrupt(rig, line)).toBe(true);
            pending.delete(line);
          }
          const mask = [...pending].reduce((bits, line) => bits | (1 << line), 0);
          expect(rig.pics.deliverable).toBe(mask);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('any port traffic keeps the chips alive', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('write' as const),
        port: fc.constantFrom(0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1),
        value: fc.nat(0xff),
      }),
      fc.record({ kind: fc.constant('read' as const), port: fc.constantFrom(0x20, 0x21, 0xa0, 0xa1) }),
      fc.record({ kind: fc.constant('line' as const), line: fc.nat(15), level: fc.boolean() }),
      fc.record({ kind: fc.constant('acknowledge' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const rig = new Rig();
        for (const one of steps) {
          if (one.kind === 'write') rig.writePort(one.port, one.value);
          else if (one.kind === 'read') expect(rig.readPort(one.port)).toBeLessThanOrEqual(0xff);
          else if (one.kind === 'line') rig.pics.setLine(one.line, one.level);
          else expect(rig.acknowledge()).toBeLessThanOrEqual(0xff);
          expect(rig.pics.deliverable & ~0xffff).toBe(0);
        }
        // Initialized again, it works as if nothing had happened.
        for (let line = 0; line < 16; line++) rig.pics.setLine(line, false);
        rig.writePort(0x4d0, 0);
        rig.writePort(0x4d1, 0);
        initializePics(rig);
        rig.raise(10);
        expect(takePicInterrupt(rig, 10)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
