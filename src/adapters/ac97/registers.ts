/**
 * Registers of the Intel ICH AC'97 audio function as its driver sees them: Intel 82801AA datasheet (290655), chapter
 * "AC '97 Audio Controller Registers", and the AC'97 Component Specification 2.3, section 5.7 (mixer) and Appendix A.
 */

/* ---- Native audio bus master (NABM, second BAR): one block per DMA engine ---- */

/** Base offsets of the three engines within the NABM window. */
export const NABM_PI = 0x00;
export const NABM_PO = 0x10;
export const NABM_MC = 0x20;

/** Offsets within an engine's block. */
export const X_BDBAR = 0x00; // 32 bits, physical address of the 32-entry descriptor list
export const X_CIV = 0x04; // 8 bits, read only
export const X_LVI = 0x05; // 8 bits
export const X_SR = 0x06; // 16 bits
export const X_PICB = 0x08; // 16 bits, read only
export const X_PIV = 0x0a; // 8 bits, read only
export const X_CR = 0x0b; // 8 bits

/** X_SR: status. */
export const SR_DCH = 1 << 0; // DMA controller halted
export const SR_CELV = 1 << 1; // current equals last valid
export const SR_LVBCI = 1 << 2; // last valid buffer completion interrupt, write 1 to clear
export const SR_BCIS = 1 << 3; // buffer completion interrupt, write 1 to clear
export const SR_FIFOE = 1 << 4; // FIFO error, write 1 to clear
export const SR_W1C = SR_LVBCI | SR_BCIS | SR_FIFOE;

/** X_CR: control. */
export const CR_RPBM = 1 << 0; // run
export const CR_RR = 1 << 1; // reset registers, clears itself
export const CR_LVBIE = 1 << 2;
export const CR_FEIE = 1 << 3;
export const CR_IOCE = 1 << 4;

/** Global registers of the NABM window. */
export const GLOB_CNT = 0x2c; // 32 bits
export const GLOB_STA = 0x30; // 32 bits
export const ACC_SEMA = 0x34; // 8 bits: codec access semaphore, reading takes it

export const GLOB_CNT_COLD_RESET = 1 << 1; // 0 holds AC_RESET# low
export const GLOB_CNT_WARM_RESET = 1 << 2;
export const GLOB_CNT_SHUT_OFF = 1 << 3;

export const GLOB_STA_PIINT = 1 << 5;
export const GLOB_STA_POINT = 1 << 6;
export const GLOB_STA_MINT = 1 << 7;
export const GLOB_STA_PCR = 1 << 8; // primary codec ready

export const ACC_SEMA_CAS = 1 << 0;

/** Buffer descriptor: two dwords. */
export const BD_ENTRIES = 32;
export const BD_BYTES = 8;
export const BD_IOC = 0x8000_0000;
/** Largest even count of 16-bit samples in a descriptor (the field has 16 bits; stereo frames must not be split). */
export const BD_MAX_SAMPLES = 0xfffe;

/* ---- Mixer (NAM, first BAR): 16-bit accesses only ---- */

export const NAM_RESET = 0x00;
export const NAM_MASTER_VOLUME = 0x02;
export const NAM_AUX_OUT_VOLUME = 0x04; // headphone (LNLVL_OUT)
export const NAM_MONO_VOLUME = 0x06;
export const NAM_MASTER_TONE = 0x08;
export const NAM_PC_BEEP_VOLUME = 0x0a;
export const NAM_PHONE_VOLUME = 0x0c;
export const NAM_MIC_VOLUME = 0x0e;
export const NAM_LINE_IN_VOLUME = 0x10;
export const NAM_CD_VOLUME = 0x12;
export const NAM_VIDEO_VOLUME = 0x14;
export const NAM_AUX_IN_VOLUME = 0x16;
export const NAM_PCM_OUT_VOLUME = 0x18;
export const NAM_RECORD_SELECT = 0x1a;
export const NAM_RECORD_GAIN = 0x1c;
export const NAM_RECORD_GAIN_MIC = 0x1e;
export const NAM_GENERAL_PURPOSE = 0x20;
export const NAM_POWERDOWN = 0x26;
export const NAM_EXT_AUDIO_ID = 0x28;
export const NAM_EXT_AUDIO_CTRL = 0x2a;
export const NAM_PCM_FRONT_DAC_RATE = 0x2c;
export const NAM_PCM_LR_ADC_RATE = 0x32;
export const NAM_MIC_ADC_RATE = 0x34;
export const NAM_VENDOR_ID1 = 0x7c;
export const NAM_VENDOR_ID2 = 0x7e;

export const VOLUME_MUTE = 1 << 15;
export const MIC_BOOST_20DB = 1 << 6;

/** NAM_RESET, read: capabilities. */
export const RESET_DEDICATED_MIC = 1 << 0;
export const RESET_TONE = 1 << 2;

/** NAM_POWERDOWN: low nibble says which sections are ready. */
export const POWERDOWN_READY = 0x000f;
export const POWERDOWN_PR0_ADC = 1 << 8;
export const POWERDOWN_PR1_DAC = 1 << 9;
export const POWERDOWN_PR2_MIXER = 1 << 10;
export const POWERDOWN_PR3_VREF = 1 << 11;

export const EXT_VRA = 1 << 0; // variable rate PCM audio
export const EXT_VRM = 1 << 3; // variable rate microphone input

/** NAM_RECORD_SELECT: source codes, the same for each side. */
export const RECORD_SOURCES = {
  mic: 0,
  cd: 1,
  video: 2,
  auxIn: 3,
  lineIn: 4,
  stereoMix: 5,
  monoMix: 6,
  phone: 7,
} as const;
export type RecordSource = keyof typeof RECORD_SOURCES;
