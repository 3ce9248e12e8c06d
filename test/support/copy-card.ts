import type { Alarm, BusTarget, CardSlot, PciBar, PciCard } from '../../src/hal/bus.ts';

/** Registers of the copying card. All are dwords. */
export const COPY_ID = 0x00;
export const COPY_SRC = 0x04;
export const COPY_DST = 0x08;
export const COPY_LEN = 0x0c;
/** Write: 1 starts a copy. */
export const COPY_CTRL = 0x10;
/** Bit 0 done, bit 1 master abort; cleared by writing ones. */
export const COPY_STATUS = 0x14;
export const COPY_STATUS_DONE = 0x1;
export const COPY_STATUS_ABORT = 0x2;
/** Bit 0: interrupt while STATUS is not zero. */
export const COPY_INTEN = 0x18;

/** Upper halves of the addresses. */
export const COPY_SRC_HIGH = 0x1c;
export const COPY_DST_HIGH = 0x20;

export const COPY_ID_VALUE = 0x5950_4f43;
/** Time a copy takes. */
export const COPY_TICKS = 100;

const REGISTER_BYTES = 64;

/** A small bus master for tests of the machine: copies a block of RAM to another place and interrupts. */
export class CopyCard implements PciCard {
  readonly name: string = 'copy card';
  readonly vendorId = 0x1b36;
  readonly deviceId = 0x4350;
  readonly revisionId = 0x03;
  readonly classCode = 0x088000;
  readonly subsystemVendorId = 0x1af4;
  readonly subsystemId = 0x0042;
  readonly interruptPin: number = 1;
  readonly bars: readonly (PciBar | null)[];
  readonly log: string[] = [];
  protected readonly registers = new Uint32Array(REGISTER_BYTES / 4);
  #slot: CardSlot | null = null;
  #alarm: Alarm | null = null;

  constructor(kind: PciBar['kind'] = 'io') {
    const target: BusTarget = {
      read: (offset, size) => this.#read(offset, size),
      write: (offset, size, value) => this.#write(offset, size, value),
    };
    this.bars = [{ kind, size: REGISTER_BYTES, target }];
  }

  /** What it was given when it was plugged in. */
  get slot(): CardSlot {
    if (!this.#slot) throw new Error('The card is in no slot.');
    return this.#slot;
  }

  attach(slot: CardSlot): void {
    this.log.push('attach');
    this.#slot = slot;
    this.#alarm = slot.clock.createAlarm(() => this.#copy());
  }

  reset(): void {
    this.log.push('reset');
    this.registers.fill(0);
    this.#alarm?.cancel();
    this.#updateInterrupt();
  }

  detach(): void {
    this.log.push('detach');
    this.#alarm?.cancel();
  }

  #read(offset: number, size: 1 | 2 | 4): number {
    const value = offset === COPY_ID ? COPY_ID_VALUE : (this.registers[offset >> 2] ?? 0);
    if (this.slot.report.wantsRegisters && offset === COPY_STATUS) {
      this.slot.report.register('STATUS', 'read', value, size, value & COPY_STATUS_DONE ? 'DONE' : '');
    }
    return size === 4 ? value : (value >>> (8 * (offset & 3))) & (size === 2 ? 0xffff : 0xff);
  }

  #write(offset: number, _size: 1 | 2 | 4, value: number): void {
    const index = offset >> 2;
    if (offset === COPY_STATUS) this.registers[index] = (this.registers[index] ?? 0) & ~value;
    else this.registers[index] = value;
    if (offset === COPY_CTRL && value === 1) this.#alarm?.set(this.slot.clock.now + COPY_TICKS);
    this.#updateInterrupt();
  }

  #copy(): void {
    const { busMaster, report } = this.slot;
    const [source = 0, destination = 0, length = 0] = this.registers.subarray(
      COPY_SRC >> 2,
      (COPY_LEN >> 2) + 1,
    );
    const from = (this.registers[COPY_SRC_HIGH >> 2] ?? 0) * 2 ** 32 + source;
    const to = (this.registers[COPY_DST_HIGH >> 2] ?? 0) * 2 ** 32 + destination;
    const bytes = new Uint8Array(length);
    const moved = busMaster.read(from, bytes) && busMaster.write(to, bytes);
    if (report.wantsDma && moved) report.dma('copy', 'write', to, length);
    const status = COPY_STATUS >> 2;
    this.registers[status] =
      (this.registers[status] ?? 0) | COPY_STATUS_DONE | (moved ? 0 : COPY_STATUS_ABORT);
    this.#updateInterrupt();
  }

  #updateInterrupt(): void {
    const status = this.registers[COPY_STATUS >> 2] ?? 0;
    const enabled = (this.registers[COPY_INTEN >> 2] ?? 0) & 1;
    this.#slot?.interrupt.setLevel(status !== 0 && enabled === 1);
  }
}
