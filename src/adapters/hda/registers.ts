/**
 * Registers of an Intel High Definition Audio controller: offsets, flags and meanings, from the HDA specification 1.0a, chapter 3, and
 * the ICH6 and ICH9 datasheets. All are little-endian memory behind BAR0.
 */

/* ---- global registers (§3.3.2–3.3.17) ---- */

/** Word, RO: numbers of streams and whether addresses above 4 GiB work. */
export const GCAP = 0x00;
/** Dword. */
export const GCTL = 0x08;
/** Word: which codecs may wake or interrupt by a change of state. */
export const WAKEEN = 0x0c;
/** Word, write 1 to clear: codecs that announced themselves. */
export const STATESTS = 0x0e;
/** Dword. */
export const INTCTL = 0x20;
/** Dword, RO. */
export const INTSTS = 0x24;
/** Dword, RO: 24 MHz. */
export const WALCLK = 0x30;

/* ---- command and response rings (§3.3.18–3.3.31) ---- */

export const CORBLBASE = 0x40;
export const CORBUBASE = 0x44;
/** Word. */
export const CORBWP = 0x48;
/** Word. */
export const CORBRP = 0x4a;
/** Byte. */
export const CORBCTL = 0x4c;
/** Byte, write 1 to clear. */
export const CORBSTS = 0x4d;
/** Byte. */
export const CORBSIZE = 0x4e;
export const RIRBLBASE = 0x50;
export const RIRBUBASE = 0x54;
/** Word. */
export const RIRBWP = 0x58;
/** Word. */
export const RINTCNT = 0x5a;
/** Byte. */
export const RIRBCTL = 0x5c;
/** Byte, write 1 to clear. */
export const RIRBSTS = 0x5d;
/** Byte. */
export const RIRBSIZE = 0x5e;

/* ---- immediate commands (§3.4) ---- */

export const ICOI = 0x60;
export const ICII = 0x64;
/** Word. */
export const ICIS = 0x68;

/* ---- stream descriptors (§3.3.35–3.3.43): input first, then output, then bidirectional ---- */

export const SD_BASE = 0x80;
export const SD_BYTES = 0x20;
/** Byte: SRST, RUN and interrupt enables. */
export const SD_CTL = 0x00;
/** Byte: the stream number in its high half. */
export const SD_CTL_STRM = 0x02;
/** Byte, write 1 to clear. */
export const SD_STS = 0x03;
/** Dword, RO. */
export const SD_LPIB = 0x04;
/** Dword. */
export const SD_CBL = 0x08;
/** Word. */
export const SD_LVI = 0x0c;
/** Word, RO. */
export const SD_FIFOS = 0x10;
/** Word. */
export const SD_FMT = 0x12;
export const SD_BDPL = 0x18;
export const SD_BDPU = 0x1c;

/** WALCLK and the LPIBs are there once more, in pages that hold nothing else and may be shown to applications (§3.3.39, §3.3.16). */
export const ALIASES = 0x2000;

/* ---- flags ---- */

export const GCAP_64OK = 1 << 0;
export const GCTL_CRST = 1 << 0;
export const GCTL_UNSOL = 1 << 8;
/** INTCTL and INTSTS: bit n is stream descriptor n. */
export const INT_CONTROLLER = 0x4000_0000;
export const INT_GLOBAL = 0x8000_0000;

export const CORBRP_RESET = 1 << 15;
export const CORBCTL_RUN = 1 << 1;
export const RIRBWP_RESET = 1 << 15;
export const RIRBCTL_RINTCTL = 1 << 0;
export const RIRBCTL_DMAEN = 1 << 1;
export const RIRBSTS_RINTFL = 1 << 0;
export const RIRBSTS_OIS = 1 << 2;
/** Second dword of a response: codec address, and whether nobody asked for it (§4.4.2.1). */
export const RESPONSE_CODEC = 0x0f;
export const RESPONSE_UNSOLICITED = 1 << 4;

export const ICIS_ICB = 1 << 0;
export const ICIS_IRV = 1 << 1;

export const SD_CTL_SRST = 1 << 0;
export const SD_CTL_RUN = 1 << 1;
export const SD_CTL_IOCE = 1 << 2;
export const SD_CTL_DEIE = 1 << 4;
export const SD_STS_BCIS = 1 << 2;
export const SD_STS_FIFOE = 1 << 3;
export const SD_STS_DESE = 1 << 4;
export const SD_STS_W1C = SD_STS_BCIS | SD_STS_FIFOE | SD_STS_DESE;

/* ---- buffer descriptor lists (§3.6.2, §3.6.3) ---- */

export const BDL_ENTRY_BYTES = 16;
export const BDL_ENTRIES = 256;
export const BDL_IOC = 1 << 0;
/** Where buffers begin, and what their lengths are multiples of. */
export const BUFFER_ALIGNMENT = 128;

/* ---- meanings ---- */

export const WALL_CLOCK_HZ = 24_000_000;
/** Codecs a link can have (§4.3: SDI numbers 0–14). */
export const CODEC_ADDRESSES = 15;

/** GCAP's numbers of stream descriptors. */
export function streamCounts(gcap: number): { input: number; output: number; bidirectional: number } {
  return { input: (gcap >>> 8) & 0x0f, output: (gcap >>> 12) & 0x0f, bidirectional: (gcap >>> 3) & 0x1f };
}

/* ---- configuration space (ICH6 datasheet, §18.1; ICH9, §17.1) ---- */

/** Byte: bit 0 says that the link's pins carry HDA, not AC'97. */
export const PCI_HDCTL = 0x40;
export const HDCTL_AZALIA = 1 << 0;
/** Byte: traffic class of DMA in bits 2:0. */
export const PCI_TCSEL = 0x44;
export const TCSEL_CLASS = 0x07;
/** PCI Express capability, and the word in it that lets transfers go past the processor's caches. */
export const PCI_CAPABILITY_ID_PCI_EXPRESS = 0x10;
export const PCIE_DEVICE_CONTROL = 8;
export const PCIE_DEVICE_CONTROL_NO_SNOOP = 1 << 11;
