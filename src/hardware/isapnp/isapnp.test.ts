import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BusTarget } from '../../hal/bus.ts';
import { isapnpIdText, isapnpInitiationKey } from '../../hal/isapnp-registers.ts';
import type { IsaPnpCardDescription } from '../../hal/isapnp-resources.ts';
import { type IsaPnpConfiguration, IsaPnpLogic } from './card-logic.ts';
import { IsaPnpPorts } from './pnp-ports.ts';

const DESCRIPTION: IsaPnpCardDescription = {
  id: 'TST0001',
  serialNumber: 1,
  name: 'Test card',
  devices: [
    {
      id: 'TST1000',
      compatibleIds: [],
      name: null,
      resources: [{ type: 'irq', lines: [5] }],
      alternatives: [],
    },
    { id: 'TST1001', compatibleIds: [], name: null, resources: [], alternatives: [] },
  ],
};

/** A bus with Plug and Play cards on it, driven at the three ports. */
class Rig {
  readonly #targets = new Map<number, BusTarget>();
  readonly ports = new IsaPnpPorts((_name, port, target) => {
    this.#targets.set(port, target);
    return { unmap: () => this.#targets.delete(port) };
  });
  readonly cards: readonly IsaPnpLogic[];
  readonly configured: [number, number, IsaPnpConfiguration][] = [];

  constructor(...serialNumbers: readonly number[]) {
    this.cards = serialNumbers.map((serialNumber, i) => {
      const card = new IsaPnpLogic({ ...DESCRIPTION, serialNumber }, (device, configuration) =>
        this.configured.push([i, device, configuration]),
      );
      card.reset();
      this.ports.add(card);
      return card;
    });
    this.configured.length = 0;
  }

  in(port: number): number {
    return this.#targets.get(port)?.read(0, 1) ?? 0xff;
  }

  get readPorts(): number[] {
    return [...this.#targets.keys()].filter((port) => port !== 0x279 && port !== 0xa79);
  }

  address(value: number): void {
    this.#targets.get(0x279)?.write(0, 1, value);
  }

  write(register: number, value: number): void {
    this.address(register);
    this.#targets.get(0xa79)?.write(0, 1, value);
  }

  key(): void {
    this.address(0);
    this.address(0);
    for (const value of isapnpInitiationKey()) this.address(value);
  }

  /** One round of isolation at 273h; the identifier read. */
  isolate(): number[] {
    this.write(3, 0);
    this.write(0, 0x273 >> 2);
    this.address(1);
    const bytes: number[] = Array(9).fill(0);
    for (let bit = 0; bit < 72; bit++) {
      const pair = [this.in(0x273), this.in(0x273)];
      if (pair[0] === 0x55 && pair[1] === 0xaa) bytes[bit >> 3]! |= 1 << (bit & 7);
      else expect(pair).toEqual([0xff, 0xff]);
    }
    return bytes;
  }
}

describe('Plug and Play logic', () => {
  test('hears nothing before the whole key, whatever comes before it', () => {
    const rig = new Rig(1);
    rig.write(3, 0);
    expect(rig.cards[0]!.state).toBe('wait for key');
    const key = isapnpInitiationKey();
    for (const value of key.slice(0, 31)) rig.address(value);
    rig.address(0x6a);
    expect(rig.cards[0]!.state).toBe('wait for key');
    // That byte began a new key.
    for (const value of key.slice(1)) rig.address(value);
    expect(rig.cards[0]!.state).toBe('sleep');
    expect(rig.readPorts).toEqual([]);
  });

  test('isolation leaves one card at a time; each is then addressed by its number', () => {
    const rig = new Rig(7, 5, 0xffff_ffff);
    rig.key();
    const serials: number[] = [];
    for (let csn = 1; csn <= 3; csn++) {
      const bytes = rig.isolate();
      expect(isapnpIdText(bytes)).toBe('TST0001');
      serials.push(bytes[4]! + bytes[5]! * 0x100 + bytes[6]! * 0x1_0000 + bytes[7]! * 0x100_0000);
      rig.write(6, csn);
    }
    expect([...serials].sort((a, b) => a - b)).toEqual([5, 7, 0xffff_ffff]);
    expect(rig.isolate()).toEqual(Array(9).fill(0));
    rig.write(3, 2);
    expect(rig.cards.filter(({ state }) => state === 'config')).toHaveLength(1);
    rig.address(6);
    expect(rig.in(0x273)).toBe(2);
    // A card that is woken gives its identifier first, then its resource data.
    rig.address(4);
    const first = [rig.in(0x273), rig.in(0x273), rig.in(0x273), rig.in(0x273)];
    expect(isapnpIdText(first)).toBe('TST0001');
    rig.write(2, 2);
    expect(rig.readPorts).toEqual([]);
  });

  test('registers of a device take what exists of them, and tell the card', () => {
    const rig = new Rig(1);
    rig.key();
    rig.isolate();
    rig.write(6, 1);
    rig.write(7, 1);
    for (const [register, value] of [
      [0x60, 0x02],
      [0x61, 0x20],
      [0x70, 0xf5],
      [0x74, 0x01],
      [0x30, 0xff],
    ] as const) {
      rig.write(register, value);
    }
    expect(rig.configured.at(-1)).toEqual([
      0,
      1,
      {
        active: true,
        ioBases: [0x220, 0, 0, 0, 0, 0, 0, 0],
        irqs: [5, 0],
        dmas: [1, null],
      },
    ]);
    const read = (register: number) => {
      rig.address(register);
      return rig.in(0x273);
    };
    expect([read(0x30), read(0x60), read(0x61), read(0x70), read(0x71), read(0x75)]).toEqual([
      1, 0x02, 0x20, 0x05, 0x02, 0x04,
    ]);
    expect(rig.cards[0]!.configuration(0)!.active).toBe(false);
    rig.write(2, 1);
    expect(rig.cards[0]!.configuration(1)!.active).toBe(false);
    expect(rig.cards[0]!.cardSelectNumber).toBe(1);
    rig.write(2, 4);
    expect(rig.cards[0]!.cardSelectNumber).toBe(0);
  });

  test('any traffic leaves cards that the key and isolation find again, in any number up to four', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('address' as const), value: fc.nat(0xff) }),
      fc.record({ kind: fc.constant('write' as const), register: fc.nat(0xff), value: fc.nat(0xff) }),
      fc.record({
        kind: fc.constant('write' as const),
        register: fc.constantFrom(0, 2, 3, 6, 7, 0x30),
        value: fc.nat(8),
      }),
      fc.record({ kind: fc.constant('read' as const) }),
      fc.record({ kind: fc.constant('key' as const) }),
      fc.record({ kind: fc.constant('isolate' as const) }),
    );
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(0xffff_ffff), { minLength: 1, maxLength: 4 }),
        fc.array(step, { maxLength: 60 }),
        (serialNumbers, steps) => {
          const rig = new Rig(...serialNumbers);
          for (const one of steps) {
            if (one.kind === 'address') rig.address(one.value);
            else if (one.kind === 'write') rig.write(one.register, one.value);
            else if (one.kind === 'read') for (const port of rig.readPorts) rig.in(port);
            else if (one.kind === 'key') rig.key();
            else if (rig.readPorts.length === 0) rig.isolate();
          }
          for (const { state } of rig.cards) {
            expect(['wait for key', 'sleep', 'isolation', 'config']).toContain(state);
          }
          // To every state that can hear it: forget the number, wait for the key.
          rig.write(2, 0x06);
          rig.key();
          rig.write(2, 0x04);
          const found: number[] = [];
          for (let csn = 1; csn <= serialNumbers.length; csn++) {
            const bytes = rig.isolate();
            found.push(bytes[4]! + bytes[5]! * 0x100 + bytes[6]! * 0x1_0000 + bytes[7]! * 0x100_0000);
            rig.write(6, csn);
          }
          expect([...found].sort((a, b) => a - b)).toEqual([...serialNumbers].sort((a, b) => a - b));
          expect(rig.isolate()).toEqual(Array(9).fill(0));
        },
      ),
      { numRuns: 150 },
    );
  });
});
