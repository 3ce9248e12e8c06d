import type { AccessSize, Alarm, CardSlot, PciBar, PciCard } from '../../hal/bus.ts';
import { mulDivFloor, TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../hal/bus.ts';
import { SampleClock } from '../sample-clock.ts';
import { HdaCodecAudio } from './audio.ts';
import { HdaCodec, type HdaJack } from './codec.ts';
import { findHdaCodec, HDA_CODECS, type HdaCodecName } from './codecs/index.ts';
import { HdaCommandLink } from './command-link.ts';
import { HDA_CONFIG_EXTRA, HdaConfigMirror, PID } from './config-extras.ts';
import type { HdaCodecDefinition } from './definition.ts';
import { describeWidgets, type HdaCodecView } from './describe.ts';
import { HdaInputStream } from './input-stream.ts';
import type { HdaJackSet } from './jack-set.ts';
import { HdaOutputStream } from './output-stream.ts';
import { describeHdaValue, HdaRegisterWindow } from './register-window.ts';
import {
  DPLBASE_ENABLE,
  GCTL_CRST,
  GCTL_FCNTRL,
  GCTL_UNSOL,
  GSTS_FSTS,
  HDA_BYTES,
  HDA_INPUT_STREAMS,
  HDA_REGISTERS,
  HDA_STREAM_NAMES,
  HDA_STREAMS,
  INT_CONTROLLER,
  INT_GLOBAL,
  INT_STREAMS,
} from './registers.ts';
import type { HdaLink, HdaStreamEngine } from './stream-engine.ts';

/** A codec on the link and what is plugged into it. */
export interface HdaCodecOptions {
  /** One of the codecs that the library has; or a {@link definition} of one's own. */
  readonly name?: HdaCodecName;
  readonly definition?: HdaCodecDefinition;
  /** What is at the jacks, by node id of the pin. */
  readonly jacks?: Readonly<Record<number, HdaJack>>;
}

/** What the card is made of. */
export interface HdaCardOptions {
  /** `ich6`: 8086:2668, three codecs at most; `ich9`: 8086:293E, four. `ich6` unless given. */
  readonly variant?: 'ich6' | 'ich9';
  /** At addresses 0, 1 … in this order; one `qemu-duplex` unless given. */
  readonly codecs?: readonly HdaCodecOptions[];
  /** Listeners with plugs in several jacks; the card tells them when all of those are up to date. */
  readonly jackSets?: readonly HdaJackSet[];
  /** Depth of an output stream's FIFO, 192 bytes unless given. */
  readonly outputFifoBytes?: number;
  /** Depth of an input stream's FIFO, 120 bytes unless given. */
  readonly inputFifoBytes?: number;
  /** From a write of CRST to its reading back. 10 µs unless given. */
  readonly resetTicks?: number;
  /** From CRST to the codecs' announcing themselves; the specification allows 25 link frames, 521 µs. 250 µs unless given. */
  readonly codecReadyTicks?: number;
  /** From a write of SRST to its reading back. 1 µs unless given. */
  readonly streamResetTicks?: number;
  /** How often the DMA position buffer is written. 1 ms unless given. */
  readonly positionBufferTicks?: number;
  readonly subsystemVendorId?: number;
  readonly subsystemId?: number;
}

/** Where a stream is, by the card's own count. */
export interface HdaPosition {
  readonly lpib: number;
  /** Frames of the present run that passed the link. */
  readonly frames: number;
  /** Frames pass on the link. */
  readonly running: boolean;
}

/** One register as {@link HdaCard.snapshot} shows it. */
export interface HdaRegisterValue {
  readonly name: string;
  readonly offset: number;
  readonly value: number;
  readonly meaning: string | undefined;
}

const VARIANTS = {
  ich6: { deviceId: 0x2668, revisionId: 0x03, codecs: 3 },
  ich9: { deviceId: 0x293e, revisionId: 0x02, codecs: 4 },
} as const;

const LINK_FRAME_RATE = 48_000;
/** 24 MHz ÷ 10 MHz. */
const WALL_CLOCKS_NUMERATOR = 12;
const WALL_CLOCKS_DENOMINATOR = 5;
/** How far a stream may run ahead of those that look at it later. */
const STEP_TICKS = 40 * TICKS_PER_MILLISECOND;
/** How often a codec is heard when only time makes sound. */
const LIVE_STEP_TICKS = 10 * TICKS_PER_MILLISECOND;
const D3 = 3;

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}

function definitionOf(options: HdaCodecOptions): HdaCodecDefinition {
  const definition = options.definition ?? (options.name ? findHdaCodec(options.name) : undefined);
  if (definition) return definition;
  const names = HDA_CODECS.map((codec) => codec.name).join(', ');
  throw new RangeError(`no codec ${options.name ?? 'given'}: name one of ${names}, or give a definition`);
}

/**
 * An Intel High Definition Audio controller with its codecs (HDA specification 1.0a, June 2010; ICH6 and ICH9 datasheets). BAR0 is
 * the register window.
 *
 * The card does nothing between accesses: every access, and an alarm for the next interrupt, first brings it up to the present.
 * Streams begin on a link frame, 48000 of which pass in a second since CRST read 1; streams that SSYNC releases together begin on
 * the same.
 */
export class HdaCard implements PciCard {
  readonly name = 'HDA';
  readonly vendorId = 0x8086;
  readonly deviceId: number;
  readonly revisionId: number;
  readonly classCode = 0x04_03_00;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  readonly interruptPin = 1;
  readonly bars: readonly (PciBar | null)[];
  readonly status = 0;
  readonly capabilitiesPointer = PID;
  readonly configExtra = HDA_CONFIG_EXTRA;

  readonly #codecs = new Map<number, HdaCodec>();
  readonly #audios: HdaCodecAudio[] = [];
  readonly #jackSets: readonly HdaJackSet[];
  readonly #outputs: HdaOutputStream[] = [];
  readonly #inputs: HdaInputStream[] = [];
  readonly #streams: readonly HdaStreamEngine[];
  readonly #commands: HdaCommandLink;
  readonly #window: HdaRegisterWindow;
  readonly #config = new HdaConfigMirror();
  readonly #linkClock = new SampleClock();
  readonly #resetTicks: number;
  readonly #codecReadyTicks: number;
  readonly #positionTicks: number;
  readonly #wakeMask: number;

  #slot: CardSlot | null = null;
  #alarm: Alarm | null = null;
  #alarmTick: number | null = null;
  #level = false;
  #advancedTo = 0;
  /** Time passed, or a write came, since line and alarm were last set. */
  #unsettled = true;

  /** CRST as software wrote it last, and when reading shows it. */
  #crst = false;
  #crstShownTick = 0;
  /** The link carries frames. */
  #linkUp = false;
  /** When the codecs announce themselves, null when they did or will not. */
  #announceTick: number | null = null;
  #unsol = false;
  #wakeen = 0;
  #statests = 0;
  #gsts = 0;
  #intctl = 0;
  #ssync = 0;
  #dplbase = 0;
  #dpubase = 0;
  #positionTick: number | null = null;
  readonly #positions = new Float64Array(HDA_STREAMS).fill(-1);

  /** Throws a RangeError for codecs that do not exist, do not fit on the link, or have no such jacks. */
  constructor(options: HdaCardOptions = {}) {
    const variant = VARIANTS[options.variant ?? 'ich6'];
    this.deviceId = variant.deviceId;
    this.revisionId = variant.revisionId;
    this.subsystemVendorId = options.subsystemVendorId ?? 0x8086;
    this.subsystemId = options.subsystemId ?? variant.deviceId;
    this.#resetTicks = options.resetTicks ?? 10 * TICKS_PER_MICROSECOND;
    this.#codecReadyTicks = options.codecReadyTicks ?? 250 * TICKS_PER_MICROSECOND;
    this.#positionTicks = options.positionBufferTicks ?? TICKS_PER_MILLISECOND;
    this.#wakeMask = (1 << variant.codecs) - 1;
    this.#jackSets = options.jackSets ?? [];
    const codecs = options.codecs ?? [{ name: 'qemu-duplex' }];
    if (codecs.length > variant.codecs) {
      throw new RangeError(
        `${codecs.length} codecs; the link of ${options.variant ?? 'ich6'} has room for ${variant.codecs}`,
      );
    }
    for (const [address, codecOptions] of codecs.entries()) {
      const codec = new HdaCodec(definitionOf(codecOptions), address, codecOptions.jacks ?? {}, {
        finding: (what, data) => this.#slot?.report.finding(what, data),
      });
      this.#codecs.set(address, codec);
      this.#audios.push(new HdaCodecAudio(codec));
    }
    const link = this.#makeLink();
    const resetTicks = options.streamResetTicks ?? TICKS_PER_MICROSECOND;
    for (const [index, name] of HDA_STREAM_NAMES.entries()) {
      if (index < HDA_INPUT_STREAMS) {
        const fifoBytes = options.inputFifoBytes ?? 120;
        this.#inputs.push(new HdaInputStream({ name, fifoBytes, resetTicks }, link));
      } else {
        const fifoBytes = options.outputFifoBytes ?? 192;
        if (fifoBytes < 64 || fifoBytes > 1024)
          throw new RangeError(`outputFifoBytes is ${fifoBytes}, not 64 … 1024`);
        this.#outputs.push(new HdaOutputStream({ name, fifoBytes, resetTicks }, link));
      }
    }
    this.#streams = [...this.#inputs, ...this.#outputs];
    this.#commands = new HdaCommandLink(
      this.#codecs,
      {
        beforeCommand: (tick) => this.#advanceStreams(tick),
        afterCommand: (tick) => this.#followCodecs(tick),
        acceptsUnsolicited: () => this.#unsol,
      },
      this.#linkClock,
    );
    this.#window = this.#makeWindow();
    this.bars = [{ kind: 'memory64', size: HDA_BYTES, target: this.#window }, null];
  }

  attach(slot: CardSlot): void {
    this.#slot = slot;
    this.#advancedTo = slot.clock.now;
    this.#alarm = slot.clock.createAlarm(() => this.#onAlarm());
    this.#alarmTick = null;
    this.#level = false;
    for (const stream of this.#streams) stream.attach(slot);
    this.#commands.attach(slot);
  }

  reset(): void {
    const now = this.#enter();
    this.#config.reset();
    this.#resetController(now);
    this.#crst = false;
    this.#crstShownTick = now;
    this.#wakeen = 0;
    this.#statests = 0;
    this.#leave(true);
  }

  detach(): void {
    this.#alarm?.cancel();
    this.#alarm = null;
    this.#slot?.interrupt.setLevel(false);
    this.#slot = null;
    for (const stream of this.#streams) stream.detach();
    this.#commands.detach();
  }

  /** Bus mastering may be allowed now; power state and interrupt messages are the card's own. */
  onConfigWrite(offset: number, size: AccessSize, value: number): void {
    if (this.#slot === null) return;
    const now = this.#enter();
    const before = this.#config.powerState;
    this.#config.write(offset, size, value);
    const after = this.#config.powerState;
    if (after !== before && (after === D3 || before === D3)) {
      // Into D3 the link stops; out of it the function is as after a reset but for the wake logic (PCI PM 1.1, §5.4).
      this.#resetController(now);
      this.#crst = false;
      this.#crstShownTick = now;
    }
    for (const stream of this.#streams) stream.retry();
    this.#leave(true);
  }

  /** Brings sinks and memory up to the present without touching a register. */
  catchUp(): void {
    this.#enter();
    this.#leave(false);
  }

  // --- the owner's hands ---

  /** Plugs a device into a jack while the machine runs. Throws a RangeError where there is no such codec or pin. */
  plug(codecAddress: number, pinNid: number, jack: HdaJack): void {
    this.#changeJack(codecAddress, pinNid, (codec) => codec.plug(pinNid, jack));
  }

  /** Pulls the device out of a jack. */
  unplug(codecAddress: number, pinNid: number): void {
    this.#changeJack(codecAddress, pinNid, (codec) => codec.unplug(pinNid));
  }

  /** The codecs by address. */
  get codecs(): ReadonlyMap<number, HdaCodec> {
    return this.#codecs;
  }

  /** Every codec's widget graph as it is now. */
  describeWidgets(): readonly HdaCodecView[] {
    this.catchUp();
    return [...this.#codecs.values()].map((codec) => describeWidgets(codec));
  }

  /** Where a stream descriptor is now: 0–3 input, 4–7 output. */
  position(stream: number): HdaPosition {
    this.catchUp();
    const engine = this.#streams[stream]!;
    const frames = engine.clocked ? engine.clock.periodsBy(this.#advancedTo) : 0;
    return { lpib: engine.lpib, frames, running: engine.clocked };
  }

  /** Every register with its value and meaning, for a listing. */
  snapshot(): readonly HdaRegisterValue[] {
    this.catchUp();
    return HDA_REGISTERS.map(({ name, offset, widthBytes }) => {
      const value = this.#window.peek(offset, widthBytes, this.#advancedTo);
      // A three-byte register has its fields in the low bits of the dword.
      const size = widthBytes === 3 ? 4 : widthBytes;
      return { name, offset, value, meaning: describeHdaValue(offset, size, value) };
    });
  }

  #changeJack(codecAddress: number, pinNid: number, change: (codec: HdaCodec) => void): void {
    const codec = this.#codecs.get(codecAddress);
    if (!codec)
      throw new RangeError(`no codec at address ${codecAddress}; there are ${this.#codecs.size} codecs`);
    const now = this.#enter();
    const before = codec.isPresent(pinNid);
    change(codec);
    const detects = codec.widgets.get(pinNid)?.definition.pin?.presenceDetect === true;
    // With the link down a codec calls by raising its own line (§4.6).
    if (detects && before !== codec.isPresent(pinNid) && !this.#linkUp)
      this.#statests |= (1 << codecAddress) & this.#wakeMask;
    this.#followCodecs(now);
    this.#leave(true);
  }

  // --- time ---

  /** Begins an access: the card lives up to the present. */
  #enter(): number {
    const now = this.#slot?.clock.now ?? this.#advancedTo;
    if (now !== this.#advancedTo) {
      this.#unsettled = true;
      this.#advanceTo(now);
    }
    return now;
  }

  #advanceTo(now: number): void {
    if (this.#crst && !this.#linkUp && this.#crstShownTick <= now) this.#bringLinkUp(this.#crstShownTick);
    if (this.#announceTick !== null && this.#announceTick <= now) {
      for (const address of this.#codecs.keys()) this.#statests |= (1 << address) & this.#wakeMask;
      this.#announceTick = null;
    }
    this.#commands.advance(now);
    this.#advanceStreams(now);
    this.#advancedTo = now;
  }

  /** Brings every stream to `tick`: first those that play, then what mixes them, then those that record. */
  #advanceStreams(tick: number): void {
    if (this.#anyStepped()) {
      for (let step = this.#advancedTo + STEP_TICKS; step < tick; step += STEP_TICKS) this.#advanceStep(step);
    }
    this.#advanceStep(tick);
    if (tick > this.#advancedTo) this.#advancedTo = tick;
  }

  #advanceStep(tick: number): void {
    for (const stream of this.#outputs) if (stream.clocked) stream.advance(tick);
    for (const audio of this.#audios) if (audio.live) audio.advanceMixed(tick);
    for (const set of this.#jackSets) set.settle();
    for (const stream of this.#inputs) if (stream.clocked) stream.advance(tick);
  }

  #anyStepped(): boolean {
    for (const audio of this.#audios) if (audio.stepped) return true;
    return false;
  }

  #anyLive(): boolean {
    for (const audio of this.#audios) if (audio.live) return true;
    return false;
  }

  /** Ends an access: after a write the consequences at this very tick, then position buffer, line and alarm. */
  #leave(wrote: boolean): void {
    if (this.#slot === null || !(wrote || this.#unsettled)) return;
    this.#unsettled = false;
    const now = this.#advancedTo;
    if (this.#crst && !this.#linkUp && this.#crstShownTick <= now) this.#bringLinkUp(now);
    this.#setClocks(now);
    this.#writePositions(now);
    this.#setAlarm(now);
    this.#updateInterrupt();
  }

  #onAlarm(): void {
    this.#alarmTick = null;
    this.#unsettled = true;
    this.#enter();
    this.#leave(false);
  }

  #setAlarm(now: number): void {
    let tick = this.#crst && !this.#linkUp ? this.#crstShownTick : null;
    tick = earlier(tick, this.#announceTick);
    tick = earlier(tick, this.#commands.nextEventTick());
    tick = earlier(tick, this.#positionTick);
    for (const stream of this.#streams) if (stream.clocked) tick = earlier(tick, stream.nextEventTick());
    if (this.#anyLive()) tick = earlier(tick, (Math.floor(now / LIVE_STEP_TICKS) + 1) * LIVE_STEP_TICKS);
    if (tick === this.#alarmTick) return;
    this.#alarmTick = tick;
    if (tick === null) this.#alarm?.cancel();
    else this.#alarm?.set(tick);
  }

  /** A codec's state may have changed: what is heard where, and who sends. */
  #followCodecs(now: number): void {
    for (const audio of this.#audios) audio.refresh(now);
    this.#setClocks(now);
  }

  /** Lets frames of each stream pass or not: RUN, the link, SSYNC, and for inputs a codec that sends. */
  #setClocks(now: number): void {
    const streams = this.#streams;
    for (let index = 0; index < streams.length; index++) {
      const stream = streams[index]!;
      const clocked = this.#linkUp && (this.#ssync & (1 << index)) === 0 && stream.linkReady;
      if (clocked !== stream.clocked) stream.setClocked(clocked, this.#nextLinkFrame(now), now);
    }
  }

  #nextLinkFrame(now: number): number {
    const frame = this.#linkClock.periodsBy(now);
    const tick = this.#linkClock.tickOf(frame);
    return tick === now ? tick : this.#linkClock.tickOf(frame + 1);
  }

  /** The DMA position buffer: for each stream a dword with its LPIB and one that is reserved (§3.6.1). */
  #writePositions(now: number): void {
    const slot = this.#slot;
    const enabled = (this.#dplbase & DPLBASE_ENABLE) !== 0 && this.#linkUp;
    if (!enabled || slot === null) {
      this.#positionTick = null;
      return;
    }
    const base = this.#dpubase * 0x1_0000_0000 + ((this.#dplbase & ~0x7f) >>> 0);
    let running = false;
    for (const [index, stream] of this.#streams.entries()) {
      running ||= stream.clocked;
      if (this.#positions[index] === stream.lpib) continue;
      this.#positions[index] = stream.lpib;
      slot.busMaster.writeUlong(base + 8 * index, stream.lpib);
    }
    if (!running) this.#positionTick = null;
    else if (this.#positionTick === null || this.#positionTick <= now)
      this.#positionTick = now + this.#positionTicks;
  }

  /** INTSTS, computed from what it tells of (§3.3.15). */
  get #intsts(): number {
    let value = 0;
    const streams = this.#streams;
    for (let index = 0; index < streams.length; index++) if (streams[index]!.interrupt) value |= 1 << index;
    if (this.#commands.interrupt || (this.#statests & this.#wakeen) !== 0) value |= INT_CONTROLLER;
    return (value === 0 ? 0 : value | INT_GLOBAL) >>> 0;
  }

  /** The level of INTA#, recomputed from state: a source, its enable, and the global enable. */
  #updateInterrupt(): void {
    const enabled = this.#intsts & this.#intctl & (INT_STREAMS | INT_CONTROLLER);
    const level = (this.#intctl & INT_GLOBAL) !== 0 && enabled !== 0 && this.#config.powerState !== D3;
    const message = this.#config.message;
    const rose = level && !this.#level;
    this.#level = level;
    // Last of all: whoever hears of the line may access the card at once.
    if (message === null) this.#slot?.interrupt.setLevel(level);
    else {
      this.#slot?.interrupt.setLevel(false);
      if (rose) this.#slot?.busMaster.writeUlong(message.busAddress, message.data);
    }
  }

  // --- controller and link ---

  #bringLinkUp(tick: number): void {
    this.#linkUp = true;
    this.#linkClock.start(tick, LINK_FRAME_RATE);
    this.#commands.start();
    this.#announceTick = tick + this.#codecReadyTicks;
  }

  /** CRST is 0: everything as after power-on but the wake logic, which lies in another well (§3.3.7). */
  #resetController(now: number): void {
    for (const stream of this.#streams) stream.resetRegisters(now);
    this.#commands.reset();
    this.#linkUp = false;
    this.#announceTick = null;
    this.#unsol = false;
    this.#gsts = 0;
    this.#intctl = 0;
    this.#ssync = 0;
    this.#dplbase = 0;
    this.#dpubase = 0;
    this.#positions.fill(-1);
    for (const codec of this.#codecs.values()) codec.reset();
    for (const audio of this.#audios) audio.refresh(now);
  }

  #gctl(now: number): number {
    const crst = now >= this.#crstShownTick ? this.#crst : !this.#crst;
    return (crst ? GCTL_CRST : 0) | (this.#unsol ? GCTL_UNSOL : 0);
  }

  #writeGctl(value: number, now: number): void {
    const crst = (value & GCTL_CRST) !== 0;
    if (crst !== this.#crst) {
      if (now < this.#crstShownTick)
        this.#slot?.report.finding('CRST changed before it read what was written', { value });
      if (!crst) {
        if (this.#streams.some((stream) => stream.runs))
          this.#slot?.report.finding('CRST cleared while a stream runs', { value });
        this.#resetController(now);
      }
      this.#crst = crst;
      this.#crstShownTick = now + this.#resetTicks;
    }
    if (!this.#crst || now < this.#crstShownTick) return;
    this.#unsol = (value & GCTL_UNSOL) !== 0;
    // Nothing waits to be flushed: every transfer is done when its time has come.
    if ((value & GCTL_FCNTRL) !== 0) this.#gsts |= GSTS_FSTS;
  }

  #makeLink(): HdaLink {
    return {
      startOutput: (tag, clock, format, now) => {
        for (const audio of this.#audios) audio.startOutput(tag, clock, format, now);
      },
      stopOutput: (tag, now) => {
        for (const audio of this.#audios) audio.stopOutput(tag, now);
      },
      play: (tag, samples, frames, clock, firstFrame) => {
        for (const audio of this.#audios) audio.play(tag, samples, frames, clock, firstFrame);
      },
      hasInput: (tag) => this.#audios.some((audio) => audio.hasInput(tag)),
      setRecording: (tag, records, now) => {
        for (const audio of this.#audios) audio.setRecording(tag, records, now);
      },
      record: (tag, into, frames, channels, clock, firstFrame) => {
        for (const audio of this.#audios) audio.record(tag, into, frames, channels, clock, firstFrame);
      },
    };
  }

  #makeWindow(): HdaRegisterWindow {
    return new HdaRegisterWindow(this.#streams, this.#commands, {
      enter: () => this.#enter(),
      leave: (wrote) => this.#leave(wrote),
      leaveStatus: () => (this.#unsettled ? this.#leave(true) : this.#updateInterrupt()),
      report: () => this.#slot?.report ?? null,
      powered: () => this.#config.powerState !== D3,
      running: () => this.#linkUp,
      gctl: (now) => this.#gctl(now),
      writeGctl: (value, now) => this.#writeGctl(value, now),
      wakeen: () => this.#wakeen,
      writeWakeen: (value) => {
        this.#wakeen = value & this.#wakeMask;
      },
      statests: () => this.#statests,
      writeStatests: (value) => {
        this.#statests &= ~value;
      },
      gsts: () => this.#gsts,
      writeGsts: (value) => {
        this.#gsts &= ~(value & GSTS_FSTS);
      },
      intctl: () => this.#intctl,
      writeIntctl: (value) => {
        this.#intctl = (value & (INT_GLOBAL | INT_CONTROLLER | INT_STREAMS)) >>> 0;
      },
      intsts: () => this.#intsts,
      walclk: (now) => this.#walclk(now),
      ssync: () => this.#ssync,
      writeSsync: (value) => {
        this.#ssync = value & INT_STREAMS;
      },
      dplbase: () => this.#dplbase,
      writeDplbase: (value) => {
        this.#dplbase = (value & (~0x7f | DPLBASE_ENABLE)) >>> 0;
        this.#positions.fill(-1);
      },
      dpubase: () => this.#dpubase,
      writeDpubase: (value) => {
        this.#dpubase = value >>> 0;
        this.#positions.fill(-1);
      },
    });
  }

  /** 24 MHz since the link came up, in 32 bits (§3.3.16). */
  #walclk(now: number): number {
    if (!this.#linkUp) return 0;
    const clocks = mulDivFloor(
      now - this.#linkClock.startTick,
      WALL_CLOCKS_NUMERATOR,
      WALL_CLOCKS_DENOMINATOR,
    );
    return clocks % 0x1_0000_0000;
  }
}
