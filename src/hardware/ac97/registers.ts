/**
 * Register map of the AC'97 audio function of the Intel 82801AA (ICH): "82801AA and 82801AB Datasheet", chapter 12
 * (D31:F5). Offsets, flags and meanings are three named sets; nothing here has behaviour.
 */

/** Native audio mixer window, BAR0: the codec's registers, 00h–7Fh primary codec, 80h–FFh secondary (§12.2). */
export const NAM_BYTES = 256;
/** Native audio bus master window, BAR1 (§12.2). */
export const NABM_BYTES = 64;

/** The three bus master engines, by the offset of their register block (Table 12-3). */
export const ENGINE_OFFSET = { PI: 0x00, PO: 0x10, MC: 0x20 } as const;
export type EngineName = keyof typeof ENGINE_OFFSET;

/** Offsets inside an engine's block (§12.2.1–12.2.7). */
export const X_BDBAR = 0x00;
export const X_CIV = 0x04;
export const X_LVI = 0x05;
export const X_SR = 0x06;
export const X_PICB = 0x08;
export const X_PIV = 0x0a;
export const X_CR = 0x0b;

/** Global registers (§12.2.8–12.2.10). */
export const GLOB_CNT = 0x2c;
export const GLOB_STA = 0x30;
export const CAS = 0x34;

/** x_SR, status register (§12.2.4). */
export const SR_DCH = 1 << 0;
export const SR_CELV = 1 << 1;
export const SR_LVBCI = 1 << 2;
export const SR_BCIS = 1 << 3;
export const SR_FIFOE = 1 << 4;
/** Bits that software clears by writing ones. */
export const SR_WRITE_CLEAR = SR_LVBCI | SR_BCIS | SR_FIFOE;

/** x_CR, control register (§12.2.7). */
export const CR_RPBM = 1 << 0;
export const CR_RR = 1 << 1;
export const CR_LVBIE = 1 << 2;
export const CR_FEIE = 1 << 3;
export const CR_IOCE = 1 << 4;
/** Bits that survive RR. */
export const CR_INTERRUPT_ENABLES = CR_LVBIE | CR_FEIE | CR_IOCE;

/** GLOB_CNT (§12.2.8). */
export const CNT_GIE = 1 << 0;
/** AC'97 Cold Reset#: active low. */
export const CNT_COLD_RESET = 1 << 1;
export const CNT_WARM_RESET = 1 << 2;
export const CNT_ACLINK_OFF = 1 << 3;
export const CNT_PRIE = 1 << 4;
export const CNT_SRIE = 1 << 5;
/** PCM 4/6 channel enable: 00 two channels, 01 four, 10 six. Stored; the codec here has slots 3 and 4 only. */
export const CNT_PCM_246 = 3 << 20;
export const CNT_WRITABLE = CNT_GIE | CNT_COLD_RESET | CNT_ACLINK_OFF | CNT_PRIE | CNT_SRIE | CNT_PCM_246;

/** GLOB_STA (§12.2.9). */
export const STA_GSCI = 1 << 0;
export const STA_MIINT = 1 << 1;
export const STA_MOINT = 1 << 2;
export const STA_PIINT = 1 << 5;
export const STA_POINT = 1 << 6;
export const STA_MINT = 1 << 7;
export const STA_PCR = 1 << 8;
export const STA_SCR = 1 << 9;
export const STA_PRI = 1 << 10;
export const STA_SRI = 1 << 11;
export const STA_RCS = 1 << 15;
export const STA_AD3 = 1 << 16;
export const STA_MD3 = 1 << 17;
export const STA_WRITE_CLEAR = STA_GSCI | STA_PRI | STA_SRI | STA_RCS;
export const STA_WRITABLE = STA_AD3 | STA_MD3;

/** CAS, codec access semaphore: reading takes it, the next codec access gives it back (§12.2.10). */
export const CAS_CAS = 1 << 0;

/** Buffer descriptor, second dword (§12.1 "Buffer Descriptor"; AC'97 Programmer's Reference Manual, Table 6). */
export const BD_IOC = 0x8000_0000;
export const BD_BUP = 0x4000_0000;
export const BD_LENGTH = 0xffff;

export type RegisterAccess = 'RO' | 'RW' | 'RW, RO' | 'R/WC, RO' | 'R/WC, RW, RO';

/** One named bit field of a register. */
export interface RegisterField {
  readonly name: string;
  readonly mask: number;
  readonly meaning: string;
}

/** One register as a listing shows it, and as the trace names it. */
export interface RegisterDescription {
  /** The name in the trace: `PO_LVI`, `GLOB_STA`. */
  readonly name: string;
  readonly offset: number;
  readonly widthBytes: 1 | 2 | 4;
  readonly access: RegisterAccess;
  readonly resetValue: number;
  readonly meaning: string;
  readonly fields: readonly RegisterField[];
}

const srFields: readonly RegisterField[] = [
  { name: 'DCH', mask: SR_DCH, meaning: 'DMA controller halted' },
  { name: 'CELV', mask: SR_CELV, meaning: 'current equals last valid, and done' },
  { name: 'LVBCI', mask: SR_LVBCI, meaning: 'last valid buffer completed (write 1 to clear)' },
  { name: 'BCIS', mask: SR_BCIS, meaning: 'a buffer with IOC completed (write 1 to clear)' },
  {
    name: 'FIFOE',
    mask: SR_FIFOE,
    meaning: 'FIFO ran over or dry while buffers were valid (write 1 to clear)',
  },
];

const crFields: readonly RegisterField[] = [
  { name: 'RPBM', mask: CR_RPBM, meaning: 'run (1) or pause (0) the bus master' },
  { name: 'RR', mask: CR_RR, meaning: 'reset registers, clears itself' },
  { name: 'LVBIE', mask: CR_LVBIE, meaning: 'LVBCI interrupts' },
  { name: 'FEIE', mask: CR_FEIE, meaning: 'FIFOE interrupts' },
  { name: 'IOCE', mask: CR_IOCE, meaning: 'BCIS interrupts' },
];

function engineRegisters(engine: EngineName, channel: string): readonly RegisterDescription[] {
  const at = (offset: number): number => ENGINE_OFFSET[engine] + offset;
  const row = (
    name: string,
    offset: number,
    widthBytes: 1 | 2 | 4,
    access: RegisterAccess,
    meaning: string,
    resetValue = 0,
    fields: readonly RegisterField[] = [],
  ): RegisterDescription => ({
    name: `${engine}_${name}`,
    offset: at(offset),
    widthBytes,
    access,
    resetValue,
    meaning: `${channel}: ${meaning}`,
    fields,
  });
  return [
    row('BDBAR', X_BDBAR, 4, 'RW', 'base of the descriptor list, 8-byte aligned'),
    row('CIV', X_CIV, 1, 'RO', 'index of the descriptor in progress'),
    row('LVI', X_LVI, 1, 'RW', 'index of the last valid descriptor'),
    row('SR', X_SR, 2, 'R/WC, RO', 'status', SR_DCH, srFields),
    row('PICB', X_PICB, 2, 'RO', 'samples of the current buffer not yet moved between memory and FIFO'),
    row('PIV', X_PIV, 1, 'RO', 'index of the prefetched descriptor'),
    row('CR', X_CR, 1, 'RW', 'control', 0, crFields),
  ];
}

/** Every register of the bus master window (BAR1), in order of offset. */
export const NABM_REGISTERS: readonly RegisterDescription[] = [
  ...engineRegisters('PI', 'PCM in'),
  ...engineRegisters('PO', 'PCM out'),
  ...engineRegisters('MC', 'Mic in'),
  {
    name: 'GLOB_CNT',
    offset: GLOB_CNT,
    widthBytes: 4,
    access: 'RW',
    resetValue: 0,
    meaning: 'global control',
    fields: [
      { name: 'GIE', mask: CNT_GIE, meaning: 'interrupt on a change of a general purpose input' },
      { name: 'COLD_RESET#', mask: CNT_COLD_RESET, meaning: '0 holds link and codec in reset' },
      { name: 'WARM_RESET', mask: CNT_WARM_RESET, meaning: 'wakes a sleeping link, clears itself' },
      { name: 'ACLINK_OFF', mask: CNT_ACLINK_OFF, meaning: 'AC-link signals off' },
      { name: 'PRIE', mask: CNT_PRIE, meaning: 'primary codec resume interrupts' },
      { name: 'SRIE', mask: CNT_SRIE, meaning: 'secondary codec resume interrupts' },
      { name: 'PCM_246', mask: CNT_PCM_246, meaning: '2, 4 or 6 channels of PCM out' },
    ],
  },
  {
    name: 'GLOB_STA',
    offset: GLOB_STA,
    widthBytes: 4,
    access: 'R/WC, RW, RO',
    resetValue: 0,
    meaning: 'global status',
    fields: [
      { name: 'GSCI', mask: STA_GSCI, meaning: 'a general purpose input changed' },
      { name: 'MIINT', mask: STA_MIINT, meaning: 'modem in interrupts' },
      { name: 'MOINT', mask: STA_MOINT, meaning: 'modem out interrupts' },
      { name: 'PIINT', mask: STA_PIINT, meaning: 'PCM in interrupts' },
      { name: 'POINT', mask: STA_POINT, meaning: 'PCM out interrupts' },
      { name: 'MINT', mask: STA_MINT, meaning: 'mic in interrupts' },
      { name: 'PCR', mask: STA_PCR, meaning: 'primary codec ready' },
      { name: 'SCR', mask: STA_SCR, meaning: 'secondary codec ready' },
      { name: 'PRI', mask: STA_PRI, meaning: 'primary codec resumed' },
      { name: 'SRI', mask: STA_SRI, meaning: 'secondary codec resumed' },
      { name: 'RCS', mask: STA_RCS, meaning: 'a codec read timed out' },
      { name: 'AD3', mask: STA_AD3, meaning: 'audio power-down semaphore' },
      { name: 'MD3', mask: STA_MD3, meaning: 'modem power-down semaphore' },
    ],
  },
  {
    name: 'CAS',
    offset: CAS,
    widthBytes: 1,
    access: 'RO',
    resetValue: 0,
    meaning: 'codec access semaphore',
    fields: [
      { name: 'CAS', mask: CAS_CAS, meaning: 'taken by reading, given back by the next codec access' },
    ],
  },
];
