/**
 * Register set of an AC'97 codec: "AC '97 Component Specification", revision 2.3, §5.7 (baseline), §5.8 (extended audio)
 * and Appendix A. One table drives the register file, the trace and the printed listing.
 */

/** Offsets, by the specification's names. */
export const AC97_RESET = 0x00;
export const AC97_MASTER_VOLUME = 0x02;
export const AC97_HEADPHONE_VOLUME = 0x04;
export const AC97_MONO_VOLUME = 0x06;
export const AC97_MASTER_TONE = 0x08;
export const AC97_PC_BEEP = 0x0a;
export const AC97_PHONE_VOLUME = 0x0c;
export const AC97_MIC_VOLUME = 0x0e;
export const AC97_LINE_IN_VOLUME = 0x10;
export const AC97_CD_VOLUME = 0x12;
export const AC97_VIDEO_VOLUME = 0x14;
export const AC97_AUX_IN_VOLUME = 0x16;
export const AC97_PCM_OUT_VOLUME = 0x18;
export const AC97_RECORD_SELECT = 0x1a;
export const AC97_RECORD_GAIN = 0x1c;
export const AC97_RECORD_GAIN_MIC = 0x1e;
export const AC97_GENERAL_PURPOSE = 0x20;
export const AC97_3D_CONTROL = 0x22;
export const AC97_POWERDOWN = 0x26;
export const AC97_EXTENDED_AUDIO_ID = 0x28;
export const AC97_EXTENDED_AUDIO_CONTROL = 0x2a;
export const AC97_PCM_FRONT_DAC_RATE = 0x2c;
export const AC97_PCM_LR_ADC_RATE = 0x32;
export const AC97_MIC_ADC_RATE = 0x34;
export const AC97_VENDOR_ID1 = 0x7c;
export const AC97_VENDOR_ID2 = 0x7e;

/** Bit 15 of every volume register. */
export const AC97_MUTE = 0x8000;
/** Mic volume, bit 6: the 20 dB preamplifier (§5.7.5). */
export const AC97_MIC_BOOST = 0x0040;

/** General purpose register (§5.7.8). */
export const GP_POP = 1 << 15;
export const GP_3D = 1 << 13;
export const GP_MIX = 1 << 9;
export const GP_MS = 1 << 8;
export const GP_LPBK = 1 << 7;

/** Powerdown control/status (§5.7.11, tables 28 and 29). */
export const PD_ADC = 1 << 0;
export const PD_DAC = 1 << 1;
export const PD_ANL = 1 << 2;
export const PD_REF = 1 << 3;
export const PD_PR0 = 1 << 8;
export const PD_PR1 = 1 << 9;
export const PD_PR2 = 1 << 10;
export const PD_PR3 = 1 << 11;
export const PD_PR4 = 1 << 12;
export const PD_PR5 = 1 << 13;
export const PD_PR6 = 1 << 14;
export const PD_EAPD = 1 << 15;

/** Extended audio id and status/control (§5.8.1, §5.8.2). */
export const EA_VRA = 1 << 0;
export const EA_VRM = 1 << 3;
/** Status register only: mic ADC ready, and its power-down bit. */
export const EA_MADC = 1 << 9;
export const EA_PRL = 1 << 14;
/** Id register only: revision field, 10b = AC'97 2.3. */
export const EA_REV_23 = 2 << 10;

/** Record select codes (§5.7.6, table 23). */
export const RECORD_MIC = 0;
export const RECORD_CD = 1;
export const RECORD_VIDEO = 2;
export const RECORD_AUX = 3;
export const RECORD_LINE = 4;
export const RECORD_STEREO_MIX = 5;
export const RECORD_MONO_MIX = 6;
export const RECORD_PHONE = 7;

/** How the bits of a register behave. */
export type Ac97RegisterKind =
  /** Mute and one or two 5-bit attenuations of 1.5 dB, 0 … −46.5 dB; bit 5 forces 11111 (§5.7.2). */
  | 'master-volume'
  /** Mute and one or two 5-bit gains, +12 … −34.5 dB (§5.7.5). */
  | 'input-volume'
  /** Mute and one or two 4-bit gains, 0 … +22.5 dB (§5.7.7). */
  | 'record-gain'
  /** Sample rate in Hz (§5.8.3). */
  | 'rate'
  | 'control'
  | 'constant';

/** One codec register. Bits outside `writeMask` keep their reset value; a register that is not in the table reads 0. */
export interface Ac97RegisterDescription {
  /** The name in the trace. */
  readonly name: string;
  readonly offset: number;
  readonly resetValue: number;
  /** Bits that store what is written. */
  readonly writeMask: number;
  readonly kind: Ac97RegisterKind;
  readonly meaning: string;
  /** Section of the AC'97 2.3 specification. */
  readonly section: string;
}

const STEREO_5 = 0x9f1f;
const MONO_5 = 0x801f;

/**
 * The 3D technique is number 26, SigmaTel (table 18); options: dedicated mic ADC (ID0), tone (ID2), headphone out (ID4).
 * The converters are 16 bits wide, so ID6–ID9 are 0.
 */
export const AC97_CAPABILITIES = (26 << 10) | (1 << 4) | (1 << 2) | (1 << 0);

/** Every implemented register, in order of offset. */
export const AC97_REGISTERS: readonly Ac97RegisterDescription[] = [
  {
    name: 'RESET',
    offset: AC97_RESET,
    resetValue: AC97_CAPABILITIES,
    writeMask: 0,
    kind: 'constant',
    meaning: 'write: register reset; read: capabilities',
    section: '5.7.1',
  },
  {
    name: 'MASTER_VOLUME',
    offset: AC97_MASTER_VOLUME,
    resetValue: 0x8000,
    writeMask: STEREO_5,
    kind: 'master-volume',
    meaning: 'line out attenuation',
    section: '5.7.2',
  },
  {
    name: 'HEADPHONE_VOLUME',
    offset: AC97_HEADPHONE_VOLUME,
    resetValue: 0x8000,
    writeMask: STEREO_5,
    kind: 'master-volume',
    meaning: 'headphone (aux) out attenuation',
    section: '5.7.2',
  },
  {
    name: 'MONO_VOLUME',
    offset: AC97_MONO_VOLUME,
    resetValue: 0x8000,
    writeMask: MONO_5,
    kind: 'master-volume',
    meaning: 'mono out attenuation',
    section: '5.7.2',
  },
  {
    name: 'MASTER_TONE',
    offset: AC97_MASTER_TONE,
    resetValue: 0x0f0f,
    writeMask: 0x0f0f,
    kind: 'control',
    meaning: 'bass 11:8 and treble 3:0, 1.5 dB steps around 7, 15 bypasses',
    section: '5.7.3',
  },
  {
    name: 'PC_BEEP',
    offset: AC97_PC_BEEP,
    resetValue: 0x0000,
    writeMask: 0x9ffe,
    kind: 'control',
    meaning: 'beep mute, divider 12:5, attenuation 4:1 in 3 dB steps',
    section: '5.7.4',
  },
  {
    name: 'PHONE_VOLUME',
    offset: AC97_PHONE_VOLUME,
    resetValue: 0x8008,
    writeMask: MONO_5,
    kind: 'input-volume',
    meaning: 'phone input gain',
    section: '5.7.5',
  },
  {
    name: 'MIC_VOLUME',
    offset: AC97_MIC_VOLUME,
    resetValue: 0x8008,
    writeMask: MONO_5 | AC97_MIC_BOOST,
    kind: 'input-volume',
    meaning: 'mic input gain, bit 6 20 dB boost',
    section: '5.7.5',
  },
  {
    name: 'LINE_IN_VOLUME',
    offset: AC97_LINE_IN_VOLUME,
    resetValue: 0x8808,
    writeMask: STEREO_5,
    kind: 'input-volume',
    meaning: 'line input gain',
    section: '5.7.5',
  },
  {
    name: 'CD_VOLUME',
    offset: AC97_CD_VOLUME,
    resetValue: 0x8808,
    writeMask: STEREO_5,
    kind: 'input-volume',
    meaning: 'CD input gain',
    section: '5.7.5',
  },
  {
    name: 'VIDEO_VOLUME',
    offset: AC97_VIDEO_VOLUME,
    resetValue: 0x8808,
    writeMask: STEREO_5,
    kind: 'input-volume',
    meaning: 'video input gain',
    section: '5.7.5',
  },
  {
    name: 'AUX_IN_VOLUME',
    offset: AC97_AUX_IN_VOLUME,
    resetValue: 0x8808,
    writeMask: STEREO_5,
    kind: 'input-volume',
    meaning: 'aux input gain',
    section: '5.7.5',
  },
  {
    name: 'PCM_OUT_VOLUME',
    offset: AC97_PCM_OUT_VOLUME,
    resetValue: 0x8808,
    writeMask: STEREO_5,
    kind: 'input-volume',
    meaning: 'DAC gain',
    section: '5.7.5',
  },
  {
    name: 'RECORD_SELECT',
    offset: AC97_RECORD_SELECT,
    resetValue: 0x0000,
    writeMask: 0x0707,
    kind: 'control',
    meaning: 'ADC source, left 10:8 and right 2:0',
    section: '5.7.6',
  },
  {
    name: 'RECORD_GAIN',
    offset: AC97_RECORD_GAIN,
    resetValue: 0x8000,
    writeMask: 0x8f0f,
    kind: 'record-gain',
    meaning: 'ADC gain',
    section: '5.7.7',
  },
  {
    name: 'RECORD_GAIN_MIC',
    offset: AC97_RECORD_GAIN_MIC,
    resetValue: 0x8000,
    writeMask: 0x800f,
    kind: 'record-gain',
    meaning: 'mic ADC gain',
    section: '5.7.7',
  },
  {
    name: 'GENERAL_PURPOSE',
    offset: AC97_GENERAL_PURPOSE,
    resetValue: 0x0000,
    writeMask: GP_POP | GP_3D | GP_MIX | GP_MS | GP_LPBK,
    kind: 'control',
    meaning: 'PCM path, 3D, mono source, mic select, ADC/DAC loopback',
    section: '5.7.8',
  },
  {
    name: '3D_CONTROL',
    offset: AC97_3D_CONTROL,
    resetValue: 0x0000,
    writeMask: 0x0f0f,
    kind: 'control',
    meaning: '3D centre 11:8 and depth 3:0',
    section: '5.7.9',
  },
  {
    name: 'POWERDOWN',
    offset: AC97_POWERDOWN,
    resetValue: 0x0000,
    writeMask: 0xff00,
    kind: 'control',
    meaning: 'EAPD, PR6–PR0; REF, ANL, DAC, ADC ready (read only)',
    section: '5.7.11',
  },
  {
    name: 'EXTENDED_AUDIO_ID',
    offset: AC97_EXTENDED_AUDIO_ID,
    resetValue: EA_REV_23 | EA_VRM | EA_VRA,
    writeMask: 0,
    kind: 'constant',
    meaning: 'primary codec, revision 2.3, VRM, VRA',
    section: '5.8.1',
  },
  {
    name: 'EXTENDED_AUDIO_CONTROL',
    offset: AC97_EXTENDED_AUDIO_CONTROL,
    resetValue: 0x0000,
    writeMask: EA_PRL | EA_VRM | EA_VRA,
    kind: 'control',
    meaning: 'VRA, VRM, mic ADC power (PRL) and ready (MADC, read only)',
    section: '5.8.2',
  },
  {
    name: 'PCM_FRONT_DAC_RATE',
    offset: AC97_PCM_FRONT_DAC_RATE,
    resetValue: 48000,
    writeMask: 0xffff,
    kind: 'rate',
    meaning: 'DAC rate in Hz, writable with VRA',
    section: '5.8.3',
  },
  {
    name: 'PCM_LR_ADC_RATE',
    offset: AC97_PCM_LR_ADC_RATE,
    resetValue: 48000,
    writeMask: 0xffff,
    kind: 'rate',
    meaning: 'ADC rate in Hz, writable with VRA',
    section: '5.8.3',
  },
  {
    name: 'MIC_ADC_RATE',
    offset: AC97_MIC_ADC_RATE,
    resetValue: 48000,
    writeMask: 0xffff,
    kind: 'rate',
    meaning: 'mic ADC rate in Hz, writable with VRM',
    section: '5.8.3',
  },
  {
    name: 'VENDOR_ID1',
    offset: AC97_VENDOR_ID1,
    resetValue: 0x8384,
    writeMask: 0,
    kind: 'constant',
    meaning: 'SigmaTel',
    section: '5.9',
  },
  {
    name: 'VENDOR_ID2',
    offset: AC97_VENDOR_ID2,
    resetValue: 0x7600,
    writeMask: 0,
    kind: 'constant',
    meaning: 'STAC9700',
    section: '5.9',
  },
];

/** Description by register index (offset ÷ 2), null where the specification reserves or the codec leaves out. */
export const AC97_REGISTER_AT: readonly (Ac97RegisterDescription | null)[] = Array.from(
  { length: 64 },
  (_, index) => AC97_REGISTERS.find((register) => register.offset === index * 2) ?? null,
);
