import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import { NtError, STATUS_NOT_IMPLEMENTED } from '../../kernel/index.ts';
import {
  type KSDATARANGE,
  KSPROPERTY_AUDIO_AGC,
  KSPROPERTY_AUDIO_BASS,
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
  levelItem,
  nodeTable,
  switchItem,
} from '../common/node-properties.ts';
import { commonOf, type Sb16Common } from './common.ts';
import { codeToLevel, type GainStage, levelToCode, stageRange } from './mixer-controls.ts';
import * as R from './registers.ts';
import { CONNECTIONS, JACKS, NODES, type NodeControl, PINS, type SwitchBits } from './topology-filter.ts';

/** Topology miniport: the CT1745 mixer. */
export class Sb16TopologyMiniport extends CUnknown implements IMiniportTopology {
  #common: Sb16Common | null = null;
  #filter: PCFILTER_DESCRIPTOR | null = null;

  constructor(outerUnknown: IUnknown | null = null) {
    super('Sb16TopologyMiniport', outerUnknown);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportTopology) || iid.equals(IID_IMiniport) ? this : null;
  }

  protected override finalRelease(): void {
    this.#common?.release();
    this.#common = null;
  }

  init(unknownAdapter: IUnknown | null, _resourceList: IResourceList, _port: IPortTopology): void {
    const common = commonOf(unknownAdapter);
    this.#common = common;
    this.#filter = {
      version: 0,
      automationTable: { properties: jackItems(PINS.length, JACKS) },
      pins: PINS,
      nodes: NODES.map(({ type, name, control }) => ({
        type,
        name,
        automationTable: automation(common, control),
      })),
      connections: CONNECTIONS,
    };
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return this.#filter as PCFILTER_DESCRIPTOR;
  }

  dataRangeIntersection(_pinId: number, _client: KSDATARANGE, _mine: KSDATARANGE): number {
    throw new NtError(STATUS_NOT_IMPLEMENTED);
  }
}

function automation(common: Sb16Common, control: NodeControl): PCAUTOMATION_TABLE | null {
  switch (control.kind) {
    case 'volume':
      return nodeTable(levelItem(KSPROPERTY_AUDIO_VOLUMELEVEL, level(common, control.stage)));
    case 'bass':
      return nodeTable(levelItem(KSPROPERTY_AUDIO_BASS, level(common, control.stage)));
    case 'treble':
      return nodeTable(levelItem(KSPROPERTY_AUDIO_TREBLE, level(common, control.stage)));
    case 'mute':
      return nodeTable(switchItem(KSPROPERTY_AUDIO_MUTE, mute(common, control.switches)));
    case 'agc':
      return nodeTable(switchItem(KSPROPERTY_AUDIO_AGC, agc(common)));
    case 'none':
      return null;
  }
}

function level(common: Sb16Common, stage: GainStage): ChannelLevel {
  const mask = (stage.codes - 1) << stage.shift;
  return {
    channels: stage.channels,
    range: stageRange(stage),
    get: (channel) =>
      codeToLevel(stage, (common.cachedMixer(stage.register + channel) & mask) >>> stage.shift),
    set: (channels, value) => {
      const code = levelToCode(stage, value);
      for (const channel of channels) common.updateMixer(stage.register + channel, mask, code << stage.shift);
    },
  };
}

/** A channel is mute when its switch is open. */
function mute(common: Sb16Common, switches: readonly SwitchBits[]): ChannelSwitch {
  const at = (channel: number) => switches[channel] as SwitchBits;
  return {
    channels: switches.length,
    get: (channel) => (common.cachedMixer(at(channel).register) & at(channel).bit) === 0,
    set: (channels, on) => {
      for (const channel of channels)
        common.updateMixer(at(channel).register, at(channel).bit, on ? 0 : at(channel).bit);
    },
  };
}

function agc(common: Sb16Common): ChannelSwitch {
  return {
    channels: 1,
    get: () => (common.cachedMixer(R.MIX_AGC) & 1) === 0,
    set: (_channels, on) => common.updateMixer(R.MIX_AGC, 1, on ? 0 : 1),
  };
}
