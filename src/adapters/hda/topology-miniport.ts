import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import { NtError, STATUS_NOT_IMPLEMENTED } from '../../kernel/index.ts';
import { type KSDATARANGE, KSPROPERTY_AUDIO_MUTE, KSPROPERTY_AUDIO_VOLUMELEVEL } from '../../ks/index.ts';
import {
  IID_IMiniport,
  IID_IMiniportTopology,
  IID_IPortEvents,
  type IMiniportTopology,
  type IPortEvents,
  type IPortTopology,
  type IResourceList,
  type PCAUTOMATION_TABLE,
  type PCFILTER_DESCRIPTOR,
} from '../../portcls/index.ts';
import {
  type ChannelLevel,
  type ChannelSwitch,
  type InputSelector,
  levelItem,
  muxItem,
  nodeTable,
  switchItem,
} from '../common/node-properties.ts';
import type {
  CodecDevice,
  PlanAmp,
  PlanMuteNode,
  PlanMuxNode,
  PlanPort,
  PlanVolumeNode,
} from './codec/model.ts';
import { functionOf, type HdaFunction } from './function.ts';
import { codecJackItems, jackChangeItem, signalJackChange } from './jacks.ts';
import type { TopologyNode } from './topology-filter.ts';

/** KS levels count 1/65536 dB. */
const DB = 65_536;

/** Topology miniport: the widgets of one audio function group as nodes, and its jacks as pins. */
export class HdaTopologyMiniport extends CUnknown implements IMiniportTopology {
  #function: HdaFunction | null = null;
  #filter: PCFILTER_DESCRIPTOR | null = null;
  #events: IPortEvents | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('HdaTopologyMiniport', outerUnknown);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.guid.equals(IID_IMiniportTopology.guid) || iid.guid.equals(IID_IMiniport.guid) ? this : null;
  }

  protected override finalRelease(): void {
    if (this.#function) this.#function.jacks.onChange = null;
    this.#events = null;
    this.#function?.release();
    this.#function = null;
  }

  init(unknownAdapter: IUnknown | null, _resourceList: IResourceList, port: IPortTopology): void {
    const hdaFunction = functionOf(unknownAdapter);
    this.#function = hdaFunction;
    const { codec, jacks, plan, topology } = hdaFunction;
    const portOf = (pinId: number): PlanPort | null => plan.ports[topology.portPins.indexOf(pinId)] ?? null;
    this.#filter = {
      version: 0,
      automationTable: {
        properties: codecJackItems(codec, jacks, topology.pins.length, portOf),
        events: [jackChangeItem(() => this.#events, portOf)],
      },
      pins: topology.pins,
      nodes: topology.nodes.map((node) => ({
        type: node.type,
        name: node.name,
        automationTable: automation(codec, node),
      })),
      connections: topology.connections,
    };
    // Without a reference: the port lives as long as its miniport, and a reference would keep both alive for ever.
    using events = port.queryInterface(IID_IPortEvents);
    this.#events = events;
    jacks.onChange = (changed) => {
      const pin = topology.portPins[changed];
      if (pin !== undefined && this.#events) signalJackChange(this.#events, pin);
    };
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return this.#filter as PCFILTER_DESCRIPTOR;
  }

  dataRangeIntersection(_pinId: number, _client: KSDATARANGE, _mine: KSDATARANGE): number {
    throw new NtError(STATUS_NOT_IMPLEMENTED);
  }
}

function automation(codec: CodecDevice, { control }: TopologyNode): PCAUTOMATION_TABLE | null {
  switch (control.type) {
    case 'volume':
      return nodeTable(levelItem(KSPROPERTY_AUDIO_VOLUMELEVEL, level(codec, control)));
    case 'mute':
      return nodeTable(switchItem(KSPROPERTY_AUDIO_MUTE, mute(codec, control)));
    case 'mux':
      return nodeTable(muxItem(selector(codec, control)));
    case 'sum':
      return null;
  }
}

/** Channels that have an amplifier, in order. */
function channelsOf(channels: readonly (PlanAmp | null)[]): number[] {
  return channels.flatMap((amp, channel) => (amp ? [channel] : []));
}

function level(codec: CodecDevice, { id, channels, range }: PlanVolumeNode): ChannelLevel {
  const own = channelsOf(channels);
  return {
    channels: own.length,
    range: {
      minimum: range.minimumDecibels * DB,
      maximum: range.maximumDecibels * DB,
      steppingDelta: range.stepDecibels * DB,
    },
    get: (channel) => Math.round(codec.getVolume(id, own[channel] as number) * DB),
    set: (wanted, value) => {
      for (const channel of wanted) codec.setVolume(id, own[channel] as number, value / DB);
    },
  };
}

function mute(codec: CodecDevice, { id, channels }: PlanMuteNode): ChannelSwitch {
  const own = channelsOf(channels);
  return {
    channels: own.length,
    get: (channel) => codec.getMute(id, own[channel] as number),
    set: (wanted, on) => {
      for (const channel of wanted) codec.setMute(id, own[channel] as number, on);
    },
  };
}

function selector(codec: CodecDevice, { id, choices }: PlanMuxNode): InputSelector {
  return {
    inputs: choices.length,
    get: () => codec.getMux(id) + 1,
    set: (input) => codec.setMux(id, input - 1),
  };
}
