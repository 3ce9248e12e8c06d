import { READ_PORT_UCHAR, WRITE_PORT_UCHAR } from '../../../hal/index.ts';
import { keStallExecutionProcessor, NtError, STATUS_DEVICE_DOES_NOT_EXIST } from '../../../kernel/index.ts';
import * as R from './registers.ts';

export type OplKind = 'OPL2' | 'OPL3';

/**
 * How long the chip must be left alone after a write to the address and to the data port. YM3812 manual: 12 and 84 cycles of
 * 3.58 MHz; YMF262 manual: 32 cycles of 14.3 MHz each.
 */
const WAIT_MICROSECONDS = {
  OPL2: { address: 4, data: 24 },
  OPL3: { address: 3, data: 3 },
} as const;

/** Timer 1 counts in 80 µs. */
const TIMER_WAIT_MICROSECONDS = 100;

/** The FM chip at its ports: which one it is, and its registers with what was last written to them. */
export class OplChip {
  readonly #base: number;
  #kind: OplKind = 'OPL2';
  /** −1: not known. */
  readonly #written = new Int16Array(512).fill(-1);

  constructor(base: number) {
    this.#base = base;
  }

  get kind(): OplKind {
    return this.#kind;
  }

  /** Two-operator channels. */
  get channelCount(): number {
    return this.#kind === 'OPL3' ? 18 : 9;
  }

  /**
   * Finds out what is there, by the timers: an OPL answers a run of timer 1 with its flags (the way every driver has gone since the AdLib
   * card). An OPL3 shows zeros in two status bits, but so do other chips' imitations that have one bank at both pairs of ports;
   * therefore the timer is also started by bank 1's register 04h, which on an OPL3 is another one (104h, connection select). An OPL3 has a
   * bank 1 in its own mode alone, so NEW is set first; to an OPL2 that is a register without a meaning.
   *
   * @param ports how many I/O ports there are: with fewer than four it can only be an OPL2
   * @throws NtError STATUS_DEVICE_DOES_NOT_EXIST when nothing answers as an OPL does
   */
  detect(ports: number): OplKind {
    this.#kind = 'OPL2';
    const [idle, run] = this.#runTimer(0);
    const flags = R.STATUS_IRQ | R.STATUS_FT1 | R.STATUS_FT2;
    if ((idle & flags) !== 0 || (run & flags) !== (R.STATUS_IRQ | R.STATUS_FT1)) {
      throw new NtError(
        STATUS_DEVICE_DOES_NOT_EXIST,
        `no OPL at ports ${this.#base.toString(16)}h: status ${idle.toString(16)}h before and ${run.toString(16)}h after timer 1 ran`,
      );
    }
    if (ports >= R.OPL_PORTS_OPL3 && (idle & R.STATUS_OPL2) === 0) {
      this.#raw(R.OPL_BANK_1, R.NEW & 0xff, R.NEW_OPL3);
      const [, bank1] = this.#runTimer(R.OPL_BANK_1);
      if ((bank1 & flags) === 0) this.#kind = 'OPL3';
      this.#raw(R.OPL_BANK_1, R.CONNECTION & 0xff, 0);
    }
    return this.#kind;
  }

  /** Status before and after timer 1 had time to run over, started through the ports of a bank. */
  #runTimer(bankPorts: number): readonly [number, number] {
    this.#raw(0, R.TIMER_CONTROL, R.TC_MT1 | R.TC_MT2);
    this.#raw(0, R.TIMER_CONTROL, R.TC_RST);
    const idle = READ_PORT_UCHAR(this.#base + R.OPL_STATUS);
    this.#raw(0, R.TIMER_1, 0xff);
    this.#raw(bankPorts, R.TIMER_CONTROL, R.TC_MT2 | R.TC_ST1);
    keStallExecutionProcessor(TIMER_WAIT_MICROSECONDS);
    const run = READ_PORT_UCHAR(this.#base + R.OPL_STATUS);
    this.#raw(0, R.TIMER_CONTROL, R.TC_MT1 | R.TC_MT2);
    this.#raw(0, R.TIMER_CONTROL, R.TC_RST);
    return [idle, run];
  }

  /** Writes every register that matters, whatever the chip held: all channels silent. */
  reset(): void {
    this.#written.fill(-1);
    if (this.#kind === 'OPL3') {
      this.write(R.NEW, R.NEW_OPL3);
      this.write(R.CONNECTION, 0);
    } else this.write(R.TEST, R.TEST_WSE);
    this.write(R.CSM_NTS, 0);
    this.write(R.RHYTHM, 0);
    for (let channel = 0; channel < this.channelCount; channel++) {
      const { register, modulator, carrier } = channelRegisters(channel);
      this.write(R.KON_BLOCK_FNUM + register, 0);
      for (const operator of [modulator, carrier]) {
        this.write(R.KSL_TL + operator, R.TL_SILENT);
        this.write(R.SL_RR + operator, 0x0f);
      }
    }
  }

  /** Writes a register unless it holds the value already. Takes the chip's time, up to 28 µs on an OPL2. Up to DISPATCH_LEVEL. */
  write(register: number, value: number): void {
    if (this.#written[register] === value) return;
    this.#written[register] = value;
    this.#raw(register >= 0x100 ? R.OPL_BANK_1 : 0, register & 0xff, value);
  }

  #raw(bankPorts: number, register: number, value: number): void {
    const wait = WAIT_MICROSECONDS[this.#kind];
    WRITE_PORT_UCHAR(this.#base + bankPorts + R.OPL_ADDRESS, register);
    keStallExecutionProcessor(wait.address);
    WRITE_PORT_UCHAR(this.#base + bankPorts + R.OPL_DATA, value);
    keStallExecutionProcessor(wait.data);
  }
}

/** What is to be added to the first register of a group for channel 0…17. */
export interface ChannelRegisters {
  readonly register: number;
  readonly modulator: number;
  readonly carrier: number;
}

const CHANNEL_REGISTERS: readonly ChannelRegisters[] = Array.from({ length: 18 }, (_, channel) => {
  const bank = channel < 9 ? 0 : 0x100;
  const modulator = bank + (R.MODULATOR_OFFSET[channel % 9] ?? 0);
  return { register: bank + (channel % 9), modulator, carrier: modulator + R.CARRIER_DISTANCE };
});

export function channelRegisters(channel: number): ChannelRegisters {
  return CHANNEL_REGISTERS[channel] as ChannelRegisters;
}
