import type { AccessSize, Platform, Ram } from './platform.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Something that answers at ports or memory addresses of a {@link TestPlatform}; offsets count from the start of its window. */
export interface TestTarget {
  read(offset: number, size: AccessSize): number;
  write(offset: number, size: AccessSize, value: number): void;
}

interface Window {
  readonly start: number;
  readonly length: number;
  readonly target: TestTarget;
}

/** RAM of one piece from address 0 (and a second one above 4 GiB when asked for). */
class TestRam implements Ram {
  readonly ranges: readonly { readonly start: number; readonly length: number }[];
  private readonly blocks: readonly {
    readonly start: number;
    readonly bytes: Uint8Array;
    readonly view: DataView;
  }[];

  constructor(lowBytes: number, highBytes: number) {
    const ranges = [{ start: 0, length: lowBytes }];
    if (highBytes > 0) ranges.push({ start: 0x1_0000_0000, length: highBytes });
    this.ranges = ranges;
    this.blocks = ranges.map(({ start, length }) => {
      const bytes = new Uint8Array(length);
      return { start, bytes, view: new DataView(bytes.buffer) };
    });
  }

  read(physicalAddress: number, into: Uint8Array): void {
    into.set(this.bytesAt(physicalAddress, into.length));
  }

  write(physicalAddress: number, from: Uint8Array): void {
    this.bytesAt(physicalAddress, from.length).set(from);
  }

  fill(physicalAddress: number, length: number, value: number): void {
    this.bytesAt(physicalAddress, length).fill(value);
  }

  readUlong(physicalAddress: number): number {
    const block = this.blockOf(physicalAddress, 4);
    return block.view.getUint32(physicalAddress - block.start, true);
  }

  writeUlong(physicalAddress: number, value: number): void {
    const block = this.blockOf(physicalAddress, 4);
    block.view.setUint32(physicalAddress - block.start, value, true);
  }

  view(physicalAddress: number, length: number): Uint8Array {
    return this.bytesAt(physicalAddress, length);
  }

  private bytesAt(physicalAddress: number, length: number): Uint8Array {
    const block = this.blockOf(physicalAddress, length);
    const offset = physicalAddress - block.start;
    return block.bytes.subarray(offset, offset + length);
  }

  private blockOf(physicalAddress: number, length: number) {
    for (const block of this.blocks) {
      if (physicalAddress >= block.start && physicalAddress + length <= block.start + block.bytes.length)
        return block;
    }
    throw new RangeError(`No RAM at 0x${physicalAddress.toString(16)}, ${length} bytes.`);
  }
}

export interface TestPlatformOptions {
  /** RAM from address 0; 1 MiB unless given. */
  readonly ramBytes?: number;
  /** RAM from 4 GiB on; none unless given. */
  readonly highRamBytes?: number;
  /** 16 unless given. */
  readonly interruptLineCount?: number;
}

/** A range that {@link Platform.mapDma} opened. */
export interface TestDmaRange {
  readonly busDevice: string | null;
  readonly physicalAddress: number;
  readonly length: number;
}

/**
 * A machine without hardware, for tests of what stands on the kernel: virtual time, RAM, interrupt lines that the test sets, and
 * whatever targets it puts at ports and memory addresses.
 */
export class TestPlatform implements Platform {
  readonly name = 'test';
  readonly clock = new VirtualClock();
  readonly ram: Ram;
  readonly interruptLineCount: number;
  /** DMA ranges that are mapped now. */
  readonly dmaRanges: TestDmaRange[] = [];
  /** Lines that were acknowledged, in order. */
  readonly acknowledged: number[] = [];
  disposed = false;
  private readonly levels: boolean[];
  private readonly ports: Window[] = [];
  private readonly memory: Window[] = [];
  private readonly handlers: ((line: number, asserted: boolean) => void)[] = [];

  constructor(options: TestPlatformOptions = {}) {
    this.ram = new TestRam(options.ramBytes ?? 0x10_0000, options.highRamBytes ?? 0);
    this.interruptLineCount = options.interruptLineCount ?? 16;
    this.levels = new Array<boolean>(this.interruptLineCount).fill(false);
  }

  /** Puts a target at `length` ports from `start` on. The newest target at a port answers. */
  addPorts(start: number, length: number, target: TestTarget): void {
    this.ports.unshift({ start, length, target });
  }

  /** Puts a target at `length` bytes of device memory. */
  addMemory(start: number, length: number, target: TestTarget): void {
    this.memory.unshift({ start, length, target });
  }

  /** Sets the level of an interrupt line; the kernel is told of changes only. */
  setInterrupt(line: number, asserted: boolean): void {
    if (this.levels[line] === asserted) return;
    this.levels[line] = asserted;
    for (const handler of this.handlers) handler(line, asserted);
  }

  /** Raises and lowers a line: an edge. */
  pulseInterrupt(line: number): void {
    this.setInterrupt(line, true);
    this.setInterrupt(line, false);
  }

  readPort(port: number, size: AccessSize): number {
    return readWindow(this.ports, port, size);
  }

  writePort(port: number, size: AccessSize, value: number): void {
    writeWindow(this.ports, port, size, value);
  }

  readMemory(physicalAddress: number, size: AccessSize): number {
    return readWindow(this.memory, physicalAddress, size);
  }

  writeMemory(physicalAddress: number, size: AccessSize, value: number): void {
    writeWindow(this.memory, physicalAddress, size, value);
  }

  isInterruptAsserted(line: number): boolean {
    return this.levels[line] === true;
  }

  onInterruptChange(handler: (line: number, asserted: boolean) => void): void {
    this.handlers.push(handler);
  }

  acknowledgeInterrupt(line: number): void {
    this.acknowledged.push(line);
  }

  /** INTA#…INTD# of device n on lines 5, 9, 10, 11 in the usual rotation. */
  pciInterruptLine(device: number, pin: number): number {
    return [5, 9, 10, 11][(device + pin - 1) & 3] as number;
  }

  mapDma(busDevice: string | null, physicalAddress: number, length: number): void {
    this.dmaRanges.push({ busDevice, physicalAddress, length });
  }

  unmapDma(busDevice: string | null, physicalAddress: number, length: number): void {
    const index = this.dmaRanges.findIndex(
      (range) =>
        range.busDevice === busDevice && range.physicalAddress === physicalAddress && range.length === length,
    );
    if (index >= 0) this.dmaRanges.splice(index, 1);
  }

  dispose(): void {
    this.disposed = true;
  }
}

function findWindow(windows: readonly Window[], address: number): Window | undefined {
  return windows.find(({ start, length }) => address >= start && address < start + length);
}

function readWindow(windows: readonly Window[], address: number, size: AccessSize): number {
  const window = findWindow(windows, address);
  if (window === undefined) return size === 4 ? 0xffff_ffff : (1 << (size * 8)) - 1;
  return window.target.read(address - window.start, size);
}

function writeWindow(windows: readonly Window[], address: number, size: AccessSize, value: number): void {
  const window = findWindow(windows, address);
  window?.target.write(address - window.start, size, value);
}
