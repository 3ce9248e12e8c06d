/**
 * Properties of a mixer's nodes as a topology miniport declares them. A driver says what a node's value is and how to read and write it;
 * verbs, channels, basic support and size rules are here.
 */
import { NtError, STATUS_INVALID_PARAMETER } from '../../kernel/index.ts';
import {
  KSPROPERTY_AUDIO_CPU_RESOURCES,
  KSPROPERTY_AUDIO_MUX_SOURCE,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_Audio,
} from '../../ks/index.ts';
import {
  type BasicSupportRange,
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_UNIFORM,
  KSPROPERTY_MEMBER_STEPPEDRANGES,
  type PCAUTOMATION_TABLE,
  type PCPROPERTY_ITEM,
  PCPROPERTY_ITEM_FLAG_BASICSUPPORT,
  PCPROPERTY_ITEM_FLAG_GET,
  PCPROPERTY_ITEM_FLAG_SET,
  type PCPROPERTY_REQUEST,
  VT_BOOL,
  VT_I4,
  VT_UI4,
} from '../../portcls/index.ts';

/** `channel` of KSNODEPROPERTY_AUDIO_CHANNEL that stands for all channels; accepted in set requests. */
const ALL_CHANNELS = -1;
/** KSAUDIO_CPU_RESOURCES_NOT_HOST_CPU: the hardware does the work. */
const NOT_HOST_CPU = 0;
const ACCESS = KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_SET | KSPROPERTY_TYPE_BASICSUPPORT;
const FLAGS = PCPROPERTY_ITEM_FLAG_GET | PCPROPERTY_ITEM_FLAG_SET | PCPROPERTY_ITEM_FLAG_BASICSUPPORT;

/** A level in 1/65536 dB for each channel of a node. */
export interface ChannelLevel {
  readonly channels: number;
  readonly range: BasicSupportRange;
  /** One value serves all channels. */
  readonly uniform?: boolean;
  get(channel: number): number;
  /** Sets the channels named; levels beyond the range are the driver's to limit. */
  set(channels: readonly number[], level: number): void;
}

/** A switch for each channel of a node. */
export interface ChannelSwitch {
  readonly channels: number;
  /** One switch serves all channels. */
  readonly uniform?: boolean;
  get(channel: number): boolean;
  set(channels: readonly number[], on: boolean): void;
}

/** A selector: which input pin of a mux, 1 to n, is connected; 0 for none. */
export interface InputSelector {
  readonly inputs: number;
  get(): number;
  set(input: number): void;
}

/** A property of KSPROPSETID_Audio whose values are levels (VOLUMELEVEL, BASS, TREBLE …). */
export function levelItem(id: number, level: ChannelLevel): PCPROPERTY_ITEM {
  return item(id, (request) => {
    if (!serveSupport(request, VT_I4, level.range, level)) return;
    const channels = requestChannels(request, level.channels);
    if (request.verb === KSPROPERTY_TYPE_GET) request.setLong(level.get(channels[0] as number));
    else level.set(channels, request.getLong());
  });
}

/** A property of KSPROPSETID_Audio whose values are BOOLs (MUTE, LOUDNESS, AGC …). */
export function switchItem(id: number, toggle: ChannelSwitch): PCPROPERTY_ITEM {
  return item(id, (request) => {
    if (!serveSupport(request, VT_BOOL, { minimum: 0, maximum: 1, steppingDelta: 1 }, toggle)) return;
    const channels = requestChannels(request, toggle.channels);
    if (request.verb === KSPROPERTY_TYPE_GET) request.setBool(toggle.get(channels[0] as number));
    else toggle.set(channels, request.getBool());
  });
}

/** KSPROPERTY_AUDIO_MUX_SOURCE. An input that the mux does not have is STATUS_INVALID_PARAMETER. */
export function muxItem(selector: InputSelector): PCPROPERTY_ITEM {
  return item(KSPROPERTY_AUDIO_MUX_SOURCE, (request) => {
    if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
      request.answerBasicSupport({ accessFlags: ACCESS, valueType: VT_UI4 });
    } else if (request.verb === KSPROPERTY_TYPE_GET) {
      request.setUlong(selector.get());
    } else {
      const input = request.getUlong();
      if (input < 1 || input > selector.inputs) throw new NtError(STATUS_INVALID_PARAMETER);
      selector.set(input);
    }
  });
}

/** The automation table of a node with one property of its own. */
export function nodeTable(property: PCPROPERTY_ITEM): PCAUTOMATION_TABLE {
  return { properties: [property, CPU_RESOURCES_ITEM] };
}

const CPU_RESOURCES_ITEM: PCPROPERTY_ITEM = {
  set: KSPROPSETID_Audio,
  id: KSPROPERTY_AUDIO_CPU_RESOURCES,
  flags: PCPROPERTY_ITEM_FLAG_GET | PCPROPERTY_ITEM_FLAG_BASICSUPPORT,
  handler: (request) => {
    if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
      request.answerBasicSupport({
        accessFlags: KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_BASICSUPPORT,
        valueType: VT_UI4,
      });
    } else {
      request.setUlong(NOT_HOST_CPU);
    }
  },
};

function item(id: number, handler: PCPROPERTY_ITEM['handler']): PCPROPERTY_ITEM {
  return { set: KSPROPSETID_Audio, id, flags: FLAGS, handler };
}

/** Answers basic support by one stepped range a channel; true when something else is asked for. */
function serveSupport(
  request: PCPROPERTY_REQUEST,
  valueType: number,
  range: BasicSupportRange,
  { channels, uniform }: { readonly channels: number; readonly uniform?: boolean },
): boolean {
  if (request.verb !== KSPROPERTY_TYPE_BASICSUPPORT) return true;
  const uniformFlag = uniform === true ? KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_UNIFORM : 0;
  request.answerBasicSupport({
    accessFlags: ACCESS,
    valueType,
    members: [
      {
        membersFlags: KSPROPERTY_MEMBER_STEPPEDRANGES,
        flags: KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL | uniformFlag,
        ranges: Array.from({ length: channels }, () => range),
      },
    ],
  });
  return false;
}

/** The channels a request names: a set may name all of them, a get must name one that exists. */
function requestChannels(request: PCPROPERTY_REQUEST, count: number): readonly number[] {
  const channel = request.instanceLong(0);
  if (channel === ALL_CHANNELS && request.verb === KSPROPERTY_TYPE_SET) return [...Array(count).keys()];
  if (channel < 0 || channel >= count) throw new NtError(STATUS_INVALID_PARAMETER);
  return [channel];
}
