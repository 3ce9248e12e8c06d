/**
 * Registers of the Sound Blaster 16 as its driver sees them: Creative Labs, "Sound Blaster Series Hardware Programming Guide"
 * (1996): chapter 2 (DSP I/O ports), chapter 4 (CT1745 mixer), chapter 6 (DSP commands).
 */

/* ---- I/O ports, from the card's base ---- */

export const MIXER_ADDRESS = 0x4;
export const MIXER_DATA = 0x5;
export const DSP_RESET = 0x6;
export const DSP_READ_DATA = 0xa;
/** Write: command or data. Read: bit 7 set while the DSP is busy. */
export const DSP_WRITE = 0xc;
/** Bit 7 set when there is a byte to read; reading acknowledges the 8-bit interrupt. */
export const DSP_READ_STATUS = 0xe;
/** Reading acknowledges the 16-bit interrupt. */
export const DSP_ACK_16BIT = 0xf;

export const DSP_BUSY = 0x80;
export const DSP_DATA_READY = 0x80;
/** What the DSP answers to a reset. */
export const DSP_READY = 0xaa;

/* ---- DSP commands (version 4.xx) ---- */

export const CMD_SET_OUTPUT_RATE = 0x41;
export const CMD_SET_INPUT_RATE = 0x42;
export const CMD_SPEAKER_ON = 0xd1;
export const CMD_GET_VERSION = 0xe1;

/** Commands of one DMA width: the block commands of chapter 6 and what pauses, goes on and ends them. */
export interface DmaCommands {
  /** B6h or C6h: auto-initialised, FIFO on, output. */
  readonly output: number;
  /** BEh or CEh: the same, input. */
  readonly input: number;
  readonly pause: number;
  readonly go: number;
  readonly exitAutoInit: number;
}
export const COMMANDS_8BIT: DmaCommands = {
  output: 0xc6,
  input: 0xce,
  pause: 0xd0,
  go: 0xd4,
  exitAutoInit: 0xda,
};
export const COMMANDS_16BIT: DmaCommands = {
  output: 0xb6,
  input: 0xbe,
  pause: 0xd5,
  go: 0xd6,
  exitAutoInit: 0xd9,
};

/** Mode byte of the block commands. */
export const MODE_STEREO = 1 << 5;
export const MODE_SIGNED = 1 << 4;

export const LOWEST_RATE = 5_000;
export const HIGHEST_RATE = 44_100;

/* ---- CT1745 mixer ---- */

export const MIX_RESET = 0x00;
export const MIX_MASTER_LEFT = 0x30;
export const MIX_VOICE_LEFT = 0x32;
export const MIX_MIDI_LEFT = 0x34;
export const MIX_CD_LEFT = 0x36;
export const MIX_LINE_LEFT = 0x38;
export const MIX_MIC = 0x3a;
export const MIX_PC_SPEAKER = 0x3b;
export const MIX_OUTPUT_SWITCHES = 0x3c;
export const MIX_INPUT_LEFT = 0x3d;
export const MIX_INPUT_RIGHT = 0x3e;
export const MIX_INPUT_GAIN_LEFT = 0x3f;
export const MIX_OUTPUT_GAIN_LEFT = 0x41;
/** Bit 0: 1 switches the microphone's automatic gain control off and fixes its gain at 20 dB. */
export const MIX_AGC = 0x43;
export const MIX_TREBLE_LEFT = 0x44;
export const MIX_BASS_LEFT = 0x46;
/** Read only: which interrupt is pending. */
export const MIX_INTERRUPT_STATUS = 0x82;

export const INTERRUPT_8BIT = 1 << 0;
export const INTERRUPT_16BIT = 1 << 1;
export const INTERRUPT_MPU401 = 1 << 2;

/** Bits of the output and input switch registers. */
export const SWITCH_MIC = 1 << 0;
export const SWITCH_CD_RIGHT = 1 << 1;
export const SWITCH_CD_LEFT = 1 << 2;
export const SWITCH_LINE_RIGHT = 1 << 3;
export const SWITCH_LINE_LEFT = 1 << 4;
/** In the input registers only. */
export const SWITCH_MIDI_RIGHT = 1 << 5;
export const SWITCH_MIDI_LEFT = 1 << 6;
