import {
  AC97_EXTENDED_AUDIO_CONTROL,
  AC97_MIC_ADC_RATE,
  AC97_PCM_FRONT_DAC_RATE,
  AC97_PCM_LR_ADC_RATE,
  AC97_POWERDOWN,
  AC97_REGISTER_AT,
  AC97_REGISTERS,
  AC97_RESET,
  type Ac97RegisterDescription,
  EA_MADC,
  EA_PRL,
  EA_VRA,
  EA_VRM,
  PD_ADC,
  PD_ANL,
  PD_DAC,
  PD_EAPD,
  PD_PR0,
  PD_PR1,
  PD_PR2,
  PD_PR3,
  PD_PR4,
  PD_PR5,
  PD_PR6,
  PD_REF,
} from './ac97-registers.ts';

/** The rate of everything that has no variable rate switched on (§4.2.1). */
export const AC97_FIXED_RATE = 48000;
/** Limits of this codec's continuous rates. */
export const AC97_MINIMUM_RATE = 8000;
export const AC97_MAXIMUM_RATE = 48000;

const SECTIONS = [PD_ADC, PD_DAC, PD_ANL, PD_REF, EA_MADC] as const;
type Section = (typeof SECTIONS)[number];

/**
 * The control half of an AC'97 2.3 codec: register file, powerdown and sample rates. It has no clock of its own; whoever
 * forwards an access says when it happens. The audio half ({@link Ac97Output}, {@link Ac97Input}) reads the registers from here.
 */
export class Ac97Codec {
  readonly #registers = new Uint16Array(64);
  readonly #sectionReadyTicks: number;
  /** When each section is up, null while it is off. */
  readonly #readyTick = new Map<Section, number | null>();
  /** Counts the writes, so that the audio half recomputes its gains only when something changed. */
  #revision = 0;

  constructor(sectionReadyTicks: number) {
    this.#sectionReadyTicks = sectionReadyTicks;
    this.coldReset(0);
  }

  get revision(): number {
    return this.#revision;
  }

  /** RESET# was released at `tick`: every register has its default, and every section powers up. */
  coldReset(tick: number): void {
    for (const section of SECTIONS) this.#readyTick.set(section, null);
    this.#setDefaults(tick);
  }

  /** A warm reset wakes the link: PR4 goes back to 0, no other register changes (§7). */
  warmReset(): void {
    this.#registers[AC97_POWERDOWN >> 1]! &= ~PD_PR4;
    this.#revision++;
  }

  /** A register as it is stored, without status bits. */
  stored(offset: number): number {
    return this.#registers[offset >> 1]!;
  }

  /** A register as the AC-link shows it at `tick`. Odd and reserved addresses read 0 (Appendix A). */
  read(offset: number, tick: number): number {
    if ((offset & 1) !== 0 || (AC97_REGISTER_AT[offset >> 1] ?? null) === null) return 0;
    const value = this.#registers[offset >> 1]!;
    if (offset === AC97_POWERDOWN) {
      let ready = 0;
      for (const section of [PD_ADC, PD_DAC, PD_ANL, PD_REF] as const)
        if (this.#isReady(section, tick)) ready |= section;
      return value | ready;
    }
    if (offset === AC97_EXTENDED_AUDIO_CONTROL && this.#isReady(EA_MADC, tick)) return value | EA_MADC;
    return value;
  }

  /** Writes a register at `tick`; constants, reserved bits and unknown registers keep their value. */
  write(offset: number, value: number, tick: number): void {
    const register = AC97_REGISTER_AT[offset >> 1];
    if ((offset & 1) !== 0 || register === null || register === undefined) return;
    this.#revision++;
    if (offset === AC97_RESET) {
      this.#setDefaults(tick);
      return;
    }
    this.#registers[offset >> 1] = this.#stored(register, value);
    if (offset === AC97_EXTENDED_AUDIO_CONTROL) this.#forceFixedRates();
    if (offset === AC97_POWERDOWN || offset === AC97_EXTENDED_AUDIO_CONTROL) this.#updateSections(tick);
  }

  /** False while PR4 holds BIT_CLK. */
  get bitClockRuns(): boolean {
    return (this.stored(AC97_POWERDOWN) & PD_PR4) === 0;
  }

  /** The mixer works: neither PR2 nor PR3. */
  get mixerPowered(): boolean {
    return (this.stored(AC97_POWERDOWN) & (PD_PR2 | PD_PR3)) === 0;
  }

  /** The DACs convert. Powered down, they take a sample in every frame and drop it. */
  get dacPowered(): boolean {
    return (this.stored(AC97_POWERDOWN) & (PD_PR1 | PD_PR3 | PD_PR5)) === 0;
  }

  /** The ADCs convert. Powered down, they tag no slot as valid, so nothing arrives. */
  get adcPowered(): boolean {
    return (this.stored(AC97_POWERDOWN) & (PD_PR0 | PD_PR3 | PD_PR5)) === 0;
  }

  get micAdcPowered(): boolean {
    const powered = (this.stored(AC97_POWERDOWN) & (PD_PR3 | PD_PR5)) === 0;
    return powered && (this.stored(AC97_EXTENDED_AUDIO_CONTROL) & EA_PRL) === 0;
  }

  get headphonePowered(): boolean {
    return (this.stored(AC97_POWERDOWN) & PD_PR6) === 0;
  }

  get externalAmplifierPowered(): boolean {
    return (this.stored(AC97_POWERDOWN) & PD_EAPD) === 0;
  }

  /** Frames per second that the DACs ask for; SLOTREQ of a powered-down DAC asks in every frame (§4.2.1.2). */
  get dacRate(): number {
    return this.dacPowered ? this.stored(AC97_PCM_FRONT_DAC_RATE) : AC97_FIXED_RATE;
  }

  get adcRate(): number {
    return this.stored(AC97_PCM_LR_ADC_RATE);
  }

  get micAdcRate(): number {
    return this.stored(AC97_MIC_ADC_RATE);
  }

  #setDefaults(tick: number): void {
    for (const register of AC97_REGISTERS) this.#registers[register.offset >> 1] = register.resetValue;
    this.#revision++;
    this.#updateSections(tick);
  }

  #stored(register: Ac97RegisterDescription, value: number): number {
    if (register.kind === 'rate') return this.#rateFor(register.offset, value);
    if (register.kind === 'master-volume') {
      // A codec with five bits answers 1xxxxx with 011111 (§5.7.2): the quietest it can.
      if ((value & 0x2000) !== 0) value |= 0x1f00;
      if ((value & 0x0020) !== 0) value |= 0x001f;
    }
    return (register.resetValue & ~register.writeMask) | (value & register.writeMask);
  }

  #rateFor(offset: number, value: number): number {
    const enable = offset === AC97_MIC_ADC_RATE ? EA_VRM : EA_VRA;
    if ((this.stored(AC97_EXTENDED_AUDIO_CONTROL) & enable) === 0) return AC97_FIXED_RATE;
    return Math.min(Math.max(value, AC97_MINIMUM_RATE), AC97_MAXIMUM_RATE);
  }

  #forceFixedRates(): void {
    const control = this.stored(AC97_EXTENDED_AUDIO_CONTROL);
    if ((control & EA_VRA) === 0) {
      this.#registers[AC97_PCM_FRONT_DAC_RATE >> 1] = AC97_FIXED_RATE;
      this.#registers[AC97_PCM_LR_ADC_RATE >> 1] = AC97_FIXED_RATE;
    }
    if ((control & EA_VRM) === 0) this.#registers[AC97_MIC_ADC_RATE >> 1] = AC97_FIXED_RATE;
  }

  #isReady(section: Section, tick: number): boolean {
    const ready = this.#readyTick.get(section) ?? null;
    return ready !== null && tick >= ready;
  }

  #updateSections(tick: number): void {
    this.#setPower(PD_REF, (this.stored(AC97_POWERDOWN) & PD_PR3) === 0, tick);
    this.#setPower(PD_ANL, this.mixerPowered, tick);
    this.#setPower(PD_DAC, this.dacPowered, tick);
    this.#setPower(PD_ADC, this.adcPowered, tick);
    this.#setPower(EA_MADC, this.micAdcPowered, tick);
  }

  #setPower(section: Section, powered: boolean, tick: number): void {
    if (!powered) this.#readyTick.set(section, null);
    else if ((this.#readyTick.get(section) ?? null) === null) {
      this.#readyTick.set(section, tick + this.#sectionReadyTicks);
    }
  }
}
