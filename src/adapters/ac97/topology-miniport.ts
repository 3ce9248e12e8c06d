import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import { NtError, STATUS_NOT_IMPLEMENTED } from '../../kernel/index.ts';
import {
  type KSDATARANGE,
  KSPROPERTY_AUDIO_BASS,
  KSPROPERTY_AUDIO_LOUDNESS,
  KSPROPERTY_AUDIO_MUTE,
  KSPROPERTY_AUDIO_TREBLE,
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
import { type Ac97Common, commonOf } from './common.ts';
import {
  codeToLevel,
  fieldShift,
  type GainStage,
  levelToCode,
  stageRange,
  TONE_RANGE,
  type ToneStage,
  toneCodeToLevel,
  toneLevelToCode,
} from './mixer-controls.ts';
import * as R from './registers.ts';
import { type BridgePins, buildTopology, type Topology, type TopologyNode } from './topology-filter.ts';

/** Topology miniport: the codec's mixer as nodes, and its jacks as pins. */
export class Ac97TopologyMiniport extends CUnknown implements IMiniportTopology {
  #common: Ac97Common | null = null;
  #topology: Topology | null = null;
  #filter: PCFILTER_DESCRIPTOR | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('Ac97TopologyMiniport', outerUnknown);
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
    const topology = buildTopology(common.features);
    this.#topology = topology;
    this.#filter = {
      version: 0,
      automationTable: { properties: jackItems(topology.pins.length, topology.jacks) },
      pins: topology.pins,
      nodes: topology.nodes.map((node) => ({
        type: node.type,
        name: node.name,
        automationTable: this.#automation(common, node),
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

  /** Where the wave filter is wired to. After init. */
  get bridgePins(): BridgePins {
    return (this.#topology as Topology).bridgePins;
  }

  /* ---- automation tables ---- */

  #automation(common: Ac97Common, { control }: TopologyNode): PCAUTOMATION_TABLE | null {
    switch (control.kind) {
      case 'volume':
        return nodeTable(levelItem(KSPROPERTY_AUDIO_VOLUMELEVEL, level(common, control.stage)));
      case 'mute':
        return nodeTable(
          switchItem(
            KSPROPERTY_AUDIO_MUTE,
            bitSwitch(common, control.register, R.VOLUME_MUTE, control.channels),
          ),
        );
      case 'bass':
        return nodeTable(levelItem(KSPROPERTY_AUDIO_BASS, tone(common, control.stage)));
      case 'treble':
        return nodeTable(levelItem(KSPROPERTY_AUDIO_TREBLE, tone(common, control.stage)));
      case 'boost':
        // The 20 dB microphone boost is a loudness node.
        return nodeTable(
          switchItem(KSPROPERTY_AUDIO_LOUDNESS, bitSwitch(common, R.NAM_MIC_VOLUME, R.MIC_BOOST_20DB, 1)),
        );
      case 'mux':
        return nodeTable(muxItem(recordSelector(common, control.sources)));
      case 'none':
        return null;
    }
  }
}

function level(common: Ac97Common, stage: GainStage): ChannelLevel {
  return {
    channels: stage.channels,
    range: stageRange(stage),
    get: (channel) =>
      codeToLevel(
        stage,
        (common.cachedCodec(stage.register) >>> fieldShift(stage, channel)) & stage.codeMask,
      ),
    set: (channels, value) => {
      const code = levelToCode(stage, value);
      let mask = 0;
      let bits = 0;
      for (const channel of channels) {
        mask |= stage.codeMask << fieldShift(stage, channel);
        bits |= code << fieldShift(stage, channel);
      }
      common.updateCodec(stage.register, mask, bits);
    },
  };
}

/** One bit, for both channels where there are two. */
function bitSwitch(common: Ac97Common, register: number, bit: number, channels: 1 | 2): ChannelSwitch {
  return {
    channels,
    uniform: true,
    get: () => (common.cachedCodec(register) & bit) !== 0,
    set: (_channels, on) => common.updateCodec(register, bit, on ? bit : 0),
  };
}

function tone(common: Ac97Common, { shift }: ToneStage): ChannelLevel {
  return {
    channels: 2,
    uniform: true,
    range: TONE_RANGE,
    get: () => toneCodeToLevel((common.cachedCodec(R.NAM_MASTER_TONE) >>> shift) & 0x0f),
    set: (_channels, value) =>
      common.updateCodec(R.NAM_MASTER_TONE, 0x0f << shift, toneLevelToCode(value) << shift),
  };
}

function recordSelector(common: Ac97Common, sources: readonly R.RecordSource[]): InputSelector {
  return {
    inputs: sources.length,
    get: () => {
      const code = common.cachedCodec(R.NAM_RECORD_SELECT) & 0x7;
      return sources.findIndex((source) => R.RECORD_SOURCES[source] === code) + 1;
    },
    set: (input) => {
      const code = R.RECORD_SOURCES[sources[input - 1] as R.RecordSource];
      common.writeCodec(R.NAM_RECORD_SELECT, (code << 8) | code);
    },
  };
}
