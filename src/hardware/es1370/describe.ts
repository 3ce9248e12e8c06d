import { akRegisterName, describeAkValue } from './ak4531.ts';
import {
  ADC_COUNT,
  ADC_FRAME,
  ADC_SIZE,
  CODEC,
  CONTROL,
  CTL_ADC_EN,
  CTL_ADC_STOP,
  CTL_CDC_EN,
  CTL_DAC1_EN,
  CTL_DAC2_EN,
  CTL_PCLKDIV,
  CTL_PCLKDIV_SHIFT,
  CTL_UART_EN,
  CTL_WTSRSEL,
  CTL_WTSRSEL_SHIFT,
  DAC1_COUNT,
  DAC1_FRAME,
  DAC1_SIZE,
  DAC2_COUNT,
  DAC2_FRAME,
  DAC2_SIZE,
  ES1370_CLOCK_HZ,
  ES1370_REGISTER_BYTES,
  MEMPAGE,
  PAGE_ADC,
  PAGE_DAC,
  PAGE_WINDOW,
  PHANTOM_FRAME,
  PHANTOM_SIZE,
  SER_P1_INTEN,
  SER_P1_LOOP_SEL,
  SER_P1_PAUSE,
  SER_P2_INTEN,
  SER_P2_LOOP_SEL,
  SER_P2_PAUSE,
  SER_R1_INTEN,
  SER_R1_LOOP_SEL,
  SERIAL,
  STAT_ADC,
  STAT_CSTAT,
  STAT_DAC1,
  STAT_DAC2,
  STAT_INTR,
  STAT_UART,
  STATUS,
  UART_DATA,
  WTSRSEL_DIVISOR,
} from './registers.ts';

const NAMES: ReadonlyMap<number, string> = new Map([
  [CONTROL, 'CONTROL'],
  [STATUS, 'STATUS'],
  [UART_DATA, 'UART'],
  [MEMPAGE, 'MEMPAGE'],
  [CODEC, 'CODEC'],
  [SERIAL, 'SERIAL'],
  [DAC1_COUNT, 'DAC1_COUNT'],
  [DAC2_COUNT, 'DAC2_COUNT'],
  [ADC_COUNT, 'ADC_COUNT'],
]);
const DAC_NAMES: ReadonlyMap<number, string> = new Map([
  [DAC1_FRAME, 'DAC1_FRAME'],
  [DAC1_SIZE, 'DAC1_SIZE'],
  [DAC2_FRAME, 'DAC2_FRAME'],
  [DAC2_SIZE, 'DAC2_SIZE'],
]);
const ADC_NAMES: ReadonlyMap<number, string> = new Map([
  [ADC_FRAME, 'ADC_FRAME'],
  [ADC_SIZE, 'ADC_SIZE'],
  [PHANTOM_FRAME, 'PHANTOM_FRAME'],
  [PHANTOM_SIZE, 'PHANTOM_SIZE'],
]);

/** The name of the dword register at `offset` (a multiple of 4) while memory page `page` is selected. */
export function es1370RegisterName(offset: number, page: number): string {
  const hex = offset.toString(16).toUpperCase().padStart(2, '0');
  if (offset < PAGE_WINDOW || offset >= ES1370_REGISTER_BYTES) return NAMES.get(offset) ?? `ES1370_${hex}`;
  const named =
    page === PAGE_DAC ? DAC_NAMES.get(offset) : page === PAGE_ADC ? ADC_NAMES.get(offset) : undefined;
  return named ?? `PAGE${page.toString(16).toUpperCase()}_${hex}`;
}

const STATUS_BITS: readonly (readonly [number, string])[] = [
  [STAT_INTR, 'INTR'],
  [STAT_CSTAT, 'CSTAT'],
  [STAT_UART, 'UART'],
  [STAT_DAC1, 'DAC1'],
  [STAT_DAC2, 'DAC2'],
  [STAT_ADC, 'ADC'],
];
const CONTROL_BITS: readonly (readonly [number, string])[] = [
  [CTL_ADC_STOP, 'ADC_STOP'],
  [CTL_DAC1_EN, 'DAC1_EN'],
  [CTL_DAC2_EN, 'DAC2_EN'],
  [CTL_ADC_EN, 'ADC_EN'],
  [CTL_UART_EN, 'UART_EN'],
  [CTL_CDC_EN, 'CDC_EN'],
];
const SERIAL_BITS: readonly (readonly [number, string])[] = [
  [SER_R1_LOOP_SEL, 'R1_LOOP_SEL'],
  [SER_P2_LOOP_SEL, 'P2_LOOP_SEL'],
  [SER_P1_LOOP_SEL, 'P1_LOOP_SEL'],
  [SER_P2_PAUSE, 'P2_PAUSE'],
  [SER_P1_PAUSE, 'P1_PAUSE'],
  [SER_R1_INTEN, 'R1_INTEN'],
  [SER_P2_INTEN, 'P2_INTEN'],
  [SER_P1_INTEN, 'P1_INTEN'],
];

function bits(value: number, table: readonly (readonly [number, string])[]): string {
  const set = table.filter(([bit]) => (value & bit) !== 0).map(([, name]) => name);
  return set.length === 0 ? 'none' : set.join(' ');
}

function format(code: number): string {
  return `${(code & 2) !== 0 ? '16' : '8'}-bit ${(code & 1) !== 0 ? 'stereo' : 'mono'}`;
}

/** What a value means in a register, in a few words; undefined where the number says it. */
export function describeEs1370Value(offset: number, page: number, value: number): string | undefined {
  switch (offset) {
    case CONTROL: {
      const divisor = ((value & CTL_PCLKDIV) >>> CTL_PCLKDIV_SHIFT) + 2;
      const dac1 = ES1370_CLOCK_HZ / WTSRSEL_DIVISOR[((value & CTL_WTSRSEL) >>> CTL_WTSRSEL_SHIFT) as 0];
      return `${bits(value, CONTROL_BITS)}; DAC1 ${dac1} Hz, DAC2 and ADC ${Math.round(ES1370_CLOCK_HZ / divisor)} Hz`;
    }
    case STATUS:
      return bits(value, STATUS_BITS);
    case CODEC: {
      const register = (value >>> 8) & 0xff;
      const meaning = describeAkValue(register, value & 0xff);
      return `${akRegisterName(register)} = ${(value & 0xff).toString(16).padStart(2, '0')}h${meaning === undefined ? '' : ` (${meaning})`}`;
    }
    case SERIAL:
      return `${bits(value, SERIAL_BITS)}; DAC1 ${format(value)}, DAC2 ${format(value >>> 2)}, ADC ${format(value >>> 4)}`;
    case DAC1_COUNT:
    case DAC2_COUNT:
    case ADC_COUNT:
      return `${(value & 0xffff) + 1} frames, ${value >>> 16} to go`;
    default:
      if (page !== PAGE_DAC && page !== PAGE_ADC) return undefined;
      return offset === DAC1_SIZE || offset === DAC2_SIZE
        ? `${((value & 0xffff) + 1) * 4} bytes, at byte ${(value >>> 16) * 4}`
        : undefined;
  }
}
