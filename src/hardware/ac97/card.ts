import type { AccessSize, Alarm, BusTarget, CardSlot, PciBar, PciCard } from '../../hal/bus.ts';
import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../hal/bus.ts';
import { Ac97Codec } from '../codecs/ac97-codec.ts';
import { ac97RegisterName, describeAc97Value } from '../codecs/ac97-describe.ts';
import { Ac97Input } from '../codecs/ac97-input.ts';
import type { Ac97Jacks, ExternalAmplifier } from '../codecs/ac97-jacks.ts';
import { Ac97Output } from '../codecs/ac97-output.ts';
import { AC97_GENERAL_PURPOSE, AC97_REGISTERS, GP_LPBK } from '../codecs/ac97-registers.ts';
import { MixTap } from '../codecs/mix-tap.ts';
import { BURST_BYTES, type BusMasterEngine, DEFAULT_FIFO_BYTES } from './bus-master-engine.ts';
import { CaptureEngine } from './capture-engine.ts';
import { describeNabmValue, NabmWindow } from './nabm-window.ts';
import { PlayEngine } from './play-engine.ts';
import {
  CAS,
  CNT_ACLINK_OFF,
  CNT_COLD_RESET,
  CNT_PCM_246,
  CNT_WARM_RESET,
  CNT_WRITABLE,
  type EngineName,
  NABM_BYTES,
  NABM_REGISTERS,
  NAM_BYTES,
  STA_MINT,
  STA_PCR,
  STA_PIINT,
  STA_POINT,
  STA_RCS,
  STA_WRITABLE,
  STA_WRITE_CLEAR,
} from './registers.ts';

/** What is plugged into the card, and how its parts are built. */
export interface Ac97CardOptions extends Ac97Jacks {
  /** Depth of each engine's FIFO: a multiple of a burst, 32 bytes. 96 by default. */
  readonly fifoBytes?: number;
  /** From the end of a cold or warm reset to BIT_CLK and "codec ready". 100 µs by default. */
  readonly codecReadyTicks?: number;
  /** From power to "ready" of a section of the codec (register 26h). 500 µs by default. */
  readonly sectionReadyTicks?: number;
  /** What EAPD silences; the line output by default. */
  readonly externalAmplifier?: ExternalAmplifier;
  /** What the BIOS wrote into the write-once subsystem ids; 8086:2415 by default. */
  readonly subsystemVendorId?: number;
  readonly subsystemId?: number;
}

/** Where an engine is, by the card's own count. */
export interface Ac97Position {
  /** Samples moved between memory and FIFO since the registers were reset. */
  readonly dmaSamples: number;
  /** Frames that left the DAC, or came from the ADC, since then. */
  readonly converterFrames: number;
  readonly civ: number;
  readonly picb: number;
  /** The converter is taking or giving samples. */
  readonly running: boolean;
}

/** One register as {@link Ac97Card.snapshot} shows it. */
export interface Ac97RegisterValue {
  /** BAR0 or BAR1. */
  readonly window: 'NAM' | 'NABM';
  readonly name: string;
  readonly offset: number;
  readonly value: number;
  readonly meaning: string | undefined;
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return one < other ? one : other;
}

/** How far the mixer may run ahead of a recording of it in one go. */
const LOOPBACK_STEP_TICKS = 50 * TICKS_PER_MILLISECOND;
/** How often the mixer is heard when only time makes sound (an unmuted input without a stream). */
const LIVE_STEP_TICKS = 10 * TICKS_PER_MILLISECOND;

/**
 * The AC'97 audio function of the Intel 82801AA (ICH) with a SigmaTel-like AC'97 2.3 codec on its link ("82801AA and 82801AB
 * Datasheet", chapter 12; AC'97 component specification 2.3). BAR0 is the codec's register window (NAM), BAR1 the bus master's
 * (NABM).
 *
 * The card does nothing between accesses: every access, and an alarm for the next interrupt, first brings it up to the present.
 * As a card of its own it is function 0 of its device and signals on INTA#, as the PCI specification wants of such functions;
 * inside the ICH the same function is wired to INTB#.
 */
export class Ac97Card implements PciCard {
  readonly name = 'AC97';
  readonly vendorId = 0x8086;
  readonly deviceId = 0x2415;
  readonly revisionId = 0x01;
  readonly classCode = 0x04_01_00;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  readonly interruptPin = 1;
  readonly bars: readonly (PciBar | null)[];

  readonly #codec: Ac97Codec;
  readonly #input: Ac97Input;
  readonly #output: Ac97Output;
  readonly #tap = new MixTap();
  readonly #po: PlayEngine;
  readonly #pi: CaptureEngine;
  readonly #mc: CaptureEngine;
  readonly #codecReadyTicks: number;
  readonly #nabm: NabmWindow;

  #slot: CardSlot | null = null;
  #alarm: Alarm | null = null;
  #alarmTick: number | null = null;
  #level = false;
  #advancedTo = 0;
  /** Time passed, or a write came, since line and alarm were last set. */
  #unsettled = true;
  /** What {@link #followCodec} last saw. */
  #followedRevision = -1;
  #followedRecording = false;

  #globCnt = 0;
  #globSta = 0;
  #cas = false;
  /** BIT_CLK runs and frames pass. */
  #linkUp = false;
  /** When it will, null when nothing is under way. */
  #linkUpTick: number | null = null;

  constructor(options: Ac97CardOptions = {}) {
    const fifoBytes = options.fifoBytes ?? DEFAULT_FIFO_BYTES;
    if (fifoBytes <= 0 || fifoBytes % BURST_BYTES !== 0) {
      throw new RangeError(`fifoBytes is ${fifoBytes}, not a positive multiple of ${BURST_BYTES}`);
    }
    this.subsystemVendorId = options.subsystemVendorId ?? 0x8086;
    this.subsystemId = options.subsystemId ?? 0x2415;
    this.#codecReadyTicks = options.codecReadyTicks ?? 100 * TICKS_PER_MICROSECOND;
    this.#codec = new Ac97Codec(options.sectionReadyTicks ?? 500 * TICKS_PER_MICROSECOND);
    this.#input = new Ac97Input(this.#codec, options, this.#tap);
    const amplifier = options.externalAmplifier ?? 'lineOut';
    this.#output = new Ac97Output(this.#codec, this.#input, this.#tap, options, amplifier);
    this.#po = new PlayEngine({ name: 'PO', samplesPerFrame: 2, fifoBytes }, this.#output);
    this.#pi = new CaptureEngine(
      { name: 'PI', samplesPerFrame: 2, fifoBytes },
      (into, offset, frames, clock, first) => this.#input.readStereo(into, offset, frames, clock, first),
    );
    // Slot 6 is a single slot: the mic channel is 16-bit mono.
    this.#mc = new CaptureEngine(
      { name: 'MC', samplesPerFrame: 1, fifoBytes },
      (into, offset, frames, clock, first) => this.#input.readMic(into, offset, frames, clock, first),
    );
    const nam: BusTarget = {
      read: (offset, size) => this.#readNam(offset, size),
      write: (offset, size, value) => this.#writeNam(offset, size, value),
    };
    this.#nabm = new NabmWindow(
      { PI: this.#pi, PO: this.#po, MC: this.#mc },
      {
        enter: () => this.#enter(),
        leave: (wrote) => this.#leave(wrote),
        leaveStatus: () => (this.#unsettled ? this.#leave(true) : this.#updateInterrupt()),
        report: () => this.#slot?.report ?? null,
        readGlobCnt: () => this.#globCnt,
        writeGlobCnt: (value) => this.#writeGlobCnt(value),
        readGlobSta: () => this.#readGlobSta(),
        writeGlobSta: (value, mask) => this.#writeGlobSta(value, mask),
        readCas: () => this.#readCas(),
      },
    );
    this.bars = [
      { kind: 'io', size: NAM_BYTES, target: nam },
      { kind: 'io', size: NABM_BYTES, target: this.#nabm },
    ];
  }

  attach(slot: CardSlot): void {
    this.#slot = slot;
    this.#advancedTo = slot.clock.now;
    this.#alarm = slot.clock.createAlarm(() => this.#onAlarm());
    this.#alarmTick = null;
    this.#level = false;
    for (const engine of this.#engines) engine.attach(slot);
  }

  reset(): void {
    const now = this.#enter();
    for (const engine of this.#engines) engine.reset(now);
    this.#globCnt = 0;
    this.#globSta = 0;
    this.#cas = false;
    this.#setLink(false, now);
    this.#linkUpTick = null;
    this.#codec.coldReset(now);
    this.#tap.clear();
    this.#leave(true);
  }

  detach(): void {
    this.#alarm?.cancel();
    this.#alarm = null;
    this.#slot?.interrupt.setLevel(false);
    this.#slot = null;
    for (const engine of this.#engines) engine.detach();
  }

  /** A change of the command register may let refused transfers through. */
  onConfigWrite(offset: number): void {
    if (offset > 5 || this.#slot === null) return;
    const now = this.#enter();
    for (const engine of this.#engines) engine.retry(now);
    this.#leave(true);
  }

  /** Brings sinks and memory up to the present without touching a register. */
  catchUp(): void {
    this.#enter();
    this.#leave(false);
  }

  /** Where an engine is now, for tests and for comparing with what a driver believes. */
  position(name: EngineName): Ac97Position {
    this.catchUp();
    const engine = this.#engine(name);
    return {
      dmaSamples: engine.samplesMoved,
      converterFrames: engine.framesConverted,
      civ: engine.civ,
      picb: engine.picb,
      running: engine.running,
    };
  }

  /** Every register with its value and meaning, for a listing; reading them here has no side effect. */
  snapshot(): readonly Ac97RegisterValue[] {
    this.catchUp();
    const now = this.#advancedTo;
    const values: Ac97RegisterValue[] = AC97_REGISTERS.map(({ name, offset }) => {
      const value = this.#codec.read(offset, now);
      return { window: 'NAM', name, offset, value, meaning: describeAc97Value(offset, value) };
    });
    for (const { name, offset, widthBytes } of NABM_REGISTERS) {
      const value = offset === CAS ? Number(this.#cas) : this.#nabm.peek(offset, widthBytes);
      values.push({
        window: 'NABM',
        name,
        offset,
        value,
        meaning: describeNabmValue(offset, widthBytes, value),
      });
    }
    return values;
  }

  get #engines(): readonly BusMasterEngine[] {
    return [this.#pi, this.#po, this.#mc];
  }

  #engine(name: EngineName): BusMasterEngine {
    return name === 'PO' ? this.#po : name === 'PI' ? this.#pi : this.#mc;
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
    const linkUpTick = this.#linkUpTick;
    if (linkUpTick !== null && linkUpTick <= now) {
      this.#advanceParts(linkUpTick);
      this.#bringLinkUp(linkUpTick);
    }
    this.#advanceParts(now);
  }

  #advanceParts(tick: number): void {
    if (this.#output.tapWanted) {
      for (let step = this.#advancedTo + LOOPBACK_STEP_TICKS; step < tick; step += LOOPBACK_STEP_TICKS) {
        this.#advanceEngines(step);
      }
    }
    this.#advanceEngines(tick);
    this.#advancedTo = tick;
  }

  #advanceEngines(tick: number): void {
    if (this.#po.engaged) this.#po.advance(tick);
    this.#output.advanceIdle(tick);
    if (this.#pi.engaged) this.#pi.advance(tick);
    if (this.#mc.engaged) this.#mc.advance(tick);
  }

  /** Ends an access: after a write the consequences at this very tick, then the line and the alarm. */
  #leave(wrote: boolean): void {
    const slot = this.#slot;
    if (slot === null || !(wrote || this.#unsettled)) return;
    this.#unsettled = false;
    // A codec without a start-up time is there at once.
    if (this.#linkUpTick !== null && this.#linkUpTick <= this.#advancedTo)
      this.#bringLinkUp(this.#advancedTo);
    if (this.#followedRevision !== this.#codec.revision || this.#followedRecording !== this.#pi.running)
      this.#followCodec();
    this.#setAlarm();
    this.#updateInterrupt();
  }

  #onAlarm(): void {
    this.#alarmTick = null;
    this.#unsettled = true;
    this.#enter();
    this.#leave(false);
  }

  #setAlarm(): void {
    let tick = this.#linkUpTick;
    if (this.#po.engaged) tick = earlier(tick, this.#po.nextEventTick());
    if (this.#pi.engaged) tick = earlier(tick, this.#pi.nextEventTick());
    if (this.#mc.engaged) tick = earlier(tick, this.#mc.nextEventTick());
    if (this.#output.live) {
      tick = earlier(tick, (Math.floor(this.#advancedTo / LIVE_STEP_TICKS) + 1) * LIVE_STEP_TICKS);
    }
    if (tick === this.#alarmTick) return;
    this.#alarmTick = tick;
    if (tick === null) this.#alarm?.cancel();
    else this.#alarm?.set(tick);
  }

  /** The level of INTA#, recomputed from state: any engine with an enabled status bit. */
  #updateInterrupt(): void {
    const level = this.#po.interrupt || this.#pi.interrupt || this.#mc.interrupt;
    if (level === this.#level) return;
    this.#level = level;
    // Last of all: whoever hears of the line may access the card at once.
    this.#slot?.interrupt.setLevel(level);
  }

  // --- the AC-link and the codec ---

  /** After a codec register may have changed: link, rates and powered converters. */
  #followCodec(): void {
    const now = this.#advancedTo;
    this.#followedRevision = this.#codec.revision;
    if (this.#linkUp && !this.#codec.bitClockRuns) this.#setLink(false, now);
    else this.#setConverters(now);
    this.#followedRecording = this.#pi.running;
    const loopback = (this.#codec.stored(AC97_GENERAL_PURPOSE) & GP_LPBK) !== 0;
    const tapWanted = this.#input.recordsMix && (this.#pi.running || loopback);
    if (!tapWanted && this.#output.tapWanted) this.#tap.clear();
    this.#output.tapWanted = tapWanted;
    this.#output.advanceIdle(now);
  }

  #setConverters(now: number): void {
    this.#po.setConverter(this.#linkUp, this.#codec.dacRate, now);
    this.#pi.setConverter(this.#linkUp && this.#codec.adcPowered, this.#codec.adcRate, now);
    this.#mc.setConverter(this.#linkUp && this.#codec.micAdcPowered, this.#codec.micAdcRate, now);
  }

  #setLink(up: boolean, now: number): void {
    this.#linkUp = up;
    this.#setConverters(now);
  }

  #bringLinkUp(tick: number): void {
    this.#linkUpTick = null;
    if ((this.#globCnt & CNT_WARM_RESET) !== 0) {
      this.#globCnt &= ~CNT_WARM_RESET;
      this.#codec.warmReset();
    }
    this.#setLink(true, tick);
    this.#followCodec();
  }

  #writeGlobCnt(value: number): void {
    const now = this.#advancedTo;
    const before = this.#globCnt;
    this.#globCnt = (value & CNT_WRITABLE) | (before & CNT_WARM_RESET);
    if ((this.#globCnt & CNT_PCM_246) !== 0) {
      this.#slot?.report.finding('4 or 6 channels of PCM out selected: the codec has two', { value });
    }
    const released = (this.#globCnt & CNT_COLD_RESET) !== 0;
    if (!released) {
      if ((before & CNT_COLD_RESET) !== 0) this.#coldReset(now);
      return;
    }
    if ((before & CNT_COLD_RESET) === 0) {
      this.#linkUpTick = now + this.#codecReadyTicks;
      this.#codec.coldReset(this.#linkUpTick);
    }
    if ((this.#globCnt & CNT_ACLINK_OFF) !== 0) {
      this.#linkUpTick = null;
      this.#globCnt &= ~CNT_WARM_RESET;
      this.#setLink(false, now);
      return;
    }
    const switchedOn = (before & CNT_ACLINK_OFF) !== 0;
    if (switchedOn && this.#linkUpTick === null && this.#codec.bitClockRuns) this.#setLink(true, now);
    // With BIT_CLK running the bit does not even change (§12.2.8).
    const asleep = !this.#linkUp && this.#linkUpTick === null;
    if ((value & CNT_WARM_RESET) !== 0 && asleep) {
      this.#globCnt |= CNT_WARM_RESET;
      this.#linkUpTick = now + this.#codecReadyTicks;
    }
  }

  /** AC_RST# goes low: the data of controller and codec are lost; the power-down semaphores lie in another well. */
  #coldReset(now: number): void {
    this.#setLink(false, now);
    this.#linkUpTick = null;
    for (const engine of this.#engines) engine.reset(now);
    this.#globCnt &= ~CNT_WARM_RESET;
    this.#globSta &= STA_WRITABLE;
    this.#cas = false;
    this.#codec.coldReset(now);
    this.#tap.clear();
  }

  #readGlobSta(): number {
    let value = this.#globSta;
    if (this.#linkUp) value |= STA_PCR;
    if (this.#pi.interrupt) value |= STA_PIINT;
    if (this.#po.interrupt) value |= STA_POINT;
    if (this.#mc.interrupt) value |= STA_MINT;
    return value;
  }

  #writeGlobSta(value: number, mask: number): void {
    const writable = STA_WRITABLE & mask;
    this.#globSta &= ~(value & mask & STA_WRITE_CLEAR);
    this.#globSta = (this.#globSta & ~writable) | (value & writable);
  }

  #readCas(): number {
    const value = this.#cas ? 1 : 0;
    this.#cas = true;
    return value;
  }

  // --- the mixer window ---

  /**
   * The link carries words: whatever the width, one 16-bit access starts at the first byte (PRM §2.2). A byte read gives that
   * word's low byte, the upper half of a dword read is not driven.
   */
  #readNam(offset: number, size: AccessSize): number {
    const report = this.#slot?.report;
    if (report === undefined) return size === 1 ? 0xff : size === 2 ? 0xffff : 0xffff_ffff;
    const now = this.#enter();
    if (size !== 2) report.finding('codec read of a width other than 16 bits', { offset, size });
    const word = this.#readCodec(offset, now);
    if (report.wantsRegisters) {
      report.register(ac97RegisterName(offset), 'read', word, size, describeAc97Value(offset, word));
    }
    this.#leave(false);
    if (size === 1) return word & 0xff;
    return size === 2 ? word : (0xffff_0000 | word) >>> 0;
  }

  #readCodec(offset: number, now: number): number {
    this.#cas = false;
    if (this.#linkUp && offset < 0x80) return this.#codec.read(offset, now);
    // Nobody answers within four frames: all ones, and the time-out is noted (§12.2.9).
    this.#globSta |= STA_RCS;
    const what =
      offset < 0x80 ? 'codec read while the link is down' : 'read of a secondary codec that is not there';
    this.#slot?.report.finding(what, { offset });
    return 0xffff;
  }

  #writeNam(offset: number, size: AccessSize, value: number): void {
    const report = this.#slot?.report;
    if (report === undefined) return;
    const now = this.#enter();
    const word = value & 0xffff;
    if (size !== 2) report.finding('codec write of a width other than 16 bits', { offset, size, value });
    if (report.wantsRegisters) {
      report.register(ac97RegisterName(offset), 'write', word, size, describeAc97Value(offset, word));
    }
    this.#cas = false;
    if (this.#linkUp && offset < 0x80) {
      this.#checkCodecWrite(offset, word);
      this.#codec.write(offset, word, now);
    } else {
      const what =
        offset < 0x80 ? 'codec write while the link is down' : 'write to a secondary codec that is not there';
      report.finding(what, { offset, value: word });
    }
    this.#leave(true);
  }

  #checkCodecWrite(offset: number, value: number): void {
    const name = ac97RegisterName(offset);
    if (name.startsWith('NAM_'))
      this.#slot?.report.finding('write to a reserved codec register', { offset, value });
  }
}
