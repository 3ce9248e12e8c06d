import { GUID_NULL } from '../../com/index.ts';
import {
  KSPROPERTY_MEMBER_RANGES,
  KSPROPERTY_MEMBER_STEPPEDRANGES,
  KSPROPERTY_MEMBER_VALUES,
  KSPROPTYPESETID_General,
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

const DESCRIPTION_SIZE = 40;
const MEMBERS_HEADER_SIZE = 16;

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

function membersSize(list: BasicSupportMembers): number {
  return list.membersFlags === KSPROPERTY_MEMBER_STEPPEDRANGES
    ? 16
    : list.membersFlags === KSPROPERTY_MEMBER_RANGES
      ? 8
      : 4;
}

function membersCount(list: BasicSupportMembers): number {
  return list.membersFlags === KSPROPERTY_MEMBER_VALUES
    ? (list.values?.length ?? 0)
    : (list.ranges?.length ?? 0);
}

/**
 * Lays a basic-support answer out for a buffer of `room` bytes: access flags alone (room 4…39), the description with the
 * whole size needed (room 40…), or everything. Layouts: ks.h KSPROPERTY_DESCRIPTION, KSPROPERTY_MEMBERSHEADER,
 * KSPROPERTY_STEPPING_LONG. The two shorter forms succeed: that is how a client learns what it needs.
 */
export function encodeBasicSupport(support: BasicSupport, room: number): Uint8Array {
  const lists = support.members ?? [];
  let whole = DESCRIPTION_SIZE;
  for (const list of lists) whole += MEMBERS_HEADER_SIZE + membersCount(list) * membersSize(list);
  const bytes = new Uint8Array(room >= whole ? whole : room >= DESCRIPTION_SIZE ? DESCRIPTION_SIZE : 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, support.accessFlags, true);
  if (bytes.byteLength === 4) return bytes;
  view.setUint32(4, whole, true);
  const typeSet = support.valueType === undefined ? GUID_NULL : KSPROPTYPESETID_General;
  typeSet.write(view, 8);
  view.setUint32(24, support.valueType ?? 0, true);
  view.setUint32(32, lists.length, true);
  if (bytes.byteLength < whole) return bytes;
  let offset = DESCRIPTION_SIZE;
  for (const list of lists) {
    view.setUint32(offset, list.membersFlags, true);
    view.setUint32(offset + 4, membersSize(list), true);
    view.setUint32(offset + 8, membersCount(list), true);
    view.setUint32(offset + 12, list.flags ?? 0, true);
    offset += MEMBERS_HEADER_SIZE;
    if (list.membersFlags === KSPROPERTY_MEMBER_VALUES) {
      for (const value of list.values ?? []) {
        view.setInt32(offset, value, true);
        offset += 4;
      }
      continue;
    }
    for (const range of list.ranges ?? []) {
      if (list.membersFlags === KSPROPERTY_MEMBER_STEPPEDRANGES) {
        view.setUint32(offset, range.steppingDelta ?? 0, true);
        offset += 8;
      }
      view.setInt32(offset, range.minimum, true);
      view.setInt32(offset + 4, range.maximum, true);
      offset += 8;
    }
  }
  return bytes;
}
