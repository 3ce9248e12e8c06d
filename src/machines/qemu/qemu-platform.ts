import type { AccessSize, EventClock, Platform } from '../../kernel/index.ts';
import type { QemuProcess } from './qemu-process.ts';
import { QtestConnection } from './qtest-connection.ts';
import { RealTimeClock } from './real-time-clock.ts';
import { SharedRam } from './shared-ram.ts';

/** Inputs of the I/O APIC: the first 16 are the ISA lines, which the PCI router feeds too. */
const LINES = 24;
/** PIIX3 at 00:01.0 routes the four PCI interrupt lines by these configuration registers. */
const PIIX3_PIRQ_ROUTE = 0x60;
const PIIX3_ADDRESS = 0x8000_0800;
const PCI_CONFIG_ADDRESS = 0xcf8;
const PCI_CONFIG_DATA = 0xcfc;
/** ISA lines for PIRQA…PIRQD: free on a PC without disks, printer and USB. */
const PIRQ_LINES: readonly number[] = [10, 11, 9, 7];
/** How long to sleep between two looks for interrupts: short against the 10 ms bursts of QEMU's cards. */
const POLL_MILLISECONDS = 0.25;

const READ_PORT: Readonly<Record<AccessSize, string>> = { 1: 'inb', 2: 'inw', 4: 'inl' };
const WRITE_PORT: Readonly<Record<AccessSize, string>> = { 1: 'outb', 2: 'outw', 4: 'outl' };
const READ_MEMORY: Readonly<Record<AccessSize, string>> = { 1: 'readb', 2: 'readw', 4: 'readl' };
const WRITE_MEMORY: Readonly<Record<AccessSize, string>> = { 1: 'writeb', 2: 'writew', 4: 'writel' };

/** The lines' levels as QEMU last told them. */
class InterruptLevels {
  onChange: ((line: number, asserted: boolean) => void) | null = null;
  readonly #asserted = new Uint8Array(LINES);

  isAsserted(line: number): boolean {
    return this.#asserted[line] === 1;
  }

  set(line: number, asserted: boolean): void {
    if (line >= LINES || this.#asserted[line] === Number(asserted)) return;
    this.#asserted[line] = Number(asserted);
    this.onChange?.(line, asserted);
  }
}

/**
 * QEMU's i440FX PC as the machine under the kernel: ports and memory by qtest commands, RAM by the shared file, interrupt
 * lines as the I/O APIC would see them, time as it passes. DMA isolation is not enforced: QEMU's cards reach all of RAM.
 */
export class QemuPlatform implements Platform {
  readonly name = 'qemu';
  readonly clock: EventClock;
  readonly ram: SharedRam;
  readonly interruptLineCount = LINES;
  readonly #process: QemuProcess;
  readonly #qtest: QtestConnection;
  readonly #levels: InterruptLevels;
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));
  #disposed = false;

  private constructor(process: QemuProcess, ram: SharedRam, qtest: QtestConnection, levels: InterruptLevels) {
    this.#process = process;
    this.ram = ram;
    this.#qtest = qtest;
    this.#levels = levels;
    this.clock = new RealTimeClock((milliseconds) => this.#wait(milliseconds));
    this.#qtest.command('irq_intercept_in ioapic');
    PIRQ_LINES.forEach((line, index) => {
      this.writePort(PCI_CONFIG_ADDRESS, 4, PIIX3_ADDRESS | (PIIX3_PIRQ_ROUTE & 0xfc));
      this.writePort(PCI_CONFIG_DATA + index, 1, line);
    });
  }

  /**
   * Waits until QEMU's machine is built, then connects to it.
   * @throws QemuError with what QEMU said when it ends instead
   */
  static async connect(process: QemuProcess, ramBytes: number): Promise<QemuPlatform> {
    const levels = new InterruptLevels();
    const qtest = new QtestConnection(
      process.pipePath,
      (line, asserted) => levels.set(line, asserted),
      () => process.said(),
    );
    try {
      await process.waitUntil(() => qtest.ready());
      return new QemuPlatform(process, new SharedRam(process.ramPath, ramBytes), qtest, levels);
    } catch (error) {
      qtest.close();
      throw error;
    }
  }

  /** Register accesses and other qtest commands so far. */
  get commands(): number {
    return this.#qtest.commands;
  }

  readPort(port: number, size: AccessSize): number {
    return this.#qtest.query(`${READ_PORT[size]} 0x${port.toString(16)}`);
  }

  writePort(port: number, size: AccessSize, value: number): void {
    this.#qtest.command(`${WRITE_PORT[size]} 0x${port.toString(16)} 0x${(value >>> 0).toString(16)}`);
  }

  readMemory(physicalAddress: number, size: AccessSize): number {
    return this.#qtest.query(`${READ_MEMORY[size]} 0x${physicalAddress.toString(16)}`);
  }

  writeMemory(physicalAddress: number, size: AccessSize, value: number): void {
    this.#qtest.command(
      `${WRITE_MEMORY[size]} 0x${physicalAddress.toString(16)} 0x${(value >>> 0).toString(16)}`,
    );
  }

  isInterruptAsserted(line: number): boolean {
    return this.#levels.isAsserted(line);
  }

  onInterruptChange(handler: (line: number, asserted: boolean) => void): void {
    this.#levels.onChange = handler;
  }

  /** Nothing is latched here: an edge is what the kernel made of the change it was told. */
  acknowledgeInterrupt(_line: number): void {}

  /** i440FX: INTx of a slot goes to PIRQ (pin + slot − 1) mod 4, counted from INTA# of slot 1. */
  pciInterruptLine(device: number, pin: number): number {
    return PIRQ_LINES[(pin - 1 + device - 1) & 3] as number;
  }

  mapDma(): void {}

  unmapDma(): void {}

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#process.end((milliseconds) => this.#qtest.waitForEnd(milliseconds));
    this.#qtest.close();
    this.ram.close();
  }

  #wait(milliseconds: number): boolean {
    if (this.#qtest.poll()) return true;
    Atomics.wait(this.#sleeper, 0, 0, Math.min(milliseconds, POLL_MILLISECONDS));
    return this.#qtest.poll();
  }
}
