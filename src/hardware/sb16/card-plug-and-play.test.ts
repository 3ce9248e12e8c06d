import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SimMachine } from '../../machines/sim/index.ts';
import { MemorySink } from '../analog.ts';
import { Sb16Card } from './card.ts';

/** Two cards on a started machine without drivers; configured by the protocol's registers alone. */
function boot() {
  const cards = [1, 2].map((serialNumber) => new Sb16Card({ serialNumber, lineOut: new MemorySink() }));
  const machine = new SimMachine({ ramBytes: 4 << 20 });
  const slots = cards.map((card) => machine.plugIsa(card));
  machine.start();
  const configure = (csn: number, device: number, registers: readonly (readonly [number, number])[]) =>
    machine.kernel.enter(() => machine.isaBus.access.configure(csn, device, registers, true));
  return { cards, machine, slots, configure };
}

describe('a Plug and Play card', () => {
  test('is where its registers say, and only when they say what it can', () => {
    const { cards, machine, configure } = boot();
    const csn = machine.isaBus.cards[0]!.cardSelectNumber;
    const card = cards.find((_, i) => machine.isaBus.cards[0]!.serialNumber === i + 1)!;
    configure(csn, 0, [
      [0x60, 0x02],
      [0x61, 0x40],
      [0x62, 0x03],
      [0x63, 0x20],
      [0x70, 0x0a],
      [0x74, 0x03],
      [0x75, 0x04],
    ]);
    expect(card.configuration).toMatchObject({
      base: 0x240,
      mpuBase: null,
      fmBase: null,
      irq: 10,
      dma8: 3,
      dma16: null,
    });
    expect(machine.trace.findings.map(({ text }) => text)).toEqual([
      'the card cannot decode its MPU-401 at 320h',
    ]);
    machine.platform.writePort(0x24c, 1, 0xf2);
    expect(machine.platform.isInterruptAsserted(10)).toBe(true);
    // Its setup registers show this, and do not change it.
    machine.platform.writePort(0x244, 1, 0x80);
    expect(machine.platform.readPort(0x245, 1)).toBe(0x08);
    machine.platform.writePort(0x245, 1, 0x02);
    expect(machine.platform.readPort(0x245, 1)).toBe(0x08);
    machine.dispose();
  });

  test('survives any configuration, beside another one, in the middle of any traffic', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('configure' as const),
        csn: fc.integer({ min: 1, max: 2 }),
        device: fc.nat(2),
        registers: fc.array(
          fc.tuple(
            fc.constantFrom(0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x70, 0x71, 0x74, 0x75, 0x31, 0x40),
            fc.oneof(fc.constantFrom(0x02, 0x03, 0x20, 0x40, 0x88, 0x30, 5, 7, 9, 1, 3, 4), fc.nat(0xff)),
          ),
          { maxLength: 8 },
        ),
      }),
      fc.record({
        kind: fc.constant('out' as const),
        port: fc.oneof(
          fc.constantFrom(0x224, 0x225, 0x22c, 0x226, 0x24c, 0x388, 0x389, 0x331, 0x201, 0x279, 0xa79, 0x0a),
          fc.integer({ min: 0x200, max: 0x3ff }),
        ),
        value: fc.nat(0xff),
      }),
      fc.record({ kind: fc.constant('in' as const), port: fc.integer({ min: 0x200, max: 0x3ff }) }),
      fc.record({ kind: fc.constant('time' as const), ticks: fc.nat(300_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { cards, machine, slots, configure } = boot();
        for (const one of steps) {
          if (one.kind === 'configure') configure(one.csn, one.device, one.registers);
          else if (one.kind === 'out') machine.platform.writePort(one.port, 1, one.value);
          else if (one.kind === 'in')
            expect(machine.platform.readPort(one.port, 1)).toBeLessThanOrEqual(0xff);
          else machine.runFor(one.ticks);
          for (const card of cards) {
            const { base, irq, dma8, dma16 } = card.configuration;
            expect([null, 0x220, 0x240, 0x260, 0x280]).toContain(base);
            if (irq !== null) expect(irq).toBeLessThan(16);
            expect([null, 0, 1, 3]).toContain(dma8);
            expect([null, 5, 6, 7]).toContain(dma16);
          }
        }
        for (const slot of slots) machine.unplug(slot);
        // Nothing of them is left on the bus.
        for (const port of [0x224, 0x244, 0x330, 0x388, 0x200])
          expect(machine.platform.readPort(port, 1)).toBe(0xff);
        for (let line = 0; line < 16; line++)
          expect(machine.platform.interrupts.isAsserted(line)).toBe(false);
        expect(machine.dispose().leaks).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
