import { NtError, STATUS_DEVICE_CONFIGURATION_ERROR } from '../../../kernel/index.ts';
import { KSAUDFNAME_MICROPHONE_BOOST, KSAUDFNAME_RECORDING_SOURCE } from '../../../ks/index.ts';
import { InputGraph } from './input-graph.ts';
import { canSensePresence, describeJack } from './jack-description.ts';
import type {
  CodecFunctionGroup,
  CodecGraph,
  CodecPlan,
  CodecWidget,
  ConverterFormats,
  PlanConverter,
  PlanDevice,
  PlanEnd,
  PlanJack,
  PlanPin,
  PlanPort,
} from './model.ts';
import { type AmpPlace, ampCapsAt, NodeBuilder } from './node-builder.ts';
import { byPriority, channelPositions, groupOutputs, stereoOrMono } from './output-groups.ts';
import { assignConverters, findOutputPaths, type OutputPath } from './output-paths.ts';
import {
  commonFormats,
  digitalKind,
  hasFormats,
  inputNames,
  pinControl,
  recordingNames,
  unsolicitedTags,
} from './plan-rules.ts';
import { portNames } from './port-names.ts';
import { nidText } from './read-codec.ts';
import * as V from './verbs.ts';
import { pinUse, WidgetGraph } from './widget-graph.ts';

/** Each member of a set takes two channels. */
const PAIR_CHANNELS = 2;

/** A device that is being built. */
interface DeviceDraft {
  readonly direction: 'render' | 'capture';
  readonly converters: readonly PlanConverter[];
  readonly digital: PlanDevice['digital'];
  readonly formats: ConverterFormats;
  readonly maximumChannels: number;
  readonly channelMask: number;
  readonly delaySamples: number;
  readonly ports: number[];
}

interface PortDraft {
  readonly direction: 'render' | 'capture';
  /** Of its first jack. */
  readonly pin: CodecWidget;
  readonly jacks: readonly PlanJack[];
  readonly devices: number[];
}

/** An input signal, and whether what comes out of it is muted to begin with. */
interface InputSignal {
  readonly end: PlanEnd;
  readonly muted: boolean;
}

/** Pins of one association by their place in the stream, each with its way. */
interface SetMember {
  readonly pin: CodecWidget;
  readonly path: OutputPath;
}

class Planner {
  readonly #graph: WidgetGraph;
  readonly #address: number;
  readonly #tags: ReadonlyMap<number, number>;
  readonly #builder = new NodeBuilder();
  readonly #devices: DeviceDraft[] = [];
  readonly #ports: PortDraft[] = [];
  readonly #selections = new Map<number, number>();
  readonly #used = new Set<number>();
  readonly #pinControl = new Map<number, number>();
  readonly #findings: string[] = [];
  /** Where a widget's output can be tapped, for widgets on the way of an output. */
  readonly #outputEnds = new Map<number, PlanEnd>();
  readonly #inputPorts = new Map<number, number>();
  readonly #signals = new Map<number, InputSignal>();
  /** Connections that selectors begin with, and mixers that recordings are taken from. */
  readonly #initialConnections = new Map<number, number>();
  readonly #recordingMixers = new Set<number>();
  #inputs: InputGraph;

  constructor(codec: CodecGraph, group: CodecFunctionGroup) {
    this.#graph = new WidgetGraph(group);
    this.#address = codec.address;
    this.#tags = unsolicitedTags(codec);
    this.#inputs = new InputGraph(this.#graph, new Set());
  }

  plan(): CodecPlan {
    for (const widget of this.#graph.group.widgets) {
      const use = pinUse(widget);
      if (use.use === 'none' && use.reason !== null) this.#finding(widget, use.reason);
    }
    const { sets, branches } = this.#assignOutputs();
    const outputs = [...sets.flat(), ...branches].flatMap(hopNids);
    this.#inputs = new InputGraph(this.#graph, new Set(outputs));
    const recorders = this.#chooseRecorders();
    for (const set of sets) this.#addOutputDevice(set);
    const branchPorts = branches.map((branch) => this.#addBranchPort(branch));
    // Inputs are heard in a set's first pair alone, and at ports beside it.
    const others = new Set(sets.flatMap((set) => set.slice(1)).flatMap(hopNids));
    const listening = [...sets.map(([first]) => first!), ...branches]
      .flatMap(hopNids)
      .filter((nid) => !others.has(nid));
    this.#addInputPorts([...recorders, ...this.#monitorMixers(listening)], recorders);
    for (const [device, set] of sets.entries()) this.#wireOutput(device, set);
    for (const [index, branch] of branches.entries()) this.#wireBranch(branch, branchPorts[index]!);
    for (const device of this.#devices.keys())
      if (this.#devices[device]!.direction === 'capture') this.#wireRecorder(device);
    return this.#finish();
  }

  #finding(widget: CodecWidget, what: string): void {
    this.#findings.push(`codec ${this.#address}, node ${nidText(widget.nid)}: ${what}`);
  }

  /* ---- outputs ---- */

  /** Converters for all output pins: sets of pins with converters of their own, and pins that hear what another pin hears. */
  #assignOutputs(): {
    readonly sets: readonly (readonly SetMember[])[];
    readonly branches: readonly SetMember[];
  } {
    const groups = groupOutputs(this.#graph.group.widgets);
    const requests = groups.flatMap((group) =>
      [...group.pins, ...group.headphones].map((pin) => ({
        pin: pin.nid,
        paths: this.#paths(pin),
        companion: group.headphones.includes(pin) ? (group.pins[0]?.nid ?? null) : null,
      })),
    );
    const assigned = assignConverters(requests);
    const sets: SetMember[][] = [];
    const branches: SetMember[] = [];
    const member = (pin: CodecWidget): SetMember[] => {
      const assignment = assigned.get(pin.nid);
      if (assignment === undefined) {
        this.#finding(pin, 'no output converter reaches it that does not play something else');
        return [];
      }
      if (!assignment.shared) return [{ pin, path: assignment.path }];
      branches.push({ pin, path: assignment.path });
      return [];
    };
    for (const group of groups) {
      const own = group.pins.flatMap(member);
      if (own.length > 0) sets.push(own);
      for (const headphone of group.headphones) {
        const alone = member(headphone);
        if (alone.length > 0) sets.push(alone);
      }
    }
    return { sets, branches };
  }

  #paths(pin: CodecWidget): readonly OutputPath[] {
    return findOutputPaths(this.#graph, pin).filter(({ dac }) => hasFormats(this.#graph.widget(dac)));
  }

  #addOutputDevice(set: readonly SetMember[]): void {
    const dacs = set.map(({ path }) => this.#graph.widget(path.dac));
    const [first] = set;
    const single = set.length === 1;
    const positions = channelPositions(set.map(({ pin }) => pin));
    const device = this.#devices.length;
    const jacks = set.map(({ pin }, index) => this.#jack(pin, 'render', positions[index]!));
    const port = this.#ports.push({ direction: 'render', pin: set[0]!.pin, jacks, devices: [device] }) - 1;
    this.#devices.push({
      direction: 'render',
      converters: dacs.map((dac, index) => ({
        nid: dac.nid,
        firstChannel: PAIR_CHANNELS * index,
        channels: single ? dac.channels : Math.min(dac.channels, PAIR_CHANNELS),
      })),
      digital: digitalKind(dacs[0]!, jacks[0]!),
      formats: commonFormats(dacs),
      maximumChannels: single ? dacs[0]!.channels : PAIR_CHANNELS * set.length,
      channelMask: first!.pin.digital ? 0 : positions.reduce((mask, position) => mask | position, 0),
      delaySamples: Math.max(
        ...set.map(({ path }) => this.#delay([path.dac, ...path.hops.map(({ nid }) => nid)])),
      ),
      ports: [port],
    });
  }

  /** A pin of its own port that hears a converter which belongs to another pin. */
  #addBranchPort({ pin, path }: SetMember): number {
    const device = this.#devices.findIndex(({ converters }) =>
      converters.some(({ nid }) => nid === path.dac),
    );
    const jacks = [this.#jack(pin, 'render', stereoOrMono(pin))];
    const port = this.#ports.push({ direction: 'render', pin, jacks, devices: [device] }) - 1;
    this.#devices[device]!.ports.push(port);
    return port;
  }

  /**
   * Host pin, DAC, amplifiers and sums in the order of the ways, port. The ways of a set run side by side: what stands at the same place in
   * each is one node with two channels a way.
   */
  #wireOutput(device: number, set: readonly SetMember[]): void {
    const dacs = set.map(({ path }) => this.#graph.widget(path.dac));
    for (const { nid } of dacs) this.#used.add(nid);
    let end = this.#builder.through(
      { kind: 'device', device },
      { type: 'dac', nids: dacs.map(({ nid }) => nid), name: null, device },
    );
    end = this.#builder.amplifiers(end, dacs.map(outputAmp));
    for (const { nid } of dacs) this.#outputEnds.set(nid, end);
    const length = Math.max(...set.map(({ path }) => path.hops.length));
    for (let level = 0; level < length; level++) {
      const hops = set.map(({ path: { hops } }) =>
        level === length - 1 ? hops.at(-1)! : level < hops.length - 1 ? hops[level]! : null,
      );
      end = this.#passHops(end, hops);
    }
    this.#builder.wire(end, { kind: 'port', port: this.#devices[device]!.ports[0]! });
  }

  /** From the last widget that the way has in common with its device's. */
  #wireBranch({ path }: SetMember, port: number): void {
    let end = this.#outputEnds.get(path.dac)!;
    for (const hop of path.hops) {
      const known = this.#outputEnds.get(hop.nid);
      end = known ?? this.#passHops(end, [hop]);
    }
    this.#builder.wire(end, { kind: 'port', port });
  }

  /** One widget of each way: the amplifier the signal meets first, what is added to it, the one it meets last. */
  #passHops(
    from: PlanEnd,
    hops: readonly ({ readonly nid: number; readonly connection: number } | null)[],
  ): PlanEnd {
    const places = hops.map((hop): AmpPlace | null => {
      if (hop === null) return null;
      const widget = this.#graph.widget(hop.nid);
      this.#used.add(hop.nid);
      if (widget.type !== 'mixer') this.#select(widget, hop.connection);
      return widget.type === 'pin' ? null : { widget, direction: 'in', index: hop.connection };
    });
    let end = this.#builder.amplifiers(from, places);
    const [first] = hops;
    if (first) end = this.#addMonitors(end, this.#graph.widget(first.nid));
    end = this.#builder.amplifiers(
      end,
      hops.map((hop) => (hop === null ? null : outputAmp(this.#graph.widget(hop.nid)))),
    );
    for (const hop of hops) if (hop) this.#outputEnds.set(hop.nid, end);
    return end;
  }

  /** Inputs that a mixer on an output's way can add: heard while they are recorded, or instead of it. */
  #addMonitors(from: PlanEnd, mixer: CodecWidget): PlanEnd {
    if (mixer.type !== 'mixer') return from;
    const inputs = this.#inputs.inputs(mixer);
    if (inputs.length === 0) return from;
    const ends = inputs.map(({ connection, source }) => {
      const signal = this.#signal(source);
      const place: AmpPlace = { widget: mixer, direction: 'in', index: connection };
      return this.#builder.amplifiers(signal.end, [place], {
        ...inputNames(source),
        initiallyMuted: !signal.muted,
      });
    });
    const sum = this.#builder.node({ type: 'sum', nids: [mixer.nid], name: null });
    for (const end of [from, ...ends]) this.#builder.wire(end, sum);
    return sum;
  }

  /** Mixers that hear inputs as well. */
  #monitorMixers(nids: readonly number[]): readonly CodecWidget[] {
    return nids.map((nid) => this.#graph.widget(nid)).filter((widget) => widget.type === 'mixer');
  }

  /* ---- inputs ---- */

  /**
   * The converters that record: so many that every input can be recorded, and as many as there are inputs. Where there are several, each
   * begins with another input.
   */
  #chooseRecorders(): readonly CodecWidget[] {
    const { widgets } = this.#graph.group;
    const pins = widgets.filter((widget) => pinUse(widget).use === 'capture').sort(byPriority);
    const recorders: CodecWidget[] = [];
    for (const digital of [false, true]) {
      const candidates = widgets.filter(
        (widget) => widget.type === 'audio-input' && widget.digital === digital && hasFormats(widget),
      );
      const reachable = pins.filter((pin) => candidates.some((adc) => this.#inputs.reach(adc).has(pin.nid)));
      const covered = new Set<number>();
      const chosen: CodecWidget[] = [];
      for (const adc of candidates) {
        const reach = [...this.#inputs.reach(adc)];
        if (reach.length === 0) continue;
        const isNew = reach.some((pin) => !covered.has(pin));
        if (!isNew && chosen.length >= reachable.length) continue;
        for (const pin of reach) covered.add(pin);
        this.#chooseInitially(adc, reachable, chosen.length);
        chosen.push(adc);
      }
      recorders.push(...chosen);
    }
    return recorders;
  }

  /** Sets the selectors on the way of a recorder to the input it begins with. */
  #chooseInitially(recorder: CodecWidget, pins: readonly CodecWidget[], turn: number): void {
    const own = pins.filter((pin) => this.#inputs.reach(recorder).has(pin.nid));
    const wanted = own[turn % own.length]?.nid;
    const visit = (widget: CodecWidget): void => {
      const inputs = this.#inputs.inputs(widget);
      if (widget.type === 'mixer') {
        this.#recordingMixers.add(widget.nid);
        for (const { source } of inputs) visit(source);
        return;
      }
      if (inputs.length === 0 || this.#initialConnections.has(widget.nid)) return;
      const size = ({ source }: (typeof inputs)[number]): number => {
        const reach = this.#inputs.reach(source);
        return wanted !== undefined && reach.has(wanted) ? reach.size : Number.POSITIVE_INFINITY;
      };
      const best = inputs.reduce((a, b) => (size(b) < size(a) ? b : a));
      this.#initialConnections.set(widget.nid, best.connection);
      visit(best.source);
    };
    visit(recorder);
  }

  /** One port for every input pin that is recorded or heard. */
  #addInputPorts(listeners: readonly CodecWidget[], recorders: readonly CodecWidget[]): void {
    const heard = new Set(listeners.flatMap((widget) => [...this.#inputs.reach(widget)]));
    const pins = this.#graph.group.widgets.filter((widget) => pinUse(widget).use === 'capture');
    for (const pin of [...pins].sort(byPriority)) {
      if (!heard.has(pin.nid)) {
        this.#finding(pin, 'no input converter reaches it');
        continue;
      }
      const jacks = [this.#jack(pin, 'capture', 0)];
      const port = this.#ports.push({ direction: 'capture', pin, jacks, devices: [] }) - 1;
      this.#inputPorts.set(pin.nid, port);
    }
    for (const adc of recorders) {
      const device = this.#devices.length;
      const reach = this.#inputs.reach(adc);
      const ports = [...this.#inputPorts].filter(([nid]) => reach.has(nid)).map(([, port]) => port);
      for (const port of ports) this.#ports[port]!.devices.push(device);
      this.#devices.push({
        direction: 'capture',
        converters: [{ nid: adc.nid, firstChannel: 0, channels: adc.channels }],
        digital: adc.digital ? 'spdif' : 'none',
        formats: commonFormats([adc]),
        maximumChannels: adc.channels,
        channelMask: 0,
        delaySamples: adc.delaySamples + Math.max(...[...reach].map((nid) => this.#delay([nid]))),
        ports,
      });
    }
  }

  /** What comes out of an input pin, or of a mixer or selector that hears input pins. */
  #signal(widget: CodecWidget): InputSignal {
    const known = this.#signals.get(widget.nid);
    if (known) return known;
    this.#used.add(widget.nid);
    const signal = widget.type === 'pin' ? this.#pinSignal(widget) : this.#mergedSignal(widget);
    this.#signals.set(widget.nid, signal);
    return signal;
  }

  #pinSignal(pin: CodecWidget): InputSignal {
    const port: PlanEnd = { kind: 'port', port: this.#inputPorts.get(pin.nid)! };
    const isMic = pin.pin?.config.device === V.DEVICE_MIC;
    const end = this.#builder.amplifiers(port, [{ widget: pin, direction: 'in', index: 0 }], {
      volumeName: isMic ? KSAUDFNAME_MICROPHONE_BOOST : null,
      boost: true,
    });
    return { end, muted: false };
  }

  /** All inputs of a mixer, or the choice of a selector or converter, with the amplifiers before and behind. */
  #mergedSignal(widget: CodecWidget): InputSignal {
    const inputs = this.#inputs.inputs(widget);
    const isMixer = widget.type === 'mixer';
    const muteInputs = isMixer && !this.#recordingMixers.has(widget.nid);
    let muted = isMixer;
    const ends = inputs.map(({ connection, source }) => {
      const signal = this.#signal(source);
      const place: AmpPlace = { widget, direction: 'in', index: connection };
      const initiallyMuted = muteInputs && !signal.muted;
      if (!signal.muted && !(initiallyMuted && ampCapsAt(place)?.mute)) muted = false;
      return this.#builder.amplifiers(signal.end, [place], {
        ...(isMixer ? inputNames(source) : recordingNames(widget)),
        initiallyMuted,
      });
    });
    const merged = isMixer ? this.#sum(widget, ends) : this.#mux(widget, ends);
    return { end: this.#builder.amplifiers(merged, [outputAmp(widget)]), muted };
  }

  #sum(mixer: CodecWidget, ends: readonly PlanEnd[]): PlanEnd {
    if (ends.length === 1) return ends[0]!;
    const sum = this.#builder.node({ type: 'sum', nids: [mixer.nid], name: null });
    for (const end of ends) this.#builder.wire(end, sum);
    return sum;
  }

  #mux(selector: CodecWidget, ends: readonly PlanEnd[]): PlanEnd {
    const choices = this.#inputs.inputs(selector).map(({ connection }) => connection);
    if (ends.length === 1) {
      this.#select(selector, choices[0]!);
      return ends[0]!;
    }
    const initial = this.#initialConnections.get(selector.nid);
    const mux = this.#builder.node({
      type: 'mux',
      nids: [selector.nid],
      nid: selector.nid,
      name: KSAUDFNAME_RECORDING_SOURCE,
      choices,
      initialChoice: Math.max(0, choices.indexOf(initial ?? choices[0]!)),
    });
    for (const end of ends) this.#builder.wire(end, mux);
    return mux;
  }

  #wireRecorder(device: number): void {
    const adc = this.#graph.widget(this.#devices[device]!.converters[0]!.nid);
    this.#used.add(adc.nid);
    const { end } = this.#mergedSignal(adc);
    const node = this.#builder.through(end, { type: 'adc', nids: [adc.nid], name: null, device });
    this.#builder.wire(node, { kind: 'device', device });
  }

  /* ---- the rest ---- */

  #jack(pin: CodecWidget, direction: 'render' | 'capture', position: number): PlanJack {
    this.#used.add(pin.nid);
    this.#pinControl.set(pin.nid, pinControl(pin, direction));
    return describeJack(pin, direction, position, this.#tags.get(pin.nid) ?? null);
  }

  #select(widget: CodecWidget, connection: number): void {
    if (widget.connections.length > 1) this.#selections.set(widget.nid, connection);
  }

  #delay(nids: readonly number[]): number {
    return nids.reduce((sum, nid) => sum + this.#graph.widget(nid).delaySamples, 0);
  }

  /** Every pin: those in use, and those that are switched off. External amplifiers are on, since one may serve another pin. */
  #pins(): readonly PlanPin[] {
    return this.#graph.group.widgets.flatMap((widget) => {
      if (widget.pin === null) return [];
      const control = this.#pinControl.get(widget.nid);
      const tag = control !== undefined && canSensePresence(widget) ? this.#tags.get(widget.nid) : undefined;
      const eapd = widget.pin.caps.eapd ? V.EAPD_EAPD : null;
      return [{ nid: widget.nid, control: control ?? 0, eapd, unsolicitedTag: tag ?? null }];
    });
  }

  #finish(): CodecPlan {
    const names = portNames(this.#ports.map(({ jacks, pin }) => ({ device: jacks[0]!.device, pin })));
    const ports = this.#ports.map(
      ({ direction, jacks, devices }, index): PlanPort => ({
        direction,
        category: jacks[0]!.category,
        name: names[index]!,
        jacks,
        devices,
      }),
    );
    const recorders = this.#devices.filter(({ direction }) => direction === 'capture');
    const devices = this.#devices.map((draft): PlanDevice => {
      const several = draft.direction === 'capture' && draft.ports.length > 1;
      const number = recorders.indexOf(draft);
      const recording = number === 0 ? 'Recording' : `Recording ${number + 1}`;
      return {
        ...draft,
        name: several ? recording : names[draft.ports[0]!]!,
        jacks: draft.ports.flatMap((port) => ports[port]!.jacks),
      };
    });
    return {
      codecAddress: this.#address,
      functionGroupNid: this.#graph.group.nid,
      devices,
      ports,
      nodes: this.#builder.nodes,
      connections: this.#builder.connections,
      selections: [...this.#selections].map(([nid, connection]) => ({ nid, connection })),
      pins: this.#pins(),
      fixedAmps: this.#builder.otherAmps(this.#graph, this.#used),
      usedNids: [...this.#used].sort((a, b) => a - b),
      findings: this.#findings,
    };
  }
}

function hopNids({ path }: SetMember): readonly number[] {
  return path.hops.map(({ nid }) => nid);
}

function outputAmp(widget: CodecWidget): AmpPlace {
  return { widget, direction: 'out', index: 0 };
}

/**
 * Plans what to offer of an audio function group, the codec's first unless another is given: which converter plays into which jack, which
 * jacks are recorded by which converter, and every amplifier, mixer and selector between as a node.
 *
 * Pins with port connectivity "none" are left out. Pins of one association are one device of up to 7.1 channels; association 15 and
 * the reserved 0 are single pins. A pin that no converter of its own is left for plays what another pin plays.
 *
 * @throws NtError STATUS_DEVICE_CONFIGURATION_ERROR for a codec without audio function group
 */
export function planCodec(
  codec: CodecGraph,
  group: CodecFunctionGroup | undefined = codec.functionGroups[0],
): CodecPlan {
  if (group === undefined)
    throw new NtError(
      STATUS_DEVICE_CONFIGURATION_ERROR,
      `HDA: codec ${codec.address} has no audio function group.`,
    );
  return new Planner(codec, group).plan();
}
