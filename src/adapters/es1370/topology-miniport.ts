import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import { NtError, STATUS_NOT_IMPLEMENTED } from '../../kernel/index.ts';
import {
  type KSDATARANGE,
  KSPROPERTY_AUDIO_LOUDNESS,
  KSPROPERTY_AUDIO_MUTE,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
} from '../../ks/index.ts';
import {
  IID_IMiniport,
  IID_IMiniportTopology,
  type IMiniportTopology,
  type IPortTopology,
  type IResourceList,
  type PCAUTOMATION_TABLE,
  type PCFILTER_DESCRIPTOR,
} from '../../portcls/index.ts';
import { jackItems } from '../common/jacks.ts';
import {
  type ChannelLevel,
  type ChannelSwitch,
  type InputSelector,
  levelItem,
  muxItem,
  nodeTable,
  switchItem,
} from '../common/node-properties.ts';
import { commonOf, type Es1370Common } from './common.ts';
import {
  codeToLevel,
  type GainStage,
  levelToCode,
  RECORD_REGISTERS,
  RECORD_SWITCHES,
  type RecordSource,
  type SwitchBit,
  stageRange,
} from './mixer-controls.ts';
import * as R from './registers.ts';
import { type BridgePins, buildTopology, type Topology, type TopologyNode } from './topology-filter.ts';

/** Topology miniport: the codec's mixer as nodes, and its jacks as pins. */
export class Es1370TopologyMiniport extends CUnknown implements IMiniportTopology {
  #common: Es1370Common | null = null;
  readonly #topology: Topology = buildTopology();
  #filter: PCFILTER_DESCRIPTOR | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('Es1370TopologyMiniport', outerUnknown);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.guid.equals(IID_IMiniportTopology.guid) || iid.guid.equals(IID_IMiniport.guid) ? this : null;
  }

  protected override finalRelease(): void {
    this.#common?.release();
    this.#common = null;
  }

  init(unknownAdapter: IUnknown | null, _resourceList: IResourceList, _port: IPortTopology): void {
    const common = commonOf(unknownAdapter);
    this.#common = common;
    const topology = this.#topology;
    this.#filter = {
      version: 0,
      automationTable: { properties: jackItems(topology.pins.length, topology.jacks) },
      pins: topology.pins,
      nodes: topology.nodes.map((node) => ({
        type: node.type,
        name: node.name,
        automationTable: automation(common, node),
      })),
      connections: topology.connections,
    };
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return this.#filter as PCFILTER_DESCRIPTOR;
  }

  dataRangeIntersection(_pinId: number, _client: KSDATARANGE, _mine: KSDATARANGE): number {
    throw new NtError(STATUS_NOT_IMPLEMENTED);
  }

  /** Where the wave filter is wired to. */
  get bridgePins(): BridgePins {
    return this.#topology.bridgePins;
  }
}

function automation(common: Es1370Common, { control }: TopologyNode): PCAUTOMATION_TABLE | null {
  switch (control.kind) {
    case 'volume':
      return nodeTable(levelItem(KSPROPERTY_AUDIO_VOLUMELEVEL, level(common, control.stage)));
    case 'mute':
      return nodeTable(switchItem(KSPROPERTY_AUDIO_MUTE, mute(common, control.bits, control.muted)));
    case 'boost':
      return nodeTable(switchItem(KSPROPERTY_AUDIO_LOUDNESS, boost(common)));
    case 'mux':
      return nodeTable(muxItem(recordSelector(common, control.sources)));
    case 'none':
      return null;
  }
}

function level(common: Es1370Common, stage: GainStage): ChannelLevel {
  const { registers, codeMask } = stage;
  return {
    channels: registers.length,
    range: stageRange(stage),
    get: (channel) => codeToLevel(stage, common.cachedCodec(registers[channel] as number)),
    set: (channels, value) => {
      const code = levelToCode(stage, value);
      for (const channel of channels) common.updateCodec(registers[channel] as number, codeMask, code);
    },
  };
}

/** `muted` is the value of the bit that silences its channel. */
function mute(common: Es1370Common, bits: readonly SwitchBit[], muted: 0 | 1): ChannelSwitch {
  return {
    channels: bits.length,
    get: (channel) => {
      const { register, bit } = bits[channel] as SwitchBit;
      return ((common.cachedCodec(register) & bit) !== 0) === (muted === 1);
    },
    set: (channels, on) => {
      for (const channel of channels) {
        const { register, bit } = bits[channel] as SwitchBit;
        common.updateCodec(register, bit, on === (muted === 1) ? bit : 0);
      }
    },
  };
}

/** The 30 dB microphone amplifier: a loudness node, on or off. */
function boost(common: Es1370Common): ChannelSwitch {
  return {
    channels: 1,
    uniform: true,
    get: () => (common.cachedCodec(R.AK_MIC_GAIN) & R.AK_MIC_30_DB) !== 0,
    set: (_channels, on) => common.updateCodec(R.AK_MIC_GAIN, R.AK_MIC_30_DB, on ? R.AK_MIC_30_DB : 0),
  };
}

function recordSelector(common: Es1370Common, sources: readonly RecordSource[]): InputSelector {
  return {
    inputs: sources.length,
    get: () => {
      const now = RECORD_REGISTERS.map((register) => common.cachedCodec(register));
      const connected = (source: RecordSource) =>
        RECORD_SWITCHES[source].every((value, each) => value === now[each]);
      return sources.findIndex(connected) + 1;
    },
    set: (input) => {
      const switches = RECORD_SWITCHES[sources[input - 1] as RecordSource];
      for (const [each, register] of RECORD_REGISTERS.entries())
        common.writeCodec(register, switches[each] as number);
    },
  };
}
