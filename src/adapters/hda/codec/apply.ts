import {
  NtError,
  STATUS_DEVICE_CONFIGURATION_ERROR,
  STATUS_INVALID_PARAMETER,
} from '../../../kernel/index.ts';
import { AmpSetting, nearestStep, stepDecibels } from './amp-settings.ts';
import { parseEld } from './eld.ts';
import { audioInfoframe, channelAllocation, EMPTY_SLOT } from './infoframe.ts';
import type {
  CodecDevice,
  CodecFunctionGroup,
  CodecGraph,
  CodecLink,
  CodecPlan,
  CodecWidget,
  EldInformation,
  JackState,
  PlanAmp,
  PlanDevice,
  PlanJack,
  PlanMuteNode,
  PlanMuxNode,
  PlanVolumeNode,
  StreamRoute,
} from './model.ts';
import { nidText } from './read-codec.ts';
import * as V from './verbs.ts';

/** D0 is due within 10 ms (§7.3.3.10); a verb takes two link frames of 20.8 µs at least, so that this is 20 ms or more. */
const POWER_POLLS = 500;
const LAST_STREAM_TAG = 15;
/** Slots of a display's audio packet. */
const DISPLAY_SLOTS = 8;
const MAX_ELD_BYTES = 256;
/** The byte of an ELD with the kind of connection. */
const ELD_CONNECTION_BYTE = 5;
const ABSENT: JackState = { present: false, eldValid: false };

/** See {@link CodecDevice}. */
class RunningCodec implements CodecDevice {
  readonly graph: CodecGraph;
  readonly plan: CodecPlan;
  readonly #link: CodecLink;
  readonly #group: CodecFunctionGroup;
  readonly #widgets: ReadonlyMap<number, CodecWidget>;
  readonly #amps = new Map<string, AmpSetting>();
  readonly #connections = new Map<number, number>();
  readonly #streams = new Map<number, StreamRoute>();
  readonly #presence = new Map<number, JackState>();
  #awake = false;

  constructor(link: CodecLink, graph: CodecGraph, plan: CodecPlan) {
    const group = graph.functionGroups.find(({ nid }) => nid === plan.functionGroupNid);
    if (group === undefined)
      throw new NtError(
        STATUS_DEVICE_CONFIGURATION_ERROR,
        `HDA: codec ${graph.address} has no audio function group at node ${nidText(plan.functionGroupNid)}.`,
      );
    this.#link = link;
    this.graph = graph;
    this.plan = plan;
    this.#group = group;
    this.#widgets = new Map(group.widgets.map((widget) => [widget.nid, widget]));
    for (const { amp, step, mute } of plan.fixedAmps) {
      const setting = this.#amp(amp);
      setting.setStep(amp.side, step);
      setting.setMuted(amp.side, mute);
    }
    for (const node of plan.nodes) {
      if (node.type === 'volume') for (const amp of node.channels) if (amp) this.#amp(amp);
      if (node.type === 'mute') {
        for (const amp of node.channels) if (amp) this.#amp(amp).setMuted(amp.side, node.initiallyMuted);
      }
      if (node.type === 'mux') this.#connections.set(node.nid, node.choices[node.initialChoice]!);
    }
    for (const { nid, connection } of plan.selections) this.#connections.set(nid, connection);
  }

  /* ---- everything ---- */

  initialise(): void {
    this.powerUp();
  }

  powerUp(): void {
    this.#awake = true;
    this.#enterD0();
    for (const widget of this.#group.widgets)
      if (widget.formats) this.#set(widget.nid, V.SET_STREAM_CHANNEL, 0);
    for (const amp of this.#amps.values()) this.#writeAmp(amp);
    for (const [nid, connection] of this.#connections) this.#set(nid, V.SET_CONNECTION_SELECT, connection);
    // Pins come last: nothing of the above is heard before.
    for (const { nid, control, eapd, unsolicitedTag } of this.plan.pins) {
      if (eapd !== null) this.#set(nid, V.SET_EAPD_BTL, eapd);
      this.#set(nid, V.SET_PIN_CONTROL, control);
      if (this.#widgets.get(nid)?.unsolicited)
        this.#set(
          nid,
          V.SET_UNSOLICITED,
          unsolicitedTag === null ? 0 : V.UNSOLICITED_ENABLE | unsolicitedTag,
        );
    }
    for (const [device, route] of this.#streams) this.#writeRoute(this.#device(device), route);
  }

  powerDown(): void {
    if (!this.#awake) return;
    this.#awake = false;
    const { powerStates, nid } = this.#group;
    const deepest = [V.POWER_D3, 2, 1].find((state) => (powerStates & (1 << state)) !== 0);
    if (deepest !== undefined) this.#command(nid, V.SET_POWER_STATE, deepest);
  }

  #enterD0(): void {
    const { powerStates, nid } = this.#group;
    // Without the parameter there is only D0 (§7.3.4.12).
    if (powerStates === 0) return;
    this.#command(nid, V.SET_POWER_STATE, V.POWER_D0);
    this.#awaitD0(nid);
    const powered = this.plan.usedNids.filter((used) => this.#widgets.get(used)?.powerControl);
    for (const used of powered) this.#command(used, V.SET_POWER_STATE, V.POWER_D0);
    for (const used of powered) this.#awaitD0(used);
  }

  /** A codec that never says that it is there is used all the same: there is nothing better to do. */
  #awaitD0(nid: number): void {
    for (let poll = 0; poll < POWER_POLLS; poll++) {
      const state = this.#command(nid, V.GET_POWER_STATE, 0);
      if (((state >>> 4) & 0x0f) === V.POWER_D0) return;
    }
  }

  /* ---- streams ---- */

  routeStream(device: number, route: StreamRoute): void {
    const planned = this.#device(device);
    const { streamTag, channels, firstChannels } = route;
    if (!Number.isInteger(streamTag) || streamTag < 1 || streamTag > LAST_STREAM_TAG)
      throw new NtError(STATUS_INVALID_PARAMETER, `HDA: stream tag ${streamTag} is not within 1 … 15.`);
    if (!Number.isInteger(channels) || channels < 1 || channels > planned.maximumChannels)
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `HDA: '${planned.name}' takes 1 … ${planned.maximumChannels} channels, not ${channels}.`,
      );
    if (firstChannels !== undefined && firstChannels.length !== planned.converters.length)
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `HDA: '${planned.name}' has ${planned.converters.length} converters; first channels are for ${firstChannels.length}.`,
      );
    this.#streams.set(device, route);
    if (this.#awake) this.#writeRoute(planned, route);
  }

  stopStream(device: number): void {
    const { converters } = this.#device(device);
    this.#streams.delete(device);
    for (const { nid } of converters) this.#set(nid, V.SET_STREAM_CHANNEL, 0);
  }

  #device(device: number): PlanDevice {
    const planned = this.plan.devices[device];
    if (planned === undefined)
      throw new NtError(STATUS_INVALID_PARAMETER, `HDA: there is no device ${device}.`);
    return planned;
  }

  #writeRoute(device: PlanDevice, route: StreamRoute): void {
    const { streamTag, format, channels, firstChannels, nonPcm } = route;
    for (const [index, { nid, firstChannel }] of device.converters.entries()) {
      const planned = firstChannel < channels ? firstChannel : null;
      const first = firstChannels === undefined ? planned : firstChannels[index]!;
      if (first === null) {
        this.#set(nid, V.SET_STREAM_CHANNEL, 0);
        continue;
      }
      const digital = device.direction === 'render' && device.digital !== 'none';
      // The channel status must not change under way: transmission stops first.
      if (digital) this.#set(nid, V.SET_DIGITAL_CONTROL_1, 0);
      this.#set(nid, V.SET_FORMAT, format);
      if (device.digital === 'hdmi' && digital) this.#announceToDisplays(device, nid, channels);
      this.#set(nid, V.SET_STREAM_CHANNEL, (streamTag << 4) | first);
      const control = V.DIGITAL_ENABLE | V.DIGITAL_COPY | (nonPcm ? V.DIGITAL_NON_AUDIO : 0);
      if (digital) this.#set(nid, V.SET_DIGITAL_CONTROL_1, control);
    }
  }

  /**
   * Channel count, infoframe, and the slots by the allocation the infoframe names. A pin without a buffer for infoframes keeps its slots in
   * order: its display knows of no allocation.
   */
  #announceToDisplays(device: PlanDevice, converter: number, channels: number): void {
    if (device.maximumChannels > 1) this.#set(converter, V.SET_CHANNEL_COUNT, channels - 1);
    for (const { nid, display } of device.jacks) {
      if (display === null || this.#command(nid, V.GET_DIP_SIZE, 0) === 0) continue;
      const { slots } = channelAllocation(channels);
      for (let slot = 0; slot < DISPLAY_SLOTS; slot++)
        this.#set(nid, V.SET_CHANNEL_MAPPING, ((slots[slot] ?? EMPTY_SLOT) << 4) | slot);
      this.#set(nid, V.SET_DIP_INDEX, 0);
      this.#set(nid, V.SET_DIP_TRANSMIT, V.DIP_TRANSMIT_OFF);
      this.#set(nid, V.SET_DIP_INDEX, 0);
      for (const value of audioInfoframe(channels, this.#connectionOf(nid, display)))
        this.#set(nid, V.SET_DIP_DATA, value);
      this.#set(nid, V.SET_DIP_INDEX, 0);
      this.#set(nid, V.SET_DIP_TRANSMIT, V.DIP_TRANSMIT_BEST);
    }
  }

  /** A pin may serve either kind of display; the ELD says which is there. */
  #connectionOf(nid: number, display: 'hdmi' | 'displayport'): 'hdmi' | 'displayport' {
    const value = this.#command(nid, V.GET_ELD, ELD_CONNECTION_BYTE) >>> 0;
    if (value < V.ELD_BYTE_VALID) return display;
    return ((value >>> 2) & 3) === 1 ? 'displayport' : 'hdmi';
  }

  /* ---- nodes ---- */

  getVolume(node: number, channel: number): number {
    const { setting, side } = this.#channel(node, channel, 'volume');
    return stepDecibels(setting.caps, setting.step(side));
  }

  setVolume(node: number, channel: number, decibels: number): void {
    const { setting, side } = this.#channel(node, channel, 'volume');
    if (Number.isNaN(decibels)) throw new NtError(STATUS_INVALID_PARAMETER, 'HDA: a volume is no number.');
    setting.setStep(side, nearestStep(setting.caps, decibels));
    this.#writeAmp(setting);
  }

  getMute(node: number, channel: number): boolean {
    const { setting, side } = this.#channel(node, channel, 'mute');
    return setting.muted(side);
  }

  setMute(node: number, channel: number, muted: boolean): void {
    const { setting, side } = this.#channel(node, channel, 'mute');
    setting.setMuted(side, muted);
    this.#writeAmp(setting);
  }

  getMux(node: number): number {
    const mux = this.#mux(node);
    return mux.choices.indexOf(this.#connections.get(mux.nid)!);
  }

  setMux(node: number, choice: number): void {
    const mux = this.#mux(node);
    const connection = mux.choices[choice];
    if (connection === undefined)
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `HDA: node ${nidText(mux.nid)} has ${mux.choices.length} choices, and none is ${choice}.`,
      );
    this.#connections.set(mux.nid, connection);
    this.#set(mux.nid, V.SET_CONNECTION_SELECT, connection);
  }

  #mux(node: number): PlanMuxNode {
    const planned = this.plan.nodes[node];
    if (planned?.type !== 'mux') throw new NtError(STATUS_INVALID_PARAMETER, `HDA: node ${node} is no mux.`);
    return planned;
  }

  #channel(
    node: number,
    channel: number,
    type: (PlanVolumeNode | PlanMuteNode)['type'],
  ): { readonly setting: AmpSetting; readonly side: PlanAmp['side'] } {
    const planned = this.plan.nodes[node];
    const amp = planned?.type === type ? planned.channels[channel] : undefined;
    if (!amp)
      throw new NtError(STATUS_INVALID_PARAMETER, `HDA: node ${node} has no ${type} for channel ${channel}.`);
    return { setting: this.#amp(amp), side: amp.side };
  }

  #amp(amp: PlanAmp): AmpSetting {
    const key = `${amp.nid}.${amp.direction}.${amp.index}`;
    const known = this.#amps.get(key);
    if (known) return known;
    const widget = this.#widgets.get(amp.nid);
    const caps = amp.direction === 'in' ? widget?.inAmp : widget?.outAmp;
    if (!caps)
      throw new NtError(
        STATUS_DEVICE_CONFIGURATION_ERROR,
        `HDA: the plan has an amplifier at node ${nidText(amp.nid)}, the codec has none.`,
      );
    const setting = new AmpSetting(amp, caps);
    this.#amps.set(key, setting);
    return setting;
  }

  #writeAmp(setting: AmpSetting): void {
    for (const payload of setting.payloads()) this.#set(setting.nid, V.SET_AMP, payload);
  }

  /* ---- jacks ---- */

  readPresence(jack: PlanJack): JackState {
    if (!jack.presenceDetect) return { present: true, eldValid: false };
    if (!this.#awake) return this.#presence.get(jack.nid) ?? ABSENT;
    if (this.#widgets.get(jack.nid)?.pin?.caps.trigger) this.#set(jack.nid, V.EXECUTE_PIN_SENSE, 0);
    const sense = this.#command(jack.nid, V.GET_PIN_SENSE, 0);
    const present = (sense & V.SENSE_PRESENCE) !== 0;
    const eldValid = present && jack.eld && (sense & V.SENSE_ELD_VALID) !== 0;
    const state: JackState = { present, eldValid };
    this.#presence.set(jack.nid, state);
    return state;
  }

  readEld(jack: PlanJack): EldInformation | null {
    if (!jack.eld || !this.#awake || !this.readPresence(jack).eldValid) return null;
    const size = Math.min(this.#command(jack.nid, V.GET_DIP_SIZE, V.DIP_SIZE_ELD), MAX_ELD_BYTES);
    const bytes = new Uint8Array(size);
    for (let offset = 0; offset < size; offset++) {
      const value = this.#command(jack.nid, V.GET_ELD, offset) >>> 0;
      // The display went away, or another came, while its ELD was being read.
      if (value < V.ELD_BYTE_VALID) return null;
      bytes[offset] = value & 0xff;
    }
    return parseEld(bytes);
  }

  jackOfUnsolicited(response: number): PlanJack | null {
    const tag = (response >>> V.UNSOLICITED_TAG_SHIFT) & 0x3f;
    const jacks = this.plan.ports.flatMap((port) => port.jacks);
    return jacks.find(({ unsolicitedTag }) => unsolicitedTag === tag) ?? null;
  }

  /* ---- verbs ---- */

  /** Asleep the setting is only remembered: by whoever calls this. */
  #set(nid: number, verb: number, payload: number): void {
    if (this.#awake) this.#command(nid, verb, payload);
  }

  #command(nid: number, verb: number, payload: number): number {
    return this.#link.command(this.plan.codecAddress, nid, verb, payload);
  }
}

/**
 * Brings a codec up by its plan: D0, amplifiers at 0 dB on the ways that are used and muted elsewhere, selections, pins, unsolicited
 * responses. IRQL <= DISPATCH_LEVEL.
 *
 * @throws NtError STATUS_DEVICE_CONFIGURATION_ERROR for a plan of another codec; what {@link CodecLink.command} throws
 */
export function initialiseCodec(link: CodecLink, graph: CodecGraph, plan: CodecPlan): CodecDevice {
  const codec = new RunningCodec(link, graph, plan);
  codec.initialise();
  return codec;
}
