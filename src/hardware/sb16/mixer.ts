import { decibelsToGain } from '../codecs/gain.ts';
import {
  AGC_OFF,
  INTERRUPT_SETUP_LINES,
  MIX_AGC,
  MIX_BASS_LEFT,
  MIX_CD_LEFT,
  MIX_CD_PRO,
  MIX_DMA_SETUP,
  MIX_INPUT_GAIN_LEFT,
  MIX_INPUT_LEFT,
  MIX_INTERRUPT_SETUP,
  MIX_INTERRUPT_STATUS,
  MIX_LINE_LEFT,
  MIX_LINE_PRO,
  MIX_MASTER_LEFT,
  MIX_MASTER_PRO,
  MIX_MIC,
  MIX_MIC_PRO,
  MIX_MIDI_LEFT,
  MIX_MIDI_PRO,
  MIX_OUTPUT_GAIN_LEFT,
  MIX_OUTPUT_SWITCHES,
  MIX_PC_SPEAKER,
  MIX_RESET,
  MIX_TREBLE_LEFT,
  MIX_VOICE_LEFT,
  MIX_VOICE_PRO,
  MIXER_REGISTERS,
  mixerRegister,
} from './registers.ts';

/** The stereo registers of the CT1345 and those of the CT1745 that they are mapped to, by the left one. */
const PRO_ALIASES: readonly (readonly [number, number])[] = [
  [MIX_VOICE_PRO, MIX_VOICE_LEFT],
  [MIX_MASTER_PRO, MIX_MASTER_LEFT],
  [MIX_MIDI_PRO, MIX_MIDI_LEFT],
  [MIX_CD_PRO, MIX_CD_LEFT],
  [MIX_LINE_PRO, MIX_LINE_LEFT],
];

/** A register pair by its left one: 0 left, 1 right. */
export type Side = 0 | 1;

/** What the chip gets from the card: settings that live elsewhere. */
export interface MixerHost {
  /** 80h and 81h as the card is wired now. */
  readInterruptSetup(): number;
  readDmaSetup(): number;
  writeInterruptSetup(value: number): void;
  writeDmaSetup(value: number): void;
  /** 82h. */
  readInterruptStatus(): number;
}

/** The CT1745: its registers, and the gains that they mean (guide, chapter 4, "CT1745 mixer"). */
export class Ct1745Mixer {
  readonly #host: MixerHost;
  readonly #registers = new Uint8Array(256);
  #index = 0;
  /** Changes whenever a gain or a switch may have changed. */
  revision = 0;

  constructor(host: MixerHost) {
    this.#host = host;
    this.reset();
  }

  /** Defaults. The settings of interrupt and DMA stay (guide, "Interrupt setup register"). */
  reset(): void {
    for (const { index, resetValue } of MIXER_REGISTERS) this.#registers[index] = resetValue;
    this.revision++;
  }

  /** The index that the data port reaches. */
  get index(): number {
    return this.#index;
  }

  writeIndex(value: number): void {
    this.#index = value;
  }

  read(index = this.#index): number {
    switch (index) {
      case MIX_RESET:
        return 0;
      case MIX_INTERRUPT_SETUP:
        return this.#host.readInterruptSetup();
      case MIX_DMA_SETUP:
        return this.#host.readDmaSetup();
      case MIX_INTERRUPT_STATUS:
        return this.#host.readInterruptStatus();
      case MIX_MIC_PRO:
        return (this.#registers[MIX_MIC] ?? 0) >> 5;
      default: {
        const alias = PRO_ALIASES.find(([pro]) => pro === index);
        if (alias) return (this.#registers[alias[1]]! & 0xf0) | (this.#registers[alias[1] + 1]! >> 4);
        return mixerRegister(index) === null ? 0xff : (this.#registers[index] ?? 0xff);
      }
    }
  }

  write(value: number, index = this.#index): void {
    this.revision++;
    switch (index) {
      case MIX_RESET:
        this.reset();
        return;
      case MIX_INTERRUPT_SETUP:
        this.#host.writeInterruptSetup(value);
        return;
      case MIX_DMA_SETUP:
        this.#host.writeDmaSetup(value);
        return;
      case MIX_INTERRUPT_STATUS:
        return;
      case MIX_MIC_PRO:
        // The CT1345's levels are spread over the finer ones: the top one is the top one.
        this.#registers[MIX_MIC] = ((value & 0x07) << 5) | 0x18;
        return;
      default: {
        const alias = PRO_ALIASES.find(([pro]) => pro === index);
        if (alias) {
          this.#registers[alias[1]] = (value & 0xf0) | 0x08;
          this.#registers[alias[1] + 1] = ((value & 0x0f) << 4) | 0x08;
          return;
        }
        const register = mixerRegister(index);
        if (register !== null) this.#registers[index] = value & register.mask;
      }
    }
  }

  /** What is stored, without what other parts of the card answer. */
  stored(index: number): number {
    return this.#registers[index] ?? 0;
  }

  #volume(register: number): number {
    return decibelsToGain(2 * ((this.#registers[register]! >> 3) - 31));
  }

  masterGain(side: Side): number {
    return this.#volume(MIX_MASTER_LEFT + side);
  }

  voiceGain(side: Side): number {
    return this.#volume(MIX_VOICE_LEFT + side);
  }

  midiGain(side: Side): number {
    return this.#volume(MIX_MIDI_LEFT + side);
  }

  cdGain(side: Side): number {
    return this.#volume(MIX_CD_LEFT + side);
  }

  lineGain(side: Side): number {
    return this.#volume(MIX_LINE_LEFT + side);
  }

  get micGain(): number {
    return this.#volume(MIX_MIC);
  }

  /** −18 to 0 dB. */
  get pcSpeakerGain(): number {
    return decibelsToGain(6 * ((this.#registers[MIX_PC_SPEAKER]! >> 6) - 3));
  }

  /** 0 to 18 dB. */
  inputGain(side: Side): number {
    return decibelsToGain(6 * (this.#registers[MIX_INPUT_GAIN_LEFT + side]! >> 6));
  }

  outputGain(side: Side): number {
    return decibelsToGain(6 * (this.#registers[MIX_OUTPUT_GAIN_LEFT + side]! >> 6));
  }

  trebleDecibels(side: Side): number {
    return toneDecibels(this.#registers[MIX_TREBLE_LEFT + side]! >> 4);
  }

  bassDecibels(side: Side): number {
    return toneDecibels(this.#registers[MIX_BASS_LEFT + side]! >> 4);
  }

  /** SWITCH_* bits of CD, line and microphone. */
  get outputSwitches(): number {
    return this.#registers[MIX_OUTPUT_SWITCHES]!;
  }

  /** SWITCH_* bits of MIDI, CD, line and microphone. */
  inputSwitches(side: Side): number {
    return this.#registers[MIX_INPUT_LEFT + side]!;
  }

  get agcOn(): boolean {
    return (this.#registers[MIX_AGC]! & AGC_OFF) === 0;
  }
}

/** 0–7: −14 to 0 dB, 8–15: 0 to +14 dB, in steps of 2 dB: both middle codes are flat. */
function toneDecibels(code: number): number {
  return code < 8 ? 2 * (code - 7) : 2 * (code - 8);
}

/** The value of 80h for a line, 0 for one that it cannot name. IRQ9 is the slot's IRQ2. */
export function interruptSetupOf(line: number | null): number {
  const pin = line === 9 ? 2 : line;
  return INTERRUPT_SETUP_LINES.find(([, irq]) => irq === pin)?.[0] ?? 0;
}
