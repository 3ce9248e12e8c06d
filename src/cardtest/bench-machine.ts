import type { Platform } from '../kernel/index.ts';
import { TICKS_PER_MILLISECOND } from '../kernel/index.ts';

/** RAM for tests begins here: above what a PC's firmware would use. */
const FIRST_RAM = 0x20_0000;

/**
 * The part of a card bench that is the same on every machine and bus: RAM by a pointer that only moves up, and time. The kernel of the
 * machine is not asked for anything: no driver is loaded, no interrupt served.
 */
export class BenchMachine {
  readonly platform: Platform;
  readonly #busDevice: string;
  readonly #ramEnd: number;
  readonly #allocated: { readonly start: number; readonly bytes: number }[] = [];
  #nextRam = FIRST_RAM;

  /** @param busDevice who is to reach the RAM, as the machine's DMA isolation calls it */
  constructor(platform: Platform, busDevice: string, ramLimit = Number.POSITIVE_INFINITY) {
    this.platform = platform;
    this.#busDevice = busDevice;
    const [low] = platform.ram.ranges;
    this.#ramEnd = Math.min((low?.start ?? 0) + (low?.length ?? 0), ramLimit);
  }

  /** @throws RangeError when none is left */
  allocateRam(bytes: number, alignment = 8): number {
    const start = Math.ceil(this.#nextRam / alignment) * alignment;
    if (start + bytes > this.#ramEnd) throw new RangeError(`The bench has no ${bytes} bytes of RAM left.`);
    this.#nextRam = start + bytes;
    this.platform.ram.fill(start, bytes, 0);
    this.platform.mapDma(this.#busDevice, start, bytes);
    this.#allocated.push({ start, bytes });
    return start;
  }

  freeRam(): void {
    for (const { start, bytes } of this.#allocated.splice(0)) {
      this.platform.unmapDma(this.#busDevice, start, bytes);
    }
    this.#nextRam = FIRST_RAM;
  }

  readRam(physicalAddress: number, bytes: number): Uint8Array {
    const into = new Uint8Array(bytes);
    this.platform.ram.read(physicalAddress, into);
    return into;
  }

  writeRam(physicalAddress: number, bytes: Uint8Array): void {
    this.platform.ram.write(physicalAddress, bytes);
  }

  readRamUlong(physicalAddress: number): number {
    return this.platform.ram.readUlong(physicalAddress);
  }

  writeRamUlong(physicalAddress: number, value: number): void {
    this.platform.ram.writeUlong(physicalAddress, value >>> 0);
  }

  get now(): number {
    return this.platform.clock.now;
  }

  letTimePass(ticks: number): void {
    const { clock } = this.platform;
    const limit = clock.now + ticks;
    while (clock.runNext(limit)) {
      // each turn fires one alarm, or hears of one change of an interrupt line
    }
  }

  waitUntil(condition: () => boolean, limitTicks: number): boolean {
    const limit = this.now + limitTicks;
    while (!condition()) {
      const left = limit - this.now;
      if (left <= 0) return false;
      this.letTimePass(Math.min(left, TICKS_PER_MILLISECOND));
    }
    return true;
  }
}
