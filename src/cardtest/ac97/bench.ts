import { PCI_COMMAND, PCI_COMMAND_BUS_MASTER, PCI_COMMAND_IO } from '../../hal/index.ts';
import {
  BD_BUP,
  BD_IOC,
  BD_LENGTH,
  CAS,
  CNT_COLD_RESET,
  CR_RPBM,
  CR_RR,
  ENGINE_OFFSET,
  type EngineName,
  GLOB_CNT,
  GLOB_STA,
  SR_DCH,
  SR_WRITE_CLEAR,
  STA_PCR,
  STA_WRITE_CLEAR,
  X_BDBAR,
  X_CIV,
  X_CR,
  X_LVI,
  X_PICB,
  X_PIV,
  X_SR,
} from '../../hardware/ac97/registers.ts';
import {
  AC97_MASTER_VOLUME,
  AC97_PCM_OUT_VOLUME,
  AC97_POWERDOWN,
  AC97_RECORD_GAIN,
  AC97_RECORD_SELECT,
  AC97_RESET,
} from '../../hardware/codecs/ac97-registers.ts';
import { TICKS_PER_MILLISECOND, TICKS_PER_SECOND } from '../../kernel/index.ts';
import type { CardUnderTest } from '../card-under-test.ts';
import { countingSignal, isContiguous } from '../counting-signal.ts';
import { testSignal } from '../test-signal.ts';

export { isContiguous } from '../counting-signal.ts';
export { testSignal } from '../test-signal.ts';

export const ENGINES: readonly EngineName[] = ['PI', 'PO', 'MC'];
const MIXER_BAR = 0;
const BUS_MASTER_BAR = 1;
/** Release of the resets to "ready" of every section: real codecs take tens of milliseconds at most. */
const READY_LIMIT_TICKS = 100 * TICKS_PER_MILLISECOND;
const LIST_BYTES = 32 * 8;
/** What follows a test sound: it is zero, so that any policy for what comes after the ring gives silence. */
const SILENCE_SAMPLES = 192;

/** One descriptor of an engine's ring as a check writes it. */
export interface Ac97Descriptor {
  readonly address: number;
  /** 16-bit samples, of all channels together. */
  readonly samples: number;
  readonly ioc?: boolean;
  readonly bup?: boolean;
}

/** An AC'97 audio function of the ICH kind by its registers' names: mixer window in BAR0, bus master window in BAR1. */
export class Ac97Bench {
  readonly card: CardUnderTest;
  readonly #lists = new Map<EngineName, number>();
  /** PCM out volume and record gain at which this card passes samples unchanged; null until it was tried. */
  #unityOut: number | null = null;
  #unityIn: number | null = null;

  constructor(card: CardUnderTest) {
    this.card = card;
  }

  // --- registers ---

  readNam(offset: number): number {
    return this.card.readBar(MIXER_BAR, offset, 2);
  }

  writeNam(offset: number, value: number): void {
    this.card.writeBar(MIXER_BAR, offset, 2, value);
  }

  read8(offset: number): number {
    return this.card.readBar(BUS_MASTER_BAR, offset, 1);
  }

  read16(offset: number): number {
    return this.card.readBar(BUS_MASTER_BAR, offset, 2);
  }

  read32(offset: number): number {
    return this.card.readBar(BUS_MASTER_BAR, offset, 4);
  }

  write8(offset: number, value: number): void {
    this.card.writeBar(BUS_MASTER_BAR, offset, 1, value);
  }

  write16(offset: number, value: number): void {
    this.card.writeBar(BUS_MASTER_BAR, offset, 2, value);
  }

  write32(offset: number, value: number): void {
    this.card.writeBar(BUS_MASTER_BAR, offset, 4, value >>> 0);
  }

  bdbar(engine: EngineName): number {
    return this.read32(ENGINE_OFFSET[engine] + X_BDBAR);
  }

  civ(engine: EngineName): number {
    return this.read8(ENGINE_OFFSET[engine] + X_CIV);
  }

  lvi(engine: EngineName): number {
    return this.read8(ENGINE_OFFSET[engine] + X_LVI);
  }

  sr(engine: EngineName): number {
    return this.read16(ENGINE_OFFSET[engine] + X_SR);
  }

  picb(engine: EngineName): number {
    return this.read16(ENGINE_OFFSET[engine] + X_PICB);
  }

  piv(engine: EngineName): number {
    return this.read8(ENGINE_OFFSET[engine] + X_PIV);
  }

  cr(engine: EngineName): number {
    return this.read8(ENGINE_OFFSET[engine] + X_CR);
  }

  setBdbar(engine: EngineName, value: number): void {
    this.write32(ENGINE_OFFSET[engine] + X_BDBAR, value);
  }

  setLvi(engine: EngineName, value: number): void {
    this.write8(ENGINE_OFFSET[engine] + X_LVI, value);
  }

  setSr(engine: EngineName, value: number): void {
    this.write16(ENGINE_OFFSET[engine] + X_SR, value);
  }

  setCr(engine: EngineName, value: number): void {
    this.write8(ENGINE_OFFSET[engine] + X_CR, value);
  }

  get globSta(): number {
    return this.read32(GLOB_STA);
  }

  readCas(): number {
    return this.read8(CAS);
  }

  // --- states ---

  /** Engines stopped and reset, link and codec through a cold reset and a register reset, everything ready; all RAM given back. */
  prepare(): void {
    const { card } = this;
    card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_BUS_MASTER);
    for (const engine of ENGINES) {
      this.setCr(engine, 0);
      this.setCr(engine, CR_RR);
      this.setCr(engine, 0);
      this.setSr(engine, SR_WRITE_CLEAR);
    }
    this.write32(GLOB_CNT, 0);
    card.letTimePass(TICKS_PER_MILLISECOND / 100);
    this.write32(GLOB_CNT, CNT_COLD_RESET);
    card.waitUntil(() => (this.globSta & STA_PCR) !== 0, READY_LIMIT_TICKS);
    this.writeNam(AC97_RESET, 0);
    this.write32(GLOB_STA, STA_WRITE_CLEAR);
    card.waitUntil(() => (this.readNam(AC97_POWERDOWN) & 0xf) === 0xf, READY_LIMIT_TICKS);
    this.freeRam();
  }

  /** Gives all RAM back, the descriptor lists included. No engine may run. */
  freeRam(): void {
    this.card.freeRam();
    this.#lists.clear();
  }

  /** The engine's descriptor list, at an address of its own. */
  list(engine: EngineName): number {
    let list = this.#lists.get(engine);
    if (list === undefined) {
      list = this.card.allocateRam(LIST_BYTES, LIST_BYTES);
      this.#lists.set(engine, list);
    }
    return list;
  }

  /** Writes descriptors into the engine's list from index `first` on. */
  describe(engine: EngineName, descriptors: readonly Ac97Descriptor[], first = 0): void {
    const list = this.list(engine);
    for (const [index, { address, samples, ioc, bup }] of descriptors.entries()) {
      const at = list + ((first + index) & 31) * 8;
      this.card.writeRamUlong(at, address);
      this.card.writeRamUlong(at + 4, (samples & BD_LENGTH) + (ioc ? BD_IOC : 0) + (bup ? BD_BUP : 0));
    }
  }

  /** Points the engine at its list, sets LVI, and runs it. */
  start(engine: EngineName, lvi: number, enables = 0): void {
    this.setBdbar(engine, this.list(engine));
    this.setLvi(engine, lvi);
    this.setCr(engine, CR_RPBM | enables);
  }

  stop(engine: EngineName): void {
    this.setCr(engine, 0);
  }

  halted(engine: EngineName): boolean {
    return (this.sr(engine) & SR_DCH) !== 0;
  }

  /** Waits until the engine has halted: `samples` take it so long at 48 kHz stereo, and some slack. */
  waitHalted(engine: EngineName, samples: number): boolean {
    const ticks = Math.ceil((samples / 2 / 48_000) * TICKS_PER_SECOND);
    return this.card.waitUntil(() => this.halted(engine), ticks * 2 + 500 * TICKS_PER_MILLISECOND);
  }

  /** A buffer with these samples in it. */
  buffer(samples: Int16Array, alignment = 4096): number {
    const address = this.card.allocateRam(samples.byteLength, alignment);
    this.card.writeRam(address, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
    return address;
  }

  samplesAt(address: number, count: number): Int16Array {
    const bytes = this.card.readRam(address, count * 2);
    return new Int16Array(bytes.buffer, 0, count);
  }

  // --- sound ---

  /** What left the output while `play` ran, from the first sound on; the recorder is given time to catch up. */
  record(play: () => void): Int16Array {
    this.#catchUp();
    const before = this.card.output.samples.length;
    play();
    this.card.letTimePass(this.recorderDelayTicks);
    this.#catchUp();
    const recorded = this.card.output.samples.slice(before);
    let first = recorded.findIndex((sample) => sample !== 0);
    if (first < 0) return recorded.subarray(0, 0);
    first -= first % 2;
    return recorded.subarray(first);
  }

  /** How long after a sound the recorder has it: QEMU's file comes in pieces of 4096 bytes, and only while something plays. */
  get recorderDelayTicks(): number {
    return (this.card.realTime ? 100 : 2) * TICKS_PER_MILLISECOND;
  }

  /** Plays these descriptors, then silence, and returns what was heard. The engine is stopped and reset afterwards. */
  play(descriptors: readonly Ac97Descriptor[]): Int16Array {
    const silence = this.buffer(new Int16Array(SILENCE_SAMPLES));
    this.describe('PO', [...descriptors, { address: silence, samples: SILENCE_SAMPLES }]);
    const samples = descriptors.reduce((sum, descriptor) => sum + descriptor.samples, SILENCE_SAMPLES);
    const recorded = this.record(() => {
      this.start('PO', descriptors.length);
      this.waitHalted('PO', samples);
    });
    this.stop('PO');
    this.setCr('PO', CR_RR);
    return recorded;
  }

  /** Plays these samples through one descriptor; see {@link play}. */
  playOnce(samples: Int16Array): Int16Array {
    return this.play([{ address: this.buffer(samples), samples: samples.length }]);
  }

  /** Sets the volumes at which this card passes PCM unchanged: 0 dB by the specification, or, if need be, the loudest. */
  unmute(): void {
    if (this.#unityOut === null) {
      const probe = testSignal(480, 1);
      for (const volume of [0x0808, 0x0000]) {
        this.writeNam(AC97_MASTER_VOLUME, 0x0000);
        this.writeNam(AC97_PCM_OUT_VOLUME, volume);
        const heard = this.playOnce(probe);
        if (probe.every((sample, index) => heard[index] === sample)) {
          this.#unityOut = volume;
          break;
        }
      }
      if (this.#unityOut === null)
        throw new Error('At neither 0808h nor 0000h of PCM out does the card pass samples unchanged.');
    }
    this.writeNam(AC97_MASTER_VOLUME, 0x0000);
    this.writeNam(AC97_PCM_OUT_VOLUME, this.#unityOut);
  }

  /** Records from the line input at the gain at which this card passes samples unchanged: 0 dB, or, if need be, the loudest. */
  openInput(): void {
    this.writeNam(AC97_RECORD_SELECT, 0x0404);
    if (this.#unityIn === null) {
      const samples = 1920;
      const address = this.card.allocateRam(samples * 2, 8);
      this.describe('PI', [{ address, samples }]);
      for (const gain of [0x0000, 0x0f0f]) {
        this.writeNam(AC97_RECORD_GAIN, gain);
        this.setCr('PI', CR_RR);
        this.start('PI', 0);
        this.waitHalted('PI', samples);
        this.stop('PI');
        if (isContiguous(this.samplesAt(address, samples))) {
          this.#unityIn = gain;
          break;
        }
      }
      this.setCr('PI', CR_RR);
      this.setSr('PI', SR_WRITE_CLEAR);
      if (this.#unityIn === null)
        throw new Error('At neither 0000h nor 0F0Fh of record gain does the card pass samples unchanged.');
    }
    this.writeNam(AC97_RECORD_GAIN, this.#unityIn);
  }

  /** A card model catches up with time when it is accessed. */
  #catchUp(): void {
    this.read32(GLOB_STA);
  }
}

/** The signal at the inputs. */
export const AC97_INPUT_SIGNAL = countingSignal(48_000);
