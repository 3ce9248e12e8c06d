import type { EventClock } from './clock.ts';

/** Width of one bus access in bytes. */
export type AccessSize = 1 | 2 | 4;

/** The machine's RAM, by physical address. An address outside RAM throws a RangeError: the caller checked, or has a bug. */
export interface Ram {
  /** Ranges that exist, ascending: below 4 GiB first, then, when there is any, the sparse range above. */
  readonly ranges: readonly { readonly start: number; readonly length: number }[];
  read(physicalAddress: number, into: Uint8Array): void;
  write(physicalAddress: number, from: Uint8Array): void;
  fill(physicalAddress: number, length: number, value: number): void;
  readUlong(physicalAddress: number): number;
  writeUlong(physicalAddress: number, value: number): void;
  /**
   * A window on the bytes themselves, without a copy; null where the machine cannot give one (RAM in another process, or a
   * range that is not contiguous in the host). Lives as long as the machine.
   */
  view(physicalAddress: number, length: number): Uint8Array | null;
}

/**
 * What the kernel asks of the machine under it: bus cycles, RAM, interrupt lines, time. `sim` and `qemu` implement it, later
 * `vfio`. PCI configuration space is reached through ports CF8h/CFCh, so it needs no entry of its own.
 */
export interface Platform {
  readonly name: string;
  readonly clock: EventClock;
  readonly ram: Ram;
  /** I/O space. Nothing there: all ones. Values are unsigned. */
  readPort(port: number, size: AccessSize): number;
  writePort(port: number, size: AccessSize, value: number): void;
  /** Memory-mapped device registers. 64-bit accesses are two 32-bit cycles, low first, as on PCI. */
  readMemory(physicalAddress: number, size: AccessSize): number;
  writeMemory(physicalAddress: number, size: AccessSize, value: number): void;
  /** Number of lines of the interrupt controller. */
  readonly interruptLineCount: number;
  /** Is the line asserted now? The kernel re-reads it after each service of a level-triggered interrupt. */
  isInterruptAsserted(line: number): boolean;
  /** Told on every change of a line. Called from within bus accesses and alarms: it must only take note. */
  onInterruptChange(handler: (line: number, asserted: boolean) => void): void;
  /** The kernel took the interrupt of an edge-triggered line (clears the latched edge). */
  acknowledgeInterrupt(line: number): void;
  /** To which line, and triggered how, INTA#…INTD# (pin 1…4) of a PCI device on bus 0 is wired. */
  pciInterruptLine(device: number, pin: number): number;
  /**
   * Lets the bus device with this id (`pci:00:05.0`, `isa-dma`) reach a range of RAM, or no longer. Machines that cannot
   * enforce this may ignore it. `null` is every device.
   */
  mapDma(busDevice: string | null, physicalAddress: number, length: number): void;
  unmapDma(busDevice: string | null, physicalAddress: number, length: number): void;
  /** Ends the machine: processes, files, alarms. */
  dispose(): void;
}
