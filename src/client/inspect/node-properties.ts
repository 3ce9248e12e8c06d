import type { GUID } from '../../com/guid.ts';
import {
  KS_PROPERTY_SETS,
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_UNIFORM,
  KSPROPERTY_MEMBER_RANGES,
  KSPROPERTY_MEMBER_STEPPEDRANGES,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_Audio,
  KSPROPSETID_AudioEngine,
  KSPROPSETID_TopologyNode,
  VT_BOOL,
  VT_I4,
  VT_I8,
  VT_UI4,
  VT_UI8,
} from '../../ks/index.ts';
import type { KsObject } from '../requests/ks-object.ts';
import { longAt, ulongAt } from '../requests/ks-object.ts';
import type { NodePropertyModel, RangeModel } from './model.ts';

/** Sets whose items a node may answer. */
const NODE_SETS: readonly GUID[] = [KSPROPSETID_Audio, KSPROPSETID_TopologyNode, KSPROPSETID_AudioEngine];

const VALUE_TYPES: Readonly<Record<number, string>> = {
  [VT_BOOL]: 'VT_BOOL',
  [VT_I4]: 'VT_I4',
  [VT_UI4]: 'VT_UI4',
  [VT_I8]: 'VT_I8',
  [VT_UI8]: 'VT_UI8',
};

/** The properties that a node answers a basic-support request for. */
export function readNodeProperties(filter: KsObject, node: number): NodePropertyModel[] {
  const found: NodePropertyModel[] = [];
  for (const { set, ids } of KS_PROPERTY_SETS) {
    if (!NODE_SETS.some((candidate) => candidate.equals(set))) continue;
    for (const [property, id] of Object.entries(ids)) {
      const support = filter.nodeSupport(set, id, node);
      if (support !== null) found.push({ property, ...decodeSupport(support) });
    }
  }
  return found;
}

/** Size of KSPROPERTY_DESCRIPTION, and of KSPROPERTY_MEMBERSHEADER. */
const DESCRIPTION_BYTES = 40;
const MEMBERS_HEADER_BYTES = 16;

/**
 * Reads a basic-support answer, as long or short as it is. Ranges of 32-bit values are read; others are left out. An answer whose
 * counts do not fit its length is read as far as it goes.
 */
export function decodeSupport(bytes: Uint8Array): Omit<NodePropertyModel, 'property'> {
  const access = ulongAt(bytes);
  const ranges: RangeModel[] = [];
  let multichannel = false;
  let uniform = false;
  const valueType = bytes.byteLength >= DESCRIPTION_BYTES ? (VALUE_TYPES[ulongAt(bytes, 24)] ?? null) : null;
  const isSigned = valueType !== 'VT_UI4';
  const number = isSigned ? longAt : ulongAt;
  let at = DESCRIPTION_BYTES;
  for (let list = ulongAt(bytes, 32); list > 0 && at + MEMBERS_HEADER_BYTES <= bytes.byteLength; list--) {
    const kind = ulongAt(bytes, at);
    const size = ulongAt(bytes, at + 4);
    const count = ulongAt(bytes, at + 8);
    const flags = ulongAt(bytes, at + 12);
    at += MEMBERS_HEADER_BYTES;
    const member = kind === KSPROPERTY_MEMBER_STEPPEDRANGES ? 16 : 8;
    const known =
      size === member && (kind === KSPROPERTY_MEMBER_STEPPEDRANGES || kind === KSPROPERTY_MEMBER_RANGES);
    if (known) {
      multichannel ||= hasFlag(flags, KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL);
      uniform ||= hasFlag(flags, KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_UNIFORM);
      for (let index = 0; index < count && at + (index + 1) * member <= bytes.byteLength; index++) {
        const start = at + index * member;
        const bounds = kind === KSPROPERTY_MEMBER_STEPPEDRANGES ? start + 8 : start;
        ranges.push({
          minimum: number(bytes, bounds),
          maximum: number(bytes, bounds + 4),
          step: kind === KSPROPERTY_MEMBER_STEPPEDRANGES ? ulongAt(bytes, start) : 0,
        });
      }
    }
    at += count * size;
  }
  return {
    get: hasFlag(access, KSPROPERTY_TYPE_GET),
    set: hasFlag(access, KSPROPERTY_TYPE_SET),
    valueType,
    ranges,
    multichannel,
    uniform,
  };
}

function hasFlag(value: number, flag: number): boolean {
  return (value & flag) !== 0;
}
