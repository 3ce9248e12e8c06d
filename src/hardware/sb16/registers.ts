/**
 * Registers of the Sound Blaster 16: Creative Labs, "Sound Blaster Series Hardware Programming Guide", chapter 2 ("DSP I/O port
 * addresses") and chapter 4 ("CT1745 mixer"). Offsets, bits and meanings; nothing here has behaviour.
 */

/** Ports of the card's base window, 220h, 240h, 260h or 280h. */
export const SB_PORTS = 16;
/** FM synthesizer (YMF262): also at 388h. */
export const SB_FM = 0x0;
export const SB_FM_PORTS = 4;
/** The FM ports of the first Sound Blasters: bank 0 alone. */
export const SB_FM_LEGACY = 0x8;
export const SB_FM_LEGACY_PORTS = 2;
export const SB_MIXER_INDEX = 0x4;
export const SB_MIXER_DATA = 0x5;
/** Write only. */
export const SB_DSP_RESET = 0x6;
/** Read only. */
export const SB_DSP_READ_DATA = 0xa;
/** Write: command or operand. The same port read says whether it is taken. */
export const SB_DSP_WRITE = 0xc;
export const SB_DSP_WRITE_STATUS = 0xc;
/** Read only: is there a byte at READ_DATA? Reading acknowledges the 8-bit (and SB-MIDI) interrupt. */
export const SB_DSP_READ_STATUS = 0xe;
/** Read only: reading acknowledges the 16-bit interrupt. */
export const SB_DSP_ACK_16 = 0xf;

/** WRITE_STATUS: 1 = wait. READ_STATUS: 1 = a byte can be read. The other lines of both are not driven. */
export const SB_STATUS_BIT = 0x80;
export const SB_STATUS_UNDRIVEN = 0x7f;
/** What the DSP answers to a reset. */
export const SB_DSP_READY = 0xaa;

/** MPU-401 window: two ports at 330h or 300h; FM window: four at 388h; game port: eight at 200h or 208h. */
export const SB_MPU_PORTS = 2;
export const SB_GAME_PORTS = 8;

/** CT1745 registers by index (figure 4-4). */
export const MIX_RESET = 0x00;
export const MIX_VOICE_PRO = 0x04;
export const MIX_MIC_PRO = 0x0a;
export const MIX_MASTER_PRO = 0x22;
export const MIX_MIDI_PRO = 0x26;
export const MIX_CD_PRO = 0x28;
export const MIX_LINE_PRO = 0x2e;
export const MIX_MASTER_LEFT = 0x30;
export const MIX_MASTER_RIGHT = 0x31;
export const MIX_VOICE_LEFT = 0x32;
export const MIX_VOICE_RIGHT = 0x33;
export const MIX_MIDI_LEFT = 0x34;
export const MIX_MIDI_RIGHT = 0x35;
export const MIX_CD_LEFT = 0x36;
export const MIX_CD_RIGHT = 0x37;
export const MIX_LINE_LEFT = 0x38;
export const MIX_LINE_RIGHT = 0x39;
export const MIX_MIC = 0x3a;
export const MIX_PC_SPEAKER = 0x3b;
export const MIX_OUTPUT_SWITCHES = 0x3c;
export const MIX_INPUT_LEFT = 0x3d;
export const MIX_INPUT_RIGHT = 0x3e;
export const MIX_INPUT_GAIN_LEFT = 0x3f;
export const MIX_INPUT_GAIN_RIGHT = 0x40;
export const MIX_OUTPUT_GAIN_LEFT = 0x41;
export const MIX_OUTPUT_GAIN_RIGHT = 0x42;
export const MIX_AGC = 0x43;
export const MIX_TREBLE_LEFT = 0x44;
export const MIX_TREBLE_RIGHT = 0x45;
export const MIX_BASS_LEFT = 0x46;
export const MIX_BASS_RIGHT = 0x47;
export const MIX_INTERRUPT_SETUP = 0x80;
export const MIX_DMA_SETUP = 0x81;
export const MIX_INTERRUPT_STATUS = 0x82;

/** Switches of 3Ch, 3Dh and 3Eh; MIDI's are in the two input registers alone. */
export const SWITCH_MIC = 1 << 0;
export const SWITCH_CD_RIGHT = 1 << 1;
export const SWITCH_CD_LEFT = 1 << 2;
export const SWITCH_LINE_RIGHT = 1 << 3;
export const SWITCH_LINE_LEFT = 1 << 4;
export const SWITCH_MIDI_RIGHT = 1 << 5;
export const SWITCH_MIDI_LEFT = 1 << 6;

/** AGC register: 1 = off, and the microphone's amplifier at a fixed 20 dB. */
export const AGC_OFF = 1 << 0;

/** Interrupt status: who asks. The 8-bit bit stands for SB-MIDI, too. */
export const INTERRUPT_8_BIT = 1 << 0;
export const INTERRUPT_16_BIT = 1 << 1;
export const INTERRUPT_MPU = 1 << 2;

/** Interrupt setup: one bit a line. */
export const INTERRUPT_SETUP_LINES: readonly (readonly [number, number])[] = [
  [0x01, 2],
  [0x02, 5],
  [0x04, 7],
  [0x08, 10],
];
/** DMA setup: bit n is channel n; of 0, 1, 3 one, and of 5, 6, 7 one. */
export const DMA_SETUP_8_BIT: readonly number[] = [0, 1, 3];
export const DMA_SETUP_16_BIT: readonly number[] = [5, 6, 7];

/** One mixer register as a listing shows it, as the trace names it, and as the chip stores it. */
export interface MixerRegister {
  readonly index: number;
  readonly name: string;
  readonly resetValue: number;
  /** Bits that exist; the others read 0. */
  readonly mask: number;
  readonly access: 'RW' | 'RO' | 'WO';
  readonly meaning: string;
}

function volume(index: number, name: string, level: number): MixerRegister {
  const meaning = `${name}: bits 7:3, 0 to 31 are −62 to 0 dB`;
  return { index, name: `MIX_${name}`, resetValue: level << 3, mask: 0xf8, access: 'RW', meaning };
}

function alias(index: number, name: string, level: number): MixerRegister {
  const meaning = `${name} as on the CT1345: left in bits 7:4, right in bits 3:0`;
  return { index, name: `MIX_${name}_PRO`, resetValue: level, mask: 0xff, access: 'RW', meaning };
}

function gain(index: number, name: string): MixerRegister {
  const meaning = `${name}: bits 7:6, 0, 6, 12 or 18 dB`;
  return { index, name: `MIX_${name}`, resetValue: 0, mask: 0xc0, access: 'RW', meaning };
}

function tone(index: number, name: string): MixerRegister {
  const meaning = `${name}: bits 7:4, 0 to 7 are −14 to 0 dB, 8 to 15 are 0 to +14 dB`;
  return { index, name: `MIX_${name}`, resetValue: 0x80, mask: 0xf0, access: 'RW', meaning };
}

function switches(index: number, name: string, value: number, mask: number, meaning: string): MixerRegister {
  return { index, name: `MIX_${name}`, resetValue: value, mask, access: 'RW', meaning };
}

/** Every register of the CT1745 (figure 4-4 and the pages after it), in order. */
export const MIXER_REGISTERS: readonly MixerRegister[] = [
  { index: 0x00, name: 'MIX_RESET', resetValue: 0, mask: 0, access: 'WO', meaning: 'any write: defaults' },
  alias(MIX_VOICE_PRO, 'VOICE', 0xcc),
  {
    index: MIX_MIC_PRO,
    name: 'MIX_MIC_PRO',
    resetValue: 0,
    mask: 0x07,
    access: 'RW',
    meaning: 'microphone as on the CT1345: bits 2:0',
  },
  alias(MIX_MASTER_PRO, 'MASTER', 0xcc),
  alias(MIX_MIDI_PRO, 'MIDI', 0xcc),
  alias(MIX_CD_PRO, 'CD', 0x00),
  alias(MIX_LINE_PRO, 'LINE', 0x00),
  volume(MIX_MASTER_LEFT, 'MASTER_LEFT', 24),
  volume(MIX_MASTER_RIGHT, 'MASTER_RIGHT', 24),
  volume(MIX_VOICE_LEFT, 'VOICE_LEFT', 24),
  volume(MIX_VOICE_RIGHT, 'VOICE_RIGHT', 24),
  volume(MIX_MIDI_LEFT, 'MIDI_LEFT', 24),
  volume(MIX_MIDI_RIGHT, 'MIDI_RIGHT', 24),
  volume(MIX_CD_LEFT, 'CD_LEFT', 0),
  volume(MIX_CD_RIGHT, 'CD_RIGHT', 0),
  volume(MIX_LINE_LEFT, 'LINE_LEFT', 0),
  volume(MIX_LINE_RIGHT, 'LINE_RIGHT', 0),
  volume(MIX_MIC, 'MIC', 0),
  {
    index: MIX_PC_SPEAKER,
    name: 'MIX_PC_SPEAKER',
    resetValue: 0,
    mask: 0xc0,
    access: 'RW',
    meaning: 'PC speaker: bits 7:6, 0 to 3 are −18 to 0 dB',
  },
  switches(MIX_OUTPUT_SWITCHES, 'OUTPUT_SWITCHES', 0x1f, 0x1f, 'what the output mixer hears: line, CD, mic'),
  switches(MIX_INPUT_LEFT, 'INPUT_LEFT', 0x15, 0x7f, 'what the left input mixer hears: MIDI, line, CD, mic'),
  switches(
    MIX_INPUT_RIGHT,
    'INPUT_RIGHT',
    0x0b,
    0x7f,
    'what the right input mixer hears: MIDI, line, CD, mic',
  ),
  gain(MIX_INPUT_GAIN_LEFT, 'INPUT_GAIN_LEFT'),
  gain(MIX_INPUT_GAIN_RIGHT, 'INPUT_GAIN_RIGHT'),
  gain(MIX_OUTPUT_GAIN_LEFT, 'OUTPUT_GAIN_LEFT'),
  gain(MIX_OUTPUT_GAIN_RIGHT, 'OUTPUT_GAIN_RIGHT'),
  switches(MIX_AGC, 'AGC', 0x00, 0x01, 'bit 0: 1 fixes the microphone amplifier at 20 dB'),
  tone(MIX_TREBLE_LEFT, 'TREBLE_LEFT'),
  tone(MIX_TREBLE_RIGHT, 'TREBLE_RIGHT'),
  tone(MIX_BASS_LEFT, 'BASS_LEFT'),
  tone(MIX_BASS_RIGHT, 'BASS_RIGHT'),
  switches(MIX_INTERRUPT_SETUP, 'INTERRUPT_SETUP', 0, 0x0f, 'interrupt line: 2, 5, 7 or 10, a bit each'),
  switches(MIX_DMA_SETUP, 'DMA_SETUP', 0, 0xeb, 'DMA channels: a bit each'),
  {
    index: MIX_INTERRUPT_STATUS,
    name: 'MIX_INTERRUPT_STATUS',
    resetValue: 0,
    mask: 0x07,
    access: 'RO',
    meaning: 'bit 0 8-bit DMA or SB-MIDI, bit 1 16-bit DMA, bit 2 MPU-401',
  },
];

const BY_INDEX = new Map(MIXER_REGISTERS.map((register) => [register.index, register]));

/** The register with this index, null where the chip has none. */
export function mixerRegister(index: number): MixerRegister | null {
  return BY_INDEX.get(index) ?? null;
}
