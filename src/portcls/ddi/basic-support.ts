import {
  boundedRanges,
  encodePropertyDescription,
  generalType,
  KSPROPERTY_DESCRIPTION,
  KSPROPERTY_MEMBER_RANGES,
  KSPROPERTY_MEMBER_STEPPEDRANGES,
  type KSPROPERTY_MEMBERSLIST,
  longValues,
  steppedRanges,
} from '../../ks/index.ts';

export {
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_MULTICHANNEL,
  KSPROPERTY_MEMBER_FLAG_BASICSUPPORT_UNIFORM,
  KSPROPERTY_MEMBER_FLAG_DEFAULT,
  KSPROPERTY_MEMBER_RANGES,
  KSPROPERTY_MEMBER_STEPPEDRANGES,
  KSPROPERTY_MEMBER_VALUES,
  VT_BOOL,
  VT_CLSID,
  VT_EMPTY,
  VT_I4,
  VT_I8,
  VT_UI1,
  VT_UI4,
  VT_UI8,
} from '../../ks/index.ts';

/** One range of a 32-bit value: KSPROPERTY_BOUNDS_LONG, with `steppingDelta` KSPROPERTY_STEPPING_LONG. */
export interface BasicSupportRange {
  readonly minimum: number;
  readonly maximum: number;
  /** Distance of neighbouring values; only in a stepped-ranges list. */
  readonly steppingDelta?: number;
}

/** One list of KSPROPERTY_DESCRIPTION: a header and its members. */
export interface BasicSupportMembers {
  /** KSPROPERTY_MEMBER_RANGES, _STEPPEDRANGES (with the multichannel flag: one entry per channel) or _VALUES. */
  readonly membersFlags: number;
  /** KSPROPERTY_MEMBER_FLAG_* */
  readonly flags?: number;
  readonly ranges?: readonly BasicSupportRange[];
  /** Members of a KSPROPERTY_MEMBER_VALUES list, as LONG each. */
  readonly values?: readonly number[];
}

/** What a basic-support request is answered with. */
export interface BasicSupport {
  /** KSPROPERTY_TYPE_* bits that the property answers. */
  readonly accessFlags: number;
  /** VT_*; absent: no type set (GUID_NULL). */
  readonly valueType?: number;
  readonly members?: readonly BasicSupportMembers[];
}

function toMembersList(list: BasicSupportMembers): KSPROPERTY_MEMBERSLIST {
  const { membersFlags, flags = 0, ranges = [], values = [] } = list;
  const bounds = ranges.map(({ minimum, maximum, steppingDelta = 0 }) => ({
    steppingDelta,
    bounds: { signedMinimum: minimum, signedMaximum: maximum },
  }));
  switch (membersFlags) {
    case KSPROPERTY_MEMBER_STEPPEDRANGES:
      return steppedRanges(bounds, flags);
    case KSPROPERTY_MEMBER_RANGES:
      return boundedRanges(
        bounds.map((range) => range.bounds),
        flags,
      );
    default:
      return longValues(values, flags);
  }
}

/**
 * Lays a basic-support answer out for a buffer of `room` bytes: access flags alone (room 4…39), the description with the
 * whole size needed (room 40…), or everything (basic-support-queries-for-audio-properties.md). The two shorter forms succeed:
 * that is how a client learns what it needs.
 */
export function encodeBasicSupport(support: BasicSupport, room: number): Uint8Array {
  const { accessFlags, valueType, members = [] } = support;
  const whole = encodePropertyDescription(
    accessFlags,
    valueType === undefined
      ? undefined
      : { propTypeSet: generalType(valueType), membersList: members.map(toMembersList) },
  );
  if (room >= whole.byteLength) return whole;
  return whole.subarray(0, room >= KSPROPERTY_DESCRIPTION.size ? KSPROPERTY_DESCRIPTION.size : 4);
}
