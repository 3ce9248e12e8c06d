/**
 * Register map of the Ensoniq ES1370 ("AudioPCI ES1370 Specification": host interface registers, memory map). Offsets, flags and
 * meanings are three named sets; nothing here has behaviour.
 */

/** BAR0, an I/O window; the registers are its first 64 bytes, and nothing answers above. */
export const ES1370_WINDOW_BYTES = 256;
export const ES1370_REGISTER_BYTES = 64;

export const CONTROL = 0x00;
export const STATUS = 0x04;
/** Three registers of a byte each. */
export const UART_DATA = 0x08;
/** Read. */
export const UART_STATUS = 0x09;
/** Write; the same port as {@link UART_STATUS}. */
export const UART_CONTROL = 0x09;
export const UART_TEST = 0x0a;
/** Which 16 bytes of the chip's memory are seen at {@link PAGE_WINDOW}. */
export const MEMPAGE = 0x0c;
/** Write only: register of the codec in the high byte, its value in the low one. */
export const CODEC = 0x10;
export const SERIAL = 0x20;
export const DAC1_COUNT = 0x24;
export const DAC2_COUNT = 0x28;
export const ADC_COUNT = 0x2c;
export const PAGE_WINDOW = 0x30;
export const PAGE_BYTES = 16;

/** What lies on a memory page, and on which. Pages 0–11 are the channels' sample buffers. */
export const PAGE_DAC = 0x0c;
export const PAGE_ADC = 0x0d;
export const PAGE_UART = 0x0e;
/** Of page {@link PAGE_DAC}: bus addresses and sizes of the two playing channels' buffers. */
export const DAC1_FRAME = 0x30;
export const DAC1_SIZE = 0x34;
export const DAC2_FRAME = 0x38;
export const DAC2_SIZE = 0x3c;
/** Of page {@link PAGE_ADC}. The second half is the "phantom" frame, which nothing uses. */
export const ADC_FRAME = 0x30;
export const ADC_SIZE = 0x34;
export const PHANTOM_FRAME = 0x38;
export const PHANTOM_SIZE = 0x3c;

/** CONTROL: interrupt and chip select control. */
export const CTL_ADC_STOP = 0x8000_0000;
export const CTL_XCTL1 = 1 << 30;
export const CTL_OPEN = 1 << 29;
export const CTL_MSFMTSEL = 1 << 15;
export const CTL_M_SBB = 1 << 14;
export const CTL_DAC_SYNC = 1 << 11;
export const CTL_CCB_INTRM = 1 << 10;
export const CTL_M_CB = 1 << 9;
export const CTL_XCTL0 = 1 << 8;
export const CTL_BREQ = 1 << 7;
export const CTL_DAC1_EN = 1 << 6;
export const CTL_DAC2_EN = 1 << 5;
export const CTL_ADC_EN = 1 << 4;
export const CTL_UART_EN = 1 << 3;
export const CTL_JYSTK_EN = 1 << 2;
export const CTL_CDC_EN = 1 << 1;
export const CTL_SERR_DIS = 1 << 0;
/** PCLKDIV: clock of DAC2 and ADC. */
export const CTL_PCLKDIV_SHIFT = 16;
export const CTL_PCLKDIV = 0x1fff << CTL_PCLKDIV_SHIFT;
/** WTSRSEL: clock of DAC1. */
export const CTL_WTSRSEL_SHIFT = 12;
export const CTL_WTSRSEL = 3 << CTL_WTSRSEL_SHIFT;
/** After a reset: SERR# is off. */
export const CTL_RESET = CTL_SERR_DIS;

/** STATUS. */
export const STAT_INTR = 0x8000_0000;
export const STAT_CSTAT = 1 << 10;
export const STAT_CBUSY = 1 << 9;
export const STAT_CWRIP = 1 << 8;
export const STAT_VC_SHIFT = 5;
/** No voice has asked for a CCB interrupt. */
export const STAT_VC_NONE = 3 << STAT_VC_SHIFT;
export const STAT_MCCB = 1 << 4;
export const STAT_UART = 1 << 3;
export const STAT_DAC1 = 1 << 2;
export const STAT_DAC2 = 1 << 1;
export const STAT_ADC = 1 << 0;

/** UART_STATUS. */
export const US_RXINT = 1 << 7;
export const US_TXINT = 1 << 2;
export const US_TXRDY = 1 << 1;
export const US_RXRDY = 1 << 0;

/** UART_CONTROL. */
export const UC_RXINTEN = 1 << 7;
/** TXINTEN, two bits of which 01 is "interrupt when the transmitter is ready". */
export const UC_TXINTEN = 3 << 5;
export const UC_TXINTEN_READY = 1 << 5;
/** CNTRL: 11 resets the UART. */
export const UC_CNTRL = 3;
export const UC_RESET = 3;

/** Page E/F: a byte of the UART's receive FIFO with its valid bit. */
export const UART_FIFO_VALID = 1 << 8;

/** SERIAL: serial interface control. */
export const SER_P2_END_INC_SHIFT = 19;
export const SER_P2_END_INC = 7 << SER_P2_END_INC_SHIFT;
export const SER_P2_ST_INC_SHIFT = 16;
export const SER_P2_ST_INC = 7 << SER_P2_ST_INC_SHIFT;
export const SER_R1_LOOP_SEL = 1 << 15;
export const SER_P2_LOOP_SEL = 1 << 14;
export const SER_P1_LOOP_SEL = 1 << 13;
export const SER_P2_PAUSE = 1 << 12;
export const SER_P1_PAUSE = 1 << 11;
export const SER_R1_INTEN = 1 << 10;
export const SER_P2_INTEN = 1 << 9;
export const SER_P1_INTEN = 1 << 8;
export const SER_P1_SCT_RLD = 1 << 7;
export const SER_P2_DAC_SEN = 1 << 6;
export const SER_R1_SHIFT = 4;
export const SER_P2_SHIFT = 2;
export const SER_P1_SHIFT = 0;
export const SER_WRITABLE = 0x003f_ffff;
/** A channel's two format bits, at its shift. */
export const FMT_STEREO = 1 << 0;
export const FMT_16_BIT = 1 << 1;

/** DAC2 and ADC run at this ÷ (PCLKDIV + 2). */
export const ES1370_CLOCK_HZ = 1_411_200;
/** DAC1's four clocks as dividers of the same: 5512.5, 11025, 22050, 44100 Hz. */
export const WTSRSEL_DIVISOR = [256, 128, 64, 32] as const;

export type ChannelName = 'DAC1' | 'DAC2' | 'ADC';

/** Where a channel's bits and registers lie. */
export interface ChannelMap {
  readonly name: ChannelName;
  readonly enable: number;
  readonly status: number;
  readonly formatShift: number;
  readonly interruptEnable: number;
  readonly stopMode: number;
  /** 0: the channel has none. */
  readonly pause: number;
  readonly countRegister: number;
}

export const DAC1_MAP: ChannelMap = {
  name: 'DAC1',
  enable: CTL_DAC1_EN,
  status: STAT_DAC1,
  formatShift: SER_P1_SHIFT,
  interruptEnable: SER_P1_INTEN,
  stopMode: SER_P1_LOOP_SEL,
  pause: SER_P1_PAUSE,
  countRegister: DAC1_COUNT,
};
export const DAC2_MAP: ChannelMap = {
  name: 'DAC2',
  enable: CTL_DAC2_EN,
  status: STAT_DAC2,
  formatShift: SER_P2_SHIFT,
  interruptEnable: SER_P2_INTEN,
  stopMode: SER_P2_LOOP_SEL,
  pause: SER_P2_PAUSE,
  countRegister: DAC2_COUNT,
};
export const ADC_MAP: ChannelMap = {
  name: 'ADC',
  enable: CTL_ADC_EN,
  status: STAT_ADC,
  formatShift: SER_R1_SHIFT,
  interruptEnable: SER_R1_INTEN,
  stopMode: SER_R1_LOOP_SEL,
  pause: 0,
  countRegister: ADC_COUNT,
};
