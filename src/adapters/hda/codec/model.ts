/**
 * What the driver knows of a codec: the widget graph as it was read ({@link CodecGraph}), and what the driver makes of it
 * ({@link CodecPlan}): streaming devices, jacks, and the nodes between them, each one to one from an amplifier, mixer input or selector.
 */
import type { GUID } from '../../../com/index.ts';

/** The way to codecs: one verb to one node, answered. */
export interface CodecLink {
  /**
   * Sends a verb and gives its response. Verbs up to Fh have 4 bits and 16 bits of payload, the others 12 bits and 8 (HDA specification
   * 1.0a, §7.3). IRQL <= DISPATCH_LEVEL.
   *
   * @throws NtError STATUS_IO_TIMEOUT when the codec does not answer, STATUS_DEVICE_NOT_CONNECTED when the card is gone
   */
  command(codecAddress: number, nid: number, verb: number, payload: number): number;
}

/* ---- the graph ---- */

export const WIDGET_TYPE_NAMES = {
  0: 'audio-output',
  1: 'audio-input',
  2: 'mixer',
  3: 'selector',
  4: 'pin',
  5: 'power',
  6: 'volume-knob',
  7: 'beep',
  15: 'vendor',
} as const;
export type WidgetType = (typeof WIDGET_TYPE_NAMES)[keyof typeof WIDGET_TYPE_NAMES];

/** An amplifier's capabilities (§7.3.4.10). A step is `stepQuarterDb` quarters of a dB; step `offset` is 0 dB. */
export interface AmpCaps {
  /** Steps above the lowest; 0 for an amplifier that has no gain to set. */
  readonly steps: number;
  readonly offset: number;
  readonly stepQuarterDb: number;
  readonly mute: boolean;
  readonly minimumDecibels: number;
  readonly maximumDecibels: number;
}

/** A pin's configuration default, taken apart as numbers (§7.3.3.31). */
export interface PinConfig {
  readonly value: number;
  /** 0 jack, 1 nothing is connected, 2 fixed function, 3 both. */
  readonly port: number;
  /** 6 bits: general place in 5:4, geometric place in 3:0. */
  readonly location: number;
  readonly device: number;
  readonly connectionType: number;
  readonly color: number;
  readonly misc: number;
  readonly association: number;
  readonly sequence: number;
}

/** A pin's capabilities (§7.3.4.9). */
export interface PinCaps {
  readonly value: number;
  readonly output: boolean;
  readonly input: boolean;
  readonly headphone: boolean;
  readonly presenceDetect: boolean;
  /** Sensing must be started by EXECUTE_PIN_SENSE. */
  readonly trigger: boolean;
  readonly balanced: boolean;
  readonly hdmi: boolean;
  readonly displayPort: boolean;
  readonly eapd: boolean;
  /** Bit 0 Hi-Z, 1 50 %, 2 ground, 4 80 %, 5 100 %. */
  readonly vref: number;
}

/** Formats of a converter (§7.3.4.7, §7.3.4.8). */
export interface ConverterFormats {
  /** Hz, ascending. */
  readonly rates: readonly number[];
  /** Sample sizes, ascending. */
  readonly bits: readonly number[];
  readonly pcm: boolean;
  readonly float32: boolean;
  readonly ac3: boolean;
}

export interface CodecWidget {
  readonly nid: number;
  readonly type: WidgetType;
  /** The widget capabilities as read. */
  readonly capabilities: number;
  readonly channels: number;
  readonly delaySamples: number;
  readonly digital: boolean;
  readonly powerControl: boolean;
  readonly unsolicited: boolean;
  readonly swap: boolean;
  readonly processing: boolean;
  readonly stripe: boolean;
  /** Node ids in the order of the connection list, ranges expanded. 0 keeps the place of an entry that is no widget. */
  readonly connections: readonly number[];
  /** Place in {@link connections} that was connected when the codec was read; null for mixers, which take all. */
  readonly selectedConnection: number | null;
  readonly inAmp: AmpCaps | null;
  readonly outAmp: AmpCaps | null;
  /** Converters only. */
  readonly formats: ConverterFormats | null;
  readonly pin: { readonly caps: PinCaps; readonly config: PinConfig } | null;
  /** Bit n: Dn can be entered. 0 where nothing is said. */
  readonly powerStates: number;
}

export interface CodecFunctionGroup {
  readonly nid: number;
  readonly subsystemId: number;
  readonly unsolicited: boolean;
  readonly formats: ConverterFormats;
  readonly inAmp: AmpCaps | null;
  readonly outAmp: AmpCaps | null;
  readonly powerStates: number;
  readonly gpioCount: number;
  readonly outputDelaySamples: number;
  readonly inputDelaySamples: number;
  /** In ascending order of node ids. */
  readonly widgets: readonly CodecWidget[];
}

/** A codec as it was read by verbs. */
export interface CodecGraph {
  readonly address: number;
  readonly vendorId: number;
  readonly revisionId: number;
  /** Audio function groups; others (modems, vendors') are left alone. */
  readonly functionGroups: readonly CodecFunctionGroup[];
  /** What is wrong with the codec's answers, in sentences; the graph is without it. */
  readonly findings: readonly string[];
}

/* ---- the plan ---- */

/** One amplifier, or one side of it. */
export interface PlanAmp {
  readonly nid: number;
  readonly direction: 'in' | 'out';
  /** Input amplifiers: the connection it belongs to; 0 for pins' and output amplifiers. */
  readonly index: number;
  /** `both` for a mono widget, whose setting is in the left half. */
  readonly side: 'left' | 'right' | 'both';
}

/** What a volume node can do, in dB. */
export interface PlanRange {
  readonly minimumDecibels: number;
  readonly maximumDecibels: number;
  readonly stepDecibels: number;
}

export type PlanNodeType = 'dac' | 'adc' | 'volume' | 'mute' | 'sum' | 'mux';

interface PlanNodeBase {
  /** Place in {@link CodecPlan.nodes}. */
  readonly id: number;
  /** The widgets that the node stands for; one for each channel pair of a multichannel device. */
  readonly nids: readonly number[];
  /** KSAUDFNAME_* or null for the type's own name. */
  readonly name: GUID | null;
}

export interface PlanConverterNode extends PlanNodeBase {
  readonly type: 'dac' | 'adc';
  /** Place in {@link CodecPlan.devices}. */
  readonly device: number;
}

export interface PlanVolumeNode extends PlanNodeBase {
  readonly type: 'volume';
  /** By channel; null where a channel has no amplifier here. */
  readonly channels: readonly (PlanAmp | null)[];
  readonly range: PlanRange;
  /** Gain of a microphone, in front of everything else. */
  readonly boost: boolean;
}

export interface PlanMuteNode extends PlanNodeBase {
  readonly type: 'mute';
  readonly channels: readonly (PlanAmp | null)[];
  /** What {@link CodecDevice.initialise} leaves it at: true for inputs heard in the output mix. */
  readonly initiallyMuted: boolean;
}

export interface PlanSumNode extends PlanNodeBase {
  readonly type: 'sum';
}

export interface PlanMuxNode extends PlanNodeBase {
  readonly type: 'mux';
  readonly nid: number;
  /** One a connection into the node, in their order; what CONNECTION_SELECT is set to. */
  readonly choices: readonly number[];
  /** Place in {@link choices} after initialisation. */
  readonly initialChoice: number;
}

export type PlanNode = PlanConverterNode | PlanVolumeNode | PlanMuteNode | PlanSumNode | PlanMuxNode;

/** One end of a connection: the wave filter's side of a device, a port's jacks, or a node. */
export type PlanEnd =
  | { readonly kind: 'device'; readonly device: number }
  | { readonly kind: 'port'; readonly port: number }
  | { readonly kind: 'node'; readonly node: number };

/** Signals flow `from` … `to`. Connections into one node are in the order of its inputs. */
export interface PlanConnection {
  readonly from: PlanEnd;
  readonly to: PlanEnd;
}

/** One jack or built-in transducer: a pin widget. */
export interface PlanJack {
  readonly nid: number;
  readonly direction: 'render' | 'capture';
  /** KSNODETYPE_*: what belongs into it. */
  readonly category: GUID;
  /** In English, what belongs into it: `Speakers`, `Microphone`. */
  readonly device: string;
  /** The same with place and colour: `Microphone (front, pink)`. */
  readonly name: string;
  readonly association: number;
  readonly sequence: number;
  /** 0x00RRGGBB; 0 black or none. */
  readonly color: number;
  /** eConnType*, eGeoLoc*, eGenLoc*, ePortConn*. */
  readonly connectionType: number;
  readonly geoLocation: number;
  readonly genLocation: number;
  readonly portConnection: number;
  /** SPEAKER_*; 0 for inputs and digital jacks. */
  readonly channelMapping: number;
  /** What is plugged in can be sensed. */
  readonly presenceDetect: boolean;
  /** Tag of its unsolicited responses, 1–63; null when it sends none. */
  readonly unsolicitedTag: number | null;
  /** Its sink may describe itself by an ELD. */
  readonly eld: boolean;
  /** Display audio by DisplayPort as well as HDMI, null when it is neither. */
  readonly display: 'hdmi' | 'displayport' | null;
}

/** A bridge pin: the jacks that one path leads to. A 7.1 set has four. */
export interface PlanPort {
  readonly direction: 'render' | 'capture';
  readonly category: GUID;
  /** Unique in the plan: `Speakers`, `Front Microphone`. */
  readonly name: string;
  readonly jacks: readonly PlanJack[];
  /** Devices that reach it, or that it reaches. */
  readonly devices: readonly number[];
}

/** A converter and the channels of the stream that it takes. */
export interface PlanConverter {
  readonly nid: number;
  readonly firstChannel: number;
  readonly channels: number;
}

/** A stream's counterpart: a host pin of the wave filter. */
export interface PlanDevice {
  readonly direction: 'render' | 'capture';
  readonly name: string;
  readonly converters: readonly PlanConverter[];
  readonly digital: 'none' | 'spdif' | 'hdmi';
  readonly formats: ConverterFormats;
  readonly maximumChannels: number;
  /** SPEAKER_* of all channels; 0 for capture and digital devices, whose positions follow the stream. */
  readonly channelMask: number;
  /** Of its longest way. */
  readonly delaySamples: number;
  /** Places in {@link CodecPlan.ports}, its own first. */
  readonly ports: readonly number[];
  /** The jacks of {@link ports}. */
  readonly jacks: readonly PlanJack[];
}

/** A connection that is chosen once, or a pin that is switched on once: what no node stands for. */
export interface PlanSelection {
  readonly nid: number;
  readonly connection: number;
}

/** An amplifier that is set once and has no node. */
export interface PlanFixedAmp {
  readonly amp: PlanAmp;
  readonly step: number;
  readonly mute: boolean;
}

/** A pin that is in use. */
export interface PlanPin {
  readonly nid: number;
  /** Pin widget control (§7.3.3.13). */
  readonly control: number;
  /** The EAPD/BTL verb's payload; null for a pin without. */
  readonly eapd: number | null;
  readonly unsolicitedTag: number | null;
}

/** What the driver offers of one audio function group, and how it gets there. */
export interface CodecPlan {
  readonly codecAddress: number;
  /** Of the audio function group. */
  readonly functionGroupNid: number;
  readonly devices: readonly PlanDevice[];
  readonly ports: readonly PlanPort[];
  readonly nodes: readonly PlanNode[];
  readonly connections: readonly PlanConnection[];
  readonly selections: readonly PlanSelection[];
  readonly pins: readonly PlanPin[];
  readonly fixedAmps: readonly PlanFixedAmp[];
  /** Widgets on any way: those that need power. Ascending. */
  readonly usedNids: readonly number[];
  /** What was left out and why, in sentences. */
  readonly findings: readonly string[];
}

/* ---- the codec at work ---- */

/** A stream's routing. */
export interface StreamRoute {
  /** 1–15; 0 is no stream. */
  readonly streamTag: number;
  /** The format word of SDnFMT (§3.7.1). */
  readonly format: number;
  readonly channels: number;
  /**
   * By converter of the device: the channel of the stream that is its first, null for a converter that gets none. By default the plan's own
   * first channels, as far as the stream has them: right for streams whose speakers are the first of the device's.
   */
  readonly firstChannels?: readonly (number | null)[];
  /** Digital outputs: the bits are no PCM (AC-3). */
  readonly nonPcm?: boolean;
}

/** A jack now. Without presence detection everything counts as plugged in. */
export interface JackState {
  readonly present: boolean;
  /** A display's ELD is there to be read. */
  readonly eldValid: boolean;
}

/** What a display says of its audio (HDA ECN 034-A; CEA-861 short audio descriptors). */
export interface EldInformation {
  readonly bytes: Uint8Array;
  readonly monitorName: string;
  readonly manufacturerId: number;
  readonly productId: number;
  /** The port's number at its graphics adapter, 64 bits as two halves. */
  readonly portIdLow: number;
  readonly portIdHigh: number;
  readonly connection: 'hdmi' | 'displayport';
  readonly hdcp: boolean;
  readonly ai: boolean;
  /** Audio lags video by so much; 0 when it does not say. */
  readonly audioLatencyMs: number;
  /** CEA-861 speaker allocation. */
  readonly speakers: number;
  readonly pcm: readonly {
    readonly channels: number;
    readonly rates: readonly number[];
    readonly bits: readonly number[];
  }[];
  /** CEA-861 format codes other than linear PCM: 2 is AC-3. */
  readonly encodings: readonly number[];
}

/**
 * A codec that runs by its plan; {@link initialiseCodec} makes one. It keeps everything it wrote, so that it can be written again after a
 * reset or D3. All methods run at IRQL <= DISPATCH_LEVEL and throw what {@link CodecLink.command} throws.
 */
export interface CodecDevice {
  readonly graph: CodecGraph;
  readonly plan: CodecPlan;
  /** Writes everything: power, pins, selections, amplifiers, unsolicited responses. Leaves settings that were changed since at those values. */
  initialise(): void;
  /** Connects a device's converters to a stream. @throws NtError STATUS_INVALID_PARAMETER */
  routeStream(device: number, route: StreamRoute): void;
  /** Takes a device's converters off their stream. */
  stopStream(device: number): void;
  /** A volume node's channel in dB. STATUS_INVALID_PARAMETER for a node or channel that has none. */
  getVolume(node: number, channel: number): number;
  /** Sets it to the nearest step. */
  setVolume(node: number, channel: number, decibels: number): void;
  getMute(node: number, channel: number): boolean;
  setMute(node: number, channel: number, muted: boolean): void;
  /** Place in the node's choices. */
  getMux(node: number): number;
  setMux(node: number, choice: number): void;
  /** Asks the pin of a jack. */
  readPresence(jack: PlanJack): JackState;
  /** Null when there is no valid ELD. */
  readEld(jack: PlanJack): EldInformation | null;
  /** The jack that an unsolicited response is about (its tag is in bits 31:26); null when it is no jack's. */
  jackOfUnsolicited(response: number): PlanJack | null;
  /** To D3 (or the lowest state the function group has). No verb is sent while it is there; settings are kept. */
  powerDown(): void;
  /** To D0, and everything written again: settings, streams that are connected. */
  powerUp(): void;
}
