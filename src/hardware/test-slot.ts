/**
 * A slot for the tests of card models: a clock that the test moves, RAM, an interrupt line that remembers, and everything that
 * the card reported. Cards see {@link CardSlot} and nothing else, so this is all the machine that they need.
 */
import type {
  AccessSize,
  Alarm,
  BusMaster,
  CardReporter,
  CardSlot,
  Clock,
  InterruptLine,
  PciCard,
} from '../hal/bus.ts';

class FakeAlarm implements Alarm {
  readonly #clock: FakeClock;
  readonly callback: () => void;
  dueTick: number | null = null;
  order = 0;

  constructor(clock: FakeClock, callback: () => void) {
    this.#clock = clock;
    this.callback = callback;
  }

  set(dueTick: number): void {
    this.dueTick = dueTick;
    this.order = this.#clock.nextOrder();
  }

  cancel(): void {
    this.dueTick = null;
  }
}

/** A clock that stands still until the test moves it; alarms fire on the way, equal times in the order in which they were set. */
export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  readonly #alarms: FakeAlarm[] = [];
  /** Alarms fired so far: how often a card asked to be woken. */
  fired = 0;

  constructor(startTick = 0) {
    this.#now = startTick;
  }

  get now(): number {
    return this.#now;
  }

  createAlarm(callback: () => void): Alarm {
    const alarm = new FakeAlarm(this, callback);
    this.#alarms.push(alarm);
    return alarm;
  }

  nextOrder(): number {
    return ++this.#order;
  }

  /** When the next alarm is due, null when none is armed. */
  get nextDueTick(): number | null {
    return this.#earliest()?.dueTick ?? null;
  }

  /** Lets time pass up to `tick`. Throws when alarms keep firing without time passing: the card hangs. */
  advanceTo(tick: number): void {
    let atOneTick = 0;
    for (;;) {
      const alarm = this.#earliest();
      const due = alarm?.dueTick ?? null;
      if (alarm === null || due === null || due > tick) break;
      if (due > this.#now) {
        this.#now = due;
        atOneTick = 0;
      } else if (++atOneTick > 10_000) {
        throw new Error(`10000 alarms fired at tick ${this.#now} without time passing`);
      }
      alarm.dueTick = null;
      this.fired++;
      alarm.callback();
    }
    if (tick > this.#now) this.#now = tick;
  }

  /** Lets `ticks` of 100 ns pass. */
  advance(ticks: number): void {
    this.advanceTo(this.#now + ticks);
  }

  #earliest(): FakeAlarm | null {
    let earliest: FakeAlarm | null = null;
    for (const alarm of this.#alarms) {
      if (alarm.dueTick === null) continue;
      const before =
        earliest === null ||
        alarm.dueTick < earliest.dueTick! ||
        (alarm.dueTick === earliest.dueTick && alarm.order < earliest.order);
      if (before) earliest = alarm;
    }
    return earliest;
  }
}

/** One change of the interrupt line. */
export interface LineChange {
  readonly tick: number;
  readonly asserted: boolean;
}

/** One register access that a card reported. */
export interface RegisterReport {
  readonly name: string;
  readonly direction: 'read' | 'write';
  readonly value: number;
  readonly size: AccessSize;
  readonly meaning: string | undefined;
}

/** One transfer that a card reported. */
export interface TransferReport {
  readonly name: string;
  readonly direction: 'read' | 'write';
  readonly busAddress: number;
  readonly length: number;
}

/** One finding that a card, or the bus on its behalf, reported. */
export interface FindingReport {
  readonly what: string;
  readonly data: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** What a test slot is made of. */
export interface FakeSlotOptions {
  /** Bytes of RAM, from bus address `ramStart` on. 1 MiB by default. */
  readonly ramBytes?: number;
  /** 0x100000 by default, so that address 0 is nobody's. */
  readonly ramStart?: number;
  readonly wantsRegisters?: boolean;
  readonly wantsDma?: boolean;
  readonly startTick?: number;
}

/** A slot that a test owns. Transfers outside RAM, and all of them while `busMasterEnable` is off, are refused. */
export class FakeSlot implements CardSlot {
  readonly clock: FakeClock;
  readonly interrupt: InterruptLine;
  readonly busMaster: BusMaster;
  readonly report: CardReporter;
  readonly ram: Uint8Array;
  readonly ramStart: number;
  /** The PCI command register's bit 2, as the slot sees it. */
  busMasterEnable = true;
  /** Level of the line now. */
  asserted = false;
  readonly lineChanges: LineChange[] = [];
  readonly registers: RegisterReport[] = [];
  readonly transfers: TransferReport[] = [];
  readonly findings: FindingReport[] = [];
  /** Called when the line rises: a test's interrupt service routine. */
  onInterrupt: (() => void) | null = null;
  readonly #view: DataView;

  constructor(options: FakeSlotOptions = {}) {
    this.clock = new FakeClock(options.startTick ?? 0);
    this.ram = new Uint8Array(options.ramBytes ?? 1 << 20);
    this.ramStart = options.ramStart ?? 0x10_0000;
    this.#view = new DataView(this.ram.buffer);
    this.interrupt = { setLevel: (level) => this.#setLevel(level) };
    this.busMaster = {
      read: (address, into) => {
        const offset = this.#offset(address, into.length);
        if (offset < 0) return false;
        into.set(this.ram.subarray(offset, offset + into.length));
        return true;
      },
      write: (address, from) => {
        const offset = this.#offset(address, from.length);
        if (offset < 0) return false;
        this.ram.set(from, offset);
        return true;
      },
      readUlong: (address) => {
        const offset = this.#offset(address, 4);
        return offset < 0 ? null : this.#view.getUint32(offset, true);
      },
      writeUlong: (address, value) => {
        const offset = this.#offset(address, 4);
        if (offset < 0) return false;
        this.#view.setUint32(offset, value, true);
        return true;
      },
      view: (address, length) => {
        const offset = this.#offset(address, length);
        return offset < 0 ? null : this.ram.subarray(offset, offset + length);
      },
    };
    this.report = {
      wantsRegisters: options.wantsRegisters ?? false,
      wantsDma: options.wantsDma ?? false,
      register: (name, direction, value, size, meaning) =>
        this.registers.push({ name, direction, value, size, meaning }),
      dma: (name, direction, busAddress, length) =>
        this.transfers.push({ name, direction, busAddress, length }),
      finding: (what, data) => this.findings.push({ what, data }),
    };
  }

  /** The RAM at a bus address as 16-bit samples, without a copy. */
  samplesAt(busAddress: number, count: number): Int16Array {
    return new Int16Array(this.ram.buffer, busAddress - this.ramStart, count);
  }

  writeRamUlong(busAddress: number, value: number): void {
    this.#view.setUint32(busAddress - this.ramStart, value, true);
  }

  #offset(address: number, length: number): number {
    const offset = address - this.ramStart;
    if (this.busMasterEnable && offset >= 0 && offset + length <= this.ram.length) return offset;
    this.findings.push({ what: 'transfer stopped', data: { address, length } });
    return -1;
  }

  #setLevel(level: boolean): void {
    if (level === this.asserted) return;
    this.asserted = level;
    this.lineChanges.push({ tick: this.clock.now, asserted: level });
    if (level) this.onInterrupt?.();
  }
}

/** Bus cycles to one BAR of a card, by size. */
export class FakeWindow {
  readonly #card: PciCard;
  readonly #bar: number;

  constructor(card: PciCard, bar: number) {
    this.#card = card;
    this.#bar = bar;
  }

  read(offset: number, size: AccessSize): number {
    return this.#card.bars[this.#bar]!.target.read(offset, size);
  }

  write(offset: number, size: AccessSize, value: number): void {
    this.#card.bars[this.#bar]!.target.write(offset, size, value);
  }

  read8(offset: number): number {
    return this.read(offset, 1);
  }

  read16(offset: number): number {
    return this.read(offset, 2);
  }

  read32(offset: number): number {
    return this.read(offset, 4);
  }

  write8(offset: number, value: number): void {
    this.write(offset, 1, value);
  }

  write16(offset: number, value: number): void {
    this.write(offset, 2, value);
  }

  write32(offset: number, value: number): void {
    this.write(offset, 4, value);
  }
}
