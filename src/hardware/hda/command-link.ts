import type { CardSlot } from '../../hal/bus.ts';
import type { SampleClock } from '../sample-clock.ts';
import type { HdaCodec } from './codec.ts';
import {
  CORBCTL_CMEIE,
  CORBCTL_RUN,
  CORBSTS_CMEI,
  ICIS_ICB,
  ICIS_IRV,
  RESPONSE_UNSOLICITED,
  RING_ENTRIES,
  RING_POINTER_RESET,
  RIRBCTL_DMAEN,
  RIRBCTL_OIC,
  RIRBCTL_RINTCTL,
  RIRBSTS_OIS,
  RIRBSTS_RINTFL,
} from './registers.ts';
import { decodeHdaCommand, describeHdaPayload, hdaVerbName } from './verbs.ts';

/** What the command link asks of the card. */
export interface HdaCommandHost {
  /** Streams are brought to `tick`: a command is about to change what they pass through. */
  beforeCommand(tick: number): void;
  /** A command may have changed something. */
  afterCommand(tick: number): void;
  /** GCTL.UNSOL. */
  acceptsUnsolicited(): boolean;
}

interface InFlight {
  readonly codec: number;
  readonly immediate: boolean;
  /** Null when no codec has that address. */
  readonly response: number | null;
  readonly command: number;
}

const RING_MASK = RING_ENTRIES - 1;
const BASE_MASK = ~0x7f;

/**
 * Commands and responses (HDA specification 1.0a, §3.3.18–3.3.31, §3.4, §4.4): the command ring, the response ring, the immediate
 * registers. A link frame (1 ÷ 48000 s) carries one command out, and from each codec one response in, a frame after its command; a
 * codec without a command to answer may send an unsolicited response in it.
 */
export class HdaCommandLink {
  readonly #codecs: ReadonlyMap<number, HdaCodec>;
  readonly #host: HdaCommandHost;
  readonly #clock: SampleClock;
  #slot: CardSlot | null = null;
  /** Link frames that are dealt with. */
  #frame = 0;
  #up = false;

  #corbBase = 0;
  #corbUpper = 0;
  #corbWp = 0;
  #corbRp = 0;
  #corbReset = false;
  #corbCtl = 0;
  #corbSts = 0;
  #rirbBase = 0;
  #rirbUpper = 0;
  #rirbWp = 0;
  #rintcnt = 0;
  #rirbCtl = 0;
  #rirbSts = 0;
  /** Responses since the last response interrupt. */
  #responses = 0;
  #immediateCommand = 0;
  #immediateResponse = 0;
  #immediateStatus = 0;
  #immediateWaits = false;
  #inFlight: InFlight | null = null;

  /** `clock` counts link frames. */
  constructor(codecs: ReadonlyMap<number, HdaCodec>, host: HdaCommandHost, clock: SampleClock) {
    this.#codecs = codecs;
    this.#host = host;
    this.#clock = clock;
  }

  attach(slot: CardSlot): void {
    this.#slot = slot;
  }

  detach(): void {
    this.#slot = null;
  }

  /** The link comes up: its clock has just been started. */
  start(): void {
    this.#up = true;
    this.#frame = 0;
  }

  /** Controller reset: registers as after power-on, the link down. */
  reset(): void {
    this.#up = false;
    this.#corbBase = 0;
    this.#corbUpper = 0;
    this.#corbWp = 0;
    this.#corbRp = 0;
    this.#corbReset = false;
    this.#corbCtl = 0;
    this.#corbSts = 0;
    this.#rirbBase = 0;
    this.#rirbUpper = 0;
    this.#rirbWp = 0;
    this.#rintcnt = 0;
    this.#rirbCtl = 0;
    this.#rirbSts = 0;
    this.#responses = 0;
    this.#immediateCommand = 0;
    this.#immediateResponse = 0;
    this.#immediateStatus = 0;
    this.#immediateWaits = false;
    this.#inFlight = null;
  }

  // --- registers ---

  get corbBase(): number {
    return this.#corbBase;
  }

  get corbUpper(): number {
    return this.#corbUpper;
  }

  get corbWp(): number {
    return this.#corbWp;
  }

  get corbRp(): number {
    return this.#corbRp | (this.#corbReset ? RING_POINTER_RESET : 0);
  }

  get corbCtl(): number {
    return this.#corbCtl;
  }

  get corbSts(): number {
    return this.#corbSts;
  }

  get rirbBase(): number {
    return this.#rirbBase;
  }

  get rirbUpper(): number {
    return this.#rirbUpper;
  }

  get rirbWp(): number {
    return this.#rirbWp;
  }

  get rintcnt(): number {
    return this.#rintcnt;
  }

  get rirbCtl(): number {
    return this.#rirbCtl;
  }

  get rirbSts(): number {
    return this.#rirbSts;
  }

  get immediateCommand(): number {
    return this.#immediateCommand;
  }

  get immediateResponse(): number {
    return this.#immediateResponse;
  }

  get immediateStatus(): number {
    return this.#immediateStatus;
  }

  /** The rings' part of the controller interrupt: status bits and their enables. */
  get interrupt(): boolean {
    return (
      ((this.#rirbSts & RIRBSTS_RINTFL) !== 0 && (this.#rirbCtl & RIRBCTL_RINTCTL) !== 0) ||
      ((this.#rirbSts & RIRBSTS_OIS) !== 0 && (this.#rirbCtl & RIRBCTL_OIC) !== 0) ||
      ((this.#corbSts & CORBSTS_CMEI) !== 0 && (this.#corbCtl & CORBCTL_CMEIE) !== 0)
    );
  }

  writeCorbBase(value: number): void {
    this.#checkStopped('CORBLBASE', (this.#corbCtl & CORBCTL_RUN) !== 0, value);
    this.#corbBase = (value & BASE_MASK) >>> 0;
  }

  writeCorbUpper(value: number): void {
    this.#checkStopped('CORBUBASE', (this.#corbCtl & CORBCTL_RUN) !== 0, value);
    this.#corbUpper = value >>> 0;
  }

  writeCorbWp(value: number): void {
    this.#corbWp = value & RING_MASK;
  }

  /** Reset is a handshake: the bit reads 1 when done, and software writes 0 before it goes on (§3.3.21). */
  writeCorbRp(value: number): void {
    this.#corbReset = (value & RING_POINTER_RESET) !== 0;
    if (!this.#corbReset) return;
    this.#checkStopped('CORBRP', (this.#corbCtl & CORBCTL_RUN) !== 0, value);
    this.#corbRp = 0;
  }

  writeCorbCtl(value: number): void {
    this.#corbCtl = value & (CORBCTL_CMEIE | CORBCTL_RUN);
    if ((this.#corbCtl & CORBCTL_RUN) !== 0 && this.#corbReset)
      this.#finding('CORBRUN set before CORBRPRST was cleared', { value });
  }

  writeCorbSts(value: number): void {
    this.#corbSts &= ~(value & CORBSTS_CMEI);
  }

  writeRirbBase(value: number): void {
    this.#checkStopped('RIRBLBASE', (this.#rirbCtl & RIRBCTL_DMAEN) !== 0, value);
    this.#rirbBase = (value & BASE_MASK) >>> 0;
  }

  writeRirbUpper(value: number): void {
    this.#checkStopped('RIRBUBASE', (this.#rirbCtl & RIRBCTL_DMAEN) !== 0, value);
    this.#rirbUpper = value >>> 0;
  }

  /** Only the reset bit can be written; it reads 0 (§3.3.27). */
  writeRirbWp(value: number): void {
    if ((value & RING_POINTER_RESET) === 0) return;
    this.#checkStopped('RIRBWP', (this.#rirbCtl & RIRBCTL_DMAEN) !== 0, value);
    this.#rirbWp = 0;
    this.#responses = 0;
  }

  writeRintcnt(value: number): void {
    this.#rintcnt = value & 0xff;
  }

  writeRirbCtl(value: number): void {
    this.#rirbCtl = value & (RIRBCTL_RINTCTL | RIRBCTL_DMAEN | RIRBCTL_OIC);
  }

  writeRirbSts(value: number): void {
    this.#rirbSts &= ~(value & (RIRBSTS_RINTFL | RIRBSTS_OIS));
  }

  writeImmediateCommand(value: number): void {
    if ((this.#immediateStatus & ICIS_ICB) !== 0)
      this.#finding('ICOI written while a command is under way', { value });
    this.#immediateCommand = value >>> 0;
  }

  /** IRV is cleared by a one; ICB starts a command, and a zero gives up one that nobody answers (§3.4.3). */
  writeImmediateStatus(value: number): void {
    if ((value & ICIS_IRV) !== 0) this.#immediateStatus &= ~ICIS_IRV;
    if ((value & ICIS_ICB) === 0) {
      this.#immediateStatus &= ~ICIS_ICB;
      this.#immediateWaits = false;
      return;
    }
    if ((this.#immediateStatus & ICIS_ICB) !== 0) return;
    if ((this.#corbCtl & CORBCTL_RUN) !== 0 && this.#corbRp !== this.#corbWp)
      this.#finding('immediate command while the CORB has commands');
    this.#immediateStatus |= ICIS_ICB;
    this.#immediateWaits = true;
  }

  // --- time ---

  /** Lets link frames pass up to `now`. */
  advance(now: number): void {
    if (!this.#up) return;
    const frame = this.#clock.periodsBy(now);
    while (this.#frame < frame) {
      if (!this.#busy) {
        this.#frame = frame;
        return;
      }
      this.#frame++;
      this.#runFrame(this.#clock.tickOf(this.#frame));
    }
  }

  /** The next link frame, when one has anything to carry. */
  nextEventTick(): number | null {
    return this.#up && this.#busy ? this.#clock.tickOf(this.#frame + 1) : null;
  }

  get #corbHasCommand(): boolean {
    return (this.#corbCtl & CORBCTL_RUN) !== 0 && !this.#corbReset && this.#corbRp !== this.#corbWp;
  }

  get #busy(): boolean {
    if (this.#inFlight !== null || this.#immediateWaits || this.#responses > 0 || this.#corbHasCommand)
      return true;
    for (const codec of this.#codecs.values()) if (codec.hasUnsolicited) return true;
    return false;
  }

  #runFrame(tick: number): void {
    this.#receive();
    this.#send(tick);
  }

  #receive(): void {
    const before = this.#responses;
    const arrived = this.#inFlight;
    this.#inFlight = null;
    let solicited = -1;
    if (arrived !== null && arrived.response !== null) {
      solicited = arrived.codec;
      if (arrived.immediate) this.#receiveImmediate(arrived.response);
      else this.#store(arrived.response, arrived.codec);
      this.#reportResponse(arrived, arrived.response);
    }
    for (const [address, codec] of this.#codecs) {
      if (address === solicited) continue;
      const response = codec.takeUnsolicited();
      if (response !== null && this.#host.acceptsUnsolicited())
        this.#store(response, address | RESPONSE_UNSOLICITED);
    }
    const count = this.#rintcnt === 0 ? RING_ENTRIES : this.#rintcnt;
    // N responses, or a frame in which none came after some (§3.3.30).
    if (this.#responses >= count || (before > 0 && this.#responses === before)) {
      this.#responses = 0;
      // The flag says that an interrupt was generated, which RINTCTL forbids or allows.
      if ((this.#rirbCtl & RIRBCTL_RINTCTL) !== 0) this.#rirbSts |= RIRBSTS_RINTFL;
    }
  }

  #receiveImmediate(response: number): void {
    if ((this.#immediateStatus & ICIS_ICB) === 0) return;
    this.#immediateResponse = response;
    // Who answered is told where ICVER is set; the ICHs have neither (ICH6, §18.2.30).
    this.#immediateStatus = (this.#immediateStatus & ~ICIS_ICB) | ICIS_IRV;
  }

  #store(response: number, extended: number): void {
    if ((this.#rirbCtl & RIRBCTL_DMAEN) === 0) {
      this.#finding('a response is lost: RIRBDMAEN is off', { response, codec: extended & 0x0f });
      return;
    }
    const { busMaster, report } = this.#slot ?? {};
    if (busMaster === undefined || report === undefined) return;
    const entry = (this.#rirbWp + 1) & RING_MASK;
    const at = this.#rirbUpper * 0x1_0000_0000 + this.#rirbBase + entry * 8;
    if (!busMaster.writeUlong(at, response) || !busMaster.writeUlong(at + 4, extended)) {
      // Nobody takes it, so that the next one finds no room.
      this.#rirbSts |= RIRBSTS_OIS;
      return;
    }
    if (report.wantsDma) report.dma('RIRB', 'write', at, 8);
    this.#rirbWp = entry;
    this.#responses++;
  }

  #send(tick: number): void {
    if (this.#immediateWaits) {
      this.#immediateWaits = false;
      this.#execute(this.#immediateCommand, true, tick);
      return;
    }
    if (!this.#corbHasCommand) return;
    const entry = (this.#corbRp + 1) & RING_MASK;
    const at = this.#corbUpper * 0x1_0000_0000 + this.#corbBase + entry * 4;
    const command = this.#slot?.busMaster.readUlong(at) ?? null;
    if (command === null) {
      this.#corbSts |= CORBSTS_CMEI;
      this.#corbCtl &= ~CORBCTL_RUN;
      return;
    }
    if (this.#slot?.report.wantsDma) this.#slot.report.dma('CORB', 'read', at, 4);
    this.#corbRp = entry;
    this.#execute(command, false, tick);
  }

  #execute(command: number, immediate: boolean, tick: number): void {
    const { codec: address, nid, verb, payload } = decodeHdaCommand(command);
    const codec = this.#codecs.get(address);
    const report = this.#slot?.report;
    if (report?.wantsRegisters === true) {
      const meaning = describeHdaPayload(verb, payload);
      report.register(
        commandName(address, nid, verb),
        'write',
        payload,
        verb > 0x0f ? 1 : 2,
        ...(meaning === undefined ? [] : ([meaning] as const)),
      );
    }
    let response: number | null = null;
    if (codec === undefined) this.#finding('a command to a codec that is not there', { command });
    else if ((command & 0x0800_0000) !== 0) {
      this.#finding('a command with an indirect node id', { command });
      response = 0;
    } else {
      this.#host.beforeCommand(tick);
      response = codec.execute(nid, verb, payload) >>> 0;
      this.#host.afterCommand(tick);
    }
    this.#inFlight = { codec: address, immediate, response, command };
  }

  #reportResponse(arrived: InFlight, response: number): void {
    const report = this.#slot?.report;
    if (report?.wantsRegisters !== true) return;
    const { codec, nid, verb } = decodeHdaCommand(arrived.command);
    // Commands that only set something are answered with 0, which tells nobody anything.
    if (!hdaVerbName(verb).startsWith('SET_'))
      report.register(commandName(codec, nid, verb), 'read', response, 4);
  }

  #checkStopped(register: string, runs: boolean, value: number): void {
    if (runs) this.#finding(`${register} written while its ring runs`, { value });
  }

  #finding(what: string, data: Readonly<Record<string, number>> = {}): void {
    this.#slot?.report.finding(what, data);
  }
}

/** `C0N14.SET_PIN_CONTROL` */
function commandName(codec: number, nid: number, verb: number): string {
  return `C${codec}N${nid.toString(16).toUpperCase().padStart(2, '0')}.${hdaVerbName(verb)}`;
}
