/**
 * Register map of the Yamaha YMF262 (OPL3) and YM3812 (OPL2): YMF262 application manual, "Register Map"; YM3812 application manual,
 * table 2-1. Register numbers have nine bits: 000h–0FFh are bank 0 (A1 = 0), 100h–1FFh bank 1. Nothing here has behaviour.
 */

/** The chips that {@link FmSynth} can be. */
export type FmChip = 'YMF262' | 'YM3812';

/** Four ports: address and data of bank 0, address and data of bank 1. The YM3812 decodes the first two. */
export const OPL_BYTES = 4;
/** Port offsets. The same port read and written has two names. */
export const OPL_STATUS = 0;
export const OPL_ADDRESS_0 = 0;
export const OPL_DATA_0 = 1;
export const OPL_ADDRESS_1 = 2;
export const OPL_DATA_1 = 3;

/** Status port. */
export const OPL_STATUS_IRQ = 1 << 7;
export const OPL_STATUS_FT1 = 1 << 6;
export const OPL_STATUS_FT2 = 1 << 5;
/** Read as ones on the YM3812 and as zeros on the YMF262: by them drivers tell the two apart. */
export const OPL_STATUS_YM3812 = 0x06;

/** Register numbers: single ones, and the first of each group. */
export const OPL_TEST = 0x01;
export const OPL_TIMER_1 = 0x02;
export const OPL_TIMER_2 = 0x03;
export const OPL_TIMER_CONTROL = 0x04;
export const OPL_CSM_NTS = 0x08;
export const OPL_AM_MULT = 0x20;
export const OPL_KSL_TL = 0x40;
export const OPL_AR_DR = 0x60;
export const OPL_SL_RR = 0x80;
export const OPL_FNUM = 0xa0;
export const OPL_KON_BLOCK = 0xb0;
export const OPL_RHYTHM = 0xbd;
export const OPL_FB_CNT = 0xc0;
export const OPL_WS = 0xe0;
export const OPL_CONNECTION = 0x104;
export const OPL_NEW = 0x105;

/** 01h, YM3812: waveform registers are writable. */
export const TEST_WSE = 1 << 5;
/** 04h. */
export const TC_RST = 1 << 7;
export const TC_MT1 = 1 << 6;
export const TC_MT2 = 1 << 5;
export const TC_ST2 = 1 << 1;
export const TC_ST1 = 1 << 0;
/** 08h. CSM exists on the YM3812 only. */
export const CN_CSM = 1 << 7;
export const CN_NTS = 1 << 6;
/** 20h … 35h. */
export const AM_AM = 1 << 7;
export const AM_VIB = 1 << 6;
export const AM_EGT = 1 << 5;
export const AM_KSR = 1 << 4;
export const AM_MULT = 0x0f;
/** 40h … 55h. */
export const KT_KSL = 0xc0;
export const KT_TL = 0x3f;
/** 60h … 75h. */
export const AD_AR = 0xf0;
export const AD_DR = 0x0f;
/** 80h … 95h. */
export const SR_SL = 0xf0;
export const SR_RR = 0x0f;
/** B0h … B8h. */
export const KB_KON = 1 << 5;
export const KB_BLOCK = 0x1c;
export const KB_FNUM_HIGH = 0x03;
/** BDh. */
export const RH_DAM = 1 << 7;
export const RH_DVB = 1 << 6;
export const RH_RYT = 1 << 5;
export const RH_BD = 1 << 4;
export const RH_SD = 1 << 3;
export const RH_TOM = 1 << 2;
export const RH_TC = 1 << 1;
export const RH_HH = 1 << 0;
/** C0h … C8h. */
export const FC_CHD = 1 << 7;
export const FC_CHC = 1 << 6;
export const FC_CHB = 1 << 5;
export const FC_CHA = 1 << 4;
export const FC_FB = 0x0e;
export const FC_CNT = 1 << 0;
/** 105h. */
export const NEW_NEW = 1 << 0;

/** The place of an operator in its bank by the lower five bits of the register number; −1 where there is none. */
export const OPERATOR_AT: Int8Array = Int8Array.from({ length: 32 }, (_, offset) =>
  offset < 24 && (offset & 7) < 6 ? (offset >> 3) * 6 + (offset & 7) : -1,
);

/** The first operator of channel 0 … 8 in its bank; the second one is three further on. */
export function firstOperatorOf(channel: number): number {
  return Math.floor(channel / 3) * 6 + (channel % 3);
}

/** The lower channels, 0 … 17, of the pairs that 104h joins, by bit; the other one is three further on. */
export const PAIR_CHANNELS = [0, 1, 2, 9, 10, 11] as const;
