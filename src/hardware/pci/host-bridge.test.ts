import { describe, expect, it } from 'vitest';
import type { AccessSize } from '../../hal/bus.ts';
import { PciHostBridge } from './host-bridge.ts';

/** A function that answers with where it was asked. */
function probe() {
  const writes: string[] = [];
  let multiFunction = false;
  return {
    writes,
    get multiFunction() {
      return multiFunction;
    },
    readConfig: (offset: number, size: AccessSize) => offset * 16 + size,
    writeConfig: (offset: number, size: AccessSize, value: number) => {
      writes.push(`${offset.toString(16)}.${size}=${value.toString(16)}`);
    },
    setMultiFunction: (is: boolean) => {
      multiFunction = is;
    },
  };
}

const address = (device: number, func: number, offset: number, bus = 0) =>
  (0x8000_0000 | (bus << 16) | (device << 11) | (func << 8) | offset) >>> 0;

describe('host bridge, configuration mechanism 1', () => {
  it('is itself at 00:00.0', () => {
    const bridge = new PciHostBridge();
    bridge.write(0, 4, address(0, 0, 0));
    expect(bridge.read(4, 4)).toBe(0x1237_8086);
    bridge.write(0, 4, address(0, 0, 8));
    expect(bridge.read(4, 4)).toBe(0x0600_0002);
  });

  it('keeps its address register, reserved bits zero, and takes it as a dword only', () => {
    const bridge = new PciHostBridge();
    bridge.write(0, 4, 0xffff_ffff);
    expect(bridge.read(0, 4)).toBe(0x80ff_fffc);
    bridge.write(0, 2, 0x1234);
    bridge.write(1, 1, 0x06);
    expect(bridge.read(0, 4)).toBe(0x80ff_fffc);
    expect(bridge.read(0, 1)).toBe(0xff);
    expect(bridge.read(2, 2)).toBe(0xffff);
  });

  it('reaches every byte of the addressed dword, in every width', () => {
    const bridge = new PciHostBridge();
    const card = probe();
    bridge.plug(5, 0, card);
    bridge.write(0, 4, address(5, 0, 0x40));
    expect(bridge.read(4, 4)).toBe(0x404);
    expect(bridge.read(6, 2)).toBe(0x422);
    expect(bridge.read(7, 1)).toBe(0x431);
    bridge.write(7, 1, 0xab);
    bridge.write(4, 4, 0x1234_5678);
    expect(card.writes).toEqual(['43.1=ab', '40.4=12345678']);
  });

  it('reads all ones for functions and buses that are not there, or with the enable bit off', () => {
    const bridge = new PciHostBridge();
    bridge.plug(5, 0, probe());
    bridge.write(0, 4, address(6, 0, 0));
    expect(bridge.read(4, 4)).toBe(0xffff_ffff);
    bridge.write(0, 4, address(5, 1, 0));
    expect(bridge.read(4, 2)).toBe(0xffff);
    bridge.write(0, 4, address(5, 0, 0, 1));
    expect(bridge.read(4, 4)).toBe(0xffff_ffff);
    bridge.write(0, 4, address(5, 0, 0) & 0x7fff_ffff);
    expect(bridge.read(4, 1)).toBe(0xff);
  });

  it('tells function 0 whether its slot has more', () => {
    const bridge = new PciHostBridge();
    const first = probe();
    bridge.plug(5, 0, first);
    expect(first.multiFunction).toBe(false);
    bridge.plug(5, 1, probe());
    expect(first.multiFunction).toBe(true);
    bridge.unplug(5, 1);
    expect(first.multiFunction).toBe(false);
  });

  it('has 32 slots of 8 functions, each for one card', () => {
    const bridge = new PciHostBridge();
    bridge.plug(31, 7, probe());
    expect(() => bridge.plug(31, 7, probe())).toThrow(/taken/);
    expect(() => bridge.plug(32, 0, probe())).toThrow(RangeError);
    expect(() => bridge.plug(0, 0, probe())).toThrow(/taken/);
  });
});
