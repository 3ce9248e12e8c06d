/**
 * Register file of the Asahi Kasei AK4531 mixer codec (AK4531 datasheet, register map). The ES1370 writes it over a serial line and
 * cannot read it.
 */
import { decibelsToGain } from '../codecs/gain.ts';

export const AK_LMASTER = 0x00;
export const AK_RMASTER = 0x01;
export const AK_LVOICE = 0x02;
export const AK_RVOICE = 0x03;
export const AK_LFM = 0x04;
export const AK_RFM = 0x05;
export const AK_LCD = 0x06;
export const AK_RCD = 0x07;
export const AK_LLINE = 0x08;
export const AK_RLINE = 0x09;
export const AK_LAUX = 0x0a;
export const AK_RAUX = 0x0b;
export const AK_MONO1 = 0x0c;
export const AK_MONO2 = 0x0d;
export const AK_MIC = 0x0e;
export const AK_MONO_OUT = 0x0f;
export const AK_OUT_SW1 = 0x10;
export const AK_OUT_SW2 = 0x11;
export const AK_LIN_SW1 = 0x12;
export const AK_RIN_SW1 = 0x13;
export const AK_LIN_SW2 = 0x14;
export const AK_RIN_SW2 = 0x15;
export const AK_RESET = 0x16;
export const AK_CLOCK = 0x17;
export const AK_AD_IN = 0x18;
export const AK_MIC_GAIN = 0x19;
export const AK_REGISTERS = 0x1a;

/** Of every volume register. */
export const AK_MUTE = 0x80;
/** Code of 0 dB in the volume of an input. */
export const AK_INPUT_0_DB = 6;

/** OUT_SW1 and, without the sides, xIN_SW1. */
export const SW1_MIC = 1 << 0;
export const SW1_CDR = 1 << 1;
export const SW1_CDL = 1 << 2;
export const SW1_LINER = 1 << 3;
export const SW1_LINEL = 1 << 4;
export const SW1_FMR = 1 << 5;
export const SW1_FML = 1 << 6;
/** OUT_SW2. */
export const OUT_SW2_MONO1 = 1 << 0;
export const OUT_SW2_MONO2 = 1 << 1;
export const OUT_SW2_VOICER = 1 << 2;
export const OUT_SW2_VOICEL = 1 << 3;
export const OUT_SW2_AUXR = 1 << 4;
export const OUT_SW2_AUXL = 1 << 5;
/** LIN_SW2 and RIN_SW2; VOICE is that of the register's own side. */
export const IN_SW2_MONO1 = 1 << 0;
export const IN_SW2_MONO2 = 1 << 1;
export const IN_SW2_VOICE = 1 << 2;
export const IN_SW2_AUXR = 1 << 3;
export const IN_SW2_AUXL = 1 << 4;
/** The three taps before the volumes. */
export const IN_SW2_TMONO2 = 1 << 5;
export const IN_SW2_TMONO1 = 1 << 6;
export const IN_SW2_TMIC = 1 << 7;
/** RESET: both are low active. */
export const RST_RST = 1 << 0;
export const RST_PD = 1 << 1;
/** MIC_GAIN: +30 dB. */
export const MIC_GAIN_30_DB = 1 << 0;

/** One register: its name, the bits that it has, and its value after a reset: everything muted, inputs at 0 dB. */
export interface AkRegister {
  readonly name: string;
  readonly mask: number;
  readonly reset: number;
}

const master = (name: string): AkRegister => ({ name, mask: 0x9f, reset: 0x80 });
const input = (name: string): AkRegister => ({ name, mask: 0x9f, reset: AK_MUTE | AK_INPUT_0_DB });
const plain = (name: string, mask: number, reset = 0): AkRegister => ({ name, mask, reset });

export const AK4531_REGISTERS: readonly AkRegister[] = [
  master('LMASTER'),
  master('RMASTER'),
  input('LVOICE'),
  input('RVOICE'),
  input('LFM'),
  input('RFM'),
  input('LCD'),
  input('RCD'),
  input('LLINE'),
  input('RLINE'),
  input('LAUX'),
  input('RAUX'),
  input('MONO1'),
  input('MONO2'),
  input('MIC'),
  plain('MONO_OUT', 0x87, 0x80),
  plain('OUT_SW1', 0x7f),
  plain('OUT_SW2', 0x3f),
  plain('LIN_SW1', 0x7f),
  plain('RIN_SW1', 0x7f),
  plain('LIN_SW2', 0xff),
  plain('RIN_SW2', 0xff),
  plain('RESET', 0x03, RST_RST | RST_PD),
  plain('CLOCK', 0x03),
  plain('AD_IN', 0x01),
  plain('MIC_GAIN', 0x01),
];

/** The register file, and what its volumes mean as linear gains. */
export class Ak4531 {
  readonly #values = new Uint8Array(AK_REGISTERS);
  /** Moves with every change of a value. */
  revision = 0;

  constructor() {
    this.reset();
  }

  /** What a reset by pin, or by the RST bit, leaves. */
  reset(): void {
    for (const [index, { reset }] of AK4531_REGISTERS.entries()) this.#values[index] = reset;
    this.revision++;
  }

  /** False for a register that the chip does not have. */
  write(register: number, value: number): boolean {
    const description = AK4531_REGISTERS[register];
    if (description === undefined) return false;
    const masked = value & description.mask;
    if (register === AK_RESET && (masked & RST_RST) === 0) {
      // The reset holds everything but its own register, whose bits end it.
      this.reset();
      this.#values[AK_RESET] = masked;
      return true;
    }
    if (!this.inReset && this.#values[register] !== masked) {
      this.#values[register] = masked;
      this.revision++;
    } else if (register === AK_RESET) {
      this.#values[register] = masked;
      this.revision++;
    }
    return true;
  }

  value(register: number): number {
    return this.#values[register]!;
  }

  get inReset(): boolean {
    return (this.value(AK_RESET) & RST_RST) === 0;
  }

  /** Neither in reset nor powered down: signals pass. */
  get powered(): boolean {
    return (this.value(AK_RESET) & (RST_RST | RST_PD)) === (RST_RST | RST_PD);
  }

  /** Linear gain of a volume register, 0 when muted. */
  gain(register: number): number {
    const value = this.value(register);
    return (value & AK_MUTE) !== 0 ? 0 : decibelsToGain(akDecibels(register, value));
  }
}

/** What a code means in a volume register: masters 0 … −62 dB, inputs +12 … −50 dB in steps of 2 dB, mono out 0 … −28 dB. */
export function akDecibels(register: number, value: number): number {
  if (register === AK_MONO_OUT) return -4 * (value & 7);
  const steps = value & 0x1f;
  return 2 * ((register <= AK_RMASTER ? 0 : AK_INPUT_0_DB) - steps);
}

/** The name of a codec register for the trace. */
export function akRegisterName(register: number): string {
  return AK4531_REGISTERS[register]?.name ?? `AK_${register.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** What a value means in a codec register, in a few words; undefined where the number says it. */
export function describeAkValue(register: number, value: number): string | undefined {
  if (register > AK_MONO_OUT) return undefined;
  return `${(value & AK_MUTE) !== 0 ? 'muted, ' : ''}${akDecibels(register, value)} dB`;
}
