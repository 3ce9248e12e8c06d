/**
 * Registers of the Ensoniq ES1370 as its driver sees them ("AudioPCI ES1370 Specification"), and of the AK4531 mixer behind it (AK4531
 * datasheet). All of the ES1370's are read and written as dwords, but the UART's, which are bytes.
 */

export const CONTROL = 0x00;
export const STATUS = 0x04;
export const UART_DATA = 0x08; // 8 bits
export const UART_STATUS = 0x09; // 8 bits, read
export const UART_CONTROL = 0x09; // 8 bits, write
export const MEMPAGE = 0x0c;
export const CODEC = 0x10; // write only
export const SERIAL = 0x20;

/** CONTROL. */
export const CTL_PCLKDIV_SHIFT = 16;
export const CTL_PCLKDIV = 0x1fff << CTL_PCLKDIV_SHIFT;
export const CTL_WTSRSEL_SHIFT = 12;
export const CTL_WTSRSEL = 3 << CTL_WTSRSEL_SHIFT;
export const CTL_DAC1_EN = 1 << 6;
export const CTL_DAC2_EN = 1 << 5;
export const CTL_ADC_EN = 1 << 4;
export const CTL_UART_EN = 1 << 3;
export const CTL_CDC_EN = 1 << 1;
export const CTL_SERR_DIS = 1 << 0;

/** STATUS. */
export const STAT_INTR = 0x8000_0000;
/** The codec takes no write now. */
export const STAT_CSTAT = 1 << 10;
export const STAT_UART = 1 << 3;
export const STAT_DAC1 = 1 << 2;
export const STAT_DAC2 = 1 << 1;
export const STAT_ADC = 1 << 0;

/** SERIAL. */
export const SER_P2_END_INC_SHIFT = 19;
export const SER_P2_PAUSE = 1 << 12;
export const SER_P1_PAUSE = 1 << 11;
export const SER_R1_INTEN = 1 << 10;
export const SER_P2_INTEN = 1 << 9;
export const SER_P1_INTEN = 1 << 8;
export const FORMAT_STEREO = 1 << 0;
export const FORMAT_16_BIT = 1 << 1;
export const FORMAT_MASK = FORMAT_STEREO | FORMAT_16_BIT;

/** UART. */
export const UART_STATUS_RXRDY = 1 << 0;
export const UART_STATUS_TXRDY = 1 << 1;
export const UART_CONTROL_RXINTEN = 1 << 7;
export const UART_CONTROL_RESET = 3;

/** DAC2 and ADC: this ÷ (PCLKDIV + 2). */
export const CLOCK_HZ = 1_411_200;
/** DAC1: the same ÷ one of these, by WTSRSEL. */
export const DAC1_DIVISORS = [256, 128, 64, 32] as const;

export type ChannelName = 'DAC1' | 'DAC2' | 'ADC';
export const CHANNEL_NAMES: readonly ChannelName[] = ['DAC1', 'DAC2', 'ADC'];

/** Where a channel's registers and bits lie. */
export interface Channel {
  readonly enable: number;
  readonly status: number;
  readonly interruptEnable: number;
  /** 0: none. */
  readonly pause: number;
  readonly formatShift: number;
  readonly count: number;
  /** Memory page and offsets of buffer address and size. */
  readonly page: number;
  readonly frame: number;
  readonly size: number;
}

export const CHANNELS: Readonly<Record<ChannelName, Channel>> = {
  DAC1: {
    enable: CTL_DAC1_EN,
    status: STAT_DAC1,
    interruptEnable: SER_P1_INTEN,
    pause: SER_P1_PAUSE,
    formatShift: 0,
    count: 0x24,
    page: 0x0c,
    frame: 0x30,
    size: 0x34,
  },
  DAC2: {
    enable: CTL_DAC2_EN,
    status: STAT_DAC2,
    interruptEnable: SER_P2_INTEN,
    pause: SER_P2_PAUSE,
    formatShift: 2,
    count: 0x28,
    page: 0x0c,
    frame: 0x38,
    size: 0x3c,
  },
  ADC: {
    enable: CTL_ADC_EN,
    status: STAT_ADC,
    interruptEnable: SER_R1_INTEN,
    pause: 0,
    formatShift: 4,
    count: 0x2c,
    page: 0x0d,
    frame: 0x30,
    size: 0x34,
  },
};

/* ---- AK4531 ---- */

export const AK_LMASTER = 0x00;
export const AK_RMASTER = 0x01;
export const AK_LVOICE = 0x02; // DAC2
export const AK_RVOICE = 0x03;
export const AK_LFM = 0x04; // DAC1
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
export const AK_REGISTER_COUNT = 0x1a;

export const AK_MUTE = 0x80;
/** RESET: neither reset nor powered down. */
export const AK_RUNNING = 0x03;
/** RESET: powered down, its registers kept. */
export const AK_POWERED_DOWN = 0x01;
export const AK_MIC_30_DB = 1 << 0;

/** OUT_SW1, and the same sources in LIN_SW1 and RIN_SW1. */
export const SW1_MIC = 1 << 0;
export const SW1_CDR = 1 << 1;
export const SW1_CDL = 1 << 2;
export const SW1_LINER = 1 << 3;
export const SW1_LINEL = 1 << 4;
export const SW1_FMR = 1 << 5;
export const SW1_FML = 1 << 6;
/** OUT_SW2. */
export const OUT2_MONO1 = 1 << 0;
export const OUT2_MONO2 = 1 << 1;
export const OUT2_VOICER = 1 << 2;
export const OUT2_VOICEL = 1 << 3;
export const OUT2_AUXR = 1 << 4;
export const OUT2_AUXL = 1 << 5;
/** LIN_SW2 and RIN_SW2. */
export const IN2_MONO1 = 1 << 0;
export const IN2_MONO2 = 1 << 1;
export const IN2_VOICE = 1 << 2;
export const IN2_AUXR = 1 << 3;
export const IN2_AUXL = 1 << 4;
