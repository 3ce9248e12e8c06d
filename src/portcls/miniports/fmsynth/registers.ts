/**
 * Registers of the Yamaha YM3812 (OPL2) and YMF262 (OPL3) as the FM synthesizer driver uses them: YMF262 and YM3812 application
 * manuals. A register's number has nine bits: the upper one is the bank, which only the YMF262 has.
 */

/** Ports: bank 0 address (read: status) and data, bank 1 address and data. An OPL2 may have the first two alone. */
export const OPL_PORTS_OPL3 = 4;
export const OPL_PORTS_OPL2 = 2;
export const OPL_STATUS = 0;
export const OPL_ADDRESS = 0;
export const OPL_DATA = 1;
/** Distance from bank 0's ports to bank 1's. */
export const OPL_BANK_1 = 2;

/** Status. */
export const STATUS_IRQ = 0x80;
export const STATUS_FT1 = 0x40;
export const STATUS_FT2 = 0x20;
/** Ones on an OPL2, zeros on an OPL3. */
export const STATUS_OPL2 = 0x06;

/** Of the whole chip. */
export const TEST = 0x01;
export const TIMER_1 = 0x02;
export const TIMER_CONTROL = 0x04;
export const CSM_NTS = 0x08;
export const RHYTHM = 0xbd;
export const CONNECTION = 0x104;
export const NEW = 0x105;

/** First register of each group; operators and channels are added to them. */
export const AM_VIB_EGT_KSR_MULT = 0x20;
export const KSL_TL = 0x40;
export const AR_DR = 0x60;
export const SL_RR = 0x80;
export const FNUM_LOW = 0xa0;
export const KON_BLOCK_FNUM = 0xb0;
export const FB_CNT = 0xc0;
export const WAVEFORM = 0xe0;

/** TEST, OPL2: waveforms other than the sine may be chosen. */
export const TEST_WSE = 0x20;
/** TIMER_CONTROL. */
export const TC_RST = 0x80;
export const TC_MT1 = 0x40;
export const TC_MT2 = 0x20;
export const TC_ST1 = 0x01;
/** AM_VIB_EGT_KSR_MULT. */
export const OP_AM = 0x80;
export const OP_VIB = 0x40;
export const OP_EGT = 0x20;
export const OP_KSR = 0x10;
/** KON_BLOCK_FNUM. */
export const KON = 0x20;
/** FB_CNT. */
export const CHA = 0x10;
export const CHB = 0x20;
export const CNT = 0x01;
/** NEW. */
export const NEW_OPL3 = 0x01;

/** Total level at which an operator is silent: 47.25 dB down. */
export const TL_SILENT = 63;
/** Decibels of one step of the total level. */
export const TL_STEP_DB = 0.75;

/** Offset of the first operator (the modulator) of channel 0…8 in its bank; the carrier is three further on. */
export const MODULATOR_OFFSET: readonly number[] = [0x00, 0x01, 0x02, 0x08, 0x09, 0x0a, 0x10, 0x11, 0x12];
export const CARRIER_DISTANCE = 3;
