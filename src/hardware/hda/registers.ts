/**
 * Register map of an Intel High Definition Audio controller: HDA specification 1.0a, chapter 3, with what the ICH6 and ICH9 add to
 * it ("Intel I/O Controller Hub 6 Family Datasheet", chapter 18; ICH9, chapter 17). Offsets, flags and meanings are three named
 * sets; nothing here has behaviour.
 */

/** The window behind BAR0: 8 KiB of registers, then their aliases (§3.3.39, §3.3.43). */
export const HDA_BYTES = 0x4000;
export const HDA_ALIAS = 0x2000;
export const HDA_INPUT_STREAMS = 4;
export const HDA_OUTPUT_STREAMS = 4;
export const HDA_STREAMS = HDA_INPUT_STREAMS + HDA_OUTPUT_STREAMS;

/** Global registers (§3.3.2–3.3.17). */
export const GCAP = 0x00;
export const VMIN = 0x02;
export const VMAJ = 0x03;
export const OUTPAY = 0x04;
export const INPAY = 0x06;
export const GCTL = 0x08;
export const WAKEEN = 0x0c;
export const STATESTS = 0x0e;
export const GSTS = 0x10;
export const OUTSTRMPAY = 0x18;
export const INSTRMPAY = 0x1a;
export const INTCTL = 0x20;
export const INTSTS = 0x24;
export const WALCLK = 0x30;
/** Where the ICH has it; the specification's text and later chips have 38h. */
export const SSYNC = 0x34;

/** Command outbound ring buffer (§3.3.18–3.3.24). */
export const CORBLBASE = 0x40;
export const CORBUBASE = 0x44;
export const CORBWP = 0x48;
export const CORBRP = 0x4a;
export const CORBCTL = 0x4c;
export const CORBSTS = 0x4d;
export const CORBSIZE = 0x4e;

/** Response inbound ring buffer (§3.3.25–3.3.31). */
export const RIRBLBASE = 0x50;
export const RIRBUBASE = 0x54;
export const RIRBWP = 0x58;
export const RINTCNT = 0x5a;
export const RIRBCTL = 0x5c;
export const RIRBSTS = 0x5d;
export const RIRBSIZE = 0x5e;

/** Immediate command interface (§3.4.1–3.4.3). */
export const ICOI = 0x60;
export const ICII = 0x64;
export const ICIS = 0x68;

/** DMA position buffer (§3.3.32, §3.3.33). */
export const DPLBASE = 0x70;
export const DPUBASE = 0x74;

/** Stream descriptors: input streams first, then output (§3.3.34). */
export const SD_BASE = 0x80;
export const SD_BYTES = 0x20;
/** Offsets inside a stream descriptor (§3.3.35–3.3.43). */
export const SD_CTL = 0x00;
export const SD_STS = 0x03;
export const SD_LPIB = 0x04;
export const SD_CBL = 0x08;
export const SD_LVI = 0x0c;
/** FIFO watermark: the ICH's own. */
export const SD_FIFOW = 0x0e;
export const SD_FIFOS = 0x10;
export const SD_FMT = 0x12;
export const SD_BDPL = 0x18;
export const SD_BDPU = 0x1c;

/** GCAP: four streams out and in, no bidirectional ones, 64-bit addresses. */
export const GCAP_VALUE = (HDA_OUTPUT_STREAMS << 12) | (HDA_INPUT_STREAMS << 8) | 1;
/** Words a link frame carries: 60 out, 29 in (§3.3.5, §3.3.6). */
export const OUTPAY_VALUE = 0x3c;
export const INPAY_VALUE = 0x1d;
/** The most one stream may take of them. */
export const OUTSTRMPAY_VALUE = 0x30;
export const INSTRMPAY_VALUE = 0x18;

/** GCTL (§3.3.7). */
export const GCTL_CRST = 1 << 0;
export const GCTL_FCNTRL = 1 << 1;
export const GCTL_UNSOL = 1 << 8;

/** GSTS (§3.3.10). */
export const GSTS_FSTS = 1 << 1;

/** INTCTL and INTSTS (§3.3.14, §3.3.15). */
export const INT_STREAMS = (1 << HDA_STREAMS) - 1;
export const INT_CONTROLLER = 0x4000_0000;
export const INT_GLOBAL = 0x8000_0000;

/** CORBRP, RIRBWP (§3.3.21, §3.3.27). */
export const RING_POINTER_RESET = 1 << 15;
/** Both rings have 256 entries, and no other size (§3.3.24, §3.3.31). */
export const RING_SIZE_256 = 0x42;
export const RING_ENTRIES = 256;

export const CORBCTL_CMEIE = 1 << 0;
export const CORBCTL_RUN = 1 << 1;
export const CORBSTS_CMEI = 1 << 0;
export const RIRBCTL_RINTCTL = 1 << 0;
export const RIRBCTL_DMAEN = 1 << 1;
export const RIRBCTL_OIC = 1 << 2;
export const RIRBSTS_RINTFL = 1 << 0;
export const RIRBSTS_OIS = 1 << 2;
/** Second dword of a response in the RIRB (§4.4.2.1). */
export const RESPONSE_UNSOLICITED = 1 << 4;

/** ICIS (§3.4.3). */
export const ICIS_ICB = 1 << 0;
export const ICIS_IRV = 1 << 1;
export const ICIS_UNSOLICITED = 1 << 3;

export const DPLBASE_ENABLE = 1 << 0;

/** SDnCTL, 24 bits (§3.3.35). */
export const CTL_SRST = 1 << 0;
export const CTL_RUN = 1 << 1;
export const CTL_IOCE = 1 << 2;
export const CTL_FEIE = 1 << 3;
export const CTL_DEIE = 1 << 4;
/** Traffic priority: all streams of the ICHs prefer the other virtual channel, and none is striped (ICH6, §18.2.33). */
export const CTL_TP = 1 << 18;
export const CTL_STRM_SHIFT = 20;
export const CTL_STRM = 0x0f << CTL_STRM_SHIFT;
export const CTL_WRITABLE = CTL_SRST | CTL_RUN | CTL_IOCE | CTL_FEIE | CTL_DEIE | CTL_STRM;

/** SDnSTS (§3.3.36). */
export const STS_BCIS = 1 << 2;
export const STS_FIFOE = 1 << 3;
export const STS_DESE = 1 << 4;
export const STS_FIFORDY = 1 << 5;
export const STS_WRITE_CLEAR = STS_BCIS | STS_FIFOE | STS_DESE;

/** SDnFMT (§3.3.41): unlike a converter's format it has no bit 15; bit 7 is reserved in both. */
export const FMT_WRITABLE = 0x7f7f;

/** Depths of an output FIFO, less one, that software may choose besides the full one (ICH6, §18.2.39). */
export const FIFOS_SHORTER: readonly number[] = [0x0f, 0x1f, 0x3f, 0x7f];

/** Buffer descriptor list: 16 bytes an entry, at most 256, on a 128-byte boundary (§3.6.2, §3.6.3). */
export const BDL_ENTRY_BYTES = 16;
export const BDL_IOC = 1 << 0;

/** What software may do with a register. */
export type HdaRegisterAccess = 'RO' | 'RW' | 'RW1C' | 'WO';

/** A field worth naming in a trace. */
export interface HdaFieldDescription {
  readonly name: string;
  readonly mask: number;
}

/** One register of the window. */
export interface HdaRegisterDescription {
  readonly name: string;
  readonly offset: number;
  readonly widthBytes: 1 | 2 | 3 | 4;
  readonly access: HdaRegisterAccess;
  readonly meaning: string;
  readonly fields: readonly HdaFieldDescription[];
}

function register(
  name: string,
  offset: number,
  widthBytes: 1 | 2 | 3 | 4,
  access: HdaRegisterAccess,
  meaning: string,
  fields: Readonly<Record<string, number>> = {},
): HdaRegisterDescription {
  return {
    name,
    offset,
    widthBytes,
    access,
    meaning,
    fields: Object.entries(fields).map(([field, mask]) => ({ name: field, mask })),
  };
}

const GLOBAL_REGISTERS: readonly HdaRegisterDescription[] = [
  register('GCAP', GCAP, 2, 'RO', 'streams of each direction, 64-bit addressing', { '64OK': 1 }),
  register('VMIN', VMIN, 1, 'RO', 'minor version of the specification'),
  register('VMAJ', VMAJ, 1, 'RO', 'major version of the specification'),
  register('OUTPAY', OUTPAY, 2, 'RO', 'words a link frame can carry out'),
  register('INPAY', INPAY, 2, 'RO', 'words a link frame can carry in'),
  register('GCTL', GCTL, 4, 'RW', 'reset, flush, unsolicited responses', {
    CRST: GCTL_CRST,
    FCNTRL: GCTL_FCNTRL,
    UNSOL: GCTL_UNSOL,
  }),
  register('WAKEEN', WAKEEN, 2, 'RW', 'codecs whose state change interrupts or wakes'),
  register('STATESTS', STATESTS, 2, 'RW1C', 'codecs that announced themselves or changed'),
  register('GSTS', GSTS, 2, 'RW1C', 'flush done', { FSTS: GSTS_FSTS }),
  register('OUTSTRMPAY', OUTSTRMPAY, 2, 'RO', 'words one output stream may take'),
  register('INSTRMPAY', INSTRMPAY, 2, 'RO', 'words one input stream may take'),
  register('INTCTL', INTCTL, 4, 'RW', 'interrupt enables', { GIE: INT_GLOBAL, CIE: INT_CONTROLLER }),
  register('INTSTS', INTSTS, 4, 'RO', 'interrupt sources', { GIS: INT_GLOBAL, CIS: INT_CONTROLLER }),
  register('WALCLK', WALCLK, 4, 'RO', '24 MHz wall clock'),
  register('SSYNC', SSYNC, 4, 'RW', 'streams held until started together'),
  register('CORBLBASE', CORBLBASE, 4, 'RW', 'command ring, address'),
  register('CORBUBASE', CORBUBASE, 4, 'RW', 'command ring, address above 4 GiB'),
  register('CORBWP', CORBWP, 2, 'RW', 'last command written by software'),
  register('CORBRP', CORBRP, 2, 'RW', 'last command fetched', { CORBRPRST: RING_POINTER_RESET }),
  register('CORBCTL', CORBCTL, 1, 'RW', 'command ring control', {
    CMEIE: CORBCTL_CMEIE,
    CORBRUN: CORBCTL_RUN,
  }),
  register('CORBSTS', CORBSTS, 1, 'RW1C', 'command ring status', { CMEI: CORBSTS_CMEI }),
  register('CORBSIZE', CORBSIZE, 1, 'RO', 'command ring size'),
  register('RIRBLBASE', RIRBLBASE, 4, 'RW', 'response ring, address'),
  register('RIRBUBASE', RIRBUBASE, 4, 'RW', 'response ring, address above 4 GiB'),
  register('RIRBWP', RIRBWP, 2, 'RW', 'last response written', { RIRBWPRST: RING_POINTER_RESET }),
  register('RINTCNT', RINTCNT, 2, 'RW', 'responses to an interrupt'),
  register('RIRBCTL', RIRBCTL, 1, 'RW', 'response ring control', {
    RINTCTL: RIRBCTL_RINTCTL,
    RIRBDMAEN: RIRBCTL_DMAEN,
    RIRBOIC: RIRBCTL_OIC,
  }),
  register('RIRBSTS', RIRBSTS, 1, 'RW1C', 'response ring status', {
    RINTFL: RIRBSTS_RINTFL,
    RIRBOIS: RIRBSTS_OIS,
  }),
  register('RIRBSIZE', RIRBSIZE, 1, 'RO', 'response ring size'),
  register('ICOI', ICOI, 4, 'RW', 'immediate command'),
  register('ICII', ICII, 4, 'RO', 'immediate response'),
  register('ICIS', ICIS, 2, 'RW', 'immediate command status', { ICB: ICIS_ICB, IRV: ICIS_IRV }),
  register('DPLBASE', DPLBASE, 4, 'RW', 'position buffer, address', { ENABLE: DPLBASE_ENABLE }),
  register('DPUBASE', DPUBASE, 4, 'RW', 'position buffer, address above 4 GiB'),
];

/** `ISD0` … `ISD3`, `OSD0` … `OSD3`, as the ICH datasheets have them. */
export const HDA_STREAM_NAMES: readonly string[] = Array.from({ length: HDA_STREAMS }, (_, index) =>
  index < HDA_INPUT_STREAMS ? `ISD${index}` : `OSD${index - HDA_INPUT_STREAMS}`,
);

const STREAM_REGISTERS: readonly HdaRegisterDescription[] = HDA_STREAM_NAMES.flatMap((name, index) => {
  const base = SD_BASE + SD_BYTES * index;
  return [
    register(`${name}CTL`, base + SD_CTL, 3, 'RW', 'stream control', {
      SRST: CTL_SRST,
      RUN: CTL_RUN,
      IOCE: CTL_IOCE,
      FEIE: CTL_FEIE,
      DEIE: CTL_DEIE,
    }),
    register(`${name}STS`, base + SD_STS, 1, 'RW1C', 'stream status', {
      BCIS: STS_BCIS,
      FIFOE: STS_FIFOE,
      DESE: STS_DESE,
      FIFORDY: STS_FIFORDY,
    }),
    register(`${name}LPIB`, base + SD_LPIB, 4, 'RO', 'link position in the cyclic buffer'),
    register(`${name}CBL`, base + SD_CBL, 4, 'RW', 'length of the cyclic buffer'),
    register(`${name}LVI`, base + SD_LVI, 2, 'RW', 'last valid descriptor'),
    register(`${name}FIFOW`, base + SD_FIFOW, 2, 'RW', 'FIFO watermark'),
    register(
      `${name}FIFOS`,
      base + SD_FIFOS,
      2,
      index < HDA_INPUT_STREAMS ? 'RO' : 'RW',
      'FIFO size, bytes less one',
    ),
    register(`${name}FMT`, base + SD_FMT, 2, 'RW', 'stream format'),
    register(`${name}BDPL`, base + SD_BDPL, 4, 'RW', 'descriptor list, address'),
    register(`${name}BDPU`, base + SD_BDPU, 4, 'RW', 'descriptor list, address above 4 GiB'),
  ];
});

const ALIAS_REGISTERS: readonly HdaRegisterDescription[] = [
  register('WALCLKA', WALCLK + HDA_ALIAS, 4, 'RO', 'alias of WALCLK'),
  ...HDA_STREAM_NAMES.map((name, index) =>
    register(
      `${name}LPIBA`,
      SD_BASE + SD_BYTES * index + SD_LPIB + HDA_ALIAS,
      4,
      'RO',
      `alias of ${name}LPIB`,
    ),
  ),
];

/** Every register of the window in order of its offset. */
export const HDA_REGISTERS: readonly HdaRegisterDescription[] = [
  ...GLOBAL_REGISTERS,
  ...STREAM_REGISTERS,
  ...ALIAS_REGISTERS,
];
