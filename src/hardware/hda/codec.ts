import type { PcmSink, PcmSource } from '../../hal/bus.ts';
import {
  ampCapabilities,
  checkCodecDefinition,
  type HdaCodecDefinition,
  type HdaPcmDefinition,
  pinCapabilities,
  widgetCapabilities,
} from './definition.ts';
import { DEFAULT_DISPLAY, makeEld } from './eld.ts';
import { pcmParameter } from './format.ts';
import * as V from './verbs.ts';
import { WidgetState } from './widget-state.ts';

/** What is plugged into a jack. */
export interface HdaJack {
  /** Hears what the pin puts out. */
  readonly sink?: PcmSink;
  /** Feeds the pin when it is an input. */
  readonly source?: PcmSource;
  /** False: the device lies beside the jack. True unless given. */
  readonly plugged?: boolean;
  /** ELD of a display; that of an eight-channel television unless given. Empty: a display without sound. */
  readonly eld?: Uint8Array;
}

/** What a codec tells the controller. */
export interface HdaCodecHost {
  finding(what: string, data?: Readonly<Record<string, string | number | boolean>>): void;
}

interface JackState {
  sink: PcmSink | null;
  source: PcmSource | null;
  plugged: boolean;
  eld: Uint8Array;
}

/** Unsolicited responses that wait for the link; a codec has room for a few and loses the oldest. */
const UNSOLICITED_QUEUE = 16;
const NOTHING_PLUGGED: JackState = { sink: null, source: null, plugged: false, eld: new Uint8Array(0) };
const FUNCTION_AUDIO = 0x01;

function pcmOf(pcm: HdaPcmDefinition | undefined): number {
  return pcm ? pcmParameter(pcm.rates, pcm.bits) : 0;
}

/** A verb of widgets: who understands it, and what it does. */
interface WidgetVerb {
  readonly understands: (widget: WidgetState) => boolean;
  readonly run: (codec: HdaCodec, widget: WidgetState, payload: number) => number;
  /** It may change what is heard. */
  readonly changes?: boolean;
}

const anyWidget = () => true;
const isConverter = (widget: WidgetState): boolean => widget.isConverter;
const isPin = (widget: WidgetState): boolean => widget.definition.kind === 'pin';
const isDigital = (widget: WidgetState): boolean => widget.definition.digital === true;
const hasProcessing = (widget: WidgetState): boolean => widget.coefficients.length > 0;
/** Mixers add up all their inputs: they have a list but nothing to select. */
const canSelect = (widget: WidgetState): boolean =>
  widget.definition.kind !== 'mixer' && (widget.definition.connections?.length ?? 0) > 0;

function set(
  understands: WidgetVerb['understands'],
  assign: (widget: WidgetState, payload: number, codec: HdaCodec) => void,
): WidgetVerb {
  return {
    understands,
    changes: true,
    run: (codec, widget, payload) => {
      assign(widget, payload, codec);
      return 0;
    },
  };
}

function get(understands: WidgetVerb['understands'], value: (widget: WidgetState) => number): WidgetVerb {
  return { understands, run: (_codec, widget) => value(widget) };
}

const hasAmp = (widget: WidgetState): boolean => widget.outAmp !== null || widget.inAmps.length > 0;
const hasUnsolicited = (widget: WidgetState): boolean => widget.definition.unsolicited === true;
const hasPower = (widget: WidgetState): boolean => widget.definition.powerControl === true;
const hasEapd = (widget: WidgetState): boolean =>
  widget.definition.pin?.eapd === true ||
  widget.definition.pin?.balanced === true ||
  widget.definition.swap === true;

/** Verbs of widgets by number (§7.3.3). */
const WIDGET_VERBS: ReadonlyMap<number, WidgetVerb> = new Map<number, WidgetVerb>([
  [V.GET_CONNECTION_SELECT, get(canSelect, (widget) => widget.connection)],
  [
    V.SET_CONNECTION_SELECT,
    set(canSelect, (widget, payload, codec) => {
      if (payload < (widget.definition.connections?.length ?? 0)) widget.connection = payload;
      else codec.finding('a connection is selected that is not in the list', widget, { payload });
    }),
  ],
  [
    V.GET_CONNECTION_LIST,
    {
      understands: anyWidget,
      run: (_codec, widget, payload) => {
        const list = widget.definition.connections ?? [];
        let value = 0;
        for (let entry = 0; entry < 4; entry++)
          value += (list[(payload & ~3) + entry] ?? 0) * 2 ** (8 * entry);
        return value;
      },
    },
  ],
  [V.GET_PROCESSING_STATE, get(hasProcessing, (widget) => widget.processing)],
  [
    V.SET_PROCESSING_STATE,
    set(hasProcessing, (widget, payload) => {
      widget.processing = payload & 3;
    }),
  ],
  [V.GET_COEFFICIENT_INDEX, get(hasProcessing, (widget) => widget.coefficientIndex)],
  [
    V.SET_COEFFICIENT_INDEX,
    set(hasProcessing, (widget, payload) => {
      widget.coefficientIndex = payload;
    }),
  ],
  // Index and data move on together: coefficients are loaded one after another (§7.3.3.4).
  [
    V.GET_COEFFICIENT,
    get(hasProcessing, (widget) => widget.coefficients[widget.coefficientIndex++ & 0xffff] ?? 0),
  ],
  [
    V.SET_COEFFICIENT,
    set(hasProcessing, (widget, payload) => {
      widget.coefficients[widget.coefficientIndex++ & 0xffff] = payload;
    }),
  ],
  [V.GET_AMP, { understands: hasAmp, run: (_codec, widget, payload) => widget.getAmp(payload) }],
  [
    V.SET_AMP,
    set(hasAmp, (widget, payload, codec) => {
      if (!widget.setAmps(payload))
        codec.finding('an amplifier is set that is not there', widget, { payload });
    }),
  ],
  [V.GET_FORMAT, get(isConverter, (widget) => widget.format)],
  [
    V.SET_FORMAT,
    set(isConverter, (widget, payload) => {
      widget.format = payload;
    }),
  ],
  [V.GET_STREAM_CHANNEL, get(isConverter, (widget) => (widget.streamTag << 4) | widget.channel)],
  [
    V.SET_STREAM_CHANNEL,
    set(isConverter, (widget, payload) => {
      widget.streamTag = payload >>> 4;
      widget.channel = payload & 0x0f;
    }),
  ],
  [
    V.GET_SDI_SELECT,
    get(
      (widget) => widget.definition.kind === 'audio-input',
      () => 0,
    ),
  ],
  [
    V.SET_SDI_SELECT,
    set(
      (widget) => widget.definition.kind === 'audio-input',
      () => {},
    ),
  ],
  [V.GET_PIN_CONTROL, get(isPin, (widget) => widget.pinControl)],
  [
    V.SET_PIN_CONTROL,
    set(isPin, (widget, payload, codec) => {
      const { pin } = widget.definition;
      let value = payload & V.PIN_VREF;
      if (pin?.output) value |= payload & V.PIN_OUT_ENABLE;
      if (pin?.input) value |= payload & V.PIN_IN_ENABLE;
      if (pin?.headphone) value |= payload & V.PIN_HP_ENABLE;
      const enables = V.PIN_OUT_ENABLE | V.PIN_IN_ENABLE;
      if ((payload & ~value & enables) !== 0)
        codec.finding('a pin is enabled for a direction that it does not have', widget, { payload });
      widget.pinControl = value;
    }),
  ],
  [V.GET_UNSOLICITED, get(hasUnsolicited, (widget) => widget.unsolicited)],
  [
    V.SET_UNSOLICITED,
    set(hasUnsolicited, (widget, payload) => {
      widget.unsolicited = payload & (V.UNSOLICITED_ENABLE | V.UNSOLICITED_TAG);
    }),
  ],
  [V.GET_PIN_SENSE, { understands: isPin, run: (codec, widget) => codec.pinSense(widget) }],
  [V.EXECUTE_PIN_SENSE, { understands: isPin, run: () => 0 }],
  [V.GET_EAPD_BTL, get(hasEapd, (widget) => widget.eapd)],
  [
    V.SET_EAPD_BTL,
    set(hasEapd, (widget, payload) => {
      const { pin, swap } = widget.definition;
      const mask =
        (pin?.balanced ? V.EAPD_BTL : 0) | (pin?.eapd ? V.EAPD_EAPD : 0) | (swap ? V.EAPD_SWAP : 0);
      widget.eapd = payload & mask;
    }),
  ],
  [V.GET_DIGITAL_CONTROL, get(isDigital, (widget) => widget.digitalControl)],
  [
    V.SET_DIGITAL_CONTROL_1,
    set(isDigital, (widget, payload) => {
      widget.digitalControl = (widget.digitalControl & 0xff00) | payload;
    }),
  ],
  [
    V.SET_DIGITAL_CONTROL_2,
    set(isDigital, (widget, payload) => {
      widget.digitalControl = (widget.digitalControl & 0x00ff) | ((payload & 0x7f) << 8);
    }),
  ],
  [
    V.GET_POWER_STATE,
    { understands: hasPower, run: (codec, widget) => widget.powerState | (codec.actualPower(widget) << 4) },
  ],
  [
    V.SET_POWER_STATE,
    set(hasPower, (widget, payload) => {
      widget.powerState = Math.min(payload & 0x0f, 3);
    }),
  ],
  [V.GET_CONFIG_DEFAULT, get(isPin, (widget) => widget.configDefault)],
  ...[0, 1, 2, 3].map((byte): [number, WidgetVerb] => [
    V.SET_CONFIG_DEFAULT_0 + byte,
    set(isPin, (widget, payload) => {
      const mask = 0xff << (8 * byte);
      widget.configDefault = ((widget.configDefault & ~mask) | (payload << (8 * byte))) >>> 0;
    }),
  ]),
  [V.GET_STRIPE, get(isConverter, (widget) => widget.stripe)],
  [
    V.SET_STRIPE,
    set(isConverter, (widget, payload) => {
      widget.stripe = payload & 3;
    }),
  ],
  [V.GET_CHANNEL_COUNT, get(isDigital, (widget) => widget.channelCount)],
  [
    V.SET_CHANNEL_COUNT,
    set(isDigital, (widget, payload) => {
      widget.channelCount = Math.min(payload & 0x0f, widget.channels - 1);
    }),
  ],
  [
    V.GET_DIP_SIZE,
    {
      understands: (widget) => widget.definition.pin?.hdmi === true,
      // Bit 3 asks for the ELD's size; data island packets are not kept.
      run: (codec, widget, payload) => ((payload & 8) !== 0 ? codec.eldOf(widget).length : 0),
    },
  ],
  [
    V.GET_ELD,
    {
      understands: (widget) => widget.definition.pin?.hdmi === true,
      run: (codec, widget, payload) => {
        const byte = codec.eldOf(widget)[payload];
        return byte === undefined ? 0 : (0x8000_0000 | byte) >>> 0;
      },
    },
  ],
  [
    V.GET_CHANNEL_MAPPING,
    {
      understands: (widget) => widget.definition.pin?.hdmi === true,
      run: (_codec, widget, payload) => widget.channelMap[payload & 7]!,
    },
  ],
  [
    V.SET_CHANNEL_MAPPING,
    set(
      (widget) => widget.definition.pin?.hdmi === true,
      (widget, payload) => {
        widget.channelMap[payload & 7] = payload;
      },
    ),
  ],
]);

/** GPIO registers of the function group, by their place in the verbs F15h–F1Ah. */
const GPIO_REGISTERS = 6;
const GPIO_DATA = 0;
const GPIO_ENABLE = 1;
const GPIO_DIRECTION = 2;

/**
 * The engine behind every codec: interprets a definition, keeps what software set, and answers verbs (HDA specification 1.0a,
 * chapter 7). It knows nothing of sound; {@link HdaCodecAudio} reads its state and does.
 *
 * Every verb is answered: unknown ones, and those a node does not understand, with 0.
 */
export class HdaCodec {
  readonly definition: HdaCodecDefinition;
  readonly address: number;
  /** Grows whenever something changed that may be heard. */
  revision = 0;
  readonly #host: HdaCodecHost;
  readonly #widgets = new Map<number, WidgetState>();
  readonly #jacks = new Map<number, JackState>();
  readonly #unsolicited: number[] = [];
  #powerState = 0;
  #subsystemId: number;
  readonly #gpio = new Uint8Array(GPIO_REGISTERS);

  /** Throws a RangeError for a definition that is none, and for jacks at nodes that are no pins. */
  constructor(
    definition: HdaCodecDefinition,
    address: number,
    jacks: Readonly<Record<number, HdaJack>>,
    host: HdaCodecHost,
  ) {
    checkCodecDefinition(definition);
    this.definition = definition;
    this.address = address;
    this.#host = host;
    this.#subsystemId = definition.subsystemId;
    for (const widget of definition.widgets)
      this.#widgets.set(widget.nid, new WidgetState(widget, this.#resetPowerState));
    for (const [nid, jack] of Object.entries(jacks)) this.#setJack(Number(nid), jack);
    this.reset();
  }

  get widgets(): ReadonlyMap<number, WidgetState> {
    return this.#widgets;
  }

  /** Power state of the function group. */
  get powerState(): number {
    return this.#powerState;
  }

  /** Link reset, or function reset: all but what firmware wrote (§5.5.1, §7.3.3.33). */
  reset(): void {
    for (const widget of this.#widgets.values()) widget.reset(this.#resetPowerState);
    this.#powerState = this.#resetPowerState;
    this.#gpio.fill(0);
    this.#unsolicited.length = 0;
    this.revision++;
  }

  // --- jacks ---

  /** Plugs a device into a pin's jack. Throws a RangeError where there is no jack. */
  plug(nid: number, jack: HdaJack): void {
    this.#setJack(nid, jack);
    this.#presenceChanged(nid);
  }

  /** Pulls out what is in a pin's jack. */
  unplug(nid: number): void {
    this.#setJack(nid, { plugged: false });
    this.#presenceChanged(nid);
  }

  /** The device at a pin, if it is plugged in. */
  jack(nid: number): { readonly sink: PcmSink | null; readonly source: PcmSource | null } {
    const jack = this.#jacks.get(nid);
    return jack?.plugged === true ? jack : NOTHING_PLUGGED;
  }

  /** Something is in the jack; where nothing can be unplugged, always. */
  isPresent(nid: number): boolean {
    const port = this.#widgets.get(nid)?.definition.pin?.config.port;
    return port === 'fixed' || this.#jacks.get(nid)?.plugged === true;
  }

  /** Takes the oldest unsolicited response; null when there is none. */
  takeUnsolicited(): number | null {
    return this.#unsolicited.shift() ?? null;
  }

  get hasUnsolicited(): boolean {
    return this.#unsolicited.length > 0;
  }

  #setJack(nid: number, jack: HdaJack): void {
    const pin = this.#widgets.get(nid)?.definition.pin;
    if (!pin) {
      throw new RangeError(
        `codec ${this.definition.name}: node ${nid.toString(16).padStart(2, '0')}h is not a pin; pins are ${this.#pinList()}`,
      );
    }
    const plugged = jack.plugged ?? true;
    const eld = jack.eld ?? (pin.hdmi && plugged ? makeEld(DEFAULT_DISPLAY) : NOTHING_PLUGGED.eld);
    this.#jacks.set(nid, { sink: jack.sink ?? null, source: jack.source ?? null, plugged, eld });
    this.revision++;
  }

  #pinList(): string {
    const pins = this.definition.widgets.filter((widget) => widget.kind === 'pin');
    return pins
      .map((pin) => `${pin.nid.toString(16).padStart(2, '0').toUpperCase()}h ${pin.name}`)
      .join(', ');
  }

  #presenceChanged(nid: number): void {
    const widget = this.#widgets.get(nid);
    if (!widget?.definition.pin?.presenceDetect) return;
    if ((widget.unsolicited & V.UNSOLICITED_ENABLE) === 0) return;
    let response = ((widget.unsolicited & V.UNSOLICITED_TAG) << V.UNSOLICITED_TAG_SHIFT) >>> 0;
    if (widget.definition.pin.hdmi) {
      const sense = this.pinSense(widget);
      if ((sense & V.SENSE_PRESENCE) !== 0) response += V.UNSOLICITED_PRESENCE;
      if ((sense & V.SENSE_ELD_VALID) !== 0) response += V.UNSOLICITED_ELD_VALID;
    }
    if (this.#unsolicited.length === UNSOLICITED_QUEUE) this.#unsolicited.shift();
    this.#unsolicited.push(response);
  }

  pinSense(widget: WidgetState): number {
    const { nid, pin } = widget.definition;
    if (!pin?.presenceDetect || !this.isPresent(nid)) return 0;
    const eldValid = pin.hdmi === true && this.eldOf(widget).length > 0;
    return (V.SENSE_PRESENCE | (eldValid ? V.SENSE_ELD_VALID : 0)) >>> 0;
  }

  eldOf(widget: WidgetState): Uint8Array {
    const jack = this.#jacks.get(widget.definition.nid);
    return jack?.plugged === true ? jack.eld : NOTHING_PLUGGED.eld;
  }

  /** Power a widget really has: no better than its function group's. */
  actualPower(widget: WidgetState): number {
    return Math.max(this.#powerState, widget.powerState);
  }

  finding(what: string, widget: WidgetState, data: Readonly<Record<string, number>> = {}): void {
    this.#host.finding(what, { codec: this.address, node: widget.definition.nid, ...data });
  }

  // --- verbs ---

  /** Runs a verb at a node and answers it. Unknown nodes and verbs answer 0 and are reported. */
  execute(nid: number, verb: number, payload: number): number {
    if (nid === 0) return this.#executeRoot(verb, payload);
    if (nid === this.definition.functionGroupNid) return this.#executeFunctionGroup(verb, payload);
    const widget = this.#widgets.get(nid);
    if (!widget) return this.#unknown('verb to a node that is not there', nid, verb, payload);
    if (verb === V.GET_PARAMETER) return this.#widgetParameter(widget, payload);
    const entry = WIDGET_VERBS.get(verb);
    if (!entry) return this.#unknown('unknown verb', nid, verb, payload);
    if (!entry.understands(widget))
      return this.#unknown('verb that the node does not understand', nid, verb, payload);
    if (entry.changes) this.revision++;
    return entry.run(this, widget, payload);
  }

  get #resetPowerState(): number {
    return this.definition.resetPowerState ?? 0;
  }

  #unknown(what: string, nid: number, verb: number, payload: number): number {
    this.#host.finding(what, { codec: this.address, node: nid, verb: V.hdaVerbName(verb), payload });
    return 0;
  }

  #executeRoot(verb: number, payload: number): number {
    if (verb !== V.GET_PARAMETER) return this.#unknown('unknown verb', 0, verb, payload);
    const { vendorId, subsystemId, revisionId, functionGroupNid } = this.definition;
    switch (payload) {
      case V.PARAM_VENDOR_ID:
        return vendorId >>> 0;
      case V.PARAM_SUBSYSTEM_ID:
        return subsystemId >>> 0;
      case V.PARAM_REVISION_ID:
        return revisionId >>> 0;
      case V.PARAM_NODE_COUNT:
        return (functionGroupNid << 16) | 1;
      default:
        return 0;
    }
  }

  #executeFunctionGroup(verb: number, payload: number): number {
    const nid = this.definition.functionGroupNid;
    switch (verb) {
      case V.GET_PARAMETER:
        return this.#functionParameter(payload);
      case V.GET_POWER_STATE:
        return this.#powerState | (this.#powerState << 4);
      case V.SET_POWER_STATE:
        if ((this.definition.powerStates ?? 0) !== 0) this.#powerState = Math.min(payload & 0x0f, 3);
        this.revision++;
        return 0;
      case V.GET_SUBSYSTEM_ID:
        return this.#subsystemId >>> 0;
      case V.FUNCTION_RESET:
        this.reset();
        return 0;
      default:
        break;
    }
    if (verb >= V.SET_SUBSYSTEM_ID_0 && verb <= V.SET_SUBSYSTEM_ID_3) {
      const shift = 8 * (verb - V.SET_SUBSYSTEM_ID_0);
      this.#subsystemId = ((this.#subsystemId & ~(0xff << shift)) | (payload << shift)) >>> 0;
      return 0;
    }
    if (verb >= V.GET_GPIO_DATA && verb <= V.GET_GPIO_STICKY) return this.#getGpio(verb - V.GET_GPIO_DATA);
    if (verb >= V.SET_GPIO_DATA && verb <= V.SET_GPIO_STICKY) {
      const mask = (1 << (this.definition.gpioCount ?? 0)) - 1;
      this.#gpio[verb - V.SET_GPIO_DATA] = payload & mask;
      return 0;
    }
    return this.#unknown('unknown verb', nid, verb, payload);
  }

  /** Data reads back what drives an output, and 0 at an input: nothing is wired there. */
  #getGpio(register: number): number {
    if (register !== GPIO_DATA) return this.#gpio[register] ?? 0;
    return this.#gpio[GPIO_DATA]! & this.#gpio[GPIO_ENABLE]! & this.#gpio[GPIO_DIRECTION]!;
  }

  #functionParameter(parameter: number): number {
    const { definition } = this;
    switch (parameter) {
      case V.PARAM_SUBSYSTEM_ID:
        return definition.subsystemId >>> 0;
      case V.PARAM_NODE_COUNT:
        return ((definition.widgets[0]?.nid ?? 0) << 16) | definition.widgets.length;
      case V.PARAM_FUNCTION_TYPE:
        return FUNCTION_AUDIO;
      case V.PARAM_AUDIO_FUNCTION_CAPS:
        return (definition.delays?.output ?? 0) | ((definition.delays?.input ?? 0) << 8);
      case V.PARAM_PCM:
        return pcmOf(definition.pcm);
      case V.PARAM_STREAM_FORMATS:
        return 1;
      case V.PARAM_POWER_STATES:
        return definition.powerStates ?? 0;
      case V.PARAM_GPIO_COUNT:
        return definition.gpioCount ?? 0;
      default:
        return 0;
    }
  }

  #widgetParameter(widget: WidgetState, parameter: number): number {
    const { definition } = widget;
    switch (parameter) {
      case V.PARAM_WIDGET_CAPS:
        return widgetCapabilities(definition);
      case V.PARAM_PCM:
        return pcmOf(definition.pcm);
      case V.PARAM_STREAM_FORMATS:
        return definition.pcm ? (definition.streamFormats ?? 1) : 0;
      case V.PARAM_PIN_CAPS:
        return definition.pin ? pinCapabilities(definition.pin) : 0;
      case V.PARAM_IN_AMP_CAPS:
        return definition.inAmp ? ampCapabilities(definition.inAmp) : 0;
      case V.PARAM_OUT_AMP_CAPS:
        return definition.outAmp ? ampCapabilities(definition.outAmp) : 0;
      case V.PARAM_CONNECTION_LIST_LENGTH:
        return definition.connections?.length ?? 0;
      case V.PARAM_POWER_STATES:
        return definition.powerControl ? (this.definition.powerStates ?? 0) : 0;
      case V.PARAM_PROCESSING_CAPS:
        return definition.coefficients ? definition.coefficients << 8 : 0;
      default:
        return 0;
    }
  }
}
