import { PCI_COMMAND, PCI_COMMAND_BUS_MASTER, PCI_COMMAND_MEMORY } from '../../hal/index.ts';
import * as R from '../../hardware/hda/registers.ts';
import {
  AMP_SET_INDEX_SHIFT,
  AMP_SET_INPUT,
  AMP_SET_LEFT,
  AMP_SET_OUTPUT,
  AMP_SET_RIGHT,
  DIGITAL_ENABLE,
  EAPD_EAPD,
  encodeHdaCommand,
  PIN_IN_ENABLE,
  PIN_OUT_ENABLE,
  PINCAP_EAPD,
  SET_AMP,
  SET_CHANNEL_COUNT,
  SET_CONNECTION_SELECT,
  SET_DIGITAL_CONTROL_1,
  SET_EAPD_BTL,
  SET_FORMAT,
  SET_PIN_CONTROL,
  SET_POWER_STATE,
  SET_STREAM_CHANNEL,
  WCAP_DIGITAL,
  WCAP_POWER,
} from '../../hardware/hda/verbs.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { CardUnderTest } from '../card-under-test.ts';
import { countingSignal } from '../counting-signal.ts';
import {
  type CodecGraph,
  type CodecRoute,
  type GraphWidget,
  readCodecGraph,
  WIDGET_MIXER,
} from './codec-graph.ts';

const BAR = 0;
/** Where the ICHs have what configuration space knows of power and interrupt messages; where a card has nothing, writes do nothing. */
const HANDSHAKE_LIMIT_TICKS = 10 * TICKS_PER_MILLISECOND;
/** 25 link frames, in which codecs announce themselves (HDA 1.0a, §4.3), with room for coarse clocks. */
const CODEC_READY_LIMIT_TICKS = 20 * TICKS_PER_MILLISECOND;
const RESPONSE_LIMIT_TICKS = 20 * TICKS_PER_MILLISECOND;
const BDL_BYTES = 256 * R.BDL_ENTRY_BYTES;
const STATESTS_ALL = 0x7fff;

/** 48 kHz, 16 bits, stereo. */
export const FORMAT_48_16_2 = 0x0011;
export const FRAME_BYTES = 4;
export const BYTES_PER_MS = 192;
/** What follows a test sound in the ring: longer than any recorder or emulated codec is behind. */
const SILENCE_MS = 250;
/** So much of it is played before the stream is stopped. */
const SILENCE_PLAYED_MS = 120;

/** How often a machine in real time may try again. */
const MORE_ATTEMPTS = 4;

/** One entry of a buffer descriptor list as a check writes it. */
export interface HdaBufferEntry {
  readonly address: number;
  readonly bytes: number;
  readonly ioc?: boolean;
}

/** How a stream descriptor is to be programmed. */
export interface HdaStreamProgram {
  readonly stream: number;
  readonly tag: number;
  readonly entries: readonly HdaBufferEntry[];
  /** {@link FORMAT_48_16_2} unless given. */
  readonly format?: number;
  /** The sum of the entries unless given. */
  readonly cbl?: number;
  readonly lvi?: number;
}

/** The hands of whoever sits in front of the machine: plugs devices into jacks, and pulls them out. */
export interface HdaHands {
  plug(codec: number, pin: number): void;
  unplug(codec: number, pin: number): void;
}

/** A card on a bench where jacks can be reached. */
export interface HdaCardWithHands extends CardUnderTest {
  readonly hands: HdaHands;
}

function hasHands(card: CardUnderTest): card is HdaCardWithHands {
  return 'hands' in card;
}

/** A High Definition Audio controller and the first codec on its link, by its registers' names. */
export class HdaBench {
  readonly card: CardUnderTest;
  #graph: CodecGraph | null = null;
  #codec = 0;
  readonly #lists = new Map<number, number>();
  #afterRings: (() => void) | null = null;

  constructor(card: CardUnderTest) {
    this.card = card;
  }

  // --- registers ---

  read8(offset: number): number {
    return this.card.readBar(BAR, offset, 1);
  }

  read16(offset: number): number {
    return this.card.readBar(BAR, offset, 2);
  }

  read32(offset: number): number {
    return this.card.readBar(BAR, offset, 4);
  }

  write8(offset: number, value: number): void {
    this.card.writeBar(BAR, offset, 1, value);
  }

  write16(offset: number, value: number): void {
    this.card.writeBar(BAR, offset, 2, value);
  }

  write32(offset: number, value: number): void {
    this.card.writeBar(BAR, offset, 4, value >>> 0);
  }

  /** Stream descriptors: input ones first. */
  get inputStreams(): number {
    return (this.read16(R.GCAP) >>> 8) & 0x0f;
  }

  get outputStreams(): number {
    return this.read16(R.GCAP) >>> 12;
  }

  get streams(): number {
    return this.inputStreams + this.outputStreams;
  }

  /** Descriptor of the first output stream. */
  get firstOutput(): number {
    return this.inputStreams;
  }

  at(stream: number, register: number): number {
    return R.SD_BASE + R.SD_BYTES * stream + register;
  }

  lpib(stream: number): number {
    return this.read32(this.at(stream, R.SD_LPIB));
  }

  sts(stream: number): number {
    return this.read8(this.at(stream, R.SD_STS));
  }

  /** The 24 bits of SDnCTL. */
  ctl(stream: number): number {
    return this.read32(this.at(stream, R.SD_CTL)) & 0xff_ffff;
  }

  // --- states ---

  /** The controller and all codecs through a reset, nothing enabled, every announcement acknowledged; all RAM given back. */
  prepare(): void {
    const { card } = this;
    card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER);
    this.freeRam();
    this.#afterRings?.();
    this.#afterRings = null;
    this.enterReset();
    this.write16(R.WAKEEN, 0);
    this.leaveReset();
    this.write16(R.STATESTS, STATESTS_ALL);
  }

  /** Rings were used: `cleanUp` is to be done before the next check, while the controller still runs. */
  onPrepare(cleanUp: () => void): void {
    this.#afterRings = cleanUp;
  }

  /** CRST to 0, and what it takes to read so; false when it does not. */
  enterReset(): boolean {
    this.write32(R.GCTL, 0);
    return this.card.waitUntil(() => (this.read32(R.GCTL) & R.GCTL_CRST) === 0, HANDSHAKE_LIMIT_TICKS);
  }

  /** CRST to 1; waits until codecs have announced themselves. */
  leaveReset(): boolean {
    // The link's reset is asserted for 100 µs at least (§4.2.2).
    this.card.letTimePass(100 * TICKS_PER_MICROSECOND);
    this.write32(R.GCTL, R.GCTL_CRST);
    const out = this.card.waitUntil(() => (this.read32(R.GCTL) & R.GCTL_CRST) !== 0, HANDSHAKE_LIMIT_TICKS);
    this.card.waitUntil(() => this.read16(R.STATESTS) !== 0, CODEC_READY_LIMIT_TICKS);
    const present = this.read16(R.STATESTS);
    if (present !== 0) this.#codec = 31 - Math.clz32(present & -present);
    return out;
  }

  /** Gives all RAM back, descriptor lists included. Nothing may run. */
  freeRam(): void {
    this.card.freeRam();
    this.#lists.clear();
  }

  // --- codec ---

  /** Address of the first codec, as it announced itself after the last reset. */
  get codec(): number {
    return this.#codec;
  }

  /** The first codec's nodes; read once. */
  get graph(): CodecGraph {
    this.#graph ??= readCodecGraph((nid, verb, payload) => this.verb(nid, verb, payload));
    return this.#graph;
  }

  /** The widgets that `wanted` is true of. */
  widgets(wanted: (widget: GraphWidget) => boolean): readonly GraphWidget[] {
    return [...this.graph.widgets.values()].filter(wanted);
  }

  /**
   * A verb to the first codec through the immediate command registers, and its answer.
   * @throws Error when no answer comes
   */
  verb(nid: number, verb: number, payload: number): number {
    const answer = this.immediate(encodeHdaCommand(this.#codec, nid, verb, payload));
    if (answer === null)
      throw new Error(`Codec ${this.#codec} does not answer the verb ${verb.toString(16)}h to node ${nid}.`);
    return answer;
  }

  /** Any command through the immediate command registers; null when no answer comes. */
  immediate(command: number, limitTicks = RESPONSE_LIMIT_TICKS): number | null {
    this.write16(R.ICIS, R.ICIS_IRV);
    this.write32(R.ICOI, command);
    this.write16(R.ICIS, R.ICIS_ICB);
    const done = () => (this.read16(R.ICIS) & (R.ICIS_ICB | R.ICIS_IRV)) === R.ICIS_IRV;
    if (done() || this.card.waitUntil(done, limitTicks)) return this.read32(R.ICII);
    this.write16(R.ICIS, 0);
    return null;
  }

  /** What is plugged where, if this bench can reach it; null when it cannot. */
  get hands(): HdaHands | null {
    return hasHands(this.card) ? this.card.hands : null;
  }

  /** The function group and every widget to D0. */
  powerUp(): void {
    const { graph } = this;
    if (graph.powerStates !== 0) this.verb(graph.functionGroupNid, SET_POWER_STATE, 0);
    for (const { nid, caps } of graph.widgets.values())
      if ((caps & WCAP_POWER) !== 0) this.verb(nid, SET_POWER_STATE, 0);
  }

  /** Opens the way from the first converter to the first jack at 0 dB and gives the converter stream number and format. */
  openOutput(tag: number, format = FORMAT_48_16_2): CodecRoute {
    const route = this.graph.outputRoute;
    this.#openRoute(route);
    const { converter, pin } = route;
    this.verb(pin.nid, SET_PIN_CONTROL, PIN_OUT_ENABLE);
    if ((pin.pinCaps & PINCAP_EAPD) !== 0) this.verb(pin.nid, SET_EAPD_BTL, EAPD_EAPD);
    if ((converter.caps & WCAP_DIGITAL) !== 0) {
      this.verb(converter.nid, SET_DIGITAL_CONTROL_1, DIGITAL_ENABLE);
      this.verb(converter.nid, SET_CHANNEL_COUNT, Math.min(1, format & 0x0f));
    }
    this.setConverter(converter, tag, format);
    return route;
  }

  /**
   * Opens the way from the input jack to a converter at 0 dB.
   * @throws Error for a codec that does not record
   */
  openInput(tag: number, format = FORMAT_48_16_2): CodecRoute {
    const route = this.graph.inputRoute;
    if (route === null) throw new Error('The codec does not record.');
    this.#openRoute(route);
    this.verb(route.pin.nid, SET_PIN_CONTROL, PIN_IN_ENABLE);
    this.setConverter(route.converter, tag, format);
    return route;
  }

  setConverter({ nid }: GraphWidget, tag: number, format: number, channel = 0): void {
    this.verb(nid, SET_FORMAT, format);
    this.verb(nid, SET_STREAM_CHANNEL, (tag << 4) | channel);
  }

  /** Sets an amplifier; `sides` and mute as in the payload, 0 dB unless given. */
  setAmp(
    widget: GraphWidget,
    direction: 'in' | 'out',
    {
      index = 0,
      gain,
      sides = AMP_SET_LEFT | AMP_SET_RIGHT,
    }: { index?: number; gain?: number; sides?: number } = {},
  ): void {
    const caps = direction === 'in' ? widget.inAmpCaps : widget.outAmpCaps;
    const which = direction === 'in' ? AMP_SET_INPUT : AMP_SET_OUTPUT;
    const value = gain ?? caps & 0x7f;
    this.verb(widget.nid, SET_AMP, which | sides | (index << AMP_SET_INDEX_SHIFT) | value);
  }

  #openRoute({ converter, pin, steps }: CodecRoute): void {
    this.powerUp();
    for (const { widget, input } of steps) {
      if (widget.connections.length > 1 && widget.type !== WIDGET_MIXER)
        this.verb(widget.nid, SET_CONNECTION_SELECT, input);
      if (widget.inAmpCaps !== 0 && widget !== pin) this.setAmp(widget, 'in', { index: input });
    }
    const all = new Set([converter, ...steps.map(({ widget }) => widget), pin]);
    for (const widget of all) if (widget.outAmpCaps !== 0) this.setAmp(widget, 'out');
    if (pin.inAmpCaps !== 0) this.setAmp(pin, 'in');
  }

  // --- streams ---

  /** Resets a stream descriptor by SRST; false when one of the handshakes fails. */
  resetStream(stream: number): boolean {
    const ctl = this.at(stream, R.SD_CTL);
    this.write8(ctl, 0);
    this.card.waitUntil(() => (this.read8(ctl) & R.CTL_RUN) === 0, HANDSHAKE_LIMIT_TICKS);
    this.write8(ctl, R.CTL_SRST);
    const inReset = this.#awaitSrst(stream, R.CTL_SRST);
    this.write8(ctl, 0);
    return this.#awaitSrst(stream, 0) && inReset;
  }

  #awaitSrst(stream: number, value: number): boolean {
    const shown = () => (this.read8(this.at(stream, R.SD_CTL)) & R.CTL_SRST) === value;
    if (shown()) return true;
    // Models and emulators need microseconds, which is less than the clock's next look.
    this.card.letTimePass(10 * TICKS_PER_MICROSECOND);
    return shown() || this.card.waitUntil(shown, HANDSHAKE_LIMIT_TICKS);
  }

  /** The stream's descriptor list, at an address of its own. */
  list(stream: number): number {
    let list = this.#lists.get(stream);
    if (list === undefined) {
      list = this.card.allocateRam(BDL_BYTES, 128);
      this.#lists.set(stream, list);
    }
    return list;
  }

  /** Writes entries into a stream's list. */
  describe(stream: number, entries: readonly HdaBufferEntry[]): void {
    const bytes = new Uint8Array(entries.length * R.BDL_ENTRY_BYTES);
    const view = new DataView(bytes.buffer);
    for (const [index, entry] of entries.entries()) {
      const at = index * R.BDL_ENTRY_BYTES;
      view.setUint32(at, entry.address, true);
      view.setUint32(at + 8, entry.bytes, true);
      view.setUint32(at + 12, entry.ioc ? R.BDL_IOC : 0, true);
    }
    this.card.writeRam(this.list(stream), bytes);
  }

  /** Resets a stream descriptor and programs it; it does not run yet. */
  program({ stream, tag, entries, format = FORMAT_48_16_2, cbl, lvi }: HdaStreamProgram): void {
    this.resetStream(stream);
    this.describe(stream, entries);
    this.write32(this.at(stream, R.SD_CBL), cbl ?? entries.reduce((sum, { bytes }) => sum + bytes, 0));
    this.write16(this.at(stream, R.SD_LVI), lvi ?? entries.length - 1);
    this.write16(this.at(stream, R.SD_FMT), format);
    this.write32(this.at(stream, R.SD_BDPL), this.list(stream));
    this.write32(this.at(stream, R.SD_BDPU), 0);
    this.write8(this.at(stream, R.SD_CTL) + 2, tag << 4);
  }

  /** Sets RUN, and interrupt enables with it. */
  run(stream: number, enables = 0): void {
    this.write8(this.at(stream, R.SD_CTL), R.CTL_RUN | enables);
  }

  /** Clears RUN and waits until it reads so. */
  stop(stream: number): void {
    const ctl = this.at(stream, R.SD_CTL);
    this.write8(ctl, this.read8(ctl) & ~R.CTL_RUN);
    this.card.waitUntil(() => (this.read8(ctl) & R.CTL_RUN) === 0, HANDSHAKE_LIMIT_TICKS);
  }

  /** Acknowledges everything that a stream's status can tell. */
  acknowledge(stream: number): void {
    this.write8(this.at(stream, R.SD_STS), R.STS_WRITE_CLEAR);
  }

  /**
   * Waits until so many bytes have passed the link, counted over turns of the ring; true when they have. Each look goes to `onLook`.
   * A turn must last longer than the bench takes from one look to the next.
   */
  waitBytes(stream: number, bytes: number, cbl: number, onLook?: (lpib: number) => void): boolean {
    let last = this.lpib(stream);
    let passed = 0;
    const limit = Math.ceil((bytes / BYTES_PER_MS) * 4 + 1000) * TICKS_PER_MILLISECOND;
    return this.card.waitUntil(() => {
      const now = this.lpib(stream);
      onLook?.(now);
      passed += (now - last + cbl) % cbl;
      last = now;
      return passed >= bytes;
    }, limit);
  }

  /** Waits for bits of a stream's status; true when they came. */
  waitStatus(stream: number, bits: number, milliseconds = 1000): boolean {
    const set = () => (this.sts(stream) & bits) === bits;
    return set() || this.card.waitUntil(set, milliseconds * TICKS_PER_MILLISECOND);
  }

  wait(milliseconds: number): void {
    this.card.letTimePass(milliseconds * TICKS_PER_MILLISECOND);
  }

  // --- memory ---

  /** A buffer with these samples in it. */
  buffer(samples: Int16Array | Int32Array, alignment = 128): number {
    const address = this.card.allocateRam(Math.max(samples.byteLength, 128), alignment);
    this.card.writeRam(address, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
    return address;
  }

  samplesAt(address: number, count: number): Int16Array {
    const bytes = this.card.readRam(address, count * 2);
    return new Int16Array(bytes.buffer, 0, count);
  }

  /** Entries over a fresh buffer of zeros, all of one length. */
  silentEntries(count: number, bytesEach: number, ioc = false): readonly HdaBufferEntry[] {
    const address = this.card.allocateRam(count * bytesEach, 128);
    return Array.from({ length: count }, (_, index) => ({
      address: address + index * bytesEach,
      bytes: bytesEach,
      ioc,
    }));
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
    const first = recorded.findIndex((sample) => sample !== 0);
    return first < 0 ? recorded.subarray(0, 0) : recorded.subarray(first - (first % 2));
  }

  /** How long after a sound the recorder has it: QEMU's file comes in pieces, and only while something plays. */
  get recorderDelayTicks(): number {
    return (this.card.realTime ? 100 : 2) * TICKS_PER_MILLISECOND;
  }

  /** Plays entries of 16-bit stereo at 48 kHz once, with silence behind, on the first output stream, and returns what was heard. */
  playEntries(entries: readonly HdaBufferEntry[], tag = 1): Int16Array {
    const stream = this.firstOutput;
    const silence = this.silentEntries(1, SILENCE_MS * BYTES_PER_MS);
    const all =
      entries.length > 0 ? [...entries, ...silence] : this.silentEntries(2, (SILENCE_MS * BYTES_PER_MS) / 2);
    const sound = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    this.program({ stream, tag, entries: all });
    const heard = this.record(() => {
      this.run(stream);
      this.waitBytes(stream, sound + SILENCE_PLAYED_MS * BYTES_PER_MS, sound + SILENCE_MS * BYTES_PER_MS);
      this.stop(stream);
    });
    this.resetStream(stream);
    return heard;
  }

  /**
   * Does what gives a recording, and on a machine in real time does it again when it is not right: on a busy computer QEMU's codecs drop
   * their buffers of 43 ms. The last one is returned.
   */
  again<Recording>(record: () => Recording, isRight: (recording: Recording) => boolean): Recording {
    let recording = record();
    for (let left = this.card.realTime ? MORE_ATTEMPTS : 0; left > 0 && !isRight(recording); left--) {
      this.playSilence();
      recording = record();
    }
    return recording;
  }

  /** {@link again} until what was heard begins with `expected`. */
  hear(expected: ArrayLike<number>, record: () => Int16Array): Int16Array {
    return this.again(record, (heard) => beginsWith(heard, expected));
  }

  /** Plays silence for as long as anything may wait somewhere to be heard: after a stream was stopped in the middle of its sound. */
  playSilence(): void {
    if (this.card.realTime) this.playEntries([]);
  }

  /** Plays samples once through one entry; see {@link playEntries}. */
  playOnce(samples: Int16Array, tag = 1): Int16Array {
    return this.playEntries([{ address: this.buffer(samples), bytes: samples.byteLength }], tag);
  }

  /** A card model catches up with time when it is accessed. */
  #catchUp(): void {
    this.read32(R.GCTL);
  }
}

function beginsWith(heard: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  for (let index = 0; index < expected.length; index++) if (heard[index] !== expected[index]) return false;
  return true;
}

/** The signal at the inputs. */
export const HDA_INPUT_SIGNAL = countingSignal(48_000);
